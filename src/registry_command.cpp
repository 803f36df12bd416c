#include "registry_command.h"

#include <algorithm>

#include "registry_inside.h"
#include "settings/exit_codes.h"
#include "settings/faults.h"
#include "state.h"

namespace tocsin {

void write_damage(Writer& out, string_view path, uint64_t offset, string_view problem) {
  write_path(out, path);
  out.text(": the registry is damaged at byte ").unsigned_number(offset).text(" (").text(problem);
  out.text("); what is intact is kept by: tocsin registry repair ");
  write_argument(out, path);
}

int run_registry_command(const CommandLine& line, const RegistryTools& tools) {
  return RegistryCommand(line, tools).run();
}

int RegistryCommand::run() {
  if (const int code = prepare(); code != exit_code::ok) return code;
  int code = exit_code::internal;
  switch (line_.registry_task) {
    case RegistryTask::verify: code = verify(); break;
    case RegistryTask::dump: code = dump(); break;
    case RegistryTask::repair: code = repair(); break;
    case RegistryTask::compact: code = compact(); break;
  }
  progress_.clear();
  const int printed = flush();
  log_.shut();
  if (lock_ != port::no_handle) tools_.storage.shut(lock_);
  return code == exit_code::ok ? printed : code;
}

// ---- the file ----------------------------------------------------------------

int RegistryCommand::prepare() {
  if (line_.file.size() > path_bytes_max || !path_.assign(line_.file))
    return fail(exit_code::usage, "the file's name is too long");
  if (!directory_.assign(parent_directory(line_.file))) return exit_code::internal;
  if (const int code = name_beside(".lock", lock_path_); code != exit_code::ok) return code;
  const Bytes memory = tools_.reserve(scratch_bytes + output_bytes + 2 * Registry::record_bytes_max);
  if (memory.empty()) return fail(exit_code::system, "the system has no memory for a look at the registry");
  scratch_ = memory.first(scratch_bytes);
  output_.emplace(memory.subspan(scratch_bytes, output_bytes));
  for (size_t i = 0; i < 2; ++i) {
    record_room_[i] =
        memory.subspan(scratch_bytes + output_bytes + i * Registry::record_bytes_max, Registry::record_bytes_max);
  }
  return open();
}

int RegistryCommand::name_beside(string_view ending, Name& out) {
  uint8_t room[path_bytes_max + 16];
  Writer name(room);
  name.text(path_.view()).text(ending);
  if (!name.overflowed() && out.assign(name.view())) return exit_code::ok;
  return fail(exit_code::usage, "the file's name is too long");
}

int RegistryCommand::open() {
  const Result<port::FileFacts> facts = tools_.storage.facts(path_.c_str());
  if (!facts.ok()) return cannot("cannot read", path_.view(), facts.error(), exit_code::missing);
  if (facts.value().directory) return cannot("this is a directory:", path_.view(), Error::none, exit_code::missing);
  const Status opened = log_.open(path_.c_str());
  return opened.ok() ? exit_code::ok : cannot("cannot read", path_.view(), opened.error(), exit_code::missing);
}

int RegistryCommand::ask_lock(bool keep, bool make, int64_t& holder) {
  holder = 0;
  // Without its file nobody has the lock, and a look must not leave a file behind, least of all root's.
  if (!make && !tools_.storage.facts(lock_path_.c_str()).ok()) return exit_code::ok;
  const Result<port::Handle> lock = tools_.storage.lock(lock_path_.c_str(), &holder);
  if (lock.ok() && keep) {
    lock_ = lock.value();
  } else if (lock.ok()) {
    tools_.storage.shut(lock.value());
  }
  if (lock.ok() || !keep) return exit_code::ok;  // a look goes on whatever the lock says
  if (lock.error() != Error::busy)
    return cannot("cannot lock", lock_path_.view(), lock.error(), exit_code::cannot_create);
  return exit_code::unavailable;
}

int RegistryCommand::refuse_held(int64_t holder, string_view why) {
  uint8_t room[path_bytes_max + 256];
  Writer sentence(room);
  write_path(sentence, path_.view());
  sentence.text(" is held by process ").number(holder).text("; stop that gateway first, ").text(why);
  return fail(exit_code::unavailable, sentence.view());
}

// ---- reading -----------------------------------------------------------------

Result<bool> RegistryCommand::read_through(LogReader& reader, Tally& tally) {
  tally = Tally{};
  tally.size = reader.size();
  if (reader.size() == 0) return true;
  progress_.begin("reading", reader.size());
  Result<bool> more = reader.open(tally.header);
  tally.has_header = more.ok() && more.value();
  while (more.ok() && more.value()) {
    Record record;
    more = reader.next(record);
    if (!more.ok() || !more.value()) break;
    ++tally.records[0];
    ++tally.records[static_cast<size_t>(record.kind)];
    if (record.full() || record.kind == RecordKind::ended) ++tally.nodes;
    progress_.reached(reader.offset());
  }
  progress_.clear();
  tally.batches = reader.batches();
  tally.end = reader.end();
  return more.ok() ? Result<bool>(true) : more;
}

int RegistryCommand::read_through(Tally& tally) {
  LogReader reader(log_, scratch_);
  const Result<bool> read = read_through(reader, tally);
  if (tally.size > 0 && !tally.has_header && (read.ok() || read.error() == Error::damaged)) {
    if (const int code = judge_without_header(); code != exit_code::ok) return code;
  }
  if (!read.ok()) return trouble_with_log(reader, read.error());
  // A gateway may write there, now one thing and then another.
  if (!log_.cut(tally.end).ok()) return exit_code::internal;
  return exit_code::ok;
}

// A file that may be one that was just being made, which a gateway would begin anew. It may be more than that, or
// something else.
int RegistryCommand::judge_without_header() {
  uint8_t room[2 * path_bytes_max + 512];
  Writer sentence(room);
  Salvage salvage(log_, scratch_);
  FileHeader header;
  Salvage::Piece piece;
  Result<bool> more = salvage.open(header);
  while (more.ok()) {
    more = salvage.next(piece);
    if (!more.ok() || !more.value()) break;
    if (piece.kind != Salvage::Piece::Kind::record) continue;
    write_damage(sentence, path_.view(), 0, "the header fails its check, and records follow");
    return fail(exit_code::damaged, sentence.view());
  }
  uint8_t ours[FileHeader::size];
  encode(FileHeader{}, ours);
  uint8_t start[8];
  const Result<size_t> read = log_.read(0, start);
  if (!more.ok() || !read.ok()) return cannot("cannot read", path_.view(), Error::io, exit_code::io);
  const ByteView there = ByteView(start).first(read.value());
  const bool blank = std::all_of(there.begin(), there.end(), [](uint8_t c) { return c == 0; });
  if (blank || same(there, ByteView(ours).first(there.size()))) return exit_code::ok;
  write_path(sentence, path_.view());
  return fail(exit_code::damaged, sentence.text(": this file is not a registry of tocsin").view());
}

int RegistryCommand::take_survey(const Tally& tally) {
  const size_t size = Survey::bytes_for(tally.nodes);
  const Bytes memory = tools_.reserve(size);
  if (memory.empty()) {
    uint8_t room[128];
    Writer sentence(room);
    sentence.text("the system has no memory for an index of ").unsigned_number(tally.nodes).text(" devices (");
    sentence.unsigned_number(size).text(" bytes)");
    return fail(exit_code::system, sentence.view());
  }
  Region region(memory);
  survey_.emplace(region, tally.nodes);
  if (tally.end == 0 || !tally.has_header) return exit_code::ok;
  progress_.begin("looking at devices", log_.size());
  LogReader reader(log_, scratch_);
  FileHeader header;
  Result<bool> more = reader.open(header);
  while (more.ok() && more.value()) {
    Record record;
    more = reader.next(record);
    if (!more.ok() || !more.value()) break;
    const Status taken = survey_->take(record, reader.offset(), reader.length());
    if (!taken.ok()) more = Error::io;
    progress_.reached(reader.offset());
  }
  progress_.clear();
  return more.ok() ? exit_code::ok : trouble_with_log(reader, more.error());
}

int RegistryCommand::read_record(uint64_t offset, size_t bytes, Bytes room, Record& out) {
  const Bytes all = room.first(bytes);
  const Result<size_t> read = log_.read(offset, all);
  if (read.ok() && read.value() == bytes && intact(all) && decode(all, out).ok()) return exit_code::ok;
  return cannot("cannot read", path_.view(), Error::io, exit_code::io);
}

int RegistryCommand::trouble_with_log(const LogReader& reader, Error error) {
  uint8_t room[2 * path_bytes_max + 512];
  Writer sentence(room);
  if (error == Error::damaged) {
    write_damage(sentence, path_.view(), reader.problem_offset(), reader.problem());
    return fail(exit_code::damaged, sentence.view());
  }
  write_path(sentence, path_.view());
  sentence.text(": ").text(reader.problem());
  if (reader.problem_offset() > 0) sentence.text(" (byte ").unsigned_number(reader.problem_offset()).text(")");
  if (error == Error::unsupported) return fail(exit_code::damaged, sentence.view());
  sentence.text("; what can be read is kept by: tocsin registry repair ");
  write_argument(sentence, path_.view());
  return fail(exit_code::io, sentence.view());
}

// ---- printing ----------------------------------------------------------------

Writer& RegistryCommand::text() { return *output_; }

int RegistryCommand::end_line() {
  output_->character('\n');
  GW_CHECK(!output_->overflowed());
  return output_->room_left().size() < registry_line_bytes_max ? flush() : exit_code::ok;
}

int RegistryCommand::flush() {
  if (output_->size() == 0) return exit_code::ok;
  progress_.clear();
  const Status printed = tools_.screen.out(output_->view());
  output_->rewind(0);
  return printed.ok() ? exit_code::ok : fail(exit_code::io, "the output can not be written");
}

int RegistryCommand::fail(int code, string_view sentence) {
  progress_.clear();
  (void)tools_.screen.err("tocsin: ").ok();
  (void)tools_.screen.err(sentence).ok();
  (void)tools_.screen.err("\n").ok();
  return code;
}

int RegistryCommand::cannot(string_view what, string_view path, Error error, int code) {
  uint8_t room[path_bytes_max + 256];
  Writer sentence(room);
  sentence.text(what).text(" ");
  write_path(sentence, path);
  if (error != Error::none) sentence.text(": ").text(error == Error::not_found ? "no such file" : describe(error));
  return fail(code_of(error, code), sentence.view());
}

int RegistryCommand::code_of(Error error, int otherwise) {
  switch (error) {
    case Error::denied: return exit_code::permission;
    case Error::io: return exit_code::io;
    default: return otherwise;
  }
}

}  // namespace tocsin
