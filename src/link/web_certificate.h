// The certificate that the listener shows, and its files: read again once a minute and on HUP, for they are renewed
// every few weeks. A pair that is bad changes nothing but the log; of a good one the old connections hear nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "base/log.h"
#include "base/siphash.h"
#include "crypto/tls_server.h"
#include "mem/region.h"
#include "port/port.h"

namespace tocsin {

class ListenerLink;

struct WebCertificateOptions {
  const char* certificate = "";  // paths; outlive it
  const char* key = "";
  string_view domain;
};

class WebCertificate {
 public:
  static constexpr Duration look_every = minutes(1);
  static constexpr size_t heap_bytes = 2 * TlsServerCertificate::heap_bytes;
  static constexpr size_t scratch_bytes = 36 * 1024;

  // scratch: at least scratch_bytes, shared with others between calls.
  WebCertificate(Region& region, const WebCertificateOptions& options, Bytes scratch, port::Port& port, Log& log);
  void serve(ListenerLink& listener) { listener_ = &listener; }

  // At start. On an error problem() says why, key_is_wrong() which file.
  Status load(ByteView chain, ByteView key);
  const TlsServerCertificate& current() const { return pair_[which_]; }
  const TlsServerCertificate& tried() const { return pair_[tried_]; }

  void look_now() { look_at_ = Instant{}; }  // HUP
  void tick(Instant now);
  Instant due() const { return look_at_; }

 private:
  void look();
  void refuse(string_view problem);
  uint64_t fingerprint(ByteView chain, ByteView key) const;

  WebCertificateOptions options_;
  port::Port& port_;
  Log& log_;
  Bytes scratch_;
  Heap heap_0_;
  Heap heap_1_;
  TlsServerCertificate pair_[2];
  uint32_t which_ = 0;
  uint32_t tried_ = 0;
  ListenerLink* listener_ = nullptr;
  HashKey key_;           // of fingerprints
  uint64_t loaded_ = 0;   // fingerprint of the current pair …
  uint64_t refused_ = 0;  // … and of what was last refused, to say it once
  Instant look_at_{};
};

// Whether a certificate is of use for domain at this time: nullptr, or a sentence.
const char* fault_of_certificate(const TlsServerCertificate& certificate, string_view domain, UnixTime wall);

}  // namespace tocsin
