// XML text as the Stanza that the gateway would get: through the real component
// stream, with its framer, reader and limits.
#pragma once

#include "proto/stanza.h"

namespace tocsin::test {

// nullptr when the stream delivers nothing (not well-formed, a foreign element, a root tag over a
// limit). The last four stanzas stay valid, so that a question and its answer can be compared.
// bytes_max: where the stream stops reading and the stanza becomes odd.
const Stanza* try_stanza_of(string_view xml, size_t bytes_max = 64 * 1024);

// The same, but the test fails when there is no stanza.
const Stanza& stanza_of(string_view xml, size_t bytes_max = 64 * 1024);

}  // namespace tocsin::test
