// A conf read the way the program does it, for tests: parse, override, validate.
#pragma once

#include <cstdio>

#include "settings/conf_parser.h"
#include "settings/validate.h"
#include "test/support/tests.h"

namespace tocsin::test {

inline constexpr string_view good_conf =
    "[xmpp]\n"
    "domain = push.example.org\n"
    "secret = s3cr3t\n"
    "[apns siskin]\n"
    "provider = tigase:messenger:apns:1\n"
    "key = /etc/tocsin/AuthKey_ABC123DEFG.p8\n"
    "team_id = DEF123GHIJ\n"
    "topic = org.example.siskin\n";

// Large: hold one at a time.
struct Parsed {
  Parsed() = default;
  explicit Parsed(string_view text) {
    parser.parse(text, "t.conf");
    finish();
  }
  void finish() { validate(settings, parser.origins(), environment, faults); }
  string_view fault(uint32_t i) const { return i < faults.count() ? faults[i].text : string_view("(no fault)"); }

  Environment environment;
  Settings settings;
  Faults faults;
  ConfParser parser{environment, settings, faults};
};

// Text put together from two parts, such as good_conf and one more line.
struct Joined {
  Joined(string_view a, string_view b, string_view c = {}) {
    for (string_view part : {a, b, c}) {
      if (size + part.size() > sizeof(room)) continue;
      if (!part.empty()) std::memcpy(room + size, part.data(), part.size());
      size += part.size();
    }
  }
  string_view view() const { return {room, size}; }
  char room[16 * 1024];
  size_t size = 0;
};

inline void assert_same_text(string_view got, string_view wanted, const char* file, int line) {
  if (got == wanted) return;
  print_error("got:    %.*s\nwanted: %.*s\n", static_cast<int>(got.size()), got.data(), static_cast<int>(wanted.size()),
              wanted.data());
  _fail(file, line);
}

inline void assert_no_faults(const Faults& faults, const char* file, int line) {
  for (uint32_t i = 0; i < faults.count(); ++i)
    print_error("%.*s\n", static_cast<int>(faults[i].text.size()), faults[i].text.data());
  if (faults.count() + faults.unlisted() != 0) _fail(file, line);
}

}  // namespace tocsin::test

#define assert_text(got, wanted) ::tocsin::test::assert_same_text(got, wanted, __FILE__, __LINE__)
#define assert_faultless(parsed) ::tocsin::test::assert_no_faults((parsed).faults, __FILE__, __LINE__)
