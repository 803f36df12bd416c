#include "proto/xml_reader.h"

#include <cstdio>

#include "base/writer.h"
#include "test/support/tests.h"
#include "test/unit/proto/stanzas.h"

namespace tocsin {

namespace {

using test::new_rig;
using test::Rig;

constexpr string_view publish =
    "<iq from='example.org' to='push.example.org' type='set' id='p1'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"
    "<publish node='n1'><item><notification xmlns='urn:xmpp:push:0'/></item></publish></pubsub></iq>";

void assert_text(string_view got, string_view wanted) {
  if (got != wanted) {
    fail_msg("'%.*s' is not '%.*s'", static_cast<int>(got.size()), got.data(), static_cast<int>(wanted.size()),
             wanted.data());
  }
}

void golden_stanzas_become_the_expected_trees(void**) {
  new_rig();
  test::for_each_golden_stanza([](string_view name, string_view stanza, string_view tree) {
    static uint8_t room[8192];
    Rig& rig = new_rig();
    for (size_t chunk = 0; chunk < stanza.size(); chunk = chunk < 16 ? chunk + 1 : chunk * 2) {
      const Result<Stanza> read = rig.read(stanza, chunk);
      assert_true(read.ok());
      assert_false(read.value().odd);
      assert_int_equal(read.value().size, stanza.size());
      const string_view got = test::dump(*read.value().root, Bytes(room));
      if (got != tree)
        fail_msg("%.*s in pieces of %zu:\n%.*s", static_cast<int>(name.size()), name.data(), chunk,
                 static_cast<int>(got.size()), got.data());
    }
    // Cut once, at every byte.
    for (size_t cut = 1; cut < stanza.size(); ++cut) {
      rig.reader.begin();
      assert_true(rig.reader.feed(bytes_of(stanza).first(cut)).ok());
      assert_true(rig.reader.feed(bytes_of(stanza).subspan(cut)).ok());
      const Result<Stanza> read = rig.reader.finish();
      assert_true(read.ok());
      assert_true(test::dump(*read.value().root, Bytes(room)) == tree);
    }
  });
}

void walkers_read_like_a_path(void**) {
  const Result<Stanza> read = new_rig().read(publish);
  assert_true(read.ok());
  const Element& iq = *read.value().root;
  assert_text(iq.value("id"), "p1");
  assert_false(iq.has("xmlns"));
  assert_text(iq.value("missing"), "");
  const Element* pubsub = iq.child("pubsub", "http://jabber.org/protocol/pubsub");
  assert_non_null(pubsub);
  assert_true(pubsub->parent == &iq);
  assert_null(iq.child("pubsub", "jabber:client"));
  assert_text(pubsub->child("publish", pubsub->ns)->value("node"), "n1");
  assert_true(is_stanza_namespace(iq.ns));
  assert_false(is_stanza_namespace(pubsub->ns));
}

void header_keeps_the_attributes_of_the_stream(void**) {
  Rig& rig = new_rig();
  rig.read(publish).ok();
  assert_text(rig.reader.header()->name, "stream");
  assert_text(rig.reader.header()->ns, "http://etherx.jabber.org/streams");
  assert_text(rig.reader.header()->value("id"), "5229835344934745366");
  assert_null(rig.reader.header()->attribute("lang"));  // it is xml:lang
  rig.reader.shut();
  assert_null(rig.reader.header());
}

void header_that_is_no_start_tag_is_refused(void**) {
  Rig& rig = new_rig();
  assert_int_equal(rig.reader.open(bytes_of("<a b=1>")).error(), Error::malformed);
  assert_true(rig.reader.problem()[0] != '\0');
  assert_int_equal(rig.reader.open(bytes_of("<a><b>")).error(), Error::malformed);
  assert_int_equal(rig.reader.open(bytes_of("<a")).error(), Error::malformed);
  static char many[4096];
  Writer tag{Bytes(reinterpret_cast<uint8_t*>(many), sizeof many)};
  tag.text("<a ");
  for (unsigned i = 0; i < 200; ++i) tag.text("a").unsigned_number(i).text("='' ");
  tag.text(">");
  assert_int_equal(rig.reader.open(tag.written()).error(), Error::too_long);
  assert_true(rig.reader.open(bytes_of("<a>")).ok());
  assert_true(rig.read("<b/>").ok());
}

void text_is_unescaped_and_in_one_piece(void**) {
  Rig& rig = new_rig();
  for (size_t chunk = 0; chunk < 8; ++chunk) {
    const Result<Stanza> read = rig.read(
        "<m a='&quot;&#xe9;&apos;&#10;'>a&lt;b&amp;\r\nc&#x1F600;<![CDATA[<d>&]]>\xc3\xa9<x/>mixed<y> </y>more</m>",
        chunk);
    assert_true(read.ok());
    const Element& m = *read.value().root;
    assert_text(m.text, "a<b&\nc\xf0\x9f\x98\x80<d>&\xc3\xa9");
    assert_text(m.value("a"), "\"\xc3\xa9'\n");
    assert_text(m.first_child->text, "");
    assert_text(m.last_child->text, " ");
  }
}

void prefixes_mean_what_their_scope_says(void**) {
  static uint8_t room[2048];
  Rig& rig = new_rig();
  const Result<Stanza> read = rig.read(
      "<stream:error><a:x xmlns:a='urn:1' a:k='v' k='w'><a:y xmlns:a='urn:2' xmlns='urn:3'><z/><a:z/></a:y><a:y/><q "
      "xmlns=''><r/></q></a:x><nobody:x nobody:a='1' xml:lang='en'/></stream:error>");
  assert_true(read.ok());
  assert_false(read.value().odd);
  assert_text(test::dump(*read.value().root, Bytes(room)),
              "{http://etherx.jabber.org/streams}error |\n"
              ".{urn:1}x {urn:1}k=v {}k=w |\n"
              "..{urn:2}y |\n"
              "...{urn:3}z |\n"
              "...{urn:2}z |\n"
              "..{urn:1}y |\n"
              "..{}q |\n"
              "...{}r |\n"
              ".{}nobody:x {}nobody:a=1 {http://www.w3.org/XML/1998/namespace}lang=en |\n");
  assert_text(read.value().root->first_child->value("k"), "w");
}

void what_is_not_well_formed_is_refused(void**) {
  static constexpr string_view bad[] = {
      "<iq></message>",
      "<iq a='1' a='2'/>",
      "<iq a=1/>",
      "<iq>&foo;</iq>",
      "<iq>\x01</iq>",
      "<iq>\xff</iq>",
      "<iq a='<'/>",
      "<iq/><iq/>",
      "<iq>]]></iq>",
      "</stream:stream>",
      "<iq><",
      "<iq>",
      "",
      "<!DOCTYPE a [<!ENTITY b 'c'>]>",
      "<iq/><a>",
  };
  for (const string_view text : bad) {
    Rig& rig = new_rig();
    rig.reader.begin();
    const Status read = rig.reader.feed(bytes_of(text));
    const Error error = read.ok() ? rig.reader.finish().error() : read.error();
    if (error != Error::malformed) fail_msg("%.*s: %s", static_cast<int>(text.size()), text.data(), describe(error));
    assert_true(rig.reader.problem()[0] != '\0');
    // Another stream can be read with the same reader.
    assert_true(rig.reader.open(bytes_of(test::stream_header)).ok());
    assert_true(rig.read(publish).ok());
  }
}

void document_types_stop_the_parser_even_without_a_framer(void**) {
  Rig& rig = new_rig();
  const Status read = rig.reader.open(bytes_of("<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><a c='&c;'>"));
  assert_int_equal(read.error(), Error::malformed);
  assert_string_equal(rig.reader.problem(), "DOCTYPE is not allowed");
}

void too_deep_elements_are_passed_over(void**) {
  Rig& rig = new_rig({.depth_max = 2});
  const Result<Stanza> read = rig.read("<a>t<b><c><d>x<e/></d>y</c><c2/></b><f>z</f></a>");
  static uint8_t room[2048];
  assert_true(read.value().odd);
  assert_text(test::dump(*read.value().root, Bytes(room)),
              "{jabber:component:accept}a |t\n"
              ".{jabber:component:accept}b |\n"
              "..{jabber:component:accept}c |\n"
              "..{jabber:component:accept}c2 |\n"
              ".{jabber:component:accept}f |z\n");
  assert_false(rig.read("<a><b><c>x</c></b></a>").value().odd);
}

void tree_stops_growing_at_the_limit_of_elements(void**) {
  Rig& rig = new_rig({.elements_max = 3});
  const Result<Stanza> read = rig.read("<a><b>x</b><c>y<d>z</d>w</c><e/></a>");
  static uint8_t room[2048];
  assert_true(read.value().odd);
  assert_text(test::dump(*read.value().root, Bytes(room)),
              "{jabber:component:accept}a |\n.{jabber:component:accept}b |x\n.{jabber:component:accept}c |y\n");
  assert_false(rig.read("<a><b>x</b><c>y</c></a>").value().odd);
}

void attributes_over_the_limit_are_never_half_there(void**) {
  static char text[64 * 1024];
  Writer tag{Bytes(reinterpret_cast<uint8_t*>(text), sizeof text)};
  for (unsigned i = 0; i < 300; ++i) tag.text(" a").unsigned_number(i).text("='v'");
  static char stanza[64 * 1024];
  Rig& rig = new_rig({.attributes_max = 299});
  // On a child: the stanza is odd and the child is missing.
  Writer odd{Bytes(reinterpret_cast<uint8_t*>(stanza), sizeof stanza)};
  odd.text("<iq id='1'><x/><y").text(tag.view()).text("/></iq>");
  Result<Stanza> read = rig.read(odd.view(), 1000);
  assert_true(read.ok());
  assert_true(read.value().odd);
  assert_text(read.value().root->value("id"), "1");
  assert_text(read.value().root->last_child->name, "x");
  // On the root: there is nothing that could be answered.
  Writer gone{Bytes(reinterpret_cast<uint8_t*>(stanza), sizeof stanza)};
  gone.text("<iq").text(tag.view()).text("/>");
  assert_int_equal(rig.read(gone.view()).error(), Error::not_found);
  assert_true(rig.read(publish).ok());
}

void full_arena_makes_a_stanza_odd(void**) {
  static uint8_t room[1024];
  Rig& rig = new_rig();
  Arena arena{Bytes(room)};
  static uint8_t place[sizeof(XmlReader)];
  static_assert(alignof(XmlReader) <= 16);
  XmlReader& reader = *new (place) XmlReader(rig.heap, arena, {});
  assert_true(reader.open(bytes_of(test::stream_header)).ok());
  static constexpr string_view stanza =
      "<iq id='1'><a>short</a><b>a text that goes on and on and on and on</b><c/></iq>";
  bool delivered = false;
  for (size_t size = 0; size < sizeof room; ++size) {
    arena = Arena(Bytes(room).first(size));
    reader.begin();
    assert_true(reader.feed(bytes_of(stanza)).ok());
    const Result<Stanza> read = reader.finish();
    assert_true(read.ok() || !delivered);
    if (!read.ok()) {
      assert_int_equal(read.error(), Error::not_found);
      continue;
    }
    delivered = true;
    const Element& iq = *read.value().root;
    assert_text(iq.value("id"), "1");
    const Element* a = iq.first_child;
    const Element* b = a == nullptr ? nullptr : a->next;
    if (!read.value().odd) assert_text(b->next->name, "c");
    if (a != nullptr && !a->text.empty()) assert_text(a->text, "short");
    if (b != nullptr && !b->text.empty()) assert_text(b->text, "a text that goes on and on and on and on");
  }
  assert_true(delivered);
  reader.shut();
}

void long_text_costs_its_length(void**) {
  static char stanza[64 * 1024];
  Writer out{Bytes(reinterpret_cast<uint8_t*>(stanza), sizeof stanza)};
  out.text("<message><body>");
  while (out.size() < 60'000) out.text("x\ny&lt;");
  out.text("</body></message>");
  Rig& rig = new_rig();
  for (const size_t chunk : {size_t{0}, size_t{1}, size_t{1460}}) {
    const Result<Stanza> read = rig.read(out.view(), chunk);
    assert_true(read.ok());
    assert_false(read.value().odd);
    assert_true(read.value().root->first_child->text.size() > 30'000);
    assert_true(rig.arena.peak() < 64 * 1024);
  }
}

void attribute_that_the_heap_refuses_ends_no_stream(void**) {
  if (!Heap::enforced()) return;
  static char stanza[64 * 1024];
  Writer out{Bytes(reinterpret_cast<uint8_t*>(stanza), sizeof stanza)};
  out.text("<iq id='1'><a b='");
  while (out.size() < 65'000) out.text("xxxxxxxxxxxxxxxx");
  Rig& rig = new_rig();
  rig.reader.begin();
  Status read{};
  for (size_t at = 0; at < out.size() && read.ok(); at += 1460) {
    const size_t left = out.size() - at;
    read = rig.reader.feed(out.written().subspan(at, left < 1460 ? left : 1460));
  }
  assert_int_equal(read.error(), Error::exhausted);
  const Result<Stanza> left = rig.reader.abandon();
  assert_true(left.ok());
  assert_true(left.value().odd);
  assert_text(left.value().root->value("id"), "1");
  assert_null(left.value().root->first_child);
  assert_false(rig.read(publish).value().odd);
}

void abandoned_stanza_keeps_what_was_complete(void**) {
  Rig& rig = new_rig();
  for (size_t cut = 0; cut < publish.size(); ++cut) {
    rig.reader.begin();
    assert_true(rig.reader.feed(bytes_of(publish).first(cut)).ok());
    const Result<Stanza> left = rig.reader.abandon();
    const size_t root_end = publish.find('>') + 1;
    assert_true(left.ok() == (cut >= root_end));
    if (!left.ok()) {
      assert_int_equal(left.error(), Error::not_found);
      continue;
    }
    assert_true(left.value().odd);
    assert_text(left.value().root->value("id"), "p1");
    const bool node_complete = cut >= publish.find("'n1'>") + 5;
    const Element* pubsub = left.value().root->first_child;
    assert_true((pubsub != nullptr && pubsub->first_child != nullptr) == node_complete);
  }
  assert_false(rig.read(publish).value().odd);
  // Half a text is no text.
  rig.reader.begin();
  assert_true(rig.reader.feed(bytes_of("<iq><a>half")).ok());
  assert_text(rig.reader.abandon().value().root->first_child->text, "");
}

void names_nobody_knows_leave_no_trace(void**) {
  Rig& rig = new_rig();
  for (unsigned i = 0; i < 100'000; ++i) {
    char stanza[128];
    std::snprintf(stanza, sizeof stanza, "<iq id='1'><e%u xmlns:p%u='u' p%u:a%u='x'/></iq>", i, i, i, i);
    const Result<Stanza> read = rig.read(stanza);
    assert_true(read.ok());
    assert_false(read.value().odd);
  }
  assert_true(rig.reader.renewals() > 0);
  assert_int_equal(rig.heap.refused(), 0);
  if (Heap::enforced()) assert_true(rig.heap.peak() < test::rig_heap_bytes * 3 / 4);
  rig.reader.shut();
  assert_int_equal(rig.heap.live(), 0);
}

// Every allocation in turn is refused: the reader says so and the next stanza is read.
void refused_memory_never_harms(void**) {
  if (!Heap::enforced()) return;
  static char stanza[8192];
  Writer out{Bytes(reinterpret_cast<uint8_t*>(stanza), sizeof stanza)};
  out.text("<iq id='1'>");
  for (unsigned i = 0; i < 60; ++i) out.text("<n").unsigned_number(i).text(" a").unsigned_number(i).text("='v'>");
  for (unsigned i = 60; i > 0; --i) out.text("</n").unsigned_number(i - 1).text(">");
  out.text("</iq>");
  bool finished = false;
  unsigned n = 1;
  for (; !finished && n < 2000; ++n) {
    Rig& rig = new_rig();
    rig.reader.shut();
    rig.heap.fail_at(n);
    Status opened = rig.reader.open(bytes_of(test::stream_header));
    Status read{};
    if (opened.ok()) {
      rig.reader.begin();
      for (size_t at = 0; at < out.size() && read.ok(); at += 500) {
        read = rig.reader.feed(out.written().subspan(at, out.size() - at < 500 ? out.size() - at : 500));
      }
    }
    finished = opened.ok() && read.ok();
    if (finished) assert_true(rig.reader.finish().ok());
    if (!opened.ok()) assert_int_equal(opened.error(), Error::exhausted);
    if (!read.ok()) {
      assert_int_equal(read.error(), Error::exhausted);
      assert_int_equal(rig.reader.abandon().error(), Error::exhausted);  // memory is still refused
    }
    rig.heap.fail_at(0);
    if (opened.ok()) {
      assert_true(rig.read(publish).ok());
    } else {
      assert_true(rig.reader.open(bytes_of(test::stream_header)).ok());
    }
    assert_true(rig.read(publish).ok());
    rig.reader.shut();
    assert_int_equal(rig.heap.live(), 0);
  }
  assert_true(finished);
  assert_true(n > 20);
}

TESTS(xml_reader, cmocka_unit_test(golden_stanzas_become_the_expected_trees),
      cmocka_unit_test(walkers_read_like_a_path), cmocka_unit_test(header_keeps_the_attributes_of_the_stream),
      cmocka_unit_test(header_that_is_no_start_tag_is_refused), cmocka_unit_test(text_is_unescaped_and_in_one_piece),
      cmocka_unit_test(prefixes_mean_what_their_scope_says), cmocka_unit_test(what_is_not_well_formed_is_refused),
      cmocka_unit_test(document_types_stop_the_parser_even_without_a_framer),
      cmocka_unit_test(too_deep_elements_are_passed_over),
      cmocka_unit_test(tree_stops_growing_at_the_limit_of_elements),
      cmocka_unit_test(attributes_over_the_limit_are_never_half_there), cmocka_unit_test(full_arena_makes_a_stanza_odd),
      cmocka_unit_test(long_text_costs_its_length), cmocka_unit_test(attribute_that_the_heap_refuses_ends_no_stream),
      cmocka_unit_test(abandoned_stanza_keeps_what_was_complete), cmocka_unit_test(names_nobody_knows_leave_no_trace),
      cmocka_unit_test(refused_memory_never_harms));

}  // namespace

}  // namespace tocsin
