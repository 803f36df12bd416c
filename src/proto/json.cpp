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

const json_t* json(const void* value) { return static_cast<const json_t*>(value); }

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

string_view JsonDocument::text(std::initializer_list<const char*> path) const { return find(path).text(); }

int64_t JsonDocument::number(std::initializer_list<const char*> path, int64_t fallback) const {
  return find(path).number(fallback);
}

JsonValue JsonDocument::find(std::initializer_list<const char*> path) const {
  JsonValue at = root();
  for (const char* key : path) at = at[key];
  return at;
}

// jansson answers nullptr or 0 for nullptr and for what is of another type.
JsonValue JsonValue::operator[](const char* key) const { return JsonValue(json_object_get(json(value_), key)); }
JsonValue JsonValue::item(size_t index) const { return JsonValue(json_array_get(json(value_), index)); }
size_t JsonValue::size() const { return json_array_size(json(value_)); }
bool JsonValue::is_object() const { return json_is_object(json(value_)); }

string_view JsonValue::text() const {
  const json_t* found = json(value_);
  return json_is_string(found) ? string_view{json_string_value(found), json_string_length(found)} : string_view{};
}

int64_t JsonValue::number(int64_t fallback) const {
  const json_t* found = json(value_);
  return json_is_integer(found) ? int64_t{json_integer_value(found)} : fallback;
}

}  // namespace tocsin
