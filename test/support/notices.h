// Publishes as a dialect has read them, for tests of what becomes of them.
#pragma once

#include "model/notice.h"

namespace tocsin::test {

inline Notice encrypted(Notice::Priority priority = Notice::Priority::unsaid) {
  Notice notice;
  notice.encrypted = true;
  notice.ciphertext = "pX3/+A==";
  notice.iv = "q83vASNFZ4mrze8B";
  notice.priority = priority;
  return notice;
}
inline Notice voip(Notice notice) {
  notice.voip = true;
  return notice;
}
// In clear. count: under 0, none is said.
inline Notice summary(int count, string_view sender, string_view body,
                      Notice::Priority priority = Notice::Priority::unsaid) {
  Notice notice;
  notice.has_count = count >= 0;
  notice.count = count >= 0 ? static_cast<uint32_t>(count) : 0;
  notice.sender = sender;
  notice.body = body;
  notice.priority = priority;
  return notice;
}

}  // namespace tocsin::test
