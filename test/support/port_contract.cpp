#include "test/support/port_contract.h"

#include "base/writer.h"
#include "test/support/tests.h"

namespace tocsin::test {

using port::Handle;
using port::Interest;
using port::OpenMode;
using port::Port;

namespace {

struct Path {
  char text[256];
  Path(const PortContract& c, const char* name) {
    Writer out(Bytes(reinterpret_cast<uint8_t*>(text), sizeof text));
    out.text(c.directory).character('/').text(name).character('\0');
    assert_false(out.overflowed());
  }
};

Handle create(const PortContract& c, const char* name, string_view content) {
  const auto file = c.port->storage.open(Path(c, name).text, OpenMode::create);
  assert_true(file.ok());
  assert_true(c.port->storage.write_at(file.value(), 0, bytes_of(content)).ok());
  return file.value();
}

void assert_reads(const PortContract& c, Handle file, uint64_t offset, string_view expected) {
  uint8_t room[64];
  const auto got = c.port->storage.read_at(file, offset, room);
  assert_true(got.ok());
  assert_int_equal(got.value(), expected.size());
  assert_true(expected.empty() || std::memcmp(room, expected.data(), expected.size()) == 0);
}

void wait_a_little(const PortContract& c, std::span<Interest> interests) {
  c.port->net.wait(interests, c.port->clock.now() + milliseconds(100));
  if (c.pass != nullptr) c.pass(c.context);
}

constexpr int waits_max = 600;  // only a broken port gets there

}  // namespace

void contract_files_keep_what_is_written(const PortContract& c) {
  port::Storage& storage = c.port->storage;
  const Handle file = create(c, "a", "hello world");
  assert_true(storage.write_at(file, 6, bytes_of("there")).ok());
  assert_reads(c, file, 0, "hello there");
  storage.shut(file);
  const auto facts = storage.facts(Path(c, "a").text);
  assert_true(facts.ok());
  assert_int_equal(facts.value().size, 11);
  assert_int_equal(facts.value().mode, 0600);
  assert_false(facts.value().directory);
  const auto again = storage.open(Path(c, "a").text, OpenMode::read);
  assert_true(again.ok());
  assert_reads(c, again.value(), 6, "there");
  storage.shut(again.value());
}

void contract_reads_are_short_only_at_the_end(const PortContract& c) {
  const Handle file = create(c, "a", "0123456789");
  uint8_t room[4];
  assert_int_equal(c.port->storage.read_at(file, 2, room).value(), 4);
  assert_int_equal(c.port->storage.read_at(file, 8, room).value(), 2);
  assert_int_equal(c.port->storage.read_at(file, 10, room).value(), 0);
  assert_int_equal(c.port->storage.read_at(file, 1000, room).value(), 0);
  assert_int_equal(c.port->storage.size(file).value(), 10);
  c.port->storage.shut(file);
}

void contract_truncated_bytes_come_back_as_zeros(const PortContract& c) {
  const Handle file = create(c, "a", "secret");
  assert_true(c.port->storage.truncate(file, 1).ok());
  assert_true(c.port->storage.truncate(file, 3).ok());
  assert_reads(c, file, 0, string_view("s\0\0", 3));
  assert_true(c.port->storage.write_at(file, 5, bytes_of("x")).ok());
  assert_reads(c, file, 0, string_view("s\0\0\0\0x", 6));
  c.port->storage.shut(file);
}

void contract_create_refuses_what_is_there(const PortContract& c) {
  port::Storage& storage = c.port->storage;
  storage.shut(create(c, "a", "x"));
  assert_int_equal(storage.open(Path(c, "a").text, OpenMode::create).error(), Error::exists);
  assert_int_equal(storage.open(Path(c, "a").text, OpenMode::create_for_group).error(), Error::exists);
  storage.shut(storage.open(Path(c, "b").text, OpenMode::create_for_group).value());
  assert_int_equal(storage.facts(Path(c, "a").text).value().mode, 0600);
  assert_int_equal(storage.facts(Path(c, "b").text).value().mode, 0640);
}

void contract_missing_files_are_not_found(const PortContract& c) {
  port::Storage& storage = c.port->storage;
  assert_int_equal(storage.open(Path(c, "a").text, OpenMode::read).error(), Error::not_found);
  assert_int_equal(storage.open(Path(c, "a").text, OpenMode::read_write).error(), Error::not_found);
  assert_int_equal(storage.open(Path(c, "no/a").text, OpenMode::create).error(), Error::not_found);
  assert_int_equal(storage.facts(Path(c, "a").text).error(), Error::not_found);
  assert_int_equal(storage.remove(Path(c, "a").text).error(), Error::not_found);
  assert_int_equal(storage.replace(Path(c, "a").text, Path(c, "b").text).error(), Error::not_found);
  assert_int_equal(storage.sync_directory(Path(c, "no").text).error(), Error::not_found);
}

void contract_replace_and_remove_change_names(const PortContract& c) {
  port::Storage& storage = c.port->storage;
  storage.shut(create(c, "old", "old"));
  storage.shut(create(c, "new", "new!"));
  assert_true(storage.replace(Path(c, "new").text, Path(c, "old").text).ok());
  assert_int_equal(storage.facts(Path(c, "new").text).error(), Error::not_found);
  assert_int_equal(storage.facts(Path(c, "old").text).value().size, 4);
  assert_true(storage.link(Path(c, "old").text, Path(c, "too").text).ok());
  assert_int_equal(storage.link(Path(c, "old").text, Path(c, "too").text).error(), Error::exists);
  assert_int_equal(storage.link(Path(c, "none").text, Path(c, "x").text).error(), Error::not_found);
  assert_true(storage.remove(Path(c, "old").text).ok());
  assert_int_equal(storage.facts(Path(c, "too").text).value().size, 4);  // one file with two names
  assert_true(storage.remove(Path(c, "too").text).ok());
  assert_int_equal(storage.facts(Path(c, "old").text).error(), Error::not_found);
  assert_true(storage.sync_directory(c.directory).ok());
}

void contract_directories_are_made_once(const PortContract& c) {
  port::Storage& storage = c.port->storage;
  assert_true(storage.make_directory(Path(c, "d").text).ok());
  assert_true(storage.make_directory(Path(c, "d").text).ok());
  const auto facts = storage.facts(Path(c, "d").text);
  assert_true(facts.ok() && facts.value().directory);
  assert_int_equal(facts.value().mode, 0700);
  storage.shut(create(c, "d/a", "x"));
  assert_int_equal(storage.make_directory(Path(c, "d/a").text).error(), Error::exists);
  assert_true(storage.sync_directory(Path(c, "d").text).ok());
  assert_true(storage.remove(Path(c, "d/a").text).ok());
}

void contract_an_open_file_survives_its_name(const PortContract& c) {
  const Handle file = create(c, "a", "still here");
  assert_true(c.port->storage.remove(Path(c, "a").text).ok());
  c.port->storage.shut(create(c, "a", "another"));
  assert_reads(c, file, 0, "still here");
  c.port->storage.shut(file);
}

void contract_one_sync_at_a_time_ends_the_wait(const PortContract& c) {
  port::Storage& storage = c.port->storage;
  const Handle file = create(c, "a", "x");
  Status outcome = Error::busy;
  assert_false(storage.sync_done(outcome));
  for (int round = 0; round < 2; ++round) {
    assert_true(storage.sync_start(file).ok());
    assert_int_equal(storage.sync_start(file).error(), Error::busy);
    bool done = false;
    for (int i = 0; i < waits_max && !done; ++i) {
      wait_a_little(c, {});
      done = storage.sync_done(outcome);
    }
    assert_true(done);
    assert_true(outcome.ok());
    assert_false(storage.sync_done(outcome));
  }
  assert_int_equal(storage.sync_directory_start(Path(c, "none").text).error(), Error::not_found);
  assert_true(storage.sync_directory_start(c.directory).ok());
  assert_int_equal(storage.sync_start(file).error(), Error::busy);
  bool done = false;
  for (int i = 0; i < waits_max && !done; ++i) {
    wait_a_little(c, {});
    done = storage.sync_done(outcome);
  }
  assert_true(done && outcome.ok());
  assert_true(storage.sync_now(file).ok());
  storage.shut(file);
}

void contract_a_lock_is_held_by_one(const PortContract& c) {
  port::Storage& storage = c.port->storage;
  int64_t holder = -1;
  const auto lock = storage.lock(Path(c, "lock").text, &holder);
  assert_true(lock.ok());
  assert_int_equal(storage.lock(Path(c, "lock").text, &holder).error(), Error::busy);
  assert_true(holder > 0);
  storage.shut(lock.value());
  const auto again = storage.lock(Path(c, "lock").text, &holder);
  assert_true(again.ok());
  assert_true(storage.size(again.value()).value() > 1);  // our pid
  storage.shut(again.value());
}

void contract_literals_are_looked_up(const PortContract& c) {
  const string_view literals[] = {"192.0.2.7", "2001:db8::7"};
  for (const string_view literal : literals) {
    const auto ticket = c.port->net.lookup_start(literal, 443);
    assert_true(ticket.ok());
    port::Lookup lookup;
    bool done = false;
    for (int i = 0; i < waits_max && !done; ++i) {
      wait_a_little(c, {});
      done = c.port->net.lookup_done(ticket.value(), lookup);
    }
    assert_true(done);
    assert_int_equal(lookup.error, Error::none);
    assert_int_equal(lookup.count, 1);
    assert_true(lookup.addresses[0] == parse_ip(literal, 443).value());
  }
}

void contract_lookups_are_bounded(const PortContract& c) {
  uint32_t tickets[port::Net::lookups_max];
  for (uint32_t& ticket : tickets) {
    const auto started = c.port->net.lookup_start("192.0.2.1", 1);
    assert_true(started.ok());
    ticket = started.value();
  }
  assert_int_equal(c.port->net.lookup_start("192.0.2.1", 1).error(), Error::exhausted);
  for (const uint32_t ticket : tickets) c.port->net.lookup_cancel(ticket);
  const auto started = c.port->net.lookup_start("192.0.2.1", 1);
  assert_true(started.ok());
  c.port->net.lookup_cancel(started.value());
}

void contract_a_refused_connection_can_write_and_says_so(const PortContract& c) {
  const auto socket = c.port->net.connect(c.nobody);
  if (!socket.ok()) {  // a port may know at once
    assert_int_equal(socket.error(), Error::refused);
    return;
  }
  Interest interest{.socket = socket.value(), .read = false, .write = true};
  for (int i = 0; i < waits_max && !interest.can_write; ++i) wait_a_little(c, {&interest, 1});
  assert_true(interest.can_write);
  assert_int_equal(c.port->net.connect_result(socket.value()).error(), Error::refused);
  c.port->net.shut(socket.value());
}

void contract_wait_skips_empty_interests(const PortContract& c) {
  Interest interests[3];
  interests[1].can_read = interests[1].can_write = true;
  interests[2].read = interests[2].write = true;
  c.port->net.wait(interests, c.port->clock.now());
  for (const Interest& interest : interests) assert_false(interest.can_read || interest.can_write);
}

}  // namespace tocsin::test
