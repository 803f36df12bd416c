#include "test/unit/dialect/ask.h"

#include "base/writer.h"

namespace tocsin::test {

namespace {

constexpr ProviderFacts providers[] = {
    {"tigase:messenger:apns:1", "Siskin"},
    {"snikket:apns:1", "Ann's <phone>"},
    {"tigase:messenger:apns:1", "Siskin (sandbox)"},
    {"fcm-xmpp-api", "Stork"},
};

uint8_t question_room[96 * 1024];
uint8_t answer_room[64 * 1024];

constexpr string_view services[] = {"apns", "fcm"};

Asked ask_service(const ServiceFacts& asked, string_view xml, size_t bytes_max = 64 * 1024) {
  Writer answer{Bytes(answer_room)};
  const Command command = read_stanza(stanza_of(xml, bytes_max), asked, fresh_session, answer);
  assert_false(answer.overflowed());
  assert_true((command.kind == Command::Kind::answered) == (answer.size() > 0));
  return {command, answer.view()};
}

Asked ask_typed(const ServiceFacts& asked, string_view type, string_view payload) {
  Writer out{Bytes(question_room)};
  out.text("<iq type='").text(type).text("' id='q1' from='ann@example.org/phone' to='push.example.org'>");
  out.text(payload).text("</iq>");
  assert_false(out.overflowed());
  return ask_service(asked, out.view());
}

}  // namespace

const ServiceFacts service{.domain = "push.example.org", .version = "1.2", .providers = providers};

const ServiceFacts rich_service{
    .domain = "push.example.org", .version = "1.2", .providers = providers, .services = services};

Asked ask(string_view xml, size_t bytes_max) { return ask_service(service, xml, bytes_max); }
Asked ask_set(string_view payload) { return ask_typed(service, "set", payload); }
Asked ask_get(string_view payload) { return ask_typed(service, "get", payload); }
Asked ask_rich_set(string_view payload) { return ask_typed(rich_service, "set", payload); }
Asked ask_rich_get(string_view payload) { return ask_typed(rich_service, "get", payload); }

Asked ask_publish(string_view content) {
  Writer out{Bytes(question_room)};
  out.text("<iq type='set' id='q1' from='example.org' to='push.example.org'>");
  out.text("<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n1'>").text(content);
  out.text("</publish></pubsub></iq>");
  assert_false(out.overflowed());
  return ask(out.view());
}

string_view words_of(const Command& command, Bytes room) {
  Writer out{room};
  switch (command.kind) {
    case Command::Kind::ignore: out.text("ignore"); break;
    case Command::Kind::answered: out.text("answered"); break;
    case Command::Kind::publish: out.text("publish ").text(command.node); break;
    case Command::Kind::register_device: out.text("register-device"); break;
    case Command::Kind::unregister_device: out.text("unregister-device"); break;
    case Command::Kind::register_endpoint: out.text("register-endpoint"); break;
    case Command::Kind::reply: out.text("reply ").text(command.condition); break;
    case Command::Kind::presence: out.text(command.available ? "available" : "unavailable"); break;
  }
  const auto say = [&out](string_view name, string_view value) {
    if (!value.empty()) out.text(" ").text(name).text("=").text(value);
  };
  const Notice& notice = command.notice;
  say("secret", command.secret);
  say("module", command.module);
  if (command.sandbox) out.text(" sandbox");
  if (command.incomplete) out.text(" incomplete");
  if (notice.has_count) out.text(" count=").unsigned_number(notice.count);
  assert_true(notice.has_count || notice.count == 0);
  say("sender", notice.sender);
  say("body", notice.body);
  if (notice.priority == Notice::Priority::high) out.text(" high");
  if (notice.priority == Notice::Priority::low) out.text(" low");
  if (notice.call_in_clear) out.text(" call");
  assert_true(notice.encrypted == !notice.iv.empty() && notice.encrypted == !notice.ciphertext.empty());
  say("iv", notice.iv);
  say("ciphertext", notice.ciphertext);
  if (notice.voip) out.text(" voip");
  if (command.kind == Command::Kind::register_device || command.kind == Command::Kind::unregister_device) {
    say("provider", command.provider);
    say("token", command.token);
    say("second", command.second_token);
    say("p256dh", command.p256dh);
    say("auth", command.auth);
    say("session", command.session);
    say("service", command.service);
    say("device", command.device_id);
    say("channel", command.channel);
    say("asked", command.dialect == DialectId::tigase ? string_view() : command.asked);
    if (command.dialect == DialectId::p2) out.text(" p2");
    if (command.dialect == DialectId::openfire) out.text(" openfire");
    if (command.dialect == DialectId::v1) out.text(" v1");
  }
  assert_false(out.overflowed());
  return out.view();
}

void expect_answer_at(const char* file, int line, const Asked& asked, string_view type, string_view payload) {
  static uint8_t room[16 * 1024];
  Writer want{Bytes(room)};
  want.text("<iq type='").text(type).text("' id='q1' from='push.example.org' to='ann@example.org/phone'");
  if (payload.empty()) {
    want.text("/>");
  } else {
    want.text(">").text(payload).text("</iq>");
  }
  assert_false(want.overflowed());
  expect_text_at(file, line, asked.answer, want.view());
}

}  // namespace tocsin::test
