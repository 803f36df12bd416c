// The table of test/data/http1/requests.txt: each request, in every way to cut it, and beside what other parsers say.
#include "base/text.h"
#include "test/support/tests.h"
#include "test/unit/proto/http_wire.h"
#include "test/unit/proto/stanzas.h"

namespace tocsin {

namespace {

using test::Dice;
using test::for_each_http_case;
using test::HttpCase;
using test::HttpWire;
using test::new_http_wire;

unsigned seen = 0;

void assert_same_text(string_view got, string_view wanted, string_view about) {
  if (got == wanted) return;
  fail_msg("%.*s: got\n%.*s\nwanted\n%.*s", static_cast<int>(about.size()), about.data(), static_cast<int>(got.size()),
           got.data(), static_cast<int>(wanted.size()), wanted.data());
}

void every_request_of_the_table_gets_its_verdict(void**) {
  seen = 0;
  for_each_http_case([](const HttpCase& c) {
    ++seen;
    HttpWire& wire = new_http_wire();
    wire.feed(c.request);
    assert_same_text(wire.verdict(), c.ours, c.request);
  });
  assert_true(seen > 500);
}

void how_a_request_is_cut_changes_nothing(void**) {
  for_each_http_case([](const HttpCase& c) {
    for (const bool streaming : {false, true}) {
      static uint8_t room[test::http_log_bytes];
      Writer whole{room};
      HttpWire* wire = &new_http_wire({}, streaming);
      wire->feed(c.request);
      whole.text(wire->log());
      const auto check = [&] {
        assert_same_text(wire->verdict(), c.ours, c.request);
        assert_same_text(wire->log(), whole.view(), c.request);
      };
      wire = &new_http_wire({}, streaming);
      wire->feed(c.request, 1);
      check();
      for (size_t cut = 1; cut < c.request.size(); ++cut) {
        // Inside long runs of one character every cut is alike.
        if (cut > 400 && cut + 200 < c.request.size()) continue;
        wire = &new_http_wire({}, streaming);
        wire->feed(slice(c.request, 0, cut));
        wire->feed(slice(c.request, cut));
        check();
      }
    }
  });
}

string_view take_word(string_view& words) {
  const size_t end = words.find("; ");
  const string_view word = slice(words, 0, end);
  words = end == string_view::npos ? string_view() : slice(words, end + 2);
  return word == "-" || word == "more" ? string_view() : word;
}

// The verdict of another parser against ours: never another request, looser or stricter only with a reason.
void compare(const HttpCase& c, string_view theirs) {
  string_view ours = c.ours;
  for (;;) {
    const string_view a = take_word(ours);
    const string_view b = take_word(theirs);
    const bool ok = starts_with(a, "ok ");
    const bool their_ok = starts_with(b, "ok ");
    if (ok && their_ok) {
      assert_same_text(a, b, c.request);
      continue;
    }
    if (ok) return assert_true(starts_with(c.note, "looser: "));
    if (their_ok && c.note == "-") fail_msg("no reason why %.*s", static_cast<int>(c.request.size()), c.request.data());
    return;
  }
}

void other_parsers_read_the_same_requests_or_there_is_a_reason(void**) {
  for_each_http_case([](const HttpCase& c) {
    compare(c, c.node);
    compare(c, c.h11);
  });
}

// Only one thing is looser than somebody: what RFC 9112 asks for.
void no_request_is_taken_that_node_refuses(void**) {
  for_each_http_case([](const HttpCase& c) {
    if (!starts_with(c.note, "looser: ")) return;
    assert_true(c.node.find("no ") == string_view::npos);
    assert_true(c.note.find("RFC 9112 2.2") != string_view::npos);
  });
}

Dice dice{20};

// Mutations of the table: bytes changed, dropped, doubled, inserted. Whatever comes of it, it comes in every cut.
void mutated_requests_mean_the_same_in_every_cut(void**) {
  for_each_http_case([](const HttpCase& c) {
    if (c.request.size() > 1000 || c.request.empty()) return;
    for (unsigned round = 0; round < 20; ++round) {
      static uint8_t request_room[2048];
      Writer request{request_room};
      const uint32_t at = dice.roll(static_cast<uint32_t>(c.request.size()));
      constexpr string_view likely = "\r\n :\t0159,;=chunked\0/*[]\x7f\x80";
      request.text(slice(c.request, 0, at));
      const uint32_t how = dice.roll(4);
      if (how != 0) request.character(likely[dice.roll(static_cast<uint32_t>(likely.size()))]);
      request.text(slice(c.request, how == 1 ? at : at + 1));
      if (how == 3) request.text(slice(c.request, at));

      static uint8_t room[test::http_log_bytes];
      Writer whole{room};
      HttpWire* wire = &new_http_wire();
      wire->feed(request.view());
      whole.text(wire->verdict()).text(wire->log());
      const auto check = [&] {
        static uint8_t other_room[test::http_log_bytes];
        Writer other{other_room};
        other.text(wire->verdict()).text(wire->log());
        assert_same_text(other.view(), whole.view(), request.view());
      };
      wire = &new_http_wire();
      wire->feed(request.view(), 1);
      check();
      wire = &new_http_wire();
      wire->feed(request.view(), 1 + dice.roll(40));
      check();
    }
  });
}

TESTS(http_requests, cmocka_unit_test(every_request_of_the_table_gets_its_verdict),
      cmocka_unit_test(how_a_request_is_cut_changes_nothing),
      cmocka_unit_test(other_parsers_read_the_same_requests_or_there_is_a_reason),
      cmocka_unit_test(no_request_is_taken_that_node_refuses),
      cmocka_unit_test(mutated_requests_mean_the_same_in_every_cut));

}  // namespace

}  // namespace tocsin
