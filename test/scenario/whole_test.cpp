// A busy life from registration to power cut: no secret shows up in the log, and
// the same seed gives the same life twice.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr string_view tigase = "tigase:messenger:apns:1";
constexpr string_view ann = "ann@example.org/phone";
constexpr string_view words = "the secret words of a message";
constexpr string_view sealed =
    "<notification xmlns='urn:xmpp:push:0'><encrypted xmlns='tigase:push:encrypt:0' iv='c2VjcmV0LWl2LXNlY3JldA=='>"
    "c2VjcmV0LWNpcGhlcnRleHQ=</encrypted></notification>";
constexpr string_view jingle =
    "<notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='form'><field "
    "var='last-message-sender'><value>"
    "bob@example.net/desk</value></field></x><jingle xmlns='tigase:push:jingle:0' action='propose'/></notification>";

constexpr Configured talkative = {
    .extra =
        "[log]\nlevel = debug\n[apns other]\nprovider = other:apns:1\nkey = /etc/key.p8\n"
        "key_id = ABC123DEFG\nteam_id = DEF123GHIJ\ntopic = org.example.other\nendpoint = "
        "https://localhost:444\nca_file = /etc/ca.pem\nclear_text = yes\n"};

void forbid_all(World& w) {
  for (const string_view secret :
       {token_a, token_b, token_c, string_view("ann@example.org"), string_view("bob@example.net"),
        string_view("s3cr3t"), words, string_view("c2VjcmV0"), string_view("bearer"), string_view("eyJ")}) {
    w.log().forbid(secret);
  }
}

void busy_life(World& w) {
  forbid_all(w);
  w.start();
  const NodeText a = w.register_device(ann, token_a);
  w.log().forbid(a);
  const NodeText b = w.register_device(ann, token_b, "other:apns:1");
  w.log().forbid(b);
  w.send_register(ann, "bad1", tigase, "no token at all");
  w.send_register(ann, "bad2", "unknown:1", token_c);
  w.send_register("eve@example.net/x", "bad3", tigase, token_c);
  w.send_unregister("bob@example.net/desk", "bad4", tigase, token_a);
  w.publish_and_wait(a, "p1", words);
  w.publish_and_wait(b, "p2", words);
  w.server().publish_raw(b, "p3", sealed);
  w.server().publish_raw(b, "p4", jingle);
  w.server().publish_raw(a, "p5", sealed, "bob@example.net");
  w.server().publish_raw("no-such-node", "p6", sealed);
  w.run_for(seconds(10));
  struct Trouble {
    uint16_t status;
    const char* reason;
  };
  const Trouble troubles[] = {
      {503, "ServiceUnavailable"}, {429, "TooManyRequests"},      {403, "ExpiredProviderToken"},
      {400, "PayloadEmpty"},       {413, "PayloadTooLarge"},      {400, "TopicDisallowed"},
      {400, "BadDeviceToken"},     {403, "InvalidProviderToken"}, {599, "aa0000 odd \xc3\xbc words"}};
  uint32_t number = 0;
  for (const Trouble& trouble : troubles) {
    w.provider(0).answer_all(trouble.status, trouble.reason);
    w.provider(1).answer_all(trouble.status, trouble.reason);
    for (const NodeText& node : {a, b}) {
      uint8_t room[16];
      Writer id(room);
      id.text("t").unsigned_number(number++);
      w.server().publish(node, id.view(), words);
    }
    w.run_for(minutes(30));
  }
  w.provider(0).accept_all();
  w.provider(1).accept_all();
  w.disk().faults().sync_failures = 1;
  w.send_register("cid@example.org/phone", "r1", tigase, token_c);
  w.run_for(seconds(1));
  const NodeText c = w.register_device("cid@example.org/phone", token_c);
  w.log().forbid(c);
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::refuse;
  w.provider(0).drop_connections();
  w.publish_and_wait(c, "p7", words);
  w.server().drop();
  w.run_for(seconds(10));
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::accept;
  w.run_for(minutes(5));
  w.provider(0).answer_all(410, "Unregistered");
  w.publish_and_wait(c, "p8", words);
  w.send_unregister(ann, "u1", tigase, token_b);
  w.wait_for_answer("u1");
  w.lose_power();
  w.start();
  w.publish_and_wait(b, "p9", words);
  w.expect_gone("p9");
  w.run_for(hours(26));
  w.expect_at_rest();
  w.terminate();
  w.run_for(seconds(5));
  assert_true(w.exited());
}

void no_secret_shows_up_in_the_log(void**) {
  World& w = world();
  busy_life(w);
  assert_true(w.log().total() > 40);
  assert_true(w.log().saw("event=push"));
  assert_true(w.log().saw("event=unregistered"));
  assert_int_equal(w.log().leaks(), 0);
}

void the_test_for_secrets_can_fail(void**) {
  World& w = world();
  w.log().count_leaks();
  w.log().forbid("org.example");
  w.log().forbid("apns/siskin");
  w.start();
  w.publish_and_wait(w.register_device(ann, token_a), "p1");
  assert_true(w.log().leaks() > 0);
}

uint64_t trace_of(uint64_t seed) {
  World& w = world();
  w.end();
  w.begin(seed, talkative.extra);
  w.simulation().network().path(World::server_address()).jitter = milliseconds(2);
  w.simulation().network().path(World::server_address()).to_gateway = {.piece_max = 300, .random_pieces = true};
  w.simulation().network().path(World::provider_address(0)).jitter = milliseconds(5);
  busy_life(w);
  return w.simulation().trace();
}

void the_same_seed_gives_the_same_life(void**) {
  // The key shares of TLS 1.3 come from the library's own generator, and with them no two lives are alike.
  if (contains(crypto_library(), " 3.")) skip();
  const uint64_t first = trace_of(5);
  const uint64_t second = trace_of(5);
  const uint64_t another = trace_of(6);
  assert_true(first == second);
  assert_false(first == another);
}

TESTS(whole, SCENARIO_WITH(no_secret_shows_up_in_the_log, talkative),
      SCENARIO_WITH(the_test_for_secrets_can_fail, talkative),
      SCENARIO_WITH(the_same_seed_gives_the_same_life, talkative));

}  // namespace
}  // namespace tocsin::test
