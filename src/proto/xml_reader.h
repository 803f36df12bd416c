// expat behind bounds: bytes of one stream in, one Stanza tree out. The parser
// is reused from stanza to stanza and renewed between two stanzas when its heap
// passes half its fence, because expat interns every name for ever (measured
// 12 KiB → 341 KiB over 2,000 stanzas with unique names). Reparse deferral is
// switched off: with it an IQ fed in two parts yields nothing until much more arrives.
//
// Namespaces are resolved here and not by expat: it copies and hashes the
// namespace once more for every prefixed attribute, so that one long xmlns:a in a
// stanza of 64 KiB costs megabytes; and it gives up on a prefix that nobody
// declared, which some servers pass on, so that a stranger could end our stream.
// Here such a name stays whole ("prefix:name", no namespace) and matches nothing.
#pragma once

#include <cstdint>

#include "base/arena.h"
#include "base/result.h"
#include "mem/heap.h"
#include "proto/stanza.h"

struct XML_ParserStruct;

namespace tocsin {

struct XmlLimits {
  uint32_t depth_max = 32;         // levels below the stanza's root; real publishes have 7
  uint32_t elements_max = 512;     // of a whole stanza
  uint32_t attributes_max = 1024;  // of a whole stanza, namespace declarations included
};

class XmlReader {
 public:
  // heap: this parser's fence; arena: where trees are built, rewound by begin().
  XmlReader(Heap& heap, Arena& arena, const XmlLimits& limits) : heap_(heap), arena_(arena), limits_(limits) {}
  XmlReader(const XmlReader&) = delete;
  XmlReader& operator=(const XmlReader&) = delete;
  ~XmlReader() { shut(); }

  // Begins a stream: root is its start tag as received (an XML declaration may stand
  // before it); namespaces declared there are inherited. header() then holds its
  // attributes until shut() or the next open(). Error::malformed; Error::too_long when
  // its attributes do not fit; Error::exhausted when the heap refused.
  Status open(ByteView root_tag);
  const Element* header() const;  // nullptr before open()
  void begin();                   // before each stanza: forget the last tree
  // Part of one stanza. Error::malformed: not well-formed, the stream can not go on.
  // Error::exhausted: heap refused; abandon() and skip the rest.
  Status feed(ByteView part);
  // After the last part: the tree. Error::malformed when the element is not complete;
  // Error::not_found when its root tag was over a limit: there is nothing to deliver.
  Result<Stanza> finish();
  // The stanza is too long and its rest is skipped unseen: what was read so far, odd.
  // The parser is renewed. Error::not_found when not even the root tag was complete;
  // Error::exhausted when the heap refuses even a fresh parser.
  Result<Stanza> abandon();
  void shut();
  uint32_t renewals() const { return renewals_; }
  const char* problem() const { return problem_; }  // expat's words for the last Error::malformed

 private:
  struct Callbacks;
  struct Scope;
  struct Binding;
  void forget();
  Status fresh();
  Status parse(ByteView part);
  bool worn() const;
  void free_parser();
  void start_tag(const char* name, const char** attributes);
  void end_tag();
  void characters(string_view part);
  void end_text();
  Scope* build(Arena& arena, Scope* outer, const char* name, const char** attributes);
  void stop(const char* problem);

  Heap& heap_;
  Arena& arena_;
  XmlLimits limits_;
  XML_ParserStruct* parser_ = nullptr;
  const char* problem_ = "";
  uint32_t renewals_ = 0;
  size_t parsed_ = 0;     // bytes this parser has seen
  bool stopped_ = false;  // by us: DOCTYPE, or more than one element

  // The stream's own tag lives as long as the stream, so apart from the arena.
  alignas(8) uint8_t stream_room_[3072];
  Scope* stream_ = nullptr;
  bool opening_ = false;

  // The stanza that is being read.
  Scope* root_ = nullptr;
  Scope* current_ = nullptr;   // innermost open element in the tree
  uint32_t level_ = 0;         // open elements, the stream's included
  uint32_t skipped_from_ = 0;  // level of the too deep element that is being passed over; 0: none
  uint32_t elements_ = 0;
  uint32_t attributes_ = 0;
  char* text_ = nullptr;  // of current_, growing at the arena's end
  size_t text_size_ = 0;
  bool text_over_ = false;  // current_ had a child: what follows is mixed content
  bool full_ = false;       // a limit was met: the tree does not grow any more
  bool odd_ = false;
  bool complete_ = false;
  size_t size_ = 0;
};

}  // namespace tocsin
