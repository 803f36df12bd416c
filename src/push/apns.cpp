#include "push/apns.h"

#include "base/check.h"
#include "base/encode.h"
#include "base/text.h"

namespace tocsin {
namespace {

constexpr size_t body_bytes_max = 4096;  // Apple's limit for everything but voip
// "Don't make assumptions about device token size" (Apple): 32 bytes today, 100 is what Apple once
// promised to stay under. Fewer than 8 are a typing error.
constexpr size_t apns_token_bytes_min = 8;
constexpr size_t apns_token_bytes_max = 100;
constexpr size_t clear_characters_max = 500;  // of a body in clear, as Tigase's own component cuts it
constexpr size_t path_bytes_max = 10 + 2 * apns_token_bytes_max;
constexpr int64_t timestamp_ms_max = 253'402'300'799'999;  // the end of year 9999

constexpr size_t topic_bytes_max = 155 + 5;  // a bundle id and the suffix
constexpr string_view voip_suffix = ".voip";

static_assert(body_bytes_max + 2 * path_bytes_max + topic_bytes_max + 4 * 40 <= Request::room_bytes);

void write_aps(Writer& out, const ApnsOptions& options, bool alert) {
  if (!alert) {  // nothing else may stand in a background push
    out.text(R"({"content-available":1})");
    return;
  }
  out.text(R"({"alert":{)");
  if (!options.alert_title.empty()) out.text(R"("title":")").json(options.alert_title).text(R"(",)");
  out.text(R"("body":")").json(options.alert_body).text(R"("},"mutable-content":1)");
  if (!options.sound.empty()) out.text(R"(,"sound":")").json(options.sound).character('"');
  if (!options.category.empty()) out.text(R"(,"category":")").json(options.category).character('"');
  out.character('}');
}

void write_text(Writer& out, string_view key, string_view value) {
  if (!value.empty()) out.text(R"(,")").text(key).text(R"(":")").json(value).character('"');
}

void write_body(Writer& out, const ApnsOptions& options, string_view account, const Notice& notice,
                const Outgoing& outgoing, bool with_content) {
  out.text(R"({"aps":)");
  write_aps(out, options, outgoing.alert);
  // A wake-up client fetches for itself: who is woken and why is nobody's business on the way.
  if (options.payload == Payload::tigase && outgoing.payload == Payload::tigase) {
    write_text(out, "account", account);
    const bool sealed = with_content && outgoing.ciphertext && notice.encrypted;
    if (sealed) {
      write_text(out, "encrypted", notice.ciphertext);
      write_text(out, "iv", notice.iv);
    } else if (outgoing.unread_zero) {
      out.text(R"(,"unread-messages":0)");
    } else if (notice.has_count && notice.count > 0) {
      // Never 0 by accident: a background push with 0 and no sender clears what the phone shows.
      out.text(R"(,"unread-messages":)").unsigned_number(notice.count);
    }
    if (with_content && outgoing.clear_text && options.clear_text) {
      write_text(out, "sender", notice.sender);
      write_text(out, "body", cut_characters(notice.body, clear_characters_max));
    }
  }
  out.character('}');
}

// Lower case 8-4-4-4-12 (RFC 9562 §4).
void write_uuid(Writer& out, const uint8_t (&id)[16]) {
  const ByteView bytes(id);
  out.hex(bytes.first(4)).character('-').hex(bytes.subspan(4, 2)).character('-').hex(bytes.subspan(6, 2));
  out.character('-').hex(bytes.subspan(8, 2)).character('-').hex(bytes.subspan(10));
}

}  // namespace

Result<ByteView> Apns::normalise_token(string_view token, Arena& scratch) const {
  if (token.size() > 2 * apns_token_bytes_max) return Error::too_long;
  if (token.size() < 2 * apns_token_bytes_min || token.size() % 2 != 0) return Error::malformed;
  const size_t size = token.size() / 2;
  uint8_t* room = static_cast<uint8_t*>(scratch.take(size, 1));
  if (room == nullptr) return Error::exhausted;
  const Result<size_t> decoded = decode_hex(token, Bytes(room, size));
  if (!decoded.ok()) return decoded.error();
  return ByteView(room, size);
}

// What the number means: the client copies it into <encrypt max-size='…'> and the user's server keeps to
// it. Tigase's lets the plaintext grow to 6/8 of it, less 64 bytes, so that the base64 text stays below
// the number; other servers may take it for the size of the ciphertext or of the plaintext. Plaintext is
// the strictest reading and the one that is computed, so that the body fits under each of them:
//
//     4096 bytes - the body around the ciphertext, with 24 characters of iv (Tigase's 16 bytes; others 12)
//     / 4 * 3 bytes of ciphertext behind base64, - 16 bytes of GCM tag
//
// 2,939 for ann@example.org and the default texts. 0: beside this account there is no room for content.
// Publishers that do not keep to it (Prosody does not read it) lose the content, never the alert.
uint32_t Apns::payload_bytes_max(const Registration& registration) const {
  constexpr size_t tag_bytes = 16;
  constexpr string_view longest_iv = "AAAAAAAAAAAAAAAAAAAAAA==";
  uint8_t room[body_bytes_max];
  Writer envelope(room);
  // One character of ciphertext, or the key would be left out.
  Notice notice;
  notice.encrypted = true;
  notice.ciphertext = "A";
  notice.iv = longest_iv;
  write_body(envelope, options_, registration.account, notice, Outgoing{.ciphertext = true}, true);
  if (envelope.overflowed()) return 0;
  const size_t sealed = (body_bytes_max - (envelope.size() - 1)) / 4 * 3;
  return sealed > tag_bytes ? static_cast<uint32_t>(sealed - tag_bytes) : 0;
}

Outgoing Apns::outgoing(const Notice& notice) const {
  const bool woken = notice.addressee != Notice::Addressee::account;
  Outgoing outgoing = outgoing_for(situation_of(notice), woken ? Payload::wake : options_.payload,
                                   woken ? options_.empty_wake : options_.empty, options_.clear_text);
  // Nothing to show, so nothing that could not be coalesced.
  if (outgoing.clear_text && notice.sender.empty() && notice.body.empty()) {
    outgoing.clear_text = outgoing.content = false;
  }
  return outgoing;
}

Status Apns::map(const Registration& registration, const Notice& notice, const Outgoing& outgoing, const MapInputs& in,
                 Request& request) const {
  if (registration.token.empty()) return Error::malformed;
  Writer path(request.scratch, path_bytes_max);
  path.text("/3/device/").hex(registration.token);
  // A call that the app can decode: PushKit starts it, and it must show a call then, so nothing else may go there.
  const bool voip =
      outgoing.call && outgoing.ciphertext && notice.voip && !registration.second_token.empty() && !in.without_content;
  Writer voip_path(request.scratch, voip ? path_bytes_max : 0);
  Writer voip_topic(request.scratch, voip ? topic_bytes_max : 0);
  if (voip) voip_path.text("/3/device/").hex(registration.second_token);
  if (voip) voip_topic.text(options_.topic).text(voip_suffix);

  Writer expiration(request.scratch, 20);
  // Pushes that were mapped before the clock was set leave after it was: an expiry in 1970 would lose
  // them. Without the header Apple stores the message, and 0 is one attempt, which fits a call.
  if (plausible(in.now)) {
    expiration.number((in.now + outgoing.ttl).s);
  } else if (outgoing.call) {
    expiration.number(0);
  }

  Writer id(request.scratch, 36);
  write_uuid(id, in.request_id);
  Writer collapse_id(request.scratch, 32);
  // Wake-ups merge on the phone; content and calls have an id of their own, kept over retries, so that
  // a resend after an unknown outcome shows once.
  if (outgoing.content || outgoing.call) {
    collapse_id.hex(in.request_id);
  } else {
    collapse_id.hex(in.account_tag);
  }

  Writer body(request.scratch, body_bytes_max);
  write_body(body, options_, registration.account, notice, outgoing, !in.without_content);
  if (body.overflowed() && !in.without_content) {
    body.rewind(0);
    write_body(body, options_, registration.account, notice, outgoing, false);
  }
  if (path.overflowed() || expiration.overflowed() || id.overflowed() || collapse_id.overflowed() ||
      body.overflowed() || voip_path.overflowed() || voip_topic.overflowed()) {
    return Error::too_long;
  }

  request.path = voip ? voip_path.view() : path.view();
  request.first_path = voip ? path.view() : string_view();
  request.body = body.written();
  request.header("apns-topic", voip ? voip_topic.view() : options_.topic);
  request.header("apns-push-type", voip ? "voip" : outgoing.alert ? "alert" : "background");
  // Apple: background with 10 is an error.
  request.header("apns-priority", outgoing.alert && outgoing.urgent ? "10" : "5");
  if (expiration.size() > 0) request.header("apns-expiration", expiration.view());
  // Different each time: indexed they would only push the others out of HPACK's table.
  request.header("apns-id", id.view(), true);
  request.header("apns-collapse-id", collapse_id.view(), true);
  return {};
}

void Apns::to_first(Request& request) const {
  request.path = request.first_path;
  request.first_path = {};
  for (uint32_t i = 0; i < request.count; ++i) {
    RequestHeader& header = request.headers[i];
    if (header.name == "apns-topic") header.value = options_.topic;
    if (header.name == "apns-push-type") header.value = "alert";
  }
}

void Apns::read(string_view body, JsonDocument& json, Reply& reply) const {
  reply.reason = {};
  reply.timestamp_ms = 0;
  if (!json.parse(body).ok()) return;
  const string_view reason = json.text({"reason"});
  if (fit_for_log(reason)) reply.reason = reason;
  const int64_t timestamp = json.number({"timestamp"}, 0);
  if (timestamp > 0 && timestamp <= timestamp_ms_max) reply.timestamp_ms = timestamp;
}

uint32_t Apns::fingerprint() const {
  uint8_t room[512];
  Writer text(room);
  for (const string_view part : {options_.key_id, options_.team_id, options_.topic}) text.text(part).character('\0');
  text.character(options_.sandbox ? 's' : 'p').hex(options_.certificate);
  GW_CHECK(!text.overflowed());
  return fingerprint_of(text.written());
}

}  // namespace tocsin
