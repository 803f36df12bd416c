#include "proto/xml_reader.h"

#include <expat.h>

// Absent from expat before 2.6, present in Debian's patched 2.5.0: asked for at run time.
extern "C" __attribute__((weak)) XML_Bool XML_SetReparseDeferralEnabled(XML_Parser parser, XML_Bool enabled);

namespace tocsin {

struct XmlReader::Binding {
  string_view prefix;
  string_view uri;
  const Binding* outer;
};

// An element and what its names mean.
struct XmlReader::Scope : Element {
  string_view default_ns;
  const Binding* bindings = nullptr;  // innermost first
};

struct XmlReader::Callbacks {
  static void XMLCALL start(void* reader, const XML_Char* name, const XML_Char** attributes) {
    static_cast<XmlReader*>(reader)->start_tag(name, attributes);
  }
  static void XMLCALL end(void* reader, const XML_Char*) { static_cast<XmlReader*>(reader)->end_tag(); }
  static void XMLCALL text(void* reader, const XML_Char* part, int size) {
    static_cast<XmlReader*>(reader)->characters({part, static_cast<size_t>(size)});
  }
  // The framer lets no DOCTYPE pass; this is the second lock on the same door.
  static void XMLCALL doctype(void* reader, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    static_cast<XmlReader*>(reader)->stop("DOCTYPE is not allowed");
  }
  static void XMLCALL entity(void* reader, const XML_Char*, int, const XML_Char*, int, const XML_Char*, const XML_Char*,
                             const XML_Char*, const XML_Char*) {
    static_cast<XmlReader*>(reader)->stop("entity declarations are not allowed");
  }
};

namespace {

// Where malloc is the C library's the heap counts nothing: a parser is then worn after so many bytes.
constexpr size_t uncounted_bytes_max = 1024 * 1024;
// expat counts positions in a long, which has 32 bits on small devices.
constexpr size_t parsed_bytes_max = 1024 * 1024 * 1024;
// expat copies each part into a buffer of its own, which grows to twice the largest.
constexpr size_t part_bytes_max = 4096;

constexpr string_view xml_namespace = "http://www.w3.org/XML/1998/namespace";

bool take_prefix(string_view& name, string_view& prefix) {
  const void* colon = std::memchr(name.data(), ':', name.size());
  if (colon == nullptr) return false;
  const size_t size = static_cast<size_t>(static_cast<const char*>(colon) - name.data());
  prefix = {name.data(), size};
  name.remove_prefix(size + 1);
  return true;
}

}  // namespace

Status XmlReader::open(ByteView root_tag) {
  shut();
  if (Status made = fresh(); !made.ok()) return made;
  opening_ = true;
  const Status read = parse(root_tag);
  opening_ = false;
  Error error = read.error();
  if (read.ok() && level_ != 1) error = Error::malformed;
  if (error == Error::none && stream_ == nullptr) error = Error::too_long;
  if (error != Error::none) shut();
  return error;
}

const Element* XmlReader::header() const { return stream_; }

void XmlReader::begin() {
  arena_.rewind();
  forget();
}

void XmlReader::forget() {
  root_ = current_ = nullptr;
  skipped_from_ = elements_ = attributes_ = 0;
  text_size_ = 0;
  text_over_ = full_ = odd_ = complete_ = false;
  size_ = 0;
}

Status XmlReader::feed(ByteView part) {
  if (parser_ == nullptr) {
    if (Status made = fresh(); !made.ok()) return made;
  }
  size_ += part.size();
  return parse(part);
}

Result<Stanza> XmlReader::finish() {
  if (!complete_) {
    problem_ = "unclosed tag";
    return Error::malformed;
  }
  // A parser that can not be made now is tried again with the next stanza.
  if (worn() && fresh().ok()) ++renewals_;
  if (root_ == nullptr) return Error::not_found;
  return Stanza{.root = root_, .odd = odd_, .size = size_};
}

Result<Stanza> XmlReader::abandon() {
  if (Status made = fresh(); !made.ok()) return made.error();
  ++renewals_;
  if (root_ == nullptr) return Error::not_found;
  return Stanza{.root = root_, .odd = true, .size = size_};
}

void XmlReader::shut() {
  free_parser();
  stream_ = nullptr;
  forget();
}

// A parser that stands where stanzas begin. The real start tag was read once and is
// kept as a tree; the parser itself only needs to be inside of something.
Status XmlReader::fresh() {
  free_parser();
  heap_.forget_refusals();
  HeapScope scope(heap_);
  // Named here, the encoding is not the peer's to choose (RFC 6120 §11.6).
  parser_ = XML_ParserCreate("UTF-8");
  if (parser_ == nullptr) return Error::exhausted;
  if (XML_SetReparseDeferralEnabled != nullptr) XML_SetReparseDeferralEnabled(parser_, XML_FALSE);
  XML_SetUserData(parser_, this);
  XML_SetElementHandler(parser_, Callbacks::start, Callbacks::end);
  XML_SetCharacterDataHandler(parser_, Callbacks::text);
  XML_SetStartDoctypeDeclHandler(parser_, Callbacks::doctype);
  XML_SetEntityDeclHandler(parser_, Callbacks::entity);
  level_ = 0;
  parsed_ = 0;
  stopped_ = false;
  if (stream_ == nullptr) return {};
  const Status entered = parse(bytes_of("<stream>"));
  if (!entered.ok()) free_parser();
  return entered;
}

void XmlReader::free_parser() {
  if (parser_ == nullptr) return;
  HeapScope scope(heap_);
  XML_ParserFree(parser_);
  parser_ = nullptr;
}

bool XmlReader::worn() const {
  if (parsed_ > parsed_bytes_max) return true;
  return Heap::enforced() ? heap_.live() > heap_.size() / 2 : parsed_ > uncounted_bytes_max;
}

Status XmlReader::parse(ByteView part) {
  heap_.forget_refusals();
  HeapScope scope(heap_);
  while (!part.empty()) {
    const size_t size = part.size() < part_bytes_max ? part.size() : part_bytes_max;
    problem_ = "";
    parsed_ += size;
    if (XML_Parse(parser_, text_of(part).data(), static_cast<int>(size), XML_FALSE) != XML_STATUS_OK) {
      const XML_Error code = XML_GetErrorCode(parser_);
      if (*problem_ == '\0') problem_ = XML_ErrorString(code);
      return code == XML_ERROR_NO_MEMORY || heap_.refused() > 0 ? Error::exhausted : Error::malformed;
    }
    part = part.subspan(size);
  }
  return {};
}

// expat may still call back once for what it has begun, so stopped_ is asked there.
void XmlReader::stop(const char* problem) {
  problem_ = problem;
  stopped_ = true;
  XML_StopParser(parser_, XML_FALSE);
}

void XmlReader::start_tag(const char* name, const char** attributes) {
  if (stopped_) return;
  ++level_;
  if (level_ == 1) {
    Arena room{Bytes(stream_room_)};
    if (opening_) stream_ = build(room, nullptr, name, attributes);
    return;
  }
  if (opening_ || complete_) return stop("more than one element");
  end_text();
  if (full_ || skipped_from_ != 0) return;
  if (level_ > limits_.depth_max + 2) {
    odd_ = true;
    skipped_from_ = level_;
    return;
  }
  Scope* element = nullptr;
  if (elements_ < limits_.elements_max) {
    const size_t mark = arena_.used();
    element = build(arena_, current_ == nullptr ? stream_ : current_, name, attributes);
    if (element == nullptr) arena_.rewind(mark);
  }
  if (element == nullptr) {
    odd_ = full_ = true;
    return;
  }
  ++elements_;
  element->parent = current_;
  if (current_ == nullptr) {
    root_ = element;
  } else {
    (current_->last_child == nullptr ? current_->first_child : current_->last_child->next) = element;
    current_->last_child = element;
  }
  current_ = element;
  text_over_ = false;
}

void XmlReader::end_tag() {
  if (stopped_) return;
  if (--level_ == 0) return stop("stream closed inside a stanza");
  if (level_ == 1) complete_ = true;
  if (full_) return;
  if (skipped_from_ != 0) {
    if (level_ < skipped_from_) skipped_from_ = 0;
    return;
  }
  end_text();
  current_ = static_cast<Scope*>(current_->parent);
}

// expat hands text over in pieces (at line ends, entities and the ends of its input);
// nothing else is taken from the arena between two pieces, so they lie side by side.
void XmlReader::characters(string_view part) {
  if (stopped_ || text_over_ || full_ || skipped_from_ != 0 || current_ == nullptr) return;
  char* room = static_cast<char*>(arena_.take(part.size(), 1));
  if (room == nullptr) {
    odd_ = full_ = true;  // half a text would be taken for a whole one: the element keeps none
    return;
  }
  if (text_size_ == 0) text_ = room;
  std::memcpy(room, part.data(), part.size());
  text_size_ += part.size();
}

// A child begins or the element ends: its text is complete.
void XmlReader::end_text() {
  if (text_size_ > 0 && !full_) current_->text = {text_, text_size_};
  text_size_ = 0;
  text_over_ = true;
}

// The element with its attributes and namespaces, not yet in the tree; nullptr when
// it does not fit or has too many attributes.
XmlReader::Scope* XmlReader::build(Arena& arena, Scope* outer, const char* name, const char** attributes) {
  Scope* element = arena.make<Scope>();
  if (element == nullptr) return nullptr;
  if (outer != nullptr) {
    element->default_ns = outer->default_ns;
    element->bindings = outer->bindings;
  }
  Attribute** last = &element->attributes;
  bool prefixed = false;
  for (; *attributes != nullptr; attributes += 2) {
    if (++attributes_ > limits_.attributes_max) return nullptr;
    string_view key = attributes[0];
    const string_view value = attributes[1];
    if (key == "xmlns") {
      element->default_ns = arena.keep(value);
      if (element->default_ns.data() == nullptr) return nullptr;
      continue;
    }
    string_view prefix;
    if (take_prefix(key, prefix) && prefix == "xmlns") {
      Binding* binding = arena.make<Binding>();
      if (binding == nullptr) return nullptr;
      *binding = {arena.keep(key), arena.keep(value), element->bindings};
      if (binding->prefix.data() == nullptr || binding->uri.data() == nullptr) return nullptr;
      element->bindings = binding;
      continue;
    }
    prefixed = prefixed || prefix.data() != nullptr;
    Attribute* attribute = arena.make<Attribute>();
    if (attribute == nullptr) return nullptr;
    attribute->name = arena.keep(attributes[0]);
    attribute->value = arena.keep(value);
    if (attribute->name.data() == nullptr || attribute->value.data() == nullptr) return nullptr;
    *last = attribute;
    last = &attribute->next;
  }
  element->name = arena.keep(name);
  if (element->name.data() == nullptr) return nullptr;

  // A prefix may be declared behind the name that uses it, so meanings come last.
  const auto resolve = [element](string_view& whole, string_view& ns) {
    string_view local = whole;
    string_view prefix;
    if (!take_prefix(local, prefix)) return false;
    const Binding* binding = element->bindings;
    while (binding != nullptr && binding->prefix != prefix) binding = binding->outer;
    if (binding != nullptr || prefix == "xml") {
      ns = binding != nullptr ? binding->uri : xml_namespace;
      whole = local;
    }
    return true;
  };
  if (!resolve(element->name, element->ns)) element->ns = element->default_ns;
  if (prefixed) {
    for (Attribute* a = element->attributes; a != nullptr; a = a->next) resolve(a->name, a->ns);
  }
  return element;
}

}  // namespace tocsin
