#include "gateway/identity.h"

#include "base/writer.h"
#include "test/support/tests.h"

namespace tocsin {

namespace {

Command device(DialectId dialect, string_view id, string_view channel = {}) {
  Command command;
  command.dialect = dialect;
  command.device_id = id;
  command.channel = channel;
  return command;
}

void expect_hex(ByteView bytes, string_view hex) {
  uint8_t room[128];
  Writer out{Bytes(room)};
  out.hex(bytes);
  if (out.view() != hex) print_error("%.*s\n", static_cast<int>(out.size()), out.view().data());
  assert_true(out.view() == hex);
}

// printf 'ann@example.org\0%s' 92afd7a91cdba9a0 | sha1sum: what Conversations compares.
void the_app_finds_its_account_by_its_hash(void**) {
  const Identity identity(device(DialectId::p2, "92afd7a91cdba9a0", "tea@muc.example.org"), "ann@example.org");
  Notice notice;
  address(notice, {.identity = identity.view(), .dialect = DialectId::p2});
  assert_true(notice.addressee == Notice::Addressee::hashed);
  expect_hex(notice.account_hash, "128a2003c4eb0723dfee8bec794748f59e1ca88d");
  expect_hex(notice.channel_hash, "ae1f2b24ad0ec099b832600350f44c0c265e4ff7");
}

void without_a_group_chat_there_is_no_channel(void**) {
  const Identity identity(device(DialectId::p2, "d"), "ann@example.org");
  Notice notice;
  address(notice, {.identity = identity.view(), .dialect = DialectId::openfire});
  assert_int_equal(notice.account_hash.size(), 20);
  assert_int_equal(notice.channel_hash.size(), 0);
}

void every_account_device_channel_and_kind_has_its_own(void**) {
  const Identity all[] = {
      Identity(device(DialectId::p2, "d"), "ann@example.org"),
      Identity(device(DialectId::p2, "e"), "ann@example.org"),
      Identity(device(DialectId::p2, "d"), "bob@example.org"),
      Identity(device(DialectId::p2, "d", "a@muc.example.org"), "ann@example.org"),
      Identity(device(DialectId::p2, "d", "b@muc.example.org"), "ann@example.org"),
      Identity(device(DialectId::v1, "d"), "ann@example.org"),
  };
  for (const Identity& one : all) {
    assert_true(one.view().size() > 0 && one.view().size() <= identity_bytes_max);
    assert_true(looks_like_identity(one.view()));
    for (const Identity& other : all) assert_true(&one == &other || !same(one.view(), other.view()));
  }
}

void a_device_that_names_its_id_by_either_word_is_the_same(void**) {
  const Identity one(device(DialectId::p2, "d"), "ann@example.org");
  const Identity other(device(DialectId::openfire, "d"), "ann@example.org");
  assert_true(same(one.view(), other.view()));
}

void where_the_token_is_the_device_there_is_none(void**) {
  assert_true(Identity(device(DialectId::tigase, ""), "ann@example.org").view().empty());
  Notice notice;
  address(notice, {.dialect = DialectId::tigase});
  assert_true(notice.addressee == Notice::Addressee::account);
  address(notice, {.dialect = DialectId::v1});
  assert_true(notice.addressee == Notice::Addressee::nobody);
}

void no_token_of_today_looks_like_an_identity(void**) {
  uint8_t token[100] = {0, 'i', 'd', 'p'};
  for (size_t size = 8; size <= sizeof token; ++size) {
    assert_true(looks_like_identity(ByteView(token).first(size)) == (size == 24 || size == 44));
  }
  token[3] = 'x';
  assert_false(looks_like_identity(ByteView(token).first(24)));
}

}  // namespace

TESTS(identity, cmocka_unit_test(the_app_finds_its_account_by_its_hash),
      cmocka_unit_test(without_a_group_chat_there_is_no_channel),
      cmocka_unit_test(every_account_device_channel_and_kind_has_its_own),
      cmocka_unit_test(a_device_that_names_its_id_by_either_word_is_the_same),
      cmocka_unit_test(where_the_token_is_the_device_there_is_none),
      cmocka_unit_test(no_token_of_today_looks_like_an_identity));

}  // namespace tocsin
