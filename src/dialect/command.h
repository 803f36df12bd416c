// What a stanza asks of the gateway, in the gateway's words. Views into the
// stanza that was read; they live as long as it does.
#pragma once

#include "base/bytes.h"
#include "model/notice.h"
#include "proto/stanza.h"

namespace tocsin {

// Bounds beyond which an IQ is answered `wait` straight from the stanza and nothing is kept of it.
inline constexpr size_t iq_id_bytes_max = 1023;
inline constexpr size_t jid_bytes_max = 3071;

// What an answer needs, byte for byte as received (unescaped; writers escape again).
struct IqHead {
  string_view id;
  string_view from;  // who asked; the answer goes to exactly this
  string_view to;    // we, as addressed; the answer comes from exactly this
};

struct Command {
  enum class Kind : uint8_t {
    ignore,    // message, presence, IQ result or error, IQ without from
    answered,  // the dialect wrote the whole answer
    publish,
    register_device,
    unregister_device,
  };
  Kind kind = Kind::ignore;
  IqHead iq;
  string_view session;  // ad-hoc sessionid to echo, or ""

  // publish
  string_view node;
  string_view secret;  // publish-options field `secret`, or ""
  Notice notice;

  // register_device, unregister_device
  string_view provider;
  string_view token;
  string_view second_token;
};

}  // namespace tocsin
