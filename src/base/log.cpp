#include "base/log.h"

namespace tocsin {

namespace {

constexpr size_t value_bytes_max = 64;
constexpr size_t sentence_bytes_max = 400;
constexpr string_view cut_mark = " cut=yes";

string_view name_of(Level level) {
  switch (level) {
    case Level::error: return "error";
    case Level::warn: return "warn";
    case Level::info: return "info";
    case Level::debug: return "debug";
  }
  return "unknown";
}

}  // namespace

LogLine::LogLine(Log& log, Level level, string_view event)
    : log_(log.enabled(level) ? &log : nullptr),
      level_(level),
      // The mark's room is kept back: a line that lost a field can always say so.
      out_(Bytes(room_, sizeof(room_)).first(sizeof(room_) - cut_mark.size())) {
  if (log_ == nullptr) return;
  out_.text("level=").text(name_of(level)).text(" event=").logfmt(event, value_bytes_max);
}

LogLine::~LogLine() {
  if (log_ == nullptr) return;
  size_t size = out_.size();
  if (cut_) {
    copy_bytes(room_ + size, bytes_of(cut_mark));
    size += cut_mark.size();
  }
  log_->sink().log_line(level_, {reinterpret_cast<const char*>(room_), size});
}

LogLine& LogLine::field(string_view key, string_view value) {
  if (log_ == nullptr) return *this;
  const size_t before = out_.size();
  out_.character(' ').text(key).character('=').logfmt(value, value_bytes_max);
  return keep(before);
}

LogLine& LogLine::sentence(string_view key, string_view value) {
  if (log_ == nullptr) return *this;
  const size_t before = out_.size();
  out_.character(' ').text(key).character('=').logfmt(value, sentence_bytes_max);
  return keep(before);
}

LogLine& LogLine::field(string_view key, int64_t value) {
  if (log_ == nullptr) return *this;
  const size_t before = out_.size();
  out_.character(' ').text(key).character('=').number(value);
  return keep(before);
}

LogLine& LogLine::keep(size_t before) {
  if (out_.overflowed()) {
    out_.rewind(before);
    cut_ = true;
  }
  return *this;
}

}  // namespace tocsin
