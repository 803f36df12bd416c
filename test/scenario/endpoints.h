// Words for stories of UnifiedPush: a client that registers as Conversations does, and
// an application server that posts, with the listener left out.
#pragma once

#include "dialect/unified_push.h"
#include "test/scenario/world.h"

namespace tocsin::test {

inline constexpr Configured offered = {.extra = "[listen]\naddress = 127.0.0.1:8085\ntls = no\n[unifiedpush]\n"};

inline constexpr string_view ann = "ann@example.org/Conversations.x";
inline constexpr string_view hash_a = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
inline constexpr string_view hash_b = "//////////////////////////////////////////8=";
inline constexpr string_view hash_c = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
inline constexpr string_view base_url = "https://push.example.org";

inline void send_register(World& w, string_view from, string_view id, string_view application = hash_a,
                          string_view instance = hash_b) {
  uint8_t room[2048];
  Writer out(room);
  out.text("<iq type='set' id='").text(id).text("' to='push.example.org' from='").xml(from);
  out.text("'><register xmlns='").text(unified_push_ns).text("' application='").text(application);
  out.text("' instance='").text(instance).text("'/></iq>");
  w.server().send(out.view());
}

inline uint32_t next_id = 0;

struct Endpoint {
  FixedText<200> url;
  FixedText<40> expiration;
  // As it is requested.
  string_view path() const { return slice(url.view(), base_url.size()); }
};

inline Endpoint register_endpoint(World& w, string_view from = ann, string_view application = hash_a,
                                  string_view instance = hash_b) {
  uint8_t room[16];
  Writer id(room);
  id.text("e").unsigned_number(++next_id);
  send_register(w, from, id.view(), application, instance);
  w.wait_for_answer(id.view());
  const string_view answer = w.server().answer(id.view());
  assert_true(contains(answer, "type='result'"));
  const string_view registered = slice(answer, answer.find("<registered"));
  Endpoint endpoint;
  assert_true(endpoint.url.assign(attribute_of(registered, "endpoint")));
  assert_true(endpoint.expiration.assign(attribute_of(registered, "expiration")));
  assert_true(starts_with(endpoint.url.view(), base_url) && starts_with(endpoint.path(), "/up/"));
  return endpoint;
}

// So that what becomes known of posts is for the story alone.
inline void without_listener(World& w) { w.gateway().listener().serve({}); }

inline Relay& relay(World& w) { return w.gateway().gateway().relay(); }

inline uint16_t post_now(World& w, const Endpoint& endpoint, string_view body = "hello", uint64_t waiter = 1) {
  const uint16_t status = relay(w).post(endpoint.path(), bytes_of(body), waiter, w.now(), w.simulation().wall()).status;
  w.port().wake();
  return status;
}

// What the server got for the client, whole.
inline string_view pushed(World& w, uint64_t stanzas_before) {
  assert_true(w.run_until([&] { return w.server().stanzas() > stanzas_before; }));
  assert_true(contains(w.server().last(), "<push xmlns='http://gultsch.de/xmpp/drafts/unified-push'"));
  return w.server().last();
}

// The client answers the last push; children: of the error, "" for a result.
inline void client_answers(World& w, string_view error = "") {
  const string_view push = w.server().last();
  uint8_t room[2048];
  Writer out(room);
  out.text("<iq type='").text(error.empty() ? "result" : "error").text("' id='").text(attribute_of(push, "id"));
  out.text("' from='").text(attribute_of(push, "to")).text("' to='push.example.org'");
  if (error.empty()) {
    out.text("/>");
  } else {
    out.text("><error type='").text(error == "remote-server-timeout" ? "wait" : "cancel").text("'><").text(error);
    out.text(" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
  }
  w.server().send(out.view());
}

inline uint16_t outcome(World& w, uint64_t waiter = 1) {
  Relay::Outcome got;
  assert_true(w.run_until([&] { return relay(w).next(got); }));
  assert_int_equal(got.waiter, waiter);
  return got.status;
}

inline uint16_t post_and_answer(World& w, const Endpoint& endpoint, string_view error = "") {
  const uint64_t before = w.server().stanzas();
  assert_int_equal(post_now(w, endpoint), 0);
  (void)pushed(w, before);
  client_answers(w, error);
  return outcome(w);
}

inline void send_presence(World& w, string_view from, bool available = true) {
  uint8_t room[512];
  Writer out(room);
  out.text("<presence to='push.example.org' from='").text(from).text(available ? "'/>" : "' type='unavailable'/>");
  w.server().send(out.view());
  w.run_for(milliseconds(200));
}

}  // namespace tocsin::test
