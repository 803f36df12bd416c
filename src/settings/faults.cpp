#include "settings/faults.h"

#include <cstring>

#include "base/text.h"

namespace tocsin {

namespace {

constexpr size_t quoted_bytes_max = 64;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Terminals obey control characters, so none ever reaches one.
void write_escaped(Writer& out, string_view text) {
  for (char c : text) {
    if (is_control(c)) {
      const uint8_t byte = static_cast<uint8_t>(c);
      out.text("\\x").hex({&byte, 1});
    } else {
      if (c == '"' || c == '\\') out.character('\\');
      out.character(c);
    }
  }
}

bool needs_shell_quotes(string_view text) {
  for (char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                       c == '.' || c == '_' || c == '-' || c == '+' || c == '=' || c == ':' || c == '@' || c == ',';
    if (!plain) return true;
  }
  return text.empty();
}

}  // namespace

void write_quoted(Writer& out, string_view theirs) {
  const string_view shown = is_utf8(theirs) ? cut_utf8(theirs, quoted_bytes_max) : string_view("(not UTF-8)");
  out.character('"');
  write_escaped(out, shown);
  if (is_utf8(theirs) && shown.size() < theirs.size()) out.text("…");
  out.character('"');
}

void write_path(Writer& out, string_view path) {
  for (char c : path) out.character(is_control(c) ? '?' : c);
}

void write_argument(Writer& out, string_view argument) {
  if (starts_with(argument, "-")) out.text("./");  // else it would be taken for an option
  if (!needs_shell_quotes(argument)) {
    out.text(argument);
    return;
  }
  out.character('\'');
  for (char c : argument) {
    if (c == '\'')
      out.text("'\\''");
    else
      out.character(is_control(c) ? '?' : c);
  }
  out.character('\'');
}

void Faults::add(Weight weight, int code, string_view text) {
  if (count_ == faults_max || sizeof(texts_) - texts_used_ < text.size()) {
    ++unlisted_;
    if (weight >= Weight::stop && unlisted_run_code_ == exit_code::ok) unlisted_run_code_ = code;
    if (weight >= Weight::provider_off && unlisted_check_code_ == exit_code::ok) unlisted_check_code_ = code;
    return;
  }
  char* kept = texts_ + texts_used_;
  if (!text.empty()) std::memcpy(kept, text.data(), text.size());
  texts_used_ += text.size();
  faults_[count_++] = Fault{.weight = weight, .exit_code = code, .text = {kept, text.size()}};
}

int Faults::first_code(Weight least) const {
  for (uint32_t i = 0; i < count_; ++i)
    if (faults_[i].weight >= least) return faults_[i].exit_code;
  return least == Weight::stop ? unlisted_run_code_ : unlisted_check_code_;
}

FaultLine::FaultLine(Faults& faults, Where where, Weight weight, int code)
    : faults_(&faults), weight_(weight), code_(code), out_(Bytes(room_, sizeof(room_))) {
  at(where);
  out_.text(": ");
}

// An overflowing writer keeps what came before: a sentence that lost its end still names its place.
FaultLine::~FaultLine() { faults_->add(weight_, code_, out_.view()); }

FaultLine& FaultLine::text(string_view words) {
  out_.text(words);
  return *this;
}

FaultLine& FaultLine::number(uint64_t value) {
  out_.unsigned_number(value);
  return *this;
}

FaultLine& FaultLine::quoted(string_view theirs) {
  write_quoted(out_, theirs);
  return *this;
}

FaultLine& FaultLine::path(string_view path) {
  write_path(out_, path);
  return *this;
}

FaultLine& FaultLine::command(string_view argument) {
  write_argument(out_, argument);
  return *this;
}

FaultLine& FaultLine::at(Where where) {
  if (where.option) out_.text("-o ");
  path(where.file);
  if (where.line > 0) out_.character(':').unsigned_number(where.line);
  return *this;
}

}  // namespace tocsin
