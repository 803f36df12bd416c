#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "test/unit/port_posix/fixture.h"

namespace tocsin::posix::test {
namespace {

using port::Accepted;
using port::Door;

// A port that nobody uses at the moment.
uint16_t free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_int_equal(bind(probe, reinterpret_cast<sockaddr*>(&in), sizeof in), 0);
  socklen_t bytes = sizeof in;
  assert_int_equal(getsockname(probe, reinterpret_cast<sockaddr*>(&in), &bytes), 0);
  close(probe);
  return ntohs(in.sin_port);
}

Address loopback(string_view ip, uint16_t port) { return parse_ip(ip, port).value(); }

Handle dial(const Address& to) {
  const Result<Handle> made = posix().net().connect(to);
  return made.ok() ? made.value() : no_handle;
}

Accepted accept_one(Handle listener) {
  Interest i{.socket = listener, .read = true};
  posix().net().wait({&i, 1}, late());
  assert_true(i.can_read);
  const Result<Accepted> made = posix().net().accept(listener);
  assert_true(made.ok());
  return made.value();
}

void a_dual_socket_takes_both_families(void**) {
  PosixNet& net = posix().net();
  const uint16_t port = free_port();
  const Result<Handle> door = net.listen({.kind = Door::Kind::dual, .address = {.port = port}});
  assert_true(door.ok());
  assert_int_equal(net.accept(door.value()).error(), Error::again);
  const Handle ours = dial(loopback("127.0.0.1", port));
  const Accepted v4 = accept_one(door.value());
  assert_false(v4.local);
  assert_true(v4.peer.family == Address::Family::v4);  // not the mapped form
  assert_true(is_loopback(v4.peer));
  assert_int_equal(net.send(v4.socket, bytes_of("hello")).value(), 5);
  net.finish(v4.socket);
  Interest i{.socket = ours, .read = true};
  uint8_t room[16];
  net.wait({&i, 1}, late());
  assert_int_equal(net.receive(ours, room).value(), 5);
  net.wait({&i, 1}, late());
  assert_int_equal(net.receive(ours, room).value(), 0);  // finished, and still we may speak
  assert_int_equal(net.send(ours, bytes_of("late")).value(), 4);
  i.socket = v4.socket;
  net.wait({&i, 1}, late());
  assert_int_equal(net.receive(v4.socket, room).value(), 4);
  net.shut(ours);
  net.shut(v4.socket);
  const Handle other = dial(loopback("::1", port));
  if (other != no_handle) {
    const Accepted v6 = accept_one(door.value());
    assert_true(v6.peer.family == Address::Family::v6);
    net.shut(v6.socket);
    net.shut(other);
  }
  net.shut(door.value());
}

void a_port_in_use_is_busy_and_a_foreign_address_unreachable(void**) {
  PosixNet& net = posix().net();
  const Door door{.kind = Door::Kind::tcp, .address = loopback("127.0.0.1", free_port())};
  const Result<Handle> first = net.listen(door);
  assert_true(first.ok());
  assert_int_equal(net.listen(door).error(), Error::busy);
  net.shut(first.value());
  const Result<Handle> again = net.listen(door);
  assert_true(again.ok());
  net.shut(again.value());
  assert_int_equal(net.listen({.address = loopback("192.0.2.77", free_port())}).error(), Error::unreachable);
}

int dial_unix(const char* at) {
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, at, std::strlen(at));
  const int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(s, reinterpret_cast<sockaddr*>(&un), sizeof un) == 0) return s;
  close(s);
  return -1;
}

void a_unix_path_has_its_mode_and_is_taken_over_from_the_dead(void**) {
  PosixNet& net = posix().net();
  const char* at = path("http.sock");
  if (std::strlen(at) > 100) return;
  const Door door{.kind = Door::Kind::unix_path, .path = at, .mode = 0640};
  Result<Handle> made = net.listen(door);
  assert_true(made.ok());
  struct stat facts;
  assert_int_equal(stat(at, &facts), 0);
  assert_int_equal(facts.st_mode & 07777, 0640);
  assert_int_equal(net.listen(door).error(), Error::busy);  // alive
  net.shut(made.value());
  made = net.listen(door);  // its owner is gone
  assert_true(made.ok());
  const int client = dial_unix(at);
  assert_true(client >= 0);
  const Accepted accepted = accept_one(made.value());
  assert_true(accepted.local);
  net.shut(accepted.socket);
  close(client);
  net.shut(made.value());
}

void a_file_at_the_path_is_not_touched(void**) {
  const char* at = path("precious");
  const Result<Handle> file = posix().storage().open(at, port::OpenMode::create);
  assert_true(file.ok());
  posix().storage().shut(file.value());
  assert_int_equal(posix().net().listen({.kind = Door::Kind::unix_path, .path = at}).error(), Error::busy);
  assert_true(posix().storage().facts(at).ok());
  const char* nowhere = path("no/such/place");
  assert_int_equal(posix().net().listen({.kind = Door::Kind::unix_path, .path = nowhere}).error(), Error::not_found);
}

void sockets_that_were_handed_to_others_are_not_ours(void**) {
  unsetenv("LISTEN_PID");
  unsetenv("LISTEN_FDS");
  const Door door{.kind = Door::Kind::handed};
  assert_int_equal(posix().net().listen(door).error(), Error::not_found);
  setenv("LISTEN_FDS", "1", 1);
  setenv("LISTEN_PID", "1", 1);
  assert_int_equal(posix().net().listen(door).error(), Error::not_found);
  unsetenv("LISTEN_PID");
  unsetenv("LISTEN_FDS");
}

TESTS(listen, POSIX_TEST(a_dual_socket_takes_both_families),
      POSIX_TEST(a_port_in_use_is_busy_and_a_foreign_address_unreachable),
      POSIX_TEST(a_unix_path_has_its_mode_and_is_taken_over_from_the_dead),
      POSIX_TEST(a_file_at_the_path_is_not_touched), POSIX_TEST(sockets_that_were_handed_to_others_are_not_ours));

}  // namespace
}  // namespace tocsin::posix::test
