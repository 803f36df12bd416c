// One provider section of the conf at run time: its translator, its lanes, and
// what it knows of its own health.
#pragma once

#include <cstdint>

#include "base/text.h"
#include "base/time.h"
#include "crypto/p256.h"
#include "gateway/job.h"
#include "gateway/lane.h"
#include "push/provider.h"

namespace tocsin {

inline constexpr uint32_t section_count_max = 32;
inline constexpr uint32_t section_ids_max = 8;  // of one section
inline constexpr uint32_t section_modules_max = 8;
inline constexpr uint32_t lane_count_max = 16;  // of a pool

struct Section {
  string_view name;  // "apns/siskin"
  uint8_t number = 0;
  const Provider* provider = nullptr;
  string_view ids[section_ids_max];  // provider ids that clients name
  uint32_t id_count = 0;
  string_view modules[section_modules_max];  // fpush: values of pushModule whose tokens are this section's
  uint32_t module_count = 0;
  bool takes_service = false;  // the one section of its kind that register-push-… and v1-register-push find
  bool sandbox = false;        // of APNs: the environment for builds from Xcode
  uint32_t fingerprint = 0;
  // The same app in the other environment; itself: there is none. Of the two, production is named to clients.
  uint8_t partner = 0;
  bool second_choice = false;
  bool off = false;        // no usable credential: registrations yes, pushes no
  Instant paused_until{};  // configuration trouble: nothing is sent before
  std::span<Lane> lanes;   // one, or a pool
  // Web Push: every device names its origin, in a subscription whose keys are points of this curve.
  bool pooled = false;
  P256* curve = nullptr;

  // ---- held devices
  bool probe_now = false;       // the configuration may have changed: the next probe speaks for all
  const Push* probe = nullptr;  // to a held device, under way: one at a time
  Instant probe_after{};        // one held device may be tried from here on
  static constexpr Duration probe_every = days(1);
  UnixTime releasing{};        // not 0: all held devices are being released, a slice a turn, since then
  uint32_t release_left = 0;   // devices that were not looked at yet: those with lower numbers
  FixedText<64> hold_said[4];  // the reasons for which devices are held, as the log knows them …
  Instant say_hold_after{};    // … and when it is told again

  // ---- for judging
  // The two devices that were accepted last, newest first; accepted_at 0: none.
  NodeId accepted_node[2];
  Instant accepted_at[2] = {};
  Instant drops_since{};  // the hour in which drops are counted began
  uint32_t drops = 0;
  uint32_t stateless_accepted = 0;  // pushes to stateless devices in that hour: there is no count of such devices

  string_view kind() const { return slice(name, 0, name.find('/')); }  // "apns": what p2 calls the service
  bool has_module(string_view module) const;

  // Of the pool of jobs: those that wait for its pushes, and those of them whose lane is slow.
  uint32_t jobs() const;
  uint32_t slow_jobs(Instant now) const;

  void note_accepted(const NodeId& node, Instant now);
  // Another device was accepted within the last 24 hours.
  bool another_accepted(const NodeId& node, Instant now) const;
};

// Marks the sections that take services: of each kind the one that the conf says (takes_service is set), or the only
// one.
void choose_services(std::span<Section> sections);
// After that: there are some of this kind, and none takes its service.
bool is_undecided(std::span<const Section> sections, string_view kind);

}  // namespace tocsin
