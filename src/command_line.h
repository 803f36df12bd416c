// tocsin [-c FILE]… [-o section.key=value]… [COMMAND] [ARGUMENTS] -> a struct. Pure.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/writer.h"
#include "settings/origins.h"
#include "settings/settings.h"

namespace tocsin {

enum class Task : uint8_t { run, check, plan, registry, setup, vapid_key, help, version };
enum class RegistryTask : uint8_t { verify, dump, compact, repair };
enum class SetupKind : uint8_t { unifiedpush, webpush, apns, fcm };

// All views point into the arguments or the environment.
struct CommandLine {
  Task task = Task::run;
  FixedList<string_view, conf_files_max> conf_files;  // never empty after parsing
  FixedList<string_view, overrides_max> overrides;
  bool online = false;  // check: ask the providers too
  string_view as_user;  // check --as USER; empty: as who we are
  bool json = false;    // plan --json
  RegistryTask registry_task = RegistryTask::verify;
  string_view file;      // of registry
  bool secrets = false;  // registry dump --secrets
  SetupKind setup_kind = SetupKind::unifiedpush;
  string_view setup_domain;  // as it was typed
  bool write = false;        // setup --write
  Task about = Task::help;   // of --help: the command that it stands with; Task::help is the whole program
};

// args is without the program's name. Answers an exit code: exit_code::ok, or
// exit_code::usage with one sentence in message (no "tocsin: " in front, no newline).
// Options may stand before or behind the command; -- ends them.
int parse_command_line(std::span<const char* const> args, const Environment& environment, CommandLine& line,
                       Writer& message);

string_view help_text(Task about = Task::help);

}  // namespace tocsin
