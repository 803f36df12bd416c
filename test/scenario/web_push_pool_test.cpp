// The pool of connections to push services: when all are in use, the one that was used longest ago is closed.
#include "test/scenario/web_push_words.h"

namespace tocsin::test {
namespace {

void the_connection_that_was_used_longest_ago_makes_room(void**) {
  World& w = world();
  w.start();
  constexpr uint32_t count = Wiring::web_push_lanes + 1;
  NodeText nodes[count];
  uint32_t number = 0;
  for (uint32_t i = 0; i < count; ++i) {
    uint8_t room[60];
    Writer url(room);
    url.text("https://n").unsigned_number(i).text(".wild.example.org");
    // The stand-ins take four connections each.
    w.simulation().names().set(slice(url.view(), 8), World::provider_address(4 + i / 3));
    uint8_t name[40];
    Writer from(name);
    from.text("user").unsigned_number(i).text("@example.org/web");
    nodes[i] = subscribe(w, from.view(), Subscribed(url.text("/push").view()));
  }
  const auto ring = [&](uint32_t i) {
    uint8_t room[8];
    Writer id(room);
    id.character('p').unsigned_number(number++);
    w.publish_and_wait(nodes[i], id.view());
    w.expect_result(id.view());
    w.run_for(seconds(1));
  };
  for (uint32_t i = 0; i + 1 < count; ++i) ring(i);
  ring(0);
  assert_int_equal(w.service(0).connections(), 3);
  assert_int_equal(w.service(0).alive(), 3);
  ring(count - 1);  // in place of number 1
  assert_int_equal(w.service(0).alive(), 2);
  ring(0);
  ring(2);
  assert_int_equal(w.service(0).connections(), 3);
  ring(1);
  assert_int_equal(w.service(0).connections(), 4);
  w.run_for(minutes(6));
  w.expect_at_rest();
}

}  // namespace

TESTS(web_push_pool, SCENARIO_WITH(the_connection_that_was_used_longest_ago_makes_room, with_web_push));

}  // namespace tocsin::test
