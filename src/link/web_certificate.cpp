#include "link/web_certificate.h"

#include "link/listener_link.h"
#include "link/pair_files.h"

namespace tocsin {

const char* fault_of_certificate(const TlsServerCertificate& certificate, string_view domain, UnixTime wall) {
  if (!certificate.covers(domain)) return "the certificate does not cover domain of [xmpp]; clients will refuse it";
  if (!plausible(wall)) return nullptr;
  if (certificate.ends() < wall.s) return "the certificate has expired; clients will refuse it";
  if (certificate.starts() > wall.s) return "the certificate is not valid yet; clients will refuse it";
  return nullptr;
}

WebCertificate::WebCertificate(Region& region, const WebCertificateOptions& options, Bytes scratch, port::Port& port,
                               Log& log)
    : options_(options),
      port_(port),
      log_(log),
      scratch_(scratch),
      heap_0_(region.carve(TlsServerCertificate::heap_bytes), "certificate"),
      heap_1_(region.carve(TlsServerCertificate::heap_bytes), "certificate"),
      look_at_(port.clock.now() + look_every) {
  GW_CHECK(scratch.size() >= scratch_bytes);
  port.entropy.fill(key_.bytes);
}

uint64_t WebCertificate::fingerprint(ByteView chain, ByteView key) const {
  return siphash(key_, chain) * 31 + siphash(key_, key);
}

Status WebCertificate::load(ByteView chain, ByteView key) {
  const uint32_t spare = current().loaded() ? 1 - which_ : which_;
  tried_ = spare;
  if (pair_[spare].loaded()) {
    if (listener_ != nullptr) listener_->shut_handshakes_with(pair_[spare]);
    pair_[spare].unload();
  }
  const Status loaded = pair_[spare].load(chain, key, spare == 0 ? heap_0_ : heap_1_, port_.entropy);
  if (!loaded.ok()) return loaded;
  which_ = spare;
  loaded_ = fingerprint(chain, key);
  return {};
}

void WebCertificate::tick(Instant now) {
  if (now < look_at_) return;
  look_at_ = now + look_every;
  look();
}

void WebCertificate::look() {
  uint8_t room[700];
  Writer problem(room);
  PairFiles files;
  if (!read_pair(options_.certificate, options_.key, scratch_, port_.storage, files, problem).ok()) {
    refuse(problem.view());
  } else if (const uint64_t now = fingerprint(files.chain, files.key); now != loaded_ && now != refused_) {
    if (load(files.chain, files.key).ok()) {
      refused_ = 0;
      const char* fault = fault_of_certificate(current(), options_.domain, port_.clock.wall());
      LogLine line(log_, fault == nullptr ? Level::info : Level::warn, "certificate_loaded");
      line.field("ends_in_days", (current().ends() - port_.clock.wall().s) / 86'400);
      if (fault != nullptr) line.sentence("check", fault);
    } else {
      problem.text(tried().key_is_wrong() ? options_.key : options_.certificate).text(": ").text(tried().problem());
      refuse(problem.view());
      refused_ = now;
    }
  } else if (now == loaded_) {
    refused_ = 0;  // whatever was wrong is mended
  }
  for (uint8_t& byte : scratch_.first(scratch_bytes)) const_cast<volatile uint8_t&>(byte) = 0;  // it held a key
}

// Once per condition.
void WebCertificate::refuse(string_view problem) {
  const uint64_t condition = siphash(key_, bytes_of(problem));
  if (condition == refused_) return;
  refused_ = condition;
  LogLine(log_, Level::warn, "certificate_refused")
      .sentence("reason", problem)
      .sentence("check", "the pair that was loaded before stays in use");
}

}  // namespace tocsin
