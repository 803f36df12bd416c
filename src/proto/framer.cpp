#include "proto/framer.h"

#include <array>

namespace tocsin {

enum class Framer::State : uint8_t {
  start,        // nothing seen yet: only here an XML declaration may begin
  start_open,   // the very first byte was '<'
  declaration,  // inside <?xml … ?>
  between,      // outside the stream, or in it between stanzas
  text,         // character data of a stanza
  open,         // behind '<'
  tag,          // inside a tag, outside of quotes
  quoted,       // inside an attribute value
  bang,         // behind "<!": only [CDATA[ may follow
  cdata,
  over,
};

namespace {

bool is_blank(uint8_t c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Where a tag stops being dull: its end, or an attribute value.
constexpr std::array<bool, 256> stops_in_tag = [] {
  std::array<bool, 256> stops{};
  stops['>'] = stops['"'] = stops['\''] = true;
  return stops;
}();

const uint8_t* find(const uint8_t* at, const uint8_t* end, uint8_t byte) {
  const void* hit = std::memchr(at, byte, static_cast<size_t>(end - at));
  return hit == nullptr ? end : static_cast<const uint8_t*>(hit);
}

}  // namespace

Framer::Step Framer::feed(ByteView in) {
  if (in.empty()) return {};
  const uint8_t* const begin = in.data();
  const uint8_t* const end = begin + in.size();
  const uint8_t* at = begin;
  Found found = Found::more;
  if (state_ == State::between) stanza_bytes_ = 0;
  while (at < end && found == Found::more) {
    switch (state_) {
      case State::text:
        at = find(at, end, '<');
        if (at == end) break;
        ++at;
        state_ = State::open;
        break;
      case State::open:
        closing_ = false;
        state_ = State::tag;
        if (*at == '/') {
          closing_ = true;
          ++at;
        } else if (*at == '!') {
          // CDATA is character data, so it has no place between stanzas.
          if (depth_ < 2) {
            found = forbid();
            break;
          }
          state_ = State::bang;
          matched_ = 0;
          ++at;
        } else if (*at == '?') {
          found = forbid();
        }
        break;
      case State::tag:
        if (closing_) {
          at = find(at, end, '>');
        } else {
          while (at < end && !stops_in_tag[*at]) ++at;
        }
        if (at == end) break;
        if (*at == '>') {
          const uint8_t before = at > begin ? at[-1] : last_;
          ++at;
          found = tag_ended(before == '/');
        } else {
          quote_ = *at++;
          state_ = State::quoted;
        }
        break;
      case State::quoted:
        at = find(at, end, quote_);
        if (at == end) break;
        ++at;
        state_ = State::tag;
        break;
      case State::between: {
        const uint8_t* const blanks = at;
        while (at < end && is_blank(*at)) ++at;
        if (depth_ == 1 && at > blanks) {
          found = Found::blank;
        } else if (at < end && *at == '<') {
          ++at;
          state_ = State::open;
        } else if (at < end) {
          found = forbid();
        }
        break;
      }
      case State::bang: {
        static constexpr char wanted[] = "[CDATA[";
        if (*at != static_cast<uint8_t>(wanted[matched_])) {
          found = forbid();
          break;
        }
        ++at;
        if (wanted[++matched_] == '\0') {
          state_ = State::cdata;
          matched_ = 0;
        }
        break;
      }
      case State::cdata:
        if (matched_ == 0) at = find(at, end, ']');
        if (at == end) break;
        if (*at == ']') {
          if (matched_ < 2) ++matched_;
        } else {
          if (matched_ == 2 && *at == '>') state_ = State::text;
          matched_ = 0;
        }
        ++at;
        break;
      case State::start:
        if (*at == '<') ++at;
        state_ = at > begin ? State::start_open : State::between;
        break;
      case State::start_open:
        state_ = State::open;
        if (*at == '?') {
          ++at;
          state_ = State::declaration;
          matched_ = 0;
        }
        break;
      case State::declaration: {
        static constexpr char wanted[] = "xml";
        if (matched_ < 3) {
          if (*at == static_cast<uint8_t>(wanted[matched_])) {
            ++matched_;
            ++at;
          } else {
            found = forbid();
          }
          break;
        }
        at = find(at, end, '>');
        if (at == end) break;
        if ((at > begin ? at[-1] : last_) == '?') state_ = State::between;
        ++at;
        break;
      }
      case State::over:
        at = end;
        found = Found::forbidden;
        break;
    }
  }
  const size_t used = static_cast<size_t>(at - begin);
  if (used > 0) last_ = at[-1];
  if (found != Found::blank) stanza_bytes_ = used > SIZE_MAX - stanza_bytes_ ? SIZE_MAX : stanza_bytes_ + used;
  return {used, found};
}

Framer::Found Framer::tag_ended(bool empty) {
  if (closing_) {
    if (depth_ == 0) return forbid();
    --depth_;
  } else if (!empty) {
    if (depth_ == UINT32_MAX) return forbid();
    ++depth_;
    state_ = depth_ == 1 ? State::between : State::text;
    return depth_ == 1 ? Found::stream_open : Found::more;
  }
  if (depth_ == 0) {
    state_ = State::over;
    return Found::stream_close;
  }
  state_ = depth_ == 1 ? State::between : State::text;
  return depth_ == 1 ? Found::stanza : Found::more;
}

Framer::Found Framer::forbid() {
  state_ = State::over;
  return Found::forbidden;
}

void Framer::reset() { *this = Framer(); }

}  // namespace tocsin
