#include "gateway/answers.h"

namespace tocsin {

Answer answer_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::delivered: return Answer::result;
    case Outcome::queued: return Answer::result;
    case Outcome::coalesced: return Answer::result;
    case Outcome::limited: return Answer::result;
    case Outcome::retry: return Answer::wait_unavailable;
    case Outcome::config: return Answer::wait_unavailable;
    case Outcome::refused: return Answer::wait_internal;
    case Outcome::busy: return Answer::wait_internal;
    case Outcome::dead: return Answer::gone;
    case Outcome::unknown: return Answer::gone;
    case Outcome::held: return Answer::wait_unavailable;
  }
  return Answer::wait_internal;
}

string_view verdict_word(Outcome outcome) {
  switch (outcome) {
    case Outcome::delivered: return "delivered";
    case Outcome::queued: return "queued";
    case Outcome::coalesced: return "coalesced";
    case Outcome::limited: return "limited";
    case Outcome::retry: return "retry";
    case Outcome::config: return "config";
    case Outcome::refused: return "refused";
    case Outcome::busy: return "retry";
    case Outcome::dead: return "dead";
    case Outcome::unknown: return "unknown";
    case Outcome::held: return "held";
  }
  return "unknown";
}

}  // namespace tocsin
