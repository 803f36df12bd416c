// The registry while the gateway lives: compaction, expiry, and an authority that
// decides about changes in place of the local file alone.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr string_view ann = "ann@example.org/phone";
constexpr string_view tigase = "tigase:messenger:apns:1";

// ---- an authority in front of the journal -------------------------------------------

// Stands for a log that several gateways share: it takes its time, and sometimes it refuses.
class SlowAuthority final : public Authority, public sim::Timed {
 public:
  Duration delay = milliseconds(300);
  uint32_t refusals = 0;  // so many batches from now on
  uint32_t asked = 0;
  World* world = nullptr;

  void stand_before(Journal& local) override {
    local_ = &local;
    batch_ = {};
    refused_ = false;
  }
  Result<size_t> read(uint64_t offset, Bytes room) override { return local_->read(offset, room); }
  uint64_t size() const override { return local_->size(); }
  Status cut(uint64_t size) override { return local_->cut(size); }
  Status renew(uint64_t offset) override { return local_->renew(offset); }
  Status begin_log(ByteView header) override { return local_->begin_log(header); }
  Status append(ByteView batch) override {
    assert_true(batch_.empty());
    ++asked;
    batch_ = batch;
    world->simulation().after(delay, *this);
    return {};
  }
  void on_event(uint64_t) override {
    if (refusals > 0) {
      --refusals;
      refused_ = true;
    } else {
      assert_true(local_->append(batch_).ok());
    }
    world->port().wake();
  }
  bool decided(Status& outcome) override {
    if (refused_) outcome = Error::refused;
    if (!refused_ && !local_->decided(outcome)) return false;
    refused_ = false;
    batch_ = {};
    return true;
  }

 private:
  Journal* local_ = nullptr;
  ByteView batch_;
  bool refused_ = false;
};

void registrations_wait_for_the_authority_and_publishes_do_not(void**) {
  World& w = world();
  SlowAuthority authority;
  authority.world = &w;
  w.ask(&authority);
  w.start();
  const Instant asked = w.now();
  const NodeText node = w.register_device(ann, token_a);
  assert_true(w.now() - asked >= milliseconds(300));
  w.send_register("bob@example.org/phone", "bob", tigase, token_b);
  for (uint32_t i = 0; i < 20; ++i) w.server().publish_numbered(node, i);
  w.run_for(milliseconds(250));
  w.expect_no_answer("bob");
  assert_int_equal(w.server().numbered_answered(), 20);
  w.wait_for_answer("bob");
  assert_int_equal(w.gateway().registry().count(), 2);
  w.expect_at_rest();
  w.crash();
}

void what_the_authority_refuses_is_not_there(void**) {
  World& w = world();
  SlowAuthority authority;
  authority.world = &w;
  w.ask(&authority);
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  authority.refusals = 1;
  w.send_register("bob@example.org/phone", "bob", tigase, token_b);
  w.wait_for_answer("bob");
  w.expect_wait("bob", "internal-server-error");
  assert_int_equal(w.gateway().registry().count(), 1);
  // The same client asks again; the one that was there is untouched, and its end is refused in the same way.
  const NodeText bob = w.register_device("bob@example.org/phone", token_b);
  authority.refusals = 1;
  w.send_unregister("bob@example.org/phone", "gone", tigase, token_b);
  w.wait_for_answer("gone");
  w.expect_wait("gone", "internal-server-error");
  w.publish_and_wait(bob, "p1");
  w.expect_result("p1");
  w.lose_power();
  w.start();
  assert_int_equal(w.gateway().registry().count(), 2);
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  w.crash();
}

void a_compaction_waits_for_the_authority_as_well(void**) {
  World& w = world();
  SlowAuthority authority;
  authority.world = &w;
  w.ask(&authority);
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.gateway().registry().request_compaction();
  for (uint32_t i = 0; i < 8; ++i) {
    w.register_device(ann, token_number(i));
    w.publish_and_wait(node, token_number(i));
  }
  assert_true(w.run_until([&] { return w.log().count("event=registry_compacted") == 1; }));
  assert_int_equal(w.gateway().registry().count(), 9);
  w.restart();
  assert_int_equal(w.gateway().registry().count(), 9);
  w.crash();
}

// ---- compaction ---------------------------------------------------------------------

constexpr Configured many{.extra = "[limits]\ndevices_per_account = 1000\ndevice_interval = 0s\n"};

void publishes_and_registrations_go_on_during_a_compaction(void**) {
  World& w = world();
  w.start();
  NodeText nodes[40];
  for (uint32_t i = 0; i < 40; ++i) nodes[i] = w.register_device(ann, token_number(i));
  w.disk().faults().sync_latency = milliseconds(400);
  uint32_t published = 0;
  for (uint32_t round = 0; round < 3; ++round) {
    w.gateway().registry().request_compaction();
    const auto compacted = [&] {
      FileHeader header;
      assert_true(decode(w.disk().content("/var/lib/tocsin/devices.registry"), header).ok());
      return header.generation > round && !w.gateway().registry().compaction().running();
    };
    for (uint32_t turn = 0; !compacted(); ++turn) {
      assert_true(turn < 5'000);
      w.server().publish_numbered(nodes[turn % 40], published++);
      if (turn % 50 == 0) w.send_register(ann, "again", tigase, token_number(100 + round));
      w.run_for(milliseconds(2));
    }
    w.run_for(seconds(2));
    assert_int_equal(w.server().numbered_answered(), published);
    assert_int_equal(w.server().numbered_waits(), 0);
  }
  assert_true(published > 600);
  const uint32_t count = w.gateway().registry().count();
  assert_int_equal(count, 43);
  w.lose_power();
  w.disk().faults().sync_latency = {};
  w.start();
  assert_int_equal(w.gateway().registry().count(), count);
  for (uint32_t i = 0; i < 40; ++i) {
    assert_string_equal(nodes[i].text.c_str(), w.register_device(ann, token_number(i)).text.c_str());
  }
  w.expect_at_rest();
}

void a_compaction_that_fails_is_said_once_and_tried_again(void**) {
  World& w = world();
  w.start();
  w.register_device(ann, token_a);
  w.disk().faults().read_only = true;
  for (uint32_t i = 0; i < 4; ++i) {
    w.gateway().registry().request_compaction();
    w.port().wake();
    w.run_for(minutes(11));
  }
  assert_int_equal(w.log().count("event=compaction_failed"), 1);
  w.disk().faults().read_only = false;
  w.gateway().registry().request_compaction();
  w.port().wake();
  assert_true(w.run_until([&] { return w.log().count("event=registry_compacted") == 1; }, minutes(11)));
}

// ---- expiry -------------------------------------------------------------------------

constexpr Configured month{.extra = "[registry]\nexpire_after = 30d\n"};

void only_a_device_that_nobody_uses_expires(void**) {
  World& w = world();
  w.start();
  const NodeText forgotten = w.register_device(ann, token_a);
  const NodeText pushed = w.register_device("bob@example.org/phone", token_b);
  w.register_device("cid@example.org/phone", token_c);
  for (uint32_t day = 0; day < 45; ++day) {
    w.run_for(days(1));
    if (day % 5 == 0) w.server().publish_numbered(pushed, day);
    if (day % 9 == 0) w.register_device("cid@example.org/phone", token_c);
    if (day == 28) assert_int_equal(w.gateway().registry().count(), 3);
  }
  assert_int_equal(w.gateway().registry().count(), 2);
  assert_int_equal(w.log().count("event=expired"), 1);
  w.publish_and_wait(forgotten, "p1");
  w.expect_gone("p1");
  w.publish_and_wait(pushed, "p2");
  w.expect_result("p2");
  w.restart();
  assert_int_equal(w.gateway().registry().count(), 2);
}

void a_clock_that_runs_ahead_ends_nobody(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  const UnixTime right = w.port().port().clock.wall();
  w.port().set_wall(right + days(3650));
  w.run_for(days(3));
  w.port().set_wall(UnixTime{0});
  w.run_for(days(3));
  w.port().set_wall(right + days(6));
  w.run_for(days(3));
  assert_int_equal(w.gateway().registry().count(), 1);
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
}

// ---- a section that was renamed -----------------------------------------------------

constexpr const char* renamed =
    "[xmpp]\nserver = xmpp.example.org:5347\nallow_cleartext = yes\ndomain = push.example.org\nsecret = s3cr3t\n"
    "[apns ios]\nprovider = tigase:messenger:apns:1\nkey = /etc/key.p8\nkey_id = ABC123DEFG\nteam_id = DEF123GHIJ\n"
    "topic = org.example.siskin\nendpoint = https://api.push.example.org:443\nca_file = /etc/ca.pem\n";

void a_renamed_section_keeps_its_devices(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.publish_and_wait(node, "p1");
  // Without a word nobody knows whose the device is; it is kept.
  w.crash();
  w.write_conf(renamed);
  w.start();
  w.publish_and_wait(node, "p2");
  w.expect_wait("p2");
  w.crash();
  w.set("apns/ios.formerly=older, siskin");
  w.start();
  w.publish_and_wait(node, "p3");
  w.expect_result("p3");
  assert_int_equal(w.log().count("provider=apns/ios"), 2);  // the push, and the connection
  // Registering again finds the device, writes nothing, and gives the same node.
  const uint64_t size = w.gateway().registry().log_bytes();
  assert_string_equal(node.text.c_str(), w.register_device(ann, token_a).text.c_str());
  assert_int_equal(w.gateway().registry().log_bytes(), size);
  // What it is believed of stays: the provider's word ends it, as one that was accepted by the same app.
  w.provider().answer_all(400, "BadDeviceToken");
  w.run_for(seconds(10));
  w.publish_and_wait(node, "p4");
  w.expect_gone("p4");
}

TESTS(registry_life, SCENARIO(registrations_wait_for_the_authority_and_publishes_do_not),
      SCENARIO(what_the_authority_refuses_is_not_there), SCENARIO(a_compaction_waits_for_the_authority_as_well),
      SCENARIO_WITH(publishes_and_registrations_go_on_during_a_compaction, many),
      SCENARIO(a_compaction_that_fails_is_said_once_and_tried_again),
      SCENARIO_WITH(only_a_device_that_nobody_uses_expires, month),
      SCENARIO_WITH(a_clock_that_runs_ahead_ends_nobody, month), SCENARIO(a_renamed_section_keeps_its_devices));

}  // namespace
}  // namespace tocsin::test
