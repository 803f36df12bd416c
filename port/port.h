// The whole contract between tocsin and the world. port/posix stands on
// sockets and files, port/sim on virtual time; src/link is the only caller.
//
// No call blocks, except Poller::wait and what is named "at start". No call
// allocates from a current Heap. Handles are small numbers of the port; a
// handle that was shut is never used again.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"

namespace tocsin::port {

using Handle = int32_t;
inline constexpr Handle no_handle = -1;

// ---- sockets and names -----------------------------------------------------

// What a link wants of its socket in this turn, and what it may do.
struct Interest {
  Handle socket = no_handle;
  bool read = false;
  bool write = false;
  bool can_read = false;   // set by wait: data, end of stream or an error is there
  bool can_write = false;  // set by wait: room, or connect_result is known
};

inline constexpr uint32_t addresses_max = 16;

// Where to listen.
struct Door {
  enum class Kind : uint8_t {
    tcp,        // address
    dual,       // both families at address.port, by one socket (IPv4 alone where the system has no IPv6)
    unix_path,  // a socket of the file system at path, with permissions mode
    handed,     // number `index` of those that the service manager opened and handed over (sd_listen_fds(3))
  };
  Kind kind = Kind::tcp;
  Address address{};
  const char* path = "";
  uint32_t mode = 0600;
  uint32_t index = 0;
};

struct Accepted {
  Handle socket = no_handle;
  Address peer;        // an IPv4 peer of a dual socket has its IPv4 address
  bool local = false;  // it came by a unix socket: peer says nothing
};

struct Lookup {
  Error error = Error::none;
  uint32_t count = 0;
  Address addresses[addresses_max];  // in the order of the resolver (RFC 6724)
};

class Net {
 public:
  // Starts a TCP connection (TCP_NODELAY set); wait for can_write, then ask connect_result.
  virtual Result<Handle> connect(const Address& address) = 0;
  virtual Status connect_result(Handle socket) = 0;
  // Error::again when nothing is there; 0 bytes mean end of stream.
  virtual Result<size_t> receive(Handle socket, Bytes room) = 0;
  // How many bytes were taken, possibly fewer; Error::again when none. Never raises SIGPIPE.
  virtual Result<size_t> send(Handle socket, ByteView bytes) = 0;
  // Ends what we send; what the peer sends still comes.
  virtual void finish(Handle socket) = 0;
  virtual void shut(Handle socket) = 0;

  // A socket that takes connections: can_read says that accept has one. At an IPv6 address only IPv6 comes. A unix
  // path whose listener died is taken over. Error::busy: somebody else listens there. Error::unreachable: no interface
  // has the address (yet). Error::denied: not allowed (ports under 1024, directories). Error::not_found: no directory,
  // or nothing of that index was handed over.
  virtual Result<Handle> listen(const Door& door) = 0;
  // TCP_NODELAY set. Error::again: nobody waits. Error::exhausted: the system has no descriptor left; who waits still
  // waits. Listeners are shut like sockets.
  virtual Result<Accepted> accept(Handle listener) = 0;

  // Name lookup, both families, uncached, at most lookups_max at once. host may be an
  // IP literal. The ticket is asked with lookup_done after every wait; a ticket ends
  // with lookup_done answering true or with lookup_cancel. Failures arrive as Lookup::error.
  static constexpr uint32_t lookups_max = 16;
  virtual Result<uint32_t> lookup_start(string_view host, uint16_t port) = 0;
  virtual bool lookup_done(uint32_t ticket, Lookup& out) = 0;
  virtual void lookup_cancel(uint32_t ticket) = 0;

  // Fills can_read and can_write of every interest with a socket. Returns when one of
  // them is set, a lookup or a sync ended, a signal came, or at `until`. Entries with
  // socket == no_handle are skipped.
  virtual void wait(std::span<Interest> interests, Instant until) = 0;

 protected:
  ~Net() = default;
};

// ---- files -----------------------------------------------------------------

enum class OpenMode : uint8_t {
  read,
  read_write,
  create,            // 0600, Error::exists if there
  create_for_group,  // the same, but 0640 whatever the umask
};

struct FileFacts {
  uint64_t size = 0;
  uint32_t mode = 0;  // permission bits, 07777
  bool directory = false;
  uint32_t owner = 0;  // the system's number of the user
};

class Storage {
 public:
  virtual Result<Handle> open(const char* path, OpenMode mode) = 0;
  virtual Result<FileFacts> facts(const char* path) = 0;
  virtual Result<uint64_t> size(Handle file) = 0;
  // Reads up to room.size() bytes; fewer only at the end of the file.
  virtual Result<size_t> read_at(Handle file, uint64_t offset, Bytes room) = 0;
  // All of it, or an error; after an error any part may have been written.
  virtual Status write_at(Handle file, uint64_t offset, ByteView bytes) = 0;
  virtual Status truncate(Handle file, uint64_t size) = 0;
  // Starts making everything written to the file durable; at most one at a time for
  // the whole Storage (Error::busy). Its completion ends Net::wait; sync_done then
  // answers true once, with the outcome.
  virtual Status sync_start(Handle file) = 0;
  virtual bool sync_done(Status& outcome) = 0;
  // The same for the names in a directory.
  virtual Status sync_directory_start(const char* path) = 0;
  // At start only, and after failures: these block.
  virtual Status sync_now(Handle file) = 0;
  virtual Status sync_directory(const char* path) = 0;
  virtual Status make_directory(const char* path) = 0;  // 0700; ok if it is there
  virtual Status replace(const char* from, const char* to) = 0;
  // One more name, `to`, for a file. Error::denied: the file system knows no such thing (FAT).
  virtual Status link(const char* from, const char* to) = 0;
  virtual Status remove(const char* path) = 0;
  // Exclusive lock that dies with the process; writes our pid into the file. Error::busy
  // with *holder set to the pid that has it (0 when unknown).
  virtual Result<Handle> lock(const char* path, int64_t* holder) = 0;
  virtual void shut(Handle file) = 0;
  // The same for a file whose last name is gone: the system takes its time to free a large one (50 ms for 300 MB),
  // which a port may spend elsewhere.
  virtual void shut_nameless(Handle file) { shut(file); }

 protected:
  ~Storage() = default;
};

// ---- the rest --------------------------------------------------------------

class Clock {
 public:
  virtual Instant now() = 0;
  virtual UnixTime wall() = 0;

 protected:
  ~Clock() = default;
};

// The system's cryptographic source: fill() never fails, without entropy the process must not go on.
class Entropy : public RandomSource {
 protected:
  ~Entropy() = default;
};

// Log lines; reopen() after the log file was rotated. Lines may be gathered until
// flush(), which ends every turn; warnings and errors leave at once.
class Console : public LogSink {
 public:
  virtual void reopen() = 0;
  virtual void flush() = 0;

 protected:
  ~Console() = default;
};

struct Port {
  Net& net;
  Storage& storage;
  Clock& clock;
  Entropy& entropy;
  Console& console;
};

}  // namespace tocsin::port
