// A browser's end of Web Push: opens what a push service was given, by RFC 8291 and
// 8188 as the receiver reads them. Of the sealing side nothing is used.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace tocsin::test {

// The receiver of RFC 8291, appendix A: its keys are those of web_push_words.h.
// Writes the plaintext into room. Error::denied: it is not for this receiver, or was altered; malformed: no such body.
Result<string_view> open_message(string_view body, Bytes room);

}  // namespace tocsin::test
