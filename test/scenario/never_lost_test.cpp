// No device is lost by a mistake of ours, and all that are really gone are removed.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr uint32_t crowd = 500;
constexpr uint32_t stayers = 100;
NodeText nodes[crowd + stayers];

// Registers devices 0 … count-1 without waiting for each.
void register_crowd(World& w, uint32_t count) {
  for (uint32_t first = 0; first < count; first += 50) {
    for (uint32_t i = first; i < first + 50; ++i) {
      uint8_t room[64];
      Writer from(room);
      from.text("user").unsigned_number(i).text("@example.org/phone");
      uint8_t id_room[16];
      Writer id(id_room);
      id.text("c").unsigned_number(i);
      w.send_register(from.view(), id.view(), "tigase:messenger:apns:1", token_number(i));
    }
    w.run_for(seconds(1));
    for (uint32_t i = first; i < first + 50; ++i) {
      uint8_t id_room[16];
      Writer id(id_room);
      id.text("c").unsigned_number(i);
      const string_view answer = w.server().answer(id.view());
      const string_view mark = "<field var='node' type='text-single'><value>";
      const size_t at = answer.find(mark);
      assert_true(at != string_view::npos);
      assert_true(nodes[i].text.assign(slice(answer, at + mark.size(), NodeId::text_size)));
    }
  }
  assert_int_equal(w.gateway().registry().count(), count);
}

// Publishes number first … to the crowd; how many of the answers were `wait`.
uint32_t publish_to_crowd(World& w, uint32_t first) {
  const uint32_t waits = w.server().numbered_waits();
  for (uint32_t i = 0; i < crowd; ++i) {
    w.server().publish_numbered(nodes[i], first + i);
    w.run_for(milliseconds(50));
  }
  w.run_for(seconds(10));
  assert_int_equal(w.server().numbered_answered(), first + crowd);
  assert_int_equal(w.server().numbered_twice(), 0);
  return w.server().numbered_waits() - waits;
}

uint32_t held_devices(World& w) {
  uint32_t held = 0;
  for (uint32_t i = 0; const Device* device = w.gateway().registry().device_at(i); ++i) held += device->held;
  return held;
}

// What Apple says to all when the topic is not that of the app.
void mistake_the_topic(World& w, string_view word) {
  w.start();
  register_crowd(w, crowd);
  assert_int_equal(publish_to_crowd(w, 0), 0);
  w.set("apns/siskin.topic=org.example.mistake");
  w.restart();
  w.log().clear();
  w.provider().answer_all(400, word);
  assert_int_equal(publish_to_crowd(w, crowd), crowd);
  assert_int_equal(w.gateway().registry().count(), crowd);
  w.run_for(days(3));
  assert_int_equal(publish_to_crowd(w, 2 * crowd), crowd);
  assert_int_equal(w.gateway().registry().count(), crowd);
  // The operator reads the log.
  w.set("apns/siskin.topic=org.example.siskin");
  w.restart();
  w.provider().accept_all();
  w.publish_and_wait(nodes[7], "p1");
  w.expect_result("p1");
  w.run_for(seconds(10));
  assert_int_equal(held_devices(w), 0);
  assert_int_equal(publish_to_crowd(w, 3 * crowd), 0);
  w.expect_at_rest();
}

void a_wrong_topic_loses_none_of_five_hundred_devices(void**) { mistake_the_topic(world(), "DeviceTokenNotForTopic"); }
void a_topic_of_another_environment_loses_none_of_five_hundred_devices(void**) {
  mistake_the_topic(world(), "BadDeviceToken");
}
void a_topic_that_is_not_allowed_loses_and_holds_none_of_five_hundred_devices(void**) {
  mistake_the_topic(world(), "TopicDisallowed");
}

void what_is_held_is_said_once_and_loudly(void**) {
  World& w = world();
  w.start();
  register_crowd(w, 50);
  w.provider().answer_all(400, "DeviceTokenNotForTopic");
  for (uint32_t i = 0; i < 50; ++i) {
    w.server().publish_numbered(nodes[i], i);
    w.run_for(minutes(20));
  }
  assert_int_equal(w.log().count("event=device_held"), 1);
  const string_view line = w.log().last("event=device_held");
  for (const string_view part : {"level=error", "provider=apns/siskin", "reason=DeviceTokenNotForTopic", "held=1",
                                 "check=\"check topic: the token belongs to another app\""})
    assert_true(contains(line, part));
  w.run_for(hours(10));
  w.server().publish_numbered(nodes[3], 50);  // the day's probe: it is still so
  w.run_for(seconds(10));
  assert_int_equal(w.log().count("event=device_held"), 2);
  assert_true(contains(w.log().last("event=device_held"), "held=50"));
}

void a_wrong_environment_loses_none_of_a_household_of_five(void**) {
  World& w = world();
  w.start();
  const char* ids[3][5] = {
      {"a0", "a1", "a2", "a3", "a4"}, {"b0", "b1", "b2", "b3", "b4"}, {"d0", "d1", "d2", "d3", "d4"}};
  for (uint32_t i = 0; i < 5; ++i) {
    uint8_t room[64];
    Writer from(room);
    from.text("user").unsigned_number(i).text("@example.org/phone");
    nodes[i] = w.register_device(from.view(), token_number(i));
    w.publish_and_wait(nodes[i], ids[0][i]);
    w.expect_result(ids[0][i]);
  }
  w.run_for(seconds(10));
  w.set("apns/siskin.environment=sandbox");
  w.restart();
  w.provider().answer_all(400, "BadDeviceToken");
  for (uint32_t i = 0; i < 5; ++i) {
    w.publish_and_wait(nodes[i], ids[1][i]);
    w.expect_wait(ids[1][i]);
  }
  w.run_for(days(2));
  assert_int_equal(w.gateway().registry().count(), 5);
  assert_int_equal(held_devices(w), 5);
  w.set("apns/siskin.environment=production");
  w.restart();
  w.provider().accept_all();
  for (uint32_t i = 0; i < 5; ++i) {
    w.publish_and_wait(nodes[i], ids[2][i]);
    w.expect_result(ids[2][i]);
    w.run_for(seconds(1));
  }
  assert_int_equal(held_devices(w), 0);
  w.expect_at_rest();
}

// Apple's word about devices that uninstall the app one after the other.
class Month : public FakeProvider::Decider {
 public:
  explicit Month(World& w) : w_(w) {}
  void uninstall(uint32_t number) { gone_at_[number] = w_.simulation().wall().s * 1000; }
  const FakeProvider::Rule& decide(string_view path) override {
    rule_ = {};
    for (uint32_t i = 0; i < crowd; ++i) {
      if (gone_at_[i] == 0 || !ends_with(path, token_number(i))) continue;
      rule_.status = 410;
      rule_.timestamp_ms = gone_at_[i];
      GW_CHECK(rule_.reason.assign("Unregistered"));
    }
    return rule_;
  }

 private:
  World& w_;
  FakeProvider::Rule rule_;
  int64_t gone_at_[crowd] = {};
};

void five_hundred_honest_uninstalls_over_a_month_are_all_removed(void**) {
  World& w = world();
  Month month(w);
  w.provider().ask(&month);
  w.start();
  register_crowd(w, crowd + stayers);
  w.run_for(hours(1));
  sim::Random random(1);
  for (uint32_t i = 0; i < crowd; ++i) {
    w.run_for(seconds(static_cast<int64_t>(random.below(2 * 30 * 86'400 / crowd))));
    month.uninstall(i);
    w.server().publish_numbered(nodes[i], 2 * i);
    w.server().publish_numbered(nodes[crowd + i % stayers], 2 * i + 1);
  }
  w.run_for(minutes(1));
  w.provider().ask(nullptr);
  assert_int_equal(w.server().numbered_answered(), 2 * crowd);
  assert_int_equal(w.server().numbered_waits(), 0);
  assert_int_equal(held_devices(w), 0);
  assert_int_equal(w.gateway().registry().count(), stayers);
  w.expect_at_rest();
}

uint32_t dead_of_twenty(World& w) {
  w.start();
  register_crowd(w, 50);
  w.provider().answer_all(410, "Unregistered");
  for (uint32_t i = 0; i < 20; ++i) {
    w.server().publish_numbered(nodes[i], i);
    w.run_for(seconds(1));
  }
  const uint32_t dropped = 50 - w.gateway().registry().count();
  assert_int_equal(held_devices(w), 20 - dropped);
  assert_int_equal(w.log().count("event=device_held"), dropped < 20 ? 1 : 0);
  w.expect_at_rest();
  return dropped;
}

constexpr Configured careful = {.extra = "[limits]\nbrake_devices = 2\nbrake_percent = 0\n"};
void the_brake_can_be_set_tighter(void**) { assert_int_equal(dead_of_twenty(world()), 2); }

constexpr Configured generous = {.extra = "[limits]\nbrake_devices = 2\nbrake_percent = 20\n"};
void both_limits_must_be_passed_for_the_brake(void**) { assert_int_equal(dead_of_twenty(world()), 10); }

constexpr Configured trusting = {.extra = "[limits]\nbrake_percent = 100\n"};
void the_brake_can_be_turned_off(void**) { assert_int_equal(dead_of_twenty(world()), 20); }

constexpr Configured never_drops = {.extra = "[limits]\nbrake_devices = 0\nbrake_percent = 0\n"};
void the_brake_can_hold_whatever_dies(void**) { assert_int_equal(dead_of_twenty(world()), 0); }

constexpr Configured two_sections = {.two = true};

// The word was about the app that the phone had before.
void move_while_a_push_is_under_way(uint16_t status, string_view word, int64_t timestamp_ms) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.run_for(seconds(10));
  w.provider(0).act(FakeProvider::Act::stall);
  w.server().publish(node, "p2");
  w.run_for(seconds(1));
  const NodeText same = w.register_device("ann@example.org/phone", token_a, "other:apns:1");
  assert_string_equal(node.text.c_str(), same.text.c_str());
  w.provider(0).answer_all(status, word, timestamp_ms);
  w.provider(0).release_stalled();
  w.run_for(seconds(5));
  w.expect_wait("p2");
  assert_int_equal(w.gateway().registry().count(), 1);
  assert_int_equal(held_devices(w), 0);
  w.publish_and_wait(node, "p3");
  w.expect_result("p3");
  assert_int_equal(w.provider(1).requests(), 1);
  w.expect_at_rest();
}

void a_410_for_the_app_before_does_not_end_a_device_that_has_moved(void**) {
  move_while_a_push_is_under_way(410, "Unregistered", 0);
}
void a_later_410_for_the_app_before_does_not_end_a_device_that_has_moved(void**) {
  move_while_a_push_is_under_way(410, "Unregistered", 1'900'000'000'000);
}
void a_bad_token_for_the_app_before_does_not_end_a_device_that_has_moved(void**) {
  move_while_a_push_is_under_way(400, "BadDeviceToken", 0);
}

void an_acceptance_by_the_app_before_does_not_take_a_device_back(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider(0).act(FakeProvider::Act::stall);
  w.server().publish(node, "p1");
  w.run_for(seconds(1));
  w.register_device("ann@example.org/phone", token_a, "other:apns:1");
  w.provider(0).release_stalled();
  w.run_for(seconds(10));
  w.expect_result("p1");
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  assert_int_equal(w.provider(0).requests(), 1);
  assert_int_equal(w.provider(1).requests(), 1);
  w.expect_at_rest();
}

TESTS(never_lost, SCENARIO(a_wrong_topic_loses_none_of_five_hundred_devices),
      SCENARIO(a_topic_of_another_environment_loses_none_of_five_hundred_devices),
      SCENARIO(a_topic_that_is_not_allowed_loses_and_holds_none_of_five_hundred_devices),
      SCENARIO(what_is_held_is_said_once_and_loudly), SCENARIO(a_wrong_environment_loses_none_of_a_household_of_five),
      SCENARIO(five_hundred_honest_uninstalls_over_a_month_are_all_removed),
      SCENARIO_WITH(the_brake_can_be_set_tighter, careful),
      SCENARIO_WITH(both_limits_must_be_passed_for_the_brake, generous),
      SCENARIO_WITH(the_brake_can_be_turned_off, trusting),
      SCENARIO_WITH(the_brake_can_hold_whatever_dies, never_drops),
      SCENARIO_WITH(a_410_for_the_app_before_does_not_end_a_device_that_has_moved, two_sections),
      SCENARIO_WITH(a_later_410_for_the_app_before_does_not_end_a_device_that_has_moved, two_sections),
      SCENARIO_WITH(an_acceptance_by_the_app_before_does_not_take_a_device_back, two_sections),
      SCENARIO_WITH(a_bad_token_for_the_app_before_does_not_end_a_device_that_has_moved, two_sections));

}  // namespace
}  // namespace tocsin::test
