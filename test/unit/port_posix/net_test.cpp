#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/unit/port_posix/fixture.h"

namespace tocsin::posix::test {
namespace {

struct Listener {
  int socket = -1;
  Address address;
};

// Listens at a port that the system chooses.
Listener listen_somewhere() {
  Listener l;
  l.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_int_equal(bind(l.socket, reinterpret_cast<sockaddr*>(&in), sizeof in), 0);
  assert_int_equal(listen(l.socket, 4), 0);
  socklen_t bytes = sizeof in;
  assert_int_equal(getsockname(l.socket, reinterpret_cast<sockaddr*>(&in), &bytes), 0);
  l.address = parse_ip("127.0.0.1", ntohs(in.sin_port)).value();
  return l;
}

void wait_for(Interest& interest) {
  posix().net().wait({&interest, 1}, late());
  assert_true(interest.can_read || interest.can_write);
}

struct Pair {
  Handle ours = no_handle;
  int theirs = -1;
};

Pair connected_pair() {
  const Listener l = listen_somewhere();
  const Result<Handle> started = posix().net().connect(l.address);
  assert_true(started.ok());
  Interest i{.socket = started.value(), .write = true};
  wait_for(i);
  assert_true(i.can_write);
  assert_true(posix().net().connect_result(i.socket).ok());
  const int theirs = accept(l.socket, nullptr, nullptr);
  assert_true(theirs >= 0);
  close(l.socket);
  return {i.socket, theirs};
}

void bytes_travel_both_ways(void**) {
  PosixNet& net = posix().net();
  const Pair pair = connected_pair();
  assert_int_equal(net.send(pair.ours, bytes_of("ping")).value(), 4);
  char text[8] = {};
  assert_int_equal(read(pair.theirs, text, sizeof text), 4);
  assert_memory_equal(text, "ping", 4);
  assert_int_equal(write(pair.theirs, "pong!", 5), 5);
  Interest i{.socket = pair.ours, .read = true};
  wait_for(i);
  uint8_t room[8];
  assert_int_equal(net.receive(pair.ours, room).value(), 5);
  assert_memory_equal(room, "pong!", 5);
  assert_true(net.receive(pair.ours, room).error() == Error::again);
  net.shut(pair.ours);
  close(pair.theirs);
}

// Else an answer waits for the next one, or 40 ms for the other side's acknowledgement.
void bytes_do_not_wait_for_more_of_them(void**) {
  const Pair pair = connected_pair();
  int no_delay = 0;
  socklen_t size = sizeof no_delay;
  assert_int_equal(getsockopt(pair.ours, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
  assert_true(no_delay != 0);
  posix().net().shut(pair.ours);
  close(pair.theirs);
}

void refused_connection_is_told_apart(void**) {
  const Listener l = listen_somewhere();
  close(l.socket);
  const Result<Handle> started = posix().net().connect(l.address);
  if (!started.ok()) {  // some systems answer at once on the loopback
    assert_true(started.error() == Error::refused);
    return;
  }
  Interest i{.socket = started.value(), .write = true};
  wait_for(i);
  assert_true(posix().net().connect_result(i.socket).error() == Error::refused);
  posix().net().shut(i.socket);
}

void end_of_stream_is_zero_bytes(void**) {
  const Pair pair = connected_pair();
  close(pair.theirs);
  Interest i{.socket = pair.ours, .read = true};
  wait_for(i);
  uint8_t room[8];
  assert_int_equal(posix().net().receive(pair.ours, room).value(), 0);
  posix().net().shut(pair.ours);
}

void reset_by_the_peer_is_an_error(void**) {
  const Pair pair = connected_pair();
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  assert_int_equal(setsockopt(pair.theirs, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
  close(pair.theirs);
  Interest i{.socket = pair.ours, .read = true};
  wait_for(i);
  uint8_t room[8];
  assert_true(posix().net().receive(pair.ours, room).error() == Error::refused);
  const Result<size_t> sent = posix().net().send(pair.ours, bytes_of("x"));  // and no SIGPIPE
  assert_true(sent.error() == Error::closed);
  posix().net().shut(pair.ours);
}

void silent_reader_stops_the_sender_until_it_reads(void**) {
  PosixNet& net = posix().net();
  const Pair pair = connected_pair();
  static uint8_t block[64 * 1024];
  size_t sent = 0;
  while (true) {
    const Result<size_t> n = net.send(pair.ours, block);
    if (!n.ok()) {
      assert_true(n.error() == Error::again);
      break;
    }
    assert_true(n.value() > 0);
    sent += n.value();
  }
  Interest i{.socket = pair.ours, .write = true};
  net.wait({&i, 1}, soon(5));
  assert_false(i.can_write);
  static uint8_t room[64 * 1024];
  size_t got = 0;
  while (got < sent) {
    const ssize_t n = read(pair.theirs, room, sizeof room);
    assert_true(n > 0);
    got += static_cast<size_t>(n);
  }
  wait_for(i);
  assert_true(i.can_write);
  net.shut(pair.ours);
  close(pair.theirs);
}

void wait_without_anything_lasts_until_its_time(void**) {
  for (int64_t us : {0, 1, 999, 1001, 7003}) {
    const Instant until = monotonic_now() + microseconds(us);
    posix().net().wait({}, until);
    assert_true(monotonic_now() >= until);
  }
}

void sockets_without_interest_do_not_end_the_wait(void**) {
  const Pair pair = connected_pair();
  close(pair.theirs);
  Interest interests[3] = {{.socket = no_handle, .read = true}, {.socket = pair.ours}, {}};
  const Instant until = soon(10);
  posix().net().wait(interests, until);
  assert_true(monotonic_now() >= until);
  for (const Interest& i : interests) assert_false(i.can_read || i.can_write);
  posix().net().shut(pair.ours);
}

void only_what_is_ready_is_marked(void**) {
  const Pair quiet = connected_pair();
  const Pair loud = connected_pair();
  assert_int_equal(write(loud.theirs, "x", 1), 1);
  Interest interests[3] = {{.socket = quiet.ours, .read = true, .can_read = true, .can_write = true},
                           {},
                           {.socket = loud.ours, .read = true}};
  posix().net().wait(interests, late());
  assert_false(interests[0].can_read || interests[0].can_write);
  assert_true(interests[2].can_read);
  assert_false(interests[2].can_write);
  for (const Pair& pair : {quiet, loud}) {
    posix().net().shut(pair.ours);
    close(pair.theirs);
  }
}

void sockets_do_not_outlive_an_exec(void**) {
  const Pair pair = connected_pair();
  assert_int_equal(fcntl(pair.ours, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  assert_int_equal(fcntl(pair.ours, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  posix().net().shut(pair.ours);
  close(pair.theirs);
}

TESTS(posix_net, POSIX_TEST(bytes_travel_both_ways), POSIX_TEST(bytes_do_not_wait_for_more_of_them),
      POSIX_TEST(refused_connection_is_told_apart), POSIX_TEST(end_of_stream_is_zero_bytes),
      POSIX_TEST(reset_by_the_peer_is_an_error), POSIX_TEST(silent_reader_stops_the_sender_until_it_reads),
      POSIX_TEST(wait_without_anything_lasts_until_its_time), POSIX_TEST(sockets_without_interest_do_not_end_the_wait),
      POSIX_TEST(only_what_is_ready_is_marked), POSIX_TEST(sockets_do_not_outlive_an_exec));

}  // namespace
}  // namespace tocsin::posix::test
