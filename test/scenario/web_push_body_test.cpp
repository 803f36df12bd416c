// What a browser reads: the push service's stand-in keeps the body, and the
// subscription's keys open it.
#include "test/scenario/clients.h"
#include "test/scenario/web_push_reader.h"
#include "test/scenario/web_push_words.h"

namespace tocsin::test {
namespace {

constexpr Configured discreet{.extra =
                                  "[webpush]\ncontact = mailto:ops@push.example.org\n"
                                  "ca_file = /etc/ca.pem\nclear_text = no\n"};

constexpr string_view with_sender =
    "<notification xmlns='urn:xmpp:push:0'><x type='submit' xmlns='jabber:x:data'>"
    "<field var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field>"
    "<field var='message-count'><value>3</value></field>"
    "<field var='last-message-sender'><value>bob@example.net/desk</value></field>"
    "<field var='last-message-body'><value>Caf\xc3\xa9 at \"noon\"?</value></field></x>"
    "<priority xmlns='tigase:push:priority:0'>high</priority></notification>";
constexpr string_view encrypted =
    "<notification xmlns='urn:xmpp:push:0'><x type='submit' xmlns='jabber:x:data'>"
    "<field var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field>"
    "<field var='last-message-sender'><value>bob@example.net/desk</value></field>"
    "<field var='last-message-body'><value>Hello</value></field></x>"
    "<priority xmlns='tigase:push:priority:0'>high</priority>"
    "<encrypted xmlns='tigase:push:encrypt:0' alg='aes-128-gcm' iv='q83vASNFZ4mrze8B'>pX3/+A==</encrypted>"
    "</notification>";
constexpr string_view read_elsewhere =
    "<notification xmlns='urn:xmpp:push:0'><x type='submit' xmlns='jabber:x:data'>"
    "<field var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field>"
    "<field var='message-count'><value>0</value></field></x></notification>";

uint8_t plain_room[4096];

void expect_reads(const SeenRequest& seen, string_view wanted) {
  assert_true(seen.encoding.view() == "aes128gcm");
  const Result<string_view> read = open_message(seen.body.view(), plain_room);
  assert_true(read.ok());
  if (read.value() != wanted) print_error("%.*s\n", static_cast<int>(read.value().size()), read.value().data());
  assert_true(read.value() == wanted);
}

NodeText browser(World& w) {
  w.start();
  return subscribe(w, "ann@example.org/web", Subscribed(one));
}

void publish_and_read(World& w, string_view node, string_view id, string_view notification, string_view wanted) {
  publish({.id = id, .node = node, .notification = notification});
  w.expect_result(id);
  expect_reads(w.service(0).last(), wanted);
}

void a_message_says_to_whom_from_whom_and_what(void**) {
  World& w = world();
  const NodeText node = browser(w);
  publish_and_read(w, node, "p1", with_sender,
                   R"({"account":"ann@example.org","unread-messages":3,"sender":"bob@example.net/desk",)"
                   "\"body\":\"Caf\xc3\xa9 at \\\"noon\\\"?\",\"priority\":\"high\"}");
}

// Prosody's default: the words that stand for a message, and nobody's name.
void a_summary_without_a_sender_names_none(void**) {
  World& w = world();
  const NodeText node = browser(w);
  publish_and_read(w, node, "p1", prosody_message,
                   R"({"account":"ann@example.org","unread-messages":1,"body":"New Message!","priority":"high"})");
}

void without_clear_text_neither_sender_nor_body_is_there(void**) {
  World& w = world();
  const NodeText node = browser(w);
  publish_and_read(w, node, "p1", with_sender,
                   R"({"account":"ann@example.org","unread-messages":3,"priority":"high"})");
}

void what_the_server_sealed_goes_as_it_is_and_nothing_in_clear(void**) {
  World& w = world();
  const NodeText node = browser(w);
  publish_and_read(w, node, "p1", encrypted,
                   R"({"account":"ann@example.org","encrypted":"pX3/+A==","iv":"q83vASNFZ4mrze8B","priority":"high"})");
}

void what_was_read_elsewhere_says_zero(void**) {
  World& w = world();
  const NodeText node = browser(w);
  publish_and_read(w, node, "p1", read_elsewhere, R"({"account":"ann@example.org","unread-messages":0})");
}

// Also when it is the same message: keys and salt are for one request.
void no_two_bodies_are_alike(void**) {
  World& w = world();
  const NodeText node = browser(w);
  w.publish_and_wait(node, "p1", "Hello");
  w.publish_and_wait(node, "p2", "Hello");
  const string_view first = w.service(0).request(0).body.view();
  const string_view second = w.service(0).request(1).body.view();
  assert_false(slice(first, 0, 16) == slice(second, 0, 16));    // salt
  assert_false(slice(first, 21, 65) == slice(second, 21, 65));  // key
  const string_view wanted = R"({"account":"ann@example.org","unread-messages":1,"body":"Hello"})";
  expect_reads(w.service(0).request(0), wanted);
  expect_reads(w.service(0).request(1), wanted);
}

void too_large_says_the_account_alone(void**) {
  World& w = world();
  const NodeText node = browser(w);
  w.service(0).answer_next(1, 413, "");
  w.publish_and_wait(node, "p1", "Hello");
  w.expect_result("p1");
  expect_reads(w.service(0).last(), R"({"account":"ann@example.org"})");
}

// So that what the stories above prove is worth something.
void nobody_else_and_nothing_altered_is_read(void**) {
  World& w = world();
  const NodeText node = browser(w);
  w.publish_and_wait(node, "p1", "Hello");
  FixedText<4200> body = w.service(0).last().body;
  static char altered[4200];
  const size_t size = body.view().size();
  for (size_t i = 0; i < size; ++i) {
    std::memcpy(altered, body.view().data(), size);
    altered[i] = static_cast<char>(altered[i] ^ 1);
    const bool says_size = i >= 16 && i < 20;  // of records: there is one, whatever stands here
    assert_int_equal(open_message({altered, size}, plain_room).ok(), says_size);
  }
  // The keys of somebody else.
  const NodeText other = subscribe(
      w, "bob@example.org/web",
      Subscribed(two, "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"));
  w.publish_and_wait(other, "q1", "Hello");
  w.expect_result("q1");
  assert_int_equal(open_message(w.service(1).last().body.view(), plain_room).error(), Error::denied);
}

}  // namespace

TESTS(web_push_body, SCENARIO_WITH(a_message_says_to_whom_from_whom_and_what, with_web_push),
      SCENARIO_WITH(a_summary_without_a_sender_names_none, with_web_push),
      SCENARIO_WITH(without_clear_text_neither_sender_nor_body_is_there, discreet),
      SCENARIO_WITH(what_the_server_sealed_goes_as_it_is_and_nothing_in_clear, with_web_push),
      SCENARIO_WITH(what_was_read_elsewhere_says_zero, with_web_push),
      SCENARIO_WITH(no_two_bodies_are_alike, with_web_push),
      SCENARIO_WITH(too_large_says_the_account_alone, with_web_push),
      SCENARIO_WITH(nobody_else_and_nothing_altered_is_read, with_web_push));

}  // namespace tocsin::test
