// Web Push: the section speaks with as many services as its devices name, and what
// goes wrong with one of them is nobody else's trouble.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

static constexpr Configured with_web_push{.extra =
                                              "[webpush]\ncontact = mailto:ops@push.example.org\n"
                                              "ca_file = /etc/ca.pem\n"};
static constexpr Configured at_home{.extra =
                                        "[webpush]\ncontact = mailto:ops@push.example.org\n"
                                        "ca_file = /etc/ca.pem\nallow_private = 10.0.0.0/24\n"};

// The receiver of RFC 8291, appendix A.
constexpr string_view p256dh =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
constexpr string_view auth = "BTBZMqHH6r4Tts7J_aSIgg";

struct Json {
  FixedText<1500> text;
  explicit Json(string_view endpoint, string_view key = p256dh) {
    uint8_t room[1500];
    Writer out(room);
    out.text(R"({"endpoint":")").text(endpoint).text(R"(","expirationTime":null,"keys":{"p256dh":")").text(key);
    out.text(R"(","auth":")").text(auth).text(R"("}})");
    GW_CHECK(!out.overflowed() && text.assign(out.view()));
  }
  operator string_view() const { return text.view(); }
};

NodeText subscribe(World& w, string_view from, string_view token) { return w.register_device(from, token, "webpush"); }

constexpr string_view one = "https://one.wild.example.org/push/abc?x=1";
constexpr string_view two = "https://two.wild.example.org/push/def";

void a_browser_is_rung_with_a_sealed_message(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Json(one));
  w.publish_and_wait(node, "p1", "Hello");
  w.expect_result("p1");
  assert_int_equal(w.service(0).requests(), 1);
  const SeenRequest& seen = w.service(0).last();
  assert_true(seen.path.view() == "/push/abc?x=1");
  assert_true(seen.authority.view() == "one.wild.example.org");
  assert_true(seen.ttl.view() == "86400");
  assert_true(seen.urgency.view() == "high");
  assert_true(seen.encoding.view() == "aes128gcm");
  assert_true(starts_with(seen.authorization.view(), "vapid t="));
  assert_true(seen.body.view().size() > 86 + 17);
  assert_false(contains(seen.body.view(), "Hello"));
  w.run_for(minutes(6));  // the connection is closed after a while
  assert_int_equal(w.service(0).alive(), 0);
  w.expect_at_rest();
}

void the_form_shows_the_key_to_subscribe_with(void**) {
  World& w = world();
  w.start();
  w.server().send(
      "<iq type='set' from='ann@example.org/web' to='push.example.org' id='f1'><command "
      "xmlns='http://jabber.org/protocol/commands' node='register-device'/></iq>");
  w.wait_for_answer("f1");
  w.expect_answer("f1", "<field var='vapid-key' type='fixed'");
}

void without_keys_a_device_is_only_woken(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/phone", one);
  w.publish_and_wait(node, "p1", "Hello");
  w.expect_result("p1");
  assert_true(w.service(0).last().encoding.empty());
  assert_int_equal(w.service(0).last().body.view().size(), 0);
}

void new_keys_of_the_same_endpoint_are_the_same_device(void**) {
  World& w = world();
  w.start();
  const NodeText bare = subscribe(w, "ann@example.org/web", one);
  const NodeText keyed = subscribe(w, "ann@example.org/web", Json(one));
  assert_true(string_view(bare) == string_view(keyed));
  w.publish_and_wait(keyed, "p1");
  assert_true(w.service(0).last().encoding.view() == "aes128gcm");
  w.send_unregister("ann@example.org/web", "u1", "webpush", one);
  w.wait_for_answer("u1");
  w.publish_and_wait(keyed, "p2");
  w.expect_gone("p2");
}

void keys_that_are_no_point_are_refused(void**) {
  World& w = world();
  w.start();
  w.send_register("ann@example.org/web", "r1", "webpush",
                  Json(one, "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw5"));
  w.wait_for_answer("r1");
  w.expect_answer("r1", "are no keys");
}

void a_subscription_that_is_gone_ends(void**) {
  World& w = world();
  w.start();
  for (const uint16_t status : {uint16_t{404}, uint16_t{410}}) {
    const NodeText node = subscribe(w, "ann@example.org/web", Json(one));
    w.service(0).answer_all(status, "");
    w.publish_and_wait(node, status == 404 ? "p404" : "p410");
    w.expect_gone(status == 404 ? "p404" : "p410");
    w.service(0).answer_all(201, "");
  }
}

void what_a_service_says_of_itself_costs_no_device(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Json(one));
  const uint16_t statuses[] = {500, 503, 301, 307, 403, 405, 415};
  for (const uint16_t status : statuses) {
    w.service(0).answer_all(status, "");
    uint8_t room[8];
    Writer id(room);
    id.character('p').unsigned_number(status);
    const uint64_t before = w.service(0).requests();
    w.publish_and_wait(node, id.view());
    w.expect_answer(id.view(), "<error type='wait'>");
    assert_int_equal(w.service(0).requests(), before + 1);  // no redirect is followed
    w.run_for(hours(25));                                   // retries end with the push
  }
  w.service(0).answer_all(201, "");
  w.publish_and_wait(node, "good");
  w.expect_result("good");
}

void too_large_goes_once_more_without_content(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Json(one));
  w.service(0).answer_next(1, 413, "");
  w.publish_and_wait(node, "p1", "Hello");
  w.expect_result("p1");
  assert_int_equal(w.service(0).requests(), 2);
  assert_true(w.service(0).request(1).body.view().size() < w.service(0).request(0).body.view().size());
}

void one_silent_service_does_not_stop_another(void**) {
  World& w = world();
  w.start();
  const NodeText silent = subscribe(w, "ann@example.org/web", Json(one));
  const NodeText good = subscribe(w, "bob@example.org/web", Json(two));
  w.service(0).conduct(FakeProvider::Conduct::deaf);
  w.server().publish(silent, "p1");
  w.run_for(milliseconds(500));
  w.publish_and_wait(good, "p2");
  w.expect_result("p2");
  assert_int_equal(w.service(1).requests(), 1);
  w.run_for(minutes(2));
  w.server().publish(silent, "p3");
  w.publish_and_wait(good, "p4");
  w.expect_result("p4");
  assert_int_equal(w.service(1).requests(), 2);
  w.service(0).conduct(FakeProvider::Conduct::proper);
  w.run_for(hours(1));
  assert_true(w.service(0).requests() > 0);
  w.expect_at_rest();
}

void a_service_that_can_not_be_reached_is_its_devices_trouble(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Json("https://nowhere.wild.example.org/x"));
  const NodeText good = subscribe(w, "bob@example.org/web", Json(two));
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  w.publish_and_wait(node, "p2");
  w.expect_wait("p2");
  w.publish_and_wait(good, "p3");
  w.expect_result("p3");
  assert_true(w.log().saw("origin_down"));
  assert_false(w.log().saw("provider_down"));
  w.run_for(hours(25));
  w.expect_at_rest();
}

// More origins than lanes: all are served, one after the other.
void more_services_than_lanes_take_turns(void**) {
  World& w = world();
  w.start();
  constexpr uint32_t count = 3 * Wiring::web_push_lanes;
  NodeText nodes[count];
  for (uint32_t i = 0; i < count; ++i) {
    uint8_t room[100];
    Writer url(room);
    url.text("https://n").unsigned_number(i).text(".wild.example.org");
    w.simulation().names().set(slice(url.view(), 8), World::provider_address(4));
    url.text("/push");
    uint8_t name[40];
    Writer from(name);
    from.text("user").unsigned_number(i).text("@example.org/web");
    nodes[i] = subscribe(w, from.view(), Json(url.view()));
  }
  for (uint32_t i = 0; i < count; ++i) {
    uint8_t room[8];
    Writer id(room);
    id.character('p').unsigned_number(i);
    w.server().publish(nodes[i], id.view());
    if (i % 4 == 3) w.run_for(seconds(2));  // the stand-in takes four connections at a time
  }
  w.run_for(minutes(20));
  assert_int_equal(w.service(0).requests(), count);
  w.expect_at_rest();
}

// Registered while the name was harmless, or not: the very addresses that are connected to are judged.
void names_that_stand_for_private_addresses_are_not_connected_to(void**) {
  World& w = world();
  w.start();
  const char* const evil[] = {
      "10.0.0.1",        "127.0.0.1",        "0.0.0.0",          "169.254.169.254", "172.16.0.1",   "192.168.1.1",
      "100.64.0.1",      "192.0.0.8",        "192.0.2.1",        "198.18.0.1",      "198.51.100.7", "203.0.113.9",
      "224.0.0.1",       "240.0.0.1",        "255.255.255.255",  "192.88.99.1",     "::1",          "::",
      "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1",   "64:ff9b::7f00:1", "fe80::1",      "febf::1",
      "fc00::1",         "fd12:3456::1",     "ff02::1",          "2002:a00:1::1",   "2001:db8::1",  "2001::1",
      "2001:10::1",      "100::1",           "64:ff9b:1::a00:1", "3fff::1",         "fec0::1"};
  const NodeText node = subscribe(w, "ann@example.org/web", Json(one));
  const Address fine = World::provider_address(4);
  uint32_t n = 0;
  for (const char* text : evil) {
    for (const bool with_a_good_one : {false, true}) {
      const Address addresses[] = {fine, parse_ip(text, 443).value()};
      w.simulation().names().set("one.wild.example.org",
                                 {addresses + (with_a_good_one ? 0 : 1), with_a_good_one ? 2u : 1u});
      uint8_t room[8];
      Writer id(room);
      id.character('e').unsigned_number(n++);
      w.publish_and_wait(node, id.view());
      w.expect_wait(id.view(), "internal-server-error");
      w.run_for(minutes(1));
    }
  }
  assert_int_equal(w.service(0).connections(), 0);
  assert_int_equal(w.provider(0).connections(), 1 * 0);
  w.simulation().names().set("one.wild.example.org", fine);
  w.publish_and_wait(node, "good");
  w.expect_result("good");
  w.expect_at_rest();
}

void spellings_that_hide_an_address_do_not_register(void**) {
  World& w = world();
  w.start();
  const char* const evil[] = {"https://127.0.0.1/",
                              "https://2130706433/",
                              "https://0x7f000001/",
                              "https://0x7f.1/",
                              "https://0177.0.0.1/",
                              "https://127.1/",
                              "https://127.0.0.1./",
                              "https://localhost./",
                              "https://[::1]/",
                              "https://[::ffff:127.0.0.1]/",
                              "https://[::ffff:7f00:1]/",
                              "https://[fe80::1%25eth0]/",
                              "https://user@10.0.0.1/",
                              "https://good.example@10.0.0.1/x",
                              "https://good.example#@10.0.0.1/",
                              "https://10.0.0.1\\@good.example/",
                              "http://one.wild.example.org/",
                              "https://one.wild.example.org:8443/x",
                              "https://one.wild.example.org:22/",
                              "https://ex\xc3\xa4mple.org/",
                              "https://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/",
                              "https://one%2ewild.example.org/",
                              "ftp://one.wild.example.org/",
                              "//one.wild.example.org/",
                              "https:///push",
                              "https://169.254.169.254/latest/meta-data",
                              "https://[64:ff9b::7f00:1]/",
                              "https://[2002:7f00:1::]/",
                              "https://one.wild.example.org:0443/",
                              "file:///etc/passwd"};
  uint32_t n = 0;
  for (const char* url : evil) {
    uint8_t room[8];
    Writer id(room);
    id.character('r').unsigned_number(n++);
    w.send_register("ann@example.org/web", id.view(), "webpush", url);
    w.wait_for_answer(id.view());
    w.expect_answer(id.view(), "type='error'");
  }
  assert_int_equal(w.gateway().registry().count(), 0);
}

void addresses_of_the_conf_may_be_private_and_at_any_port(void**) {
  World& w = world();
  w.start();
  w.simulation().names().set("one.wild.example.org", World::provider_address(0));
  w.simulation().names().set("localhost", World::provider_address(1));
  w.provider(0).speak(FakeProvider::Speech::web_push);
  w.provider(0).answer_all(201, "");
  const NodeText node = subscribe(w, "ann@example.org/web", Json(one));
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_int_equal(w.provider(0).requests(), 1);
  // Another port than 443 is for the listed alone.
  w.simulation().names().set("two.wild.example.org", World::provider_address(5));
  const NodeText odd = subscribe(w, "bob@example.org/web", Json("https://two.wild.example.org:8443/x"));
  w.publish_and_wait(odd, "p2");
  w.expect_wait("p2", "internal-server-error");
  assert_int_equal(w.service(1).connections(), 0);
}

void a_token_is_signed_for_each_origin_and_used_again(void**) {
  World& w = world();
  w.start();
  const NodeText a = subscribe(w, "ann@example.org/web", Json(one));
  const NodeText b = subscribe(w, "bob@example.org/web", Json(two));
  w.publish_and_wait(a, "p1");
  w.publish_and_wait(b, "p2");
  w.run_for(hours(11));
  w.publish_and_wait(a, "p3");
  const FixedText<1024> first = w.service(0).request(0).authorization;
  assert_true(w.service(0).last().authorization.view() == first.view());
  assert_false(w.service(1).last().authorization.view() == first.view());
  w.run_for(hours(2));
  w.publish_and_wait(a, "p4");
  assert_false(w.service(0).last().authorization.view() == first.view());
}

void another_key_holds_devices_and_drops_none(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Json(one));
  w.service(0).answer_all(400, R"({"reason":"VapidPkHashMismatch"})");
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  assert_int_equal(w.gateway().registry().count(), 1);
  assert_true(w.log().saw("device_held"));
}

}  // namespace

TESTS(web_push, SCENARIO_WITH(a_browser_is_rung_with_a_sealed_message, with_web_push),
      SCENARIO_WITH(the_form_shows_the_key_to_subscribe_with, with_web_push),
      SCENARIO_WITH(without_keys_a_device_is_only_woken, with_web_push),
      SCENARIO_WITH(new_keys_of_the_same_endpoint_are_the_same_device, with_web_push),
      SCENARIO_WITH(keys_that_are_no_point_are_refused, with_web_push),
      SCENARIO_WITH(a_subscription_that_is_gone_ends, with_web_push),
      SCENARIO_WITH(what_a_service_says_of_itself_costs_no_device, with_web_push),
      SCENARIO_WITH(too_large_goes_once_more_without_content, with_web_push),
      SCENARIO_WITH(one_silent_service_does_not_stop_another, with_web_push),
      SCENARIO_WITH(a_service_that_can_not_be_reached_is_its_devices_trouble, with_web_push),
      SCENARIO_WITH(more_services_than_lanes_take_turns, with_web_push),
      SCENARIO_WITH(names_that_stand_for_private_addresses_are_not_connected_to, with_web_push),
      SCENARIO_WITH(spellings_that_hide_an_address_do_not_register, with_web_push),
      SCENARIO_WITH(addresses_of_the_conf_may_be_private_and_at_any_port, at_home),
      SCENARIO_WITH(a_token_is_signed_for_each_origin_and_used_again, with_web_push),
      SCENARIO_WITH(another_key_holds_devices_and_drops_none, with_web_push));

}  // namespace tocsin::test
