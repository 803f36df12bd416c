// The part of the wiring that others connect to.
#include "wiring.h"

namespace tocsin {

static size_t body_bytes_max(const Settings& settings) {
  const size_t posted = settings.unified_push.offered ? settings.unified_push.max_body : 0;
  return posted > Forget::body_bytes_max ? posted : Forget::body_bytes_max;
}

ListenerOptions Wiring::public_listener(const Settings& settings) {
  const ListenSettings& listen = settings.listen;
  return {.name = "listen",
          .addresses = listen.address,
          .socket_mode = listen.socket_mode.bits,
          .connections = listen.max_connections,
          .forwarded_from = &listen.forwarded_from,
          .proxy_protocol = listen.proxy_protocol,
          .connection = {.tls = listen.tls, .body_bytes_max = body_bytes_max(settings)}};
}

ListenerOptions Wiring::metrics_listener(const Settings& settings) {
  return {.name = "metrics",
          .addresses = settings.metrics.address,
          .socket_mode = settings.listen.socket_mode.bits,
          .connections = 4,
          .connection = {.tls = false, .body_bytes_max = 0}};
}

void Wiring::wire_listeners(Region& region) {
  if (settings_.listen.on) {
    const ListenSettings& listen = settings_.listen;
    forget_.emplace(region, listen.max_connections, *enroll_, *registry_, *json_heap_, settings_.xmpp.domain.view());
    public_listener_.emplace(region, public_listener(settings_), port_, log_);
    listeners_[listener_count_++] = &*public_listener_;
    WebServices services{.forget = &*forget_, .relay = settings_.unified_push.offered ? &*relay_ : nullptr};
    if (listen.tls) {
      certificate_.emplace(region,
                           WebCertificateOptions{.certificate = listen.certificate.c_str(),
                                                 .key = listen.key.c_str(),
                                                 .domain = settings_.xmpp.domain.view()},
                           scratch_.cipher, port_, log_);
      certificate_->serve(*public_listener_);
      services.certificate = &*certificate_;
    }
    public_listener_->serve(services);
  }
  if (settings_.metrics.on) {
    health_.emplace(*component_, std::span<const Section>(sections_, section_count_));
    metrics_listener_.emplace(region, metrics_listener(settings_), port_, log_);
    listeners_[listener_count_++] = &*metrics_listener_;
    metrics_listener_->serve({.health = &*health_});
  }
  loop_.serve(std::span<ListenerLink*>(listeners_, listener_count_));
}

bool Wiring::arm_listener(const LoadedFiles& files, const char** culprit, const char** problem, const char** fault) {
  if (!certificate_ || files.listen.chain.empty() || files.listen.key.empty()) return true;
  if (!certificate_->load(files.listen.chain, files.listen.key).ok()) {
    *culprit = certificate_->tried().key_is_wrong() ? "key" : "certificate";
    *problem = certificate_->tried().problem();
    return false;
  }
  *culprit = "certificate";
  *fault = fault_of_certificate(certificate_->current(), settings_.xmpp.domain.view(), port_.clock.wall());
  return true;
}

Status Wiring::open_listeners(Writer& problem) {
  for (uint32_t i = 0; i < listener_count_; ++i) {
    if (const Status opened = listeners_[i]->open(problem, port_.clock.now()); !opened.ok()) return opened;
  }
  return {};
}

void Wiring::look_at_certificate() {
  if (certificate_) certificate_->look_now();
}

}  // namespace tocsin
