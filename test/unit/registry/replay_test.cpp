#include <algorithm>

#include "base/encode.h"
#include "registry/log_reader.h"
#include "registry/registry.h"
#include "test/unit/registry/bench.h"

using namespace tocsin;
using namespace tocsin::test;

namespace {

uint8_t pristine[1 << 20];

// A log of four batches with every kind of record, the last one ending a device.
struct Sample {
  size_t ends[4];
  uint64_t digests[5];  // after so many batches
  ByteView log;
};

Sample make_sample(Bench& b) {
  b.options.max_devices = 10;
  b.open();
  Sample sample{};
  sample.digests[0] = b.digest();
  const auto batch_done = [&](int i) {
    assert_true(b.commit().ok());
    sample.ends[i] = static_cast<size_t>(b.journal.size());
    sample.digests[i + 1] = b.digest();
    assert_true(sample.digests[i + 1] != sample.digests[i]);
  };
  const NodeId a = b.add(1, 1);
  const NodeId c = b.add(1, 2);
  batch_done(0);
  assert_true(b.registry->accepted(a, 0x1234, day_one).ok());
  assert_true(b.registry->hold(c, "BadDeviceToken", day_one).ok());
  batch_done(1);
  assert_true(b.registry->refresh(a, day_one + days(2), false).ok());
  Registration other = b.registration(2, 5);
  other.node = c;
  assert_true(b.registry->change(other, day_one + days(2)).ok());
  batch_done(2);
  b.add(3, 1);
  assert_true(b.registry->end(a, EndReason::provider, "Unregistered", day_one).ok());
  assert_true(b.registry->hold(c, "BadDeviceToken", day_one).ok());
  assert_true(b.registry->release(c, day_one).ok());
  assert_true(b.registry->hold(c, "again", day_one).ok());
  batch_done(3);
  std::memcpy(pristine, b.journal.bytes, sample.ends[3]);
  sample.log = ByteView(pristine).first(sample.ends[3]);
  return sample;
}

// The journal works from here on, and what it has stays.
void expect_usable(Bench& b) {
  b.add(9, 9);
  assert_true(b.commit().ok());
  const uint64_t digest = b.digest();
  b.open();
  assert_true(b.digest() == digest);
}

// Where the record that holds byte `at` begins.
size_t record_start(ByteView log, size_t at) {
  if (at < FileHeader::size) return 0;
  size_t start = FileHeader::size;
  while (start + record_size(&log[start]) <= at) start += record_size(&log[start]);
  return start;
}

}  // namespace

static void replay_is_the_live_state(void** state) {
  Bench& b = bench(state);
  const Sample sample = make_sample(b);
  b.open();
  assert_true(b.digest() == sample.digests[4]);
  assert_int_equal(b.registry->cut_bytes(), 0);
  assert_int_equal(b.journal.cuts, 0);
  assert_int_equal(b.registry->problem()[0], 0);
  expect_usable(b);
}

// The file of any length: what is behind the last mark goes. Lost blocks may also read as zeros or as noise.
static void a_tail_torn_at_any_byte_is_cut(void** state) {
  Bench& b = bench(state);
  const Sample sample = make_sample(b);
  for (int rest = 0; rest < 3; ++rest) {
    for (size_t length = 0; length < sample.log.size(); ++length) {
      int whole = 0;
      while (whole < 4 && sample.ends[whole] <= length) ++whole;
      const size_t next_end = sample.ends[whole];
      b.journal.set(sample.log.first(length));
      size_t size = length;
      if (rest != 0) {
        size = next_end;
        sim::Random random(length);
        b.journal.set(sample.log.first(next_end));
        for (size_t i = length; i < next_end; ++i)
          b.journal.bytes[i] = rest == 1 ? 0 : static_cast<uint8_t>(random.next());
        // Chance (or a zero where a zero belongs) may have restored the last byte.
        if (same(b.journal.all(), sample.log.first(next_end))) continue;
      }
      // The header is durable before the first batch: where it is not whole, what is behind it is not ours.
      const bool header_gone = whole == 0 && !same(b.journal.all().first(std::min(size, FileHeader::size)),
                                                   sample.log.first(std::min(size, FileHeader::size)));
      if (header_gone && size > FileHeader::size) {
        assert_int_equal(b.try_open().error(), Error::damaged);
        assert_int_equal(b.registry->damage_offset(), 0);
        assert_int_equal(b.journal.size(), size);
        continue;
      }
      const size_t kept = whole > 0 ? sample.ends[whole - 1] : (length >= FileHeader::size ? FileHeader::size : 0);
      b.open();
      assert_true(b.digest() == sample.digests[whole]);
      if (whole > 0 || rest == 0) assert_int_equal(b.journal.size(), kept);
      assert_int_equal(b.registry->cut_bytes(), size - b.journal.size());
      if (length % 16 == 0) expect_usable(b);
    }
  }
}

static void one_flipped_bit_is_damage_or_a_torn_tail(void** state) {
  Bench& b = bench(state);
  const Sample sample = make_sample(b);
  for (size_t bit = 0; bit < sample.log.size() * 8; ++bit) {
    const size_t at = bit / 8;
    b.journal.set(sample.log);
    b.journal.bytes[at] = static_cast<uint8_t>(b.journal.bytes[at] ^ (1 << (bit % 8)));
    if (at >= sample.ends[2]) {  // in the last batch: as good as torn
      b.open();
      assert_true(b.digest() == sample.digests[3]);
      assert_int_equal(b.registry->cut_bytes(), sample.ends[3] - sample.ends[2]);
      continue;
    }
    assert_int_equal(b.try_open().error(), Error::damaged);
    assert_int_equal(b.registry->damage_offset(), record_start(sample.log, at));
    assert_true(b.registry->problem()[0] != 0);
    assert_int_equal(b.journal.size(), sample.log.size());  // nothing was cut
  }
}

static void swapped_records_are_not_a_batch(void** state) {
  Bench& b = bench(state);
  LogWriter log(b.journal);
  log.header();
  const auto first = static_cast<size_t>(b.journal.size());
  log.record({.kind = RecordKind::held, .node = node_of(1), .word = "x"})
      .record({.kind = RecordKind::held, .node = node_of(2), .word = "y"});
  const size_t size = (static_cast<size_t>(b.journal.size()) - first) / 2;
  log.mark();
  uint8_t record[64];
  std::memcpy(record, b.journal.bytes + first, size);
  std::memmove(b.journal.bytes + first, b.journal.bytes + first + size, size);
  std::memcpy(b.journal.bytes + first + size, record, size);
  b.open();
  assert_int_equal(b.registry->cut_bytes(), 2 * size + mark_bytes);
  // With a later batch behind them it is damage.
  LogWriter(b.journal)
      .header()
      .record({.kind = RecordKind::released, .node = node_of(1)})
      .record({.kind = RecordKind::released, .node = node_of(2)})
      .mark()
      .mark();
  std::memmove(b.journal.bytes + first, b.journal.bytes + first + 32, 32);
  assert_int_equal(b.try_open().error(), Error::damaged);
  assert_int_equal(b.registry->damage_offset(), first);
}

static void newer_records_are_named_and_nothing_is_cut(void** state) {
  Bench& b = bench(state);
  uint8_t bytes[64] = {};
  bytes[3] = 56;
  bytes[0] = record_version;
  bytes[1] = 9;
  LogWriter(b.journal).header().raw(bytes).mark();
  const uint64_t size = b.journal.size();
  assert_int_equal(b.try_open().error(), Error::unsupported);
  assert_true(string_view(b.registry->problem()).find("record kind 9 version 1 is newer") != string_view::npos);
  assert_true(string_view(b.registry->problem()).find("(byte 36)") != string_view::npos);
  bytes[0] = 3;
  bytes[1] = 1;
  LogWriter(b.journal).header().mark().raw(bytes).mark();
  assert_int_equal(b.try_open().error(), Error::unsupported);
  assert_true(string_view(b.registry->problem()).find("record kind 1 version 3 is newer") != string_view::npos);
  // A newer mark: nothing behind it can be verified.
  bytes[1] = 0x80;
  LogWriter(b.journal).header().raw(bytes);
  assert_int_equal(b.try_open().error(), Error::unsupported);
  assert_int_equal(b.journal.cuts, 0);
  // In a batch that was never committed it does not matter.
  bytes[0] = 1;
  bytes[1] = 9;
  LogWriter(b.journal).header().raw(bytes);
  b.open();
  assert_int_equal(b.journal.size(), FileHeader::size);
  assert_int_equal(size, FileHeader::size + 64 + mark_bytes);
}

// Every batch of such a file has the sum that it had then; new batches are added in the same way.
static void a_file_of_format_1_is_read_and_written_on(void** state) {
  Bench& b = bench(state);
  const Registration one = b.registration(1, 1);
  LogWriter(b.journal)
      .header(1)
      .record({.kind = RecordKind::registered, .node = one.node, .time = day_one, .registration = one})
      .mark()
      .record({.kind = RecordKind::held, .node = one.node, .time = day_one, .word = "BadDeviceToken"})
      .mark();
  b.open();
  assert_true(b.device(one.node).held);
  const NodeId two = b.add(2, 2);
  assert_true(b.commit().ok());
  b.open();
  assert_int_equal(b.registry->count(), 2);
  assert_true(b.find(2, 2) == two);
}

static void a_newer_format_and_a_foreign_file_are_left_alone(void** state) {
  Bench& b = bench(state);
  b.journal.set(bytes_of("# configuration of something else\nkey = value\n"));
  assert_int_equal(b.try_open().error(), Error::unsupported);
  assert_true(string_view(b.registry->problem()).find("not a registry") != string_view::npos);
  uint8_t header[FileHeader::size];
  encode(FileHeader{.version = FileHeader::newest + 1}, header);
  b.journal.set(header);
  assert_int_equal(b.try_open().error(), Error::unsupported);
  assert_true(string_view(b.registry->problem()).find("newer") != string_view::npos);
  assert_int_equal(b.journal.cuts, 0);
}

static void more_than_a_batch_can_hold_is_never_cut(void** state) {
  Bench& b = bench(state);
  static uint8_t noise[FileHeader::size + batch_bytes_max + 1];
  sim::Random random(1);
  random.fill(noise);
  b.journal.set(noise);
  assert_int_equal(b.try_open().error(), Error::damaged);
  assert_int_equal(b.registry->damage_offset(), 0);
  LogWriter(b.journal).header();
  const size_t torn = batch_bytes_max;
  std::memcpy(noise, b.journal.bytes, FileHeader::size);
  b.journal.set(ByteView(noise).first(FileHeader::size + torn));
  b.open();
  assert_int_equal(b.journal.size(), FileHeader::size);
  assert_int_equal(b.registry->cut_bytes(), torn);
  expect_usable(b);
}

// Somebody else's file stands where the conf says; the first 36 bytes of it may be the rest of a header of ours.
static void a_file_without_our_header_is_never_cut(void** state) {
  Bench& b = bench(state);
  static uint8_t noise[4096];
  sim::Random random(2);
  random.fill(noise);
  std::memcpy(noise,
              "\x7f"
              "ELF",
              4);
  for (size_t size = FileHeader::size + 1; size < sizeof noise; size += 97) {
    b.journal.set(ByteView(noise).first(size));
    assert_int_equal(b.try_open().error(), Error::damaged);
    assert_int_equal(b.registry->damage_offset(), 0);
    assert_string_equal(b.registry->problem(), "the header fails its check");
    assert_int_equal(b.journal.size(), size);
  }
  b.journal.set(ByteView(noise).first(FileHeader::size));
  b.open();
  assert_int_equal(b.journal.size(), 0);
  expect_usable(b);
}

// Blocks that an older file left behind may hold whole batches: their marks speak of other places.
static void marks_of_an_older_file_prove_nothing(void** state) {
  Bench& b = bench(state);
  const Sample sample = make_sample(b);
  for (size_t shift = 1; shift < 100; shift += 7) {
    b.journal.set(sample.log.first(sample.ends[0]));
    const ByteView stale = sample.log.subspan(sample.ends[1]);
    std::memset(b.journal.bytes + sample.ends[0], 0, 2000);
    std::memcpy(b.journal.bytes + sample.ends[1] + shift, stale.data(), stale.size());
    b.journal.set({b.journal.bytes, sample.ends[1] + shift + stale.size()});
    b.open();
    assert_true(b.digest() == sample.digests[1]);
    assert_int_equal(b.journal.size(), sample.ends[0]);
  }
}

static void a_malformed_record_in_a_good_batch_is_damage(void** state) {
  Bench& b = bench(state);
  uint8_t bytes[64] = {};
  bytes[0] = record_version;
  bytes[1] = static_cast<uint8_t>(RecordKind::ended);
  bytes[3] = 56;
  LogWriter(b.journal).header().mark().raw(bytes).mark();
  assert_int_equal(b.try_open().error(), Error::damaged);
  assert_int_equal(b.registry->damage_offset(), FileHeader::size + mark_bytes);
}

// Records of any length up to the largest that fits the bounds of the format, in batches larger than the scratch.
static void batches_larger_than_the_scratch_are_replayed(void** state) {
  Bench& b = bench(state);
  b.options.staging_bytes = 300 * 1024;
  b.open();
  sim::Random random(3);
  static char text[account_bytes_max];
  std::memset(text, 'x', sizeof text);
  for (int batch = 0; batch < 4; ++batch) {
    for (int i = 0; i < 100; ++i) {
      Registration wanted = b.registration(static_cast<unsigned>(i), static_cast<unsigned>(batch));
      wanted.account = {text, random.between(1, account_bytes_max)};
      assert_true(b.registry->add(wanted, day_one).ok());
    }
    assert_true(b.commit().ok());
  }
  assert_int_equal(b.registry->count(), 400);
  const uint64_t digest = b.digest();
  for (size_t scratch : {size_t{65536}, size_t{65537}, size_t{100'003}, size_t{1} << 20}) {
    assert_true(b.try_open(scratch).ok());
    assert_true(b.digest() == digest);
  }
  // Torn in the middle of the last batch.
  b.journal.bytes[b.journal.size() - 100'000] ^= 1;
  const auto first_reads = b.journal.reads;
  assert_true(b.try_open().ok());
  assert_int_equal(b.registry->count(), 300);
  assert_true(b.registry->cut_bytes() > 90'000 && b.journal.reads - first_reads < 40);
}

static void trouble_with_the_file_is_told(void** state) {
  Bench& b = bench(state);
  const Sample sample = make_sample(b);
  b.journal.read_fails = true;
  assert_int_equal(b.try_open().error(), Error::io);
  assert_true(b.registry->problem()[0] != 0);
  b.journal.read_fails = false;
  b.journal.set(sample.log.first(sample.log.size() - 1));
  b.journal.cut_fails = true;
  assert_int_equal(b.try_open().error(), Error::io);
  assert_true(b.registry->problem()[0] != 0);
  b.journal.cut_fails = false;
  b.open();
}

static void records_of_unknown_devices_are_passed_over_and_counted(void** state) {
  Bench& b = bench(state);
  LogWriter(b.journal)
      .header()
      .record({.kind = RecordKind::ended, .node = node_of(1), .reason = EndReason::admin})
      .record({.kind = RecordKind::refreshed, .node = node_of(1)})
      .mark();
  assert_true(b.try_open().ok());
  assert_int_equal(b.registry->count(), 0);
  assert_int_equal(b.registry->strays(), 1);  // an end may be all that a compaction kept
}

static void an_empty_batch_is_a_batch(void** state) {
  Bench& b = bench(state);
  LogWriter(b.journal).header().mark().mark().mark();
  b.open();
  assert_int_equal(b.registry->cut_bytes(), 0);
  expect_usable(b);
}

static void the_last_batch_is_made_durable_once_more(void** state) {
  Bench& b = bench(state);
  const uint32_t before = b.journal.renewals;
  b.open();
  assert_int_equal(b.journal.renewals, before + 1);  // an empty file: a cut may have left it so
  assert_int_equal(b.journal.renewed_from, 0);
  LogWriter(b.journal).header();
  b.open();
  assert_int_equal(b.journal.renewals, before + 2);
  assert_int_equal(b.journal.renewed_from, 0);
  b.add(1, 1);
  assert_true(b.commit().ok());
  b.open();
  assert_int_equal(b.journal.renewed_from, 0);  // the header came with it
  const uint64_t end = b.journal.size();
  b.add(1, 2);
  assert_true(b.commit().ok());
  b.open();
  assert_int_equal(b.journal.renewed_from, end);
  b.journal.renew_fails = true;
  assert_int_equal(b.try_open().error(), Error::io);
  assert_string_equal(b.registry->problem(), "the last batch of the registry can not be made durable");
}

TESTS(replay, BENCH_TEST(replay_is_the_live_state), BENCH_TEST(a_tail_torn_at_any_byte_is_cut),
      BENCH_TEST(one_flipped_bit_is_damage_or_a_torn_tail), BENCH_TEST(swapped_records_are_not_a_batch),
      BENCH_TEST(newer_records_are_named_and_nothing_is_cut), BENCH_TEST(a_file_of_format_1_is_read_and_written_on),
      BENCH_TEST(a_newer_format_and_a_foreign_file_are_left_alone), BENCH_TEST(more_than_a_batch_can_hold_is_never_cut),
      BENCH_TEST(a_file_without_our_header_is_never_cut), BENCH_TEST(marks_of_an_older_file_prove_nothing),
      BENCH_TEST(a_malformed_record_in_a_good_batch_is_damage),
      BENCH_TEST(batches_larger_than_the_scratch_are_replayed), BENCH_TEST(trouble_with_the_file_is_told),
      BENCH_TEST(records_of_unknown_devices_are_passed_over_and_counted), BENCH_TEST(an_empty_batch_is_a_batch),
      BENCH_TEST(the_last_batch_is_made_durable_once_more));
