// A provider is a pure translator: our words to request bytes, reply to
// verdict. It owns nothing that changes; credentials, connections, queues and
// limits are others'.
#pragma once

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "base/writer.h"
#include "model/notice.h"
#include "model/registration.h"
#include "model/verdict.h"
#include "proto/json.h"
#include "push/outgoing.h"
#include "push/request.h"

namespace tocsin {

struct MapInputs {
  UnixTime now;
  bool validate_only = false;      // the provider shall look at it, and send nothing: FCM can
  bool without_content = false;    // the provider said too large: account and alert only
  uint8_t request_id[16] = {};     // random, kept over retries: apns-id, collapse id of content
  uint8_t account_tag[8] = {};     // keyed hash of account and device: collapse id of wake-ups
  RandomSource* random = nullptr;  // Web Push: for the keys of one message
};

// What came back, as the HTTP core read it.
struct Reply {
  uint16_t status = 0;
  string_view reason;        // the body's word; "" when there was none
  int64_t timestamp_ms = 0;  // APNs 410; 0 = none
  string_view retry_after;   // header, seconds or HTTP-date; "" = none
  UnixTime date{};           // Date header; 0 = none
  string_view ref;           // FCM 200: its name for the message; APNs says it in a header
  // ---- FCM: words alone do not tell
  bool readable = false;      // the body is an answer of the service, not of something in front of it
  bool own_word = false;      // reason is an errorCode of FCM, not one of all of Google's services
  bool about_device = false;  // the token, or what one device may get, is what it complains of
  bool too_big = false;
  string_view field;  // of our request, that it finds wrong
  // ---- Web Push: push services have numbers rather than words
  int64_t number = 0;   // autopush's errno, ntfy's code; 0 = none
  bool worded = false;  // there is a body, whatever it says
};

// Of the text of what a provider accepts us by; never 0.
uint32_t fingerprint_of(ByteView text);

// A provider's word as it may stand in the log: short, printable ASCII.
bool fit_for_log(string_view word);

class Provider {
 public:
  // Token text as the client sent it → the bytes that are kept and compared. Error::malformed, too_long.
  virtual Result<ByteView> normalise_token(string_view token, Arena& scratch) const = 0;
  // How many bytes of ciphertext (`max-payload-size`) always fit into what this device gets.
  virtual uint32_t payload_bytes_max(const Registration& registration) const = 0;
  // Fills request; Error::too_long only when even without content it does not fit.
  virtual Status map(const Registration& registration, const Notice& notice, const Outgoing& outgoing,
                     const MapInputs& in, Request& request) const = 0;
  virtual Outgoing outgoing(const Notice& notice) const = 0;
  // Turns a request to the second token into the same for the first one.
  virtual void to_first(Request&) const {}
  // Reads the body of an answer into the members of Reply that come from it; views live as long as json and body.
  virtual void read(string_view body, JsonDocument& json, Reply& reply) const = 0;
  virtual Verdict judge(const Reply& reply, UnixTime now) const = 0;
  // 4 bytes over everything that decides whether an earlier success still counts: key, team, topic, environment.
  virtual uint32_t fingerprint() const = 0;

 protected:
  ~Provider() = default;
};

}  // namespace tocsin
