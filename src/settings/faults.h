// Everything that is wrong with the conf and the files it names, collected so
// that the operator sees all of it at once. Each fault is one sentence: where,
// what is wrong, what to do. No fault ever shows the value of a secret.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/writer.h"
#include "settings/exit_codes.h"

namespace tocsin {

enum class Weight : uint8_t {
  warning,       // worth a line
  provider_off,  // one provider section stays off, the gateway runs
  stop,          // the gateway does not start
};

struct Fault {
  Weight weight = Weight::stop;
  int exit_code = exit_code::conf;
  string_view text;  // "FILE:LINE: sentence", without newline
};

// A place in a conf file, or an override of the command line; line 0 leaves the line out.
struct Where {
  string_view file;
  uint32_t line = 0;
  bool option = false;  // shown as "-o FILE"
};

class Faults {
 public:
  static constexpr uint32_t faults_max = 64;

  Faults() = default;
  Faults(const Faults&) = delete;  // the faults point into texts_
  Faults& operator=(const Faults&) = delete;

  uint32_t count() const { return count_; }
  const Fault& operator[](uint32_t i) const { return faults_[i]; }
  // Found but not kept, because the list or its text was full.
  uint32_t unlisted() const { return unlisted_; }

  // The code of the first fault that counts, or exit_code::ok. `run` counts what
  // stops the gateway; `check` also what turns a provider off.
  int run_exit_code() const { return first_code(Weight::stop); }
  int check_exit_code() const { return first_code(Weight::provider_off); }

  void add(Weight weight, int exit_code, string_view text);

 private:
  int first_code(Weight least) const;

  Fault faults_[faults_max];
  uint32_t count_ = 0;
  uint32_t unlisted_ = 0;
  int unlisted_run_code_ = exit_code::ok;
  int unlisted_check_code_ = exit_code::ok;
  char texts_[16 * 1024];
  size_t texts_used_ = 0;
};

// Builds one fault and hands it over when it goes out of scope:
//   FaultLine(faults, where, Weight::stop, exit_code::conf).text("unknown key ").quoted(key);
class FaultLine {
 public:
  FaultLine(Faults& faults, Where where, Weight weight, int code);
  ~FaultLine();
  FaultLine(const FaultLine&) = delete;
  FaultLine& operator=(const FaultLine&) = delete;

  FaultLine& text(string_view words);
  FaultLine& number(uint64_t value);
  FaultLine& quoted(string_view theirs);     // words of the conf: in quotes, escaped, cut to 64 bytes
  FaultLine& path(string_view path);         // a file's name, whole, controls escaped
  FaultLine& command(string_view argument);  // an argument that a shell takes as it is
  FaultLine& at(Where where);                // FILE:LINE

 private:
  Faults* faults_;
  Weight weight_;
  int code_;
  uint8_t room_[1536];  // three paths and a sentence
  Writer out_;
};

void write_quoted(Writer& out, string_view theirs);
void write_path(Writer& out, string_view path);          // as FaultLine::path
void write_argument(Writer& out, string_view argument);  // as FaultLine::command

}  // namespace tocsin
