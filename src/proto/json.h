// Reading small JSON answers through jansson, inside a fenced heap. Writing is
// Writer::json; nothing of the library is visible here.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "base/bytes.h"
#include "base/result.h"
#include "mem/heap.h"

namespace tocsin {

// Once per process, inside the long-lived heap: the library's hash seed is process-wide.
void json_start(uint32_t seed);

// One value of a document, or none: what is absent or of another type is empty. Valid until the next parse.
class JsonValue {
 public:
  JsonValue() = default;
  JsonValue operator[](const char* key) const;  // of an object
  JsonValue item(size_t index) const;           // of an array
  size_t size() const;                          // items of an array, else 0
  string_view text() const;
  int64_t number(int64_t fallback) const;
  bool is_object() const;

 private:
  friend class JsonDocument;
  explicit JsonValue(const void* value) : value_(value) {}
  const void* value_ = nullptr;
};

class JsonDocument {
 public:
  explicit JsonDocument(Heap& heap) : heap_(heap) {}
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;
  ~JsonDocument();

  // An object or an array. Error::malformed, or exhausted when the fence was hit; the document is
  // empty then. Duplicate keys and depth over 32 are malformed.
  Status parse(string_view text);
  JsonValue root() const { return JsonValue(root_); }
  // By path of keys ("error", "status"); "" or fallback when absent or of another type.
  // Texts are valid until the next parse.
  string_view text(std::initializer_list<const char*> path) const;
  int64_t number(std::initializer_list<const char*> path, int64_t fallback) const;

 private:
  JsonValue find(std::initializer_list<const char*> path) const;
  void clear();

  Heap& heap_;
  void* root_ = nullptr;
};

}  // namespace tocsin
