#include "test/support/stanza_of.h"

#include <new>

#include "proto/component.h"
#include "test/support/tests.h"

namespace tocsin::test {

namespace {

constexpr string_view greeting =
    "<stream:stream id='s1' xmlns:stream='http://etherx.jabber.org/streams' from='push.example.org' "
    "xmlns='jabber:component:accept'><handshake/>";

alignas(64) uint8_t heap_room[4][448 * 1024];
alignas(64) uint8_t arena_room[4][384 * 1024];

struct Reading {
  explicit Reading(unsigned slot, size_t bytes_max)
      : heap(Bytes(heap_room[slot]), "xml"),
        arena(Bytes(arena_room[slot])),
        out(Bytes(out_room)),
        stream(heap, arena, out, {.domain = "push.example.org", .ping_to = "", .stanza_bytes_max = bytes_max}) {}
  Heap heap;
  Arena arena;
  uint8_t out_room[512];
  ByteRing out;
  ComponentStream stream;
  Stanza stanza;

  const Stanza* read(string_view xml) {
    stream.open(Instant{1});
    // Up to the first stanza and no further: feeding on would end its life.
    for (string_view rest : {greeting, xml}) {
      while (!rest.empty()) {
        rest.remove_prefix(stream.feed(bytes_of(rest), Instant{1}));
        ComponentEvent event;
        while (stream.next(event)) {
          if (event.kind == ComponentEvent::Kind::ended) return nullptr;
          if (event.kind == ComponentEvent::Kind::challenge) stream.authenticate("0");
          if (event.kind != ComponentEvent::Kind::stanza) continue;
          stanza = event.stanza;
          return rest.empty() ? &stanza : nullptr;
        }
      }
    }
    return nullptr;
  }
};

}  // namespace

const Stanza* try_stanza_of(string_view xml, size_t bytes_max) {
  alignas(Reading) static uint8_t room[4][sizeof(Reading)];
  static bool alive[4];
  static unsigned turn = 0;
  const unsigned slot = turn++ % 4;
  Reading* reading = std::launder(reinterpret_cast<Reading*>(room[slot]));
  if (alive[slot]) reading->~Reading();
  reading = new (room[slot]) Reading(slot, bytes_max);
  alive[slot] = true;
  return reading->read(xml);
}

const Stanza& stanza_of(string_view xml, size_t bytes_max) {
  const Stanza* stanza = try_stanza_of(xml, bytes_max);
  if (stanza == nullptr) fail_msg("no stanza: %.*s", static_cast<int>(xml.size()), xml.data());
  return *stanza;
}

}  // namespace tocsin::test
