// APNs by certificate: the handshake says who we are, and no request does.
#include "test/scenario/world.h"
#include "test/support/certs.h"

namespace tocsin::test {
namespace {

constexpr string_view ann = "ann@example.org/phone";
constexpr const char* by_certificate =
    "[xmpp]\nserver = xmpp.example.org:5347\nallow_cleartext = yes\ndomain = push.example.org\nsecret = s3cr3t\n"
    "[apns siskin]\nprovider = tigase:messenger:apns:1\ncertificate = /etc/apns.pem\ntopic = org.example.siskin\n"
    "endpoint = https://api.push.example.org:443\nca_file = /etc/ca.pem\n";

World& begin() {
  World& w = world();
  w.write_conf(by_certificate);
  w.provider().ask_certificate(cert_push_root);
  return w;
}

void the_certificate_is_shown_and_no_token(void**) {
  World& w = begin();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.expect_requests(1);
  assert_true(w.provider().last().certificate);
  assert_true(w.provider().last().authorization.empty());
  assert_true(w.provider().last().topic.view() == "org.example.siskin");
  w.provider().drop_connections();
  w.run_for(minutes(1));
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  assert_int_equal(w.provider().connections(), 2);
  assert_true(w.provider().last().certificate);
  w.expect_at_rest();
}

void a_section_with_a_key_shows_no_certificate(void**) {
  World& w = world();
  w.provider().ask_certificate(cert_push_root);
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_false(w.provider().last().certificate);
  assert_false(w.provider().last().authorization.empty());
}

void with_an_expired_certificate_the_section_is_off_and_keeps_its_devices(void**) {
  World& w = begin();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.crash();
  w.spoil_key(0);  // expected
  w.show_certificate(cert_push_expired, key_push_expired);
  w.start();
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  w.expect_requests(0);
  assert_true(w.gateway().certificate_remark(0) ==
              "it has expired, on 2021-01-01: renew it in the Apple developer account");
  w.crash();
  w.show_certificate(cert_push_ec, key_push_ec);
  w.start();
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
}

void a_certificate_for_another_app_is_told_before_apple_says_so(void**) {
  World& w = begin();
  w.set("apns/siskin.topic=org.example.other");
  w.spoil_key(0);
  w.start();
  assert_true(w.gateway().section(0).off);
  assert_true(w.gateway().certificate_remark(0) ==
              "it is for org.example.siskin, org.example.siskin.voip, not for the topic of this section");
}

void a_certificate_that_ends_soon_is_told_and_used(void**) {
  World& w = begin();
  w.simulation().set_wall(UnixTime{4'733'510'400 - 20 * 86'400});  // it ends with 2119
  w.start();
  assert_false(w.gateway().section(0).off);
  assert_true(starts_with(w.gateway().certificate_remark(0), "it ends on 2120-01-01: renew it"));
}

void before_the_clock_is_set_no_certificate_is_called_early(void**) {
  World& w = begin();
  w.simulation().set_wall(UnixTime{100});
  w.start();
  assert_false(w.gateway().section(0).off);
  const NodeText node = w.register_device(ann, token_a);
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  assert_true(contains(w.log().last("event=provider_down"), "not valid yet: check the clock"));
  w.simulation().set_wall(UnixTime{1'800'000'000});
  w.run_for(minutes(3));
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
}

void a_certificate_that_apple_refuses_pauses_the_section_and_ends_nobody(void**) {
  for (const char* word : {"BadCertificate", "BadCertificateEnvironment"}) {
    World& w = world();
    if (!w.running()) begin().start();
    const NodeText node = w.register_device(ann, token_a);
    w.provider().answer_all(403, word);
    const uint64_t before = w.provider().requests();
    w.publish_and_wait(node, word);
    w.expect_wait(word);
    assert_true(contains(w.log().last("event=provider_down"), word));
    assert_true(contains(w.log().last("event=provider_down"), "check the certificate"));
    w.run_for(minutes(19));
    assert_int_equal(w.provider().requests(), before + 1);
    assert_int_equal(w.gateway().registry().count(), 1);
    w.provider().accept_all();
    w.run_for(minutes(5));
    assert_int_equal(w.provider().requests(), before + 2);
  }
}

void with_another_certificate_earlier_successes_prove_nothing(void**) {
  World& w = begin();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.publish_and_wait(node, "p1");
  const uint32_t before = w.gateway().section(0).fingerprint;
  w.crash();
  w.show_certificate(cert_push_ec, key_push_ec);
  w.start();
  assert_int_not_equal(w.gateway().section(0).fingerprint, before);
  w.provider().answer_all(400, "DeviceTokenNotForTopic");
  w.publish_and_wait(node, "p2");
  w.expect_wait("p2");
  assert_int_equal(w.gateway().registry().count(), 1);
}

TESTS(certificates, SCENARIO(the_certificate_is_shown_and_no_token),
      SCENARIO(a_section_with_a_key_shows_no_certificate),
      SCENARIO(with_an_expired_certificate_the_section_is_off_and_keeps_its_devices),
      SCENARIO(a_certificate_for_another_app_is_told_before_apple_says_so),
      SCENARIO(a_certificate_that_ends_soon_is_told_and_used),
      SCENARIO(before_the_clock_is_set_no_certificate_is_called_early),
      SCENARIO(a_certificate_that_apple_refuses_pauses_the_section_and_ends_nobody),
      SCENARIO(with_another_certificate_earlier_successes_prove_nothing));

}  // namespace
}  // namespace tocsin::test
