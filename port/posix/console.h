// Log lines to stderr, the system's log or a file; raw writes for the command
// line. A reader that is slow or gone costs lines, never time: what can not be
// taken at once is dropped, counted, and reported by event=log_dropped later.
#pragma once

#include "base/text.h"
#include "port/port.h"

namespace tocsin::posix {

struct ConsoleSettings {
  enum class To : uint8_t { standard_error, syslog, file };
  // automatic: not where the reader adds its own (systemd's journal, syslog).
  enum class Timestamps : uint8_t { automatic, yes, no };
  To to = To::standard_error;
  string_view path = {};  // of the file, or of syslog's socket (default /dev/log); copied
  Timestamps timestamps = Timestamps::automatic;
};

class PosixConsole final : public port::Console {
 public:
  PosixConsole() = default;
  ~PosixConsole();
  PosixConsole(const PosixConsole&) = delete;
  PosixConsole& operator=(const PosixConsole&) = delete;

  // From here on lines go where settings say. After an error (a file that can not be
  // opened, a path over path_bytes_max) they go where they went before.
  Status configure(const ConsoleSettings& settings);

  void log_line(Level level, string_view line) override;
  // The new file, or when it can not be opened the old one, and a line that says so.
  void reopen() override;
  void flush() override;
  // Lines below warn wait for flush() from here on: one system call for all of a turn's. For the
  // running gateway; everybody else's lines leave at once.
  void gather() { gathering_ = true; }

  // Text as it stands, for results and for errors on the command line. These
  // block until everything is written: not for the running gateway.
  Status out(string_view text);
  Status err(string_view text);
  bool err_is_terminal() const;

  static constexpr size_t path_bytes_max = 1023;

 private:
  using To = ConsoleSettings::To;

  // A pipe that poll() calls writable takes so many bytes at once, unmixed with others' (pipe(7)).
  static constexpr size_t gathered_bytes = 4096;

  bool write_line(Level level, string_view line);
  bool write_stream(string_view text);
  void stamp(Writer& out);
  void learn_descriptor();
  bool write_syslog(Level level, string_view time, string_view line);
  int open_syslog() const;
  bool report_dropped();

  To to_ = To::standard_error;
  bool timestamps_ = true;
  bool journal_ = false;  // stderr ends in systemd's journal: sd-daemon(3) priorities in front
  bool torn_ = false;     // the last write ended within a line
  int descriptor_ = 2;
  bool gathering_ = false;
  bool regular_ = false;  // a file that always takes what it is given
  uint64_t dropped_ = 0;
  uint32_t gathered_lines_ = 0;
  size_t gathered_ = 0;
  int64_t stamped_second_ = -1;  // the second that stamp_ shows
  FixedText<32> stamp_;
  char lines_[gathered_bytes];
  FixedText<path_bytes_max> path_;
};

// True when descriptor is the stream that $JOURNAL_STREAM names ("device:inode", systemd.exec(5)).
bool is_journal_stream(int descriptor, const char* journal_stream);

}  // namespace tocsin::posix
