#include "command_line.h"

#include "settings/exit_codes.h"
#include "settings/faults.h"

namespace tocsin {

namespace {

struct CommandRow {
  string_view name;
  bool later = true;
  Task task = Task::run;
};

constexpr CommandRow commands[] = {
    {"run", false, Task::run},
    {"check", false, Task::check},
    {"plan", false, Task::plan},
    {"registry", false, Task::registry},
    {"setup", false, Task::setup},
    {"vapid-key", false, Task::vapid_key},
    // Reserved.
    {"status"},
    {"list"},
    {"remove"},
    {"test-push"},
    {"preview"},
    {"doctor"},
    {"reload"},
    {"reexec"},
    {"import"},
    {"replay"},
};

struct RegistryRow {
  string_view name;
  RegistryTask task;
};

constexpr RegistryRow registry_commands[] = {
    {"verify", RegistryTask::verify},
    {"dump", RegistryTask::dump},
    {"compact", RegistryTask::compact},
    {"repair", RegistryTask::repair},
};

struct SetupRow {
  string_view name;
  SetupKind kind;
};

constexpr SetupRow setup_kinds[] = {
    {"unifiedpush", SetupKind::unifiedpush},
    {"webpush", SetupKind::webpush},
    {"apns", SetupKind::apns},
    {"fcm", SetupKind::fcm},
};

enum class Option : uint8_t { conf, override_key, help, version, as_user, json, online, secrets, write };

struct OptionRow {
  string_view name;
  Option option;
  bool takes_value = false;
  bool everywhere = true;  // else only with its command
  Task task = Task::run;
};

constexpr OptionRow options[] = {
    {"-c", Option::conf, true},
    {"-o", Option::override_key, true},
    {"--help", Option::help},
    {"-h", Option::help},
    {"--version", Option::version},
    {"-V", Option::version},
    {"--as", Option::as_user, true, false, Task::check},
    {"--online", Option::online, false, false, Task::check},
    {"--json", Option::json, false, false, Task::plan},
    {"--secrets", Option::secrets, false, false, Task::registry},
    {"--write", Option::write, false, false, Task::setup},
};

class Parser {
 public:
  Parser(std::span<const char* const> args, CommandLine& line, Writer& message)
      : args_(args), line_(&line), message_(&message) {}
  int parse();

 private:
  int option(string_view argument);
  int command(string_view argument);
  int apply(const OptionRow& row, string_view value);
  int unknown_option(string_view name);
  int registry_command(string_view argument);
  int setup_argument(string_view argument);
  int finish();
  int finish_registry();
  int finish_setup();
  int usage(string_view sentence) {
    message_->text(sentence);
    return exit_code::usage;
  }

  std::span<const char* const> args_;
  size_t next_ = 0;
  CommandLine* line_;
  Writer* message_;
  bool options_ended_ = false;
  bool has_command_ = false;
  Task task_ = Task::run;
  bool has_registry_task_ = false;
  bool has_setup_kind_ = false;
  bool has_setup_domain_ = false;       // it may be empty, and is refused with a sentence of its own
  bool shows_text_ = false;             // --help or --version: it wins over every command
  const OptionRow* special_ = nullptr;  // an option of one command, checked when that is known
};

int Parser::parse() {
  while (next_ < args_.size()) {
    const string_view argument = args_[next_++];
    int code = exit_code::ok;
    if (!options_ended_ && argument == "--")
      options_ended_ = true;
    else if (!options_ended_ && argument.size() > 1 && argument[0] == '-')
      code = option(argument);
    else
      code = command(argument);
    if (code != exit_code::ok) return code;
  }
  return finish();
}

int Parser::option(string_view argument) {
  for (const OptionRow& row : options) {
    if (row.name == argument) {
      if (!row.takes_value) return apply(row, {});
      if (next_ < args_.size()) return apply(row, args_[next_++]);
      message_->text(row.name).text(" needs a value; see tocsin --help");
      return exit_code::usage;
    }
    // -cFILE and --as=USER
    const bool is_short = row.name.size() == 2;
    if (!row.takes_value || !starts_with(argument, row.name)) continue;
    if (is_short) return apply(row, slice(argument, 2));
    if (argument[row.name.size()] == '=') return apply(row, slice(argument, row.name.size() + 1));
  }
  return unknown_option(argument);
}

int Parser::unknown_option(string_view name) {
  string_view nearest;
  unsigned distance = 3;  // farther helps nobody
  for (const OptionRow& row : options) {
    const unsigned d = edit_distance(name, row.name);
    if (row.name.size() > 2 && d < distance) distance = d, nearest = row.name;
  }
  message_->text("unknown option ");
  write_quoted(*message_, name);
  if (nearest.empty()) return usage("; see tocsin --help");
  message_->text("; did you mean ").text(nearest).character('?');
  return exit_code::usage;
}

int Parser::apply(const OptionRow& row, string_view value) {
  if (!row.everywhere) {
    if (special_ != nullptr && special_->task != row.task) return usage("these options do not go together");
    special_ = &row;
  }
  switch (row.option) {
    case Option::conf: {
      if (value.empty()) return usage("-c needs a file's name");
      string_view* added = line_->conf_files.add();
      if (added == nullptr) return usage("too many -c; put the files together");
      *added = value;
      return exit_code::ok;
    }
    case Option::override_key: {
      string_view* added = line_->overrides.add();
      if (added == nullptr) return usage("too many -o; put them into a conf file");
      *added = value;
      return exit_code::ok;
    }
    case Option::help:
    case Option::version:
      if (!shows_text_) line_->task = row.option == Option::help ? Task::help : Task::version;
      shows_text_ = true;
      return exit_code::ok;
    case Option::as_user:
      if (value.empty()) return usage("--as needs a user's name");
      line_->as_user = value;
      return exit_code::ok;
    case Option::json: line_->json = true; return exit_code::ok;
    case Option::secrets: line_->secrets = true; return exit_code::ok;
    case Option::write: line_->write = true; return exit_code::ok;
    case Option::online: line_->online = true; return exit_code::ok;
  }
  return exit_code::internal;
}

int Parser::command(string_view argument) {
  if (has_command_ && task_ == Task::registry && !has_registry_task_) return registry_command(argument);
  if (has_command_ && task_ == Task::setup && !has_setup_domain_) return setup_argument(argument);
  if (has_registry_task_ && line_->file.empty() && !argument.empty()) {
    line_->file = argument;
    return exit_code::ok;
  }
  if (has_command_) {
    message_->text("unexpected argument ");
    write_quoted(*message_, argument);
    return usage("; see tocsin --help");
  }
  string_view nearest;
  unsigned distance = 3;
  for (const CommandRow& row : commands) {
    if (row.name == argument) {
      if (row.later) {
        message_->text(row.name).text(" is not available in this version");
        return exit_code::usage;
      }
      has_command_ = true;
      task_ = row.task;
      return exit_code::ok;
    }
    const unsigned d = edit_distance(argument, row.name);
    if (d < distance) distance = d, nearest = row.name;
  }
  message_->text("unknown command ");
  write_quoted(*message_, argument);
  if (nearest.empty()) return usage("; see tocsin --help");
  message_->text("; did you mean ").text(nearest).character('?');
  return exit_code::usage;
}

int Parser::registry_command(string_view argument) {
  string_view nearest;
  unsigned distance = 3;
  for (const RegistryRow& row : registry_commands) {
    if (row.name == argument) {
      has_registry_task_ = true;
      line_->registry_task = row.task;
      return exit_code::ok;
    }
    const unsigned d = edit_distance(argument, row.name);
    if (d < distance) distance = d, nearest = row.name;
  }
  message_->text("unknown command registry ");
  write_quoted(*message_, argument);
  if (nearest.empty()) return usage("; see tocsin registry --help");
  message_->text("; did you mean registry ").text(nearest).character('?');
  return exit_code::usage;
}

int Parser::setup_argument(string_view argument) {
  if (has_setup_kind_) {
    line_->setup_domain = argument;
    has_setup_domain_ = true;
    return exit_code::ok;
  }
  string_view nearest;
  unsigned distance = 3;
  for (const SetupRow& row : setup_kinds) {
    if (row.name == argument) {
      has_setup_kind_ = true;
      line_->setup_kind = row.kind;
      return exit_code::ok;
    }
    const unsigned d = edit_distance(argument, row.name);
    if (d < distance) distance = d, nearest = row.name;
  }
  message_->text("unknown kind of setup ");
  write_quoted(*message_, argument);
  if (nearest.empty()) return usage(": unifiedpush, webpush, apns or fcm; see tocsin setup --help");
  message_->text("; did you mean setup ").text(nearest).character('?');
  return exit_code::usage;
}

int Parser::finish_registry() {
  if (!has_registry_task_) return usage("registry needs verify, dump, compact or repair; see tocsin registry --help");
  if (line_->secrets && line_->registry_task != RegistryTask::dump) {
    return usage("--secrets goes with tocsin registry dump");
  }
  if (!line_->file.empty()) return exit_code::ok;
  return usage("registry needs a FILE, such as /var/lib/tocsin/devices.registry");
}

int Parser::finish_setup() {
  if (!has_setup_kind_) return usage("setup needs unifiedpush, webpush, apns or fcm; see tocsin setup --help");
  if (!has_setup_domain_) return usage("setup needs the DOMAIN of your XMPP accounts, such as example.org");
  if (line_->conf_files.count > 1) return usage("setup makes one conf; give -c once");
  if (line_->overrides.count > 0) return usage("-o does not go with tocsin setup; put it into the conf that it makes");
  return exit_code::ok;
}

int Parser::finish() {
  if (shows_text_) {
    line_->about = has_command_ ? task_ : Task::help;
    return exit_code::ok;
  }
  line_->task = task_;
  if (special_ != nullptr && special_->task != task_) {
    message_->text(special_->name).text(" goes with tocsin ");
    return usage(special_->task == Task::check   ? "check"
                 : special_->task == Task::plan  ? "plan"
                 : special_->task == Task::setup ? "setup"
                                                 : "registry dump");
  }
  return task_ == Task::registry ? finish_registry() : task_ == Task::setup ? finish_setup() : exit_code::ok;
}

}  // namespace

int parse_command_line(std::span<const char* const> args, const Environment& environment, CommandLine& line,
                       Writer& message) {
  Parser parser(args, line, message);
  const int code = parser.parse();
  if (line.conf_files.empty())
    *line.conf_files.add() = environment.conf.empty() ? string_view("/etc/tocsin/tocsin.conf") : environment.conf;
  return code;
}

}  // namespace tocsin
