// One connection to a provider: socket, TLS, HTTP/2, stacked. It moves bytes
// and says what happened; which requests go over it, and when it is given up, is
// OriginLink's business.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "crypto/tls.h"
#include "port/port.h"
#include "proto/h2_client.h"

namespace tocsin {

// Shared by all connections of a gateway: nothing in it lives longer than a call.
struct LinkScratch {
  static constexpr size_t cipher_bytes = 64 * 1024;
  static constexpr size_t plain_bytes = 16 * 1024;
  Bytes cipher;
  Bytes plain;
};

class OriginConnection {
 public:
  enum class State : uint8_t { shut, connecting, handshaking, open, failed };
  // Room for three full records beyond what a socket took.
  static constexpr size_t output_bytes = 64 * 1024;

  OriginConnection(Region& region, Heap& tls_heap, Heap& h2_heap, port::Port& port, LinkScratch& scratch);

  Status connect(const Address& address, string_view host, const TlsRoots& roots, const H2Options& options,
                 Instant now);
  // To a peer that asks who we are; nullptr: nothing.
  void show(const ClientCertificate* certificate) { certificate_ = certificate; }
  void want(port::Interest& interest) const;
  // Reads and decrypts what is there; at most once around per turn.
  void receive(const port::Interest& ready, Instant now);
  // Encrypts and sends what wants to leave.
  void flush();
  // Ends it; exchanges that were open come out of http().next() afterwards.
  void shut();
  // shut() because of us: problem() says why, state() is failed.
  void give_up(string_view why);

  State state() const { return state_; }
  bool alive() const { return state_ != State::shut && state_ != State::failed; }
  H2Client& http() { return http_; }
  const H2Client& http() const { return http_; }
  const Address& address() const { return address_; }
  Instant heard() const { return heard_; }        // last bytes from the peer
  Instant deadline() const { return deadline_; }  // of what state() says, and of the first SETTINGS
  bool drained() const { return output_.empty() && !(state_ == State::open && http_.wants_write()); }
  // After failed: why, as a sentence without the host's name.
  string_view problem() const { return problem_.view(); }
  // The problem came after TCP was connected: it tells more than one that came before.
  bool was_connected() const { return was_connected_; }

 private:
  void fail(string_view why);
  void connected(Instant now);
  void decrypt(ByteView in);
  void encrypt();
  void send_waiting();
  Heap& tls_heap_;
  Heap& h2_heap_;
  port::Port& port_;
  LinkScratch& scratch_;
  ByteRing output_;
  TlsClient tls_;
  H2Client http_;
  State state_ = State::shut;
  port::Handle socket_ = port::no_handle;
  Address address_;
  const TlsRoots* roots_ = nullptr;
  const ClientCertificate* certificate_ = nullptr;
  FixedText<255> host_;
  H2Options options_;
  Instant heard_{};
  Instant deadline_ = Instant::never();
  bool was_connected_ = false;
  FixedText<400> problem_;
};

}  // namespace tocsin
