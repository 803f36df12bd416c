#include "model/node_id.h"

#include "base/writer.h"
#include "test/support/tests.h"

using namespace tocsin;

static void what_we_hand_out_is_read_back(void**) {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    NodeId node;
    for (size_t i = 0; i < NodeId::size; ++i)
      node.bytes[i] = static_cast<uint8_t>((seed * 2654435761U) >> (i + seed % 13));
    uint8_t room[NodeId::text_size];
    Writer text(room);
    text.base64url(node.view());
    assert_int_equal(text.size(), NodeId::text_size);
    NodeId back;
    assert_true(back.parse(text.view()));
    assert_true(back == node);
  }
}

static void there_is_one_spelling_of_a_node(void**) {
  NodeId node;
  assert_true(node.parse("AAAAAAAAAAAAAAAAAAAAAA"));
  assert_true(node == NodeId{});
  unsigned accepted = 0;
  for (unsigned c = 0; c < 256; ++c) {
    char text[] = "AAAAAAAAAAAAAAAAAAAAAA";
    text[21] = static_cast<char>(c);
    accepted += node.parse({text, 22}) ? 1 : 0;
  }
  assert_int_equal(accepted, 4);  // A Q g w: two bits of the last byte
}

static void other_lengths_and_alphabets_are_refused_and_change_nothing(void**) {
  NodeId node;
  assert_true(node.parse("_-9876543210abcdefghIA"));
  const NodeId before = node;
  for (const string_view text :
       {string_view(""), string_view("AAAAAAAAAAAAAAAAAAAAA"), string_view("AAAAAAAAAAAAAAAAAAAAAAA"),
        string_view("AAAAAAAAAAAAAAAAAAAAAA=="), string_view("AAAAAAAAAAAAAAAAAAAA=="),
        string_view("AAAAAAAAAA+AAAAAAAAAAA"), string_view("AAAAAAAAAA/AAAAAAAAAAA"),
        string_view("AAAAAAAAAA AAAAAAAAAAA"), string_view("AAAAAAAAAAAAAAAAAAAAA\0", 22),
        string_view("\xc3\xa4"
                    "AAAAAAAAAAAAAAAAAAAA"),
        string_view("AAAAAAAAAA=AAAAAAAAAAA")}) {
    assert_false(node.parse(text));
    assert_true(node == before);
  }
}

TESTS(node_id, cmocka_unit_test(what_we_hand_out_is_read_back), cmocka_unit_test(there_is_one_spelling_of_a_node),
      cmocka_unit_test(other_lengths_and_alphabets_are_refused_and_change_nothing));
