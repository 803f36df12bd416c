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
    {"vapid-key", false, Task::vapid_key},
    // Reserved.
    {"setup"},
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

enum class Option : uint8_t { conf, override_key, help, version, as_user, json, online, secrets };

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
  int finish();
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
    case Option::online: line_->online = true; return exit_code::ok;
  }
  return exit_code::internal;
}

int Parser::command(string_view argument) {
  if (has_command_ && task_ == Task::registry && !has_registry_task_) return registry_command(argument);
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

int Parser::finish() {
  if (shows_text_) {
    line_->about = has_command_ ? task_ : Task::help;
    return exit_code::ok;
  }
  line_->task = task_;
  if (special_ != nullptr && special_->task != task_) {
    message_->text(special_->name).text(" goes with tocsin ");
    return usage(special_->task == Task::check ? "check" : special_->task == Task::plan ? "plan" : "registry dump");
  }
  if (task_ != Task::registry) return exit_code::ok;
  if (!has_registry_task_) return usage("registry needs verify, dump, compact or repair; see tocsin registry --help");
  if (line_->secrets && line_->registry_task != RegistryTask::dump) {
    return usage("--secrets goes with tocsin registry dump");
  }
  if (!line_->file.empty()) return exit_code::ok;
  return usage("registry needs a FILE, such as /var/lib/tocsin/devices.registry");
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

string_view help_text(Task about) {
  if (about == Task::registry) {
    return R"(tocsin registry: looks at a registry file, and mends it, without a gateway

usage: tocsin registry verify FILE
       tocsin registry dump [--secrets] FILE
       tocsin registry compact FILE
       tocsin registry repair FILE

  verify    reads everything; one line of numbers, or where it is damaged
  dump      one line for each device, then one for each that ended and why;
            --secrets shows whole nodes, tokens and secrets as well
  compact   leaves out what is dead; the gateway does this by itself as well
  repair    writes FILE.repaired with everything that is intact in FILE, and
            tells what is lost; FILE stays as it is

verify and dump may run beside a gateway; compact and repair want it stopped,
and as root act as the owner of FILE. FILE is mostly
/var/lib/tocsin/devices.registry.

exit codes: 0 ok, 64 command line, 65 damaged (repair: something is lost),
  66 no such file, 69 held by a gateway, 71 no memory, 73 cannot create,
  74 input or output, 77 permission
)";
  }
  return R"(tocsin: an XMPP push gateway beside Prosody or ejabberd

usage: tocsin [-c FILE]... [-o SECTION.KEY=VALUE]... [COMMAND] [ARGUMENTS]

commands:
  run                 the gateway, in the foreground (default)
  check [--as USER] [--online]
                      reads the conf and the files it names; prints every fault;
                      --online asks each provider too, with one harmless request
  plan [--json]       prints the memory that start-up reserves, and why
  registry verify|dump|compact|repair FILE
                      looks at a registry file, and mends it; see
                      tocsin registry --help
  vapid-key           prints the public key that Web Push clients subscribe with

options:
  -c FILE             conf file; may repeat, but a key stands only once
                      (default: $TOCSIN_CONF, else /etc/tocsin/tocsin.conf)
  -o SECTION.KEY=VALUE
                      overrides the conf, for example -o log.level=debug or
                      -o apns/siskin.environment=sandbox; not for secrets;
                      relative paths start in the working directory
  --help, --version

exit codes: 0 ok, 64 command line, 65 registry damaged, 66 file missing,
  69 unavailable, 75 trouble that passes, 77 permission, 78 conf
)";
}

}  // namespace tocsin
