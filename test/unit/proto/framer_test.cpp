#include "proto/framer.h"

#include <expat.h>

#include "test/support/tests.h"
#include "test/unit/proto/stanzas.h"

namespace tocsin {

namespace {

using test::Dice;
using test::stream_header;
using Found = Framer::Found;

struct Steps {
  struct Step {
    Found found;
    size_t end;
  };
  Step list[64];
  unsigned count = 0;
  size_t blanks = 0;
  // Of the first stream_close or forbidden; SIZE_MAX: none.
  size_t over = SIZE_MAX;
};

// All steps but `more`; cuts: the input is cut before every offset where it is true (nullptr: nowhere).
Steps steps_of(string_view text, const bool* cuts = nullptr) {
  Steps steps;
  Framer framer;
  size_t at = 0;
  while (at < text.size()) {
    size_t end = cuts == nullptr ? text.size() : at + 1;
    while (end < text.size() && !cuts[end]) ++end;
    while (at < end) {
      const Framer::Step step = framer.feed(bytes_of(text).subspan(at, end - at));
      at += step.used;
      if (step.found == Found::blank) steps.blanks += step.used;
      if (step.found == Found::more || step.found == Found::blank) {
        assert_true(step.used > 0);
        continue;
      }
      if (steps.count < 64) steps.list[steps.count++] = {step.found, at};
      if (step.found == Found::stream_close || step.found == Found::forbidden) {
        steps.over = at;
        return steps;
      }
    }
  }
  return steps;
}

Found last_of(const Steps& steps) { return steps.count == 0 ? Found::more : steps.list[steps.count - 1].found; }

void assert_same_steps(const Steps& a, const Steps& b) {
  assert_int_equal(a.count, b.count);
  assert_int_equal(a.blanks, b.blanks);
  for (unsigned i = 0; i < a.count; ++i) {
    assert_int_equal(a.list[i].found, b.list[i].found);
    assert_int_equal(a.list[i].end, b.list[i].end);
  }
}

constexpr string_view tricky =
    "<?xml version='1.0'?>\n <s:s a='>' xmlns:s=\"'/>\">\n \t"
    "<iq/>"
    "<iq a='/' b=\"</iq>\" c='\"'/>"
    " <m><b/>a>b ]]&gt;<![CDATA[</m>]]]]><![CDATA[>]]]>]</m>"
    "<p x = '&lt;' ><q ></q ></p >\r\n"
    "</s:s>";

void ends_of_stanzas_are_found_in_every_split(void**) {
  const Steps whole = steps_of(tricky);
  assert_int_equal(whole.count, 6);
  assert_int_equal(whole.list[0].found, Found::stream_open);
  for (unsigned i = 1; i < 5; ++i) assert_int_equal(whole.list[i].found, Found::stanza);
  assert_int_equal(whole.list[5].found, Found::stream_close);
  assert_int_equal(whole.over, tricky.size());
  assert_int_equal(whole.list[1].end, tricky.find("<iq/>") + 5);
  assert_int_equal(whole.list[2].end, tricky.find("c='\"'/>") + 7);
  assert_int_equal(whole.list[3].end, tricky.find("</m><p") + 4);
  assert_int_equal(whole.list[4].end, tricky.find("</p >") + 5);
  assert_int_equal(whole.blanks, 6);

  bool cuts[512] = {};
  for (size_t i = 1; i < tricky.size(); ++i) {
    cuts[i] = true;
    assert_same_steps(whole, steps_of(tricky, cuts));
    cuts[i] = false;
  }
  for (bool& cut : cuts) cut = true;
  assert_same_steps(whole, steps_of(tricky, cuts));
}

void golden_stanzas_end_where_they_end(void**) {
  test::for_each_golden_stanza([](string_view, string_view stanza, string_view) {
    Framer framer;
    assert_int_equal(framer.feed(bytes_of(stream_header)).found, Found::stream_open);
    for (size_t cut = 0; cut < stanza.size(); ++cut) {
      const ByteView bytes = bytes_of(stanza);
      if (cut > 0) {
        assert_int_equal(framer.feed(bytes.first(cut)).found, Found::more);
        assert_int_equal(framer.stanza_bytes(), cut);
      }
      const Framer::Step rest = framer.feed(bytes.subspan(cut));
      assert_int_equal(rest.found, Found::stanza);
      assert_int_equal(rest.used, stanza.size() - cut);
      assert_int_equal(framer.stanza_bytes(), stanza.size());
    }
  });
}

void restricted_xml_is_forbidden(void**) {
  static constexpr string_view bad[] = {
      "<s><!-- c --></s>",
      "<s><iq><!-- c --></iq>",
      "<!DOCTYPE s>",
      "<s><iq><!DOCTYPE s>",
      "<?xml version='1.0'?><!D",
      "<s><?pi?>",
      "<s><iq><?pi x?>",
      " <?xml version='1.0'?><s>",
      "<?php echo?><s>",
      "<s><![CDATA[x]]></s>",
      "<s>x",
      "<s> x",
      "HTTP/1.1 400",
      "</s>",
      "\xef\xbb\xbf<s>",
      "<s><iq><![CDATb[",
      "<?xml version='1.0'?>x<s>",
      "<s><?xml version='1.0'?>",
  };
  for (const string_view text : bad) {
    bool cuts[64];
    for (bool& cut : cuts) cut = true;
    const Steps whole = steps_of(text);
    assert_int_equal(last_of(whole), Found::forbidden);
    assert_same_steps(whole, steps_of(text, cuts));
  }
}

void nothing_may_follow_the_end(void**) {
  Framer framer;
  assert_int_equal(framer.feed(bytes_of("<s/> ")).found, Found::stream_close);
  assert_int_equal(framer.feed(bytes_of(" ")).found, Found::forbidden);
  framer.reset();
  framer.feed(bytes_of("<s>"));
  assert_int_equal(framer.feed(bytes_of("</s>")).found, Found::stream_close);
  assert_int_equal(framer.feed(bytes_of("<iq/>")).found, Found::forbidden);
}

void white_space_is_a_step_of_its_own(void**) {
  Framer framer;
  framer.feed(bytes_of("<s>"));
  const Framer::Step blanks = framer.feed(bytes_of(" \r\n\t<iq/>"));
  assert_int_equal(blanks.found, Found::blank);
  assert_int_equal(blanks.used, 4);
  assert_int_equal(framer.stanza_bytes(), 0);
  assert_int_equal(framer.feed(bytes_of("<iq/>")).found, Found::stanza);
  assert_int_equal(framer.stanza_bytes(), 5);
  assert_int_equal(framer.feed(bytes_of(" ")).found, Found::blank);
  assert_int_equal(framer.stanza_bytes(), 0);
  assert_int_equal(framer.feed({}).used, 0);
}

void depth_of_ten_thousand_is_counted(void**) {
  Framer framer;
  framer.feed(bytes_of("<s>"));
  for (unsigned i = 0; i < 10'000; ++i) assert_int_equal(framer.feed(bytes_of("<a>")).found, Found::more);
  assert_int_equal(framer.depth(), 10'001);
  for (unsigned i = 1; i < 10'000; ++i) assert_int_equal(framer.feed(bytes_of("</a>")).found, Found::more);
  assert_int_equal(framer.feed(bytes_of("</a>")).found, Found::stanza);
  assert_int_equal(framer.stanza_bytes(), 70'000);
  assert_int_equal(framer.depth(), 1);
}

void reset_begins_a_new_stream(void**) {
  Framer framer;
  framer.feed(bytes_of("<s><iq a='"));
  framer.reset();
  assert_int_equal(framer.depth(), 0);
  assert_int_equal(framer.feed(bytes_of("<?xml version='1.0'?><s>")).found, Found::stream_open);
  assert_int_equal(framer.feed(bytes_of("<iq/>")).found, Found::stanza);
}

// What expat says about the same bytes.
struct Witness {
  XML_Parser parser = nullptr;
  unsigned depth = 0;
  size_t ends[64];
  unsigned count = 0;
  size_t error_at = SIZE_MAX;
};

void XMLCALL witness_start(void* data, const XML_Char*, const XML_Char**) { ++static_cast<Witness*>(data)->depth; }

void XMLCALL witness_end(void* data, const XML_Char*) {
  Witness& w = *static_cast<Witness*>(data);
  if (--w.depth == 1 && w.count < 64) {
    w.ends[w.count++] =
        static_cast<size_t>(XML_GetCurrentByteIndex(w.parser)) + static_cast<size_t>(XML_GetCurrentByteCount(w.parser));
  }
}

void ask_expat(Witness& w, string_view text) {
  w = Witness();
  w.parser = XML_ParserCreate("UTF-8");
  XML_SetUserData(w.parser, &w);
  XML_SetElementHandler(w.parser, witness_start, witness_end);
  if (XML_Parse(w.parser, text.data(), static_cast<int>(text.size()), XML_FALSE) != XML_STATUS_OK) {
    w.error_at = static_cast<size_t>(XML_GetCurrentByteIndex(w.parser));
  }
  XML_ParserFree(w.parser);
}

bool has_end(const Steps& steps, size_t end) {
  for (unsigned i = 0; i < steps.count; ++i) {
    if (steps.list[i].found == Found::stanza && steps.list[i].end == end) return true;
  }
  return false;
}

bool has_end(const Witness& w, size_t end) {
  for (unsigned i = 0; i < w.count; ++i) {
    if (w.ends[i] == end) return true;
  }
  return false;
}

void assert_framer_and_expat_agree(string_view text) {
  static Witness w;
  ask_expat(w, text);
  const Steps steps = steps_of(text);
  bool agree = true;
  // Where the framer gave up earlier, later ends do not count: the stream is over.
  for (unsigned i = 0; i < w.count; ++i) agree = agree && (w.ends[i] > steps.over || has_end(steps, w.ends[i]));
  // Behind expat's error the framer may find what it likes: the stream is over as well.
  for (unsigned i = 0; i < steps.count; ++i) {
    if (steps.list[i].found != Found::stanza || steps.list[i].end > w.error_at) continue;
    agree = agree && has_end(w, steps.list[i].end);
  }
  if (!agree) fail_msg("framer and expat disagree on: %.*s", static_cast<int>(text.size()), text.data());
}

void mutated_streams_end_stanzas_where_expat_ends_them(void**) {
  static constexpr string_view seeds[] = {
      tricky,
      "<s:s xmlns:s='x'><iq a='1'><q>t</q></iq> <m/><p a='>'/><![CDATA[<]]></s:s>",
      "<s><iq to='a'><x y=\"'/>'\"><![CDATA[ <a> ]] ]]></x></iq><iq/>\n<iq><a/><b></b>&amp;&#33;</iq></s>",
  };
  static constexpr string_view spice[] = {"<",         ">",    "/",    "'",      "\"",   "!",  "[",  "]",   "-",
                                          "?",         "=",    "&",    ";",      " ",    "a",  "</", "/>",  "]]>",
                                          "<!--",      "-->",  "<?",   "?>",     "<a",   "a>", "'>", "\">", "x'",
                                          "<![CDATA[", "<a/>", "</a>", "<a b='", "\xff", "\n"};
  Dice dice{20240501};
  char text[512];
  for (unsigned round = 0; round < 10'000; ++round) {
    const string_view seed = seeds[dice.roll(3)];
    size_t size = seed.size();
    std::memcpy(text, seed.data(), size);
    for (unsigned edits = 1 + dice.roll(4); edits > 0; --edits) {
      const size_t at = dice.roll(static_cast<uint32_t>(size));
      const size_t gone = dice.roll(3) == 0 ? 1 + dice.roll(4) : 0;
      const size_t cut = gone < size - at ? gone : size - at;
      std::memmove(text + at, text + at + cut, size - at - cut);
      size -= cut;
      if (dice.roll(4) == 0) continue;
      const string_view extra = spice[dice.roll(sizeof spice / sizeof spice[0])];
      std::memmove(text + at + extra.size(), text + at, size - at);
      std::memcpy(text + at, extra.data(), extra.size());
      size += extra.size();
    }
    const string_view mutated{text, size};
    assert_framer_and_expat_agree(mutated);
    bool cuts[512] = {};
    for (unsigned i = 0; i < 8; ++i) cuts[dice.roll(static_cast<uint32_t>(size))] = true;
    assert_same_steps(steps_of(mutated), steps_of(mutated, cuts));
  }
}

TESTS(framer, cmocka_unit_test(ends_of_stanzas_are_found_in_every_split),
      cmocka_unit_test(golden_stanzas_end_where_they_end), cmocka_unit_test(restricted_xml_is_forbidden),
      cmocka_unit_test(nothing_may_follow_the_end), cmocka_unit_test(white_space_is_a_step_of_its_own),
      cmocka_unit_test(depth_of_ten_thousand_is_counted), cmocka_unit_test(reset_begins_a_new_stream),
      cmocka_unit_test(mutated_streams_end_stanzas_where_expat_ends_them));

}  // namespace

}  // namespace tocsin
