#include "link/pair_files.h"

#include "base/text.h"

namespace tocsin {

namespace {

constexpr size_t name_bytes_max = 255;

void write_mode(Writer& out, uint32_t mode) {
  out.character('0');
  for (int shift = 6; shift >= 0; shift -= 3) out.character(static_cast<char>('0' + ((mode >> shift) & 7)));
}

void write_owner(Writer& out, uint32_t owner) {
  if (owner == 0) {
    out.text("root");
  } else {
    out.text("user ").unsigned_number(owner);
  }
}

Result<size_t> read_whole(const char* path, Bytes room, port::Storage& storage) {
  const Result<port::Handle> file = storage.open(path, port::OpenMode::read);
  if (!file.ok()) return file.error();
  const Result<size_t> got = storage.read_at(file.value(), 0, room);
  storage.shut(file.value());
  if (got.ok() && got.value() == room.size()) return Error::too_long;
  return got;
}

}  // namespace

void write_obstacle(Writer& out, const char* path, Error error, port::Storage& storage) {
  if (error == Error::not_found) {
    out.text("no such file");
    return;
  }
  out.text(describe(error));
  const string_view whole = path;
  if (error != Error::denied || whole.size() > name_bytes_max) return;
  // The last name that can be looked at: what is behind it is hidden by it, or it is the file itself.
  FixedText<name_bytes_max> last;
  port::FileFacts of_last;
  for (size_t end = 1; end <= whole.size(); ++end) {
    if (end < whole.size() && whole[end] != '/') continue;
    FixedText<name_bytes_max> part;
    GW_CHECK(part.assign(slice(whole, 0, end)));
    const Result<port::FileFacts> facts = storage.facts(part.c_str());
    if (!facts.ok()) break;
    last = part;
    of_last = facts.value();
  }
  if (last.empty()) return;
  out.text(": ").text(of_last.directory ? "directory " : "").text(last.view()).text(" is ");
  write_mode(out, of_last.mode);
  out.character(' ');
  write_owner(out, of_last.owner);
}

Status read_pair(const char* certificate, const char* key, Bytes room, port::Storage& storage, PairFiles& out,
                 Writer& problem) {
  GW_CHECK(room.size() >= listen_chain_bytes_max + listen_key_bytes_max + 2);
  const char* paths[] = {certificate, key};
  const size_t sizes[] = {listen_chain_bytes_max + 1, listen_key_bytes_max + 1};
  ByteView* into[] = {&out.chain, &out.key};
  for (int i = 0; i < 2; ++i) {
    const Result<size_t> got = read_whole(paths[i], room.first(sizes[i]), storage);
    if (!got.ok()) {
      problem.text("cannot read ").text(paths[i]).text(": ");
      write_obstacle(problem, paths[i], got.error(), storage);
      return got.error();
    }
    *into[i] = room.first(got.value());
    room = room.subspan(got.value());
  }
  return {};
}

}  // namespace tocsin
