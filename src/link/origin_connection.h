// One connection to a provider: socket, TLS, and HTTP/2 or HTTP/1.1, stacked. It
// moves bytes and says what happened; which requests go over it, and when it is
// given up, is OriginLink's business.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "crypto/tls.h"
#include "port/port.h"
#include "proto/h2_client.h"
#include "proto/http_client.h"

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
  struct Sizes {
    // Room for three full records beyond what a socket took; 0: this connection is never made.
    size_t output_bytes = 64 * 1024;
    size_t http1_head_bytes = 0;  // of a request over HTTP/1.1; 0: HTTP/2 alone is offered
  };

  OriginConnection(Region& region, const Sizes& sizes, Heap& tls_heap, Heap& h2_heap, port::Port& port,
                   LinkScratch& scratch);

  Status connect(const Address& address, string_view host, const TlsRoots& roots, const H2Options& options,
                 Instant now);
  // To a peer that asks who we are; nullptr: nothing.
  void show(const ClientCertificate* certificate) { certificate_ = certificate; }
  void want(port::Interest& interest) const;
  // Reads and decrypts what is there; at most once around per turn.
  void receive(const port::Interest& ready, Instant now);
  // Encrypts and sends what wants to leave.
  void flush();
  // Ends it; exchanges that were open come out of next() afterwards.
  void shut();
  // shut() because of us: problem() says why, state() is failed.
  void give_up(string_view why);

  State state() const { return state_; }
  bool alive() const { return state_ != State::shut && state_ != State::failed; }

  // ---- requests, as H2Client has them; HTTP/1.1 takes one at a time
  uint32_t room() const { return http1_chosen_ ? http1_.may_submit() : h2_.room(); }
  uint32_t in_flight() const { return http1_chosen_ ? (http1_open_ != nullptr ? 1 : 0) : h2_.in_flight(); }
  Status submit(std::span<const H2Header> headers, ByteView body, H2Exchange& exchange);
  void cancel(H2Exchange& exchange);
  H2Exchange* next();
  // Requests are welcome: HTTP/2's first SETTINGS came.
  bool welcome() const { return state_ == State::open && (http1_chosen_ || h2_.settings_seen()); }
  // It takes no requests any more; what is open may still be answered.
  bool spent() const { return http1_chosen_ ? http1_.spent() : h2_.going_away(); }
  // nullptr: HTTP/1.1, which knows no PING, no GOAWAY.
  H2Client* h2() { return http1_chosen_ ? nullptr : &h2_; }
  const H2Client* h2() const { return http1_chosen_ ? nullptr : &h2_; }
  // Over HTTP/1.1 what the last answer said; UINT32_MAX: nothing.
  uint32_t keep_alive_seconds() const { return http1_chosen_ ? http1_.keep_alive_seconds() : UINT32_MAX; }

  const Address& address() const { return address_; }
  Instant heard() const { return heard_; }        // last bytes from the peer
  Instant deadline() const { return deadline_; }  // of what state() says, and of the first SETTINGS
  bool drained() const { return output_.empty() && !(state_ == State::open && wants_write()); }
  // After failed: why, as a sentence without the host's name.
  string_view problem() const { return problem_.view(); }
  // The problem came after TCP was connected: it tells more than one that came before.
  bool was_connected() const { return was_connected_; }

 private:
  bool wants_write() const { return http1_chosen_ ? http1_.wants_write() : h2_.wants_write(); }
  Status open_http();
  Status feed(ByteView plain);
  Result<size_t> pull(Bytes room);
  const char* http_problem() const { return http1_chosen_ ? http1_.problem() : h2_.problem(); }
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
  H2Client h2_;
  HttpClient http1_;
  bool http1_offered_;
  bool http1_chosen_ = false;
  const H2Exchange* http1_open_ = nullptr;  // submitted, and not yet out of next()
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
