// Devices that were turned away, as the log tells of them: who comes once comes
// again, and with others, so each reason is said once an hour. Never an address
// or a token: whose it was stands in the XMPP server's log.
#pragma once

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "dialect/command.h"
#include "gateway/access.h"

namespace tocsin {

class Refusals {
 public:
  static constexpr Duration say_every = hours(1);

  // accounts: those of the conf, for the sentence that names them.
  void say(Log& log, const Command& command, Refusal refusal, std::span<const string_view> accounts, Instant now);

 private:
  static constexpr size_t dialects = static_cast<size_t>(DialectId::unified_push) + 1;
  static constexpr size_t id_bytes_max = 48;
  // True when it is time to say it; it then counts as said.
  bool due(DialectId dialect, Refusal refusal, string_view id, Instant now);
  static string_view fit_for_the_log(string_view id);

  Instant again_[dialects][refusal_count] = {};
  // Of provider ids four are told apart: an app that was set up wrongly shall not hide another one.
  FixedText<id_bytes_max> ids_[4];
  Instant ids_forgotten_{};
};

}  // namespace tocsin
