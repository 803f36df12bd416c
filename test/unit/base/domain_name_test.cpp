#include "base/domain_name.h"

#include "test/support/tests.h"

namespace tocsin {

namespace {

struct Pair {
  string_view a;
  string_view b;
};

void expect_same(const Pair& pair) {
  const bool same = same_domain(pair.a, pair.b) && same_domain(pair.b, pair.a);
  if (!same) print_error("%.*s\n", static_cast<int>(pair.a.size()), pair.a.data());
  assert_true(same);
}

void expect_different(const Pair& pair) {
  const bool different = !same_domain(pair.a, pair.b) && !same_domain(pair.b, pair.a);
  if (!different) print_error("%.*s\n", static_cast<int>(pair.a.size()), pair.a.data());
  assert_true(different);
}

void case_and_a_trailing_dot_do_not_matter(void**) {
  constexpr Pair pairs[] = {
      {"example.org", "example.org"},     {"example.org", "EXAMPLE.Org"}, {"example.org.", "example.org"},
      {"example.org.", "example.org."},   {"localhost", "LOCALHOST"},     {"192.0.2.1", "192.0.2.1"},
      {"[2001:db8::a]", "[2001:DB8::A]"},
  };
  for (const Pair& pair : pairs) expect_same(pair);
}

void other_names_are_other_names(void**) {
  constexpr Pair pairs[] = {
      {"example.org", "example.net"},
      {"example.org", "example.orga"},
      {"example.org", "xexample.org"},
      {"example.org", "example..org"},
      {"example.org", ".example.org"},
      {"example.org", "example.org.."},
      {"example.org", "muc.example.org"},
      {"example.org", ""},
      {"example.org", "."},
      {"example.org", " example.org"},
      {"example.org", "example_org"},
      {"example.org", "example"},
  };
  for (const Pair& pair : pairs) expect_different(pair);
}

void no_name_is_not_a_name(void**) {
  assert_false(same_domain("", ""));
  assert_false(same_domain("", "."));
  assert_false(is_subdomain("example.org", ""));
  assert_false(is_subdomain("", ""));
  assert_false(is_subdomain("example.org", "."));
}

// The A-labels are those of another implementation, some of them samples of RFC 3492 §7.1.
void a_label_and_its_a_label_are_the_same(void**) {
  constexpr Pair pairs[] = {
      {"bücher.example", "xn--bcher-kva.example"},
      {"www.bücher.example", "WWW.XN--BCHER-KVA.EXAMPLE."},
      {"straße.example", "xn--strae-oqa.example"},
      {"bahnhof-köln.example", "xn--bahnhof-kln-zfb.example"},
      {"παράδειγμα.example", "xn--hxajbheg2az3al.example"},
      {"пример.example", "xn--e1afmkfd.example"},
      {"тест-test.example", "xn---test-ywe8fgc.example"},
      {"việtnam.example", "xn--vitnam-jk8b.example"},
      {"ñandú.example", "xn--and-6ma2c.example"},
      {"日本語.example", "xn--wgv71a119e.example"},
      {"ファッション.example", "xn--bck1b9a5dre4c.example"},
      {"pročprostěnemluvíčesky", "xn--proprostnemluvesky-uyb24dma41a"},
      {"почемужеонинеговорятпорусски", "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l"},
      {"😀.example", "xn--e28h.example"},
      {"ü", "xn--tda"},
      {"bücher.пример", "xn--bcher-kva.xn--e1afmkfd"},
  };
  for (const Pair& pair : pairs) {
    expect_same(pair);
    expect_same({pair.a, pair.a});
  }
  expect_different({"bücher.example", "bucher.example"});
  expect_different({"bücher.example", "xn--bcher-kvb.example"});
  expect_different({"bücher.example", "bücher.example.org"});
  // ß is no other spelling of ss (RFC 5894 §3.2 of IDNA 2008).
  expect_different({"straße.example", "strasse.example"});
}

void capitals_of_other_alphabets_do_not_matter(void**) {
  constexpr Pair pairs[] = {
      {"BÜCHER.example", "bücher.EXAMPLE"},   {"BÜCHER.example", "xn--bcher-kva.example"},
      {"ŠKODA.example", "škoda.example"},     {"ŁÓDŹ.example", "łódź.example"},
      {"ĽUBIŠ.example", "ľubiš.example"},     {"ȘTIRI.example", "știri.example"},
      {"ŸES.example", "ÿes.example"},         {"ΠΑΡΆΔΕΙΓΜΑ.example", "παράδειγμα.example"},
      {"ΌΌΏΎ.example", "όόώύ.example"},       {"ΟΔΟΣ.example", "οδος.example"},
      {"ПРИМЕР.example", "пример.example"},   {"ЁЖ.example", "ёж.example"},
      {"ҐАНОК.example", "ґанок.example"},     {"ӀӁӒ.example", "ӏӂӓ.example"},
      {"VIỆTNAM.example", "việtnam.example"},
  };
  for (const Pair& pair : pairs) expect_same(pair);
  // Signs between the letters have no case.
  expect_different({"×.example", "÷.example"});
}

void nothing_folds_into_ascii(void**) {
  expect_different({"\u212A.example", "k.example"});      // KELVIN SIGN
  expect_different({"\u0130.example", "i.example"});      // dotted capital I
  expect_different({"e\u017Fample.org", "esample.org"});  // long s
}

void what_can_not_be_a_name_is_compared_as_bytes(void**) {
  static char room[2][1200];
  std::memset(room, 'a', sizeof room);
  expect_same(
      {"b\xFC"
       "cher.example",
       "b\xFC"
       "cher.example"});
  expect_different(
      {"b\xFC"
       "cher.example",
       "b\xFC"
       "cher.EXAMPLE"});
  expect_same({{room[0], 1200}, {room[1], 1200}});
  room[1][1199] = 'b';
  expect_different({{room[0], 1200}, {room[1], 1200}});
  room[1][1199] = 'A';
  expect_different({{room[0], 1200}, {room[1], 1200}});
  expect_same({{room[0] + 177, 1023}, {room[1] + 177, 1023}});
  // A label that is too long for an A-label, and so many labels that theirs would not fit.
  for (size_t i = 0; i + 2 <= 600; i += 2) std::memcpy(room[0] + i, "ü", 2);
  std::memcpy(room[1], room[0], 600);
  expect_same({{room[0], 600}, {room[1], 600}});
  room[1][1] = room[1][0];
  expect_different({{room[0], 600}, {room[1], 600}});
  for (size_t i = 0; i + 3 <= 1023; i += 3) std::memcpy(room[0] + i, "ü.", 3);
  std::memcpy(room[1], room[0], 1023);
  expect_same({{room[0], 1023}, {room[1], 1023}});
  std::memcpy(room[1], "ä", 2);
  expect_different({{room[0], 1023}, {room[1], 1023}});
}

void a_subdomain_ends_in_a_dot_and_its_parent(void**) {
  constexpr Pair inside[] = {
      {"muc.example.org", "example.org"},       {"a.b.example.org", "example.org"},
      {"MUC.Example.Org.", "example.org"},      {"muc.example.org", "EXAMPLE.ORG."},
      {"muc.bücher.example", "bücher.example"}, {"muc.xn--bcher-kva.example", "BÜCHER.example"},
      {"пример.example.org", "example.org"},
  };
  for (const Pair& pair : inside) {
    assert_true(is_subdomain(pair.a, pair.b));
    assert_false(is_subdomain(pair.b, pair.a));
    assert_false(same_domain(pair.a, pair.b));
  }
  constexpr Pair outside[] = {
      {"example.org", "example.org"},          {"EXAMPLE.org", "example.org"},     {"evilexample.org", "example.org"},
      {"example.org.evil.net", "example.org"}, {".example.org", "example.org"},    {"org", "example.org"},
      {"muc.example.net", "example.org"},      {"bücher.example", "cher.example"},
  };
  for (const Pair& pair : outside) assert_false(is_subdomain(pair.a, pair.b));
}

}  // namespace

TESTS(domain_name, cmocka_unit_test(case_and_a_trailing_dot_do_not_matter),
      cmocka_unit_test(other_names_are_other_names), cmocka_unit_test(no_name_is_not_a_name),
      cmocka_unit_test(a_label_and_its_a_label_are_the_same),
      cmocka_unit_test(capitals_of_other_alphabets_do_not_matter), cmocka_unit_test(nothing_folds_into_ascii),
      cmocka_unit_test(what_can_not_be_a_name_is_compared_as_bytes),
      cmocka_unit_test(a_subdomain_ends_in_a_dot_and_its_parent));

}  // namespace tocsin
