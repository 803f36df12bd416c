#include "proto/json.h"

#include <jansson.h>

namespace tocsin {

namespace {

constexpr unsigned depth_max = 32;

// jansson recurses up to 2,048 levels deep, which is a stack we did not plan for.
bool too_deep(string_view text) {
  unsigned depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > depth_max) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

const json_t* find(const void* root, std::initializer_list<const char*> path) {
  const json_t* at = static_cast<const json_t*>(root);
  for (const char* key : path) at = json_object_get(at, key);  // nullptr for null and for what is no object
  return at;
}

}  // namespace

void json_start(uint32_t seed) {
  json_object_seed(seed == 0 ? 1 : seed);  // 0 would make jansson look for randomness of its own
}

JsonDocument::~JsonDocument() { clear(); }

void JsonDocument::clear() {
  const HeapScope scope(heap_);
  json_decref(static_cast<json_t*>(root_));
  root_ = nullptr;
}

Status JsonDocument::parse(string_view text) {
  clear();
  if (too_deep(text)) return Error::malformed;
  const HeapScope scope(heap_);
  const uint32_t refused_before = heap_.refused();
  json_error_t error;
  root_ = json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, &error);
  if (root_ != nullptr) return {};
  const bool refused = heap_.refused() != refused_before || json_error_code(&error) == json_error_out_of_memory;
  return refused ? Error::exhausted : Error::malformed;
}

string_view JsonDocument::text(std::initializer_list<const char*> path) const {
  const json_t* found = find(root_, path);
  return json_is_string(found) ? string_view{json_string_value(found), json_string_length(found)} : string_view{};
}

int64_t JsonDocument::number(std::initializer_list<const char*> path, int64_t fallback) const {
  const json_t* found = find(root_, path);
  return json_is_integer(found) ? int64_t{json_integer_value(found)} : fallback;
}

}  // namespace tocsin
