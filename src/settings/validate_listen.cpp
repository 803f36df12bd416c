// What belongs together in [listen] and [metrics].
#include "settings/validate.h"

namespace tocsin {

namespace {

constexpr Place listen_place{.kind = SectionKind::listen};
constexpr Place metrics_place{.kind = SectionKind::metrics};

void say_far(Faults& faults, Where where, const ListenAddress& address, string_view why) {
  uint8_t room[listen_path_bytes_max + 64];
  Writer name(room);
  write_listen_address(name, address);
  FaultLine(faults, where, Weight::stop, exit_code::conf).text("address: ").text(name.view()).text(why);
}

void validate_tls(const ListenSettings& listen, const Origins& origins, Faults& faults) {
  if (!listen.tls) {
    for (const ListenAddress& address : listen.address) {
      if (address.is_near() || address.kind == ListenAddress::Kind::systemd) continue;
      say_far(faults, origins.nearest(listen_place, "address"), address,
              " with tls = no would let everybody on the way read and forge; clear text is for 127.0.0.1, [::1] and "
              "unix: only, behind a reverse proxy");
    }
    for (const string_view key : {"certificate", "key"}) {
      if (!origins.has_key(listen_place, key)) continue;
      FaultLine(faults, origins.key(listen_place, key), Weight::warning, exit_code::conf)
          .text(key)
          .text(" is not used with tls = no: the reverse proxy has its own");
    }
    return;
  }
  for (const string_view key : {"certificate", "key"}) {
    if (origins.has_key(listen_place, key)) continue;
    FaultLine(faults, origins.section(listen_place), Weight::stop, exit_code::conf)
        .text("[listen] has no ")
        .text(key)
        .text(key == "key"
                  ? "; set it to the certificate's private key, such as privkey.pem"
                  : "; set it to the chain for domain, such as fullchain.pem, or behind a reverse proxy tls = no");
  }
}

}  // namespace

void validate_listen(Settings& settings, const Origins& origins, Faults& faults) {
  ListenSettings& listen = settings.listen;
  listen.on = origins.has_section(listen_place);
  settings.metrics.on = origins.has_section(metrics_place);
  if (settings.metrics.on) {
    if (!origins.has_key(metrics_place, "address"))
      FaultLine(faults, origins.section(metrics_place), Weight::stop, exit_code::conf)
          .text("[metrics] has no address; set it to 127.0.0.1:9180");
    for (const ListenAddress& address : settings.metrics.address) {
      if (!address.is_near() && address.kind != ListenAddress::Kind::systemd)
        FaultLine(faults, origins.key(metrics_place, "address"), Weight::warning, exit_code::conf)
            .text("address: everybody who reaches it may ask how the gateway is, unencrypted");
    }
  }
  if (!listen.on) return;
  if (!origins.has_key(listen_place, "address"))
    FaultLine(faults, origins.section(listen_place), Weight::stop, exit_code::conf)
        .text("[listen] has no address; set it to *:443, or behind a reverse proxy to 127.0.0.1:8085 with tls = no");
  validate_tls(listen, origins, faults);
  if (listen.public_url.empty()) {
    uint8_t room[listen_url_bytes_max];
    Writer url(room);
    url.text("https://").text(settings.xmpp.domain.view());
    GW_CHECK(!url.overflowed() && listen.public_url.assign(url.view()));
  }
}

}  // namespace tocsin
