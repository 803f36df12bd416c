// Stanzas exactly as Prosody 0.12.3, Prosody 13 and ejabberd 23.01 sent them.
#include <dirent.h>

#include <cstdio>

#include "base/text.h"
#include "base/writer.h"
#include "test/unit/dialect/ask.h"

namespace tocsin::test {

namespace {

struct Golden {
  string_view name;
  string_view words;   // of words_of; the ciphertext is compared with the file
  string_view answer;  // "" or how the answer's payload begins
};

constexpr string_view disco_info = "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='pubsub'";
constexpr string_view disco_items =
    "<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'><item ";
constexpr string_view first_step =
    "<command xmlns='http://jabber.org/protocol/commands' node='register-device' sessionid='fresh-1' "
    "status='executing'>";

constexpr Golden goldens[] = {
    {"ejabberd-adhoc-execute-form", "register-device provider=fcm-1 token=TOKEN:abc/+= session=fresh-1", ""},
    {"ejabberd-adhoc-unregister", "unregister-device provider=fcm-1 token=TOKEN:abc/+= session=fresh-1", ""},
    {"ejabberd-disco-info", "answered", disco_info},
    {"ejabberd-disco-items-commands", "answered", disco_items},
    {"ejabberd-error-gone-resource", "ignore", ""},
    {"ejabberd-message-to-component", "ignore", ""},
    {"ejabberd-presence-unavailable", "ignore", ""},
    {"ejabberd-publish-body", "publish ok-kinds secret=sek body=New message", ""},
    {"ejabberd-publish-empty", "publish ok-kinds secret=sek", ""},
    {"ejabberd-publish-extrafields", "publish ok-extra secret=s body=New message", ""},
    {"ejabberd-publish-nobody", "publish ok-kinds secret=sek", ""},
    {"ejabberd-publish-nooptions", "publish ok-noopts body=New message", ""},
    {"ejabberd-publish-sender-body", "publish ok-kinds secret=sek sender=alice@localhost/pc body=hello & <bob> é😀", ""},
    {"prosody-adhoc-complete", "register-device provider=fcm-1 token=TOKEN:abc/+= session=s1", ""},
    {"prosody-adhoc-execute-empty", "answered", first_step},
    {"prosody-adhoc-execute-form", "register-device provider=fcm-1 token=TOKEN:abc/+= session=fresh-1", ""},
    {"prosody-adhoc-unregister", "unregister-device provider=fcm-1 token=TOKEN:abc/+= session=fresh-1", ""},
    {"prosody-disco-info", "answered", disco_info},
    {"prosody-disco-items-commands", "answered", disco_items},
    {"prosody-error-gone-resource", "ignore", ""},
    {"prosody-message-to-component", "ignore", ""},
    {"prosody-presence-unavailable", "ignore", ""},
    {"prosody-publish-body", "publish ok-kinds secret=sek count=1 body=New Message!", ""},
    {"prosody-publish-extrafields", "publish ok-extra secret=s count=1 body=New Message!", ""},
    {"prosody-publish-jingle", "publish ok-kinds secret=sek count=1 body=New Message!", ""},
    {"prosody-publish-nobody", "publish ok-kinds secret=sek count=1", ""},
    {"prosody-publish-nonode", "answered secret=s count=1 body=New Message!", not_found},
    {"prosody-publish-nooptions", "publish ok-noopts count=1 body=New Message!", ""},
    {"prosody-publish-sender-body",
     "publish ok-body secret=sek count=1 sender=alice@localhost/pc body=Grüße 😀 <b> & \"q\" 'x'\n2nd line\ttab", ""},
    {"prosody-publish-tigase-chat", "publish ok-enc secret=sek high iv=/FyT2fv2MFXiLOwB ciphertext=as-sent", ""},
    {"prosody-publish-tigase-longbody", "publish ok-enc secret=sek high iv=GCvA7rl3zcjaOI86 ciphertext=as-sent", ""},
    {"prosody-publish-tigase-omemo", "publish ok-enc secret=sek high iv=DxLOyHY5+SPlXMgu ciphertext=as-sent", ""},
    {"prosody-publish-tigase-priority", "publish ok-prio secret=sek count=1 body=New Message! high", ""},
    {"prosody-publish-tigase-voip", "publish ok-enc secret=sek high iv=zB75RKaCa6VfYmCp ciphertext=as-sent voip", ""},
    {"prosody13-publish-tigase-chat", "publish ok-enc secret=sek high iv=rdi+qPhlEh13XPpZ ciphertext=as-sent", ""},
    {"prosody13-publish-tigase-voip", "publish ok-enc secret=sek high iv=uAWI4m2bgxB05Kfv ciphertext=as-sent voip", ""},
};

constexpr char folder[] = "test/data/stanzas";

string_view load(string_view name) {
  static uint8_t room[8192];
  char path[256];
  std::snprintf(path, sizeof path, "%s/%.*s.xml", folder, static_cast<int>(name.size()), name.data());
  FILE* file = std::fopen(path, "rb");
  if (file == nullptr) fail_msg("%s is missing; tests run from the top of the tree", path);
  const size_t size = std::fread(room, 1, sizeof room, file);
  std::fclose(file);
  assert_true(size < sizeof room);
  return trim(text_of(ByteView(room).first(size)));
}

// What stands in text between before and the next after.
string_view between(string_view text, string_view before, string_view after) {
  const size_t start = text.find(before);
  if (start == string_view::npos) return {};
  text = slice(text, start + before.size());
  return slice(text, 0, text.find(after));
}

void expect_golden(const Golden& golden) {
  const string_view xml = load(golden.name);
  const Asked asked = ask(xml);
  Command command = asked.command;
  if (command.notice.encrypted) {
    const string_view element = slice(xml, xml.find("<encrypted"));
    expect_text(command.notice.ciphertext, between(element, ">", "<"));
    command.notice.ciphertext = "as-sent";
  }
  static uint8_t room[8192];
  expect_text(words_of(command, Bytes(room)), golden.words);
  if (golden.words == "ignore") return expect_text(asked.answer, "");

  // The attribute values of these files need no unescaping.
  expect_text(command.iq.id, between(slice(xml, 0, xml.find('>')), " id='", "'"));
  expect_text(command.iq.from, between(xml, " from='", "'"));
  expect_text(command.iq.to, between(xml, " to='", "'"));
  if (golden.answer.empty()) return expect_text(asked.answer, "");
  const Element& answer = *stanza_of(asked.answer).root;
  expect_text(answer.value("id"), command.iq.id);
  expect_text(answer.value("from"), command.iq.to);
  expect_text(answer.value("to"), command.iq.from);
  expect_text(answer.value("type"), golden.answer == not_found ? "error" : "result");
  const string_view payload = slice(asked.answer, asked.answer.find('>') + 1);
  expect_text(slice(payload, 0, golden.answer.size()), golden.answer);
}

void every_captured_stanza_is_understood(void**) {
  for (const Golden& golden : goldens) expect_golden(golden);
}

void no_captured_stanza_is_left_out(void**) {
  DIR* files = opendir(folder);
  assert_non_null(files);
  size_t count = 0;
  while (const dirent* entry = readdir(files)) {
    const string_view name = entry->d_name;
    if (!ends_with(name, ".xml")) continue;
    ++count;
    bool known = false;
    for (const Golden& golden : goldens) known = known || golden.name == slice(name, 0, name.size() - 4);
    if (!known) print_error("%s\n", entry->d_name);
    assert_true(known);
  }
  closedir(files);
  assert_int_equal(count, std::size(goldens));
}

}  // namespace

TESTS(golden, cmocka_unit_test(every_captured_stanza_is_understood), cmocka_unit_test(no_captured_stanza_is_left_out));

}  // namespace tocsin::test
