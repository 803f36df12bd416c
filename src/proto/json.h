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

class JsonDocument {
 public:
  explicit JsonDocument(Heap& heap) : heap_(heap) {}
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;
  ~JsonDocument();

  // An object or an array. Error::malformed, or exhausted when the fence was hit; the document is
  // empty then. Duplicate keys and depth over 32 are malformed.
  Status parse(string_view text);
  // By path of keys ("error", "status"); "" or fallback when absent or of another type.
  // Texts are valid until the next parse.
  string_view text(std::initializer_list<const char*> path) const;
  int64_t number(std::initializer_list<const char*> path, int64_t fallback) const;

 private:
  void clear();

  Heap& heap_;
  void* root_ = nullptr;
};

}  // namespace tocsin
