#include "state_check.h"

#include "base/text.h"
#include "state.h"

namespace tocsin {

namespace {

constexpr string_view usual_directory = "/var/lib/tocsin";
using LongPath = FixedText<path_bytes_max + 32>;

string_view owner_of(const port::FileFacts& facts) { return facts.owner == 0 ? "root" : "another user"; }

class StateCheck {
 public:
  StateCheck(port::Storage& storage, const StateEyes& eyes, Faults& faults)
      : storage_(storage), eyes_(eyes), faults_(faults) {}

  // True when files may be made in it.
  bool directory(string_view name);
  bool file(string_view directory, string_view name, bool write);

 private:
  void missing(string_view name);

  port::Storage& storage_;
  const StateEyes& eyes_;
  Faults& faults_;
};

bool StateCheck::directory(string_view name) {
  LongPath path;
  GW_CHECK(path.assign(name));
  const Result<port::FileFacts> facts = storage_.facts(path.c_str());
  if (!facts.ok() && facts.error() == Error::not_found) {
    missing(name);
    return false;
  }
  if (facts.ok() && facts.value().directory && eyes_.may(path.c_str(), true)) return true;
  FaultLine line(faults_, {.file = name}, Weight::stop, exit_code::permission);
  if (!facts.ok()) {
    line.text("the state directory can not be looked at: ").text(describe(facts.error()));
  } else if (!facts.value().directory) {
    line.text("the state directory is a file");
  } else {
    line.text("the state directory belongs to ").text(owner_of(facts.value()));
    line.text(", and the service may not write there; mend it with: chown -R tocsin: ").command(name);
  }
  return false;
}

// Where the unit makes it there is nothing to say.
void StateCheck::missing(string_view name) {
  if (eyes_.systemd && name == usual_directory) return;
  LongPath parent;
  GW_CHECK(parent.assign(parent_directory(name)));
  if (eyes_.may(parent.c_str(), true)) return;
  FaultLine(faults_, {.file = name}, Weight::warning, exit_code::permission)
      .text(
          "the state directory is not there, and the service may not make it; make it with: install -d -o tocsin -g "
          "tocsin -m 0700 ")
      .command(name);
}

bool StateCheck::file(string_view directory, string_view name, bool write) {
  LongPath path;
  if (!path.assign(name)) return true;  // no file has such a name
  const Result<port::FileFacts> facts = storage_.facts(path.c_str());
  if (!facts.ok() || eyes_.may(path.c_str(), write)) return true;
  FaultLine(faults_, {.file = path.view()}, Weight::stop, exit_code::permission)
      .text("this file belongs to ")
      .text(owner_of(facts.value()))
      .text(", and the service may not ")
      .text(write ? "write" : "read")
      .text(" it (did a gateway run as root?); mend it with: chown -R tocsin: ")
      .command(directory);
  return false;
}

}  // namespace

void check_state(const Settings& settings, port::Storage& storage, const StateEyes& eyes, Faults& faults) {
  StateCheck check(storage, eyes, faults);
  const string_view home = settings.state.directory.view();
  const string_view registry = settings.registry.path.view();
  const string_view registry_home = parent_directory(registry);
  if (!check.directory(home)) return;
  if (registry_home != home && !check.directory(registry_home)) return;
  uint8_t room[path_bytes_max + 32];
  Writer name(room);
  // One is enough: the same command mends the others.
  name.text(registry).text(".lock");
  if (!check.file(registry_home, name.view(), true) || !check.file(registry_home, registry, true)) return;
  for (const string_view key : {"pseudonym.key", "endpoints.key"}) {
    name.rewind(0);
    name.text(home).text("/").text(key);
    if (!check.file(home, name.view(), false)) return;
  }
}

void write_state_advice(Writer& out, string_view directory, string_view file, Error error, port::Storage& storage) {
  if (error != Error::denied) return;
  for (const string_view name : {file, directory}) {
    LongPath path;
    if (!path.assign(name)) return;
    const Result<port::FileFacts> facts = storage.facts(path.c_str());
    if (!facts.ok() || facts.value().owner != 0) continue;
    out.text("; ").text(name == file ? "it" : "the directory").text(" belongs to root: chown -R tocsin: ");
    return write_argument(out, directory);
  }
}

}  // namespace tocsin
