#include "test/unit/proto/stanzas.h"

#include <cstdio>
#include <new>

#include "base/text.h"
#include "base/writer.h"
#include "test/support/tests.h"

namespace tocsin::test {

namespace {

alignas(64) uint8_t heap_room[rig_heap_bytes];
alignas(64) uint8_t arena_room[192 * 1024];
alignas(Rig) uint8_t rig_room[sizeof(Rig)];
bool rig_alive = false;

string_view load(const char* path, Bytes room) {
  FILE* file = std::fopen(path, "rb");
  if (file == nullptr) fail_msg("%s is missing; tests run from the top of the tree", path);
  const size_t size = std::fread(room.data(), 1, room.size(), file);
  std::fclose(file);
  assert_true(size < room.size());
  return text_of(room.first(size));
}

void write_line(string_view text, Writer& out) {
  for (const char c : text) {
    if (c == '\n') {
      out.text("\\n");
    } else {
      out.character(c);
    }
  }
}

void dump_into(const Element& element, unsigned depth, Writer& out) {
  for (unsigned i = 0; i < depth; ++i) out.character('.');
  out.text("{").text(element.ns).text("}").text(element.name);
  for (const Attribute* a = element.attributes; a != nullptr; a = a->next) {
    out.text(" {").text(a->ns).text("}").text(a->name).text("=");
    write_line(a->value, out);
  }
  out.text(" |");
  write_line(element.text, out);
  out.text("\n");
  for (const Element* e = element.first_child; e != nullptr; e = e->next) dump_into(*e, depth + 1, out);
}

}  // namespace

string_view dump(const Element& root, Bytes room) {
  Writer out{room};
  dump_into(root, 0, out);
  assert_false(out.overflowed());
  return out.view();
}

void for_each_golden_stanza(void (*visit)(string_view name, string_view stanza, string_view tree)) {
  static uint8_t list_room[64 * 1024];
  static uint8_t stanza_room[4096];
  string_view list = load("test/data/stanzas/expected.txt", Bytes(list_room));
  unsigned count = 0;
  while (starts_with(list, "== ")) {
    list.remove_prefix(3);
    const string_view name = take_until(list, '\n');
    const size_t next = list.find("\n== ");
    const string_view tree = slice(list, 0, next == string_view::npos ? list.size() : next + 1);
    list = slice(list, tree.size());
    char path[256];
    std::snprintf(path, sizeof path, "test/data/stanzas/%.*s", static_cast<int>(name.size()), name.data());
    visit(name, trim(load(path, Bytes(stanza_room))), tree);
    ++count;
  }
  assert_true(count >= 36);
}

Rig::Rig(const XmlLimits& limits)
    : heap(Bytes(heap_room), "xml"), arena(Bytes(arena_room)), reader(heap, arena, limits) {}

Rig& new_rig(const XmlLimits& limits) {
  Rig* rig = std::launder(reinterpret_cast<Rig*>(rig_room));
  if (rig_alive) rig->~Rig();
  rig = new (rig_room) Rig(limits);
  rig_alive = true;
  assert_true(rig->reader.open(bytes_of(stream_header)).ok());
  return *rig;
}

Result<Stanza> Rig::read(string_view stanza, size_t chunk) {
  reader.begin();
  while (!stanza.empty()) {
    const string_view part = slice(stanza, 0, chunk == 0 ? stanza.size() : chunk);
    stanza = slice(stanza, part.size());
    const Status read = reader.feed(bytes_of(part));
    if (!read.ok()) fail_msg("%s: %s", describe(read.error()), reader.problem());
  }
  return reader.finish();
}

}  // namespace tocsin::test
