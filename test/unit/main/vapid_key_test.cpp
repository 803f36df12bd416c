#include "vapid_key.h"

#include <new>

#include "base/writer.h"
#include "crypto/crypto.h"
#include "port/sim/sim_port.h"
#include "test/support/certs.h"
#include "test/support/tests.h"

namespace tocsin::test {
namespace {

constexpr const char* name = "state/vapid.pem";
constexpr string_view public_name = "state/vapid.pem.pub";
constexpr sim::Disk::Sizes disk_sizes{.file_bytes = 64 * 1024, .pending_bytes = 64 * 1024};

struct Desk {
  explicit Desk(Region& region)
      : world(region, {.events = 64, .network = {}}, 1),
        disk(region, disk_sizes, 1),
        port(region, world, disk, 1),
        key_heap(region.carve(vapid_key_heap_bytes), "key"),
        curve_heap(region.carve(OwnP256::heap_bytes), "curve") {
    disk.put_directory("state");
    assert_true(curve.start(curve_heap, port.port().entropy).ok());
  }
  Status open(uint32_t devices = 0) {
    file.~VapidKeyFile();
    new (&file) VapidKeyFile;
    return open_vapid_key(name, port.port().storage, curve, key_heap, port.port().entropy, devices, file);
  }
  Status read(uint32_t devices = 0) {
    file.~VapidKeyFile();
    new (&file) VapidKeyFile;
    return read_vapid_key(name, port.port().storage, key_heap, port.port().entropy, devices, file);
  }

  sim::Simulation world;
  sim::Disk disk;
  sim::SimPort port;
  Heap key_heap;
  Heap curve_heap;
  OwnP256 curve;
  VapidKeyFile file;
};

Desk& desk(void** state) { return *static_cast<Desk*>(*state); }

int set_up(void** state) {
  static Bytes memory;
  if (memory.empty())
    memory =
        sim::map_memory(sim::Simulation::bytes_for({.events = 64, .network = {}}) + sim::Disk::bytes_for(disk_sizes) +
                        sim::SimPort::bytes_for() + sizeof(Desk) + vapid_key_heap_bytes + OwnP256::heap_bytes + 4096);
  Region region(memory);
  const Bytes place = region.carve(sizeof(Desk));
  *state = new (place.data()) Desk(region);
  return 0;
}

int tear_down(void** state) {
  Desk& d = desk(state);
  const bool clean = d.port.storage().open_files() == 0 && d.key_heap.live() == 0;
  d.curve.~OwnP256();
  d.curve_heap.~Heap();
  d.key_heap.~Heap();
  return clean ? 0 : -1;
}

bool has_words(const VapidKeyFile& file, string_view words) {
  return file.problem.view().find(words) != string_view::npos;
}

bool has(const VapidKeyFile& file, string_view words) {
  if (has_words(file, words)) return true;
  print_error("%s\n", file.problem.c_str());
  return false;
}

void the_first_start_makes_a_key_for_nobody_else_to_read(void** state) {
  Desk& d = desk(state);
  assert_int_equal(d.read().error(), Error::not_found);
  assert_true(has(d.file, "there is no VAPID key yet: start the gateway once, which makes it"));
  assert_true(d.open().ok());
  assert_true(d.file.made);
  assert_int_equal(d.file.text.view().size(), 87);
  assert_int_equal(d.disk.facts(name).value().mode, 0600);
  assert_int_equal(d.disk.durable_content(name).size(), 241);
  // FILE.pub says the same, and it is what a client subscribes with.
  uint8_t room[100];
  Writer line(room);
  line.text(d.file.text.view()).character('\n');
  assert_true(same(d.disk.durable_content(public_name), line.written()));
}

void later_starts_read_the_same_key(void** state) {
  Desk& d = desk(state);
  assert_true(d.open().ok());
  const P256Pair first = d.file.pair;
  const uint64_t operations = d.disk.operations();
  assert_true(d.open().ok());
  assert_false(d.file.made);
  assert_memory_equal(d.file.pair.secret, first.secret, sizeof first.secret);
  assert_memory_equal(d.file.pair.point, first.point, sizeof first.point);
  assert_true(d.read().ok());
  assert_memory_equal(d.file.pair.secret, first.secret, sizeof first.secret);
  assert_int_equal(d.disk.operations(), operations);  // nothing is written
  P256Point point;
  assert_true(d.curve.public_point(d.file.pair.secret, point, d.port.port().entropy).ok());
  assert_memory_equal(point, first.point, sizeof point);
}

void what_is_made_is_what_openssl_would_write(void** state) {
  Desk& d = desk(state);
  assert_true(d.open().ok());
  const string_view pem = text_of(d.disk.content(name));
  assert_true(starts_with(pem, "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg"));
  assert_true(ends_with(pem, "\n-----END PRIVATE KEY-----\n"));
}

void an_operator_may_bring_a_key_along(void** state) {
  Desk& d = desk(state);
  d.disk.put(name, bytes_of(push_key_1));
  assert_true(d.open().ok());
  assert_false(d.file.made);
  assert_true(d.disk.has(public_name));
  assert_true(d.open().ok());
}

void a_lost_key_is_never_replaced_silently(void** state) {
  Desk& d = desk(state);
  assert_true(d.open().ok());
  assert_true(d.port.port().storage.remove(name).ok());
  for (int i = 0; i < 2; ++i) {
    assert_int_equal(i == 0 ? d.open().error() : d.read().error(), Error::damaged);
    assert_true(has(d.file, "the VAPID key is gone, and its .pub file says that there was one: restore it"));
    assert_true(has(d.file, ": rm state/vapid.pem.pub"));
    assert_int_equal(i == 0 ? d.open(1).error() : d.read(1).error(), Error::damaged);
    assert_true(has(d.file,
                    "the VAPID key is gone, and 1 Web Push device depends on it: restore it from the backup. To begin "
                    "anew (each must subscribe again), as the gateway's user: openssl ecparam -name prime256v1 -genkey "
                    "-noout -out state/vapid.pem && rm state/vapid.pem.pub"));
    assert_false(d.disk.has(name));
  }
}

void a_key_that_is_gone_without_a_trace_is_missed_by_its_devices(void** state) {
  Desk& d = desk(state);
  for (int i = 0; i < 2; ++i) {
    assert_int_equal(i == 0 ? d.open(12).error() : d.read(12).error(), Error::damaged);
    assert_true(has(d.file, "the VAPID key is gone, and 12 Web Push devices depend on it: "));
    assert_true(has(d.file, "-noout -out state/vapid.pem"));
    assert_false(has_words(d.file, "rm "));
    assert_false(d.disk.has(name));
    assert_false(d.disk.has(public_name));
  }
  d.disk.put(name, bytes_of(push_key_1));  // on purpose
  assert_true(d.open(12).ok());
  assert_false(d.file.made);
}

void a_key_where_nothing_may_be_written_is_good(void** state) {
  Desk& d = desk(state);
  d.disk.put(name, bytes_of(push_key_1));
  d.disk.faults().read_only = true;
  assert_true(d.open().ok());
  assert_int_equal(d.file.text.view().size(), 87);
  assert_true(d.file.problem.empty());
}

void an_exchanged_key_is_noticed(void** state) {
  Desk& d = desk(state);
  assert_true(d.open().ok());
  d.disk.put(name, bytes_of(push_key_2));
  assert_int_equal(d.open().error(), Error::damaged);
  assert_true(has(d.file, "this is another VAPID key than the .pub file beside it says: restore"));
  assert_int_equal(d.read(3).error(), Error::damaged);
  assert_true(has(d.file, "beside it says, and 3 Web Push devices depend on that one: restore the key"));
  d.disk.put(public_name, bytes_of("nonsense"));
  assert_int_equal(d.open().error(), Error::damaged);
  assert_true(d.port.port().storage.remove("state/vapid.pem.pub").ok());
  assert_true(d.open().ok());
}

void a_damaged_key_is_refused_wherever_it_is_cut(void** state) {
  Desk& d = desk(state);
  assert_true(d.open().ok());
  static uint8_t whole[300];
  const ByteView content = d.disk.content(name);
  const size_t size = content.size();
  copy_bytes(whole, content);
  for (size_t cut = 0; cut + 2 < size; cut += 3) {
    d.disk.put(name, ByteView(whole).first(cut));
    assert_int_equal(d.open().error(), Error::damaged);
    assert_true(has(d.file, "this is no VAPID key: "));
    assert_int_equal(d.disk.content(name).size(), cut);  // left as it is, for whoever mends it
  }
  d.disk.put(name, bytes_of(rsa_key));
  assert_int_equal(d.open().error(), Error::damaged);
  assert_true(has(d.file, "it holds an RSA key"));
}

void a_key_in_another_form_is_told_what_is_needed(void** state) {
  Desk& d = desk(state);
  // As npm's web-push prints it; a public key.
  for (const char* other : {"q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94\n",
                            "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"}) {
    d.disk.put(name, bytes_of(string_view(other)));
    assert_int_equal(d.open().error(), Error::damaged);
    assert_true(has(d.file,
                    "; needed is a private key of EC P-256 in PEM. To make one, as the gateway's user: openssl ecparam "
                    "-name prime256v1 -genkey -noout -out state/vapid.pem"));
    assert_int_equal(d.open(2).error(), Error::damaged);
    assert_true(has(d.file, "; 2 Web Push devices depend on the one that was here: restore it from the backup"));
    assert_false(has_words(d.file, "openssl"));
  }
}

void no_power_cut_leaves_half_a_key(void** state) {
  Desk& d = desk(state);
  assert_true(d.open().ok());
  const uint64_t all = d.disk.operations();
  sim::Random random(3);
  for (uint64_t stop = 1; stop <= all; ++stop) {
    for (int i = 0; i < 8; ++i) {
      for (const char* each :
           {"state/vapid.pem", "state/vapid.pem.pub", "state/vapid.pem.new", "state/vapid.pem.pub.new"}) {
        (void)d.port.port().storage.remove(each).ok();
      }
      (void)d.port.port().storage.sync_directory("state").ok();
      d.disk.faults().stop_at = d.disk.operations() + stop;
      const bool acknowledged = d.open().ok();
      P256Point point;
      copy_bytes(point, d.file.pair.point);
      d.disk.crash(sim::random_crash(random), random);
      assert_true(d.open().ok());
      if (acknowledged) assert_memory_equal(d.file.pair.point, point, sizeof point);
    }
  }
}

void a_disk_that_does_not_take_it_is_named(void** state) {
  Desk& d = desk(state);
  d.disk.faults().read_only = true;
  assert_int_equal(d.open().error(), Error::read_only);
  assert_true(has(d.file, "cannot write the VAPID key state/vapid.pem: "));
  d.disk.faults().read_only = false;
  d.disk.faults().capacity = 250;  // the key fits, its public half does not
  assert_int_equal(d.open().error(), Error::no_space);
  assert_true(has(d.file, "cannot write state/vapid.pem.pub: "));
  d.disk.faults().capacity = UINT64_MAX;
  assert_true(d.open().ok());
  assert_false(d.file.made);
  d.disk.faults().read_failures = 1;
  assert_int_equal(d.open().error(), Error::io);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

TESTS(vapid_key, CASE(the_first_start_makes_a_key_for_nobody_else_to_read), CASE(later_starts_read_the_same_key),
      CASE(what_is_made_is_what_openssl_would_write), CASE(an_operator_may_bring_a_key_along),
      CASE(a_lost_key_is_never_replaced_silently), CASE(a_key_that_is_gone_without_a_trace_is_missed_by_its_devices),
      CASE(a_key_where_nothing_may_be_written_is_good), CASE(an_exchanged_key_is_noticed),
      CASE(a_key_in_another_form_is_told_what_is_needed), CASE(a_damaged_key_is_refused_wherever_it_is_cut),
      CASE(no_power_cut_leaves_half_a_key), CASE(a_disk_that_does_not_take_it_is_named));

}  // namespace
}  // namespace tocsin::test
