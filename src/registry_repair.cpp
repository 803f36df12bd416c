// `tocsin registry repair`: reads the damaged file and writes a new one beside it.
#include <cstring>

#include "registry_inside.h"
#include "settings/exit_codes.h"
#include "settings/faults.h"

namespace tocsin {
namespace {

constexpr size_t batch_room_bytes = 64 * 1024;
constexpr int names_tried_max = 9;

void of_them(Writer& out, uint64_t count, string_view one, string_view many) {
  if (count > 0) out.unsigned_number(count).text(" of them ").text(count == 1 ? one : many).character('\n');
}

}  // namespace

int RegistryCommand::repair() {
  int64_t holder = 0;
  if (const int code = ask_lock(true, false, holder); code == exit_code::unavailable) {
    return refuse_held(holder, "for what it writes meanwhile would be missing in the repaired file");
  } else if (code != exit_code::ok) {
    return code;
  }
  Tally tally;
  {
    LogReader reader(log_, scratch_);
    const Result<bool> whole = read_through(reader, tally);
    if (!whole.ok() && whole.error() == Error::unsupported) return trouble_with_log(reader, whole.error());
    if (whole.ok()) {
      const bool in_doubt = tally.size > tally.end || !tally.has_header;
      const Result<bool> more = in_doubt ? anything_in_tail() : Result<bool>(false);
      if (!more.ok()) return cannot("cannot read", path_.view(), more.error(), exit_code::io);
      if (!more.value() && tally.size > 0 && !tally.has_header) {
        if (const int code = judge_without_header(); code != exit_code::ok) return code;
      }
      if (!more.value()) {
        write_path(text(), path_.view());
        text().text(": whole, nothing to repair");
        if (tally.size > tally.end) {
          text().text("; a gateway cuts off its torn end of ").unsigned_number(tally.size - tally.end).text(" bytes");
        }
        return end_line();
      }
    }
  }
  Name repaired;
  if (const int code = name_beside(".repaired", repaired); code != exit_code::ok) return code;
  LogFile to(tools_.storage);
  if (const Status created = to.create(repaired.c_str()); !created.ok()) {
    if (created.error() != Error::exists)
      return cannot("cannot create", repaired.view(), created.error(), exit_code::cannot_create);
    return cannot("nothing is overwritten; move this file away first:", repaired.view(), Error::none,
                  exit_code::cannot_create);
  }
  Salvaged found;
  int code = salvage(to, found);
  if (code == exit_code::ok && found.records == 0) {
    uint8_t room[path_bytes_max + 64];
    Writer sentence(room);
    write_path(sentence, path_.view());
    code = fail(exit_code::damaged, sentence.text(": nothing in this file is a record of a registry").view());
  }
  if (code == exit_code::ok) {
    Status stored = to.sync();
    if (stored.ok()) stored = tools_.storage.sync_directory(directory_.c_str());
    if (!stored.ok()) code = cannot("cannot write", repaired.view(), stored.error(), exit_code::io);
  }
  to.shut();
  if (code == exit_code::ok) code = check_repaired(repaired, found, tally);
  if (code != exit_code::ok) {
    (void)tools_.storage.remove(repaired.c_str()).ok();
    return code;
  }
  code = summarise(repaired, found, tally);
  return code != exit_code::ok ? code : found.lost ? exit_code::damaged : exit_code::ok;
}

// Of a log that is whole up to its torn end: whether that end, or a file that is nothing but one, holds a record.
Result<bool> RegistryCommand::anything_in_tail() {
  if (log_.size() == 0) return false;
  Salvage salvage(log_, scratch_);
  FileHeader header;
  Salvage::Piece piece;
  Result<bool> more = salvage.open(header);
  bool in_doubt = more.ok() && !more.value();
  while (more.ok()) {
    more = salvage.next(piece);
    if (!more.ok() || !more.value()) break;
    if (piece.kind == Salvage::Piece::Kind::record && (in_doubt || !piece.proven)) return true;
  }
  return more;
}

// Pieces in the order of the file: records into the new one, the rest for people.
int RegistryCommand::salvage(LogFile& to, Salvaged& found) {
  // The last part of the scratch is the new file's.
  const Bytes batch_room = scratch_.last(batch_room_bytes);
  Salvage salvage(log_, scratch_.first(scratch_.size() - batch_room_bytes));
  FileHeader header;
  const Result<bool> opened = salvage.open(header);
  if (!opened.ok()) return cannot("cannot read", path_.view(), opened.error(), exit_code::io);
  if (opened.value()) {
    ++header.generation;
  } else {
    tools_.random.fill(header.creation_id);
  }
  header.version = FileHeader::newest;
  uint8_t bytes[FileHeader::size];
  encode(header, bytes);
  if (const Status written = to.write(bytes); !written.ok())
    return cannot("cannot write the repaired", path_.view(), written.error(), exit_code::io);
  Batch batch(batch_room, header);
  batches_written_ = 0;
  progress_.begin("repairing", salvage.size());
  for (;;) {
    Salvage::Piece piece;
    const Result<bool> more = salvage.next(piece);
    if (!more.ok() && more.error() == Error::unsupported) {
      uint8_t room[path_bytes_max + 256];
      Writer sentence(room);
      write_path(sentence, path_.view());
      sentence.text(": ").text(salvage.problem()).text(" (byte ").unsigned_number(salvage.offset()).text(")");
      return fail(exit_code::damaged, sentence.view());
    }
    if (!more.ok()) return cannot("cannot read", path_.view(), more.error(), exit_code::io);
    if (!more.value()) break;
    progress_.reached(salvage.offset());
    if (piece.kind != Salvage::Piece::Kind::record) {
      found.lost =
          found.lost || (piece.kind == Salvage::Piece::Kind::loss && !piece.header && !piece.mark_only && !piece.tail);
      if (const int code = tell(piece); code != exit_code::ok) return code;
      continue;
    }
    ++found.records;
    if (!piece.proven) ++found.unproven;
    if (piece.tail) ++found.in_tail;
    if (batch.add(piece.record)) continue;
    if (const int code = write_batch(to, batch); code != exit_code::ok) return code;
    GW_CHECK(batch.add(piece.record));
  }
  progress_.clear();
  if (salvage.unreadable() > 0) {
    text().text("some of what is lost can not be read from the medium: save what else is on it");
    if (const int code = end_line(); code != exit_code::ok) return code;
  }
  if (!batch.empty()) {
    if (const int code = write_batch(to, batch); code != exit_code::ok) return code;
  }
  // One more, which is empty: nothing in front of it can be taken for a torn tail.
  return write_batch(to, batch);
}

int RegistryCommand::tell(const Salvage::Piece& piece) {
  if (piece.kind == Salvage::Piece::Kind::loss) {
    write_loss(text(), piece);
  } else {
    write_batch_note(text(), piece);
  }
  return end_line();
}

int RegistryCommand::write_batch(LogFile& to, Batch& batch) {
  const Status written = to.write(batch.close(to.size(), ++batches_written_));
  batch.clear();
  if (written.ok()) return exit_code::ok;
  return cannot("cannot write the repaired", path_.view(), written.error(), exit_code::io);
}

// Reads back what was written, as a gateway would.
int RegistryCommand::check_repaired(const Name& name, const Salvaged& found, Tally& tally) {
  log_.shut();
  if (const Status opened = log_.open(name.c_str()); !opened.ok())
    return cannot("cannot read", name.view(), opened.error(), exit_code::io);
  LogReader reader(log_, scratch_);
  const Result<bool> read = read_through(reader, tally);
  if (!read.ok() || tally.records[0] != found.records || tally.end != tally.size)
    return cannot("reads differently than it was written:", name.view(), Error::none, exit_code::io);
  return take_survey(tally);
}

int RegistryCommand::summarise(const Name& name, const Salvaged& found, const Tally& tally) {
  Writer& out = text();
  out.text("kept ").unsigned_number(found.records).text(found.records == 1 ? " record (" : " records (");
  out.unsigned_number(survey_->devices()).text(survey_->devices() == 1 ? " device, " : " devices, ");
  out.unsigned_number(survey_->ended()).text(" ended) in ");
  write_path(out, name.view());
  out.text(", ").unsigned_number(tally.size).text(" bytes\n");
  of_them(out, found.unproven - found.in_tail, "is proven by its own checksum only",
          "are proven by their own checksums only");
  of_them(out, found.in_tail, "stands behind the last commit mark and may never have been acknowledged",
          "stand behind the last commit mark and may never have been acknowledged");
  of_them(out, survey_->strays(), "speaks of a device whose registration is lost",
          "speak of devices whose registration is lost");
  // Whatever stands there already must not be overwritten.
  Name aside;
  if (const int code = name_beside(".damaged", aside); code != exit_code::ok) return code;
  char ending[] = ".damaged-2";
  for (int i = 2; i <= names_tried_max && tools_.storage.facts(aside.c_str()).ok(); ++i) {
    ending[sizeof ending - 2] = static_cast<char>('0' + i);
    if (const int code = name_beside(ending, aside); code != exit_code::ok) return code;
  }
  out.text("to put it in place, while no gateway runs, and keep the damaged one:\n  mv ");
  write_argument(out, path_.view());
  out.character(' ');
  write_argument(out, aside.view());
  out.text(" && mv ");
  write_argument(out, name.view());
  out.character(' ');
  write_argument(out, path_.view());
  return end_line();
}

}  // namespace tocsin
