// Where strangers may make us connect to: names and addresses that nobody should
// reach through us.
#include <iterator>

#include "test/scenario/web_push_words.h"

namespace tocsin::test {
namespace {

// Registered while the name was harmless, or not: the very addresses that are connected to are judged.
void names_that_stand_for_private_addresses_are_not_connected_to(void**) {
  World& w = world();
  w.start();
  const char* const evil[] = {
      "10.0.0.1",        "127.0.0.1",        "0.0.0.0",          "169.254.169.254", "172.16.0.1",   "192.168.1.1",
      "100.64.0.1",      "192.0.0.8",        "192.0.2.1",        "198.18.0.1",      "198.51.100.7", "203.0.113.9",
      "224.0.0.1",       "240.0.0.1",        "255.255.255.255",  "192.88.99.1",     "::1",          "::",
      "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1",   "64:ff9b::7f00:1", "fe80::1",      "febf::1",
      "fc00::1",         "fd12:3456::1",     "ff02::1",          "2002:a00:1::1",   "2001:db8::1",  "2001::1",
      "2001:10::1",      "100::1",           "64:ff9b:1::a00:1", "3fff::1",         "fec0::1"};
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
  const Address fine = World::provider_address(4);
  uint32_t n = 0;
  for (const char* text : evil) {
    for (const bool with_a_good_one : {false, true}) {
      const Address addresses[] = {fine, parse_ip(text, 443).value()};
      w.simulation().names().set("one.wild.example.org",
                                 {addresses + (with_a_good_one ? 0 : 1), with_a_good_one ? 2u : 1u});
      uint8_t room[8];
      Writer id(room);
      id.character('e').unsigned_number(n++);
      w.publish_and_wait(node, id.view());
      w.expect_wait(id.view(), "internal-server-error");
      w.run_for(minutes(1));
    }
  }
  assert_int_equal(w.service(0).connections(), 0);
  assert_int_equal(w.provider(0).connections(), 0);
  w.simulation().names().set("one.wild.example.org", fine);
  w.publish_and_wait(node, "good");
  w.expect_result("good");
  w.expect_at_rest();
}

// What anybody might name to have us knock at doors behind ours: other spellings of one address, addresses of every
// kind that is not the internet's, other doors of good hosts, other schemes.
constexpr const char* evil_endpoints[] = {"https://127.0.0.1/",
                                          "https://127.0.0.2/push",
                                          "https://127.255.255.254/",
                                          "https://127.1/",
                                          "https://2130706433/",
                                          "https://017700000001/",
                                          "https://0x7f000001/",
                                          "https://0x7f.1/",
                                          "https://0x7f.0.0.1/",
                                          "https://0177.0.0.1/",
                                          "https://127.0.0.01/",
                                          "https://127.0.0.1./",
                                          "https://localhost./",
                                          "https://0.0.0.0/",
                                          "https://0/",
                                          "https://10.0.0.1/",
                                          "https://10.255.255.255/",
                                          "https://100.64.0.1/",
                                          "https://169.254.169.254/latest/meta-data",
                                          "https://2852039166/latest/meta-data",
                                          "https://172.16.0.1/",
                                          "https://172.31.255.254/",
                                          "https://192.168.1.1/",
                                          "https://192.0.0.8/",
                                          "https://192.0.2.1/",
                                          "https://192.88.99.1/",
                                          "https://198.18.0.1/",
                                          "https://198.51.100.7/",
                                          "https://203.0.113.9/",
                                          "https://224.0.0.1/",
                                          "https://239.255.255.250/",
                                          "https://240.0.0.1/",
                                          "https://255.255.255.255/",
                                          "https://[::]/",
                                          "https://[::1]/",
                                          "https://[0:0:0:0:0:0:0:1]/",
                                          "https://[::127.0.0.1]/",
                                          "https://[::ffff:127.0.0.1]/",
                                          "https://[::ffff:7f00:1]/",
                                          "https://[0:0:0:0:0:ffff:10.0.0.1]/",
                                          "https://[::ffff:169.254.169.254]/latest/meta-data",
                                          "https://[64:ff9b::7f00:1]/",
                                          "https://[64:ff9b::10.0.0.1]/",
                                          "https://[64:ff9b:1::a00:1]/",
                                          "https://[100::1]/",
                                          "https://[2001::1]/",
                                          "https://[2001:db8::1]/",
                                          "https://[2002:7f00:1::]/",
                                          "https://[2002:c0a8:101::1]/",
                                          "https://[3fff::1]/",
                                          "https://[fc00::1]/",
                                          "https://[fd12:3456::1]/",
                                          "https://[fe80::1]/",
                                          "https://[fe80::1%25eth0]/",
                                          "https://[febf::1]/",
                                          "https://[fec0::1]/",
                                          "https://[ff02::1]/",
                                          "https://[ff0e::1]/",
                                          "https://user@10.0.0.1/",
                                          "https://good.example@10.0.0.1/x",
                                          "https://good.example:443@10.0.0.1/",
                                          "https://good.example#@10.0.0.1/",
                                          "https://10.0.0.1\\@good.example/",
                                          "https://good.example\\@10.0.0.1/",
                                          "http://one.wild.example.org/",
                                          "http://127.0.0.1/",
                                          "ftp://one.wild.example.org/",
                                          "gopher://127.0.0.1:25/",
                                          "//one.wild.example.org/",
                                          "https:///push",
                                          "file:///etc/passwd",
                                          "unix:/run/docker.sock",
                                          "https://one.wild.example.org:8443/x",
                                          "https://one.wild.example.org:22/",
                                          "https://one.wild.example.org:80/",
                                          "https://one.wild.example.org:0443/",
                                          "https://one.wild.example.org:443:22/",
                                          "https://one%2ewild.example.org/",
                                          "https://one.wild.example.org%00.example.org/",
                                          "https://ex\xc3\xa4mple.org/",
                                          "https://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/"};
static_assert(std::size(evil_endpoints) >= 80);

void eighty_evil_endpoints_do_not_register_and_are_not_connected_to(void**) {
  World& w = world();
  w.start();
  uint32_t n = 0;
  for (const char* url : evil_endpoints) {
    uint8_t room[8];
    Writer id(room);
    id.character('r').unsigned_number(n++);
    w.send_register("ann@example.org/web", id.view(), "webpush", url);
    w.wait_for_answer(id.view());
    if (!contains(w.server().answer(id.view()), "type='error'")) print_error("%s registers\n", url);
    w.expect_answer(id.view(), "type='error'");
  }
  assert_int_equal(w.gateway().registry().count(), 0);
  for (uint32_t i = 0; i < World::providers_max; ++i) assert_int_equal(w.provider(i).connections(), 0);
  w.expect_at_rest();
}

void addresses_of_the_conf_may_be_private_and_at_any_port(void**) {
  World& w = world();
  w.start();
  w.simulation().names().set("one.wild.example.org", World::provider_address(0));
  w.simulation().names().set("localhost", World::provider_address(1));
  w.provider(0).speak(FakeProvider::Speech::web_push);
  w.provider(0).answer_all(201, "");
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_int_equal(w.provider(0).requests(), 1);
  // Another port than 443 is for the listed alone.
  w.simulation().names().set("two.wild.example.org", World::provider_address(5));
  const NodeText odd = subscribe(w, "bob@example.org/web", Subscribed("https://two.wild.example.org:8443/x"));
  w.publish_and_wait(odd, "p2");
  w.expect_wait("p2", "internal-server-error");
  assert_int_equal(w.service(1).connections(), 0);
}

}  // namespace

TESTS(web_push_addresses, SCENARIO_WITH(names_that_stand_for_private_addresses_are_not_connected_to, with_web_push),
      SCENARIO_WITH(eighty_evil_endpoints_do_not_register_and_are_not_connected_to, with_web_push),
      SCENARIO_WITH(addresses_of_the_conf_may_be_private_and_at_any_port, at_home));

}  // namespace tocsin::test
