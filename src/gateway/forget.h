// Unregistering without a login, over HTTPS (a client whose account is gone can not ask by XMPP): the words of
// Tigase's REST interface, which Siskin and Snikket speak. Whoever knows account and token may end the registration,
// whatever provider they name (Snikket names another than it registered with).
//
// The answer tells nobody whether there was such a device: known and unknown are both `success`, and leave at ticks of
// a clock, between which a sync mostly fits. `failure` is never said: clients take it as final and give up.
#pragma once

#include <cstdint>

#include "base/list.h"
#include "base/siphash.h"
#include "base/time.h"
#include "gateway/enroll.h"
#include "mem/heap.h"
#include "mem/region.h"
#include "proto/http_request.h"

namespace tocsin {

class Forget {
 public:
  static constexpr Duration tick = milliseconds(500);
  static constexpr size_t body_bytes_max = 4096;
  static size_t bytes_for(uint32_t waiting_max) { return sizeof(Waiting) * size_t{waiting_max}; }

  struct Outcome {
    uint16_t status = 0;  // 200, 404 or 503; 0: not known yet
    uint64_t waiter = 0;  // as given to post()
  };

  // domain: our JID. Everything outlives it.
  Forget(Region& region, uint32_t waiting_max, Enroll& enroll, Registry& registry, Heap& json_heap, string_view domain);

  // Is it one of the two paths, whatever JID stands behind them?
  static bool is_path(string_view path);
  // What is not known yet comes through next(), once.
  Outcome post(const HttpRequest& request, ByteView body, uint64_t waiter, Instant now, UnixTime wall);
  bool next(Outcome& out, Instant now);
  Instant due() const;  // when next() is worth asking even if the journal decides nothing
  // TERM: who waits is answered at once, as far as the outcome is known.
  void stop() { stopping_ = true; }

 private:
  struct Waiting {
    bool used = false;
    uint64_t waiter = 0;
    Instant due{};
    Ticket from = 0;  // these batches must be durable …
    Ticket to = 0;    // … 0: none
    bool known = false;
    Forgotten device;
  };
  struct Fields {
    string_view account, token, provider;
  };
  bool is_ours(string_view path) const;
  Status read_json(string_view text, Fields& out, Bytes room);
  bool decided(const Waiting& waiting) const;
  uint16_t status_of(const Waiting& waiting) const;

  Waiting* waiting_;
  uint32_t waiting_max_;
  uint32_t count_ = 0;
  Enroll& enroll_;
  Registry& registry_;
  Heap& json_heap_;
  string_view domain_;
  bool stopping_ = false;
};

}  // namespace tocsin
