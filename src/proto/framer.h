// Finds where a stanza ends, byte by byte, without building anything: a lexical
// machine over tags, attribute values and character data. It counts bytes and
// depth so that a stanza over the limit can be skipped without being parsed.
// Framer and expat disagree → expat decides; only XML that is not well-formed
// closes the stream.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tocsin {

class Framer {
 public:
  enum class Found : uint8_t {
    more,          // the whole input belongs to what is open
    stream_open,   // the stream's start tag ended; the XML declaration and blanks before it are part of the step
    blank,         // white space between stanzas (keep-alive)
    stanza,        // a child of the stream ended
    stream_close,  // </stream:stream>, or a stream tag that closes itself
    forbidden,     // <!-- <!DOCTYPE, <? after the start (RFC 6120 §11.1), anything but blanks between
                   // stanzas (§11.7), and all that follows the end of the stream
  };
  struct Step {
    size_t used = 0;  // bytes of the input that belong to this step
    Found found = Found::more;
  };
  // Looks at input from its front up to the first thing found. A step holds bytes of
  // one thing only: blanks and stanzas never share one.
  Step feed(ByteView in);
  size_t stanza_bytes() const { return stanza_bytes_; }  // of the stanza that is open or just ended
  uint32_t depth() const { return depth_; }              // open elements, the stream's included
  void reset();

 private:
  enum class State : uint8_t;
  Found tag_ended(bool empty);
  Found forbid();
  State state_{};
  uint32_t depth_ = 0;
  size_t stanza_bytes_ = 0;
  uint8_t quote_ = 0;
  uint8_t matched_ = 0;   // bytes seen of "[CDATA[", "]]" or "xml"
  bool closing_ = false;  // inside </…>
  uint8_t last_ = 0;      // the byte before this input
};

}  // namespace tocsin
