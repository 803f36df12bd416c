// `tocsin registry verify` and `dump`: they only read.
#include "base/encode.h"
#include "registry_inside.h"
#include "settings/exit_codes.h"
#include "settings/faults.h"

namespace tocsin {

// ---- verify ------------------------------------------------------------------

int RegistryCommand::verify() {
  int64_t holder = 0;
  Tally tally;
  (void)ask_lock(false, false, holder);
  if (const int code = read_through(tally); code != exit_code::ok) return code;
  if (const int code = take_survey(tally); code != exit_code::ok) return code;
  Writer& out = text();
  out.text("format=").unsigned_number(tally.has_header ? tally.header.version : 0);
  out.text(" generation=").unsigned_number(tally.header.generation);
  out.text(" batches=").unsigned_number(tally.batches).text(" records=").unsigned_number(tally.records[0]);
  for (auto kind = RecordKind::registered; kind <= RecordKind::ended;
       kind = static_cast<RecordKind>(static_cast<uint8_t>(kind) + 1)) {
    out.text(" ").text(name_of(kind)).text("=").unsigned_number(tally.records[static_cast<size_t>(kind)]);
  }
  const uint64_t used = tally.has_header ? FileHeader::size + survey_->live_bytes() : 0;
  out.text(" devices=").unsigned_number(survey_->devices());
  out.text(" devices_held=").unsigned_number(survey_->held());
  out.text(" bytes=").unsigned_number(tally.size);
  out.text(" dead_bytes=").unsigned_number(tally.end - used);
  out.text(" torn_bytes=").unsigned_number(tally.size - tally.end);
  if (survey_->strays() > 0) out.text(" strays=").unsigned_number(survey_->strays());
  if (holder != 0) out.text(" held_by=").number(holder);
  return end_line();
}

// ---- dump --------------------------------------------------------------------

int RegistryCommand::dump() {
  int64_t holder = 0;
  Tally tally;
  (void)ask_lock(false, false, holder);
  if (const int code = read_through(tally); code != exit_code::ok) return code;
  if (const int code = take_survey(tally); code != exit_code::ok) return code;
  if (holder != 0) {
    uint8_t room[path_bytes_max + 128];
    Writer sentence(room);
    write_path(sentence, path_.view());
    sentence.text(" is held by process ").number(holder).text("; what it writes from now on is not shown");
    (void)fail(exit_code::ok, sentence.view());
  }
  DumpOptions options{.secrets = line_.secrets, .has_key = false, .key = {}};
  read_key(options);
  for (const bool ended : {false, true}) {
    for (uint32_t i = 0; i < survey_->count(); ++i) {
      const Surveyed& node = survey_->at(i);
      if ((node.state == Surveyed::State::ended) != ended) continue;
      const int code = ended ? dump_end(node, options) : dump_device(node, options);
      if (code != exit_code::ok) return code;
    }
  }
  return exit_code::ok;
}

int RegistryCommand::dump_device(const Surveyed& node, const DumpOptions& options) {
  Record full;
  Record held;
  if (const int code = read_record(node.full_at, node.full_bytes, record_room_[0], full); code != exit_code::ok)
    return code;
  const bool is_held = node.state == Surveyed::State::held;
  if (is_held) {
    if (const int code = read_record(node.word_at, node.word_bytes, record_room_[1], held); code != exit_code::ok)
      return code;
  }
  write_device(text(), node, full.registration, is_held ? &held : nullptr, options);
  return end_line();
}

int RegistryCommand::dump_end(const Surveyed& node, const DumpOptions& options) {
  Record full;
  Record ended;
  if (const int code = read_record(node.word_at, node.word_bytes, record_room_[1], ended); code != exit_code::ok)
    return code;
  const bool has_full = node.full_at != 0;
  if (has_full) {
    if (const int code = read_record(node.full_at, node.full_bytes, record_room_[0], full); code != exit_code::ok)
      return code;
  }
  write_ended(text(), ended, has_full ? &full.registration : nullptr, options);
  return end_line();
}

// Beside the registry, where the gateway keeps it unless [registry] path says otherwise.
void RegistryCommand::read_key(DumpOptions& options) {
  uint8_t room[path_bytes_max + 16];
  Writer name(room);
  name.text(directory_.view()).text("/pseudonym.key");
  Name path;
  if (name.overflowed() || !path.assign(name.view())) return;
  const Result<port::Handle> file = tools_.storage.open(path.c_str(), port::OpenMode::read);
  if (!file.ok()) return;
  const Result<size_t> read = tools_.storage.read_at(file.value(), 0, options.key.bytes);
  tools_.storage.shut(file.value());
  options.has_key = read.ok() && read.value() == sizeof options.key.bytes;
}

}  // namespace tocsin
