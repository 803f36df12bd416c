// The files of APNs sections that show a certificate.
#include "load.h"
#include "test/unit/main/fake_storage.h"
#include "test/unit/settings/parsed.h"

namespace tocsin {
namespace {

constexpr string_view key_pem = "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n";
constexpr string_view own_pem = "-----BEGIN CERTIFICATE-----\nMIIA\n-----END CERTIFICATE-----\n";
constexpr string_view both_pem =
    "-----BEGIN CERTIFICATE-----\nMIIA\n-----END CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\n";
constexpr string_view ca_pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
constexpr string_view head =
    "[xmpp]\ndomain = push.example.org\nsecret_file = secret\n"
    "[apns siskin]\nprovider = a\ntopic = org.example.siskin\ncertificate = apns.pem\n";

uint8_t arena_room[load_room_bytes];

struct Machine {
  explicit Machine(string_view more) : conf(head, more) {
    storage.put({.path = "/etc/tocsin/tocsin.conf", .text = conf.view(), .mode = 0644});
    storage.put({.path = "/etc/tocsin/secret", .text = "s3cr3t\n"});
    storage.put({.path = "/etc/tocsin/apns.pem", .text = own_pem, .mode = 0644});
    storage.put({.path = "/etc/tocsin/apns.key", .text = key_pem});
    storage.put({.path = "/etc/ssl/certs/ca-certificates.crt", .text = ca_pem, .mode = 0644});
    *line.conf_files.add() = "/etc/tocsin/tocsin.conf";
  }
  void load() {
    Loader loader(storage, environment, settings, faults);
    loader.load(line, arena, files);
    assert_int_equal(storage.open_files, 0);
  }
  const LoadedFiles::Provider& section() const { return files.sections[0]; }

  test::Joined conf;
  test::FakeStorage storage;
  Environment environment;
  CommandLine line;
  Settings settings;
  Faults faults;
  LoadedFiles files;
  Arena arena{Bytes(arena_room)};
};

void a_certificate_is_no_secret_and_its_key_is(void**) {
  Machine m("certificate_key = apns.key\n");
  m.load();
  assert_int_equal(m.faults.count(), 0);
  assert_false(m.section().off);
  assert_text(text_of(m.section().certificate), own_pem);
  assert_text(text_of(m.section().key), key_pem);

  Machine open("certificate_key = apns.key\n");
  open.storage.put({.path = "/etc/tocsin/apns.key", .text = key_pem, .mode = 0644});
  open.load();
  assert_text(open.faults[0].text,
              "/etc/tocsin/tocsin.conf:8: certificate_key: /etc/tocsin/apns.key can be read by every user of this "
              "machine; mend it with: chmod o-r /etc/tocsin/apns.key");
  assert_true(open.section().off && open.section().key.empty() && open.section().certificate.empty());
  assert_int_equal(open.faults.run_exit_code(), exit_code::ok);
  assert_int_equal(open.faults.check_exit_code(), exit_code::conf);
}

void both_may_stand_in_one_file_which_is_a_secret_then(void**) {
  Machine m("");
  m.storage.put({.path = "/etc/tocsin/apns.pem", .text = both_pem, .mode = 0640});
  m.load();
  assert_int_equal(m.faults.count(), 0);
  assert_text(text_of(m.section().key), both_pem);
  Machine open("");
  open.storage.put({.path = "/etc/tocsin/apns.pem", .text = both_pem, .mode = 0644});
  open.load();
  assert_text(open.faults[0].text,
              "/etc/tocsin/tocsin.conf:7: certificate: /etc/tocsin/apns.pem can be read by every user of this machine; "
              "mend it with: chmod o-r /etc/tocsin/apns.pem");
  assert_true(open.section().off);
}

void what_is_missing_is_said_at_its_line(void**) {
  Machine alone("");
  alone.load();
  assert_text(alone.faults[0].text,
              "/etc/tocsin/tocsin.conf:7: certificate: /etc/tocsin/apns.pem: its private key is not in this file; set "
              "certificate_key to the file it is in");
  Machine gone("certificate_key = gone.key\n");
  gone.load();
  assert_text(gone.faults[0].text, "/etc/tocsin/tocsin.conf:8: certificate_key: /etc/tocsin/gone.key: no such file");
  Machine binary("certificate_key = apns.key\n");
  binary.storage.put({.path = "/etc/tocsin/apns.pem", .text = "\x30\x82"});
  binary.load();
  assert_text(
      binary.faults[0].text,
      "/etc/tocsin/tocsin.conf:7: certificate: /etc/tocsin/apns.pem: the file holds no certificate in PEM (BEGIN "
      "CERTIFICATE); a .p12 file becomes one with: openssl pkcs12 -nodes -in FILE.p12 -out FILE.pem");
  for (Machine* each : {&alone, &gone, &binary}) assert_true(each->section().off);
}

void what_is_found_later_is_told_of_the_right_file(void**) {
  Machine m("certificate_key = apns.key\n");
  Loader loader(m.storage, m.environment, m.settings, m.faults);
  loader.load(m.line, m.arena, m.files);
  loader.warn(0, "certificate", "it ends on 2030-01-01");
  assert_false(m.section().off);
  assert_int_equal(m.faults.check_exit_code(), exit_code::ok);
  loader.turn_off(m.files, 0, "certificate_key", "it is not the key of the certificate");
  assert_text(m.faults[0].text, "/etc/tocsin/tocsin.conf:7: certificate: /etc/tocsin/apns.pem: it ends on 2030-01-01");
  assert_text(m.faults[1].text,
              "/etc/tocsin/tocsin.conf:8: certificate_key: /etc/tocsin/apns.key: it is not the key of the certificate");
  assert_true(m.section().off);
}

}  // namespace

TESTS(load_certificate, cmocka_unit_test(a_certificate_is_no_secret_and_its_key_is),
      cmocka_unit_test(both_may_stand_in_one_file_which_is_a_secret_then),
      cmocka_unit_test(what_is_missing_is_said_at_its_line),
      cmocka_unit_test(what_is_found_later_is_told_of_the_right_file));

}  // namespace tocsin
