// Push services without HTTP/2: the same requests and judgements over HTTP/1.1.
#include <new>

#include "port/sim/random.h"
#include "test/scenario/old_service.h"
#include "test/scenario/world.h"
#include "test/support/certs.h"

namespace tocsin::test {
namespace {

static constexpr Configured with_web_push{.extra =
                                              "[webpush]\ncontact = mailto:ops@push.example.org\n"
                                              "ca_file = /etc/ca.pem\n"};
constexpr string_view endpoint = "https://old.wild.example.org/up/abc?x=1";
constexpr string_view subscription =
    R"({"endpoint":"https://old.wild.example.org/up/abc?x=1","keys":{"p256dh":")"
    R"(BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":")"
    R"(BTBZMqHH6r4Tts7J_aSIgg"}})";

class Chance : public RandomSource {
 public:
  void fill(Bytes room) override { random_.fill(room); }

 private:
  sim::Random random_{11};
};

alignas(OldService) uint8_t service_room[sizeof(OldService)];
TlsIdentity identity;
Chance chance;

// In static storage, because a failing assert skips destructors; and begun anew by each story.
OldService& old_service() {
  static bool loaded = false;
  if (!loaded) GW_CHECK(identity.load(cert_ec_leaf, key_ec_leaf, chance));
  loaded = true;
  static OldService* earlier = nullptr;  // of the story before, which may have ended in the middle of a connection
  if (earlier != nullptr) earlier->~OldService();
  earlier = new (service_room) OldService(identity, chance);
  OldService& service = *earlier;
  const Address address = parse_ip("93.184.216.9", 443).value();
  world().simulation().names().set("old.wild.example.org", address);
  world().simulation().network().listen(address, service);
  return service;
}

NodeText subscribe(World& w, string_view token = subscription) {
  return w.register_device("ann@example.org/phone", token, "webpush");
}

void a_service_without_http2_is_asked_over_http1(void**) {
  World& w = world();
  OldService& old = old_service();
  w.start();
  const NodeText node = subscribe(w);
  w.publish_and_wait(node, "p1", "Hello");
  w.expect_result("p1");
  w.publish_and_wait(node, "p2", "Hello");
  w.expect_result("p2");
  assert_int_equal(old.requests(), 2);
  assert_int_equal(old.connections(), 1);  // kept for the second
  const string_view seen = old.request(0);
  assert_true(starts_with(seen, "POST /up/abc?x=1 HTTP/1.1\r\nHost: old.wild.example.org\r\n"));
  for (const string_view part : {"\r\nttl: 86400\r\n", "\r\nurgency: high\r\n", "\r\ncontent-encoding: aes128gcm\r\n",
                                 "\r\nauthorization: vapid t=", "\r\nContent-Length: "}) {
    assert_true(contains(seen, part));
  }
  w.run_for(minutes(1));  // closed before the service would
  assert_int_equal(old.alive(), 0);
  w.expect_at_rest();
}

void without_keys_the_length_is_zero(void**) {
  World& w = world();
  OldService& old = old_service();
  w.start();
  const NodeText node = subscribe(w, endpoint);
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_true(contains(old.request(0), "\r\nContent-Length: 0\r\n"));
}

void a_service_that_knows_no_alpn_speaks_http1(void**) {
  World& w = world();
  OldService& old = old_service();
  old.alpn("");
  w.start();
  const NodeText node = subscribe(w);
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_int_equal(old.requests(), 1);
}

// That is no trouble: nobody waits longer for the next one.
void a_service_that_closes_after_each_answer_is_asked_anew(void**) {
  World& w = world();
  OldService& old = old_service();
  old.answer("HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n");
  old.close_after(true);
  w.start();
  const NodeText node = subscribe(w);
  for (const string_view id : {"p1", "p2", "p3", "p4", "p5"}) {
    w.publish_and_wait(node, id, "Hello");
    w.expect_result(id);
    w.run_for(milliseconds(50));
  }
  assert_int_equal(old.requests(), 5);
  assert_int_equal(old.connections(), 5);
  assert_false(w.log().saw("origin_down"));
  w.run_for(minutes(1));
  w.expect_at_rest();
}

void answers_mean_the_same_over_http1(void**) {
  World& w = world();
  OldService& old = old_service();
  w.start();
  NodeText node = subscribe(w);
  old.answer("HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n");
  w.publish_and_wait(node, "p410");
  w.expect_gone("p410");
  node = subscribe(w);
  old.answer("HTTP/1.1 302 Found\r\nLocation: https://one.wild.example.org/\r\nContent-Length: 0\r\n\r\n");
  w.publish_and_wait(node, "p302");
  w.expect_answer("p302", "<error type='wait'>");
  assert_int_equal(w.service(0).connections(), 0);
  old.answer("HTTP/1.1 429 Slow down\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n");
  w.publish_and_wait(node, "p429");
  w.expect_result("p429");
  const uint32_t before = old.requests();
  old.answer("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  w.run_for(seconds(59));
  assert_int_equal(old.requests(), before);
  w.run_for(seconds(10));
  assert_int_equal(old.requests(), before + 1);
  w.run_for(minutes(2));
  w.expect_at_rest();
}

void what_is_no_http_is_trouble_and_costs_nobody_anything(void**) {
  World& w = world();
  OldService& old = old_service();
  w.start();
  const NodeText node = subscribe(w);
  old.answer("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  w.publish_and_wait(node, "p1");
  w.run_for(hours(1));
  assert_int_equal(w.gateway().registry().count(), 1);
  old.answer("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  w.run_for(hours(24));
  w.expect_at_rest();
}

void a_silent_one_is_given_up_and_asked_again(void**) {
  World& w = world();
  OldService& old = old_service();
  old.silent(true);
  w.start();
  const NodeText node = subscribe(w);
  w.publish_and_wait(node, "p1", "Hello");
  w.expect_result("p1");  // queued
  w.run_for(minutes(1));
  assert_true(old.requests() >= 2);
  assert_true(old.connections() >= 2);
  old.silent(false);
  w.run_for(hours(2));
  w.expect_at_rest();
  assert_int_equal(w.gateway().registry().count(), 1);
}

}  // namespace

TESTS(web_push_http1, SCENARIO_WITH(a_service_without_http2_is_asked_over_http1, with_web_push),
      SCENARIO_WITH(without_keys_the_length_is_zero, with_web_push),
      SCENARIO_WITH(a_service_that_knows_no_alpn_speaks_http1, with_web_push),
      SCENARIO_WITH(a_service_that_closes_after_each_answer_is_asked_anew, with_web_push),
      SCENARIO_WITH(answers_mean_the_same_over_http1, with_web_push),
      SCENARIO_WITH(what_is_no_http_is_trouble_and_costs_nobody_anything, with_web_push),
      SCENARIO_WITH(a_silent_one_is_given_up_and_asked_again, with_web_push));

}  // namespace tocsin::test
