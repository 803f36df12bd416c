#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/encode.h"
#include "test/unit/port_posix/fixture.h"

namespace tocsin::posix::test {
namespace {

// A name server on a port that the system chooses; the test answers by hand.
struct Server {
  int socket = -1;
  char text[32] = {};  // for use_servers
};

Server serve() {
  Server s;
  s.socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_int_equal(bind(s.socket, reinterpret_cast<sockaddr*>(&in), sizeof in), 0);
  socklen_t bytes = sizeof in;
  assert_int_equal(getsockname(s.socket, reinterpret_cast<sockaddr*>(&in), &bytes), 0);
  snprintf(s.text, sizeof s.text, "127.0.0.1:%u", ntohs(in.sin_port));
  return s;
}

// What the server says to everything: RFC 1035 §4.1.
struct Answer {
  uint8_t code = 0;  // 2: server failure, 3: no such name
  unsigned v4 = 0;   // so many addresses 192.0.2.1 …
  unsigned v6 = 0;   // 2001:db8::1 …
};

// Answers one question, if there is one.
void answer_one(int server, const Answer& answer) {
  uint8_t message[1500];
  sockaddr_in from{};
  socklen_t from_bytes = sizeof from;
  const ssize_t got = recvfrom(server, message, 512, 0, reinterpret_cast<sockaddr*>(&from), &from_bytes);
  if (got < 0) return;
  size_t at = 12;
  while (message[at] != 0) at += message[at] + size_t{1};
  const uint16_t type = get_u16(message + at + 1);
  at += 5;
  const unsigned count = answer.code != 0 ? 0 : type == 1 ? answer.v4 : type == 28 ? answer.v6 : 0;
  put_u16(message + 2, static_cast<uint16_t>(0x8180 | answer.code));
  put_u16(message + 6, static_cast<uint16_t>(count));
  put_u32(message + 8, 0);
  for (unsigned i = 0; i < count; ++i) {
    const bool v4 = type == 1;
    put_u16(message + at, 0xc00c);
    put_u16(message + at + 2, type);
    put_u16(message + at + 4, 1);
    put_u32(message + at + 6, 60);
    put_u16(message + at + 10, v4 ? 4 : 16);
    at += 12;
    const uint8_t v4_bytes[4] = {192, 0, 2, static_cast<uint8_t>(i + 1)};
    const uint8_t v6_bytes[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, static_cast<uint8_t>(i + 1)};
    copy_bytes(message + at, v4 ? ByteView(v4_bytes) : ByteView(v6_bytes));
    at += v4 ? 4 : 16;
  }
  sendto(server, message, at, 0, reinterpret_cast<sockaddr*>(&from), from_bytes);
}

Lookup finish(uint32_t ticket, int server = no_handle, const Answer& answer = {}) {
  Lookup out;
  const Instant limit = late();
  while (!posix().net().lookup_done(ticket, out)) {
    assert_true(monotonic_now() < limit);
    Interest i{.socket = server, .read = true};
    posix().net().wait({&i, 1}, limit);
    if (i.can_read) answer_one(server, answer);
  }
  return out;
}

Lookup look_up(string_view host, int server = no_handle, const Answer& answer = {}) {
  return finish(posix().net().lookup_start(host, 443).value(), server, answer);
}

void expect_heap_at_rest() { assert_int_equal(resolver_heap().blocks(), 0); }

void literals_end_the_next_wait_at_once(void**) {
  for (const char* text : {"192.0.2.7", "2001:db8::7", "::1"}) {
    const uint32_t ticket = posix().net().lookup_start(text, 5347).value();
    posix().net().wait({}, Instant::never());
    Lookup out;
    assert_true(posix().net().lookup_done(ticket, out));
    assert_true(out.error == Error::none);
    assert_int_equal(out.count, 1);
    assert_true(out.addresses[0] == parse_ip(text, 5347).value());
  }
  assert_int_equal(resolver_heap().peak(), 0);
}

void ended_lookup_does_not_end_two_waits(void**) {
  const uint32_t ticket = posix().net().lookup_start("192.0.2.7", 1).value();
  posix().net().wait({}, Instant::never());
  const Instant until = soon(5);
  posix().net().wait({}, until);
  assert_true(monotonic_now() >= until);
  posix().net().lookup_cancel(ticket);
}

void localhost_needs_no_server(void**) {
  posix().net().resolver().use_servers("127.0.0.1:1");
  // Names that no hosts file knows: the system may have none.
  for (const char* name : {"localhost", "LocalHost.", "push.localhost"}) {
    const Lookup out = look_up(name);
    assert_true(out.error == Error::none);
    assert_int_equal(out.count, 2);
    for (uint32_t i = 0; i < out.count; ++i) {
      assert_true(is_loopback(out.addresses[i]));
      assert_int_equal(out.addresses[i].port, 443);
    }
  }
  assert_true(look_up("notlocalhost").error != Error::none);
  expect_heap_at_rest();
}

void both_families_are_asked_for(void**) {
  const Server s = serve();
  posix().net().resolver().use_servers(s.text);
  const Lookup out = look_up("push.example.org", s.socket, {.v4 = 2, .v6 = 1});
  assert_true(out.error == Error::none);
  assert_int_equal(out.count, 3);
  unsigned v6 = 0;
  for (uint32_t i = 0; i < out.count; ++i) {
    if (out.addresses[i].family == Address::Family::v6) ++v6;
    assert_int_equal(out.addresses[i].port, 443);
  }
  assert_int_equal(v6, 1);
  expect_heap_at_rest();
  close(s.socket);
}

void half_an_answer_does_not_end_the_wait(void**) {
  const Server s = serve();
  posix().net().resolver().use_servers(s.text);
  const uint32_t ticket = posix().net().lookup_start("push.example.org", 443).value();
  answer_one(s.socket, {.v4 = 1, .v6 = 1});
  const Instant until = soon(20);
  posix().net().wait({}, until);
  assert_true(monotonic_now() >= until);
  Lookup out;
  assert_false(posix().net().lookup_done(ticket, out));
  assert_int_equal(finish(ticket, s.socket, {.v4 = 1, .v6 = 1}).count, 2);
  close(s.socket);
}

void one_family_is_enough(void**) {
  const Server s = serve();
  posix().net().resolver().use_servers(s.text);
  const Lookup out = look_up("push.example.org", s.socket, {.v6 = 1});
  assert_true(out.error == Error::none);
  assert_int_equal(out.count, 1);
  assert_true(out.addresses[0] == parse_ip("2001:db8::1", 443).value());
  close(s.socket);
}

void unknown_names_are_not_found(void**) {
  const Server s = serve();
  posix().net().resolver().use_servers(s.text);
  assert_true(look_up("nowhere.example.org", s.socket, {.code = 3}).error == Error::not_found);
  assert_true(look_up("empty.example.org", s.socket, {}).error == Error::not_found);
  expect_heap_at_rest();
  close(s.socket);
}

void more_addresses_than_fit_are_the_first_ones(void**) {
  const Server s = serve();
  posix().net().resolver().use_servers(s.text);
  const Lookup out = look_up("many.example.org", s.socket, {.v4 = 24});
  assert_true(out.error == Error::none);
  assert_int_equal(out.count, port::addresses_max);
  close(s.socket);
}

void failing_server_is_unreachable(void**) {
  const Server s = serve();
  posix().net().resolver().use_servers(s.text);
  assert_true(look_up("push.example.org", s.socket, {.code = 2}).error == Error::unreachable);
  expect_heap_at_rest();
  close(s.socket);
}

void impossible_names_fail_as_lookups(void**) {
  char too_long[300];
  std::memset(too_long, 'a', sizeof too_long);
  assert_true(look_up("").error == Error::malformed);
  assert_true(look_up(string_view("a\0b", 3)).error == Error::malformed);
  assert_true(look_up({too_long, sizeof too_long}).error == Error::too_long);
}

void cancelled_lookups_leave_nothing_behind(void**) {
  const Server s = serve();
  PosixNet& net = posix().net();
  net.resolver().use_servers(s.text);
  const uint32_t dropped = net.lookup_start("one.example.org", 1).value();
  const uint32_t kept = net.lookup_start("two.example.org", 2).value();
  net.lookup_cancel(dropped);
  const Lookup out = finish(kept, s.socket, {.v4 = 1});
  assert_true(out.error == Error::none);
  assert_int_equal(out.addresses[0].port, 2);
  expect_heap_at_rest();
  for (int i = 0; i < 100; ++i) net.lookup_cancel(net.lookup_start("silent.example.org", 1).value());
  expect_heap_at_rest();
  close(s.socket);
}

void so_many_lookups_run_at_once_and_no_more(void**) {
  const Server s = serve();
  PosixNet& net = posix().net();
  net.resolver().use_servers(s.text);
  uint32_t tickets[port::Net::lookups_max];
  char name[32];
  for (uint32_t i = 0; i < port::Net::lookups_max; ++i) {
    snprintf(name, sizeof name, "host%u.example.org", i);
    const Result<uint32_t> started = net.lookup_start(name, static_cast<uint16_t>(i + 1));
    assert_true(started.ok());
    tickets[i] = started.value();
  }
  assert_true(net.lookup_start("more.example.org", 1).error() == Error::exhausted);
  for (uint32_t i = 0; i < port::Net::lookups_max; ++i) {
    const Lookup out = finish(tickets[i], s.socket, {.v4 = 12, .v6 = 4});
    assert_true(out.error == Error::none);
    assert_int_equal(out.count, 16);
    assert_int_equal(out.addresses[0].port, i + 1);
  }
  if (Heap::enforced())
    print_message("resolver heap, %u names at once: peak %zu bytes\n", port::Net::lookups_max, resolver_heap().peak());
  assert_int_equal(resolver_heap().refused(), 0);
  assert_true(resolver_heap().peak() <= Resolver::heap_bytes / 2);
  expect_heap_at_rest();
  assert_true(look_up("more.example.org", s.socket, {.v4 = 1}).error == Error::none);
  close(s.socket);
}

void starved_lookups_say_that_they_were_starved(void**) {
  if (!Heap::enforced()) skip();
  const Server s = serve();
  posix().net().resolver().use_servers(s.text);
  PosixNet& net = posix().net();
  bool whole = false;
  for (uint32_t n = 1; !whole; ++n) {
    assert_true(n < 1000);
    resolver_heap().fail_at(n);
    const uint32_t ticket = net.lookup_start("push.example.org", 443).value();
    Lookup out;
    bool done = net.lookup_done(ticket, out);
    // What the library has no memory to read it drops, and waits for seconds: cancelled here.
    for (int turn = 0; !done && turn<10; turn += resolver_heap().refused()> 0 ? 1 : 0) {
      Interest i{.socket = s.socket, .read = true};
      net.wait({&i, 1}, soon(5));
      if (i.can_read) answer_one(s.socket, {.v4 = 1, .v6 = 1});
      done = net.lookup_done(ticket, out);
    }
    whole = resolver_heap().refused() == 0;
    if (!done) net.lookup_cancel(ticket);
    if (done && out.error != Error::none) assert_true(out.error == Error::exhausted);
    if (whole) assert_true(done && out.error == Error::none && out.count == 2);
    resolver_heap().fail_at(0);
    resolver_heap().forget_refusals();
    expect_heap_at_rest();
  }
  close(s.socket);
}

void starved_lookup_is_not_taken_for_an_unknown_name(void**) {
  if (!Heap::enforced()) skip();
  const Server s = serve();
  posix().net().resolver().use_servers(s.text);
  bool whole = false;
  for (uint32_t n = 1; !whole; ++n) {
    assert_true(n < 1000);
    resolver_heap().fail_at(n);
    const uint32_t ticket = posix().net().lookup_start("nowhere.example.org", 443).value();
    resolver_heap().fail_at(0);
    whole = resolver_heap().refused() == 0;
    const Lookup out = finish(ticket, s.socket, {.code = 3});
    assert_true(out.error == (whole ? Error::not_found : Error::exhausted));
    resolver_heap().forget_refusals();
    expect_heap_at_rest();
  }
  close(s.socket);
}

TESTS(posix_resolver, POSIX_TEST(literals_end_the_next_wait_at_once), POSIX_TEST(ended_lookup_does_not_end_two_waits),
      POSIX_TEST(localhost_needs_no_server), POSIX_TEST(both_families_are_asked_for),
      POSIX_TEST(half_an_answer_does_not_end_the_wait), POSIX_TEST(one_family_is_enough),
      POSIX_TEST(unknown_names_are_not_found), POSIX_TEST(more_addresses_than_fit_are_the_first_ones),
      POSIX_TEST(failing_server_is_unreachable), POSIX_TEST(impossible_names_fail_as_lookups),
      POSIX_TEST(cancelled_lookups_leave_nothing_behind), POSIX_TEST(so_many_lookups_run_at_once_and_no_more),
      POSIX_TEST(starved_lookups_say_that_they_were_starved),
      POSIX_TEST(starved_lookup_is_not_taken_for_an_unknown_name));

}  // namespace
}  // namespace tocsin::posix::test
