// Connections that never stand: certificates that do not fit, peers that do not
// speak, a clock that was never set. Publishers get `wait`, the operator a
// sentence, once, and it goes on by itself when the cause is gone.
#include "test/scenario/world.h"
#include "test/support/certs.h"

namespace tocsin::test {
namespace {

using Conduct = FakeProvider::Conduct;

class OwnRandom : public RandomSource {
 public:
  void fill(Bytes room) override { random_.fill(room); }

 private:
  sim::Random random_{11};
};

OwnRandom own_random;
TlsIdentity identities[5];
uint32_t identities_used = 0;

const TlsIdentity& identity_of(const char* chain, const char* key) {
  assert_true(identities_used < 5);
  TlsIdentity& identity = identities[identities_used++];
  assert_true(identity.load(chain, key, own_random));
  return identity;
}

// The story of every trouble that comes before the first request: begins with a provider that
// does not do, ends when mend() made it good.
template <class Mend>
void expect_trouble(string_view sentence, Mend&& mend) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  const uint64_t before = w.simulation().network().connects();
  w.server().publish(node, "p1");
  w.run_for(seconds(30));
  w.expect_wait("p1");
  w.run_for(minutes(15));
  const uint64_t tries = w.simulation().network().connects() - before;
  assert_true(tries >= 15 && tries <= 45);
  w.server().publish(node, "p2");
  w.run_for(seconds(70));
  if (!contains(w.log().last("event=provider_down"), sentence))
    print_error("%s\n", w.log().last("event=provider_down").data());
  assert_true(contains(w.log().last("event=provider_down"), sentence));
  assert_true(contains(w.log().last("event=provider_down"), "(api.push.example.org)"));
  assert_int_equal(w.log().count("event=provider_down"), 1);
  assert_int_equal(w.log().count("event=provider_up"), 0);
  w.expect_requests(0);
  mend(w);
  w.run_for(seconds(70));
  w.expect_requests(1);  // what waited, all of it in one
  assert_int_equal(w.log().count("event=provider_up"), 1);
  w.run_for(seconds(10));
  w.publish_and_wait(node, "p3");
  w.expect_result("p3");
  w.expect_requests(2);
  w.expect_at_rest();
}

void present(const TlsIdentity& identity, string_view sentence) {
  const TlsIdentity& good = identity_of(cert_ec_leaf, key_ec_leaf);
  world().provider().identify(identity);
  expect_trouble(sentence, [&](World& w) { w.provider().identify(good); });
  identities_used = 0;
  for (TlsIdentity& each : identities) {
    each.~TlsIdentity();
    new (&each) TlsIdentity;
  }
}

void a_certificate_for_another_name(void**) {
  present(identity_of(cert_wide, key_wide), "the certificate is not for api.push.example.org");
}

void a_certificate_of_an_unknown_root(void**) {
  present(identity_of(cert_unknown, key_unknown), "the certificate is signed by no root of ca_file");
}

void a_certificate_that_has_expired(void**) {
  present(identity_of(cert_expired, key_expired), "the certificate has expired");
}

void a_certificate_that_signs_itself(void**) {
  present(identity_of(cert_selfsigned, key_selfsigned), "the certificate is self-signed and not in ca_file");
  assert_true(world().log().saw("check=\"ca_file of the section must hold the root above that certificate; "));
}

void a_peer_that_hangs_up(void**) {
  world().provider().conduct(Conduct::hang_up);
  expect_trouble("closed by the provider during the TLS handshake",
                 [](World& w) { w.provider().conduct(Conduct::proper); });
}

void nobody_listens(void**) {
  World& w = world();
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::refuse;
  expect_trouble("connection refused", [](World& w2) {
    w2.simulation().network().path(World::provider_address(0)).reach = sim::Reach::accept;
  });
}

void the_name_can_not_be_looked_up(void**) {
  World& w = world();
  w.simulation().names().fails("api.push.example.org", Error::not_found);
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.server().publish(node, "p1");
  w.run_for(seconds(2));
  w.expect_wait("p1");
  w.run_for(hours(1));
  assert_true(contains(w.log().last("event=provider_down"), "the name can not be looked up: not found"));
  assert_int_equal(w.log().count("event=provider_down"), 1);
  assert_true(w.port().net().lookups() >= 50 && w.port().net().lookups() <= 140);
  w.simulation().names().set("api.push.example.org", World::provider_address(0));
  w.run_for(seconds(70));
  w.expect_requests(1);
  w.expect_at_rest();
}

// Publishers are not kept waiting for more than 5 s, whatever takes how long.
void expect_slow_trouble(string_view sentence, Duration each) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.server().publish(node, "p1");
  w.run_for(milliseconds(5'100));
  w.expect_result("p1");  // not known yet: it goes on
  w.run_for(each + seconds(1));
  assert_true(contains(w.log().last("event=provider_down"), sentence));
  w.server().publish(node, "p2");  // known now, until the next try begins
  w.run_for(minutes(30));
  assert_int_equal(w.log().count("event=provider_down"), 1);
  assert_int_equal(w.server().answers("p2"), 1);
  w.expect_requests(0);
}

void a_peer_that_is_deaf(void**) {
  world().provider().conduct(Conduct::deaf);
  expect_slow_trouble("the TLS handshake took too long", seconds(10));
  world().provider().conduct(Conduct::proper);
  world().run_for(seconds(80));
  world().expect_requests(1);
}

void a_peer_that_sends_no_settings(void**) {
  world().provider().conduct(Conduct::no_settings);
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.server().publish(node, "p1");
  w.run_for(minutes(3));
  w.expect_result("p1");
  assert_true(contains(w.log().last("event=provider_down"), "no HTTP/2 SETTINGS came"));
  assert_int_equal(w.log().count("event=provider_up"), 0);
  w.expect_requests(0);
}

void a_resolver_that_says_nothing(void**) {
  world().simulation().names().fails("api.push.example.org", Error::timed_out, sim::NameTable::silence);
  expect_slow_trouble("the name can not be looked up: timed out", seconds(10));
  world().simulation().names().set("api.push.example.org", World::provider_address(0));
  world().run_for(seconds(80));
  world().expect_requests(1);
}

// More roots than are warmed up when they are read: the rest follows in slices, before the first connection.
void a_large_bundle_is_warmed_up_between_turns(void**) {
  static char bundle[64 * 1024];
  Writer out{Bytes(reinterpret_cast<uint8_t*>(bundle), sizeof bundle - 1)};
  for (uint32_t i = 0; i < 50; ++i) out.text(cert_other_root);
  out.text(cert_ec_root);
  assert_false(out.overflowed());
  World& w = world();
  w.trust(bundle);
  w.start_alone();
  const uint64_t before = w.simulation().turns();
  w.run_for(microseconds(1));
  assert_true(w.simulation().turns() - before >= 51 / 4);  // at once, but with turns between the slices
  w.run_for(seconds(1));
  const uint64_t woken = w.port().wake_ups();
  w.run_for(hours(1));
  assert_true(w.port().wake_ups() - woken < 300);
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
}

// ---- the clock ---------------------------------------------------------------

void without_a_clock_nothing_is_signed_and_nobody_connected_to(void**) {
  World& w = world();
  w.simulation().set_wall(UnixTime{120});
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  const uint64_t before = w.simulation().network().connects();
  w.server().publish(node, "p1");
  w.run_for(minutes(10));
  w.expect_wait("p1");
  assert_int_equal(w.simulation().network().connects(), before);
  assert_true(contains(w.log().last("event=provider_down"), "the clock was never set"));
  assert_true(contains(w.log().last("event=provider_down"), "set the system's clock"));
  assert_int_equal(w.log().count("event=provider_down"), 1);
  w.simulation().set_wall(UnixTime{1'800'000'000});
  w.run_for(seconds(31));
  w.expect_requests(1);
  w.run_for(seconds(10));
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  w.expect_at_rest();
}

TESTS(connection_tls, SCENARIO(a_certificate_for_another_name), SCENARIO(a_certificate_of_an_unknown_root),
      SCENARIO(a_certificate_that_has_expired), SCENARIO(a_certificate_that_signs_itself),
      SCENARIO(a_peer_that_hangs_up), SCENARIO(nobody_listens), SCENARIO(the_name_can_not_be_looked_up),
      SCENARIO(a_peer_that_is_deaf), SCENARIO(a_peer_that_sends_no_settings), SCENARIO(a_resolver_that_says_nothing),
      SCENARIO(a_large_bundle_is_warmed_up_between_turns),
      SCENARIO(without_a_clock_nothing_is_signed_and_nobody_connected_to));

}  // namespace
}  // namespace tocsin::test
