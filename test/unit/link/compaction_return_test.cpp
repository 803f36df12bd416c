// A compaction and a node that ends and comes back.
#include "test/unit/link/compaction_house.h"

using namespace tocsin;
using namespace tocsin::test;

namespace {

// As an endpoint does, under the same node and with the same content; at every turn of a compaction, and behind it.
void what_ended_and_came_back_survives_two_of_them(void** state) {
  House& h = house(state);
  h.fill(2500);
  const uint64_t digest = h.digest();
  for (int at = 0; at < 30; at += 2) {
    const NodeId node = h.device(5, 0).node;
    h.registry->request_compaction();
    for (int i = 0; i < at; ++i) (void)h.turn();
    assert_true(h.registry->end(node, EndReason::expiry, "", h.wall).ok());
    assert_int_equal(h.registry->add(h.device(5, 0), h.wall).error(), Error::exists);
    h.commit();
    h.add(5);
    h.commit();
    for (int i = 0; i < 1000 && h.registry->compaction().running(); ++i) (void)h.turn();
    assert_true(h.digest() == digest);
    assert_int_equal(h.compact(), Maintenance::compacted);
    assert_true(h.digest() == digest);
    h.start();
    assert_true(h.digest() == digest);
  }
}

}  // namespace

TESTS(compaction_return, HOUSE_TEST(what_ended_and_came_back_survives_two_of_them));
