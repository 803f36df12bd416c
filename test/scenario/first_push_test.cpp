// The main job: a device registers, its user gets a message, a request leaves.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

void a_message_becomes_a_request_and_is_answered_with_result(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.server().publish(node, "p1");
  assert_true(w.run_until([&] { return w.server().answers("p1") > 0; }));
  w.expect_result("p1");
  w.expect_requests(1);
  const SeenRequest& seen = w.provider().last();
  assert_true(ends_with(seen.path.view(), token_a));
  assert_true(seen.topic.view() == "org.example.siskin");
  assert_true(seen.push_type.view() == "alert");
  assert_true(seen.priority.view() == "10");
  assert_true(seen.authority.view() == "api.push.example.org");
  assert_true(starts_with(seen.authorization.view(), "bearer ey"));
  assert_true(contains(seen.body.view(), "\"account\":\"ann@example.org\""));
  assert_true(contains(w.log().last("event=push"), "verdict=delivered"));
  w.expect_at_rest();
}

void an_unknown_node_is_gone_and_nothing_leaves(void**) {
  World& w = world();
  w.start();
  w.publish_and_wait("AAAAAAAAAAAAAAAAAAAAAA", "p1");
  w.expect_gone("p1");
  w.publish_and_wait("no-node-of-ours", "p2");
  w.expect_gone("p2");
  w.expect_requests(0);
}

void a_stranger_domain_may_not_publish_to_a_node(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.server().publish_raw(node, "p1", "<notification xmlns='urn:xmpp:push:0'/>", "evil.example.net");
  w.server().publish_raw(node, "p2", "<notification xmlns='urn:xmpp:push:0'/>", "muc.example.org");
  w.run_for(seconds(2));
  w.expect_gone("p1");
  w.expect_result("p2");
  w.expect_requests(1);
}

TESTS(first_push, SCENARIO(a_message_becomes_a_request_and_is_answered_with_result),
      SCENARIO(an_unknown_node_is_gone_and_nothing_leaves), SCENARIO(a_stranger_domain_may_not_publish_to_a_node));

}  // namespace
}  // namespace tocsin::test
