#include "link/client_limits.h"

#include <new>

#include "base/encode.h"
#include "test/support/tests.h"

namespace tocsin {

namespace {

using What = ClientLimits::What;

alignas(64) uint8_t memory[128 * 1024];
alignas(ClientLimits) uint8_t place[sizeof(ClientLimits)];

ClientLimits& fresh() {
  std::memset(memory, 0, sizeof memory);
  Region region(memory);
  return *new (place) ClientLimits(region);
}

Address ip(string_view text) { return parse_ip(text, 1).value(); }

int taken(ClientLimits& limits, const Address& who, What what, Instant now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += limits.take(who, what, now) ? 1 : 0;
  return count;
}

}  // namespace

static void a_burst_and_then_one_in_each_interval(void**) {
  ClientLimits& limits = fresh();
  const Instant now{1'000'000'000};
  const Address who = ip("192.0.2.1");
  assert_int_equal(taken(limits, who, What::unregister, now, 50), 10);
  assert_int_equal(taken(limits, who, What::unregister, now + seconds(6), 50), 1);
  assert_int_equal(taken(limits, who, What::unregister, now + seconds(66), 50), 10);
  assert_int_equal(taken(limits, who, What::connect, now, 500), 40);  // each kind has its own
}

static void a_client_is_an_address_or_a_network_of_ipv6(void**) {
  ClientLimits& limits = fresh();
  const Instant now{5};
  assert_int_equal(taken(limits, ip("192.0.2.1"), What::unregister, now, 50), 10);
  assert_int_equal(taken(limits, ip("192.0.2.2"), What::unregister, now, 50), 10);
  assert_int_equal(taken(limits, ip("2001:db8:0:1::1"), What::unregister, now, 5), 5);
  assert_int_equal(taken(limits, ip("2001:db8:0:1:ffff::2"), What::unregister, now, 50), 5);
  assert_int_equal(taken(limits, ip("2001:db8:0:2::1"), What::unregister, now, 50), 10);
  // The same bytes in the other family are somebody else.
  assert_int_equal(taken(limits, ip("c000:201::"), What::unregister, now, 50), 10);
}

static void more_clients_than_there_is_room_for_forget_the_quietest(void**) {
  ClientLimits& limits = fresh();
  const Address loud = ip("203.0.113.1");
  Instant now{1};
  assert_int_equal(taken(limits, loud, What::unregister, now, 50), 10);
  for (uint32_t i = 0; i < 20'000; ++i) {
    Address other = ip("10.0.0.0");
    put_u32(other.bytes, 0x0a000000 + i);
    now = now + microseconds(100);
    assert_true(limits.take(other, What::unregister, now));
    if (i % 4 == 0) assert_false(limits.take(loud, What::unregister, now));
  }
}

TESTS(client_limits, cmocka_unit_test(a_burst_and_then_one_in_each_interval),
      cmocka_unit_test(a_client_is_an_address_or_a_network_of_ipv6),
      cmocka_unit_test(more_clients_than_there_is_room_for_forget_the_quietest));

}  // namespace tocsin
