#include "setup_command.h"

#include "base/check.h"
#include "crypto/crypto.h"
#include "settings/exit_codes.h"
#include "settings/faults.h"
#include "setup_text.h"
#include "state.h"

namespace tocsin {

namespace {

// The conf comes last: whoever waits for it finds all the others.
constexpr SetupPart parts_written[] = {SetupPart::prosody, SetupPart::ejabberd, SetupPart::proxy, SetupPart::dns,
                                       SetupPart::conf};
constexpr SetupPart parts_printed[] = {SetupPart::conf, SetupPart::prosody, SetupPart::ejabberd, SetupPart::proxy,
                                       SetupPart::dns};

class SetupCommand {
 public:
  SetupCommand(const CommandLine& line, const SetupTools& tools) : line_(line), tools_(tools) {}
  int run();

 private:
  int print();
  int write();
  int name_files();
  int find_existing();
  Status create(size_t part);
  // Takes back what this run created.
  void undo();
  int fail(int code, string_view sentence);
  int cannot(string_view what, const Path& path, Error error);

  const CommandLine& line_;
  const SetupTools& tools_;
  SetupPlan plan_;
  char secret_[2 * setup_secret_bytes] = {};
  Path paths_[setup_parts];
  bool created_[setup_parts] = {};
  uint8_t room_[setup_part_bytes_max] = {};
};

int SetupCommand::fail(int code, string_view sentence) {
  (void)tools_.screen.err("tocsin: ").ok();
  (void)tools_.screen.err(sentence).ok();
  (void)tools_.screen.err("\n").ok();
  return code;
}

int SetupCommand::cannot(string_view what, const Path& path, Error error) {
  uint8_t room[path_bytes_max * 2 + 256];
  Writer sentence(room);
  sentence.text(what);
  write_path(sentence, path.view());
  sentence.text(": ").text(describe(error));
  if (error == Error::exists)
    sentence.text("; nothing is overwritten and nothing was written: move it away, or name another conf with -c");
  if (error == Error::not_found) {
    sentence.text("; make its directory: mkdir -p ");
    write_argument(sentence, parent_directory(path.view()));
  }
  const int code = error == Error::denied ? exit_code::permission
                   : error == Error::io   ? exit_code::io
                                          : exit_code::cannot_create;
  return fail(code, sentence.view());
}

int SetupCommand::run() {
  uint8_t problem_room[512];
  Writer problem(problem_room);
  if (!read_setup_domain(line_.setup_kind, line_.setup_domain, plan_.names, problem))
    return fail(exit_code::usage, problem.view());
  uint8_t random[setup_secret_bytes];
  tools_.random.fill(random);
  Writer secret({reinterpret_cast<uint8_t*>(secret_), sizeof secret_});
  secret.hex(random);
  wipe(random);
  plan_.kind = line_.setup_kind;
  plan_.secret = secret.view();
  plan_.conf = line_.conf_files[0];
  const int code = name_files();
  if (code != exit_code::ok) return code;
  return line_.write ? write() : print();
}

int SetupCommand::name_files() {
  if (!paths_[setup_parts - 1].assign(plan_.conf)) return fail(exit_code::usage, "the conf's name is too long");
  for (size_t i = 0; i + 1 < setup_parts; ++i) {
    uint8_t room[path_bytes_max + 64];
    Writer name(room);
    name.text(slice(plan_.conf, 0, plan_.conf.rfind('/') + 1)).text(setup_file_name(parts_written[i]));
    if (!paths_[i].assign(name.view())) return fail(exit_code::usage, "the conf's name is too long");
  }
  return exit_code::ok;
}

int SetupCommand::print() {
  bool printed = true;
  for (const SetupPart part : parts_printed) {
    if (!setup_has(plan_.kind, part)) continue;
    Writer text{Bytes(room_)};
    write_setup_part(text, part, plan_);
    text.text("\n");
    GW_CHECK(!text.overflowed());
    printed = printed && tools_.screen.out(text.view()).ok();
  }
  Writer next{Bytes(room_)};
  write_setup_next(next, plan_, false);
  GW_CHECK(!next.overflowed());
  return printed && tools_.screen.out(next.view()).ok() ? exit_code::ok : exit_code::io;
}

// All that exist are named, not only the first.
int SetupCommand::find_existing() {
  int code = exit_code::ok;
  for (size_t i = 0; i < setup_parts; ++i) {
    const Path& path = paths_[i];
    if (!setup_has(plan_.kind, parts_written[i])) continue;
    const Result<port::FileFacts> facts = tools_.storage.facts(path.c_str());
    if (facts.ok()) code = cannot("", path, Error::exists);
    if (!facts.ok() && facts.error() != Error::not_found) return cannot("cannot create ", path, facts.error());
  }
  return code;
}

Status SetupCommand::create(size_t part) {
  Writer text{Bytes(room_)};
  write_setup_part(text, parts_written[part], plan_);
  GW_CHECK(!text.overflowed());
  const Result<port::Handle> file = tools_.storage.open(paths_[part].c_str(), port::OpenMode::create_for_group);
  if (!file.ok()) return file.error();
  created_[part] = true;
  Status stored = tools_.storage.write_at(file.value(), 0, text.written());
  if (stored.ok()) stored = tools_.storage.sync_now(file.value());
  tools_.storage.shut(file.value());
  return stored;
}

void SetupCommand::undo() {
  for (size_t i = setup_parts; i-- > 0;) {
    if (!created_[i]) continue;
    const Status removed = tools_.storage.remove(paths_[i].c_str());
    if (!removed.ok()) (void)cannot("cannot take back ", paths_[i], removed.error());
  }
}

int SetupCommand::write() {
  if (const int code = find_existing(); code != exit_code::ok) return code;
  for (size_t i = 0; i < setup_parts; ++i) {
    if (!setup_has(plan_.kind, parts_written[i])) continue;
    const Status made = create(i);
    if (made.ok()) continue;
    undo();
    return cannot("cannot create ", paths_[i], made.error());
  }
  Path directory;
  GW_CHECK(directory.assign(parent_directory(plan_.conf)));
  if (const Status synced = tools_.storage.sync_directory(directory.c_str()); !synced.ok()) {
    undo();
    return cannot("cannot write into ", directory, synced.error());
  }
  for (size_t i = 0; i < setup_parts; ++i) {
    if (!created_[i]) continue;
    Writer created{Bytes(room_)};
    created.text("# created ");
    write_path(created, paths_[i].view());
    created.text("\n");
    (void)tools_.screen.out(created.view()).ok();
  }
  Writer next{Bytes(room_)};
  write_setup_next(next, plan_, true);
  GW_CHECK(!next.overflowed());
  return tools_.screen.out(next.view()).ok() ? exit_code::ok : exit_code::io;
}

}  // namespace

int run_setup_command(const CommandLine& line, const SetupTools& tools) { return SetupCommand(line, tools).run(); }

}  // namespace tocsin
