#include "port/posix/resolver.h"

#include <ares.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/time.h>

#include "port/posix/hosts.h"

namespace tocsin::posix {

using port::Lookup;

namespace {

// RFC 1035 §2.3.4; what is longer can not be asked for.
constexpr size_t host_bytes_max = 255;
// One server that is silent costs 2 s, the third and last try of all ends after 14 s.
constexpr int try_ms = 2000;
constexpr int tries = 3;
// A ticket is the generation of a query above its index.
constexpr unsigned index_bits = 8;

Error error_of_library(int status) {
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA: return Error::not_found;
    case ARES_ETIMEOUT: return Error::timed_out;
    case ARES_ENOMEM: return Error::exhausted;
    case ARES_EBADNAME: return Error::malformed;
    default: return Error::unreachable;
  }
}

bool address_of(const ares_addrinfo_node& node, uint16_t port, Address& out) {
  out = Address{};
  out.port = port;
  if (node.ai_addr == nullptr) return false;
  if (node.ai_family == AF_INET && node.ai_addrlen >= static_cast<ares_socklen_t>(sizeof(sockaddr_in))) {
    out.family = Address::Family::v4;
    std::memcpy(out.bytes, &reinterpret_cast<const sockaddr_in*>(node.ai_addr)->sin_addr, 4);
    return true;
  }
  if (node.ai_family == AF_INET6 && node.ai_addrlen >= static_cast<ares_socklen_t>(sizeof(sockaddr_in6))) {
    out.family = Address::Family::v6;
    std::memcpy(out.bytes, &reinterpret_cast<const sockaddr_in6*>(node.ai_addr)->sin6_addr, 16);
    return true;
  }
  return false;
}

// RFC 6761 §6.3: always loopback. A minimal system may have no /etc/hosts that says so.
bool is_localhost(string_view host) {
  if (ends_with(host, ".")) host = slice(host, 0, host.size() - 1);
  constexpr string_view name = "localhost";
  if (host.size() < name.size() || !same_ignoring_case(slice(host, host.size() - name.size()), name)) return false;
  return host.size() == name.size() || host[host.size() - name.size() - 1] == '.';
}

}  // namespace

// The library's callbacks, which have its types in their signatures.
struct ResolverInside {
  static void on_answer(void* argument, int status, int, ares_addrinfo* answer) {
    auto& query = *static_cast<Resolver::Query*>(argument);
    Lookup& result = query.result;
    for (auto* node = answer == nullptr ? nullptr : answer->nodes; node != nullptr; node = node->ai_next) {
      // The order is by preference: whoever has tried addresses_max in vain stops trying.
      if (result.count == port::addresses_max) break;
      if (address_of(*node, query.port, result.addresses[result.count])) ++result.count;
    }
    if (answer != nullptr) ares_freeaddrinfo(answer);
    Error error = result.count > 0 ? Error::none : Error::not_found;
    if (status != ARES_SUCCESS) error = error_of_library(status);
    query.owner->end(query, error);
  }

  static void on_socket(void* argument, ares_socket_t descriptor, int readable, int writable) {
    auto& resolver = *static_cast<Resolver*>(argument);
    Resolver::Socket* place = nullptr;
    for (Resolver::Socket& s : resolver.sockets_) {
      if (s.descriptor == descriptor) place = &s;
      if (s.descriptor < 0 && place == nullptr) place = &s;
    }
    if (place == nullptr || (place->descriptor < 0 && !readable && !writable)) return;
    place->descriptor = readable || writable ? descriptor : -1;
    place->events = static_cast<short>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
  }
};

Resolver::Resolver(Heap& heap) : heap_(heap) {
  HeapScope scope(heap_);
  GW_CHECK(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS);
  for (Query& query : queries_) query.owner = this;
}

Resolver::~Resolver() {
  HeapScope scope(heap_);
  if (channel_ != nullptr) ares_destroy(channel_);
  ares_library_cleanup();
}

Result<uint32_t> Resolver::start(string_view host, uint16_t port) {
  if (tickets_ == port::Net::lookups_max) return Error::exhausted;
  uint32_t index = 0;
  while (index < queries_max && queries_[index].state != State::free) ++index;
  if (index == queries_max) return Error::exhausted;
  Query& query = queries_[index];
  query.generation = (query.generation + 1) & (UINT32_MAX >> index_bits);
  query.port = port;
  query.result = Lookup{};
  query.state = State::running;
  ++tickets_;
  ++running_;
  resolve(query, host);
  shut_channel_if_idle();
  return (query.generation << index_bits) | index;
}

void Resolver::resolve(Query& query, string_view host) {
  const Result<Address> literal = parse_ip(host, query.port);
  if (literal.ok()) {
    query.result.addresses[query.result.count++] = literal.value();
    return end(query, Error::none);
  }
  if (is_localhost(host)) {
    query.result.addresses[query.result.count++] = parse_ip("127.0.0.1", query.port).value();
    query.result.addresses[query.result.count++] = parse_ip("::1", query.port).value();
    return end(query, Error::none);
  }
  if (find_in_hosts(hosts_, host, query.port, query.result)) return end(query, Error::none);
  FixedText<host_bytes_max> name;
  if (host.empty() || host.find('\0') != string_view::npos) return end(query, Error::malformed);
  if (!name.assign(host)) return end(query, Error::too_long);
  const Error opened = open_channel();
  if (opened != Error::none) return end(query, opened);
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  HeapScope scope(heap_);
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, ResolverInside::on_answer, &query);
}

// Called by the library as well: it only records.
void Resolver::end(Query& query, Error error) {
  if (query.state == State::abandoned) {
    query.state = State::free;
    return;
  }
  GW_CHECK(query.state == State::running);
  // Starved of memory the library reports whatever it found last.
  query.result.error = error != Error::none && heap_.refused() > 0 ? Error::exhausted : error;
  query.state = State::ended;
  --running_;
  ended_ = true;
}

Error Resolver::open_channel() {
  if (channel_ != nullptr) return Error::none;
  heap_.forget_refusals();
  char order[] = "b";  // the name servers: /etc/hosts was asked already
  ares_options options{};
  options.timeout = try_ms;
  options.tries = tries;
  options.lookups = order;
  options.sock_state_cb = ResolverInside::on_socket;
  options.sock_state_cb_data = this;
  int given = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_QUERY_CACHE
  options.qcache_max_ttl = 0;
  given |= ARES_OPT_QUERY_CACHE;
#endif
  HeapScope scope(heap_);
  int status = ares_init_options(&channel_, &options, given);
  if (status != ARES_SUCCESS) {
    channel_ = nullptr;
  } else if (servers_ != nullptr) {
    status = ares_set_servers_ports_csv(channel_, servers_);
  }
  return status == ARES_SUCCESS ? Error::none : error_of_library(status);
}

void Resolver::shut_channel_if_idle() {
  if (channel_ == nullptr || running_ > 0) return;
  HeapScope scope(heap_);
  ares_destroy(channel_);  // ends what was abandoned
  channel_ = nullptr;
  // c-ares 1.34 loses a few blocks when it is starved. The heap is this channel's alone, so nothing points in.
  if (heap_.blocks() > 0) heap_.reset();
}

Resolver::Query& Resolver::query_of(uint32_t ticket) {
  const uint32_t index = ticket & ((1u << index_bits) - 1);
  GW_CHECK(index < queries_max);
  Query& query = queries_[index];
  GW_CHECK(query.generation == ticket >> index_bits);
  GW_CHECK(query.state == State::running || query.state == State::ended);
  return query;
}

bool Resolver::done(uint32_t ticket, Lookup& out) {
  Query& query = query_of(ticket);
  if (query.state != State::ended) return false;
  out = query.result;
  query.state = State::free;
  --tickets_;
  return true;
}

void Resolver::cancel(uint32_t ticket) {
  Query& query = query_of(ticket);
  if (query.state == State::running) {
    query.state = State::abandoned;
    --running_;
  } else {
    query.state = State::free;
  }
  --tickets_;
  shut_channel_if_idle();
}

size_t Resolver::watch(std::span<pollfd> room) const {
  size_t count = 0;
  for (const Socket& s : sockets_) {
    if (s.descriptor >= 0) room[count++] = pollfd{.fd = s.descriptor, .events = s.events, .revents = 0};
  }
  return count;
}

Instant Resolver::due(Instant now) {
  if (channel_ == nullptr) return Instant::never();
  HeapScope scope(heap_);
  timeval left{};
  if (ares_timeout(channel_, nullptr, &left) == nullptr) return Instant::never();
  // Never at once: a library that asks for that again and again must not keep us busy.
  const Duration wait = seconds(left.tv_sec) + microseconds(left.tv_usec);
  return now + (wait < milliseconds(1) ? milliseconds(1) : wait);
}

void Resolver::process(std::span<const pollfd> polled) {
  if (channel_ == nullptr) return;
  {
    HeapScope scope(heap_);
    for (const pollfd& p : polled) {
      if (p.revents == 0) continue;
      const bool trouble = (p.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
      ares_process_fd(channel_, trouble || (p.revents & POLLIN) ? p.fd : ARES_SOCKET_BAD,
                      p.revents & POLLOUT ? p.fd : ARES_SOCKET_BAD);
    }
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // timeouts
  }
  shut_channel_if_idle();
}

bool Resolver::take_ended() {
  const bool ended = ended_;
  ended_ = false;
  return ended;
}

}  // namespace tocsin::posix
