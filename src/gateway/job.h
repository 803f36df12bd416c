// The two things that travel between server and provider: a Job is a publish that waits for its answer (at
// most 5 s), a Push is a request on its way to a provider (until it arrived,
// expired or was given up). And the two doors upward: Outbox and Dispatch,
// which link/ implements.
#pragma once

#include <cstdint>

#include "base/list.h"
#include "base/time.h"
#include "dialect/command.h"
#include "gateway/answers.h"
#include "model/node_id.h"
#include "model/verdict.h"
#include "proto/h2_client.h"
#include "push/request.h"
#include "registry/registry.h"

namespace tocsin {

struct Push;
struct DeviceState;
struct Lane;
struct Publisher;

struct Job {
  uint8_t section = 0;
  Instant arrived{};
  Publisher* publisher = nullptr;
  Push* push = nullptr;  // nullptr only while it waits for its ticket
  Ticket ticket = 0;     // not 0: answered `gone` once this change is durable
  ListHook<Job> hook;    // open jobs in order of arrival
  IqHead iq;             // views into text
  NodeId node;
  char text[iq_id_bytes_max + 2 * jid_bytes_max];
};

// The body of a provider's answer. FCM's longest known have about 1,700 bytes (a service that is not enabled, with
// links and the sentence twice); APNs' 90.
struct ReplyRoom {
  ReplyRoom() {}  // leaves it as it is: zeroing it would cost more than the rest of a submit
  uint8_t bytes[2048];
};

struct Push {
  enum class Place : uint8_t { none, ready, delayed, in_flight };
  Place place = Place::none;
  uint8_t section = 0;
  uint8_t connection = 0;  // of its lane's, while in flight
  bool call = false;
  bool content = false;    // counts against device_burst
  bool urgent = false;     // priority 10
  bool shrunk = false;     // sent once more without content
  bool elsewhere = false;  // tried once in the other environment
  bool timed_out = false;  // its stream was reset after 20 s
  bool dropped = false;    // given up in flight: goes back to its pool when the stream is closed
  bool pending = false;    // counts against max_pending: no publisher waits for it any more
  bool stateless = false;  // node is no registration but a hash of token and section: the registry knows nothing
  RetryClass retry_class = RetryClass::never;
  uint32_t tries = 0;     // in this class
  Instant tried_since{};  // the first of them
  Lane* lane = nullptr;   // of a pool only while it is ready or in flight
  Job* job = nullptr;     // nullptr: already answered
  NodeId node;
  Publisher* publisher = nullptr;  // whose publish it was
  DeviceState* device = nullptr;   // the throttle entry that points to this push as what has not left yet
  Instant due{};                   // when delayed
  uint32_t due_place = 0;
  Instant expires{};
  Instant ready_since{};
  Instant sent{};
  uint8_t request_id[16] = {};
  uint32_t token_tags[2] = {};  // of the device's token and its second one, as they were when it was mapped
  ListHook<Push> hook;          // the lane's ready or in-flight list
  H2Exchange exchange;
  Request request;
  ReplyRoom reply;
};

using PushList = List<Push, &Push::hook>;

// Towards the XMPP server: whole stanzas, in order.
class Outbox {
 public:
  // False when the stream is down or full; the answer is lost then (the server has its own time-outs).
  virtual bool send(string_view stanza) = 0;
  // Whether the stream is up and has room for so many bytes beside the answers that are yet to come.
  virtual bool roomy(size_t bytes) const = 0;

 protected:
  ~Outbox() = default;
};

// Towards the providers.
class Dispatch {
 public:
  // Something became ready in this lane: its link asks Publish::next() when it can.
  virtual void wake(Lane& lane) = 0;
  // Give this push up while it is in flight; it still comes back through Publish::over().
  virtual void cancel(Push& push) = 0;
  // The provider said that this connection is spent. Other pushes may come back through Publish::over() meanwhile.
  virtual void reconnect(Lane& lane) = 0;

 protected:
  ~Dispatch() = default;
};

}  // namespace tocsin
