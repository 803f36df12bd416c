#include "state.h"

#include "base/writer.h"
#include "state_check.h"

namespace tocsin {
namespace {

Status say(State& state, string_view what, string_view path, Error error) {
  uint8_t room[512];
  Writer problem(room);
  problem.text(what).text(" ").text(path).text(": ").text(describe(error));
  (void)state.problem.assign(problem.view());
  return error;
}

// The same, with what mends it where whoever ran before is the reason.
Status say_with_advice(State& state, string_view what, string_view directory, string_view path, Error error,
                       port::Storage& storage) {
  const Status said = say(state, what, path, error);
  uint8_t room[512];
  Writer problem(room);
  problem.text(state.problem.view());
  write_state_advice(problem, directory, path, error, storage);
  if (!problem.overflowed()) (void)state.problem.assign(problem.view());
  return said;
}

// Random bytes in a file of their own, 0600. Written to the side, synced and then put in place, so that a power cut
// never leaves half a key that would change every pseudonym, or every endpoint.
Status read_or_make_key(const char* directory, string_view file_name, Bytes key, port::Storage& storage,
                        RandomSource& random, State& state) {
  FixedText<path_bytes_max + 32> path;
  FixedText<path_bytes_max + 32> fresh_path;
  uint8_t room[path_bytes_max + 32];
  Writer name(room);
  name.text(directory).text("/").text(file_name);
  if (!path.assign(name.view())) return Error::too_long;
  name.text(".new");
  if (name.overflowed() || !fresh_path.assign(name.view())) return Error::too_long;

  const Result<port::Handle> file = storage.open(path.c_str(), port::OpenMode::read);
  if (file.ok()) {
    const Result<size_t> size = storage.read_at(file.value(), 0, key);
    storage.shut(file.value());
    if (!size.ok()) return say(state, "cannot read", path.view(), size.error());
    if (size.value() == key.size()) return {};
    return say(state, "the key file is too short; remove it and a new one is made:", path.view(), Error::damaged);
  }
  if (file.error() != Error::not_found)
    return say_with_advice(state, "cannot read", directory, path.view(), file.error(), storage);
  random.fill(key);
  (void)storage.remove(fresh_path.c_str()).ok();
  const Result<port::Handle> fresh = storage.open(fresh_path.c_str(), port::OpenMode::create);
  if (!fresh.ok()) return say_with_advice(state, "cannot create", directory, fresh_path.view(), fresh.error(), storage);
  Status stored = storage.write_at(fresh.value(), 0, key);
  if (stored.ok()) stored = storage.sync_now(fresh.value());
  storage.shut(fresh.value());
  if (stored.ok()) stored = storage.replace(fresh_path.c_str(), path.c_str());
  if (stored.ok()) stored = storage.sync_directory(directory);
  return stored.ok() ? stored : say(state, "cannot write", path.view(), stored.error());
}

}  // namespace

string_view parent_directory(string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  return slash == string_view::npos ? string_view(".") : slash == 0 ? string_view("/") : slice(path, 0, slash);
}

Status open_state(const Settings& settings, port::Storage& storage, RandomSource& random, State& state) {
  const Path& directory = settings.state.directory;
  // A new directory is durable only when its parent was synced: without that a power cut takes the registry as well.
  // Whoever made one that is there may have been killed before; we may not be allowed to read the parent, though.
  const bool fresh = !storage.facts(directory.c_str()).ok();
  Status made = storage.make_directory(directory.c_str());
  FixedText<path_bytes_max> parent;
  GW_CHECK(parent.assign(parent_directory(directory.view())));
  const Status named = made.ok() ? storage.sync_directory(parent.c_str()) : made;
  if (fresh) made = named;
  if (!made.ok()) {
    const Status said = say(state, "cannot create the state directory", directory.view(), made.error());
    uint8_t advice_room[512];
    Writer advice(advice_room);
    advice.text(state.problem.view()).text("; make it with: install -d -o tocsin -g tocsin -m 0700 ");
    write_argument(advice, directory.view());
    if (made.error() == Error::denied && !advice.overflowed()) (void)state.problem.assign(advice.view());
    return said;
  }
  const string_view path = settings.registry.path.view();
  GW_CHECK(state.registry_directory.assign(parent_directory(path)));
  uint8_t room[path_bytes_max + 8];
  Writer lock(room);
  lock.text(path).text(".lock");
  GW_CHECK(!lock.overflowed() && state.lock_path.assign(lock.view()));
  const Result<port::Handle> held = storage.lock(state.lock_path.c_str(), &state.holder);
  if (!held.ok()) {
    if (held.error() != Error::busy) {
      return say_with_advice(state, "cannot lock", state.registry_directory.view(), state.lock_path.view(),
                             held.error(), storage);
    }
    uint8_t sentence_room[512];
    Writer sentence(sentence_room);
    sentence.text("the registry ").text(path).text(" is held by process ").number(state.holder);
    sentence.text("; only one gateway may use it");
    (void)state.problem.assign(sentence.view());
    return Error::busy;
  }
  state.lock = held.value();
  const Status named_devices =
      read_or_make_key(directory.c_str(), "pseudonym.key", state.key.bytes, storage, random, state);
  if (!named_devices.ok() || !settings.unified_push.offered) return named_devices;
  return read_or_make_key(directory.c_str(), "endpoints.key", state.endpoint_key.bytes, storage, random, state);
}

}  // namespace tocsin
