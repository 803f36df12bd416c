// tocsin: the subcommands. Everything that is worth testing lives elsewhere;
// this file joins the parts on the posix port.
#include <cstdlib>

#include "command_line.h"
#include "load.h"
#include "mem/heap_default.h"
#include "memory_plan.h"
#include "online_check.h"
#include "port/posix/become.h"
#include "port/posix/port_posix.h"
#include "port/posix/reserve.h"
#include "proto/json.h"
#include "registry_command.h"
#include "service_accounts.h"
#include "setup_command.h"
#include "show.h"
#include "state.h"
#include "state_check.h"
#include "vapid_key.h"
#include "vapid_report.h"
#include "version.h"
#include "wiring.h"

namespace tocsin {

const size_t heap_gate_default_bytes = process_heap_bytes;
static_assert(resolver_heap_bytes == posix::Resolver::heap_bytes);

namespace {

string_view environment_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? string_view() : string_view(value);
}

int fail(posix::PosixConsole& console, int code, string_view sentence) {
  (void)console.err("tocsin: ").ok();
  (void)console.err(sentence).ok();
  (void)console.err("\n").ok();
  return code;
}

// Everything of one run of the program; too large for the stack.
struct Program {
  Settings settings;
  LoadedFiles files;
  Faults faults;
  Plan plan;
  State state;
};

posix::ConsoleSettings console_settings(const LogSettings& log) {
  using To = posix::ConsoleSettings::To;
  using Times = posix::ConsoleSettings::Timestamps;
  posix::ConsoleSettings console;
  switch (log.to.kind) {
    case LogTarget::Kind::standard_error: console.to = To::standard_error; break;
    case LogTarget::Kind::syslog: console.to = To::syslog; break;
    case LogTarget::Kind::file:
      console.to = To::file;
      console.path = log.to.path.view();
      break;
  }
  switch (log.timestamps) {
    case Timestamps::automatic: console.timestamps = Times::automatic; break;
    case Timestamps::yes: console.timestamps = Times::yes; break;
    case Timestamps::no: console.timestamps = Times::no; break;
  }
  return console;
}

// Keys and roots of every section; what is wrong turns that section off and is one more fault.
uint32_t arm_sections(Wiring& wiring, Loader& loader, Program& program) {
  uint32_t armed = 0;
  for (uint32_t i = 0; i < wiring.section_count(); ++i) {
    if (program.files.sections[i].off) continue;
    const char* culprit = "";
    const char* problem = "";
    if (wiring.arm(i, program.files, &culprit, &problem)) {
      ++armed;
      if (!wiring.certificate_remark(i).empty()) loader.warn(i, "certificate", wiring.certificate_remark(i));
    } else {
      loader.turn_off(program.files, i, culprit, problem);
    }
  }
  return armed;
}

int exit_code_of(Error error) {
  switch (error) {
    case Error::busy: return exit_code::unavailable;
    case Error::denied: return exit_code::permission;
    case Error::damaged:
    case Error::unsupported:
    case Error::malformed: return exit_code::damaged;
    case Error::not_found:
    case Error::no_space:
    case Error::read_only:
    case Error::exists: return exit_code::cannot_create;
    case Error::exhausted: return exit_code::conf;
    default: return exit_code::io;
  }
}

int open_registry(Wiring& wiring, Program& program, posix::PosixPort& posix, Log& log) {
  const Path& path = program.settings.registry.path;
  const Status opened = wiring.open_registry(path.c_str(), program.state.registry_directory.c_str());
  const Registry& registry = wiring.registry();
  uint8_t room[1024];
  Writer sentence(room);
  if (opened.ok()) {
    if (registry.cut_bytes() > 0) {
      LogLine(log, Level::warn, "registry_tail_cut").field("bytes", static_cast<int64_t>(registry.cut_bytes()));
    }
    return exit_code::ok;
  }
  if (opened.error() == Error::damaged) {
    write_damage(sentence, path.view(), registry.damage_offset(), registry.problem());
    LogLine(log, Level::error, "registry_damaged").field("offset", static_cast<int64_t>(registry.damage_offset()));
  } else if (registry.problem()[0] != '\0') {
    sentence.text(path.view()).text(": ").text(registry.problem());
  } else {
    sentence.text(path.view()).text(": cannot open the registry: ").text(describe(opened.error()));
    write_state_advice(sentence, program.state.registry_directory.view(), path.view(), opened.error(), posix.storage());
  }
  return fail(posix.console(), exit_code_of(opened.error()), sentence.view());
}

// The certificate of [listen]; a pair that can not be used at all stops the gateway.
void arm_listener(Wiring& wiring, Loader& loader, const LoadedFiles& files) {
  const char* culprit = "";
  const char* problem = "";
  const char* fault = nullptr;
  if (!wiring.arm_listener(files, &culprit, &problem, &fault)) {
    loader.fault_of_listen(culprit, Weight::stop, problem);
  } else if (fault != nullptr) {
    loader.fault_of_listen(culprit, Weight::provider_off, fault);
  }
}

int exit_code_of_listening(Error error) {
  switch (error) {
    case Error::busy: return exit_code::unavailable;
    case Error::denied: return exit_code::permission;
    case Error::not_found: return exit_code::cannot_create;
    default: return exit_code::unavailable;
  }
}

int run(Wiring& wiring, Loader& loader, Program& program, posix::PosixPort& posix, Log& log) {
  // The lock is taken before anything else is touched, so that a second gateway typed by accident disturbs nothing.
  if (const Status state = open_state(program.settings, posix.storage(), posix.port().entropy, program.state);
      !state.ok()) {
    return fail(posix.console(), exit_code_of(state.error()), program.state.problem.view());
  }
  wiring.set_key(program.state.key);
  wiring.set_endpoint_key(program.state.endpoint_key);
  if (const int code = open_registry(wiring, program, posix, log); code != exit_code::ok) return code;
  const uint32_t shown = program.faults.count();
  start_web_push(wiring, loader, program.files, log);
  const uint32_t armed = arm_sections(wiring, loader, program);
  show_faults(program.faults, posix.console(), shown);
  uint8_t problem_room[512];
  Writer problem(problem_room);
  if (const Status opened = wiring.open_listeners(problem); !opened.ok())
    return fail(posix.console(), exit_code_of_listening(opened.error()), problem.view());
  posix.signals().catch_all();
  LogLine(log, Level::info, "ready")
      .field("version", TOCSIN_VERSION)
      .field("domain", program.settings.xmpp.domain.view())
      .field("providers", int64_t{armed})
      .field("devices", int64_t{wiring.registry().count()});
  if (!program.settings.apns.empty() && !program.settings.listen.on)
    LogLine(log, Level::warn, "no_listener")
        .sentence("check", "without [listen] Siskin and Snikket can not remove an account whose server is gone");
  for (uint32_t i = 0; i < wiring.section_count(); ++i) {
    if (!wiring.section(i).off) continue;
    LogLine(log, Level::error, "provider_off")
        .field("provider", wiring.section(i).name)
        .sentence("check", "its publishes get `wait` until its key works; tocsin check says what is wrong");
  }
  posix.console().gather();
  Loop& loop = wiring.loop();
  while (!loop.stopped()) {
    loop.turn();
    const posix::Signals::Arrived arrived = posix.signals().take();
    if (arrived.reopen) {
      posix.console().reopen();
      wiring.look_at_certificate();
    }
    if (arrived.stop) loop.stop();
  }
  return exit_code::ok;
}

// A line for each provider. conf_code: what the conf alone is worth; it stays when it is bad.
int ask_providers(Wiring& wiring, OnlineCheck& probes, const Program& program, posix::PosixConsole& console,
                  int conf_code) {
  probes.run(wiring, program.settings, program.files);
  for (uint32_t i = 0; i < wiring.section_count(); ++i) {
    uint8_t room[1000];
    Writer line(room);
    line.text(wiring.section(i).name).text(": ").text(probes.finding(i).text.view()).text("\n");
    (void)console.out(line.view()).ok();
  }
  return conf_code != exit_code::ok ? conf_code : probes.code();
}

class ConsoleScreen final : public Screen {
 public:
  explicit ConsoleScreen(posix::PosixConsole& console) : console_(console) {}
  Status out(string_view text) override { return console_.out(text); }
  Status err(string_view text) override { return console_.err(text); }
  bool err_is_terminal() override { return console_.err_is_terminal(); }

 private:
  posix::PosixConsole& console_;
};

int start_registry_command(const CommandLine& line, posix::PosixPort& posix) {
  const bool writes = line.registry_task == RegistryTask::repair || line.registry_task == RegistryTask::compact;
  Path path;
  // Else root's files would stand where the gateway's belong.
  if (writes && path.assign(line.file)) {
    if (const char* problem = posix::become_owner_of(path.c_str()))
      return fail(posix.console(), exit_code::permission, problem);
  }
  ConsoleScreen screen(posix.console());
  return run_registry_command(line, {.storage = posix.storage(),
                                     .clock = posix.port().clock,
                                     .random = posix.port().entropy,
                                     .screen = screen,
                                     .reserve = posix::reserve_memory});
}

int start_setup_command(const CommandLine& line, posix::PosixPort& posix) {
  ConsoleScreen screen(posix.console());
  return run_setup_command(line, {.storage = posix.storage(), .random = posix.port().entropy, .screen = screen});
}

// Reads only: what root made here would not be the service's.
int print_vapid_key(const Settings& settings, posix::PosixPort& posix) {
  uint8_t room[path_bytes_max + 16];
  Writer name(room);
  if (settings.webpush.empty()) {
    name.text(settings.state.directory.view()).character('/').text(vapid_key_name).character('\0');
  } else {
    name.text(settings.webpush[0].vapid_key.view()).character('\0');
  }
  if (name.overflowed()) return fail(posix.console(), exit_code::conf, "[state] directory is too long");
  Heap heap(posix::reserve_memory(vapid_key_heap_bytes), "vapid key");
  VapidKeyFile file;
  // Not its devices: whoever asks wants the key.
  const Status read = read_vapid_key(name.view().data(), posix.storage(), heap, posix.port().entropy, 0, file);
  wipe(file.pair.secret);
  if (!read.ok()) {
    const bool missing = read.error() == Error::not_found;
    uint8_t sentence_room[path_bytes_max + 1000];
    Writer sentence(sentence_room);
    write_path(sentence, slice(name.view(), 0, name.size() - 1));
    sentence.text(": ").text(file.problem.view());
    return fail(posix.console(), missing ? exit_code::missing : exit_code_of(read.error()), sentence.view());
  }
  const bool printed = posix.console().out(file.text.view()).ok() && posix.console().out("\n").ok();
  return printed ? exit_code::ok : exit_code::io;
}

int start(const CommandLine& line, Program& program, posix::PosixPort& posix, Heap& library_heap) {
  const Environment environment{.conf = environment_variable("TOCSIN_CONF"),
                                .state_directory = environment_variable("STATE_DIRECTORY"),
                                .credentials_directory = environment_variable("CREDENTIALS_DIRECTORY")};
  if (!line.as_user.empty()) {
    if (const char* problem = posix::become(line.as_user)) return fail(posix.console(), exit_code::permission, problem);
  }
  Arena room(posix::reserve_memory(load_room_bytes));
  Loader loader(posix.storage(), environment, program.settings, program.faults);
  loader.load(line, room, program.files);
  if (program.faults.run_exit_code() != exit_code::ok) {
    show_faults(program.faults, posix.console());
    return program.faults.run_exit_code();
  }
  plan_memory(program.settings, program.files, program.plan);
  if (line.task == Task::plan) {
    show_plan(program.plan, line.json, posix.console());
    return exit_code::ok;
  }
  uint8_t seed[4];
  posix.port().entropy.fill(seed);
  json_start(get_u32(seed));
  if (!crypto_start(library_heap).ok())
    return fail(posix.console(), exit_code::system, "the crypto library could not be started");
  if (line.task == Task::vapid_key) return print_vapid_key(program.settings, posix);
  if (!posix.console()
           .configure(console_settings(line.task == Task::run ? program.settings.log : LogSettings{}))
           .ok()) {
    return fail(posix.console(), exit_code::cannot_create, "the log of [log] to can not be opened");
  }
  const bool online = line.task == Task::check && line.online;
  Log log(posix.console(), line.task == Task::check ? Level::error : program.settings.log.level);
  const Bytes memory = posix::reserve_memory(program.plan.region_total());
  if (memory.empty())
    return fail(posix.console(), exit_code::system, "the system has no memory for the plan; see: tocsin plan");
  Region region(memory);
  std::optional<OnlineCheck> probes;
  if (online) {
    Region apart(posix::reserve_memory(OnlineCheck::bytes_for(program.settings.section_count())));
    probes.emplace(apart, program.settings.section_count(), posix.port());
  }
  Wiring& wiring = *new (region.carve(sizeof(Wiring)).data()) Wiring(region, {.settings = program.settings,
                                                                              .files = program.files,
                                                                              .port = posix.port(),
                                                                              .log = log,
                                                                              .version = TOCSIN_VERSION,
                                                                              .source = online ? &*probes : nullptr});
  GW_CHECK(region.used() == program.plan.region_total());
  int code = exit_code::ok;
  if (line.task == Task::check) {
    check_web_push(wiring, program.settings, loader, program.files, posix.storage(), posix::reserve_memory);
    arm_sections(wiring, loader, program);
    arm_listener(wiring, loader, program.files);
    loader.warn_of_what_is_missing();
    warn_of_shared_projects(wiring, loader, program.settings, program.files);
    if (!line.as_user.empty()) {
      const bool systemd = posix.storage().facts("/run/systemd/system").ok();  // as sd_booted(3)
      check_state(program.settings, posix.storage(), {.may = posix::may, .systemd = systemd}, program.faults);
    }
    show_faults(program.faults, posix.console());
    code = program.faults.check_exit_code();
    if (online) code = ask_providers(wiring, *probes, program, posix.console(), code);
    if (code == exit_code::ok) {
      (void)posix.console().out("the conf is good\n").ok();
      // Behind the verdict, which it is about; what was found to be wrong comes first.
      if (posix::is_root())
        (void)posix.console().err("tocsin: checked as root; the service may see less: add --as USER\n").ok();
    }
  } else {
    arm_listener(wiring, loader, program.files);
    show_faults(program.faults, posix.console());
    code = program.faults.run_exit_code();
    if (code == exit_code::ok) code = run(wiring, loader, program, posix, log);
  }
  wiring.~Wiring();
  return code;
}

alignas(Program) uint8_t program_room[sizeof(Program)];

}  // namespace
}  // namespace tocsin

int main(int count, char** arguments) {
  using namespace tocsin;
  const HeapSizes sizes = heap_sizes(Settings{});
  Heap resolver_heap(posix::reserve_memory(sizes.resolver), "resolver");
  Heap library_heap(posix::reserve_memory(sizes.library), "library");
  posix::PosixPort posix(resolver_heap, {});
  CommandLine line;
  uint8_t message_room[512];
  Writer message(message_room);
  const Environment environment{
      .conf = environment_variable("TOCSIN_CONF"), .state_directory = {}, .credentials_directory = {}};
  const int parsed =
      parse_command_line({arguments + 1, static_cast<size_t>(count > 0 ? count - 1 : 0)}, environment, line, message);
  if (parsed != exit_code::ok) return fail(posix.console(), parsed, message.view());
  if (line.task == Task::help) return posix.console().out(help_text(line.about)).ok() ? 0 : exit_code::io;
  if (line.task == Task::version) {
    (void)posix.console().out("tocsin " TOCSIN_VERSION " (").ok();
    (void)posix.console().out(crypto_library()).ok();
    return posix.console().out(")\n").ok() ? 0 : exit_code::io;
  }
  if (line.task == Task::registry) return start_registry_command(line, posix);
  if (line.task == Task::setup) return start_setup_command(line, posix);
  return start(line, *new (program_room) Program, posix, library_heap);
}
