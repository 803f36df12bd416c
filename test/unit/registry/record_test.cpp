#include "registry/record.h"

#include "base/encode.h"
#include "test/unit/registry/bench.h"

using namespace tocsin;
using namespace tocsin::test;

// Compares without the CRC, and checks that one apart.
static void expect_bytes(const Record& record, const char* hex) {
  uint8_t want[256];
  const auto size = decode_hex(hex, want);
  assert_true(size.ok());
  static uint8_t room[full_record_bytes_max];
  const size_t written = encode(record, room);
  assert_int_equal(written, size.value() + 4);
  if (std::memcmp(room, want, size.value()) != 0) {
    static uint8_t text[600];
    Writer got(text);
    got.hex(ByteView(room).first(written - 4));
    print_error("got %.*s\n", static_cast<int>(got.size()), got.view().data());
    fail_msg("%s", "other bytes");
  }
  assert_int_equal(get_u32(room + size.value()), crc32c(0, ByteView(room).first(size.value())));
  // The way back, and every room that is too small.
  const ByteView bytes = ByteView(room).first(written);
  assert_true(intact(bytes));
  assert_int_equal(record_size(room), written);
  Record back;
  assert_true(decode(bytes, back).ok());
  assert_true(back.kind == record.kind && back.node == record.node && back.time == record.time);
  assert_true(back.accepted_under == record.accepted_under && back.accepted_day == record.accepted_day);
  assert_true(back.reason == record.reason && back.word == record.word && back.mark == record.mark);
  const Registration& a = record.registration;
  const Registration& c = back.registration;
  assert_true(a.account == c.account && a.section == c.section && a.provider == c.provider &&
              a.registered == c.registered);
  assert_true(same(a.token, c.token) && same(a.second_token, c.second_token));
  for (size_t less = 0; less < written; ++less) {
    uint8_t small[256];
    assert_int_equal(encode(record, Bytes(small).first(less)), 0);
  }
}

// These bytes are the format: they may only change together with a version number and README.md.
static void records_are_these_bytes(void**) {
  const NodeId node = node_of(0xa0);
  const uint8_t token[] = {0xde, 0xad};
  const uint8_t second[] = {0xbe};
  Record full{.kind = RecordKind::registered,
              .node = node,
              .time = {0x0102030405},
              .registration = {.node = node,
                               .account = "ann@example.org",
                               .section = "apns/siskin",
                               .provider = "push",
                               .token = token,
                               .second_token = second,
                               .registered = {0x0a0b0c0d}},
              .accepted_under = 0xfeedf00d,
              .accepted_day = 0x4f1a};
  const char* text =
      "02010066"                          // version, kind, length
      "a0111111111111111111111111111111"  // node
      "000000000a0b0c0d"                  // first registered
      "0000000102030405"                  // this registration
      "feedf00d"
      "4f1a"  // accepted under, day
      "000f"
      "616e6e406578616d706c652e6f7267"
      "000b"
      "61706e732f7369736b696e"
      "0004"
      "70757368"
      "0002"
      "dead"
      "0001"
      "be"
      "0003"
      "703231"
      "0002"
      "7365"
      "0009"
      "6d75632e6c6f63616c"
      "01";
  full.registration.identity = bytes_of("p21");
  full.registration.secret = "se";
  full.registration.channel = "muc.local";
  full.registration.dialect = DialectId::p2;
  expect_bytes(full, text);
  char changed[256];
  std::memcpy(changed, text, std::strlen(text) + 1);
  changed[3] = '2';
  full.kind = RecordKind::changed;
  expect_bytes(full, changed);
  // An endpoint of UnifiedPush is a registration in other words; the next dialect is not ours to understand.
  full.registration.dialect = DialectId::unified_push;
  uint8_t endpoint[256];
  const size_t endpoint_size = encode(full, endpoint);
  Record read;
  assert_true(decode(ByteView(endpoint).first(endpoint_size), read).ok());
  assert_true(read.registration.is_endpoint());
  ++endpoint[endpoint_size - 5];
  assert_int_equal(decode(ByteView(endpoint).first(endpoint_size), read).error(), Error::unsupported);
  full.registration.second_token = {};
  full.registration.section = {};
  uint8_t room[256];
  Record back;
  assert_true(decode(ByteView(room).first(encode(full, room)), back).ok());
  assert_true(back.registration.second_token.empty() && back.registration.section.empty());

  expect_bytes({.kind = RecordKind::refreshed, .node = node, .time = {0x66000001}},
               "01030018"
               "a0111111111111111111111111111111"
               "0000000066000001");
  expect_bytes({.kind = RecordKind::accepted, .node = node, .time = {0x66000002}, .accepted_under = 0x01020304},
               "0104001c"
               "a0111111111111111111111111111111"
               "0000000066000002"
               "01020304");
  expect_bytes({.kind = RecordKind::held, .node = node, .time = {0x66000003}, .word = "Bad"},
               "0105001c"
               "a0111111111111111111111111111111"
               "0000000066000003"
               "03426164");
  expect_bytes({.kind = RecordKind::released, .node = node, .time = {0x66000004}},
               "01060018"
               "a0111111111111111111111111111111"
               "0000000066000004");
  expect_bytes({.kind = RecordKind::ended, .node = node, .time = {-1}, .reason = EndReason::provider, .word = ""},
               "0207001e"
               "a0111111111111111111111111111111"
               "ffffffffffffffff"
               "03"
               "00"
               "0000"
               "0000");
  expect_bytes({.kind = RecordKind::ended,
                .node = node,
                .time = {2},
                .registration = {.account = "a@b", .section = "x"},
                .reason = EndReason::client,
                .word = "w"},
               "02070023"
               "a0111111111111111111111111111111"
               "0000000000000002"
               "01"
               "0177"
               "0003"
               "614062"
               "0001"
               "78");
  expect_bytes({.kind = RecordKind::mark,
                .node = {},
                .mark = {.number = 0x0102, .start = 0x123456789a, .length = 0x2000, .records = 3, .crc = 0xcafebabe}},
               "0180001c"
               "0000000000000102"
               "000000123456789a"
               "00002000"
               "00000003"
               "cafebabe");
}

// As the first format wrote them.
static void records_of_version_1_are_read(void**) {
  static uint8_t bytes[256];
  const auto read = [](const char* text, Record& out) {
    const size_t size = decode_hex(text, bytes).value();
    put_u32(bytes + size, crc32c(0, ByteView(bytes).first(size)));
    assert_true(intact(ByteView(bytes).first(size + 4)));
    assert_true(decode(ByteView(bytes).first(size + 4), out).ok());
  };
  Record record;
  read(
      "01010051"
      "a0111111111111111111111111111111"
      "000000000a0b0c0d"
      "0000000102030405"
      "feedf00d"
      "4f1a"
      "000f"
      "616e6e406578616d706c652e6f7267"
      "000b"
      "61706e732f7369736b696e"
      "0004"
      "70757368"
      "0002"
      "dead"
      "0001"
      "be",
      record);
  const Registration& r = record.registration;
  assert_true(record.kind == RecordKind::registered && record.accepted_day == 0x4f1a);
  assert_true(r.account == "ann@example.org" && r.section == "apns/siskin" && r.token.size() == 2);
  assert_true(r.identity.empty() && r.secret.empty() && r.channel.empty() && r.dialect == DialectId::tigase);
  read(
      "0107001c"
      "a0111111111111111111111111111111"
      "0000000000000002"
      "03"
      "024142",
      record);
  assert_true(record.kind == RecordKind::ended && record.reason == EndReason::provider && record.word == "AB");
  assert_true(record.registration.account.empty());
}

static void the_header_is_these_bytes(void**) {
  FileHeader header{.generation = 7};
  for (uint8_t i = 0; i < 16; ++i) header.creation_id[i] = i;
  uint8_t bytes[FileHeader::size];
  encode(header, bytes);
  uint8_t want[FileHeader::size];
  assert_int_equal(decode_hex("544f4353494e520a"
                              "0002"
                              "0024"
                              "00000007"
                              "000102030405060708090a0b0c0d0e0f",
                              want)
                       .value(),
                   32);
  assert_memory_equal(bytes, want, 32);
  assert_int_equal(get_u32(bytes + 32), crc32c(0, ByteView(want).first(32)));
  FileHeader back;
  assert_true(decode(bytes, back).ok());
  assert_int_equal(back.generation, 7);
  assert_memory_equal(back.creation_id, header.creation_id, 16);
  for (size_t i = 0; i < sizeof bytes; ++i) {
    assert_int_equal(decode(ByteView(bytes).first(i), back).error(), Error::damaged);
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] = static_cast<uint8_t>(bytes[i] ^ (1 << bit));
      assert_int_equal(decode(bytes, back).error(), Error::damaged);
      bytes[i] = static_cast<uint8_t>(bytes[i] ^ (1 << bit));
    }
  }
  // A longer header of a newer format is understood far enough to say so.
  uint8_t longer[48] = {};
  header.version = 3;
  encode(header, longer);
  put_u16(longer + 10, sizeof longer);
  put_u32(longer + 44, crc32c(0, ByteView(longer).first(44)));
  assert_int_equal(decode(longer, back).error(), Error::unsupported);
}

static void one_flipped_bit_is_noticed(void**) {
  const uint8_t token[] = {1, 2, 3};
  const Record record{.kind = RecordKind::registered,
                      .node = node_of(1),
                      .registration = {.node = {},
                                       .account = "ann@example.org",
                                       .section = "apns/siskin",
                                       .provider = "push",
                                       .token = token,
                                       .second_token = {},
                                       .registered = {}}};
  uint8_t room[256];
  const size_t size = encode(record, room);
  for (size_t i = 0; i < size * 8; ++i) {
    room[i / 8] = static_cast<uint8_t>(room[i / 8] ^ (1 << (i % 8)));
    assert_false(intact(ByteView(room).first(size)));
    room[i / 8] = static_cast<uint8_t>(room[i / 8] ^ (1 << (i % 8)));
  }
  assert_true(intact(ByteView(room).first(size)));
}

// Intact, but nothing of ours: every payload cut short or longer than it says, every number of version and kind.
static void foreign_payloads_are_malformed_or_unsupported(void**) {
  const uint8_t token[] = {1, 2, 3};
  Record record{.node = node_of(1),
                .registration = {.node = {},
                                 .account = "ann@example.org",
                                 .section = "apns/siskin",
                                 .provider = "push",
                                 .token = token,
                                 .second_token = {},
                                 .registered = {}},
                .word = "word"};
  Record back;
  static uint8_t bytes[512];
  const auto expect = [&back](size_t payload, Error error) {
    put_u16(bytes + 2, static_cast<uint16_t>(payload));
    put_u32(bytes + 4 + payload, crc32c(0, ByteView(bytes).first(4 + payload)));
    assert_true(intact(ByteView(bytes).first(payload + 8)));
    assert_int_equal(decode(ByteView(bytes).first(payload + 8), back).error(), error);
  };
  for (const int kind : {1, 2, 3, 4, 5, 6, 7, 0x80}) {
    record.kind = static_cast<RecordKind>(kind);
    std::memset(bytes, 0, sizeof bytes);
    const size_t payload = encode(record, bytes) - 8;
    uint8_t copy[512];
    std::memcpy(copy, bytes, sizeof copy);
    for (size_t length = 0; length < payload + 9; ++length) {
      std::memcpy(bytes, copy, sizeof bytes);
      if (length != payload) expect(length, Error::malformed);
    }
  }
  record.kind = RecordKind::refreshed;
  const size_t payload = encode(record, bytes) - 8;
  for (unsigned kind = 0; kind < 256; ++kind) {
    if ((kind >= 1 && kind <= 7) || kind == 0x80) continue;
    bytes[1] = static_cast<uint8_t>(kind);
    expect(payload, Error::unsupported);
  }
  for (unsigned version = 0; version < 256; ++version) {
    if (version == record_version) continue;
    bytes[1] = version == record_version_wide ? 3 : 1;
    bytes[0] = static_cast<uint8_t>(version);
    expect(payload, Error::unsupported);
  }
}

static void a_batch_sum_knows_file_records_and_their_order(void**) {
  uint8_t one[64];
  uint8_t two[64];
  const size_t size = encode({.kind = RecordKind::refreshed, .node = node_of(1)}, one);
  encode({.kind = RecordKind::refreshed, .node = node_of(2)}, two);
  const auto sum = [size](string_view id, const uint8_t* a, const uint8_t* b, uint32_t generation = 0) {
    FileHeader header{.generation = generation};
    copy_bytes(header.creation_id, bytes_of(id));
    BatchSum s(header);
    s.add({a, size});
    s.add({b, size});
    assert_int_equal(s.records(), 2);
    return s.crc();
  };
  assert_int_equal(sum("a", one, two), sum("a", one, two));
  assert_true(sum("a", one, two) != sum("a", two, one));
  assert_true(sum("a", one, two) != sum("b", one, two));
  assert_true(sum("a", one, two) != sum("a", one, one));
  assert_true(sum("a", one, two) != sum("a", one, two, 1));
}

TESTS(record, cmocka_unit_test(records_are_these_bytes), cmocka_unit_test(records_of_version_1_are_read),
      cmocka_unit_test(the_header_is_these_bytes), cmocka_unit_test(one_flipped_bit_is_noticed),
      cmocka_unit_test(foreign_payloads_are_malformed_or_unsupported),
      cmocka_unit_test(a_batch_sum_knows_file_records_and_their_order));
