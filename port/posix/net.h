// Sockets through poll(2): TCP, non-blocking, no allocation. The set is rebuilt
// every turn, so there is nothing to unregister and nothing to forget.
#pragma once

#include "port/port.h"
#include "port/posix/resolver.h"
#include "port/posix/wake.h"

namespace tocsin::posix {

class PosixNet final : public port::Net {
 public:
  // Sockets that one wait may be given; more is a mistake of the wiring.
  static constexpr size_t interests_max = 1280;

  // wake ends a wait from outside; both outlive the net.
  PosixNet(Heap& resolver_heap, Wake& wake) : wake_(wake), resolver_(resolver_heap) {}

  Result<port::Handle> connect(const Address& address) override;
  Status connect_result(port::Handle socket) override;
  Result<size_t> receive(port::Handle socket, Bytes room) override;
  Result<size_t> send(port::Handle socket, ByteView bytes) override;
  void finish(port::Handle socket) override;
  void shut(port::Handle socket) override;
  Result<port::Handle> listen(const port::Door& door) override;
  Result<port::Accepted> accept(port::Handle listener) override;
  Result<uint32_t> lookup_start(string_view host, uint16_t port) override { return resolver_.start(host, port); }
  bool lookup_done(uint32_t ticket, port::Lookup& out) override { return resolver_.done(ticket, out); }
  void lookup_cancel(uint32_t ticket) override { resolver_.cancel(ticket); }
  void wait(std::span<port::Interest> interests, Instant until) override;

  Resolver& resolver() { return resolver_; }

 private:
  Wake& wake_;
  Resolver resolver_;
};

}  // namespace tocsin::posix
