#include "base/log.h"

#include "base/text.h"
#include "test/support/tests.h"
#include "test/unit/base/expect.h"

namespace tocsin {
namespace {

struct Recorder final : LogSink {
  FixedText<2000> line;
  Level level = Level::debug;
  unsigned lines = 0;
  void log_line(Level at, string_view text) override {
    assert_true(line.assign(text));
    level = at;
    ++lines;
  }
};

void a_line_is_handed_over_when_it_ends(void**) {
  Recorder sink;
  Log log(sink, Level::info);
  {
    LogLine line(log, Level::warn, "push");
    line.field("id", "a1").field("ms", 12).field("delta", -3);
    assert_int_equal(sink.lines, 0);
  }
  assert_int_equal(sink.lines, 1);
  assert_true(sink.level == Level::warn);
  expect_text(sink.line.view(), "level=warn event=push id=a1 ms=12 delta=-3");
}

void levels_beyond_the_limit_are_silent(void**) {
  Recorder sink;
  Log log(sink, Level::info);
  assert_false(log.enabled(Level::debug));
  { LogLine(log, Level::debug, "x").field("a", "b").field("c", 1).sentence("d", "e"); }
  assert_int_equal(sink.lines, 0);
  log.set_level(Level::debug);
  { LogLine(log, Level::debug, "x"); }
  expect_text(sink.line.view(), "level=debug event=x");
  log.set_level(Level::error);
  { LogLine(log, Level::error, "y"); }
  { LogLine(log, Level::warn, "z"); }
  expect_text(sink.line.view(), "level=error event=y");
  log.set_level(Level::info);
  { LogLine(log, Level::info, "i"); }
  expect_text(sink.line.view(), "level=info event=i");
}

void foreign_words_can_not_forge_a_line(void**) {
  Recorder sink;
  Log log(sink, Level::info);
  LogLine(log, Level::info, "stream").field("reason", "bad\nlevel=error event=\"x\"");
  expect_text(sink.line.view(), "level=info event=stream reason=\"bad\\nlevel=error event=\\\"x\\\"\"");
}

void values_are_cut_and_sentences_later(void**) {
  Recorder sink;
  Log log(sink, Level::info);
  char text[500];
  std::memset(text, 'v', sizeof(text));
  LogLine(log, Level::info, "e").field("k", string_view(text, 65));
  assert_int_equal(sink.line.view().size(), string_view("level=info event=e k=").size() + 64);
  LogLine(log, Level::info, "e").sentence("k", string_view(text, 500));
  assert_int_equal(sink.line.view().size(), string_view("level=info event=e k=").size() + 400);
}

void a_full_line_loses_whole_fields_and_says_so(void**) {
  Recorder sink;
  Log log(sink, Level::info);
  char text[400];
  std::memset(text, 1, sizeof(text));  // six bytes each once escaped
  LogLine(log, Level::info, "e").field("before", 1).sentence("k", string_view(text, 400)).field("after", "x");
  expect_text(sink.line.view(), "level=info event=e before=1 after=x cut=yes");
  std::memset(text, 'v', sizeof(text));
  {
    LogLine line(log, Level::info, "e");
    for (int i = 0; i < 100; ++i) line.field("number", 123456789);
  }
  assert_true(sink.line.view().size() <= 1024);
  assert_true(ends_with(sink.line.view(), " number=123456789 cut=yes"));
}

TESTS(log, cmocka_unit_test(a_line_is_handed_over_when_it_ends), cmocka_unit_test(levels_beyond_the_limit_are_silent),
      cmocka_unit_test(foreign_words_can_not_forge_a_line), cmocka_unit_test(values_are_cut_and_sentences_later),
      cmocka_unit_test(a_full_line_loses_whole_fields_and_says_so));

}  // namespace
}  // namespace tocsin
