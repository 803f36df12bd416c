#include "test/unit/crypto/duet.h"

namespace tocsin::test {

static void a_handshake_survives_any_fragmentation(void** state) {
  static const size_t chunks[] = {1, 2, 7, 1000};
  for (const size_t chunk : chunks) {
    Duet& duet = duet_of(state);
    duet.chunk = chunk;
    duet.be_open();
    assert_true(duet.client.alpn() == "h2");
    assert_true(duet.server.asked_for() == "api.push.example.org");
    assert_string_equal(duet.client.problem(), "");
    duet.client_says(100);
    duet.server_says(100);
    duet_teardown(state);
    duet_setup(state);
  }
}

static void data_of_any_size_arrives_both_ways(void** state) {
  Duet& duet = duet_of(state);
  duet.be_open();
  static const size_t sizes[] = {1, 2, 16383, 16384, 16385, 100 * 1024};
  static const size_t chunks[] = {1, 2, 7, 1000, 1 << 20};
  for (const size_t chunk : chunks) {
    duet.chunk = chunk;
    for (const size_t size : sizes) {
      duet.client_says(size);
      duet.server_says(size);
    }
  }
}

static void application_data_allocates_nothing(void** state) {
  Duet& duet = duet_of(state);
  duet.be_open();
  const size_t live = duet.session_heap.live();
  if (Heap::enforced()) assert_true(live > 0);
  duet.session_heap.fail_at(1);
  duet.client_says(50'000);
  duet.server_says(50'000);
  duet.session_heap.fail_at(0);
  assert_int_equal(duet.session_heap.live(), live);
}

static void a_record_larger_than_the_room_comes_in_parts(void** state) {
  Duet& duet = duet_of(state);
  duet.be_open();
  assert_int_equal(duet.server.write(bytes_of("abcdefghij")).value(), 10);
  ByteView in = duet.to_client.front();
  uint8_t room[4];
  assert_int_equal(duet.client.read(in, {}).value(), 0);  // no room: nothing happens
  assert_int_equal(duet.client.read(in, room).value(), 4);
  assert_true(in.empty());
  assert_memory_equal(room, "abcd", 4);
  assert_int_equal(duet.client.read(in, room).value(), 4);
  assert_int_equal(duet.client.read(in, room).value(), 2);
  assert_memory_equal(room, "ij", 2);
  assert_int_equal(duet.client.read(in, room).value(), 0);
}

static void read_takes_one_record_and_leaves_the_rest_of_the_input(void** state) {
  Duet& duet = duet_of(state);
  duet.be_open();
  assert_int_equal(duet.server.write(bytes_of("one")).value(), 3);
  assert_int_equal(duet.server.write(bytes_of("two")).value(), 3);
  ByteView in = duet.to_client.front();
  const size_t both = in.size();
  uint8_t room[100];
  assert_int_equal(duet.client.read(in, room).value(), 3);
  assert_int_equal(in.size(), both / 2);
  assert_int_equal(duet.client.read(in, room).value(), 3);
  assert_memory_equal(room, "two", 3);
  assert_true(in.empty());
}

static void write_waits_until_out_has_room_for_the_record(void** state) {
  Duet& duet = duet_of(state);
  duet.be_open();
  static const uint8_t plain[40'000] = {};
  size_t more = 0;
  const size_t full = duet.client.write(plain).value();  // one record; the type of TLS 1.3 counts as one byte
  assert_in_range(full, 16383, 16384);
  assert_int_equal(duet.client.write(plain).value(), 0);
  assert_int_equal(duet.client.write({plain, 500}).value(), 500);  // what fits may go
  assert_int_equal(duet.client.write({plain, 500}).value(), 0);
  assert_int_equal(duet.client.write({}).value(), 0);
  for (size_t size = 500; size > 0; --size) {  // up to the last byte of out: all of it or nothing, and never an error
    const Result<size_t> taken = duet.client.write({plain, size});
    assert_true(taken.ok());
    assert_true(taken.value() == 0 || taken.value() == size);
    more += taken.value();
  }
  duet.pump();
  assert_int_equal(duet.server_got, full + 500 + more);
  assert_int_equal(duet.client.write(plain).value(), full);
}

static void nothing_is_written_before_the_certificate_was_verified(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf);
  assert_true(duet.connect().ok());
  assert_int_equal(duet.client.state(), TlsClient::State::handshaking);
  const size_t hello = duet.to_server.size();
  assert_true(hello > 0);
  assert_int_equal(duet.client.write(bytes_of("early")).value(), 0);
  assert_int_equal(duet.to_server.size(), hello);
  duet.client.close_notify();  // means nothing yet
  assert_int_equal(duet.to_server.size(), hello);
}

static void the_end_of_the_handshake_is_told_without_data(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf);
  assert_true(duet.connect().ok());
  // The last flight of the server, with data of the application right behind it.
  for (int i = 0; i < 10 && duet.server.state() == TlsServer::State::handshaking; ++i) {
    duet.carry_to_server();
    if (duet.server.state() == TlsServer::State::handshaking) duet.carry_to_client();
  }
  assert_int_equal(duet.server.state(), TlsServer::State::open);
  assert_int_equal(duet.server.write(bytes_of("first")).value(), 5);
  uint8_t room[100];
  ByteView in = duet.to_client.front();
  if (duet.client.state() == TlsClient::State::handshaking) {
    assert_int_equal(duet.client.read(in, room).value(), 0);
    assert_false(in.empty());
  }
  assert_int_equal(duet.client.state(), TlsClient::State::open);
  assert_int_equal(duet.client.read(in, room).value(), 5);
  assert_memory_equal(room, "first", 5);
}

static void alpn_picks_what_both_speak(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf, "http/1.1");
  assert_true(duet.client.alpn().empty());
  assert_true(duet.connect("localhost", "h2,http/1.1").ok());
  duet.pump();
  assert_int_equal(duet.client.state(), TlsClient::State::open);
  assert_true(duet.client.alpn() == "http/1.1");
  assert_true(duet.server.asked_for() == "localhost");
}

static void a_peer_without_alpn_is_refused_only_where_it_is_required(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf, "");
  assert_true(duet.connect("localhost", "h2", true).ok());
  duet.pump();
  assert_int_equal(duet.client.state(), TlsClient::State::failed);
  assert_string_equal(duet.client.problem(), "the peer does not agree to speak h2 (ALPN)");
  ByteView in;
  uint8_t room[16];
  assert_int_equal(duet.client.read(in, room).error(), Error::unsupported);
  assert_int_equal(duet.client.write(bytes_of("x")).error(), Error::unsupported);

  duet.client.shut();
  duet.server.shut();
  assert_true(duet.server.open(duet.identity, ""));
  duet.to_client.clear();
  duet.to_server.clear();
  assert_true(duet.connect("localhost", "h2", false).ok());
  duet.pump();
  assert_int_equal(duet.client.state(), TlsClient::State::open);
  assert_true(duet.client.alpn().empty());
}

static void a_peer_that_speaks_another_protocol_says_so_by_alert(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf, "http/1.1");
  assert_true(duet.connect("localhost", "h2", false).ok());
  duet.pump();
  assert_string_equal(duet.client.problem(),
                      "the peer refused: it does not speak the protocol that we asked for (ALPN) (TLS alert 120)");
}

static void close_notify_ends_the_session_from_either_side(void** state) {
  Duet& duet = duet_of(state);
  duet.be_open();
  assert_int_equal(duet.server.write(bytes_of("last words")).value(), 10);
  duet.server.close_notify();
  duet.pump();
  assert_int_equal(duet.client_got, 10);
  assert_int_equal(duet.client.state(), TlsClient::State::ended);
  assert_int_equal(duet.client.write(bytes_of("x")).error(), Error::closed);
  ByteView in = bytes_of("whatever comes now");
  uint8_t room[16];
  assert_int_equal(duet.client.read(in, room).value(), 0);
  duet.client.close_notify();
  const size_t answer = duet.to_server.size();
  assert_true(answer > 0);
  duet.client.close_notify();  // once is enough
  assert_int_equal(duet.to_server.size(), answer);
  duet.pump();
  assert_int_equal(duet.server.state(), TlsServer::State::ended);
}

static void after_our_close_notify_nothing_is_written_but_data_still_arrives(void** state) {
  Duet& duet = duet_of(state);
  duet.be_open();
  duet.client.close_notify();
  assert_int_equal(duet.client.write(bytes_of("x")).error(), Error::closed);
  assert_int_equal(duet.server.write(bytes_of("late")).value(), 4);
  duet.carry_to_client();
  assert_int_equal(duet.client_got, 4);
  assert_int_equal(duet.client.state(), TlsClient::State::open);
}

static void a_stream_that_stops_anywhere_leaves_a_session_that_can_be_shut(void** state) {
  static const size_t stops[] = {0, 1, 4, 5, 6, 50, 100, 300, 700, 1000};
  for (const size_t stop : stops) {
    Duet& duet = duet_of(state);
    duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf);
    assert_true(duet.connect().ok());
    duet.carry_to_server();
    uint8_t room[16];
    ByteView in = duet.to_client.front();
    assert_true(in.size() > 1000 - 500);
    in = in.first(stop < in.size() ? stop : in.size() - 1);
    assert_int_equal(duet.client.read(in, room).value(), 0);
    assert_true(in.empty());
    assert_int_equal(duet.client.state(), TlsClient::State::handshaking);
    assert_int_equal(duet_teardown(state), 0);
    duet_setup(state);
  }
}

static void a_record_that_stops_in_the_middle_gives_no_data(void** state) {
  Duet& duet = duet_of(state);
  duet.be_open();
  assert_int_equal(duet.server.write(bytes_of("never whole")).value(), 11);
  ByteView in = duet.to_client.front();
  in = in.first(in.size() - 1);
  uint8_t room[100];
  assert_int_equal(duet.client.read(in, room).value(), 0);
  assert_true(in.empty());
  assert_int_equal(duet.client.state(), TlsClient::State::open);  // the end of the stream is the caller's to see
}

static void expect_garbage(Duet& duet, string_view garbage, Error error, const char* problem) {
  assert_true(duet.connect().ok());
  ByteView in = bytes_of(garbage);
  uint8_t room[16];
  const Result<size_t> got = duet.client.read(in, room);
  assert_false(got.ok());
  assert_string_equal(duet.client.problem(), problem);
  assert_int_equal(got.error(), error);
  assert_int_equal(duet.client.state(), TlsClient::State::failed);
  duet.client.shut();
  duet.to_server.clear();
}

static void something_else_than_tls_is_called_so(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf);
  const char* problem = "the peer does not speak TLS";
  expect_garbage(duet, "HTTP/1.1 400 Bad Request\r\n\r\n", Error::malformed, problem);
  expect_garbage(duet, "SSH-2.0-OpenSSH_9.2p1\r\n", Error::malformed, problem);
  expect_garbage(duet, {"\0\0\0\0\0\0\0\0\0\0", 10}, Error::malformed, problem);
  // An alert: handshake failure.
  expect_garbage(duet, {"\x15\x03\x03\0\x02\x02\x28", 7}, Error::refused,
                 "the peer refused: no common version, cipher suite or curve (TLS alert 40)");
}

static void random_bytes_after_a_good_start_never_crash(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf);
  SeededRandom random(99);
  for (uint32_t round = 0; round < 300; ++round) {
    assert_true(duet.connect().ok());
    duet.carry_to_server();
    static uint8_t bytes[8192];
    const ByteView flight = duet.to_client.front();
    assert_true(flight.size() <= sizeof bytes);
    copy_bytes(bytes, flight);
    uint8_t dice[4];
    random.fill(dice);
    bytes[(static_cast<size_t>(dice[0]) << 8 | dice[1]) % flight.size()] ^= static_cast<uint8_t>(dice[2] | 1);
    ByteView in(bytes, flight.size());
    uint8_t room[16];
    const Result<size_t> got = duet.client.read(in, room);
    assert_true(got.ok() || duet.client.problem()[0] != '\0');
    assert_int_not_equal(duet.client.state(), TlsClient::State::open);
    duet.client.shut();
    assert_int_equal(duet.session_heap.live(), 0);
    duet.server.shut();
    assert_true(duet.server.open(duet.identity, "h2"));
    duet.to_client.clear();
    duet.to_server.clear();
  }
}

static void a_damaged_record_fails_the_session(void** state) {
  Duet& duet = duet_of(state);
  duet.be_open();
  assert_int_equal(duet.server.write(bytes_of("some words")).value(), 10);
  uint8_t bytes[200];
  const ByteView record = duet.to_client.front();
  copy_bytes(bytes, record);
  bytes[record.size() - 1] ^= 1;
  ByteView in(bytes, record.size());
  uint8_t room[100];
  assert_int_equal(duet.client.read(in, room).error(), Error::malformed);
  assert_string_equal(duet.client.problem(), "a TLS record was damaged on the way");
  assert_int_equal(duet.client.read(in, room).error(), Error::malformed);  // and stays so
}

static void an_alert_of_the_peer_is_told_in_words(void** state) {
  Duet& duet = duet_of(state);
  duet.be_open();
  duet.server.alert(80);
  duet.pump();
  assert_int_equal(duet.client.state(), TlsClient::State::failed);
  assert_string_equal(duet.client.problem(), "the peer refused: internal error of the peer (TLS alert 80)");
}

static void old_versions_and_suites_without_forward_secrecy_are_refused(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_rsa_root, chain_rsa, key_rsa_leaf, "h2", TlsServer::Kind::static_rsa);
  assert_true(duet.connect().ok());
  duet.pump();
  assert_string_equal(duet.client.problem(),
                      "the peer refused: no common version, cipher suite or curve (TLS alert 40)");
  duet.client.shut();
  duet.server.shut();
  duet.to_client.clear();
  duet.to_server.clear();
  // A ServerHello that picks TLS 1.1.
  uint8_t hello[47] = {0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2};
  hello[44] = 0xc0;
  hello[45] = 0x13;
  expect_garbage(duet, text_of(hello), Error::unsupported, "the peer does not speak TLS 1.2 or later");
  if (!duet.server.open(duet.identity, "h2", TlsServer::Kind::only_1_1)) return;  // the library has none
  assert_true(duet.connect().ok());
  duet.pump();
  assert_int_equal(duet.client.state(), TlsClient::State::failed);
}

static void hosts_and_protocols_that_can_not_be_are_refused(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf);
  static char longest[300];
  std::memset(longest, 'a', sizeof longest);
  assert_int_equal(duet.connect("").error(), Error::malformed);
  assert_string_equal(duet.client.problem(), "the host is not a name");
  duet.client.shut();
  assert_int_equal(duet.connect({longest, sizeof longest}).error(), Error::malformed);
  duet.client.shut();
  assert_int_equal(duet.connect({"local\0host", 10}).error(), Error::malformed);
  duet.client.shut();
  assert_int_equal(duet.connect("localhost", ",").error(), Error::malformed);
  assert_string_equal(duet.client.problem(), "the list of protocols can not be used");
  assert_true(duet.to_server.empty());
}

static void a_session_can_be_used_again(void** state) {
  Duet& duet = duet_of(state);
  duet.be_open();
  for (int i = 0; i < 3; ++i) {
    duet.client.shut();
    duet.client.shut();  // twice does no harm
    assert_int_equal(duet.client.state(), TlsClient::State::shut);
    assert_int_equal(duet.session_heap.live(), 0);
    duet.server.shut();
    duet.to_client.clear();
    duet.to_server.clear();
    assert_true(duet.server.open(duet.identity, "h2"));
    assert_true(duet.connect().ok());
    duet.pump();
    assert_int_equal(duet.client.state(), TlsClient::State::open);
    duet.client_says(10);
  }
}

TESTS(tls, DUET_TEST(a_handshake_survives_any_fragmentation), DUET_TEST(data_of_any_size_arrives_both_ways),
      DUET_TEST(application_data_allocates_nothing), DUET_TEST(a_record_larger_than_the_room_comes_in_parts),
      DUET_TEST(read_takes_one_record_and_leaves_the_rest_of_the_input),
      DUET_TEST(write_waits_until_out_has_room_for_the_record),
      DUET_TEST(nothing_is_written_before_the_certificate_was_verified),
      DUET_TEST(the_end_of_the_handshake_is_told_without_data), DUET_TEST(alpn_picks_what_both_speak),
      DUET_TEST(a_peer_without_alpn_is_refused_only_where_it_is_required),
      DUET_TEST(a_peer_that_speaks_another_protocol_says_so_by_alert),
      DUET_TEST(close_notify_ends_the_session_from_either_side),
      DUET_TEST(after_our_close_notify_nothing_is_written_but_data_still_arrives),
      DUET_TEST(a_stream_that_stops_anywhere_leaves_a_session_that_can_be_shut),
      DUET_TEST(a_record_that_stops_in_the_middle_gives_no_data), DUET_TEST(something_else_than_tls_is_called_so),
      DUET_TEST(random_bytes_after_a_good_start_never_crash), DUET_TEST(a_damaged_record_fails_the_session),
      DUET_TEST(an_alert_of_the_peer_is_told_in_words),
      DUET_TEST(old_versions_and_suites_without_forward_secrecy_are_refused),
      DUET_TEST(hosts_and_protocols_that_can_not_be_are_refused), DUET_TEST(a_session_can_be_used_again));

}  // namespace tocsin::test
