#include "push/fcm.h"

#include "base/check.h"
#include "base/encode.h"

namespace tocsin {
namespace {

// Google counts keys and values of the data against 4,096; the whole body is held to it, which is
// stricter, so that nobody has to know how Google counts.
constexpr size_t body_bytes_max = 4096;
constexpr size_t fcm_token_bytes_min = 20;  // today's have about 160; fewer are a typing error
constexpr size_t path_bytes_max = 13 + 63 + 14;
constexpr size_t clear_characters_max = 500;  // of a body in clear, as Tigase's own component cuts it
// As p2 does it; four keys may be stored for a device, so one for each account or group chat.
constexpr size_t p2_collapse_key_size = 6;

static_assert(body_bytes_max + path_bytes_max <= Request::room_bytes);

// One entry of the data, all of which are texts.
class DataWriter {
 public:
  explicit DataWriter(Writer& out) : out_(out) {}
  ~DataWriter() {
    if (any_) out_.character('}');
  }
  void text(string_view key, string_view value) {
    if (value.empty()) return;
    open(key);
    out_.json(value).character('"');
  }
  void hex(string_view key, ByteView value) {
    if (value.empty()) return;
    open(key);
    out_.hex(value).character('"');
  }
  void number(string_view key, uint32_t value) {
    open(key);
    out_.unsigned_number(value).character('"');
  }

 private:
  void open(string_view key) {
    out_.text(any_ ? "," : R"(,"data":{)").character('"').text(key).text(R"(":")");
    any_ = true;
  }
  Writer& out_;
  bool any_ = false;
};

void write_data(Writer& out, const FcmOptions& options, const Registration& registration, const Notice& notice,
                const Outgoing& outgoing, bool with_content) {
  DataWriter data(out);
  if (notice.addressee == Notice::Addressee::hashed) {
    data.hex("account", notice.account_hash);
    data.hex("channel", notice.channel_hash);
  }
  if (outgoing.payload == Payload::wake) return;
  data.text("account", registration.account);
  if (with_content && outgoing.ciphertext && notice.encrypted) {
    data.text("encrypted", notice.ciphertext);
    data.text("iv", notice.iv);
  } else if (outgoing.unread_zero) {
    data.number("unread-messages", 0);
  } else if (notice.has_count && notice.count > 0) {
    data.number("unread-messages", notice.count);
  }
  if (with_content && outgoing.clear_text && options.clear_text) {
    data.text("sender", notice.sender);
    data.text("body", cut_characters(notice.body, clear_characters_max));
  }
}

void write_body(Writer& out, const FcmOptions& options, const Registration& registration, const Notice& notice,
                const Outgoing& outgoing, string_view collapse_key, bool with_content, bool validate_only = false) {
  out.text(validate_only ? R"({"validate_only":true,)" : "{")
      .text(R"("message":{"token":")")
      .json(text_of(registration.token))
      .text(R"(","android":{)");
  if (!collapse_key.empty()) out.text(R"("collapse_key":")").text(collapse_key).text(R"(",)");
  out.text(R"("priority":")").text(outgoing.alert && outgoing.urgent ? "HIGH" : "NORMAL");
  out.text(R"(","ttl":")").number(outgoing.ttl.whole_seconds()).text(R"(s"})");
  write_data(out, options, registration, notice, outgoing, with_content);
  out.text("}}");
}

}  // namespace

// Google promises no form: visible ASCII without what JSON would escape.
Result<ByteView> Fcm::normalise_token(string_view token, Arena& scratch) const {
  if (token.size() > token_bytes_max) return Error::too_long;
  if (token.size() < fcm_token_bytes_min) return Error::malformed;
  for (const char c : token) {
    if (c <= 0x20 || c > 0x7E || c == '"' || c == '\\') return Error::malformed;
  }
  uint8_t* room = static_cast<uint8_t*>(scratch.take(token.size(), 1));
  if (room == nullptr) return Error::exhausted;
  copy_bytes(room, bytes_of(token));
  return ByteView(room, token.size());
}

// Counted as Apns::payload_bytes_max does it; the token is part of this body.
uint32_t Fcm::payload_bytes_max(const Registration& registration) const {
  constexpr size_t tag_bytes = 16;
  constexpr string_view longest_iv = "AAAAAAAAAAAAAAAAAAAAAA==";
  uint8_t room[body_bytes_max];
  Writer envelope(room);
  Notice notice;
  notice.encrypted = true;
  notice.ciphertext = "A";
  notice.iv = longest_iv;
  write_body(envelope, options_, registration, notice,
             outgoing_for(Situation::encrypted_low, Payload::tigase, {}, false), "", true);
  if (envelope.overflowed()) return 0;
  const size_t sealed = (body_bytes_max - (envelope.size() - 1)) / 4 * 3;
  return sealed > tag_bytes ? static_cast<uint32_t>(sealed - tag_bytes) : 0;
}

// One column for all: a wake-up client gets the same priority, and nothing to read.
Outgoing Fcm::outgoing(const Notice& notice) const {
  Outgoing outgoing = outgoing_for(situation_of(notice), Payload::tigase, options_.empty, options_.clear_text);
  const bool silent = outgoing.clear_text && notice.sender.empty() && notice.body.empty();
  const bool woken = notice.addressee != Notice::Addressee::account;
  if (woken) outgoing.payload = Payload::wake;
  if (silent || woken) outgoing.ciphertext = outgoing.clear_text = outgoing.content = false;
  return outgoing;
}

Status Fcm::map(const Registration& registration, const Notice& notice, const Outgoing& outgoing, const MapInputs& in,
                Request& request) const {
  if (registration.token.empty()) return Error::malformed;
  Writer path(request.scratch, path_bytes_max);
  path.text("/v1/projects/").text(project_.view()).text("/messages:send");

  // Content and calls have none: with four keys a device, the fifth would push out any of them.
  uint8_t key_room[2 * sizeof in.account_tag];
  Writer collapse_key(key_room);
  if (!outgoing.content && !outgoing.call) {
    const ByteView hash = notice.channel_hash.empty() ? notice.account_hash : notice.channel_hash;
    if (hash.size() >= p2_collapse_key_size / 2) {
      collapse_key.hex(hash.first(p2_collapse_key_size / 2));
    } else {
      collapse_key.hex(in.account_tag);
    }
  }

  Writer body(request.scratch, body_bytes_max);
  write_body(body, options_, registration, notice, outgoing, collapse_key.view(), !in.without_content,
             in.validate_only);
  if (body.overflowed() && !in.without_content) {
    body.rewind(0);
    write_body(body, options_, registration, notice, outgoing, collapse_key.view(), false);
  }
  if (path.overflowed() || body.overflowed()) return Error::too_long;
  request.path = path.view();
  request.body = body.written();
  request.header("content-type", "application/json");
  return {};
}

uint32_t Fcm::fingerprint() const {
  uint8_t room[80];
  Writer text(room);
  text.text("fcm").character('\0').text(project_.view());
  GW_CHECK(!text.overflowed());
  return fingerprint_of(text.written());
}

}  // namespace tocsin
