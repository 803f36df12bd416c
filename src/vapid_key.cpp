#include "vapid_key.h"

#include "base/check.h"
#include "base/writer.h"
#include "crypto/crypto.h"
#include "settings/faults.h"

namespace tocsin {
namespace {

constexpr size_t pem_bytes_max = 8 * 1024;
using FilePath = FixedText<path_bytes_max + 16>;

// What stands around the 32 bytes of the secret and the 65 of the point in PKCS#8 (RFC 5208, RFC 5915), with the
// names of EC keys and of this curve.
constexpr uint8_t before_secret[] = {0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86,
                                     0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D,
                                     0x03, 0x01, 0x07, 0x04, 0x6D, 0x30, 0x6B, 0x02, 0x01, 0x01, 0x04, 0x20};
constexpr uint8_t before_point[] = {0xA1, 0x44, 0x03, 0x42, 0x00};
constexpr size_t line_bytes = 48;  // 64 characters, as PEM has them (RFC 7468 §3)

FilePath with_suffix(string_view path, string_view suffix) {
  uint8_t room[path_bytes_max + 16];
  Writer name(room);
  name.text(path).text(suffix);
  FilePath result;
  GW_CHECK(!name.overflowed() && result.assign(name.view()));
  return result;
}

Status say(VapidKeyFile& file, Error error, string_view sentence) {
  (void)file.problem.assign(sentence);
  return error;
}

Status say_error(VapidKeyFile& file, string_view what, string_view path, Error error) {
  uint8_t room[path_bytes_max + 128];
  Writer sentence(room);
  return say(file, error, sentence.text(what).text(path).text(": ").text(describe(error)).view());
}

void write_devices(Writer& out, uint32_t devices) {
  out.unsigned_number(devices).text(devices == 1 ? " Web Push device depends" : " Web Push devices depend");
}

// The command that makes a key on purpose, and takes away what speaks for another one.
void write_new_key(Writer& out, string_view path, bool has_public) {
  out.text("openssl ecparam -name prime256v1 -genkey -noout -out ");
  write_argument(out, path);
  if (!has_public) return;
  out.text(" && rm ");
  const FilePath name = with_suffix(path, ".pub");
  write_argument(out, name.view());
}

// The key is not there, but what depends on it, or may do so, is.
Status say_gone(VapidKeyFile& file, string_view path, uint32_t devices, bool has_public) {
  uint8_t room[900];
  Writer out(room);
  out.text("the VAPID key is gone");
  if (devices == 0) {
    out.text(
        ", and its .pub file says that there was one: restore it from the backup. To begin anew (browsers that "
        "subscribed with it must do so again): rm ");
    write_argument(out, with_suffix(path, ".pub").view());
    return say(file, Error::damaged, out.view());
  }
  write_devices(out.text(", and "), devices);
  out.text(
      " on it: restore it from the backup. To begin anew (each must subscribe again), as the gateway's "
      "user: ");
  write_new_key(out, path, has_public);
  return say(file, Error::damaged, out.view());
}

Status say_unusable(VapidKeyFile& file, string_view path, uint32_t devices, bool has_public, string_view why) {
  uint8_t room[900];
  Writer out(room);
  out.text("this is no VAPID key: ").text(why);
  if (devices > 0) {
    write_devices(out.text("; "), devices);
    out.text(" on the one that was here: restore it from the backup");
  } else {
    out.text("; needed is a private key of EC P-256 in PEM. To make one, as the gateway's user: ");
    write_new_key(out, path, has_public);
  }
  return say(file, Error::damaged, out.view());
}

Status say_other(VapidKeyFile& file, string_view path, uint32_t devices) {
  uint8_t room[900];
  Writer out(room);
  out.text("this is another VAPID key than the .pub file beside it says");
  if (devices > 0) write_devices(out.text(", and "), devices);
  out.text(devices > 0 ? " on that one" : "");
  out.text(
      ": restore the key from the backup. To begin anew with this one (whoever subscribed with the other must do "
      "so again): rm ");
  write_argument(out, with_suffix(path, ".pub").view());
  return say(file, Error::damaged, out.view());
}

Result<ByteView> read_file(const char* path, port::Storage& storage, Bytes room) {
  const Result<port::Handle> opened = storage.open(path, port::OpenMode::read);
  if (!opened.ok()) return opened.error();
  const Result<size_t> size = storage.read_at(opened.value(), 0, room);
  storage.shut(opened.value());
  if (!size.ok()) return size.error();
  return ByteView(room.first(size.value()));
}

// To the side, synced, then put in place: a power cut leaves the whole file or none.
Status write_file(const char* path, ByteView bytes, port::Storage& storage) {
  const FilePath fresh = with_suffix(path, ".new");
  (void)storage.remove(fresh.c_str()).ok();
  const Result<port::Handle> file = storage.open(fresh.c_str(), port::OpenMode::create);
  if (!file.ok()) return file.error();
  Status stored = storage.write_at(file.value(), 0, bytes);
  if (stored.ok()) stored = storage.sync_now(file.value());
  storage.shut(file.value());
  if (stored.ok()) stored = storage.replace(fresh.c_str(), path);
  if (!stored.ok()) return stored;
  const string_view name = path;
  const size_t slash = name.rfind('/');
  FilePath directory;
  GW_CHECK(directory.assign(slash == string_view::npos ? "." : slash == 0 ? "/" : slice(name, 0, slash)));
  return storage.sync_directory(directory.c_str());
}

void write_pem(Writer& out, const P256Pair& pair) {
  uint8_t der[sizeof before_secret + 32 + sizeof before_point + 65];
  Writer bytes(der);
  bytes.bytes(before_secret).bytes(pair.secret).bytes(before_point).bytes(pair.point);
  GW_CHECK(bytes.size() == sizeof der);
  out.text("-----BEGIN PRIVATE KEY-----\n");
  for (ByteView rest = der; !rest.empty();) {
    const ByteView line = rest.first(rest.size() < line_bytes ? rest.size() : line_bytes);
    out.base64(line).character('\n');
    rest = rest.subspan(line.size());
  }
  out.text("-----END PRIVATE KEY-----\n");
  wipe(der);
}

void write_text(VapidKeyFile& file) {
  uint8_t room[87];
  Writer text(room);
  text.base64url(file.pair.point);
  GW_CHECK(file.text.assign(text.view()));
}

Status write_public(const char* path, port::Storage& storage, VapidKeyFile& file) {
  const FilePath name = with_suffix(path, ".pub");
  uint8_t room[88];
  Writer line(room);
  line.text(file.text.view()).character('\n');
  const Status written = write_file(name.c_str(), line.written(), storage);
  return written.ok() ? written : say_error(file, "cannot write ", name.view(), written.error());
}

// Reads the key; known: whether FILE.pub was there, and said the same.
Status read(const char* path, port::Storage& storage, Heap& heap, RandomSource& random, uint32_t devices,
            VapidKeyFile& file, bool& known) {
  known = false;
  const FilePath public_name = with_suffix(path, ".pub");
  uint8_t public_room[128];
  const Result<ByteView> half = read_file(public_name.c_str(), storage, public_room);
  if (!half.ok() && half.error() != Error::not_found) {
    return say_error(file, "cannot read ", public_name.view(), half.error());
  }
  uint8_t room[pem_bytes_max];
  const Result<ByteView> pem = read_file(path, storage, room);
  if (!pem.ok()) {
    if (pem.error() != Error::not_found) return say_error(file, "cannot read ", path, pem.error());
    if (half.ok() || devices > 0) return say_gone(file, path, devices, half.ok());
    return say(file, Error::not_found, "there is no VAPID key yet: start the gateway once, which makes it");
  }
  {
    Es256Key key;
    const Status loaded = key.load(pem.value(), heap, random);
    wipe(room);
    if (!loaded.ok()) {
      const Status said = say_unusable(file, path, devices, half.ok(), key.problem());
      return loaded.error() == Error::exhausted ? Status(Error::exhausted) : said;
    }
    key.secret(file.pair.secret);
    key.public_point(file.pair.point);
  }
  write_text(file);
  if (!half.ok()) return {};
  known = true;
  if (trim(text_of(half.value())) == file.text.view()) return {};
  wipe(file.pair.secret);
  return say_other(file, path, devices);
}

}  // namespace

Status read_vapid_key(const char* path, port::Storage& storage, Heap& heap, RandomSource& random, uint32_t devices,
                      VapidKeyFile& file) {
  bool known = false;
  return read(path, storage, heap, random, devices, file, known);
}

Status open_vapid_key(const char* path, port::Storage& storage, P256& curve, Heap& heap, RandomSource& random,
                      uint32_t devices, VapidKeyFile& file) {
  bool known = false;
  const Status found = read(path, storage, heap, random, devices, file, known);
  if (found.ok()) {
    // A key without its public half: brought along, or a power cut came between the two files. One that stands where
    // we may not write is none the worse: the registry still tells when it is exchanged.
    if (!known && !write_public(path, storage, file).ok()) file.problem.clear();
    return {};
  }
  if (found.error() != Error::not_found) return found;

  file.problem.clear();
  if (const Status made = curve.make_pair(random, file.pair); !made.ok()) {
    return say_error(file, "cannot make the VAPID key ", path, made.error());
  }
  uint8_t room[300];
  Writer pem(room);
  write_pem(pem, file.pair);
  GW_CHECK(!pem.overflowed());
  const Status written = write_file(path, pem.written(), storage);
  wipe(room);
  if (!written.ok()) return say_error(file, "cannot write the VAPID key ", path, written.error());
  file.made = true;
  write_text(file);
  return write_public(path, storage, file);
}

}  // namespace tocsin
