#include "dialect/pubsub.h"

#include "base/text.h"
#include "dialect/form.h"

namespace tocsin {
namespace {

constexpr string_view pubsub_ns = "http://jabber.org/protocol/pubsub";
constexpr string_view push_ns = "urn:xmpp:push:0";

// In one pass, and the first value of each field stays: there may be further forms of other kinds.
void read_summary(const Element& form, Notice& notice) {
  for (const Element* field = form.first_child; field != nullptr; field = field->next) {
    if (field->name != "field" || field->ns != data_ns) continue;
    const Element* value = field->child("value", data_ns);
    if (value == nullptr) continue;  // Prosody writes empty fields without a value
    const string_view var = field->value("var");
    if (var == "message-count" && !notice.has_count) {
      const Result<uint64_t> count = parse_number(trim(value->text), UINT32_MAX);
      notice.has_count = count.ok();
      if (count.ok()) notice.count = static_cast<uint32_t>(count.value());
    } else if (var == "last-message-sender" && notice.sender.empty()) {
      notice.sender = value->text;
    } else if (var == "last-message-body" && notice.body.empty()) {
      notice.body = value->text;
    }
  }
}

// Without both ciphertext and iv the app could not decrypt: what remains is a wake-up.
void read_encrypted(const Element& part, Notice& notice) {
  const string_view ciphertext = trim(part.text);
  const string_view iv = trim(part.value("iv"));
  if (notice.encrypted || ciphertext.empty() || iv.empty()) return;
  notice.encrypted = true;
  notice.voip = part.value("type") == "voip";
  notice.ciphertext = ciphertext;
  notice.iv = iv;
}

// One child of <notification/> (or, from old Prosody modules, of <item/> beside it).
void read_part(const Element& part, Notice& notice) {
  if (part.name == "x" && part.ns == data_ns) {
    read_summary(part, notice);
  } else if (part.name == "encrypted" && part.ns == "tigase:push:encrypt:0") {
    read_encrypted(part, notice);
  } else if (part.name == "priority" && part.ns == "tigase:push:priority:0") {
    const string_view word = trim(part.text);
    if (word == "high") notice.priority = Notice::Priority::high;
    if (word == "low") notice.priority = Notice::Priority::low;
  } else if (part.name == "jingle" && part.ns == "tigase:push:jingle:0") {
    if (part.value("action") == "propose") notice.call_in_clear = true;
  } else if (part.name == "meet" && part.ns == "tigase:push:meet:0") {
    notice.call_in_clear = true;
  }
}

void read_item(const Element& item, Notice& notice) {
  for (const Element* child = item.first_child; child != nullptr; child = child->next) {
    if (child->name == "notification" && child->ns == push_ns) {
      for (const Element* part = child->first_child; part != nullptr; part = part->next) read_part(*part, notice);
    } else {
      read_part(*child, notice);
    }
  }
  if (notice.encrypted) notice.call_in_clear = false;  // Tigase sends <jingle/> beside what it encrypted
}

// XEP-0004 §3.3: a boolean is true or 1.
bool is_true(string_view word) { return word == "true" || word == "1"; }

// Fields may come in any order and beside others. The first secret counts: an empty one is none.
void read_options(const Element* form, Command& command) {
  command.secret = form_value(form, "secret");
  command.module = trim(form_value(form, "pushModule"));
  command.sandbox = is_true(trim(form_value(form, "sandbox")));
}

}  // namespace

bool read_publish(const Element& pubsub, Command& command) {
  const Element* publish = pubsub.child("publish", pubsub_ns);
  if (publish == nullptr) return false;
  command.node = publish->value("node");
  if (const Element* options = pubsub.child("publish-options", pubsub_ns)) {
    read_options(options->child("x", data_ns), command);
  }
  const Element* item = nullptr;
  for (const Element* child = publish->first_child; child != nullptr; child = child->next) {
    if (child->name != "item" || child->ns != pubsub_ns) continue;
    // Nobody sends several items; which of them would be the news is anybody's guess.
    if (item != nullptr) return true;
    item = child;
  }
  if (item != nullptr) read_item(*item, command.notice);
  return true;
}

}  // namespace tocsin
