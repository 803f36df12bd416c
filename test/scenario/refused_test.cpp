// Devices that are turned away, as the log tells of them.
#include "test/scenario/clients.h"
#include "test/scenario/endpoints.h"

namespace tocsin::test {
namespace {

constexpr string_view tigase = "tigase:messenger:apns:1";
constexpr string_view ann_phone = "ann@example.org/phone";
constexpr string_view event = "event=register_refused";

uint64_t lines(World& w) { return w.log().count(event); }

void turn_away(string_view from, string_view id, string_view provider, string_view token) {
  World& w = world();
  w.send_register(from, id, provider, token);
  w.wait_for_answer(id);
  w.expect_answer(id, "type='error'");
}

void expect_last(std::initializer_list<string_view> parts) {
  const string_view line = world().log().last(event);
  for (const string_view part : parts) {
    if (!contains(line, part)) print_error("%.*s\n", static_cast<int>(line.size()), line.data());
    assert_true(contains(line, part));
  }
}

void an_account_of_another_domain_is_said_with_what_the_conf_has(void**) {
  World& w = world();
  w.start();
  turn_away("eve@example.net/phone", "r1", tigase, token_a);
  assert_int_equal(lines(w), 1);
  expect_last({"level=warn", "dialect=tigase", "reason=\"not of accounts\"", "accounts in [xmpp] has example.org\""});
  assert_false(contains(w.log().last(event), "eve@"));
  assert_false(contains(w.log().last(event), "example.net"));
}

void an_unknown_provider_id_is_named(void**) {
  World& w = world();
  w.start();
  turn_away(ann_phone, "r1", "my.app:apns:1", token_a);
  expect_last({"dialect=tigase", "reason=\"unknown provider id\"", "provider_id=my.app:apns:1",
               "write it into provider of its section"});
}

// Said at all, but not repeated: it may be an address, a token, or made for who reads the log.
void what_is_no_provider_id_stays_out_of_the_log(void**) {
  const string_view hostile[] = {
      "eve@example.net",
      token_a,
      "0123456789abcdef0123456789abcdef",
      "a b",
      "x\xe2\x80\xae",
      "a-name-that-is-far-too-long-to-be-one-of-an-app-or-service",
  };
  World& w = world();
  for (const string_view id : hostile) {
    w.end();
    w.begin(1);
    w.start();
    turn_away(ann_phone, "r1", id, token_b);
    assert_int_equal(lines(w), 1);
    expect_last({"reason=\"unknown provider id\" check="});
  }
}

void each_reason_is_said_once_an_hour(void**) {
  World& w = world();
  w.start();
  uint8_t room[32];
  for (uint32_t i = 0; i < 200; ++i) {
    Writer id(room);
    id.text("r").unsigned_number(i);
    turn_away("eve@example.net/phone", id.view(), tigase, token_a);
  }
  assert_int_equal(lines(w), 1);
  w.run_for(hours(1));
  turn_away("eve@example.net/phone", "late", tigase, token_a);
  assert_int_equal(lines(w), 2);
}

void of_unknown_ids_four_are_said(void**) {
  World& w = world();
  w.start();
  uint8_t room[32];
  for (uint32_t i = 0; i < 40; ++i) {
    Writer id(room);
    id.text("app:").unsigned_number(i % 20);
    turn_away(ann_phone, id.view(), id.view(), token_a);
  }
  assert_int_equal(lines(w), 4);
  w.run_for(hours(1));
  turn_away(ann_phone, "late", "app:19", token_a);
  assert_int_equal(lines(w), 5);
}

// Else anybody could choose what the log says, and use up what it says in an hour.
void of_a_stranger_nothing_is_said_but_that_he_is_one(void**) {
  World& w = world();
  w.start();
  turn_away("eve@example.net/phone", "r1", "my.app:apns:1", "");
  expect_last({"reason=\"not of accounts\""});
  assert_false(contains(w.log().last(event), "field="));
  turn_away("eve@example.net/phone", "r2", "", token_a);
  assert_int_equal(lines(w), 1);
  turn_away(ann_phone, "r3", "", token_a);
  assert_int_equal(lines(w), 2);
}

void a_missing_field_and_a_bad_token_are_said(void**) {
  World& w = world();
  w.start();
  turn_away(ann_phone, "r1", tigase, "");
  expect_last({"dialect=tigase", "reason=\"field missing or odd\"", "field=device-token"});
  turn_away(ann_phone, "r2", tigase, "secret-token-of-somebody");
  expect_last({"reason=\"no token of this provider\""});
  assert_false(contains(w.log().last(event), "secret-token"));
}

constexpr FormField conversations[] = {{"token", "fcm:APA91b_x-1"}, {"android-id", "92afd7a91cdba9a0"}};

void without_a_section_of_that_kind_it_is_said(void**) {
  World& w = world();
  w.start();
  ask_command(ann_phone, "r1", "register-push-fcm", " action='execute'", conversations);
  w.expect_gone("r1");
  w.expect_answer("r1", ">The conf of this gateway has no section for this command.</text>");
  expect_last({"dialect=p2", "reason=\"no section for it\"", "service=fcm"});
  ask_command(ann_phone, "u1", "unregister-push-fcm", " action='execute'", conversations);
  w.expect_gone("u1");
  assert_int_equal(lines(w), 1);
}

constexpr Configured two_sections = {.two = true};

void several_sections_of_which_none_takes_it_are_said_to_app_and_log(void**) {
  World& w = world();
  w.start();
  ask_command(ann_phone, "r1", "register-push-apns", " action='execute'", conversations);
  w.expect_gone("r1");
  w.expect_answer("r1",
                  ">The conf of this gateway has several sections of this kind, and dialect = p2 in none of them.<");
  expect_last({"dialect=p2", "reason=\"several sections\"", "service=apns", "write dialect = p2 into"});
}

void an_endpoint_is_refused_aloud_where_none_are_offered(void**) {
  World& w = world();
  w.start();
  send_register(w, ann, "e1");
  w.wait_for_answer("e1");
  w.expect_answer("e1", "<error type='cancel'><service-unavailable ");
  expect_last({"dialect=unified_push", "reason=\"no section for it\""});
}

void who_has_too_many_devices_is_turned_away_aloud(void**) {
  World& w = world();
  w.set("limits.devices_per_account=1");
  w.start();
  (void)w.register_device(ann_phone, token_a);
  turn_away(ann_phone, "r2", tigase, token_b);
  expect_last({"dialect=tigase", "reason=\"too many devices\""});
}

void a_registration_tells_its_dialect(void**) {
  World& w = world();
  w.start();
  (void)w.register_device(ann_phone, token_a);
  assert_true(contains(w.log().last("event=registered"), " dialect=tigase "));
  const FormField fields[] = {{"token", token_b}, {"android-id", "92afd7a91cdba9a0"}};
  ask_command(ann_phone, "r2", "register-push-apns", " action='execute'", fields);
  assert_true(contains(w.log().last("event=registered"), " dialect=p2 "));
  assert_int_equal(lines(w), 0);
}

TESTS(refused, SCENARIO(an_account_of_another_domain_is_said_with_what_the_conf_has),
      SCENARIO(an_unknown_provider_id_is_named), SCENARIO(what_is_no_provider_id_stays_out_of_the_log),
      SCENARIO(each_reason_is_said_once_an_hour), SCENARIO(of_unknown_ids_four_are_said),
      SCENARIO(of_a_stranger_nothing_is_said_but_that_he_is_one), SCENARIO(a_missing_field_and_a_bad_token_are_said),
      SCENARIO(without_a_section_of_that_kind_it_is_said),
      SCENARIO_WITH(several_sections_of_which_none_takes_it_are_said_to_app_and_log, two_sections),
      SCENARIO(an_endpoint_is_refused_aloud_where_none_are_offered),
      SCENARIO(who_has_too_many_devices_is_turned_away_aloud), SCENARIO(a_registration_tells_its_dialect));

}  // namespace
}  // namespace tocsin::test
