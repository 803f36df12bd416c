#include "proto/component.h"

#include "test/unit/proto/component_line.h"

namespace tocsin {

namespace {

using namespace test;
using Kind = ComponentEvent::Kind;

void handshake_brings_the_stream_up_in_every_split(void**) {
  static uint8_t room[4096];
  Writer input{Bytes(room)};
  input.text(stream_header).text(" <handshake/>\n ").text(publish).text(" ").text(publish).text("</stream:stream>");
  for (size_t chunk = 0; chunk <= input.size(); ++chunk) {
    Line& line = new_line();
    assert_text(line.said(),
                "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
                "xmlns:stream='http://etherx.jabber.org/streams' to='push.example.org'>");
    line.forget();
    line.hear(input.view(), chunk);
    assert_text(line.said(), "<handshake>0123456789abcdef0123456789abcdef01234567</handshake>");
    assert_text(line.story.view(),
                "challenge 5229835344934745366\nup\niq p1 164\niq p1 164\nended closed by the server\n");
    assert_false(line.stream.up());
    line.hear("what follows is not heard");
  }
}

void golden_stanzas_are_delivered_whole(void**) {
  test::for_each_golden_stanza([](string_view, string_view stanza, string_view tree) {
    static uint8_t room[8192];
    Line& line = new_line_that_is_up();
    test::Dice dice{stanza.size()};
    for (unsigned round = 0; round < 50; ++round) {
      ByteView left = bytes_of(stanza);
      ComponentEvent event;
      while (!left.empty()) {
        assert_false(line.stream.next(event));
        const size_t size = 1 + dice.roll(round < 5 ? 1 : 200);
        left = left.subspan(line.stream.feed(left.first(size < left.size() ? size : left.size()), line.now));
      }
      assert_true(line.stream.next(event));
      assert_int_equal(event.kind, Kind::stanza);
      assert_false(event.stanza.odd);
      assert_int_equal(event.stanza.size, stanza.size());
      assert_true(test::dump(*event.stanza.root, Bytes(room)) == tree);
    }
  });
}

void stream_id_is_unescaped(void**) {
  Line& line = new_line();
  line.hear("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' id='a&amp;&lt;&apos;&#x41;\xc3\xa9'>");
  assert_text(line.story.view(), "challenge a&<'A\xc3\xa9\n");
}

// As Prosody 0.12.3 and ejabberd 23.01 say it.
void errors_end_the_stream_with_the_words_of_the_server(void**) {
  static constexpr string_view ejabberd = stream_header;
  static constexpr string_view prosody =
      "<stream:stream from='push.example.org' xmlns='jabber:component:accept' id='12b706ec' "
      "xmlns:stream='http://etherx.jabber.org/streams' xml:lang='en'>";
  struct Case {
    string_view header;
    string_view before;
    string_view error;
    string_view story;
  };
  static constexpr Case cases[] = {
      {ejabberd, "", "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
       "challenge 5229835344934745366\nended not-authorized\n"},
      {prosody, "",
       "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text "
       "xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Given token does not match calculated token</text></stream:error>",
       "challenge 12b706ec\nended not-authorized: Given token does not match calculated token\n"},
      {"<stream:stream version='1.0' xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:component:accept' "
       "id=''>",
       "",
       "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text "
       "xmlns='urn:ietf:params:xml:ns:xmpp-streams'>nope.localhost does not match any configured external "
       "components</text></stream:error>",
       "challenge \nended host-unknown: nope.localhost does not match any configured external components\n"},
      {prosody, "",
       "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text "
       "xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Component already connected</text></stream:error>",
       "challenge 12b706ec\nconflict ended conflict: Component already connected\n"},
      {ejabberd, "<handshake/>",
       "<stream:error><invalid-from xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xml:lang='en' "
       "xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Improper domain part of &apos;from&apos; "
       "attribute</text></stream:error>",
       "challenge 5229835344934745366\nup\nended invalid-from: Improper domain part of 'from' attribute\n"},
      {prosody, "<handshake/>",
       "<stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
       "challenge 12b706ec\nup\nended not-well-formed\n"},
      {prosody, "<handshake/>", "<stream:error>old words</stream:error>",
       "challenge 12b706ec\nup\nended stream error: old words\n"},
  };
  static uint8_t room[4096];
  for (const Case& c : cases) {
    Writer input{Bytes(room)};
    input.text(c.header).text(c.before).text(c.error).text("</stream:stream>");
    for (size_t chunk = 0; chunk <= input.size(); ++chunk) {
      Line& line = new_line();
      line.hear(input.view(), chunk);
      line.stream.peer_closed();  // told already
      line.take_events();
      assert_text(line.story.view(), c.story);
    }
  }
}

void long_words_of_the_server_are_cut_for_the_log(void**) {
  static uint8_t room[8192];
  Writer input{Bytes(room)};
  input.text(
      "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text "
      "xmlns='urn:ietf:params:xml:ns:xmpp-streams'>");
  while (input.size() < 5000) input.text("\xc3\xa9");
  input.text("</text></stream:error>");
  Line& line = new_line_that_is_up();
  line.hear(input.view());
  assert_true(line.story.size() > 800 && line.story.size() < 1024);
  assert_true(is_utf8(line.story.view()));
}

void what_is_no_stream_ends_it(void**) {
  static constexpr struct {
    string_view input;
    string_view story;
  } cases[] = {
      {"HTTP/1.1 400 Bad Request\r\n",
       "ended not-well-formed: a comment, processing instruction, DOCTYPE or text where none may be\n"},
      {"<stream:stream a=1>", "ended not-well-formed: not well-formed (invalid token)\n"},
      {"<html><body/></html>", "ended not an XMPP stream\n"},
      {"<stream:stream xmlns:stream='urn:other'>", "ended not an XMPP stream\n"},
      {"<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>", "ended closed by the server\n"},
  };
  for (const auto& c : cases) {
    for (size_t chunk = 0; chunk < 3; ++chunk) {
      Line& line = new_line();
      line.hear(c.input, chunk);
      assert_text(line.story.view(), c.story);
    }
  }
  static uint8_t room[4096];
  Writer input{Bytes(room)};
  input.text("<stream:stream id='");
  while (input.size() < 2000) input.text("x");
  for (const size_t chunk : {size_t{0}, size_t{1}, size_t{100}}) {
    Line& line = new_line();
    line.hear(input.view(), chunk);
    assert_text(line.story.view(), "ended stream header too long\n");
  }
}

void malformed_stanza_ends_the_stream_with_a_reason(void**) {
  Line& line = new_line_that_is_up();
  line.hear("<message id='1'/><iq></message>");
  assert_text(line.story.view(), "message 1 17\nended not-well-formed: mismatched tag\n");
  assert_int_equal(line.stream.due().us, Instant::never().us);
}

void only_stanzas_are_delivered_and_every_kind_of_them(void**) {
  Line& line = new_line_that_is_up();
  line.hear(
      "<message id='1'/><presence id='2'/><iq id='3' type='result'/><stream:features/><foo/><a:iq xmlns:a='urn:x'/>"
      "<iq xmlns='jabber:client' id='4'/><handshake/>");
  assert_text(line.story.view(), "message 1 17\npresence 2 18\niq 3 26\niq 4 34\n");
}

void feed_stops_at_an_event_and_waits(void**) {
  Line& line = new_line_that_is_up();
  static constexpr string_view two = "<iq id='1'/> <iq id='2'/>";
  assert_int_equal(line.stream.feed(bytes_of(two), line.now), 12);
  assert_int_equal(line.stream.feed(bytes_of(two), line.now), 0);
  ComponentEvent event;
  assert_true(line.stream.next(event));
  assert_true(event.stanza.root->value("id") == "1");
  assert_false(line.stream.next(event));
  assert_int_equal(line.stream.feed(bytes_of(two).subspan(12), line.now), two.size() - 12);
  line.stream.peer_closed();
  assert_true(line.stream.next(event));
  assert_true(event.stanza.root->value("id") == "2");
  assert_true(line.stream.next(event));
  assert_int_equal(event.kind, Kind::ended);
  assert_false(line.stream.next(event));
}

void stanza_over_the_limit_is_odd_and_the_next_one_is_not(void**) {
  static uint8_t room[1'600'000];
  Writer big{Bytes(room)};
  big.text("<iq id='big'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n1'><item>");
  while (big.size() < 1'500'000) big.text("<a>some text with a &gt; in it</a>");
  big.text("</item></publish></pubsub></iq>").text(publish);
  const size_t big_size = big.size() - publish.size();
  for (const size_t chunk : {size_t{0}, size_t{1460}, size_t{65'536}, size_t{7}}) {
    Line& line = new_line_that_is_up();
    ByteView left = big.written();
    ComponentEvent event;
    while (!line.stream.next(event))
      left =
          left.subspan(line.stream.feed(left.first(chunk == 0 || chunk > left.size() ? left.size() : chunk), line.now));
    assert_true(event.stanza.odd);
    assert_int_equal(event.stanza.size, big_size);
    const Element* pubsub = event.stanza.root->child("pubsub", "http://jabber.org/protocol/pubsub");
    assert_true(pubsub->child("publish", pubsub->ns)->value("node") == "n1");
    while (!line.stream.next(event))
      left =
          left.subspan(line.stream.feed(left.first(chunk == 0 || chunk > left.size() ? left.size() : chunk), line.now));
    assert_false(event.stanza.odd);
    assert_true(left.empty());
  }
}

void limit_is_met_to_the_byte(void**) {
  ComponentOptions options = usual();
  for (const size_t off : {size_t{0}, size_t{1}}) {
    options.stanza_bytes_max = publish.size() - off;
    for (const size_t chunk : {size_t{0}, size_t{1}}) {
      Line& line = new_line_that_is_up(options);
      line.hear(publish, chunk);
      assert_text(line.story.view(), off == 0 ? "iq p1 164\n" : "odd iq p1 164\n");
    }
  }
  options.stanza_bytes_max = 30;  // the root tag does not fit
  Line& line = new_line_that_is_up(options);
  line.hear(publish);
  line.hear("<iq id='2'/>");
  assert_text(line.story.view(), "iq 2 12\n");
  assert_int_equal(line.stream.dropped(), 1);
}

void strange_stanzas_cost_nobody_the_stream(void**) {
  static uint8_t room[128 * 1024];
  Writer input{Bytes(room)};
  input.text("<iq id='deep'>");
  for (unsigned i = 0; i < 10'000; ++i) input.text("<a>");
  for (unsigned i = 0; i < 10'000; ++i) input.text("</a>");
  input.text("</iq><iq id='wide'><x");
  for (unsigned i = 0; i < 2000; ++i) input.text(" a").unsigned_number(i).text("='v'");
  input.text("/></iq><iq id='gone'");
  for (unsigned i = 0; i < 2000; ++i) input.text(" a").unsigned_number(i).text("='v'");
  input.text("/><iq id='prefix'><nobody:x/></iq>");
  for (const size_t chunk : {size_t{0}, size_t{1460}, size_t{64}}) {
    Line& line = new_line_that_is_up();
    line.hear(input.view(), chunk);
    line.hear(publish, chunk);
    assert_text(line.story.view(), "odd iq deep 70019\nodd iq wide 18913\niq prefix 32\niq p1 164\n");
    assert_int_equal(line.stream.dropped(), 1);
  }
}

TESTS(component, cmocka_unit_test(handshake_brings_the_stream_up_in_every_split),
      cmocka_unit_test(golden_stanzas_are_delivered_whole), cmocka_unit_test(stream_id_is_unescaped),
      cmocka_unit_test(errors_end_the_stream_with_the_words_of_the_server),
      cmocka_unit_test(long_words_of_the_server_are_cut_for_the_log), cmocka_unit_test(what_is_no_stream_ends_it),
      cmocka_unit_test(malformed_stanza_ends_the_stream_with_a_reason),
      cmocka_unit_test(only_stanzas_are_delivered_and_every_kind_of_them),
      cmocka_unit_test(feed_stops_at_an_event_and_waits),
      cmocka_unit_test(stanza_over_the_limit_is_odd_and_the_next_one_is_not),
      cmocka_unit_test(limit_is_met_to_the_byte), cmocka_unit_test(strange_stanzas_cost_nobody_the_stream));

}  // namespace

}  // namespace tocsin
