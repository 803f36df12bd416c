// The annotated conf is a promise: it parses, its commented defaults are the
// defaults, and it names every key. Mangled in any way it never does harm.
#include <cstdio>

#include "test/unit/settings/parsed.h"

namespace tocsin {

using test::Parsed;

static char sample_room[32 * 1024];
static char changed_room[32 * 1024];

// Found from this file's own name, so that the tests run from any build's directory.
static string_view sample() {
  constexpr string_view here = __FILE__;
  constexpr string_view tail = "test/unit/settings/sample_test.cpp";
  assert_true(ends_with(here, tail));
  char path[1024];
  snprintf(path, sizeof(path), "%.*sconf/tocsin.conf", static_cast<int>(here.size() - tail.size()), here.data());
  FILE* file = fopen(path, "rb");
  assert_non_null(file);
  const size_t size = fread(sample_room, 1, sizeof(sample_room), file);
  fclose(file);
  assert_true(size > 0 && size < sizeof(sample_room));
  return {sample_room, size};
}

static constexpr string_view refused_contact = "contact = mailto:ops@example.org";

// Or a section.
static bool is_commented_key(string_view line) {
  if (starts_with(line, "#[")) return true;
  if (line.size() < 2 || line[0] != '#' || line[1] < 'a' || line[1] > 'z') return false;
  size_t i = 1;
  while (i < line.size() && (line[i] == '_' || (line[i] >= 'a' && line[i] <= 'z'))) ++i;
  return starts_with(slice(line, i), " =");
}

// The sample with every "#key = value" set, and an address of somebody's own: the sample's is refused.
static string_view uncommented() {
  string_view rest = sample();
  size_t used = 0;
  while (!rest.empty()) {
    string_view line = take_until(rest, '\n');
    if (is_commented_key(line)) line = slice(line, 1);
    if (line == refused_contact) line = "contact = mailto:ann@example.net";
    std::memcpy(changed_room + used, line.data(), line.size());
    used += line.size();
    changed_room[used++] = '\n';
  }
  return {changed_room, used};
}

static void sample_is_a_conf(void**) {
  const Parsed p(sample());
  assert_faultless(p);
  assert_text(p.settings.apns[0].name.view(), "siskin");
}

static void sample_with_every_comment_taken_away_is_a_conf_with_the_same_defaults(void**) {
  Parsed p(uncommented());
  assert_faultless(p);
  const Settings& s = p.settings;
  const Settings plain;
  assert_text(s.xmpp.server.host.view(), plain.xmpp.server.host.view());
  assert_int_equal(s.xmpp.server.port, plain.xmpp.server.port);
  assert_int_equal(s.xmpp.allow_cleartext, plain.xmpp.allow_cleartext);
  assert_int_equal(s.xmpp.max_stanza_bytes, plain.xmpp.max_stanza_bytes);
  assert_int_equal(s.registry.max_devices, plain.registry.max_devices);
  assert_text(s.registry.path.view(), "/var/lib/tocsin/devices.registry");
  assert_int_equal(s.limits.max_inflight, plain.limits.max_inflight);
  assert_int_equal(s.limits.max_pending, plain.limits.max_pending);
  assert_int_equal(s.limits.devices_per_account, plain.limits.devices_per_account);
  assert_int_equal(s.limits.brake_devices, plain.limits.brake_devices);
  assert_int_equal(s.limits.brake_percent, plain.limits.brake_percent);
  assert_int_equal(s.limits.device_burst, plain.limits.device_burst);
  assert_int_equal(s.limits.device_interval.us, plain.limits.device_interval.us);
  assert_int_equal(s.limits.domain_burst, plain.limits.domain_burst);
  assert_int_equal(s.limits.domain_interval.us, plain.limits.domain_interval.us);
  assert_true(s.unified_push.expiry == plain.unified_push.expiry);
  assert_int_equal(s.unified_push.max_body, plain.unified_push.max_body);
  assert_int_equal(s.unified_push.endpoints_per_account, plain.unified_push.endpoints_per_account);
  assert_true(s.log.level == plain.log.level);
  assert_true(s.log.to.kind == plain.log.to.kind);
  assert_true(s.log.timestamps == plain.log.timestamps);
  assert_true(s.process.secret_modes == plain.process.secret_modes);
  const ApnsSettings& a = s.apns[0];
  const ApnsSettings& b = plain.apns[0];
  assert_true(a.environment == b.environment);
  assert_true(a.payload == b.payload);
  assert_true(a.empty == b.empty);
  assert_int_equal(a.clear_text, b.clear_text);
  assert_text(a.alert_title.view(), b.alert_title.view());
  assert_text(a.alert_body.view(), b.alert_body.view());
  assert_text(a.sound.view(), b.sound.view());
  assert_text(a.category.view(), b.category.view());
  const Parsed least("[webpush]\ncontact = mailto:ann@example.net\n");
  const WebPushSettings& c = s.webpush[0];
  const WebPushSettings& d = least.settings.webpush[0];
  assert_text(c.provider[0].view(), d.provider[0].view());
  assert_text(c.vapid_key.view(), d.vapid_key.view());
  assert_true(c.empty == d.empty);
  assert_int_equal(c.clear_text, d.clear_text);
}

static void the_contact_of_the_sample_is_nobodys(void**) {
  const string_view whole = sample();
  assert_true(whole.find(refused_contact) != string_view::npos);
  const Parsed p("[webpush]\ncontact = mailto:ops@example.org\n");
  assert_true(p.fault(0).find("is the sample's") != string_view::npos);
}

static void sample_names_every_supported_key(void**) {
  const Parsed p(uncommented());
  for (const KeyRow& row : key_rows()) {
    if (row.store == nullptr || row.name == "secret_file") continue;           // excludes secret
    if (row.name == "certificate" || row.name == "certificate_key") continue;  // exclude key
    if (!p.parser.origins().has_key({.kind = row.section, .index = 0}, row.name)) {
      print_error("%.*s is missing\n", static_cast<int>(row.name.size()), row.name.data());
      fail_here();
    }
  }
  for (const string_view other : {"secret_file = ", "certificate = ", "certificate_key = "})
    assert_true(sample().find(other) != string_view::npos);
}

static void sample_cut_at_every_byte_does_no_harm(void**) {
  const string_view whole = sample();
  for (size_t size = 0; size < whole.size(); size += 3) {
    const Parsed p(slice(whole, 0, size));
    assert_true(p.faults.count() <= Faults::faults_max);
  }
}

static void mangled_samples_do_no_harm(void**) {
  uint32_t seed = 20'240'101;
  const auto random = [&seed] {
    seed = seed * 1'664'525u + 1'013'904'223u;  // Numerical Recipes' generator: any will do
    return seed >> 8;
  };
  constexpr string_view hostile = "[]=\"\\#\n\r\t ,\0\xff\x80:/.%*-09kMsd";
  const string_view whole = uncommented();
  static char mangled[sizeof(changed_room)];
  for (int round = 0; round < 1500; ++round) {
    std::memcpy(mangled, whole.data(), whole.size());
    size_t size = whole.size();
    const uint32_t edits = 1 + random() % 40;
    for (uint32_t i = 0; i < edits; ++i) {
      const size_t at = random() % size;
      switch (random() % 3) {
        case 0: mangled[at] = hostile[random() % hostile.size()]; break;
        case 1: {  // a part goes
          const size_t gone = 1 + random() % 8;
          if (at + gone < size) {
            std::memmove(mangled + at, mangled + at + gone, size - at - gone);
            size -= gone;
          }
          break;
        }
        default: {  // a part comes twice
          const size_t more = 1 + random() % 64;
          if (at + more < size && size + more < sizeof(mangled)) {
            std::memmove(mangled + at + more, mangled + at, size - at);
            size += more;
          }
        }
      }
    }
    const Parsed p({mangled, size});
    for (uint32_t i = 0; i < p.faults.count(); ++i) {
      assert_true(is_utf8(p.fault(i)));
      for (const char c : p.fault(i)) assert_true(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    }
  }
}

TESTS(sample, cmocka_unit_test(sample_is_a_conf),
      cmocka_unit_test(sample_with_every_comment_taken_away_is_a_conf_with_the_same_defaults),
      cmocka_unit_test(the_contact_of_the_sample_is_nobodys), cmocka_unit_test(sample_names_every_supported_key),
      cmocka_unit_test(sample_cut_at_every_byte_does_no_harm), cmocka_unit_test(mangled_samples_do_no_harm));

}  // namespace tocsin
