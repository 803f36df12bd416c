// The models of five servers, against what was read in their sources and seen live.
#include "test/scenario/server_models.h"
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr string_view jid = "push.example.org";

struct Row {
  string_view type;  // "": a result
  string_view condition;
  bool ends[peers_count];  // at the first: Prosody (which counts to 16), ejabberd, MongooseIM, Tigase, Openfire
  bool counts;             // Prosody
};
constexpr Row table[] = {
    {"", "", {}, false},
    {"cancel", "item-not-found", {false, true, true, true, false}, true},
    {"wait", "internal-server-error", {}, false},
    {"wait", "service-unavailable", {}, false},
    {"wait", "remote-server-timeout", {}, false},
    {"wait", "resource-constraint", {false, false, false, true, false}, false},
    {"wait", "recipient-unavailable", {false, false, false, true, false}, false},
    {"auth", "forbidden", {false, true, false, true, false}, true},
    {"modify", "bad-request", {false, true, false, false, false}, true},
    {"cancel", "bad-request", {false, true, true, false, false}, true},
    {"cancel", "internal-server-error", {false, true, true, false, false}, true},
    {"cancel", "service-unavailable", {false, true, true, false, false}, true},
};

// As the gateway writes it; a text before the condition is odd, and legal.
string_view write_reply(Writer& out, const Row& row, Peer peer, bool text_first = false) {
  out.text("<iq type='").text(row.type.empty() ? "result" : "error").text("' id='a' from='").text(jid).text("' to='");
  out.text(from_of(peer)).text("'");
  if (row.type.empty()) return out.text("/>").view();
  out.text("><error type='").text(row.type).text("'>");
  if (text_first) out.text("<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>item-not-found</text>");
  out.text("<").text(row.condition).text(" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
  return out.view();
}

void each_server_reacts_as_it_was_seen_to(void**) {
  for (const Row& row : table) {
    for (uint32_t p = 0; p < peers_count; ++p) {
      for (const bool text_first : {false, true}) {
        const Peer peer = static_cast<Peer>(p);
        uint8_t room[1024];
        Writer out(room);
        Standing standing;
        const PeerReply reply = read_reply(write_reply(out, row, peer, text_first));
        react(peer, reply, jid, standing);
        assert_int_equal(standing.enabled, !row.ends[p]);
        assert_int_equal(standing.errors, peer == Peer::prosody && row.counts ? 1 : 0);
        assert_int_equal(standing.forgotten, 0);
      }
    }
  }
}

void prosody_counts_to_sixteen_and_a_result_starts_again(void**) {
  uint8_t gone_room[1024];
  uint8_t fine_room[1024];
  Writer gone(gone_room);
  Writer fine(fine_room);
  const PeerReply error = read_reply(write_reply(gone, table[1], Peer::prosody));
  const PeerReply result = read_reply(write_reply(fine, table[0], Peer::prosody));
  Standing standing;
  for (uint32_t i = 0; i < 15; ++i) react(Peer::prosody, error, jid, standing);
  react(Peer::prosody, result, jid, standing);
  for (uint32_t i = 0; i < 15; ++i) react(Peer::prosody, error, jid, standing);
  assert_true(standing.enabled);
  react(Peer::prosody, error, jid, standing);
  assert_false(standing.enabled);
}

void an_answer_from_or_for_another_address_is_none(void**) {
  uint8_t room[1024];
  for (uint32_t p = 0; p < peers_count; ++p) {
    Writer out(room);
    const Peer peer = static_cast<Peer>(p);
    PeerReply reply = read_reply(write_reply(out, table[1], peer));
    reply.to = "example.com";
    Standing standing;
    react(peer, reply, jid, standing);
    assert_true(standing.enabled);
    assert_int_equal(standing.forgotten, 1);
  }
  Writer out(room);
  PeerReply reply = read_reply(write_reply(out, table[1], Peer::prosody));
  reply.from = "push.example.org/other";
  Standing standing;
  react(Peer::prosody, reply, jid, standing);
  assert_int_equal(standing.errors, 0);
}

void without_an_answer_or_a_component_every_registration_stays(void**) {
  for (uint32_t p = 0; p < peers_count; ++p) {
    Standing standing;
    for (uint32_t i = 0; i < 20; ++i) {
      react(static_cast<Peer>(p), {.kind = PeerReply::Kind::silence}, jid, standing);
      react(static_cast<Peer>(p), {.kind = PeerReply::Kind::unreachable}, jid, standing);
    }
    assert_true(standing.enabled);
    assert_int_equal(standing.errors, 0);
    assert_int_equal(standing.forgotten, 20);
  }
}

constexpr Configured all_accounts = {.extra = "[xmpp]\naccounts = *\n"};

void the_gateway_takes_what_each_server_publishes(void**) {
  World& w = world();
  w.start();
  uint32_t number = 0;
  for (uint32_t p = 0; p < peers_count; ++p) {
    const Peer peer = static_cast<Peer>(p);
    for (uint32_t o = 0; o < occasions_count; ++o) {
      uint8_t room[4096];
      Writer from(room);
      from.text("user").unsigned_number(++number).text("@").text(domain_of(peer)).text("/phone");
      const NodeText node = w.register_device(from.view(), token_number(number));
      Writer out(room);
      uint8_t id_room[8];
      Writer id(id_room);
      id.character('p').unsigned_number(number);
      write_publish(out, peer, jid, node, id.view(), static_cast<Occasion>(o));
      w.server().send(out.view());
      w.wait_for_answer(id.view());
      w.expect_result(id.view());
      assert_true(read_reply(w.server().answer(id.view())).to == from_of(peer));
    }
  }
  w.expect_requests(number);
}

TESTS(server_models, cmocka_unit_test(each_server_reacts_as_it_was_seen_to),
      cmocka_unit_test(prosody_counts_to_sixteen_and_a_result_starts_again),
      cmocka_unit_test(an_answer_from_or_for_another_address_is_none),
      cmocka_unit_test(without_an_answer_or_a_component_every_registration_stays),
      SCENARIO_WITH(the_gateway_takes_what_each_server_publishes, all_accounts));

}  // namespace
}  // namespace tocsin::test
