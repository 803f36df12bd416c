#include "gateway/lane.h"

#include "test/support/tests.h"

namespace tocsin {
namespace {

constexpr Instant start{3'600'000'000};

alignas(Lane) uint8_t lane_room[sizeof(Lane)];
alignas(Push) uint8_t push_rooms[3][sizeof(Push)];

Lane& new_lane() { return *new (lane_room) Lane; }
Push& new_push(uint32_t i) { return *new (push_rooms[i]) Push; }

void a_lane_goes_where_the_origin_says(void**) {
  Lane& lane = new_lane();
  lane.move_to("https://push.example.net");
  assert_true(lane.origin.view() == "https://push.example.net");
  assert_true(lane.host.host.view() == "push.example.net");
  assert_int_equal(lane.host.port, 443);
  lane.move_to("https://push.example.net:8443");
  assert_true(lane.host.host.view() == "push.example.net");
  assert_int_equal(lane.host.port, 8443);
  lane.move_to("https://[2001:db8::7]:444");
  assert_true(lane.host.host.view() == "2001:db8::7");
  assert_int_equal(lane.host.port, 444);
  lane.move_to("https://93.184.216.34");
  assert_true(lane.host.host.view() == "93.184.216.34");
  assert_int_equal(lane.host.port, 443);
}

// Its link sees by the count that it has to follow, also when the lane comes back to where it was.
void every_move_is_counted(void**) {
  Lane& lane = new_lane();
  assert_int_equal(lane.moves, 0);
  lane.move_to("https://push.example.net");
  lane.move_to("https://push.example.org");
  lane.move_to("https://push.example.net");
  assert_int_equal(lane.moves, 3);
}

void with_the_next_origin_nothing_has_gone_wrong_yet(void**) {
  Lane& lane = new_lane();
  lane.move_to("https://push.example.net");
  lane.down_until = start + hours(1);
  lane.gives_way = true;
  assert_true(lane.trouble.assign("timed out"));
  lane.name = "webpush";
  lane.section = 3;
  lane.link = 5;
  lane.move_to("https://push.example.org");
  assert_true(lane.down_until == Instant{});
  assert_false(lane.gives_way);
  assert_true(lane.trouble.empty());
  // What belongs to the section stays.
  assert_true(lane.name == "webpush");
  assert_int_equal(lane.section, 3);
  assert_int_equal(lane.link, 5);
}

void a_lane_is_idle_when_nothing_waits_and_nothing_is_under_way(void**) {
  Lane& lane = new_lane();
  Push& push = new_push(0);
  assert_true(lane.idle());
  lane.ready.push_back(push);
  assert_false(lane.idle());
  lane.ready.remove(push);
  assert_true(lane.idle());
  lane.in_flight.push_back(push);
  assert_false(lane.idle());
  lane.in_flight.remove(push);
  assert_true(lane.idle());
}

void the_oldest_says_since_when_a_lane_waits(void**) {
  Lane& lane = new_lane();
  Push& sent = new_push(0);
  sent.sent = start + seconds(5);
  sent.ready_since = start;  // it has left since
  lane.in_flight.push_back(sent);
  assert_true(lane.waiting_since() == start + seconds(5));
  Push& later_sent = new_push(1);
  later_sent.sent = start + seconds(6);
  lane.in_flight.push_back(later_sent);
  assert_true(lane.waiting_since() == start + seconds(5));
  Push& waiting = new_push(2);
  waiting.ready_since = start + seconds(2);
  waiting.sent = start;  // of an earlier try
  lane.ready.push_back(waiting);
  assert_true(lane.waiting_since() == start + seconds(2));
  lane.in_flight.remove(sent);
  lane.in_flight.remove(later_sent);
  assert_true(lane.waiting_since() == start + seconds(2));
  lane.ready.remove(waiting);
}

void a_lane_is_slow_after_a_second_without_an_answer(void**) {
  Lane& lane = new_lane();
  Push& push = new_push(0);
  push.sent = start;
  lane.in_flight.push_back(push);
  assert_false(lane.slow(start));
  assert_false(lane.slow(start + milliseconds(999)));
  assert_true(lane.slow(start + seconds(1)));
  assert_true(lane.slow(start + days(400)));
  lane.in_flight.remove(push);
  push.ready_since = start;
  lane.ready.push_back(push);
  assert_false(lane.slow(start + milliseconds(999)));
  assert_true(lane.slow(start + seconds(1)));
  lane.ready.remove(push);
}

void a_lane_that_waits_for_nothing_is_never_slow(void**) {
  Lane& lane = new_lane();
  assert_false(lane.slow(Instant{}));
  assert_false(lane.slow(start + days(36'500)));
  assert_true(lane.waiting_since() > start + days(36'500));
  assert_true(lane.waiting_since() + Lane::slow_after == Instant::never());  // no overflow
}

}  // namespace

TESTS(lane, cmocka_unit_test(a_lane_goes_where_the_origin_says), cmocka_unit_test(every_move_is_counted),
      cmocka_unit_test(with_the_next_origin_nothing_has_gone_wrong_yet),
      cmocka_unit_test(a_lane_is_idle_when_nothing_waits_and_nothing_is_under_way),
      cmocka_unit_test(the_oldest_says_since_when_a_lane_waits),
      cmocka_unit_test(a_lane_is_slow_after_a_second_without_an_answer),
      cmocka_unit_test(a_lane_that_waits_for_nothing_is_never_slow));

}  // namespace tocsin
