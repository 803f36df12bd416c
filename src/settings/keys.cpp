#include "settings/keys.h"

namespace tocsin {

namespace {

// A row names the member, whose type chooses the reader; and the section where the member is of a base of it.
template <auto member>
struct Owner;
template <class Section, class Field, Field Section::*member>
struct Owner<member> {
  using type = Section;
};
template <auto member>
bool into(void* section, const Reading& reading) {
  return read_value(reading, static_cast<typename Owner<member>::type*>(section)->*member);
}
template <class Section, auto member>
bool in(void* section, const Reading& reading) {
  return read_value(reading, static_cast<Section*>(section)->*member);
}

constexpr SectionRow sections[] = {
    {.kind = SectionKind::xmpp, .name = "xmpp"},
    {.kind = SectionKind::state, .name = "state"},
    {.kind = SectionKind::registry, .name = "registry"},
    {.kind = SectionKind::limits, .name = "limits"},
    {.kind = SectionKind::log, .name = "log"},
    {.kind = SectionKind::process, .name = "process"},
    {.kind = SectionKind::listen, .name = "listen"},
    {.kind = SectionKind::metrics, .name = "metrics"},
    {.kind = SectionKind::unifiedpush, .name = "unifiedpush"},
    {.kind = SectionKind::webpush, .name = "webpush"},
    {.kind = SectionKind::apns, .name = "apns", .named = true},
    {.kind = SectionKind::fcm, .name = "fcm", .named = true},
    {.kind = SectionKind::control, .name = "control", .later = true},
};

constexpr uint64_t kibi = 1024;
constexpr uint64_t mebi = kibi * kibi;
constexpr uint64_t day_ms = 86'400'000;

// clang-format off
constexpr KeyRow keys[] = {
    {SectionKind::xmpp, "server", Form::server, into<&XmppSettings::server>},
    {SectionKind::xmpp, "domain", Form::domain, into<&XmppSettings::domain>},
    {SectionKind::xmpp, "secret", Form::secret, into<&XmppSettings::secret>},
    {SectionKind::xmpp, "secret_file", Form::path, into<&XmppSettings::secret_file>},
    {SectionKind::xmpp, "allow_cleartext", Form::words, into<&XmppSettings::allow_cleartext>},
    {SectionKind::xmpp, "accounts", Form::accounts, into<&XmppSettings::accounts>},
    {SectionKind::xmpp, "publishers", Form::domains, into<&XmppSettings::publishers>},
    {SectionKind::xmpp, "max_stanza_bytes", Form::size, into<&XmppSettings::max_stanza_bytes>, 4 * kibi, 16 * mebi},

    {SectionKind::state, "directory", Form::path, into<&StateSettings::directory>},

    {SectionKind::registry, "path", Form::state_path, into<&RegistrySettings::path>},
    {SectionKind::registry, "max_devices", Form::number, into<&RegistrySettings::max_devices>, 1, 10'000'000},
    {SectionKind::registry, "expire_after", Form::duration, into<&RegistrySettings::expire_after>, 0, 3650 * day_ms},

    {SectionKind::limits, "max_inflight", Form::number, into<&LimitSettings::max_inflight>, 1, 4096},
    {SectionKind::limits, "max_pending", Form::number, into<&LimitSettings::max_pending>, 0, 65'536},
    {SectionKind::limits, "devices_per_account", Form::number, into<&LimitSettings::devices_per_account>, 1, 10'000},
    {SectionKind::limits, "brake_devices", Form::number, into<&LimitSettings::brake_devices>, 0, 10'000'000},
    {SectionKind::limits, "brake_percent", Form::number, into<&LimitSettings::brake_percent>, 0, 100},
    {SectionKind::limits, "device_burst", Form::number, into<&LimitSettings::device_burst>, 1, 1000},
    {SectionKind::limits, "domain_burst", Form::number, into<&LimitSettings::domain_burst>, 1, 1'000'000},
    {SectionKind::limits, "domain_interval", Form::duration, into<&LimitSettings::domain_interval>, 0, 3'600'000},
    {SectionKind::limits, "device_interval", Form::duration, into<&LimitSettings::device_interval>, 0, day_ms},

    {SectionKind::log, "level", Form::words, into<&LogSettings::level>},
    {SectionKind::log, "to", Form::log_target, into<&LogSettings::to>},
    {SectionKind::log, "timestamps", Form::words, into<&LogSettings::timestamps>},

    {SectionKind::process, "secret_modes", Form::words, into<&ProcessSettings::secret_modes>},

    {SectionKind::listen, "address", Form::text, into<&ListenSettings::address>},
    {SectionKind::listen, "certificate", Form::path, into<&ListenSettings::certificate>},
    {SectionKind::listen, "key", Form::path, into<&ListenSettings::key>},
    {SectionKind::listen, "tls", Form::words, into<&ListenSettings::tls>},
    {SectionKind::listen, "socket_mode", Form::text, into<&ListenSettings::socket_mode>},
    {SectionKind::listen, "public_url", Form::public_url, into<&ListenSettings::public_url>},
    {SectionKind::listen, "forwarded_from", Form::text, into<&ListenSettings::forwarded_from>},
    {SectionKind::listen, "proxy_protocol", Form::words, into<&ListenSettings::proxy_protocol>},
    {SectionKind::listen, "max_connections", Form::number, into<&ListenSettings::max_connections>, 4, connections_max},

    {SectionKind::metrics, "address", Form::text, into<&MetricsSettings::address>},

    {SectionKind::unifiedpush, "accounts", Form::domains, into<&UnifiedPushSettings::accounts>},
    {SectionKind::unifiedpush, "expiry", Form::duration, into<&UnifiedPushSettings::expiry>, 2 * day_ms, 365 * day_ms},
    {SectionKind::unifiedpush, "max_body", Form::size, into<&UnifiedPushSettings::max_body>, 4 * kibi, 64 * kibi},
    {SectionKind::unifiedpush, "endpoints_per_account", Form::number,
     into<&UnifiedPushSettings::endpoints_per_account>, 1, 10'000},

    {SectionKind::webpush, "provider", Form::provider_id, in<WebPushSettings, &WebPushSettings::provider>},
    {SectionKind::webpush, "label", Form::text, in<WebPushSettings, &WebPushSettings::label>},
    {SectionKind::webpush, "contact", Form::contact, in<WebPushSettings, &WebPushSettings::contact>},
    {SectionKind::webpush, "vapid_key", Form::state_path, in<WebPushSettings, &WebPushSettings::vapid_key>},
    {SectionKind::webpush, "clear_text", Form::words, in<WebPushSettings, &WebPushSettings::clear_text>},
    {SectionKind::webpush, "empty", Form::words, in<WebPushSettings, &WebPushSettings::empty>},
    {SectionKind::webpush, "allow_private", Form::ranges, in<WebPushSettings, &WebPushSettings::allow_private>},
    {SectionKind::webpush, "ca_file", Form::path, in<WebPushSettings, &WebPushSettings::ca_file>},

    {SectionKind::apns, "provider", Form::provider_id, in<ApnsSettings, &ApnsSettings::provider>},
    {SectionKind::apns, "label", Form::text, in<ApnsSettings, &ApnsSettings::label>},
    {SectionKind::apns, "key", Form::path, in<ApnsSettings, &ApnsSettings::key>},
    {SectionKind::apns, "key_id", Form::apple_id, in<ApnsSettings, &ApnsSettings::key_id>},
    {SectionKind::apns, "team_id", Form::apple_id, in<ApnsSettings, &ApnsSettings::team_id>},
    {SectionKind::apns, "topic", Form::topic, in<ApnsSettings, &ApnsSettings::topic>},
    {SectionKind::apns, "environment", Form::words, in<ApnsSettings, &ApnsSettings::environment>},
    {SectionKind::apns, "payload", Form::words, in<ApnsSettings, &ApnsSettings::payload>},
    {SectionKind::apns, "clear_text", Form::words, in<ApnsSettings, &ApnsSettings::clear_text>},
    {SectionKind::apns, "empty", Form::words, in<ApnsSettings, &ApnsSettings::empty>},
    {SectionKind::apns, "alert_title", Form::text, in<ApnsSettings, &ApnsSettings::alert_title>},
    {SectionKind::apns, "alert_body", Form::text, in<ApnsSettings, &ApnsSettings::alert_body>},
    {SectionKind::apns, "sound", Form::text, in<ApnsSettings, &ApnsSettings::sound>},
    {SectionKind::apns, "category", Form::text, in<ApnsSettings, &ApnsSettings::category>},
    {SectionKind::apns, "endpoint", Form::endpoint, in<ApnsSettings, &ApnsSettings::endpoint>},
    {SectionKind::apns, "ca_file", Form::path, in<ApnsSettings, &ApnsSettings::ca_file>},
    {SectionKind::apns, "certificate", Form::path, in<ApnsSettings, &ApnsSettings::certificate>},
    {SectionKind::apns, "certificate_key", Form::path, in<ApnsSettings, &ApnsSettings::certificate_key>},
    {SectionKind::apns, "dialect", Form::words, in<ApnsSettings, &ApnsSettings::dialect>},
    {SectionKind::apns, "modules", Form::module, in<ApnsSettings, &ApnsSettings::modules>},
    {SectionKind::apns, "formerly", Form::section_name, in<ApnsSettings, &ApnsSettings::formerly>},

    {SectionKind::fcm, "provider", Form::provider_id, in<FcmSettings, &FcmSettings::provider>},
    {SectionKind::fcm, "label", Form::text, in<FcmSettings, &FcmSettings::label>},
    {SectionKind::fcm, "service_account", Form::path, in<FcmSettings, &FcmSettings::service_account>},
    {SectionKind::fcm, "clear_text", Form::words, in<FcmSettings, &FcmSettings::clear_text>},
    {SectionKind::fcm, "empty", Form::words, in<FcmSettings, &FcmSettings::empty>},
    {SectionKind::fcm, "endpoint", Form::endpoint, in<FcmSettings, &FcmSettings::endpoint>},
    {SectionKind::fcm, "token_endpoint", Form::endpoint, in<FcmSettings, &FcmSettings::token_endpoint>},
    {SectionKind::fcm, "ca_file", Form::path, in<FcmSettings, &FcmSettings::ca_file>},
    {SectionKind::fcm, "dialect", Form::words, in<FcmSettings, &FcmSettings::dialect>},
    {SectionKind::fcm, "modules", Form::module, in<FcmSettings, &FcmSettings::modules>},
    {SectionKind::fcm, "formerly", Form::section_name, in<FcmSettings, &FcmSettings::formerly>},
};
// clang-format on

}  // namespace

std::span<const SectionRow> section_rows() { return sections; }
std::span<const KeyRow> key_rows() { return keys; }

const SectionRow* find_section(string_view name) {
  for (const SectionRow& row : sections)
    if (row.name == name) return &row;
  return nullptr;
}

const KeyRow* find_key(SectionKind section, string_view name) {
  for (const KeyRow& row : keys)
    if (row.section == section && row.name == name) return &row;
  return nullptr;
}

Place place_of_section(const Settings& settings, uint32_t number) {
  if (settings.is_apns(number)) return {.kind = SectionKind::apns, .index = number};
  if (settings.is_webpush(number)) return {.kind = SectionKind::webpush};
  return {.kind = SectionKind::fcm, .index = number - settings.apns.count};
}

void* struct_of(Settings& settings, Place place) {
  switch (place.kind) {
    case SectionKind::xmpp: return &settings.xmpp;
    case SectionKind::state: return &settings.state;
    case SectionKind::registry: return &settings.registry;
    case SectionKind::limits: return &settings.limits;
    case SectionKind::log: return &settings.log;
    case SectionKind::process: return &settings.process;
    case SectionKind::listen: return &settings.listen;
    case SectionKind::metrics: return &settings.metrics;
    case SectionKind::unifiedpush: return &settings.unified_push;
    case SectionKind::webpush: return &settings.webpush[0];
    case SectionKind::apns: return &settings.apns[place.index];
    case SectionKind::fcm: return &settings.fcm[place.index];
    default: return nullptr;
  }
}

void write_section(Writer& out, const Settings& settings, Place place) {
  out.character('[').text(section_rows()[static_cast<size_t>(place.kind)].name);
  if (place.kind == SectionKind::apns) out.character(' ').text(settings.apns[place.index].name.view());
  if (place.kind == SectionKind::fcm) out.character(' ').text(settings.fcm[place.index].name.view());
  out.character(']');
}

}  // namespace tocsin
