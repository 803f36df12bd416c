// Who is registered. The log is the truth; RAM holds only an index from node and
// from device key to the record's place in it (at most 64 bytes a device, sized
// at start). Changes are staged, become durable together, and are applied to the
// index only when the journal says that they are.
//
// Identity of a device: (account, key), the key being the token after normalisation
// unless the dialect has an identity of its own. The provider string is advisory (Snikket unregisters with another than
// it registered with).
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "mem/region.h"
#include "model/registration.h"
#include "registry/compaction.h"
#include "registry/device.h"
#include "registry/journal.h"

namespace tocsin {

// A number that grows with every batch; a change is durable when committed_ticket() reached its own and
// ticket_failed() denies. 0 stands for a change that needs no batch.
using Ticket = uint64_t;

// What is told of a registration that ends.
struct EndOfDevice {
  NodeId node;
  uint8_t section = Device::no_section;
  EndReason reason{};
  string_view word;  // the provider's, maybe cut
};

class Registry {
 public:
  struct Options {
    uint32_t max_devices = 1000;  // at most 10,000,000
    uint32_t devices_per_account = 20;
    uint8_t creation_id[16] = {};  // random: written into the header of a new file
    // Records of one batch, with about 40 bytes of book-keeping each; fuller: changes answer Error::busy. There are
    // two such buffers: while one batch becomes durable, the next is staged.
    size_t staging_bytes = 48 * 1024;
  };
  static constexpr size_t record_bytes_max = 8 * 1024;       // one record, for rooms to read into
  static constexpr size_t replay_scratch_bytes = 64 * 1024;  // at least; more reads in larger pieces
  static size_t bytes_for(const Options& options);
  // rewrite: where a compaction writes; nullptr: never compacted.
  Registry(Region& region, const Options& options, Journal& journal, Rewrite* rewrite = nullptr);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // ---- start: section names get numbers, then the log is replayed.
  // All names outlive the registry; number = position, fewer than 255 of them. What a record says of a section under a
  // former name is told with the present one; the file keeps the former one until the device's record is written anew.
  struct FormerName {
    string_view name;
    uint8_t section;
  };
  void sections(std::span<const string_view> names, std::span<const FormerName> former = {});
  // Once, before anything else. Error::damaged with damage_offset(): bytes before the last commit mark fail their
  // check. What stands behind the last verified mark is cut; cut_bytes() says how much.
  // Error::unsupported: an unknown version or record kind (problem() names it). Error::exhausted: more devices
  // than max_devices. After any error the registry is of no use.
  Status replay(Bytes scratch);
  uint64_t damage_offset() const;
  uint64_t cut_bytes() const;
  const char* problem() const;
  // Records that spoke of a device that is not there (and were passed over): a log of ours has none.
  uint64_t strays() const;

  // ---- look-ups
  uint32_t count() const;
  uint32_t capacity() const;
  const Device* find(const NodeId& node) const;  // durable devices only
  // Reads the device's full record into room (record_bytes_max); views of out point into it. Error::damaged: the
  // bytes fail their check, or are of another device.
  Status read(const Device& device, Bytes room, Registration& out) const;
  // The full record of a durable device as of now, staged changes included: what is read may be about to end.
  Status read_latest(const Device& device, Bytes room, Registration& out) const;
  // The device of (account, Registration::key) as of now, staged changes included. Error::not_found.
  // *staged: the ticket of its latest staged change, 0 when none.
  Status find_device(string_view account, ByteView key, Bytes room, Registration& out, Ticket* staged) const;
  // Device number i of all (0 … count()-1), for scans in slices; nullptr from count() on. Changes change the order.
  const Device* device_at(uint32_t i) const;
  // Devices of an account now, staged changes included, and the durable one whose last registration or accepted
  // push is oldest (nullptr: none), of those that are neither changing nor ending. Reads their records: the
  // account's hash is only a hint. The same of its endpoints, which are counted apart; a held one is the oldest.
  uint32_t count_of_account(string_view account, const Device** oldest, bool endpoints = false) const;
  // False: an account without any device or endpoint that is durable. One in so many others is taken for it.
  bool has_any(string_view account) const;

  // ---- changes: all staged; the ticket says which batch carries it. Error::busy: staging full, try after the
  // next commit. Error::not_found: no such device (any more). Error::too_long: a part is over its bounds.
  // A new node, or one that has ended, durably. Error::exhausted: registry full. Error::exists: the node is taken. Two
  // devices with one (account, token) are the caller's mistake: it asked find_device.
  Result<Ticket> add(const Registration& registration, UnixTime now);
  // Same node, other content; also releases a hold. Another token has no accepted push yet.
  Result<Ticket> change(const Registration& registration, UnixTime now);
  // The provider says that it is dead. Nothing else changes, neither times nor proofs; a held device keeps it (0
  // ticket).
  Result<Ticket> clear_second_token(const NodeId& node);
  // Another section takes it from now on, where nothing was accepted yet; a hold is released.
  Result<Ticket> move_to_section(const NodeId& node, string_view section);
  // Same device, same content: RAM at once; on disk at most daily, or when must_write says so, or the device is held
  // (which is released). 0 ticket: nothing was written.
  Result<Ticket> refresh(const NodeId& node, UnixTime now, bool must_write);
  // The same where nobody waits for the disk: what changes nothing but a date, of a device that the disk heard of
  // within three days, goes with the next batch (commit_wanted). 0 ticket then. What a crash loses of it is less than
  // what it may lose anyway, the day within which a refresh is not written at all.
  Result<Ticket> refresh_unhurried(const NodeId& node, UnixTime now);
  // word: the provider's reason, kept for people: its first 64 bytes. Ending twice gives the first end's ticket.
  Result<Ticket> end(const NodeId& node, EndReason reason, string_view word, UnixTime now);
  Result<Ticket> hold(const NodeId& node, string_view word, UnixTime now);  // 0 ticket: it was held
  Result<Ticket> release(const NodeId& node, UnixTime now);                 // 0 ticket: it was not held
  // First success under a configuration is written; later ones only touch RAM (0 ticket), save one a week, so that
  // a device in use is not taken for a forgotten one after a restart. Durable devices only.
  Result<Ticket> accepted(const NodeId& node, uint32_t fingerprint, UnixTime now);

  // ---- commit, once a turn
  bool anything_staged() const;  // beside the batch that is being committed
  bool commit_wanted() const;    // and it is more than a few dates, which may wait
  bool committing() const;       // or a compaction lets no batch start for the moment
  // Hands the staged batch with its commit mark to the journal; not while committing(). On an error every
  // staged change is dropped and ticket_failed() tells so.
  Status commit();
  // Of the batch that was handed over, before its outcome is told: its ends, one after the other. from: 0 at first; the
  // views live until committed(). False: there is none left.
  bool next_end(uint32_t& from, EndOfDevice& end) const;
  // The journal's outcome of the batch: applied to the index, or dropped with everything that was staged behind it.
  void committed(Status outcome);
  Ticket committed_ticket() const;          // every ticket up to here was decided …
  bool ticket_failed(Ticket ticket) const;  // … and this says how: until the next failure, of every ticket

  // ---- maintenance: a slice of compaction, once a turn, behind commit(). See compaction.h.
  Maintenance maintain(Instant now, UnixTime wall);
  Instant maintenance_due() const;
  void request_compaction();  // now, however much is dead
  const Compaction& compaction() const;
  uint64_t log_bytes() const;

 private:
  RegistryInside* inside_;
};

}  // namespace tocsin
