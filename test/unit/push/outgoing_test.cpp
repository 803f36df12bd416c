#include "push/outgoing.h"

#include "test/support/notices.h"
#include "test/unit/push/desk.h"

namespace tocsin::test {
namespace {

using Priority = Notice::Priority;

Notice notice_of(Priority priority = Priority::unsaid) {
  Notice notice;
  notice.priority = priority;
  return notice;
}
Notice call(Notice notice) {
  notice.call_in_clear = true;
  return notice;
}

void the_first_row_that_fits_is_taken(void**) {
  const struct {
    Notice notice;
    Situation situation;
  } rows[] = {
      {voip(encrypted()), Situation::voip},
      {voip(encrypted(Priority::high)), Situation::voip},
      {voip(encrypted(Priority::low)), Situation::voip},
      {call(voip(encrypted())), Situation::voip},
      {encrypted(), Situation::encrypted},
      {encrypted(Priority::high), Situation::encrypted},
      {call(encrypted()), Situation::encrypted},
      {encrypted(Priority::low), Situation::encrypted_low},
      {voip(notice_of()), Situation::rest},  // without <encrypted> there is no call to decode
      {summary(0, "", ""), Situation::read_elsewhere},
      {summary(0, "", "", Priority::low), Situation::read_elsewhere},
      {summary(0, "", "", Priority::high), Situation::read_elsewhere},
      {summary(0, "bob@example.net", ""), Situation::rest},
      {summary(0, "", "Hello"), Situation::body},
      {summary(-1, "", ""), Situation::rest},  // no count is not 0
      {summary(1, "", ""), Situation::rest},
      {call(summary(1, "bob@example.net/desk", "")), Situation::call},
      {call(summary(-1, "", "Hello", Priority::low)), Situation::call},
      {call(notice_of(Priority::high)), Situation::call},
      {summary(1, "", "Hello"), Situation::body},
      {summary(1, "", "Hello", Priority::low), Situation::body},
      {summary(1, "", "", Priority::high), Situation::body},
      {notice_of(Priority::high), Situation::body},
      {notice_of(Priority::low), Situation::low},
      {summary(2, "bob@example.net", "", Priority::low), Situation::low},
      {summary(2, "bob@example.net", ""), Situation::rest},
      {notice_of(), Situation::rest},
  };
  int at = 0;
  for (const auto& row : rows) {
    if (situation_of(row.notice) != row.situation) print_error("row %d\n", at);
    assert_int_equal(situation_of(row.notice), row.situation);
    ++at;
  }
}

// One word for each kind of push, so that the table below reads like the page.
string_view word_for(const Outgoing& out) {
  if (!out.send) return "nothing";
  const bool told = out.ciphertext || out.clear_text;
  const bool day = out.ttl == hours(24);
  const bool half_minute = out.ttl == seconds(30);
  if (out.content != told || (out.ciphertext && out.clear_text) || out.alert != out.urgent) return "contradiction";
  if (out.call) {
    if (!out.alert || out.unread_zero || !half_minute) return "contradiction";
    return out.ciphertext ? "ring, sealed" : out.clear_text ? "ring, in clear" : "ring";
  }
  if (!day) return "contradiction";
  if (!out.alert) {
    if (out.clear_text) return "contradiction";
    if (out.unread_zero) return out.ciphertext ? "contradiction" : "background, unread 0";
    return out.ciphertext ? "background, sealed" : "background";
  }
  if (out.unread_zero) return "contradiction";
  return out.ciphertext ? "alert, sealed" : out.clear_text ? "alert, in clear" : "alert";
}

// Columns: payload tigase with empty = high, normal, drop; payload wake with the same.
constexpr struct {
  Situation situation;
  const char* tigase[3];
  const char* wake[3];
} page[] = {
    {Situation::voip, {"ring, sealed", "ring, sealed", "ring, sealed"}, {"ring", "ring", "ring"}},
    {Situation::encrypted, {"alert, sealed", "alert, sealed", "alert, sealed"}, {"alert", "alert", "alert"}},
    {Situation::encrypted_low,
     {"background, sealed", "background, sealed", "background, sealed"},
     {"alert", "background", "nothing"}},
    {Situation::read_elsewhere,
     {"background, unread 0", "background, unread 0", "background, unread 0"},
     {"nothing", "nothing", "nothing"}},
    {Situation::call, {"ring, in clear", "ring, in clear", "ring, in clear"}, {"ring", "ring", "ring"}},
    {Situation::body, {"alert, in clear", "alert, in clear", "alert, in clear"}, {"alert", "alert", "alert"}},
    {Situation::low, {"background", "background", "background"}, {"alert", "background", "nothing"}},
    {Situation::rest, {"alert, in clear", "background", "nothing"}, {"alert", "background", "nothing"}},
};
constexpr Empty columns[] = {Empty::high, Empty::normal, Empty::drop};

void every_cell_of_the_page_is_as_written(void**) {
  for (const auto& row : page) {
    for (int i = 0; i < 3; ++i) {
      assert_text(word_for(outgoing_for(row.situation, Payload::tigase, columns[i], true)), row.tigase[i]);
      assert_text(word_for(outgoing_for(row.situation, Payload::wake, columns[i], true)), row.wake[i]);
      assert_true(outgoing_for(row.situation, Payload::tigase, columns[i], true).payload == Payload::tigase);
      assert_true(outgoing_for(row.situation, Payload::wake, columns[i], true).payload == Payload::wake);
    }
  }
}

void sender_and_body_stay_here_unless_they_are_allowed_out(void**) {
  for (const auto& row : page) {
    for (int i = 0; i < 3; ++i) {
      const Outgoing with = outgoing_for(row.situation, Payload::tigase, columns[i], true);
      const Outgoing without = outgoing_for(row.situation, Payload::tigase, columns[i], false);
      assert_false(without.clear_text);
      assert_int_equal(without.content, without.ciphertext);
      assert_int_equal(without.send, with.send);
      assert_int_equal(without.alert, with.alert);
      assert_int_equal(without.call, with.call);
      assert_int_equal(without.ciphertext, with.ciphertext);
      assert_false(outgoing_for(row.situation, Payload::wake, columns[i], true).content);
    }
  }
}

TESTS(outgoing, cmocka_unit_test(the_first_row_that_fits_is_taken),
      cmocka_unit_test(every_cell_of_the_page_is_as_written),
      cmocka_unit_test(sender_and_body_stay_here_unless_they_are_allowed_out));

}  // namespace
}  // namespace tocsin::test
