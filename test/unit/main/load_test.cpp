#include "load.h"

#include "test/unit/main/fake_storage.h"
#include "test/unit/settings/parsed.h"

namespace tocsin {

namespace {

constexpr string_view key_pem = "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n";
constexpr string_view ca_pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
constexpr string_view conf_with_file =
    "[xmpp]\ndomain = push.example.org\nsecret_file = secret\n"
    "[apns siskin]\nprovider = a\nkey = AuthKey_ABC123DEFG.p8\nteam_id = DEF123GHIJ\ntopic = org.example.siskin\n";
constexpr string_view conf_with_secret =
    "[xmpp]\ndomain = push.example.org\nsecret = s3cr3t\n"
    "[apns siskin]\nprovider = a\nkey = AuthKey_ABC123DEFG.p8\nteam_id = DEF123GHIJ\ntopic = org.example.siskin\n";
constexpr string_view second_section =
    "[apns b]\nprovider = b\nkey = b.p8\nkey_id = BBB123DEFG\nteam_id = DEF123GHIJ\ntopic = org.example.b\n";

uint8_t arena_room[load_room_bytes];

// A machine with the files of a small installation; a test changes what it is about.
struct Machine {
  Machine() {
    storage.put({.path = "/etc/tocsin/tocsin.conf", .text = conf_with_file});
    storage.put({.path = "/etc/tocsin/secret", .text = "s3cr3t\n"});
    storage.put({.path = "/etc/tocsin/AuthKey_ABC123DEFG.p8", .text = key_pem});
    storage.put({.path = "/etc/ssl/certs/ca-certificates.crt", .text = ca_pem, .mode = 0644});
    *line.conf_files.add() = "/etc/tocsin/tocsin.conf";
  }
  void load() {
    Loader loader(storage, environment, settings, faults);
    loader.load(line, arena, files);
    assert_int_equal(storage.open_files, 0);
  }
  string_view fault(uint32_t i) const { return i < faults.count() ? faults[i].text : string_view("(no fault)"); }

  test::FakeStorage storage;
  Environment environment;
  CommandLine line;
  Settings settings;
  Faults faults;
  LoadedFiles files;
  Arena arena{Bytes(arena_room)};
};

}  // namespace

static void a_small_installation_loads_whole(void**) {
  Machine m;
  m.load();
  assert_text(m.fault(0), "(no fault)");
  assert_int_equal(m.faults.check_exit_code(), exit_code::ok);
  assert_text(m.settings.xmpp.secret.view(), "s3cr3t");
  assert_int_equal(m.files.providers_on, 1);
  assert_false(m.files.sections[0].off);
  assert_text(text_of(m.files.sections[0].key), key_pem);
  assert_text(text_of(m.files.sections[0].ca), ca_pem);
  assert_int_equal(m.files.sections[0].key.data()[key_pem.size()], 0);  // what mbedTLS wants behind PEM
  assert_int_equal(m.files.sections[0].ca.data()[ca_pem.size()], 0);
}

static void secret_files_may_end_their_line_or_not(void**) {
  for (const string_view text : {string_view("s3cr3t"), string_view("s3cr3t\n"), string_view("s3cr3t\r\n")}) {
    Machine m;
    m.storage.put({.path = "/etc/tocsin/secret", .text = text});
    m.load();
    assert_text(m.settings.xmpp.secret.view(), "s3cr3t");
  }
}

static void secret_files_with_anything_else_stop_the_gateway(void**) {
  for (const string_view text : {string_view(""), string_view("\n"), string_view("a\nb\n"), string_view("a\xff"),
                                 string_view("a\0b", 3), string_view("a\n\n")}) {
    Machine m;
    m.storage.put({.path = "/etc/tocsin/secret", .text = text});
    m.load();
    assert_text(m.fault(0),
                "/etc/tocsin/tocsin.conf:3: secret_file: /etc/tocsin/secret must hold one line of text, at most 256 "
                "bytes, and nothing else");
    assert_int_equal(m.faults.run_exit_code(), exit_code::conf);
  }
}

static void a_missing_conf_is_66_and_is_not_called_incomplete(void**) {
  Machine m;
  m.storage.drop("/etc/tocsin/tocsin.conf");
  m.load();
  assert_int_equal(m.faults.count(), 1);
  assert_text(m.fault(0), "/etc/tocsin/tocsin.conf: no such file; tocsin setup writes one, -c names another");
  assert_int_equal(m.faults.run_exit_code(), exit_code::missing);
}

static void an_unreadable_conf_is_77_and_says_what_to_type(void**) {
  Machine m;
  m.storage.put({.path = "/etc/tocsin/tocsin.conf", .text = {}, .on_open = Error::denied});
  m.load();
  assert_text(m.fault(0),
              "/etc/tocsin/tocsin.conf: permission denied; let the service's group read it: chgrp tocsin "
              "/etc/tocsin/tocsin.conf && chmod g+r /etc/tocsin/tocsin.conf");
  assert_int_equal(m.faults.run_exit_code(), exit_code::permission);
}

static void a_directory_is_no_conf(void**) {
  Machine m;
  m.storage.put({.path = "/etc/tocsin/tocsin.conf", .text = {}, .mode = 0755, .directory = true});
  m.load();
  assert_text(m.fault(0), "/etc/tocsin/tocsin.conf: this is a directory");
  assert_int_equal(m.faults.run_exit_code(), exit_code::conf);
}

static void a_conf_that_all_can_read_is_refused_if_it_holds_the_secret(void**) {
  Machine m;
  m.storage.put({.path = "/etc/tocsin/tocsin.conf", .text = conf_with_secret, .mode = 0644});
  m.load();
  assert_text(m.fault(0),
              "/etc/tocsin/tocsin.conf:3: secret: /etc/tocsin/tocsin.conf can be read by every user of this machine; "
              "mend it with: chmod o-r /etc/tocsin/tocsin.conf");
  assert_int_equal(m.faults.run_exit_code(), exit_code::conf);
  Machine without;
  without.storage.put({.path = "/etc/tocsin/tocsin.conf", .text = conf_with_file, .mode = 0644});
  without.load();
  assert_int_equal(without.faults.count(), 0);
}

static void only_the_conf_file_with_the_secret_must_be_private(void**) {
  Machine m;
  m.storage.put({.path = "/etc/tocsin/tocsin.conf", .text = "[log]\nlevel = debug\n", .mode = 0644});
  m.storage.put({.path = "private.conf", .text = conf_with_secret, .mode = 0600});
  m.storage.put({.path = "AuthKey_ABC123DEFG.p8", .text = key_pem});
  *m.line.conf_files.add() = "private.conf";
  m.load();
  assert_int_equal(m.faults.count(), 0);
  assert_true(m.settings.log.level == Level::debug);
}

static void a_secret_file_that_all_can_read_is_refused_with_a_quoted_command(void**) {
  Machine m;
  m.storage.put({.path = "/etc/tocsin/tocsin.conf",
                 .text = "[xmpp]\ndomain = push.example.org\nsecret_file = my secret\n[apns siskin]\nprovider = a\n"
                         "key = AuthKey_ABC123DEFG.p8\nteam_id = DEF123GHIJ\ntopic = org.example.siskin\n"});
  m.storage.put({.path = "/etc/tocsin/my secret", .text = "s3cr3t\n", .mode = 0604});
  m.load();
  assert_text(
      m.fault(0),
      "/etc/tocsin/tocsin.conf:3: secret_file: /etc/tocsin/my secret can be read by every user of this machine; "
      "mend it with: chmod o-r '/etc/tocsin/my secret'");
  assert_int_equal(m.faults.run_exit_code(), exit_code::conf);
}

static void a_missing_secret_file_is_66(void**) {
  Machine m;
  m.storage.drop("/etc/tocsin/secret");
  m.load();
  assert_text(m.fault(0), "/etc/tocsin/tocsin.conf:3: secret_file: /etc/tocsin/secret: no such file");
  assert_int_equal(m.faults.run_exit_code(), exit_code::missing);
}

static void a_key_that_all_can_read_turns_its_provider_off_and_no_other(void**) {
  Machine m;
  *m.line.conf_files.add() = "/etc/tocsin/b.conf";
  m.storage.put({.path = "/etc/tocsin/b.conf", .text = second_section});
  m.storage.put({.path = "/etc/tocsin/b.p8", .text = key_pem, .mode = 0644});
  m.load();
  assert_int_equal(m.faults.count(), 1);
  assert_text(m.fault(0),
              "/etc/tocsin/b.conf:3: key: /etc/tocsin/b.p8 can be read by every user of this machine; mend it with: "
              "chmod o-r /etc/tocsin/b.p8");
  assert_true(m.faults[0].weight == Weight::provider_off);
  assert_int_equal(m.faults.run_exit_code(), exit_code::ok);
  assert_int_equal(m.faults.check_exit_code(), exit_code::conf);
  assert_int_equal(m.files.providers_on, 1);
  assert_false(m.files.sections[0].off);
  assert_true(m.files.sections[1].off);
  assert_true(m.files.sections[1].key.empty());
  assert_true(m.files.sections[0].ca.data() == m.files.sections[1].ca.data());  // read once
}

static void missing_and_unreadable_keys_turn_their_provider_off_with_their_own_codes(void**) {
  Machine m;
  m.storage.drop("/etc/tocsin/AuthKey_ABC123DEFG.p8");
  m.load();
  assert_text(m.fault(0), "/etc/tocsin/tocsin.conf:6: key: /etc/tocsin/AuthKey_ABC123DEFG.p8: no such file");
  assert_int_equal(m.faults.check_exit_code(), exit_code::missing);
  assert_int_equal(m.faults.run_exit_code(), exit_code::ok);
  assert_int_equal(m.files.providers_on, 0);
  Machine n;
  n.storage.put({.path = "/etc/tocsin/AuthKey_ABC123DEFG.p8", .text = key_pem, .on_open = Error::denied});
  n.load();
  assert_int_equal(n.faults.check_exit_code(), exit_code::permission);
  assert_true(n.files.sections[0].off);
}

static void a_key_that_is_no_key_turns_its_provider_off(void**) {
  for (const string_view text :
       {string_view(""), string_view("x"), string_view("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), ca_pem}) {
    Machine m;
    m.storage.put({.path = "/etc/tocsin/AuthKey_ABC123DEFG.p8", .text = text});
    m.load();
    assert_text(m.fault(0),
                "/etc/tocsin/tocsin.conf:6: key: /etc/tocsin/AuthKey_ABC123DEFG.p8: the file is not the unencrypted "
                ".p8 key that Apple hands out (PEM, BEGIN PRIVATE KEY)");
    assert_true(m.files.sections[0].off);
  }
}

static void files_over_their_bound_are_refused_and_not_cut(void**) {
  static char large[ca_bytes_max + 1];
  std::memset(large, '#', sizeof(large));
  std::memcpy(large, key_pem.data(), key_pem.size());
  Machine fits;
  fits.storage.put({.path = "/etc/tocsin/AuthKey_ABC123DEFG.p8", .text = {large, key_bytes_max}});
  fits.load();
  assert_int_equal(fits.faults.count(), 0);
  Machine m;
  m.storage.put({.path = "/etc/tocsin/AuthKey_ABC123DEFG.p8", .text = {large, key_bytes_max + 1}});
  m.load();
  assert_text(m.fault(0),
              "/etc/tocsin/tocsin.conf:6: key: /etc/tocsin/AuthKey_ABC123DEFG.p8: the file is over 8192 bytes");
  Machine n;
  n.storage.put({.path = "/etc/tocsin/tocsin.conf", .text = {large, conf_bytes_max + 1}});
  n.load();
  assert_text(n.fault(0), "/etc/tocsin/tocsin.conf: the file is over 262144 bytes");
  assert_int_equal(n.faults.run_exit_code(), exit_code::conf);
}

static void an_arena_that_is_too_small_is_a_fault_not_a_cut_file(void**) {
  static char large[key_bytes_max];
  std::memset(large, '#', sizeof(large));
  std::memcpy(large, key_pem.data(), key_pem.size());
  for (size_t size = conf_with_file.size() + 1; size < sizeof(large) + ca_pem.size() + 4; size += 7) {
    Machine m;
    m.arena = Arena(Bytes(arena_room, size));
    m.storage.put({.path = "/etc/tocsin/AuthKey_ABC123DEFG.p8", .text = {large, sizeof(large)}});
    m.load();
    const bool key_fits = size >= sizeof(large) + 1;
    const bool both_fit = size >= sizeof(large) + 1 + ca_pem.size() + 1;
    assert_int_equal(m.files.sections[0].off, !both_fit);
    if (both_fit) continue;
    assert_text(m.fault(0), key_fits ? "/etc/tocsin/tocsin.conf:4: ca_file: /etc/ssl/certs/ca-certificates.crt: all "
                                       "files together are too large"
                                     : "/etc/tocsin/tocsin.conf:6: key: /etc/tocsin/AuthKey_ABC123DEFG.p8: all files "
                                       "together are too large");
  }
  Machine none;
  none.arena = Arena(Bytes(arena_room, 0));
  none.load();
  assert_text(none.fault(0), "/etc/tocsin/tocsin.conf: all files together are too large");
}

static void credentials_may_have_any_mode(void**) {
  Machine m;
  m.environment.credentials_directory = "/run/credentials/t";
  m.storage.put({.path = "/etc/tocsin/tocsin.conf",
                 .text = "[xmpp]\ndomain = push.example.org\nsecret_file = credential:secret\n[apns siskin]\n"
                         "provider = a\nkey = credential:AuthKey_ABC123DEFG.p8\nteam_id = DEF123GHIJ\n"
                         "topic = org.example.siskin\n"});
  m.storage.put({.path = "/run/credentials/t/secret", .text = "s3cr3t", .mode = 0444});
  m.storage.put({.path = "/run/credentials/t/AuthKey_ABC123DEFG.p8", .text = key_pem, .mode = 0444});
  m.load();
  assert_int_equal(m.faults.count(), 0);
  assert_text(m.settings.apns[0].key_id.view(), "ABC123DEFG");
  // A neighbour whose name begins alike is no credential.
  Machine n;
  n.environment.credentials_directory = "/etc/toc";
  n.storage.put({.path = "/etc/tocsin/secret", .text = "s3cr3t", .mode = 0444});
  n.load();
  assert_int_equal(n.faults.count(), 1);
}

static void secret_modes_warn_lets_everything_run_and_says_so(void**) {
  Machine m;
  m.storage.put({.path = "/etc/tocsin/secret", .text = "s3cr3t\n", .mode = 0644});
  m.storage.put({.path = "/etc/tocsin/AuthKey_ABC123DEFG.p8", .text = key_pem, .mode = 0644});
  *m.line.overrides.add() = "process.secret_modes=warn";
  m.load();
  assert_int_equal(m.faults.count(), 2);
  assert_true(m.faults[0].weight == Weight::warning);
  assert_true(m.faults[1].weight == Weight::warning);
  assert_int_equal(m.faults.check_exit_code(), exit_code::ok);
  assert_int_equal(m.files.providers_on, 1);
}

static void the_first_store_of_the_system_that_exists_is_taken(void**) {
  for (const char* path : system_ca_files()) {
    Machine m;
    m.storage.drop("/etc/ssl/certs/ca-certificates.crt");
    m.storage.put({.path = path, .text = ca_pem, .mode = 0644});
    m.load();
    assert_int_equal(m.faults.count(), 0);
    assert_text(text_of(m.files.sections[0].ca), ca_pem);
  }
  Machine m;
  m.storage.drop("/etc/ssl/certs/ca-certificates.crt");
  m.load();
  assert_text(m.fault(0),
              "/etc/tocsin/tocsin.conf:4: no certificates of the system found (/etc/ssl/certs/ca-certificates.crt); "
              "install ca-certificates or set ca_file");
  assert_true(m.files.sections[0].off);
  assert_int_equal(m.faults.run_exit_code(), exit_code::ok);
  assert_int_equal(m.faults.check_exit_code(), exit_code::missing);
}

static void a_pinned_ca_replaces_the_system_and_needs_no_secrecy(void**) {
  Machine m;
  m.storage.drop("/etc/ssl/certs/ca-certificates.crt");
  m.storage.put({.path = "ca.pem", .text = ca_pem, .mode = 0644});
  *m.line.overrides.add() = "apns/siskin.ca_file=ca.pem";
  m.load();
  assert_int_equal(m.faults.count(), 0);
  assert_text(text_of(m.files.sections[0].ca), ca_pem);
  Machine n;
  n.storage.put({.path = "ca.pem", .text = key_pem, .mode = 0644});
  *n.line.overrides.add() = "apns/siskin.ca_file=ca.pem";
  n.load();
  assert_text(n.fault(0),
              "-o apns/siskin.ca_file: ca_file: ca.pem: the file holds no certificate in PEM (BEGIN CERTIFICATE)");
  assert_true(n.files.sections[0].off);
}

static void faults_of_conf_and_files_come_in_one_run(void**) {
  Machine m;
  m.storage.put({.path = "/etc/tocsin/tocsin.conf",
                 .text = "[xmpp]\nsecret_file = gone\nmax_stanza_bytes = 1\n[apns siskin]\nprovider = a\n"
                         "key = AuthKey_GONE123DEF.p8\nteam_id = DEF123GHIJ\ntopic = org.example.siskin\n"});
  m.load();
  assert_int_equal(m.faults.count(), 4);
  assert_text(m.fault(0), "/etc/tocsin/tocsin.conf:3: max_stanza_bytes: \"1\" is out of range; give 4k to 16M");
  assert_text(m.fault(2), "/etc/tocsin/tocsin.conf:2: secret_file: /etc/tocsin/gone: no such file");
  assert_text(m.fault(3), "/etc/tocsin/tocsin.conf:6: key: /etc/tocsin/AuthKey_GONE123DEF.p8: no such file");
  assert_int_equal(m.faults.run_exit_code(), exit_code::conf);
}

static void a_key_that_the_crypto_refuses_is_reported_at_its_line(void**) {
  Machine m;
  Loader loader(m.storage, m.environment, m.settings, m.faults);
  loader.load(m.line, m.arena, m.files);
  loader.turn_off(m.files, 0, "key", "not an EC key on P-256");
  assert_text(m.fault(0), "/etc/tocsin/tocsin.conf:6: key: /etc/tocsin/AuthKey_ABC123DEFG.p8: not an EC key on P-256");
  assert_true(m.files.sections[0].off);
  assert_int_equal(m.files.providers_on, 0);
  loader.turn_off(m.files, 0, "ca_file", "no certificate could be read");
  assert_text(m.fault(1), "/etc/tocsin/tocsin.conf:4: ca_file: no certificate could be read");
  loader.turn_off(m.files, 0, "key", "the file /etc/tocsin/AuthKey_ABC123DEFG.p8 is gone");  // says it once
  assert_text(m.fault(2), "/etc/tocsin/tocsin.conf:6: key: the file /etc/tocsin/AuthKey_ABC123DEFG.p8 is gone");
  assert_int_equal(m.files.providers_on, 0);
}

static void web_push_alone_starts_a_gateway(void**) {
  Machine m;
  m.storage.put(
      {.path = "/etc/tocsin/tocsin.conf",
       .text = "[xmpp]\ndomain = push.example.org\nsecret = s\n[webpush]\ncontact = mailto:ann@example.net\n"});
  m.load();
  assert_int_equal(m.faults.run_exit_code(), exit_code::ok);
  assert_int_equal(m.files.providers_on, 1);
  assert_false(m.files.sections[0].off);
  assert_text(m.settings.webpush[0].vapid_key.view(), "/var/lib/tocsin/vapid.pem");
}

static void a_vapid_key_that_all_can_read_turns_web_push_off(void**) {
  Machine m;
  m.storage.put({.path = "/etc/tocsin/tocsin.conf",
                 .text = "[xmpp]\ndomain = push.example.org\nsecret = s\n[webpush]\ncontact = mailto:a@example.net\n"
                         "vapid_key = /own.pem\n"});
  m.storage.put({.path = "/own.pem", .text = key_pem, .mode = 0644});
  m.load();
  assert_text(m.fault(0),
              "/etc/tocsin/tocsin.conf:6: vapid_key: /own.pem can be read by every user of this machine; mend it with: "
              "chmod o-r /own.pem");
  assert_true(m.files.sections[0].off);
  assert_true(m.faults.run_exit_code() == exit_code::ok && m.faults.check_exit_code() == exit_code::conf);
}

TESTS(load, cmocka_unit_test(web_push_alone_starts_a_gateway),
      cmocka_unit_test(a_vapid_key_that_all_can_read_turns_web_push_off),

      cmocka_unit_test(a_small_installation_loads_whole), cmocka_unit_test(secret_files_may_end_their_line_or_not),
      cmocka_unit_test(secret_files_with_anything_else_stop_the_gateway),
      cmocka_unit_test(a_missing_conf_is_66_and_is_not_called_incomplete),
      cmocka_unit_test(an_unreadable_conf_is_77_and_says_what_to_type), cmocka_unit_test(a_directory_is_no_conf),
      cmocka_unit_test(a_conf_that_all_can_read_is_refused_if_it_holds_the_secret),
      cmocka_unit_test(only_the_conf_file_with_the_secret_must_be_private),
      cmocka_unit_test(a_secret_file_that_all_can_read_is_refused_with_a_quoted_command),
      cmocka_unit_test(a_missing_secret_file_is_66),
      cmocka_unit_test(a_key_that_all_can_read_turns_its_provider_off_and_no_other),
      cmocka_unit_test(missing_and_unreadable_keys_turn_their_provider_off_with_their_own_codes),
      cmocka_unit_test(a_key_that_is_no_key_turns_its_provider_off),
      cmocka_unit_test(files_over_their_bound_are_refused_and_not_cut),
      cmocka_unit_test(an_arena_that_is_too_small_is_a_fault_not_a_cut_file),
      cmocka_unit_test(credentials_may_have_any_mode),
      cmocka_unit_test(secret_modes_warn_lets_everything_run_and_says_so),
      cmocka_unit_test(the_first_store_of_the_system_that_exists_is_taken),
      cmocka_unit_test(a_pinned_ca_replaces_the_system_and_needs_no_secrecy),
      cmocka_unit_test(faults_of_conf_and_files_come_in_one_run),
      cmocka_unit_test(a_key_that_the_crypto_refuses_is_reported_at_its_line));

}  // namespace tocsin
