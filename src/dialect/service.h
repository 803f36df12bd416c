// What the service tells about itself: made once from the conf, read by disco
// and by forms.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tocsin {

struct ProviderFacts {
  string_view id;     // "tigase:messenger:apns:1": disco feature and value of the form field
  string_view label;  // "My app (iPhone)", never empty
};

struct ServiceFacts {
  string_view domain;
  string_view name = "tocsin";
  string_view version;
  std::span<const ProviderFacts> providers{};  // in the order of the conf; sections that are off stay listed
  std::span<const string_view> services{};     // "apns", "fcm": what register-push-… finds a section for
  std::span<const string_view> undecided{};    // those that would find several, none of which the conf prefers
  bool unified_push = false;                   // endpoints may be registered
  string_view vapid_key{};  // base64url: Web Push is offered, and browsers subscribe with this; "" = it is not
};

inline bool has_web_push(const ServiceFacts& service) { return !service.vapid_key.empty(); }

inline bool has_service(const ServiceFacts& service, string_view name) {
  for (const string_view known : service.services) {
    if (known == name) return true;
  }
  return false;
}

inline bool is_undecided(const ServiceFacts& service, string_view name) {
  for (const string_view known : service.undecided) {
    if (known == name) return true;
  }
  return false;
}

// Sections may share an id (one app, two environments); clients are told of it once.
inline bool first_of_its_id(const ServiceFacts& service, size_t place) {
  for (size_t i = 0; i < place; ++i) {
    if (service.providers[i].id == service.providers[place].id) return false;
  }
  return true;
}

}  // namespace tocsin
