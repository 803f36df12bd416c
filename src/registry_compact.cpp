// `tocsin registry compact`: the gateway's own compaction, all slices at once.
#include <algorithm>

#include "link/blocking_storage.h"
#include "link/journal_file.h"
#include "registry/index.h"
#include "registry_inside.h"
#include "settings/exit_codes.h"
#include "settings/faults.h"

namespace tocsin {

int RegistryCommand::compact() {
  int64_t holder = 0;
  if (const int code = ask_lock(true, true, holder); code == exit_code::unavailable) {
    return refuse_held(holder, "or let it be: it compacts by itself");
  } else if (code != exit_code::ok) {
    return code;
  }
  Tally tally;
  if (const int code = read_through(tally); code != exit_code::ok) return code;
  if (tally.batches == 0) {
    write_path(text(), path_.view());
    text().text(": empty, nothing to compact");
    return end_line();
  }
  log_.shut();
  const Registry::Options options{.max_devices = std::max(tally.nodes, 1u)};
  const Bytes memory =
      options.max_devices <= DeviceTable::devices_max ? tools_.reserve(Registry::bytes_for(options)) : Bytes{};
  if (memory.empty()) {
    uint8_t room[128];
    Writer sentence(room);
    sentence.text("the system has no memory for an index of ").unsigned_number(tally.nodes).text(" devices");
    return fail(exit_code::system, sentence.view());
  }
  BlockingStorage storage(tools_.storage);
  JournalFile journal(storage);
  if (const Status opened = journal.open(path_.view(), directory_.view()); !opened.ok())
    return cannot("cannot open", path_.view(), opened.error(), exit_code::cannot_create);
  Region region(memory);
  Registry registry(region, options, journal, &journal);
  const int code = compact(registry);
  journal.shut();
  return code;
}

int RegistryCommand::compact(Registry& registry) {
  if (const Status replayed = registry.replay(scratch_); !replayed.ok())
    return cannot("cannot read", path_.view(), replayed.error(), exit_code::io);
  const uint64_t before = registry.log_bytes() + registry.cut_bytes();
  registry.request_compaction();
  progress_.begin("compacting", before);
  const Compaction& compaction = registry.compaction();
  Maintenance outcome = Maintenance::quiet;
  // Its pauses are for others to work in; here they pass at once.
  for (Instant now{}; outcome == Maintenance::quiet;) {
    outcome = registry.maintain(now, tools_.clock.wall());
    const Instant due = registry.maintenance_due();
    if (due != Instant::never()) now = later(now, due);
    progress_.reached(compaction.bytes_written());
  }
  progress_.clear();
  if (outcome != Maintenance::compacted) {
    uint8_t room[path_bytes_max + 256];
    Writer sentence(room);
    sentence.text("cannot compact ");
    write_path(sentence, path_.view());
    sentence.text(": ").text(compaction.problem()).text("; the file is as it was");
    return fail(exit_code::io, sentence.view());
  }
  Writer& out = text();
  write_path(out, path_.view());
  out.text(": ").unsigned_number(before).text(" bytes before, ").unsigned_number(registry.log_bytes());
  out.text(" now, ").unsigned_number(registry.count()).text(" devices");
  return end_line();
}

}  // namespace tocsin
