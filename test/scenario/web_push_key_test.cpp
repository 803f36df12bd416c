// The key that subscriptions are bound to: what becomes of devices and of the
// other sections when it is lost, exchanged or replaced on purpose.
#include "registry_view.h"
#include "test/scenario/web_push_words.h"
#include "test/support/certs.h"

namespace tocsin::test {
namespace {

constexpr const char* key_file = "/var/lib/tocsin/vapid.pem";
constexpr const char* public_file = "/var/lib/tocsin/vapid.pem.pub";
constexpr string_view iphone = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

NodeText subscribe_and_ring(World& w) {
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
  w.publish_and_wait(node, "first");
  w.expect_result("first");
  w.run_for(minutes(1));
  return node;
}

void remove(World& w, const char* path) { GW_CHECK(w.port().port().storage.remove(path).ok()); }

// A backup that was restored in part.
void a_key_that_is_gone_is_not_made_anew_while_there_are_devices(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe_and_ring(w);
  const NodeText other = w.register_device("bob@example.org/phone", iphone);
  w.crash();
  remove(w, key_file);
  remove(w, public_file);
  w.start();
  assert_false(w.disk().has(key_file));
  assert_true(w.vapid_problem().find("the VAPID key is gone, and 1 Web Push device depends on it") !=
              string_view::npos);
  // Its publishes are put off, and nothing else notices.
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  w.publish_and_wait(other, "p2");
  w.expect_result("p2");
  assert_int_equal(w.service(0).requests(), 1);
  assert_int_equal(w.gateway().registry().count(), 2);
  // A client that was told so far may register as ever.
  const NodeText again = subscribe(w, "ann@example.org/web", Subscribed(one));
  assert_true(string_view(again) == string_view(node));
  w.run_for(minutes(1));
  w.expect_at_rest();
}

void a_restored_key_rings_again(void**) {
  World& w = world();
  w.start();
  static uint8_t room[400];
  const NodeText node = subscribe_and_ring(w);
  const ByteView content = w.disk().content(key_file);
  const size_t size = content.size();
  copy_bytes(room, content);
  w.crash();
  remove(w, key_file);
  w.start();
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  w.crash();
  w.disk().put(key_file, ByteView(room).first(size));
  w.start();
  assert_true(w.vapid_problem().empty());
  assert_int_equal(w.vapid_strangers(), 0);
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
}

void an_exchanged_key_turns_web_push_off_and_nothing_else(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe_and_ring(w);
  const NodeText other = w.register_device("bob@example.org/phone", iphone);
  w.crash();
  w.disk().put(key_file, bytes_of(string_view(push_key_1)));
  w.start();
  assert_true(w.vapid_problem().find("this is another VAPID key") != string_view::npos);
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  w.publish_and_wait(other, "p2");
  w.expect_result("p2");
}

// The .pub file was taken away with it: whoever does that means it.
void a_key_that_is_exchanged_on_purpose_is_used_and_its_devices_are_counted(void**) {
  World& w = world();
  w.start();
  (void)subscribe_and_ring(w);
  (void)subscribe(w, "bob@example.org/web", Subscribed(two));  // never rung: nobody knows under which key
  w.crash();
  w.disk().put(key_file, bytes_of(string_view(push_key_1)));
  remove(w, public_file);
  w.start();
  assert_true(w.vapid_problem().empty());
  assert_int_equal(w.vapid_strangers(), 1);
  assert_true(w.disk().has(public_file));
  w.restart();
  assert_int_equal(w.vapid_strangers(), 1);
}

void without_devices_a_key_is_made(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe_and_ring(w);
  w.send_unregister("ann@example.org/web", "u1", "webpush", one);
  w.wait_for_answer("u1");
  w.publish_and_wait(node, "gone");
  w.expect_gone("gone");
  w.crash();
  remove(w, key_file);
  remove(w, public_file);
  w.start();
  assert_true(w.vapid_problem().empty());
  assert_true(w.disk().has(key_file));
}

Bytes reserve(size_t bytes) {
  alignas(4096) static uint8_t room[512 * 1024];
  return bytes <= sizeof room ? Bytes(room).first(bytes) : Bytes();
}

// `check` beside a gateway that runs.
void a_check_sees_the_devices_without_touching_the_file(void**) {
  World& w = world();
  w.start();
  const Registry::Options options{.max_devices = 1000};
  port::Storage& storage = w.port().port().storage;
  (void)subscribe_and_ring(w);
  const uint64_t operations = w.disk().operations();
  {
    const RegistryView view("/var/lib/tocsin/devices.registry", options, w.gateway(), storage, reserve);
    assert_true(view.registry() != nullptr);
    assert_int_equal(view.registry()->count(), 1);
    assert_int_equal(view.registry()->device_at(0)->section, w.gateway().web_push_section());
    VapidKeyFile file;
    assert_true(w.gateway().look_at_vapid_key(file, view.registry()).ok());
    assert_int_equal(file.strangers, 0);
    remove(w, key_file);
    remove(w, public_file);
    assert_int_equal(w.gateway().look_at_vapid_key(file, view.registry()).error(), Error::damaged);
    assert_int_equal(w.gateway().look_at_vapid_key(file, nullptr).error(), Error::not_found);
  }
  assert_int_equal(w.disk().operations(), operations + 2);
  const RegistryView none("/var/lib/tocsin/other.registry", options, w.gateway(), storage, reserve);
  assert_true(none.registry() == nullptr);
}

struct Kept {
  uint8_t bytes[512];
  size_t size = 0;
  explicit Kept(ByteView content) : size(content.size()) { copy_bytes(bytes, content); }
  ByteView view() const { return ByteView(bytes).first(size); }
};

void go_on_without_it(World& w, bool damaged) {
  w.start();
  const NodeText browser = subscribe(w, "ann@example.org/web", Subscribed(one));
  const NodeText phone = w.register_device("bob@example.org/phone", token_a);
  w.publish_and_wait(browser, "p1");
  w.expect_result("p1");
  w.crash();
  const Kept key(w.disk().content(key_file));
  assert_true(key.size > 0);
  if (damaged) {
    w.disk().put(key_file, key.view().first(100));
  } else {
    assert_true(w.disk().remove(key_file).ok());
  }
  w.start();
  w.publish_and_wait(phone, "p2");
  w.expect_result("p2");
  w.publish_and_wait(browser, "p3");
  w.expect_wait("p3");
  assert_int_equal(w.service(0).requests(), 1);
  assert_int_equal(w.gateway().registry().count(), 2);
  assert_int_equal(w.disk().has(key_file), damaged);  // nothing took its place
  // A client that asks now is not sent to somebody else for good.
  const NodeText other = subscribe(w, "eve@example.org/web", Subscribed(two));
  w.publish_and_wait(other, "p4");
  w.expect_wait("p4");
  w.expect_at_rest();
  // From the backup.
  w.crash();
  w.disk().put(key_file, key.view());
  w.start();
  w.publish_and_wait(browser, "p5");
  w.expect_result("p5");
  w.expect_at_rest();
}

void without_its_key_web_push_is_off_and_no_other_section(void**) { go_on_without_it(world(), false); }
void with_a_damaged_key_web_push_is_off_and_no_other_section(void**) { go_on_without_it(world(), true); }

}  // namespace

TESTS(web_push_key, SCENARIO_WITH(without_its_key_web_push_is_off_and_no_other_section, with_web_push),
      SCENARIO_WITH(with_a_damaged_key_web_push_is_off_and_no_other_section, with_web_push),
      SCENARIO_WITH(a_key_that_is_gone_is_not_made_anew_while_there_are_devices, with_web_push),
      SCENARIO_WITH(a_restored_key_rings_again, with_web_push),
      SCENARIO_WITH(an_exchanged_key_turns_web_push_off_and_nothing_else, with_web_push),
      SCENARIO_WITH(a_key_that_is_exchanged_on_purpose_is_used_and_its_devices_are_counted, with_web_push),
      SCENARIO_WITH(without_devices_a_key_is_made, with_web_push),
      SCENARIO_WITH(a_check_sees_the_devices_without_touching_the_file, with_web_push));

}  // namespace tocsin::test
