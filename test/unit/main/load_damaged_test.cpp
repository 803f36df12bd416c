// Keys that are damaged inside: nobody can mend them by hand.
#include "load.h"
#include "test/unit/main/fake_storage.h"
#include "test/unit/settings/parsed.h"

namespace tocsin {

static uint8_t arena_room[load_room_bytes];

static void of_a_damaged_key_is_said_where_there_is_another(void**) {
  test::FakeStorage storage;
  storage.put({.path = "/etc/tocsin/tocsin.conf",
               .text = "[xmpp]\ndomain = push.example.org\nsecret = s3cr3t\n"
                       "[apns siskin]\nprovider = a\nkey = AuthKey_ABC123DEFG.p8\nteam_id = DEF123GHIJ\ntopic = a\n"
                       "[fcm play]\nprovider = f\nservice_account = a.json\n"});
  storage.put({.path = "/etc/tocsin/AuthKey_ABC123DEFG.p8", .text = "-----BEGIN PRIVATE KEY-----\n"});
  storage.put({.path = "/etc/tocsin/a.json", .text = "{}"});
  storage.put({.path = "/etc/ssl/certs/ca-certificates.crt", .text = "-----BEGIN CERTIFICATE-----\n", .mode = 0644});
  CommandLine line;
  *line.conf_files.add() = "/etc/tocsin/tocsin.conf";
  Environment environment;
  Settings settings;
  Faults faults;
  LoadedFiles files;
  Arena arena{Bytes(arena_room)};
  Loader loader(storage, environment, settings, faults);
  loader.load(line, arena, files);
  assert_int_equal(faults.count(), 0);
  loader.turn_off(files, 0, "key", "its PEM text is damaged");
  loader.turn_off(files, 1, "service_account", "its PEM text is damaged");
  assert_text(faults[0].text,
              "/etc/tocsin/tocsin.conf:6: key: /etc/tocsin/AuthKey_ABC123DEFG.p8: its PEM text is damaged; Apple hands "
              "out a key once: take the file as it came, or make another one there");
  assert_text(
      faults[1].text,
      "/etc/tocsin/tocsin.conf:11: service_account: /etc/tocsin/a.json: its PEM text is damaged; download a new "
      "one (Firebase console, project settings, service accounts, generate new private key)");
}

TESTS(load_damaged, cmocka_unit_test(of_a_damaged_key_is_said_where_there_is_another));

}  // namespace tocsin
