// Name lookup through c-ares, of which no other file knows. The library runs on
// descriptors and times that PosixNet::wait polls; its callbacks only record.
//
// The library's state lives from the first lookup to the end of the last: idle,
// the heap is empty, no descriptor is open, and the next lookup reads
// resolv.conf anew, whatever the network did meanwhile.
#pragma once

#include <poll.h>

#include "base/text.h"
#include "mem/heap.h"
#include "port/port.h"

struct ares_channeldata;

namespace tocsin::posix {

class Resolver {
 public:
  // Descriptors the library may have open: two per name server. One that finds
  // no place is not watched; its query goes to the next server after a timeout.
  static constexpr uint32_t sockets_max = 16;
  // Room of the heap for lookups_max names at once; see the measurement in the test.
  static constexpr size_t heap_bytes = 416 * 1024;

  // heap belongs to the resolver alone and outlives it.
  explicit Resolver(Heap& heap);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // "192.0.2.1,[2001:db8::1]:5353" instead of the servers in resolv.conf; the
  // text lives as long as the resolver. nullptr: those in resolv.conf.
  void use_servers(const char* servers) { servers_ = servers; }
  // Another file than /etc/hosts, with the same lifetime.
  void use_hosts(const char* path) { hosts_ = path; }

  // As port::Net. Only a lack of tickets is an error here (Error::exhausted).
  Result<uint32_t> start(string_view host, uint16_t port);
  bool done(uint32_t ticket, port::Lookup& out);
  void cancel(uint32_t ticket);

  // ---- for PosixNet::wait ----
  // Writes what to poll for into room (at least sockets_max) and says how many.
  size_t watch(std::span<pollfd> room) const;
  // When process() must be called though no descriptor is ready.
  Instant due(Instant now);
  // Lets the library work on what poll() found.
  void process(std::span<const pollfd> polled);
  // True once after one or more lookups ended.
  bool take_ended();

 private:
  friend struct ResolverInside;
  enum class State : uint8_t { free, running, ended, abandoned };
  struct Query {
    Resolver* owner = nullptr;
    State state = State::free;
    uint32_t generation = 0;
    uint16_t port = 0;
    port::Lookup result;
  };
  struct Socket {
    int descriptor = -1;
    short events = 0;
  };
  // The library can not drop a single query: what was cancelled keeps its place until it ends.
  static constexpr uint32_t queries_max = 2 * port::Net::lookups_max;

  Query& query_of(uint32_t ticket);
  void resolve(Query& query, string_view host);
  void end(Query& query, Error error);
  Error open_channel();
  void shut_channel_if_idle();

  Heap& heap_;
  const char* servers_ = nullptr;
  const char* hosts_ = "/etc/hosts";
  ares_channeldata* channel_ = nullptr;
  uint32_t tickets_ = 0;  // given out: running or ended
  uint32_t running_ = 0;  // in the library and still wanted
  bool ended_ = false;
  Query queries_[queries_max];
  Socket sockets_[sockets_max];
};

}  // namespace tocsin::posix
