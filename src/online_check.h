// tocsin check --online: one harmless request to each provider, over the same
// connections, credentials, translators and judgements as the gateway's. It
// takes the place of Publish: nobody published anything, and nobody is rung.
//
//   APNs       a token of zeros, which is nobody's: BadDeviceToken is the right answer
//   FCM        an access token, and a message that is only to be validated
//   Web Push   has no service of its own: the key signs, and its signature verifies
#pragma once

#include "settings/exit_codes.h"
#include "wiring.h"

namespace tocsin {

class OnlineCheck final : public RequestSource {
 public:
  static constexpr Duration within = seconds(60);

  // What became of one section, for people: one line.
  struct Finding {
    bool known = false;
    int code = exit_code::ok;
    FixedText<900> text;  // "ok: …", or what is wrong and what to do next
  };

  OnlineCheck(Region& region, uint32_t sections, port::Port& port);
  static size_t bytes_for(uint32_t sections);

  // The wiring has this for its source, and every section is armed or off. Returns when all is known.
  void run(Wiring& wiring, const Settings& settings, const LoadedFiles& files);
  const Finding& finding(uint32_t section) const { return probes_[section].finding; }
  // Of the finding that is most to the point: the conf before the network before passing trouble.
  int code() const;

  // ---- RequestSource
  Instant wanted_at(const Lane& lane) const override;
  Push* next(Lane& lane, Instant now) override;
  void put_back(Push& push) override;
  void over(Push& push, Instant now, UnixTime wall) override;
  void lane_down(Lane& lane, string_view sentence, Instant until, Instant now) override;
  void lane_up(Lane&) override {}
  void lane_refused(Lane&, const char*, Instant) override {}  // only in pools, which nothing is sent to here
  void section_paused(uint8_t section, string_view reason, string_view advice, Duration pause, Instant now) override;

 private:
  // Sent once more where the first time proves nothing: an old connection, a token that a wrong clock made.
  static constexpr uint32_t tries_max = 3;
  struct Probe {
    Push push;
    uint32_t tries = 0;
    bool wanted = false;
    Finding finding;
  };
  bool prepare(Section& section);
  void turn(Instant deadline);
  void try_key(Probe& probe);
  string_view next_step(uint8_t section, string_view why) const;
  bool all_known() const;
  void judged(Probe& probe, const Reply& reply, const Verdict& verdict, Instant now, UnixTime wall);
  void again(Probe& probe, string_view why);
  void conclude(Probe& probe, int code, string_view what, string_view next);
  port::Port& port_;
  Wiring* wiring_ = nullptr;
  const Settings* settings_ = nullptr;
  const LoadedFiles* files_ = nullptr;
  uint32_t count_;
  Probe* probes_;
};

}  // namespace tocsin
