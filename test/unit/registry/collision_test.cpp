// Two accounts, or two devices, with one hash: rare, but nobody may get another's device for it.
#include <algorithm>

#include "base/encode.h"
#include "registry/device_hash.h"
#include "registry/registry.h"
#include "test/unit/registry/bench.h"

using namespace tocsin;
using namespace tocsin::test;

namespace {

struct Hashed {
  uint32_t hash;
  unsigned number;
};

// Among so many 32-bit hashes about ten pairs collide.
constexpr unsigned tried = 300'000;
Hashed hashes[tried];

template <class HashOf>
void find_pair(unsigned& a, unsigned& b, HashOf hash_of) {
  for (unsigned i = 0; i < tried; ++i) hashes[i] = {hash_of(i), i};
  std::sort(hashes, hashes + tried, [](const Hashed& x, const Hashed& y) { return x.hash < y.hash; });
  for (unsigned i = 1; i < tried; ++i) {
    if (hashes[i].hash != hashes[i - 1].hash) continue;
    a = hashes[i - 1].number;
    b = hashes[i].number;
    return;
  }
  fail_msg("%s", "no two hashes are equal");
}

}  // namespace

static void accounts_with_one_hash_are_told_apart(void** state) {
  Bench& b = bench(state);
  const DeviceHash hash(b.options.creation_id);
  unsigned first = 0;
  unsigned second = 0;
  find_pair(first, second, [&](unsigned i) { return hash.of_account(b.registration(i, 0).account); });
  const NodeId mine = b.add(first, 1, day_one);
  b.add(second, 1, day_one - days(100));
  for (int i = 0; i < 2; ++i) {
    const Device* oldest = nullptr;
    assert_int_equal(b.registry->count_of_account(b.registration(first, 0).account, &oldest), 1);
    if (i == 0) {
      assert_true(b.commit().ok());
      continue;
    }
    assert_true(oldest->node == mine);
    assert_int_equal(oldest->account_hash, b.device(b.find(second, 1)).account_hash);
  }
}

static void devices_with_one_hash_are_told_apart(void** state) {
  Bench& b = bench(state);
  const DeviceHash hash(b.options.creation_id);
  unsigned first = 0;
  unsigned second = 0;
  find_pair(first, second, [&](unsigned i) {
    const Registration r = b.registration(1, i);
    return hash.of_key(r.account, r.token);
  });
  const NodeId node = b.add(1, first);
  for (int i = 0; i < 2; ++i) {
    assert_true(b.find(1, first) == node);
    assert_true(is_none(b.find(1, second)));
    if (i == 0) assert_true(b.commit().ok());
  }
  const NodeId other = b.add(1, second);
  for (int i = 0; i < 3; ++i) {
    assert_true(b.find(1, first) == node);
    assert_true(b.find(1, second) == other);
    if (i == 0) assert_true(b.commit().ok());
    if (i == 1) b.open();
  }
  assert_int_equal(b.device(node).key_hash, b.device(other).key_hash);
  assert_true(b.registry->end(node, EndReason::client, "", day_one).ok());
  assert_true(is_none(b.find(1, first)));
  assert_true(b.find(1, second) == other);
  assert_true(b.commit().ok());
  assert_true(b.find(1, second) == other);
}

TESTS(collision, BENCH_TEST(accounts_with_one_hash_are_told_apart), BENCH_TEST(devices_with_one_hash_are_told_apart));
