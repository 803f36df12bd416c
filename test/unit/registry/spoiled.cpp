#include "test/unit/registry/spoiled.h"

#include "registry/batch.h"

namespace tocsin::test {

Layout layout;
Found found;
uint8_t spoiled[spoil_room_bytes];
uint8_t salvage_room[1 << 18];

static uint8_t pristine[spoil_room_bytes];
static uint8_t batch_room[1 << 16];

static void survey_layout(ByteView log) {
  layout = Layout{};
  layout.size = log.size();
  uint64_t batch = 1;
  for (size_t at = FileHeader::size; at < log.size();) {
    const size_t size = record_size(&log[at]);
    const bool mark = log[at + 1] == static_cast<uint8_t>(RecordKind::mark);
    assert_true(layout.count < pieces_max);
    layout.places[layout.count++] = {at, size, mark, batch};
    if (mark) ++batch;
    at += size;
  }
}

const Place& place_at(size_t offset) {
  for (uint32_t i = 0; i < layout.count; ++i) {
    if (offset < layout.places[i].offset + layout.places[i].size) return layout.places[i];
  }
  fail_here();
  return layout.places[0];
}

ByteView sample(Bench& b, uint16_t version) {
  LogWriter log(b.journal);
  static char long_text[account_bytes_max];
  std::memset(long_text, 'x', sizeof long_text);
  const Registration one = b.registration(1, 1);
  log.header(version)
      .record({.kind = RecordKind::registered, .node = one.node, .time = day_one, .registration = one})
      .mark()
      .record({.kind = RecordKind::held, .node = one.node, .time = day_one, .word = "BadDeviceToken"})
      .record({.kind = RecordKind::released, .node = one.node, .time = day_one})
      .record({.kind = RecordKind::accepted, .node = one.node, .time = day_one, .accepted_under = 7})
      .mark();
  Registration two = b.registration(2, 1);
  two.account = {long_text, 300};
  two.channel = "muc.example.org";
  two.secret = "s3cr3t";
  log.record({.kind = RecordKind::registered, .node = two.node, .time = day_one, .registration = two})
      .record({.kind = RecordKind::refreshed, .node = one.node, .time = day_one})
      .mark()
      .mark();
  Registration three = b.registration(3, 1);
  log.record({.kind = RecordKind::registered, .node = three.node, .time = day_one, .registration = three})
      .record({.kind = RecordKind::ended,
               .node = two.node,
               .time = day_one,
               .registration = {.account = two.account, .section = two.section},
               .reason = EndReason::provider,
               .word = "Unregistered"})
      .mark();
  three.token = bytes_of("another token");
  log.record({.kind = RecordKind::changed, .node = three.node, .time = day_one, .registration = three}).mark();
  std::memcpy(pristine, b.journal.bytes, b.journal.size());
  survey_layout(ByteView(pristine).first(b.journal.size()));
  return ByteView(pristine).first(layout.size);
}

ByteView long_sample(Bench& b, int records) {
  LogWriter log(b.journal);
  log.header();
  sim::Random random(3);
  static char text[account_bytes_max];
  std::memset(text, 'x', sizeof text);
  for (int i = 1; i <= records; ++i) {
    Registration wanted = b.registration(static_cast<unsigned>(i), 0);
    wanted.account = {text, random.between(1, account_bytes_max)};
    log.record({.kind = RecordKind::registered, .node = wanted.node, .time = day_one, .registration = wanted});
    if (i % 100 == 0 || i == records) log.mark();
  }
  std::memcpy(pristine, b.journal.bytes, b.journal.size());
  survey_layout(ByteView(pristine).first(b.journal.size()));
  return ByteView(pristine).first(layout.size);
}

void salvage(Journal& journal, size_t scratch_size) {
  found = Found{};
  Salvage salvage(journal, Bytes(salvage_room).first(scratch_size));
  FileHeader header;
  const Result<bool> opened = salvage.open(header);
  if (!opened.ok()) {
    found.error = opened.error();
    return;
  }
  found.header_ok = opened.value();
  uint64_t at = found.header_ok ? FileHeader::size : 0;
  for (;;) {
    Salvage::Piece piece;
    const Result<bool> more = salvage.next(piece);
    if (!more.ok()) {
      found.error = more.error();
      return;
    }
    if (!more.value()) break;
    if (piece.kind == Salvage::Piece::Kind::record) {
      // Marks that nothing is told of stand in between.
      assert_true(piece.offset == at || piece.offset == at + mark_bytes || piece.offset == at + 2 * mark_bytes);
      at = piece.offset + piece.length;
      assert_true(found.kept_count < pieces_max);
      found.kept[found.kept_count++] = {piece.offset, piece.length, piece.proven, piece.tail};
    } else if (piece.kind == Salvage::Piece::Kind::loss) {
      assert_true(piece.offset >= at && piece.length > 0);
      at = piece.offset + piece.length;
      assert_true(found.lost_count < 64);
      found.lost[found.lost_count++] = piece;
    } else {
      assert_true(found.note_count < 64);
      found.notes[found.note_count++] = piece;
    }
  }
  assert_true(at <= journal.size());
  found.unreadable = salvage.unreadable();
}

void expect_all_but(size_t from, size_t to) {
  uint32_t i = 0;
  for (uint32_t p = 0; p < layout.count; ++p) {
    const Place& place = layout.places[p];
    if (place.mark || (place.offset < to && place.offset + place.size > from)) continue;
    assert_true(i < found.kept_count);
    assert_int_equal(found.kept[i].offset, place.offset);
    assert_int_equal(found.kept[i].length, place.size);
    ++i;
  }
  assert_int_equal(i, found.kept_count);
}

void rebuild(Bench& b, ByteView from) {
  static uint8_t copy[1 << 20];
  copy_bytes(copy, from);
  b.journal.set(from);
  Salvage salvage(b.journal, Bytes(salvage_room).first(1 << 16));
  FileHeader header;
  const Result<bool> opened = salvage.open(header);
  assert_true(opened.ok());
  if (!opened.value()) std::memset(header.creation_id, 0x77, sizeof header.creation_id);
  header.version = FileHeader::newest;
  ++header.generation;
  encode(header, spoiled);
  size_t used = FileHeader::size;
  uint64_t number = 0;
  Batch batch(batch_room, header);
  const auto write = [&] {
    const ByteView bytes = batch.close(used, ++number);
    copy_bytes(spoiled + used, bytes);
    used += bytes.size();
    batch.clear();
  };
  for (;;) {
    Salvage::Piece piece;
    const Result<bool> more = salvage.next(piece);
    assert_true(more.ok());
    if (!more.value()) break;
    if (piece.kind == Salvage::Piece::Kind::record && !batch.add(piece.record)) {
      write();
      assert_true(batch.add(piece.record));
    }
  }
  write();
  write();
  // The damaged log is read and nothing else.
  assert_true(same(b.journal.all(), ByteView(copy).first(from.size())));
  assert_int_equal(b.journal.cuts + b.journal.appends, 0);
  b.journal.set(ByteView(spoiled).first(used));
}

}  // namespace tocsin::test
