// What the tests of the dialects share: a service, and one question with its answer.
#pragma once

#include "dialect/dialects.h"
#include "test/support/stanza_of.h"
#include "test/support/tests.h"

namespace tocsin::test {

// Two sections share an id, one of the labels needs escapes.
extern const ServiceFacts service;
inline constexpr string_view fresh_session = "fresh-1";

struct Asked {
  Command command;
  string_view answer;  // valid until the next ask()
};

// xml: one whole stanza.
Asked ask(string_view xml, size_t bytes_max = 64 * 1024);
// The same of a service that has sections for apns and fcm.
extern const ServiceFacts rich_service;
Asked ask_rich_set(string_view payload);
Asked ask_rich_get(string_view payload);
// An IQ of ann@example.org/phone with this payload, and with id q1.
Asked ask_set(string_view payload);
Asked ask_get(string_view payload);
// A publish of example.org to node n1 with this inside of <publish/>.
Asked ask_publish(string_view content);
// All that a command says, except for the addresses and the id, on one line:
//   publish n1 secret=s module=m sandbox incomplete count=1 sender=… body=… high call iv=… ciphertext=… voip
//   register-device provider=… token=… second=… session=… service=… device=… channel=… asked=… p2
string_view words_of(const Command& command, Bytes room);

// The answer's payload in an IQ result or error to ann@example.org/phone, id q1, as text.
#define expect_answer(asked, ...) ::tocsin::test::expect_answer_at(__FILE__, __LINE__, asked, __VA_ARGS__)
void expect_answer_at(const char* file, int line, const Asked& asked, string_view type, string_view payload);

inline void expect_text_at(const char* file, int line, string_view got, string_view want) {
  if (got == want) return;
  print_error("got  \"%.*s\"\nwant \"%.*s\"\n", static_cast<int>(got.size()), got.data(), static_cast<int>(want.size()),
              want.data());
  _fail(file, line);
}
#define expect_text(...) ::tocsin::test::expect_text_at(__FILE__, __LINE__, __VA_ARGS__)

inline constexpr string_view error_ns = "urn:ietf:params:xml:ns:xmpp-stanzas";
inline constexpr string_view not_found =
    "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
inline constexpr string_view no_section =
    "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
    "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>The conf of this gateway has no section for this "
    "command.</text></error>";
inline constexpr string_view unsupported =
    "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
inline constexpr string_view wait_unavailable =
    "<error type='wait'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
inline constexpr string_view wait_internal =
    "<error type='wait'><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";

}  // namespace tocsin::test
