// Every way in which a log can be spoiled: what is intact comes out, in its order, and the rest is named to the byte.
#include "base/encode.h"
#include "test/unit/registry/spoiled.h"

using namespace tocsin;
using namespace tocsin::test;

static void a_whole_log_comes_out_whole_and_proven(void** state) {
  Bench& b = bench(state);
  for (const uint16_t version : {uint16_t{1}, FileHeader::newest}) {
    sample(b, version);
    salvage(b.journal);
    assert_true(found.header_ok);
    assert_int_equal(found.lost_count, 0);
    assert_int_equal(found.note_count, 0);
    expect_all_but(0, 0);
    for (uint32_t i = 0; i < found.kept_count; ++i) assert_true(found.kept[i].proven && !found.kept[i].tail);
  }
}

// Any byte, any way: the record that holds it is lost, and nothing else.
static void one_damaged_byte_costs_one_record_at_most(void** state) {
  Bench& b = bench(state);
  const ByteView log = sample(b);
  for (size_t at = 0; at < log.size(); ++at) {
    for (const unsigned change : {1u, 2u, 4u, 8u, 16u, 32u, 64u, 128u, 255u}) {
      b.journal.set(log);
      b.journal.bytes[at] = static_cast<uint8_t>(b.journal.bytes[at] ^ change);
      salvage(b.journal);
      assert_int_equal(found.error, Error::none);
      assert_int_equal(found.lost_count, 1);
      const Salvage::Piece& lost = found.lost[0];
      if (at < FileHeader::size) {
        expect_all_but(0, 0);
        assert_true(!found.header_ok && lost.header && lost.offset == 0 && lost.length == FileHeader::size);
        continue;
      }
      const Place& place = place_at(at);
      expect_all_but(at, at + 1);
      assert_int_equal(lost.offset, place.offset);
      assert_int_equal(lost.length, place.size);
      const bool last_mark = place.offset + place.size == log.size();
      assert_int_equal(lost.mark_only, place.mark && !last_mark);
      assert_int_equal(lost.tail, last_mark);
      if (lost.mark_only) assert_int_equal(lost.number, place.batch);
      // Batches that nothing happened to are proven.
      for (uint32_t i = 0; i < found.kept_count; ++i)
        assert_int_equal(found.kept[i].proven, place_at(found.kept[i].offset).batch != place.batch);
      // The batch's own mark tells how much of it is gone.
      assert_int_equal(found.note_count, place.mark ? 0 : 1);
      if (place.mark) continue;
      assert_int_equal(found.notes[0].number, place.batch);
      assert_int_equal(found.notes[0].records_lost, 1);
      assert_int_equal(found.notes[0].batches_lost, 0);
    }
  }
}

// What is written anew opens as a registry, with the state that the records make which are left.
static void what_is_left_makes_a_registry(void** state) {
  Bench& b = bench(state);
  const ByteView log = sample(b);
  for (size_t at = 0; at < log.size(); ++at) {
    // The state that is to be expected, from a log without the record in question.
    const size_t hit = at < FileHeader::size ? 0 : place_at(at).offset;
    LogWriter expected(b.journal);
    expected.header();
    for (uint32_t p = 0; p < layout.count; ++p) {
      if (layout.places[p].mark || layout.places[p].offset == hit) continue;
      expected.raw(log.subspan(layout.places[p].offset, layout.places[p].size));
    }
    expected.mark();
    assert_true(b.try_open().ok());
    const uint64_t digest = b.digest();
    const uint32_t count = b.registry->count();
    b.journal.cuts = b.journal.appends = 0;

    static uint8_t copy[1 << 16];
    copy_bytes(copy, log);
    copy[at] = static_cast<uint8_t>(copy[at] ^ 0x5a);
    rebuild(b, ByteView(copy).first(log.size()));
    assert_true(b.try_open().ok());
    assert_int_equal(b.registry->cut_bytes(), 0);
    assert_int_equal(b.registry->count(), count);
    assert_true(b.digest() == digest);
  }
}

static void of_a_log_that_was_cut_short_every_whole_record_is_kept(void** state) {
  Bench& b = bench(state);
  const ByteView log = sample(b);
  for (size_t length = 1; length < log.size(); ++length) {
    b.journal.set(log.first(length));
    salvage(b.journal);
    assert_int_equal(found.error, Error::none);
    assert_int_equal(found.header_ok, length >= FileHeader::size);
    if (length <= FileHeader::size) {
      assert_int_equal(found.kept_count, 0);
      continue;
    }
    expect_all_but(length, SIZE_MAX);
    const Place& torn = place_at(length - 1);
    const bool clean = torn.offset + torn.size == length;
    assert_int_equal(found.lost_count, clean ? 0 : 1);
    if (!clean) assert_true(found.lost[0].tail && found.lost[0].offset == torn.offset);
    // Records without their mark are in the tail, those before it are proven.
    for (uint32_t i = 0; i < found.kept_count; ++i) {
      const uint64_t batch = place_at(found.kept[i].offset).batch;
      const bool complete = batch < torn.batch || (torn.mark && clean);
      assert_int_equal(found.kept[i].proven, complete);
      assert_int_equal(found.kept[i].tail, !complete);
    }
  }
}

// Regions of any length with zeros or noise in them, two of them: all that stands outside comes out.
static void of_two_damaged_regions_only_they_are_lost(void** state) {
  Bench& b = bench(state);
  const ByteView log = sample(b);
  sim::Random random(5);
  for (int round = 0; round < 4000; ++round) {
    b.journal.set(log);
    size_t from[2];
    size_t to[2];
    for (int i = 0; i < 2; ++i) {
      from[i] = FileHeader::size + random.below(log.size() - FileHeader::size);
      to[i] = std::min<size_t>(log.size(), from[i] + 1 + random.below(200));
      for (size_t at = from[i]; at < to[i]; ++at) {
        const uint8_t before = b.journal.bytes[at];
        b.journal.bytes[at] = round % 2 == 0 ? 0 : static_cast<uint8_t>(random.next());
        if (b.journal.bytes[at] == before) b.journal.bytes[at] = static_cast<uint8_t>(before ^ 0x55);
      }
    }
    salvage(b.journal);
    assert_int_equal(found.error, Error::none);
    uint32_t i = 0;
    for (uint32_t p = 0; p < layout.count; ++p) {
      const Place& place = layout.places[p];
      const auto hit = [&](int r) { return place.offset < to[r] && place.offset + place.size > from[r]; };
      if (place.mark || hit(0) || hit(1)) continue;
      assert_true(i < found.kept_count);
      assert_int_equal(found.kept[i++].offset, place.offset);
    }
    assert_int_equal(i, found.kept_count);
    assert_true(found.lost_count >= 1 && found.lost_count <= 2);
    // Every damaged byte is in a loss.
    for (int r = 0; r < 2; ++r) {
      bool told = false;
      for (uint32_t l = 0; l < found.lost_count; ++l)
        told |= found.lost[l].offset <= from[r] && found.lost[l].offset + found.lost[l].length >= to[r];
      assert_true(told);
    }
  }
}

static void lost_batches_are_counted_by_the_marks_that_are_left(void** state) {
  Bench& b = bench(state);
  const ByteView log = sample(b);
  // From the first record of batch 2 to the last byte of batch 4.
  const size_t from = layout.places[2].offset;
  size_t to = 0;
  for (uint32_t p = 0; p < layout.count; ++p) {
    if (layout.places[p].batch == 4) to = layout.places[p].offset + layout.places[p].size;
  }
  b.journal.set(log);
  std::memset(b.journal.bytes + from, 0, to - from);
  salvage(b.journal);
  assert_int_equal(found.lost_count, 1);
  assert_int_equal(found.lost[0].batches_lost, 3);
  assert_int_equal(found.lost[0].number, 2);
  assert_false(found.lost[0].mark_only);
  assert_int_equal(found.note_count, 0);
  expect_all_but(from, to);
  // Only to the middle of batch 5: its mark tells that the others had theirs, and not how much is gone.
  b.journal.set(log);
  std::memset(b.journal.bytes + from, 0, to + 1 - from);
  salvage(b.journal);
  assert_int_equal(found.lost[0].batches_lost, 0);
  assert_int_equal(found.note_count, 1);
  assert_int_equal(found.notes[0].number, 5);
  assert_int_equal(found.notes[0].batches_lost, 3);
  assert_int_equal(found.notes[0].records_lost, 0);
}

static void a_lost_record_may_still_tell_whose_it_was(void** state) {
  Bench& b = bench(state);
  const ByteView log = sample(b);
  b.journal.set(log);
  b.journal.bytes[layout.places[0].offset + layout.places[0].size - 1] ^= 1;  // its CRC
  Salvage salvage(b.journal, Bytes(salvage_room).first(1 << 16));
  FileHeader header;
  Salvage::Piece piece;
  assert_true(salvage.open(header).ok() && salvage.next(piece).ok());
  assert_true(piece.kind == Salvage::Piece::Kind::loss && piece.readable);
  assert_true(piece.record.kind == RecordKind::registered);
  assert_true(piece.record.registration.account == "ann1@example.org");
  // With its batch's mark behind it that is lost as well.
  b.journal.bytes[layout.places[1].offset] ^= 1;
  Salvage again(b.journal, Bytes(salvage_room).first(1 << 16));
  assert_true(again.open(header).ok() && again.next(piece).ok());
  assert_true(piece.kind == Salvage::Piece::Kind::loss && piece.batches_lost == 1 && !piece.mark_only);
  assert_int_equal(piece.length, layout.places[0].size + mark_bytes);
  assert_true(piece.readable && piece.record.registration.account == "ann1@example.org");
}

// Who registers chooses his token. If the record around it is damaged, what is in it must not become a record.
static void a_record_within_a_token_is_none(void** state) {
  Bench& b = bench(state);
  uint8_t inner[full_record_bytes_max];
  const Registration forged = b.registration(9, 9);
  const size_t size =
      encode({.kind = RecordKind::registered, .node = node_of(1), .time = day_one, .registration = forged}, inner);
  Registration outer = b.registration(1, 1);
  const ByteView token = ByteView(inner).first(size);
  outer.token = token;
  LogWriter(b.journal)
      .header()
      .record({.kind = RecordKind::registered, .node = outer.node, .time = day_one, .registration = outer})
      .record({.kind = RecordKind::released, .node = outer.node, .time = day_one})
      .mark()
      .mark();
  const size_t start = FileHeader::size;
  const size_t end = start + record_size(b.journal.bytes + start);
  for (size_t at = start; at < end; ++at) {
    if (at == start + 2 || at == start + 3) continue;  // without its length nobody knows that it is inside
    b.journal.bytes[at] ^= 0x10;
    salvage(b.journal);
    assert_int_equal(found.kept_count, 1);
    assert_int_equal(found.kept[0].offset, end);
    b.journal.bytes[at] ^= 0x10;
  }
}

static void records_that_stand_elsewhere_are_kept_and_not_proven(void** state) {
  Bench& b = bench(state);
  const ByteView log = sample(b);
  // A piece of batch 2 is missing altogether, so that everything behind it has moved.
  const size_t gone = layout.places[3].offset + 5;
  copy_bytes(spoiled, log.first(gone));
  copy_bytes(spoiled + gone, log.subspan(gone + 40));
  b.journal.set(ByteView(spoiled).first(log.size() - 40));
  salvage(b.journal);
  uint32_t expected = 0;
  for (uint32_t p = 0; p < layout.count; ++p) {
    const Place& place = layout.places[p];
    if (!place.mark && !(place.offset < gone + 40 && place.offset + place.size > gone)) ++expected;
  }
  assert_int_equal(found.kept_count, expected);
  for (uint32_t i = 0; i < found.kept_count; ++i) assert_int_equal(found.kept[i].proven, i == 0);
}

static void records_in_another_order_than_their_mark_saw_are_not_proven(void** state) {
  Bench& b = bench(state);
  LogWriter(b.journal)
      .header()
      .record({.kind = RecordKind::released, .node = node_of(1)})
      .record({.kind = RecordKind::released, .node = node_of(2)})
      .mark()
      .mark();
  constexpr size_t size = 32;
  uint8_t record[size];
  std::memcpy(record, b.journal.bytes + FileHeader::size, size);
  std::memmove(b.journal.bytes + FileHeader::size, b.journal.bytes + FileHeader::size + size, size);
  std::memcpy(b.journal.bytes + FileHeader::size + size, record, size);
  salvage(b.journal);
  assert_int_equal(found.kept_count, 2);
  assert_false(found.kept[0].proven || found.kept[1].proven);
  assert_int_equal(found.lost_count, 0);
}

static void newer_records_stop_it_and_malformed_ones_are_lost(void** state) {
  Bench& b = bench(state);
  uint8_t bytes[64] = {record_version, 9, 0, 56};
  LogWriter(b.journal).header().record({.kind = RecordKind::released, .node = node_of(1)}).mark().raw(bytes).mark();
  salvage(b.journal);
  assert_int_equal(found.error, Error::unsupported);
  bytes[1] = static_cast<uint8_t>(RecordKind::ended);
  LogWriter(b.journal)
      .header()
      .raw(bytes)
      .record({.kind = RecordKind::released, .node = node_of(1)})
      .mark()
      .record({.kind = RecordKind::released, .node = node_of(1)})
      .mark();
  salvage(b.journal);
  assert_int_equal(found.error, Error::none);
  assert_int_equal(found.lost_count, 1);
  assert_int_equal(found.lost[0].offset, FileHeader::size);
  assert_int_equal(found.lost[0].length, 64);
  assert_int_equal(found.kept_count, 2);
  encode(FileHeader{.version = FileHeader::newest + 1}, bytes);
  b.journal.set(ByteView(bytes).first(FileHeader::size));
  salvage(b.journal);
  assert_int_equal(found.error, Error::unsupported);
}

static void in_another_file_nothing_is_found(void** state) {
  Bench& b = bench(state);
  sim::Random random(2);
  static uint8_t noise[300'000];
  random.fill(noise);
  for (const size_t size : {size_t{1}, size_t{35}, size_t{36}, size_t{37}, size_t{5000}, sizeof noise}) {
    b.journal.set(ByteView(noise).first(size));
    salvage(b.journal);
    assert_int_equal(found.error, Error::none);
    assert_int_equal(found.kept_count, 0);
    assert_false(found.header_ok);
    uint64_t lost = 0;
    for (uint32_t i = 0; i < found.lost_count; ++i) lost += found.lost[i].length;
    assert_int_equal(lost, size);
  }
}

static void a_sector_that_can_not_be_read_is_lost_alone(void** state) {
  // Gives back an error for every read that touches the bad sector.
  struct Worn final : Journal {
    MemoryJournal* under;
    uint64_t bad = 0;
    Result<size_t> read(uint64_t offset, Bytes room) override {
      if (offset < bad + LogWindow::sector_bytes && offset + room.size() > bad && offset < under->size())
        return Error::io;
      return under->read(offset, room);
    }
    uint64_t size() const override { return under->size(); }
    Status append(ByteView) override { return Error::read_only; }
    bool decided(Status&) override { return false; }
    Status cut(uint64_t) override { return Error::read_only; }
    Status renew(uint64_t) override { return Error::io; }
  };
  Bench& b = bench(state);
  const ByteView log = long_sample(b, 60);
  for (uint64_t bad = 0; bad < log.size(); bad += LogWindow::sector_bytes) {
    b.journal.set(log);
    Worn worn;
    worn.under = &b.journal;
    worn.bad = bad;
    salvage(worn, Salvage::scratch_bytes_min);
    assert_int_equal(found.error, Error::none);
    expect_all_but(static_cast<size_t>(bad), static_cast<size_t>(bad) + LogWindow::sector_bytes);
    assert_true(found.unreadable > 0);
  }
  b.journal.set(log);
  b.journal.read_fails = true;
  salvage(b.journal);
  assert_int_equal(found.kept_count, 0);
}

// Longer than any window, with records of every size, and more behind the damage than one batch can be.
static void long_logs_are_read_through_small_windows(void** state) {
  Bench& b = bench(state);
  const ByteView log = long_sample(b, 400);
  for (const size_t window : {Salvage::scratch_bytes_min, size_t{1} << 16, size_t{1} << 18}) {
    for (const uint32_t hit : {0u, 50u, 150u, 250u, 403u}) {
      const Place& place = layout.places[hit];
      b.journal.set(log);
      b.journal.bytes[place.offset + place.size / 2] ^= 1;
      salvage(b.journal, window);
      expect_all_but(place.offset, place.offset + 1);
      assert_int_equal(found.lost_count, 1);
      assert_int_equal(found.lost[0].offset, place.offset);
      assert_int_equal(found.lost[0].length, place.size);
    }
  }
}

TESTS(salvage, BENCH_TEST(a_whole_log_comes_out_whole_and_proven),
      BENCH_TEST(one_damaged_byte_costs_one_record_at_most), BENCH_TEST(what_is_left_makes_a_registry),
      BENCH_TEST(of_a_log_that_was_cut_short_every_whole_record_is_kept),
      BENCH_TEST(of_two_damaged_regions_only_they_are_lost),
      BENCH_TEST(lost_batches_are_counted_by_the_marks_that_are_left),
      BENCH_TEST(a_lost_record_may_still_tell_whose_it_was), BENCH_TEST(a_record_within_a_token_is_none),
      BENCH_TEST(records_that_stand_elsewhere_are_kept_and_not_proven),
      BENCH_TEST(a_sector_that_can_not_be_read_is_lost_alone),
      BENCH_TEST(records_in_another_order_than_their_mark_saw_are_not_proven),
      BENCH_TEST(newer_records_stop_it_and_malformed_ones_are_lost), BENCH_TEST(in_another_file_nothing_is_found),
      BENCH_TEST(long_logs_are_read_through_small_windows));
