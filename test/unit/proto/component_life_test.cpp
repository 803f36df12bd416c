// What a component stream does with time, with its output and at its end.
#include "proto/component.h"

#include "test/unit/proto/component_line.h"

namespace tocsin {

namespace {

using namespace test;

constexpr string_view ping_reply = "<iq from='example.org' to='push.example.org' id='tocsin-ping-1' type='result'/>";

void silence_is_answered_with_a_ping_and_then_with_the_end(void**) {
  Line& line = new_line_that_is_up();
  const Instant start = line.now;
  assert_int_equal(line.stream.due().us, (start + seconds(60)).us);
  line.tick_at(start + seconds(59));
  assert_text(line.said(), "");
  line.tick_at(line.stream.due());
  assert_text(
      line.said(),
      "<iq type='get' id='tocsin-ping-1' from='push.example.org' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>");
  assert_int_equal(line.stream.due().us, (start + seconds(90)).us);
  line.tick_at(line.now + seconds(1));
  line.now = start + seconds(89);
  line.hear(ping_reply);
  assert_text(line.story.view(), "");  // it is ours
  assert_int_equal(line.stream.due().us, (start + seconds(149)).us);
  line.tick_at(start + seconds(149));
  assert_int_equal(line.stream.due().us, (start + seconds(179)).us);
  line.hear(" ");  // anything is a sign of life
  assert_int_equal(line.stream.due().us, (start + seconds(209)).us);
  line.hear("<iq id='tocsin-ping-2' type='error'/><iq id='tocsin-ping-2' type='get'/>");
  assert_text(line.story.view(), "iq tocsin-ping-2 35\n");
  line.forget();
  line.tick_at(line.stream.due());
  line.tick_at(line.stream.due());
  line.tick_at(line.stream.due());
  assert_text(line.story.view(), "ended no answer to a ping\n");
  assert_int_equal(line.stream.due().us, Instant::never().us);
}

void ping_ends(const Line& line, uint64_t us) { assert_int_equal((line.stream.due() - line.now).us, us); }

// The domain that is pinged may be another server's: then the server is asked to bring us our own ping.
void where_a_domain_is_silent_a_ping_to_ourselves_decides(void**) {
  Line& line = new_line_that_is_up();
  line.tick_at(line.stream.due());
  line.forget();
  line.tick_at(line.stream.due());
  assert_text(line.said(),
              "<iq type='get' id='tocsin-ping-2' from='push.example.org' to='push.example.org'><ping "
              "xmlns='urn:xmpp:ping'/></iq>");
  ping_ends(line, seconds(10).us);
  line.hear("<iq type='get' id='tocsin-ping-2' from='push.example.org' to='push.example.org'><ping xmlns='a'/></iq>");
  assert_text(line.story.view(), "");  // nobody else's affair: it is not answered
  for (uint32_t i = 0; i < 3; ++i) {
    line.forget();
    line.tick_at(line.stream.due());
    assert_true(line.said().find("to='push.example.org'") != string_view::npos);  // and no other domain from now on
    line.hear("<iq type='get' id='tocsin-ping-0' from='push.example.org' to='push.example.org'/>");
  }
  assert_text(line.story.view(), "");
  line.tick_at(line.stream.due());
  line.tick_at(line.stream.due());
  assert_text(line.story.view(), "ended no answer to a ping\n");
}

void a_server_that_was_away_is_pinged_at_its_domain_again(void**) {
  Line& line = new_line_that_is_up();
  for (int i = 0; i < 3; ++i) line.tick_at(line.stream.due());
  assert_text(line.story.view(), "ended no answer to a ping\n");
  line.stream.shut();
  line.stream.open(line.now);
  line.hear(stream_header);
  line.hear("<handshake/>");
  line.forget();
  line.tick_at(line.stream.due());
  assert_true(line.said().find(" to='example.org'") != string_view::npos);
}

void blank_leaves_when_nothing_else_did(void**) {
  ComponentOptions options = usual();
  options.ping_to = "";
  Line& line = new_line_that_is_up(options);
  assert_int_equal(line.stream.due().us, (line.now + seconds(240)).us);
  line.tick_at(line.stream.due());
  assert_text(line.said(), " ");
  assert_int_equal(line.stream.due().us, (line.now + seconds(240)).us);
  line.now = line.now + seconds(100);
  assert_true(line.stream.send(bytes_of("<iq/>"), line.now).ok());
  assert_int_equal(line.stream.due().us, (line.now + seconds(240)).us);
}

void handshake_has_a_deadline(void**) {
  for (const string_view heard : {string_view(), stream_header}) {
    Line& line = new_line();
    line.hear(heard);
    line.forget();
    assert_int_equal(line.stream.due().us, (line.now + seconds(30)).us);
    line.tick_at(line.stream.due() - microseconds(1));
    assert_text(line.story.view(), "");
    line.tick_at(line.stream.due());
    assert_text(line.story.view(), "ended handshake timed out\n");
  }
}

void send_is_all_or_nothing(void**) {
  Line& line = new_line();
  assert_int_equal(line.stream.send(bytes_of("<iq/>"), line.now).error(), Error::closed);
  Line& up = new_line_that_is_up();
  static uint8_t stanza[4096];
  assert_int_equal(up.stream.send(ByteView(stanza).first(4000), up.now).error(), Error::none);
  assert_int_equal(up.stream.send(ByteView(stanza).first(97), up.now).error(), Error::exhausted);
  assert_int_equal(up.out.size(), 4000);
  assert_true(up.stream.send(ByteView(stanza).first(96), up.now).ok());
  // A ping that finds no room still starts its clock.
  for (int i = 0; i < 3; ++i) up.tick_at(up.stream.due());
  assert_text(up.story.view(), "ended no answer to a ping\n");
}

void close_says_goodbye_and_only_hears_the_end(void**) {
  Line& line = new_line_that_is_up();
  line.stream.close();
  line.stream.close();
  assert_text(line.said(), "</stream:stream>");
  assert_false(line.stream.up());
  line.hear("<iq id='1'/></stream:stream>");
  assert_text(line.story.view(), "ended closed by the server\n");
}

void peer_closed_ends_the_stream_once(void**) {
  Line& line = new_line_that_is_up();
  line.hear("<iq id='1'");
  line.stream.peer_closed();
  line.stream.peer_closed();
  line.take_events();
  assert_text(line.story.view(), "ended connection closed by the server\n");
}

void streams_follow_each_other_without_a_trace(void**) {
  Line& line = new_line_that_is_up();
  line.hear("<iq id='1'><a b='");
  for (unsigned i = 0; i < 20; ++i) {
    line.stream.shut();
    assert_int_equal(line.heap.live(), 0);
    assert_int_equal(line.stream.feed(bytes_of("<x/>"), line.now), 4);
    assert_true(line.out.push(bytes_of("left over")));
    line.stream.open(line.now);
    line.hear(stream_header, 10);
    line.hear("<handshake/>", 1);
    line.hear(publish, i);
    line.stream.peer_closed();
    line.take_events();
    assert_text(line.story.view(),
                "challenge 5229835344934745366\nup\niq p1 164\nended connection closed by the server\n");
    line.forget();
  }
}

// Every allocation in turn is refused once and for all; then memory is back.
void refused_memory_ends_the_stream_and_not_the_process(void**) {
  if (!Heap::enforced()) return;
  static uint8_t room[8192];
  Writer input{Bytes(room)};
  input.text("<iq id='1'>");
  for (unsigned i = 0; i < 200; ++i) input.text("<n").unsigned_number(i).text(" a").unsigned_number(i).text("='v'/>");
  input.text("</iq>");
  bool finished = false;
  for (unsigned n = 1; !finished && n < 2000; ++n) {
    Line& line = new_line();
    line.heap.fail_at(n);
    line.hear(stream_header);
    line.hear("<handshake/>");
    line.hear(input.view(), 500);
    const bool ended = line.story.view().find("ended") != string_view::npos;
    finished = !ended;
    line.heap.fail_at(0);
    line.forget();
    line.stream.open(line.now);
    line.hear(stream_header);
    line.hear("<handshake/>");
    line.hear(publish);
    assert_text(line.story.view(), "challenge 5229835344934745366\nup\niq p1 164\n");
  }
  assert_true(finished);
}

TESTS(component_life, cmocka_unit_test(silence_is_answered_with_a_ping_and_then_with_the_end),
      cmocka_unit_test(where_a_domain_is_silent_a_ping_to_ourselves_decides),
      cmocka_unit_test(a_server_that_was_away_is_pinged_at_its_domain_again),
      cmocka_unit_test(blank_leaves_when_nothing_else_did), cmocka_unit_test(handshake_has_a_deadline),
      cmocka_unit_test(send_is_all_or_nothing), cmocka_unit_test(close_says_goodbye_and_only_hears_the_end),
      cmocka_unit_test(peer_closed_ends_the_stream_once), cmocka_unit_test(streams_follow_each_other_without_a_trace),
      cmocka_unit_test(refused_memory_ends_the_stream_and_not_the_process));

}  // namespace

}  // namespace tocsin
