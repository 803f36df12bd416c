// logfmt lines, one per event: level=info event=NAME key=value …
// Peers' words are escaped and cut to 64 bytes. Never a token, secret, key, JID
// or body: a device appears as its pseudonym only.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/writer.h"

namespace tocsin {

enum class Level : uint8_t { error, warn, info, debug };

// Where finished lines go (the console port); line has no newline.
class LogSink {
 public:
  virtual void log_line(Level level, string_view line) = 0;

 protected:
  ~LogSink() = default;
};

class Log {
 public:
  Log(LogSink& sink, Level level) : sink_(&sink), level_(level) {}
  bool enabled(Level level) const { return level <= level_; }
  void set_level(Level level) { level_ = level; }
  LogSink& sink() const { return *sink_; }

 private:
  LogSink* sink_;
  Level level_;
};

// Builds one line and hands it over when it goes out of scope:
//   LogLine(log, Level::info, "push").field("id", id).field("ms", 12);
class LogLine {
 public:
  LogLine(Log& log, Level level, string_view event);
  ~LogLine();
  LogLine(const LogLine&) = delete;
  LogLine& operator=(const LogLine&) = delete;
  LogLine& field(string_view key, string_view value);  // our own or a peer's words: escaped, cut to 64 bytes
  LogLine& sentence(string_view key,
                    string_view value);  // our own words, cut to 400 bytes: what was wrong, where, what to do
  LogLine& field(string_view key, int64_t value);

 private:
  LogLine& keep(size_t before);  // the field written since, whole or not at all

  Log* log_;  // nullptr: the level is off
  Level level_;
  bool cut_ = false;  // a field did not fit and was left out: the line says so
  uint8_t room_[1024];
  Writer out_;
};

}  // namespace tocsin
