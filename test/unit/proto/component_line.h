// A component stream with a server at the other end that says what a test wants, and
// the story of what came out of it.
#pragma once

#include <new>

#include "base/writer.h"
#include "proto/component.h"
#include "test/support/tests.h"
#include "test/unit/proto/stanzas.h"

namespace tocsin::test {

inline constexpr string_view publish =
    "<iq from='example.org' to='push.example.org' type='set' id='p1'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"
    "<publish node='n1'><item/></publish></pubsub></iq>";

alignas(64) inline uint8_t line_heap_room[96 * 1024];
alignas(64) inline uint8_t line_arena_room[192 * 1024];

// A stream with what it writes and the events it gave, in words.
struct Line {
  explicit Line(const ComponentOptions& options)
      : heap(Bytes(line_heap_room), "xml"),
        arena(Bytes(line_arena_room)),
        out(Bytes(out_room)),
        stream(heap, arena, out, options),
        story(Bytes(story_room)) {}
  Heap heap;
  Arena arena;
  uint8_t out_room[4096];
  ByteRing out;
  ComponentStream stream;
  uint8_t story_room[8192];
  Writer story;
  Instant now{1'000'000};

  void take_events() {
    ComponentEvent event;
    while (stream.next(event)) {
      switch (event.kind) {
        case ComponentEvent::Kind::challenge:
          story.text("challenge ").text(event.text).text("\n");
          stream.authenticate("0123456789abcdef0123456789abcdef01234567");
          break;
        case ComponentEvent::Kind::up: story.text("up\n"); break;
        case ComponentEvent::Kind::stanza:
          story.text(event.stanza.odd ? "odd " : "").text(event.stanza.root->name);
          story.text(" ").text(event.stanza.root->value("id")).text(" ").unsigned_number(event.stanza.size).text("\n");
          break;
        case ComponentEvent::Kind::ended:
          story.text(event.conflict ? "conflict " : "").text("ended ").text(event.text).text("\n");
          break;
      }
    }
  }
  void hear(string_view text, size_t chunk = 0) {
    while (!text.empty()) {
      const size_t size = chunk == 0 || chunk > text.size() ? text.size() : chunk;
      const size_t used = stream.feed(bytes_of(text).first(size), now);
      assert_true(used <= size);
      text.remove_prefix(used);
      const size_t told = story.size();
      take_events();
      assert_true(used == size || story.size() > told || story.overflowed());
    }
  }
  string_view said() {
    assert_true(out.front().size() == out.size());
    return text_of(out.front());
  }
  void forget() {
    story.rewind(0);
    out.clear();
  }
  void tick_at(Instant then) {
    now = then;
    stream.tick(now);
    take_events();
  }
};

inline ComponentOptions usual() { return {.domain = "push.example.org", .ping_to = "example.org"}; }

inline Line& new_line(const ComponentOptions& options = usual()) {
  alignas(Line) static uint8_t room[sizeof(Line)];
  static bool alive = false;
  Line* line = std::launder(reinterpret_cast<Line*>(room));
  if (alive) line->~Line();
  line = new (room) Line(options);
  alive = true;
  line->stream.open(line->now);
  return *line;
}

inline Line& new_line_that_is_up(const ComponentOptions& options = usual()) {
  Line& line = new_line(options);
  line.hear(stream_header);
  line.hear("<handshake/>");
  assert_true(line.stream.up());
  line.forget();
  return line;
}

inline void assert_text(string_view got, string_view wanted) {
  if (got == wanted) return;
  fail_msg("got:\n%.*s\nwanted:\n%.*s", static_cast<int>(got.size()), got.data(), static_cast<int>(wanted.size()),
           wanted.data());
}

}  // namespace tocsin::test
