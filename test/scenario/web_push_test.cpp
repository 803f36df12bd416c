// Web Push: the section speaks with as many services as its devices name, and what
// goes wrong with one of them is nobody else's trouble.
#include "test/scenario/web_push_words.h"

namespace tocsin::test {
namespace {

constexpr Configured telling_of_messages_only{.extra =
                                                  "[webpush]\ncontact = mailto:ops@push.example.org\n"
                                                  "ca_file = /etc/ca.pem\nempty = drop\n"};

void a_browser_is_rung_with_a_sealed_message(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
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
  const NodeText keyed = subscribe(w, "ann@example.org/web", Subscribed(one));
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
  w.send_register(
      "ann@example.org/web", "r1", "webpush",
      Subscribed(one, "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw5"));
  w.wait_for_answer("r1");
  w.expect_answer("r1", "are no keys");
}

void a_subscription_that_is_gone_ends(void**) {
  World& w = world();
  w.start();
  for (const uint16_t status : {uint16_t{404}, uint16_t{410}}) {
    const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
    w.service(0).answer_all(status, "");
    w.publish_and_wait(node, status == 404 ? "p404" : "p410");
    w.expect_gone(status == 404 ? "p404" : "p410");
    w.service(0).answer_all(201, "");
  }
}

void what_a_service_says_of_itself_costs_no_device(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
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
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
  w.service(0).answer_next(1, 413, "");
  w.publish_and_wait(node, "p1", "Hello");
  w.expect_result("p1");
  assert_int_equal(w.service(0).requests(), 2);
  assert_true(w.service(0).request(1).body.view().size() < w.service(0).request(0).body.view().size());
}

void one_silent_service_does_not_stop_another(void**) {
  World& w = world();
  w.start();
  const NodeText silent = subscribe(w, "ann@example.org/web", Subscribed(one));
  const NodeText good = subscribe(w, "bob@example.org/web", Subscribed(two));
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
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed("https://nowhere.wild.example.org/x"));
  const NodeText good = subscribe(w, "bob@example.org/web", Subscribed(two));
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
    nodes[i] = subscribe(w, from.view(), Subscribed(url.view()));
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

// More dead origins than lanes: whoever has been silent for long gives way.
void dead_origins_do_not_keep_the_others_out(void**) {
  World& w = world();
  w.start();
  constexpr uint32_t count = 2 * Wiring::web_push_lanes;
  const Address hole = parse_ip("93.184.216.66", 443).value();
  w.simulation().network().path(hole).reach = sim::Reach::black_hole;
  const NodeText good = subscribe(w, "bob@example.org/web", Subscribed(two));
  for (uint32_t i = 0; i < count; ++i) {
    uint8_t room[100];
    Writer url(room);
    url.text("https://dead").unsigned_number(i).text(".wild.example.org");
    w.simulation().names().set(slice(url.view(), 8), hole);
    uint8_t name[40];
    Writer from(name);
    from.text("user").unsigned_number(i).text("@example.org/web");
    const NodeText dead = subscribe(w, from.view(), Subscribed(url.text("/x").view()));
    uint8_t id_room[8];
    Writer id(id_room);
    w.server().publish(dead, id.character('d').unsigned_number(i).view());
  }
  w.run_for(milliseconds(100));
  w.publish_and_wait(good, "p1", "Hello");
  w.expect_result("p1");  // queued
  w.run_for(minutes(1));
  assert_int_equal(w.service(1).requests(), 1);
  w.run_for(hours(25));
  w.expect_at_rest();
  assert_int_equal(w.gateway().registry().count(), count + 1);
}

void a_call_is_urgent_and_short(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
  w.server().publish_raw(node, "c1",
                         "<notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='submit'/>"
                         "<encrypted xmlns='tigase:push:encrypt:0' alg='aes-128-gcm' iv='q83vASNFZ4mrze8B' "
                         "type='voip'>pX3/+A==</encrypted></notification>");
  w.wait_for_answer("c1");
  w.expect_result("c1");
  assert_true(w.service(0).last().ttl.view() == "30");
  assert_true(w.service(0).last().urgency.view() == "high");
}

// What waits is replaced, and its Topic is the same: one message shows.
void wake_ups_replace_each_other(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/phone", one);
  for (const string_view id : {"p1", "p2", "p3", "p4"}) {
    w.server().publish_raw(node, id, "<notification xmlns='urn:xmpp:push:0'/>");
    w.wait_for_answer(id);
    w.expect_result(id);
  }
  w.run_for(minutes(1));
  assert_int_equal(w.service(0).requests(), 2);
  assert_true(w.service(0).request(0).replaces.view() == w.service(0).request(1).replaces.view());
  assert_false(w.service(0).last().replaces.empty());
  w.expect_at_rest();
}

// What Prosody publishes of a chat state, what ejabberd publishes of a receipt, and then a message.
void with_empty_drop_a_browser_is_told_of_messages_only(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
  w.server().publish_raw(
      node, "typing",
      "<notification xmlns='urn:xmpp:push:0'><x type='form' xmlns='jabber:x:data'>"
      "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:push:summary</value></field>"
      "<field var='message-count' type='text-single'><value>1</value></field>"
      "<field var='pending-subscription-count' type='text-single'/>"
      "<field var='last-message-sender' type='jid-single'><value>bob@example.net/phone</value></field>"
      "<field var='last-message-body' type='text-single'/></x></notification>");
  w.server().publish_raw(node, "receipt", "<notification xmlns='urn:xmpp:push:0'/>");
  for (const string_view id : {"typing", "receipt"}) {
    w.wait_for_answer(id);
    w.expect_result(id);
  }
  w.run_for(minutes(1));
  assert_int_equal(w.service(0).requests(), 0);
  w.publish_and_wait(node, "message");
  w.expect_result("message");
  assert_int_equal(w.service(0).requests(), 1);
  w.run_for(minutes(6));
  w.expect_at_rest();
}

void a_service_that_limits_a_device_is_obeyed(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
  w.service(0).retry_after("120");
  w.service(0).answer_all(429, "");
  w.publish_and_wait(node, "p1", "Hello");
  w.expect_result("p1");
  w.service(0).answer_all(201, "");
  w.run_for(seconds(119));
  assert_int_equal(w.service(0).requests(), 1);
  w.run_for(seconds(20));
  assert_int_equal(w.service(0).requests(), 2);
  w.expect_at_rest();
}

void a_token_is_signed_for_each_origin_and_used_again(void**) {
  World& w = world();
  w.start();
  const NodeText a = subscribe(w, "ann@example.org/web", Subscribed(one));
  const NodeText b = subscribe(w, "bob@example.org/web", Subscribed(two));
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
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
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
      SCENARIO_WITH(dead_origins_do_not_keep_the_others_out, with_web_push),
      SCENARIO_WITH(a_call_is_urgent_and_short, with_web_push),
      SCENARIO_WITH(wake_ups_replace_each_other, with_web_push),
      SCENARIO_WITH(with_empty_drop_a_browser_is_told_of_messages_only, telling_of_messages_only),
      SCENARIO_WITH(a_service_that_limits_a_device_is_obeyed, with_web_push),
      SCENARIO_WITH(a_token_is_signed_for_each_origin_and_used_again, with_web_push),
      SCENARIO_WITH(another_key_holds_devices_and_drops_none, with_web_push));

}  // namespace tocsin::test
