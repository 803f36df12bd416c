// What our translators say, for programs of others to read: test/peers/compare.py. One request a line on standard
// input, its words apart by tabs; one JSON object a line comes back, {"error":…} where it was refused.
//   seal   CURVE SEED KEYS PLAIN                     a message; bytes in hex, KEYS are p256dh and auth
//   push   CURVE SEED ENDPOINT KEYS ACCOUNT BODY     a whole request, as WebPush::map makes it
//   vapid  CURVE SECRET ORIGIN CONTACT WALL          the header authorization for a push service
//   apns   FILE KEY_ID TEAM_ID WALL                  the same for Apple; FILE is a .p8
//   fcm    FILE WALL                                 the request for an access token; FILE is a service account
// CURVE is nettle or mbedtls; of SEED comes all chance, so that both must say the same; WALL is a Unix time.
#include <cstdio>
#include <cstring>
#include <new>

#include "base/encode.h"
#include "base/text.h"
#include "mem/heap_default.h"
#include "push/apns_token.h"
#include "push/fcm_token.h"
#include "push/vapid.h"
#include "push/web_push.h"

const tocsin::size_t tocsin::heap_gate_default_bytes = size_t{16} << 20;

using namespace tocsin;

namespace {

constexpr size_t words_max = 8;
constexpr size_t line_bytes_max = 16 * 1024;
constexpr size_t file_bytes_max = 16 * 1024;
constexpr UnixTime earliest{1'700'000'000};

class Numbers final : public RandomSource {  // splitmix64
 public:
  explicit Numbers(uint64_t seed) : state_(seed) {}
  void fill(Bytes room) override {
    for (uint8_t& byte : room) {
      uint64_t z = state_ += 0x9E3779B97F4A7C15u;
      z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
      byte = static_cast<uint8_t>(z ^ (z >> 31));
    }
  }

 private:
  uint64_t state_;
};

class Speaker {
 public:
  bool start();
  // False: nobody understands the line.
  bool answer(string_view line, Writer& out);

 private:
  Status say(Writer& out);
  Status say_sealed(Writer& out);
  Status say_push(Writer& out);
  Status say_vapid(Writer& out);
  Status say_apns(Writer& out);
  Status say_fcm(Writer& out);
  string_view word(size_t i) const { return i < count_ ? words_[i] : string_view(); }
  P256* curve();
  uint64_t number(size_t i) const { return parse_number(word(i)).ok() ? parse_number(word(i)).value() : 0; }
  UnixTime wall(size_t i) const { return UnixTime{static_cast<int64_t>(number(i))}; }
  ByteView keys(size_t i) { return decode_hex(word(i), keys_).ok() ? ByteView(keys_) : ByteView(); }
  Status read_file(string_view name, string_view& text);

  string_view words_[words_max];
  size_t count_ = 0;
  alignas(64) uint8_t long_room_[64 * 1024], own_room_[16 * 1024], other_room_[16 * 1024], work_room_[64 * 1024],
      json_room_[128 * 1024];
  Heap long_lived_{Bytes(long_room_), "long"};
  Heap own_heap_{Bytes(own_room_), "own curve"};
  Heap other_heap_{Bytes(other_room_), "other curve"};
  Heap work_heap_{Bytes(work_room_), "work"};
  Heap json_heap_{Bytes(json_room_), "json"};
  JsonDocument json_{json_heap_};
#ifndef TOCSIN_P256_MBEDTLS
  P256Nettle nettle_;
#endif
  P256Mbedtls mbedtls_;
  Request request_;
  uint8_t keys_[ece_keys_bytes];
  uint8_t plain_[ece_body_bytes_max], body_[ece_body_bytes_max];
  char file_[file_bytes_max];
};

bool Speaker::start() {
  Numbers random(1);
  bool good = crypto_start(long_lived_).ok() && mbedtls_.start(other_heap_, random).ok();
#ifndef TOCSIN_P256_MBEDTLS
  good = good && nettle_.start(own_heap_, random).ok();
#endif
  json_start(1);
  return good;
}

P256* Speaker::curve() {
#ifndef TOCSIN_P256_MBEDTLS
  if (word(1) == "nettle") return &nettle_;
#endif
  return word(1) == "mbedtls" ? &mbedtls_ : nullptr;
}

Status Speaker::read_file(string_view name, string_view& text) {
  FixedText<1023> path;
  if (!path.assign(name)) return Error::too_long;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return Error::not_found;
  const size_t size = std::fread(file_, 1, sizeof file_ - 1, file);
  std::fclose(file);
  file_[size] = '\0';  // mbed TLS wants to see it behind PEM
  text = {file_, size};
  return {};
}

Status Speaker::say_sealed(Writer& out) {
  Numbers random(number(2));
  const Result<size_t> size = decode_hex(word(4), plain_);
  if (!size.ok()) return size.error();
  EceChance chance;
  if (const Status drawn = draw(*curve(), random, chance); !drawn.ok()) return drawn;
  const ByteView plain = ByteView(plain_).first(size.value());
  const Result<ByteView> sealed = seal({*curve(), work_heap_}, keys(3), chance, plain, body_, random);
  if (!sealed.ok()) return sealed.error();
  out.text(R"({"body":")").hex(sealed.value()).text(R"("})");
  return {};
}

Status Speaker::say_push(Writer& out) {
  Numbers random(number(2));
  const AddressRange anywhere[] = {parse_range("0.0.0.0/0").value(), parse_range("::/0").value()};
  const Vapid vapid({}, *curve(), "mailto:nobody@example.net");  // not asked for here
  const WebPush push({.allow_private = anywhere}, {*curve(), work_heap_}, vapid);
  uint8_t token_room[token_bytes_max + 64];
  Arena scratch{Bytes(token_room)};
  const Result<ByteView> token = push.normalise_token(word(3), scratch);
  if (!token.ok()) return token.error();
  const Registration registration{
      .account = word(5), .token = token.value(), .second_token = keys(4), .dialect = DialectId::web_push};
  Notice notice;
  notice.sender = "bob@example.net";
  notice.body = word(6);
  request_.clear();
  MapInputs in{.now = earliest, .random = &random};
  random.fill(in.request_id);
  random.fill(in.account_tag);
  if (const Status mapped = push.map(registration, notice, push.outgoing(notice), in, request_); !mapped.ok())
    return mapped;
  out.text(R"({"origin":")").json(request_.origin).text(R"(","path":")").json(request_.path);
  out.text(R"(","body":")").hex(request_.body).text(R"(","headers":{)");
  for (uint32_t i = 0; i < request_.count; ++i) {
    const RequestHeader& header = request_.headers[i];
    out.text(i == 0 ? "\"" : ",\"").text(header.name).text("\":\"").json(header.value).text("\"");
  }
  out.text("}}");
  return {};
}

Status Speaker::say_vapid(Writer& out) {
  Numbers random(1);
  P256Pair pair;
  if (const Result<size_t> size = decode_hex(word(2), pair.secret); !size.ok()) return size.error();
  if (const Status good = curve()->public_point(pair.secret, pair.point, random); !good.ok()) return good;
  VapidToken table[2];
  Vapid vapid(table, *curve(), word(4));
  vapid.set_key(pair);
  uint8_t room[Vapid::authorization_bytes_max];
  Writer text(room);
  if (const Status said = vapid.authorization(word(3), wall(5), random, text); !said.ok()) return said;
  out.text(R"({"authorization":")").json(text.view()).text(R"("})");
  return {};
}

Status Speaker::say_apns(Writer& out) {
  Numbers random(1);
  string_view pem;
  if (const Status read = read_file(word(1), pem); !read.ok()) return read;
  Es256Key key;
  if (const Status loaded = key.load(bytes_of(pem), work_heap_, random); !loaded.ok()) return loaded;
  ApnsToken token(key, word(2), word(3));
  if (const Status fresh = token.keep_fresh(Instant{1}, wall(4), random); !fresh.ok()) return fresh;
  out.text(R"({"authorization":")").json(token.authorization()).text(R"("})");
  return {};
}

Status Speaker::say_fcm(Writer& out) {
  Numbers random(1);
  string_view text, pem;
  if (const Status read = read_file(word(1), text); !read.ok()) return read;
  const char* problem = "";
  FcmAccount account;
  if (const Status read = account.read(text, json_, pem, problem); !read.ok()) return read;
  Rs256Key key;
  if (const Status loaded = key.load(bytes_of(pem), work_heap_, random); !loaded.ok()) return loaded;
  const FcmToken token(key, account);
  request_.clear();
  if (const Status written = token.write_request(wall(2), random, request_); !written.ok()) return written;
  out.text(R"({"path":")").json(request_.path).text(R"(","body":")").json(text_of(request_.body)).text(R"("})");
  return {};
}

Status Speaker::say(Writer& out) {
  if (word(0) == "apns" && count_ == 5) return say_apns(out);
  if (word(0) == "fcm" && count_ == 3) return say_fcm(out);
  if (curve() == nullptr) return Error::unsupported;
  if (word(0) == "seal" && count_ == 5) return say_sealed(out);
  if (word(0) == "push" && count_ == 7) return say_push(out);
  if (word(0) == "vapid" && count_ == 6) return say_vapid(out);
  return Error::unsupported;
}

bool Speaker::answer(string_view line, Writer& out) {
  bool more = true;
  for (count_ = 0; more && count_ < words_max;) {
    more = line.find('\t') != string_view::npos;
    words_[count_++] = take_until(line, '\t');
  }
  const Status said = say(out);
  if (said.ok()) return !out.overflowed();
  out.rewind(0);
  out.text(R"({"error":")").json(describe(said.error())).text(R"("})");
  return said.error() != Error::unsupported;
}

alignas(Speaker) uint8_t speaker_room[sizeof(Speaker)];
char line_room[line_bytes_max];
uint8_t out_room[2 * line_bytes_max];

}  // namespace

int main() {
  Speaker& speaker = *new (speaker_room) Speaker;
  if (!speaker.start()) return 70;
  bool understood = true;
  while (std::fgets(line_room, sizeof line_room, stdin) != nullptr) {
    string_view line = line_room;
    if (!ends_with(line, "\n")) return 64;
    line.remove_suffix(1);
    Writer out(out_room);
    understood = speaker.answer(line, out) && understood;
    out.character('\n');
    std::fwrite(out_room, 1, out.size(), stdout);
    std::fflush(stdout);
  }
  return understood ? 0 : 64;
}
