// What the tests of framer, reader and component share: the golden stanzas as
// servers sent them (test/data/stanzas), and a rig with a heap and an arena.
#pragma once

#include "mem/heap.h"
#include "proto/component.h"
#include "proto/stanza.h"
#include "proto/xml_reader.h"

namespace tocsin::test {

// A stream header as ejabberd writes it.
inline constexpr string_view stream_header =
    "<?xml version='1.0'?><stream:stream id='5229835344934745366' xml:lang='en' "
    "xmlns:stream='http://etherx.jabber.org/streams' from='push.example.org' xmlns='jabber:component:accept'>";

// Calls visit for every stanza of test/data/stanzas/expected.txt with its file name, its
// bytes, and the tree as an independent parser sees it, one line per element.
void for_each_golden_stanza(void (*visit)(string_view name, string_view stanza, string_view tree));

// The same form as in expected.txt: dots for the depth, {ns}name, {ns}attribute=value …, |text,
// line ends as \n.
string_view dump(const Element& root, Bytes room);

// One heap, arena and reader at a time; another call builds everything anew.
inline constexpr size_t rig_heap_bytes = 96 * 1024;
struct Rig {
  explicit Rig(const XmlLimits& limits);
  Heap heap;
  Arena arena;
  XmlReader reader;
  // Reads one stanza fed in pieces of chunk bytes (0: whole); asserts that it is well-formed.
  Result<Stanza> read(string_view stanza, size_t chunk = 0);
};
Rig& new_rig(const XmlLimits& limits = {});  // its stream is open

// A small generator with a known seed.
struct Dice {
  uint64_t state;
  uint32_t roll(uint32_t sides) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>((state >> 33) % sides);
  }
};

}  // namespace tocsin::test
