// What the conf file says, as plain structs, one per section. Every default is
// the one of the annotated conf/tocsin.conf; what depends on other keys or on the
// environment is filled in by validate(). Large (about 100 KiB): it belongs into
// start-up memory, not on a stack of the loop.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/address_range.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "settings/listen.h"

namespace tocsin {

inline constexpr uint32_t sections_max = 32;     // provider sections
inline constexpr uint32_t provider_ids_max = 8;  // per section
inline constexpr uint32_t domains_max = 32;      // per list of domains
inline constexpr size_t path_bytes_max = 255;    // after resolution
inline constexpr size_t domain_bytes_max = 253;  // RFC 1035 §2.3.4, without the root's dot
inline constexpr size_t provider_id_bytes_max = 127;
inline constexpr size_t section_name_bytes_max = 32;
inline constexpr uint32_t modules_max = 8;  // per section
inline constexpr size_t module_bytes_max = 63;
inline constexpr uint32_t former_names_max = 4;  // per section
inline constexpr uint32_t private_ranges_max = 16;
inline constexpr size_t contact_bytes_max = 255;

// Only for literals that are known to fit.
template <size_t capacity>
FixedText<capacity> fixed_text(string_view literal) {
  FixedText<capacity> text;
  GW_CHECK(text.assign(literal));
  return text;
}

// At most capacity items, by value.
template <class T, uint32_t capacity>
struct FixedList {
  T items[capacity];
  uint32_t count = 0;
  // nullptr when it is full.
  [[nodiscard]] T* add() { return count == capacity ? nullptr : &items[count++]; }
  bool empty() const { return count == 0; }
  T* begin() { return items; }
  T* end() { return items + count; }
  const T* begin() const { return items; }
  const T* end() const { return items + count; }
  T& operator[](uint32_t i) { return items[i]; }
  const T& operator[](uint32_t i) const { return items[i]; }
};

using Path = FixedText<path_bytes_max>;
// What `tocsin setup apns` writes where only the operator knows; `check` calls it missing.
inline constexpr string_view placeholder_team_id = "YOURTEAMID";
inline constexpr string_view placeholder_topic = "your.bundle.id";
using Domain = FixedText<domain_bytes_max>;  // ASCII letters in lower case
using DomainList = FixedList<Domain, domains_max>;
using ProviderIds = FixedList<FixedText<provider_id_bytes_max>, provider_ids_max>;

// What the process's environment contributes; main reads it, everything else is pure.
struct Environment {
  string_view conf;                   // $TOCSIN_CONF
  string_view state_directory;        // $STATE_DIRECTORY: a list by colons, the first counts
  string_view credentials_directory;  // $CREDENTIALS_DIRECTORY
};

inline HostPort host_and_port(string_view host, uint16_t port) {
  HostPort both;
  GW_CHECK(both.host.assign(host));
  both.port = port;
  return both;
}

struct XmppSettings {
  HostPort server = host_and_port("127.0.0.1", 5347);
  Domain domain;
  FixedText<256> secret;  // from the conf, or by the loader from secret_file
  Path secret_file;       // empty: secret stands in the conf
  bool allow_cleartext = false;
  DomainList accounts;  // "*" alone: everybody; never empty after validate()
  DomainList publishers;
  uint32_t max_stanza_bytes = 64 * 1024;

  bool all_accounts() const { return accounts.count == 1 && accounts[0].view() == "*"; }
};

struct StateSettings {
  Path directory;  // never empty after validate()
};

inline constexpr Duration expire_after_min = days(30);
struct RegistrySettings {
  Path path;  // whole path after validate(): in the state directory unless it is absolute
  uint32_t max_devices = 1000;
  Duration expire_after{};  // 0: never; else at least expire_after_min
};

struct LimitSettings {
  uint32_t max_inflight = 64;
  uint32_t max_pending = 256;
  uint32_t devices_per_account = 20;
  uint32_t brake_devices = 5;   // more drops than these …
  uint32_t brake_percent = 10;  // … and than this share of a section within an hour are held instead
  uint32_t device_burst = 10;
  Duration device_interval = seconds(5);  // 0: no limit
  uint32_t domain_burst = 200;
  Duration domain_interval = milliseconds(20);  // 0: no limits by publisher
};

struct LogTarget {
  enum class Kind : uint8_t { standard_error, syslog, file };
  Kind kind = Kind::standard_error;
  Path path;  // Kind::file
};
enum class Timestamps : uint8_t { automatic, yes, no };

struct LogSettings {
  Level level = Level::info;
  LogTarget to;
  Timestamps timestamps = Timestamps::automatic;
};

enum class SecretModes : uint8_t { strict, warn };

struct ProcessSettings {
  SecretModes secret_modes = SecretModes::strict;
};

enum class ApnsEnvironment : uint8_t { production, sandbox };
enum class ApnsPayload : uint8_t { tigase, wake };
enum class EmptyPush : uint8_t { high, normal, drop };
enum class SectionDialect : uint8_t { unsaid, p2 };
using Modules = FixedList<FixedText<module_bytes_max>, modules_max>;
using FormerNames = FixedList<FixedText<section_name_bytes_max>, former_names_max>;

// What every provider section has, whatever its kind.
struct ProviderSettings {
  FixedText<section_name_bytes_max> name;
  ProviderIds provider;
  FixedText<127> label;
  bool clear_text = false;
  EmptyPush empty = EmptyPush::normal;              // validate() makes it high for APNs' payload wake, unless it is set
  SectionDialect dialect = SectionDialect::unsaid;  // p2: takes register-push-… where there are several of its kind
  Modules modules;                                  // values of pushModule (fpush)
  HostPort endpoint;                                // empty host: the provider's own
  Path ca_file;                                     // empty: the system's store
  FormerNames formerly;  // whose devices are this section's; no other section has such a name
};

// [apns NAME]; everywhere else it is called apns/NAME.
struct ApnsSettings : ProviderSettings {
  Path key;  // empty: by certificate
  Path certificate;
  Path certificate_key;  // empty: it stands in the file of the certificate
  FixedText<10> key_id;
  FixedText<10> team_id;
  FixedText<155> topic;  // the length that Apple allows for a bundle id
  ApnsEnvironment environment = ApnsEnvironment::production;
  ApnsPayload payload = ApnsPayload::tigase;
  EmptyPush empty_wake = EmptyPush::high;  // for devices that are only woken: validate() copies empty if that is set
  FixedText<255> alert_title;
  FixedText<255> alert_body = fixed_text<255>("New message!");
  FixedText<127> sound = fixed_text<127>("default");
  FixedText<127> category;
};

// [fcm NAME]
struct FcmSettings : ProviderSettings {
  Path service_account;
  HostPort token_endpoint;  // empty host: that of the service account's token_uri
};

// [unifiedpush]: endpoints at the public_url of [listen].
struct UnifiedPushSettings {
  bool offered = false;        // the conf has the section; set by validate()
  DomainList accounts;         // narrows those of [xmpp]; empty: all of them
  Duration expiry = days(30);  // of an endpoint, from its last registration on
  uint32_t max_body = 4096;    // bytes of a post
  uint32_t endpoints_per_account = 50;
};

// [webpush]: one for all browsers and distributors. Its name is empty.
struct WebPushSettings : ProviderSettings {
  WebPushSettings() { clear_text = true; }  // it is sealed for the device
  FixedText<contact_bytes_max> contact;     // mailto: or https:
  Path vapid_key;                           // whole path after validate(), like the registry's
  FixedList<AddressRange, private_ranges_max> allow_private;
};

// [listen]: HTTPS for clients without a login.
struct ListenSettings {
  bool on = false;  // the conf has the section; set by validate()
  ListenAddresses address;
  Path certificate;
  Path key;
  bool tls = true;
  FileMode socket_mode{0660};
  FixedText<listen_url_bytes_max> public_url;  // https://host or https://host:port; never empty after validate() if on
  Forwarders forwarded_from = loopback_only();
  bool proxy_protocol = false;
  uint32_t max_connections = 64;
};

// [metrics]: how we are.
struct MetricsSettings {
  bool on = false;
  ListenAddresses address;
};

struct Settings {
  XmppSettings xmpp;
  StateSettings state;
  RegistrySettings registry;
  LimitSettings limits;
  LogSettings log;
  ProcessSettings process;
  ListenSettings listen;
  MetricsSettings metrics;
  UnifiedPushSettings unified_push;
  // Sections have one number for all kinds: first those of APNs, then those of FCM, each in the order of the conf; last
  // Web Push's, if there is one.
  FixedList<ApnsSettings, sections_max> apns;
  FixedList<FcmSettings, sections_max> fcm;
  FixedList<WebPushSettings, 1> webpush;

  uint32_t section_count() const { return apns.count + fcm.count + webpush.count; }
  bool is_apns(uint32_t number) const { return number < apns.count; }
  bool is_fcm(uint32_t number) const { return !is_apns(number) && number - apns.count < fcm.count; }
  bool is_webpush(uint32_t number) const { return number >= apns.count + fcm.count; }
  const FcmSettings& fcm_of(uint32_t number) const { return fcm[number - apns.count]; }
  const ProviderSettings& section(uint32_t number) const {
    if (is_apns(number)) return apns[number];
    if (is_webpush(number)) return webpush[0];
    return fcm_of(number);
  }
};

}  // namespace tocsin
