#include "push/web_push.h"

#include "base/check.h"
#include "base/encode.h"
#include "base/text.h"
#include "crypto/crypto.h"

namespace tocsin {
namespace {

constexpr size_t clear_characters_max = 500;  // of a body in clear, as Tigase's own component cuts it
// Mozilla hands messages for Android on to Google, base64 and all: 2,744 bytes of body.
constexpr size_t bridged_plain_bytes_max = 2744 - ece_added_bytes;
static_assert(bridged_plain_bytes_max == 2641);
constexpr size_t topic_bytes_max = 32;  // RFC 8030 §5.4
constexpr size_t ttl_digits_max = 10;
// A UnifiedPush server may find that an empty message is none (Prosody's and ejabberd's do).
constexpr string_view least_body = "{}";

static_assert(ece_body_bytes_max + token_bytes_max + topic_bytes_max + ttl_digits_max <= Request::room_bytes);

bool has_keys(const Registration& registration) { return registration.second_token.size() == ece_keys_bytes; }

bool of_google(string_view host) { return ends_with(host, ".googleapis.com") || ends_with(host, ".google.com"); }

size_t plain_bytes_max(string_view host) {
  return host == "updates.push.services.mozilla.com" ? bridged_plain_bytes_max : ece_plain_bytes_max;
}

void write_text(Writer& out, string_view key, string_view value) {
  if (!value.empty()) out.text(R"(,")").text(key).text(R"(":")").json(value).character('"');
}

void write_payload(Writer& out, const WebPushOptions& options, string_view account, const Notice& notice,
                   const Outgoing& outgoing, bool with_content) {
  out.text(R"({"account":")").json(account).character('"');
  if (with_content && outgoing.ciphertext && notice.encrypted) {
    write_text(out, "encrypted", notice.ciphertext);
    write_text(out, "iv", notice.iv);
  } else if (outgoing.unread_zero) {
    out.text(R"(,"unread-messages":0)");
  } else if (notice.has_count && notice.count > 0) {
    out.text(R"(,"unread-messages":)").unsigned_number(notice.count);
  }
  if (with_content && outgoing.clear_text && options.clear_text) {
    write_text(out, "sender", notice.sender);
    write_text(out, "body", cut_characters(notice.body, clear_characters_max));
  }
  if (notice.priority != Notice::Priority::unsaid) {
    write_text(out, "priority", notice.priority == Notice::Priority::high ? "high" : "low");
  }
  out.character('}');
}

}  // namespace

Result<ByteView> WebPush::normalise_token(string_view token, Arena& scratch) const {
  const Result<ByteView> url = normalise_endpoint(token, !options_.allow_private.empty(), scratch);
  if (!url.ok()) return url;
  const Endpoint endpoint = read_endpoint(text_of(url.value())).value();
  const Result<Address> literal = parse_ip(endpoint.host, endpoint.port);
  const AddressRules rules{.allowed = options_.allow_private};
  if (literal.ok() && rules.refusal(literal.value()) != nullptr) return Error::denied;
  return url;
}

// Counted as Apns::payload_bytes_max does it.
uint32_t WebPush::payload_bytes_max(const Registration& registration) const {
  constexpr size_t tag_bytes = 16;
  constexpr string_view longest_iv = "AAAAAAAAAAAAAAAAAAAAAA==";
  const Result<Endpoint> endpoint = read_endpoint(text_of(registration.token));
  if (!endpoint.ok() || !has_keys(registration)) return 0;
  uint8_t room[ece_plain_bytes_max];
  Writer envelope(Bytes(room).first(plain_bytes_max(endpoint.value().host)));
  Notice notice;
  notice.encrypted = true;
  notice.ciphertext = "A";
  notice.iv = longest_iv;
  notice.priority = Notice::Priority::high;
  write_payload(envelope, options_, registration.account, notice, Outgoing{.ciphertext = true}, true);
  if (envelope.overflowed()) return 0;
  const size_t sealed = (envelope.room_left().size() + 1) / 4 * 3;
  return sealed > tag_bytes ? static_cast<uint32_t>(sealed - tag_bytes) : 0;
}

// One column for all: a wake-up client gets the same urgency, and nothing to read.
Outgoing WebPush::outgoing(const Notice& notice) const {
  Outgoing outgoing = outgoing_for(situation_of(notice), Payload::tigase, options_.empty, options_.clear_text);
  const bool silent = outgoing.clear_text && notice.sender.empty() && notice.body.empty();
  const bool woken = notice.addressee != Notice::Addressee::account;
  if (woken) outgoing.payload = Payload::wake;
  if (silent || woken) outgoing.ciphertext = outgoing.clear_text = outgoing.content = false;
  return outgoing;
}

Status WebPush::map(const Registration& registration, const Notice& notice, const Outgoing& outgoing,
                    const MapInputs& in, Request& request) const {
  // The registry's room is another's soon: the request has its own copy.
  Writer url(request.scratch, registration.token.size());
  url.bytes(registration.token);
  if (url.overflowed()) return Error::too_long;
  const Result<Endpoint> endpoint = read_endpoint(url.view());
  if (!endpoint.ok()) return endpoint.error();

  Writer ttl(request.scratch, ttl_digits_max);
  ttl.number(outgoing.ttl.whole_seconds());
  // Wake-ups replace each other; content and calls only what was sent before of the same, after an outcome that
  // is unknown. Google keeps four topics for a device, so there content has none: the fifth would push out the first.
  const bool reads = has_keys(registration) && outgoing.payload == Payload::tigase;
  Writer topic(request.scratch, topic_bytes_max);
  if (!outgoing.call && !(outgoing.content && reads)) {
    topic.base64url(in.account_tag);
  } else if (!of_google(endpoint.value().host)) {
    topic.base64url(in.request_id);
  }
  if (ttl.overflowed() || topic.overflowed()) return Error::too_long;

  uint8_t room[ece_plain_bytes_max];
  Writer payload(room);
  if (reads) {
    write_payload(payload, options_, registration.account, notice, outgoing, !in.without_content);
    if (payload.overflowed() && !in.without_content) {
      payload.rewind(0);
      write_payload(payload, options_, registration.account, notice, outgoing, false);
    }
  } else if (in.without_content) {
    payload.text(least_body);
  }
  if (payload.overflowed()) return Error::too_long;

  request.origin = endpoint.value().origin;
  request.path = endpoint.value().path;
  if (payload.size() > 0 && has_keys(registration)) {
    GW_CHECK(in.random != nullptr);
    EceChance chance;
    if (const Status drawn = draw(tools_.curve, *in.random, chance); !drawn.ok()) return drawn;
    const size_t size = payload.size() + ece_added_bytes;
    uint8_t* const body = static_cast<uint8_t*>(request.scratch.take(size, 1));
    if (body == nullptr) return Error::too_long;
    const Result<ByteView> sealed =
        seal(tools_, registration.second_token, chance, payload.written(), Bytes(body, size), *in.random);
    wipe(chance.pair.secret);
    if (!sealed.ok()) return sealed.error();
    request.body = sealed.value();
  } else if (payload.size() > 0) {
    request.body = bytes_of(least_body);
  }

  request.header("ttl", ttl.view());
  request.header("urgency", outgoing.alert && outgoing.urgent ? "high" : "low");
  // Different for each account or message: indexed they would only push the others out of HPACK's table.
  if (topic.size() > 0) request.header("topic", topic.view(), true);
  if (request.body.empty()) return {};
  if (has_keys(registration)) request.header("content-encoding", "aes128gcm");
  request.header("content-type", "application/octet-stream");
  return {};
}

uint32_t WebPush::fingerprint() const {
  uint8_t room[128];
  Writer text(room);
  text.text("webpush").character('\0').text(vapid_.public_key());
  GW_CHECK(!text.overflowed());
  return fingerprint_of(text.written());
}

}  // namespace tocsin
