// The key that Web Push devices are bound to: without it their section is off, nobody else's, and it is never replaced.
#include "test/scenario/web_push_words.h"

namespace tocsin::test {
namespace {

constexpr string_view key_file = "/var/lib/tocsin/vapid.pem";

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
      SCENARIO_WITH(with_a_damaged_key_web_push_is_off_and_no_other_section, with_web_push));

}  // namespace tocsin::test
