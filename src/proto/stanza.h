// One stanza as a tree in an arena: views into it are valid until the next feed
// of the stream that made it. Bounded in depth, elements, attributes and bytes.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tocsin {

struct Attribute {
  string_view name;   // local name
  string_view ns;     // "" for attributes without a prefix
  string_view value;  // unescaped
  Attribute* next = nullptr;
};

struct Element {
  string_view name;
  string_view ns;
  string_view text;  // character data before the first child; later text of mixed content is dropped
  Attribute* attributes = nullptr;
  Element* parent = nullptr;
  Element* first_child = nullptr;
  Element* last_child = nullptr;
  Element* next = nullptr;  // sibling

  // nullptr-safe walkers, so that a chain reads like a path.
  const Attribute* attribute(string_view wanted) const;  // without namespace
  string_view value(string_view wanted) const;           // "" when absent
  bool has(string_view wanted) const { return attribute(wanted) != nullptr; }
  const Element* child(string_view wanted, string_view wanted_ns) const;  // first such child
};

// jabber:client, jabber:server, jabber:component:accept and none are alike (servers differ).
bool is_stanza_namespace(string_view ns);

struct Stanza {
  const Element* root = nullptr;  // never nullptr in an event
  // Over a limit (bytes, depth, elements, attributes, arena): the tree holds what came
  // before; the rest was skipped. Attributes of the root are complete, or the stanza is not delivered.
  bool odd = false;
  size_t size = 0;  // bytes on the wire, skipped ones included
};

}  // namespace tocsin
