// Both libraries behind crypto/p256.h, each by itself and against the other.
#include "crypto/p256.h"

#include <stdlib.h>
#include <time.h>

#include <new>

#include "base/encode.h"
#include "crypto/crypto.h"
#include "test/unit/crypto/duet.h"

namespace tocsin::test {
namespace {

// One library behind its fence; in static storage because a failing assert skips destructors.
template <class Library>
struct Bench {
  alignas(64) uint8_t room[Library::heap_bytes];
  Heap heap{Bytes(room), "curve"};
  SeededRandom random{11};
  Library curve;
};

alignas(Bench<P256Mbedtls>) uint8_t mbedtls_stage[sizeof(Bench<P256Mbedtls>)];
#ifndef TOCSIN_P256_MBEDTLS
alignas(Bench<P256Nettle>) uint8_t nettle_stage[sizeof(Bench<P256Nettle>)];
#endif

struct Desk {
  const char* name = "";
  P256* curve = nullptr;
  Heap* heap = nullptr;
  SeededRandom* random = nullptr;
};

template <class Library>
Desk make_desk(void* stage) {
  Bench<Library>& bench = *new (stage) Bench<Library>;
  Desk desk{Library::library(), &bench.curve, &bench.heap, &bench.random};
  assert_true(bench.curve.start(bench.heap, bench.random).ok());
  return desk;
}

Desk desks[2];
size_t desk_count = 0;

int setup(void**) {
  static bool made = false;
  if (made) return 0;
  made = true;
#ifndef TOCSIN_P256_MBEDTLS
  desks[desk_count++] = make_desk<P256Nettle>(nettle_stage);
#endif
  desks[desk_count++] = make_desk<P256Mbedtls>(mbedtls_stage);
  return 0;
}

std::span<Desk> all() { return {desks, desk_count}; }

template <size_t size>
void read_hex(const char* text, uint8_t (&out)[size]) {
  const Result<size_t> read = decode_hex(text, out);
  assert_true(read.ok());
  assert_int_equal(read.value(), size);
}

// RFC 5903 §8.1.
constexpr char rfc5903_i[] = "C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433";
constexpr char rfc5903_gi[] =
    "04DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C37725811805271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58"
    "389E0577B8990BB3";
constexpr char rfc5903_gr[] =
    "04D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF6356FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F83"
    "53E74F33039872AB";
constexpr char rfc5903_girx[] = "D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE";
constexpr char order_hex[] = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
constexpr char below_order_hex[] = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632550";

void a_secret_has_its_public_point(void**) {
  for (const Desk& desk : all()) {
    P256Secret secret;
    P256Point point, wanted;
    read_hex(rfc5903_i, secret);
    read_hex(rfc5903_gi, wanted);
    assert_true(desk.curve->public_point(secret, point, *desk.random).ok());
    assert_memory_equal(point, wanted, sizeof wanted);
  }
}

void two_ends_share_a_secret(void**) {
  for (const Desk& desk : all()) {
    P256Secret secret;
    P256Point point;
    uint8_t shared[32], wanted[32];
    read_hex(rfc5903_i, secret);
    read_hex(rfc5903_gr, point);
    read_hex(rfc5903_girx, wanted);
    assert_true(desk.curve->shared_secret(secret, point, shared, *desk.random).ok());
    assert_memory_equal(shared, wanted, sizeof wanted);
  }
}

void signatures_agree_with_rfc_6979(void**) {
  for (const Desk& desk : all()) {
    P256Secret secret;
    P256Signature signature, wanted;
    read_hex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", secret);
    read_hex(
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
        wanted);
    assert_true(desk.curve->sign(secret, bytes_of("sample"), signature, *desk.random).ok());
    assert_memory_equal(signature, wanted, sizeof wanted);
    read_hex(
        "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
        "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
        wanted);
    assert_true(desk.curve->sign(secret, bytes_of("test"), signature, *desk.random).ok());
    assert_memory_equal(signature, wanted, sizeof wanted);
  }
}

void secrets_out_of_range_are_refused(void**) {
  P256Secret zero = {}, order, below, most;
  read_hex(order_hex, order);
  read_hex(below_order_hex, below);
  std::memset(most, 0xFF, sizeof most);
  P256Point point, base;
  read_hex(rfc5903_gr, base);
  uint8_t shared[32];
  P256Signature signature;
  for (const Desk& desk : all()) {
    for (const P256Secret* secret : {&zero, &order, &most}) {
      assert_int_equal(desk.curve->public_point(*secret, point, *desk.random).error(), Error::malformed);
      assert_int_equal(desk.curve->shared_secret(*secret, base, shared, *desk.random).error(), Error::malformed);
      assert_int_equal(desk.curve->sign(*secret, {}, signature, *desk.random).error(), Error::malformed);
    }
    assert_true(desk.curve->public_point(below, point, *desk.random).ok());
  }
}

void points_that_are_not_on_the_curve_are_refused(void**) {
  P256Secret secret;
  read_hex(rfc5903_i, secret);
  P256Point good;
  read_hex(rfc5903_gr, good);
  uint8_t shared[32];
  for (const Desk& desk : all()) {
    const auto error = [&](const P256Point& point) {
      return desk.curve->shared_secret(secret, point, shared, *desk.random).error();
    };
    constexpr uint8_t forms[] = {0, 1, 2, 3, 5, 6, 7, 255};
    for (const uint8_t form : forms) {
      P256Point point;
      copy_bytes(point, good);
      point[0] = form;
      assert_int_equal(error(point), Error::malformed);
    }
    for (size_t i = 1; i < sizeof good; ++i) {
      P256Point point;
      copy_bytes(point, good);
      point[i] ^= 1;
      assert_int_equal(error(point), Error::malformed);
    }
    P256Point origin = {4};  // (0, 0), how some libraries write infinity
    assert_int_equal(error(origin), Error::malformed);
    // The field's prime and beyond, where y² would fit modulo it: (p, y) for the point (0, y).
    P256Point over;
    read_hex(
        "04FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF"
        "66485C780E2F83D72433BD5D84A06BB6541C2AF31DAE871728BF856A174F93F4",
        over);
    assert_int_equal(error(over), Error::malformed);
    std::memset(over + 1, 0, 32);
    assert_int_equal(error(over), Error::none);  // (0, y) itself is a point like others
  }
}

void both_libraries_give_the_same_bytes(void**) {
  if (desk_count < 2) skip();
  SeededRandom entropy(2024);
  for (int i = 0; i < 200; ++i) {
    P256Pair pair, other;
    assert_true(desks[i % 2].curve->make_pair(entropy, pair).ok());
    assert_true(desks[1 - i % 2].curve->make_pair(entropy, other).ok());
    P256Point point;
    uint8_t shared[2][32];
    P256Signature signatures[2];
    uint8_t message[40];
    entropy.fill(message);
    for (size_t j = 0; j < 2; ++j) {
      P256& curve = *desks[j].curve;
      assert_true(curve.public_point(pair.secret, point, entropy).ok());
      assert_memory_equal(point, pair.point, sizeof point);
      // One end here, the other one there.
      const Status status = j == 0 ? curve.shared_secret(pair.secret, other.point, shared[j], entropy)
                                   : curve.shared_secret(other.secret, pair.point, shared[j], entropy);
      assert_true(status.ok());
      assert_true(curve.sign(pair.secret, message, signatures[j], entropy).ok());
    }
    assert_memory_equal(shared[0], shared[1], sizeof shared[0]);
    assert_memory_equal(signatures[0], signatures[1], sizeof signatures[0]);
  }
}

// Numbers that begin with what is no secret.
class Unlucky : public RandomSource {
 public:
  void fill(Bytes room) override {
    for (uint8_t& byte : room) byte = draws == 0 ? 0xFF : 0x42;
    ++draws;
  }
  uint32_t draws = 0;
};
class Broken : public RandomSource {
 public:
  void fill(Bytes room) override {
    for (uint8_t& byte : room) byte = 0;
  }
};

void entropy_that_is_no_secret_is_drawn_again(void**) {
  for (const Desk& desk : all()) {
    Unlucky unlucky;
    P256Pair pair;
    assert_true(desk.curve->make_pair(unlucky, pair).ok());
    assert_int_equal(pair.secret[0], 0x42);
    Broken broken;
    assert_int_equal(desk.curve->make_pair(broken, pair).error(), Error::damaged);
  }
}

void the_heap_is_left_as_it_was_and_half_of_it_never_used(void**) {
  if (!Heap::enforced()) skip();
  for (const Desk& desk : all()) {
    const size_t before = desk.heap->live();
    SeededRandom entropy(5);
    P256Pair pair, other;
    uint8_t shared[32];
    P256Signature signature;
    for (int i = 0; i < 50; ++i) {
      assert_true(desk.curve->make_pair(entropy, pair).ok());
      assert_true(desk.curve->make_pair(entropy, other).ok());
      assert_true(desk.curve->shared_secret(pair.secret, other.point, shared, entropy).ok());
      assert_true(desk.curve->sign(pair.secret, bytes_of("again"), signature, entropy).ok());
      assert_true(desk.curve->verify(pair.point, bytes_of("again"), signature).ok());
      assert_int_equal(desk.heap->live(), before);
    }
    print_message("           %s: live %zu, peak %zu of %zu\n", desk.name, before, desk.heap->peak(),
                  desk.heap->size());
    assert_int_equal(desk.heap->refused(), 0);
    assert_true(desk.heap->peak() <= desk.heap->size() / 2);
  }
}

int64_t now_us() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

void a_message_costs_what_the_log_says(void**) {
  for (const Desk& desk : all()) {
    SeededRandom entropy(6);
    P256Pair pair, other;
    uint8_t shared[32];
    P256Signature signature;
    assert_true(desk.curve->make_pair(entropy, other).ok());
    constexpr int rounds = 100;
    const int64_t start = now_us();
    for (int i = 0; i < rounds; ++i) {
      assert_true(desk.curve->make_pair(entropy, pair).ok());
      assert_true(desk.curve->shared_secret(pair.secret, other.point, shared, entropy).ok());
    }
    const int64_t middle = now_us();
    for (int i = 0; i < rounds; ++i) {
      assert_true(desk.curve->sign(pair.secret, bytes_of("again"), signature, entropy).ok());
    }
    const int64_t end = now_us();
    print_message("           %s: %d us a message, %d us a signature\n", desk.name,
                  static_cast<int>((middle - start) / rounds), static_cast<int>((end - middle) / rounds));
  }
}

void nettle_asks_for_its_memory_before_it_begins(void**) {
#ifdef TOCSIN_P256_MBEDTLS
  skip();
#else
  if (!Heap::enforced()) skip();
  alignas(64) static uint8_t small_room[4096];
  static Heap small(Bytes(small_room), "small");
  SeededRandom entropy(7);
  P256Nettle curve;
  assert_int_equal(curve.start(small, entropy).error(), Error::exhausted);

  alignas(64) static uint8_t room[P256Nettle::heap_bytes];
  static Heap shared_heap(Bytes(room), "shared");
  assert_true(curve.start(shared_heap, entropy).ok());
  void* volatile held = nullptr;  // or the compiler would leave it out
  {
    HeapScope scope(shared_heap);
    held = malloc(64);
  }
  P256Pair pair;
  assert_int_equal(curve.make_pair(entropy, pair).error(), Error::exhausted);
  free(held);
  assert_true(curve.make_pair(entropy, pair).ok());
#endif
}

void mbedtls_says_exhausted_at_every_allocation_that_fails(void**) {
  if (!Heap::enforced()) skip();
  alignas(64) static uint8_t room[P256Mbedtls::heap_bytes];
  static Heap heap(Bytes(room), "failing");
  SeededRandom entropy(8);
  P256Mbedtls curve;
  uint32_t n = 1;
  for (;; ++n) {
    heap.fail_at(n);
    const Status started = curve.start(heap, entropy);
    heap.fail_at(0);
    if (started.ok()) break;
    assert_int_equal(started.error(), Error::exhausted);
    assert_int_equal(heap.live(), 0);
    assert_true(n < 100'000);
  }
  assert_true(n > 3);
  P256Pair pair;
  assert_true(curve.make_pair(entropy, pair).ok());
  const size_t before = heap.live();
  uint8_t shared[32];
  P256Signature signature;
  for (n = 1;; ++n) {
    heap.fail_at(n);
    const Status agreed = curve.shared_secret(pair.secret, pair.point, shared, entropy);
    heap.fail_at(0);
    assert_int_equal(heap.live(), before);
    if (agreed.ok()) break;
    assert_int_equal(agreed.error(), Error::exhausted);
  }
  for (n = 1;; ++n) {
    heap.fail_at(n);
    const Status signed_once = curve.sign(pair.secret, bytes_of("x"), signature, entropy);
    heap.fail_at(0);
    assert_int_equal(heap.live(), before);
    if (signed_once.ok()) break;
    assert_int_equal(signed_once.error(), Error::exhausted);
  }
  for (n = 1;; ++n) {
    heap.fail_at(n);
    const Status checked = curve.verify(pair.point, bytes_of("x"), signature);
    heap.fail_at(0);
    if (checked.ok()) break;
    assert_int_equal(checked.error(), Error::exhausted);
  }
  curve.shut();
  assert_int_equal(heap.live(), 0);
}

TESTS(p256, cmocka_unit_test_setup(a_secret_has_its_public_point, setup),
      cmocka_unit_test_setup(two_ends_share_a_secret, setup),
      cmocka_unit_test_setup(signatures_agree_with_rfc_6979, setup),
      cmocka_unit_test_setup(secrets_out_of_range_are_refused, setup),
      cmocka_unit_test_setup(points_that_are_not_on_the_curve_are_refused, setup),
      cmocka_unit_test_setup(both_libraries_give_the_same_bytes, setup),
      cmocka_unit_test_setup(entropy_that_is_no_secret_is_drawn_again, setup),
      cmocka_unit_test_setup(the_heap_is_left_as_it_was_and_half_of_it_never_used, setup),
      cmocka_unit_test_setup(a_message_costs_what_the_log_says, setup),
      cmocka_unit_test(nettle_asks_for_its_memory_before_it_begins),
      cmocka_unit_test(mbedtls_says_exhausted_at_every_allocation_that_fails));

}  // namespace
}  // namespace tocsin::test
