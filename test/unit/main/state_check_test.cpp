// The state directory as the service's user will find it.
#include "state_check.h"

#include "test/unit/main/fake_storage.h"
#include "test/unit/settings/parsed.h"

namespace tocsin {

namespace {

// What that user may not touch; set anew by each look.
string_view locked[2];

bool may(const char* path, bool) { return locked[0] != path && locked[1] != path; }

struct House {
  House() {
    GW_CHECK(settings.state.directory.assign("/srv/t") && settings.registry.path.assign("/srv/t/devices.registry"));
    storage.put({.path = "/srv", .text = "", .mode = 0755, .directory = true});
    storage.put({.path = "/srv/t", .text = "", .mode = 0700, .directory = true});
    storage.put({.path = "/srv/t/devices.registry", .text = ""});
    storage.put({.path = "/srv/t/devices.registry.lock", .text = ""});
    storage.put({.path = "/srv/t/pseudonym.key", .text = ""});
  }
  void look(string_view one = {}, string_view two = {}, bool systemd = false) {
    locked[0] = one;
    locked[1] = two;
    check_state(settings, storage, {.may = may, .systemd = systemd}, faults);
  }
  string_view fault(uint32_t i) const { return i < faults.count() ? faults[i].text : string_view("(no fault)"); }

  test::FakeStorage storage;
  Settings settings;
  Faults faults;
};

}  // namespace

static void what_the_service_may_write_is_good(void**) {
  House h;
  h.look();
  assert_int_equal(h.faults.count(), 0);
}

static void a_directory_of_roots_is_a_fault_with_what_mends_it(void**) {
  House h;
  h.look("/srv/t");
  assert_text(h.fault(0),
              "/srv/t: the state directory belongs to root, and the service may not write there; mend it "
              "with: chown -R tocsin: /srv/t");
  assert_int_equal(h.faults.count(), 1);
  assert_int_equal(h.faults.check_exit_code(), exit_code::permission);
}

static void so_is_what_a_run_as_root_left_in_it(void**) {
  for (const string_view file : {"/srv/t/devices.registry.lock", "/srv/t/devices.registry"}) {
    House h;
    h.look(file, "/srv/t/pseudonym.key");
    assert_int_equal(h.faults.count(), 1);
    assert_true(starts_with(h.fault(0), file));
    assert_true(ends_with(h.fault(0),
                          ": this file belongs to root, and the service may not write it (did a gateway run "
                          "as root?); mend it with: chown -R tocsin: /srv/t"));
    assert_int_equal(h.faults.check_exit_code(), exit_code::permission);
  }
  House h;
  h.look("/srv/t/pseudonym.key");
  assert_true(h.fault(0).find("the service may not read it") != string_view::npos);
}

static void a_missing_one_is_only_a_doubt_and_none_where_its_parent_lets_it_be_made(void**) {
  House h;
  h.storage.drop("/srv/t");
  h.look();
  assert_int_equal(h.faults.count(), 0);
  h.look("/srv");
  assert_text(h.fault(0),
              "/srv/t: the state directory is not there, and the service may not make it; make it with: "
              "install -d -o tocsin -g tocsin -m 0700 /srv/t");
  assert_int_equal(h.faults.check_exit_code(), exit_code::ok);
}

static void the_default_one_is_made_by_the_unit(void**) {
  House h;
  GW_CHECK(h.settings.state.directory.assign("/var/lib/tocsin") &&
           h.settings.registry.path.assign("/var/lib/tocsin/devices.registry"));
  h.look("/var/lib", {}, true);
  assert_int_equal(h.faults.count(), 0);
  h.look("/var/lib");
  assert_int_equal(h.faults.count(), 1);
}

static void a_file_in_its_place_is_a_fault(void**) {
  House h;
  h.storage.drop("/srv/t");
  h.storage.put({.path = "/srv/t", .text = "x"});
  h.look();
  assert_text(h.fault(0), "/srv/t: the state directory is a file");
}

static void a_registry_elsewhere_is_looked_at_too(void**) {
  House h;
  GW_CHECK(h.settings.registry.path.assign("/data/r"));
  h.storage.put({.path = "/data", .text = "", .mode = 0755, .directory = true});
  h.look("/data");
  assert_text(h.fault(0),
              "/data: the state directory belongs to root, and the service may not write there; mend it "
              "with: chown -R tocsin: /data");
}

static void advice_is_given_only_where_root_is_the_reason(void**) {
  House h;
  uint8_t room[256];
  Writer out(room);
  write_state_advice(out, "/srv/t", "/srv/t/devices.registry.lock", Error::denied, h.storage);
  assert_text(out.view(), "; it belongs to root: chown -R tocsin: /srv/t");
  out.rewind(0);
  write_state_advice(out, "/srv/t", "/srv/t/new", Error::denied, h.storage);
  assert_text(out.view(), "; the directory belongs to root: chown -R tocsin: /srv/t");
  out.rewind(0);
  write_state_advice(out, "/srv/t", "/srv/t/devices.registry.lock", Error::io, h.storage);
  write_state_advice(out, "/none", "/none/x", Error::denied, h.storage);
  assert_int_equal(out.size(), 0);
}

TESTS(state_check, cmocka_unit_test(what_the_service_may_write_is_good),
      cmocka_unit_test(a_directory_of_roots_is_a_fault_with_what_mends_it),
      cmocka_unit_test(so_is_what_a_run_as_root_left_in_it),
      cmocka_unit_test(a_missing_one_is_only_a_doubt_and_none_where_its_parent_lets_it_be_made),
      cmocka_unit_test(the_default_one_is_made_by_the_unit), cmocka_unit_test(a_file_in_its_place_is_a_fault),
      cmocka_unit_test(a_registry_elsewhere_is_looked_at_too),
      cmocka_unit_test(advice_is_given_only_where_root_is_the_reason));

}  // namespace tocsin
