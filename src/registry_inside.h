// The inside of `tocsin registry`: what registry_command.cpp (files,
// reading, printing), registry_look.cpp (verify, dump), registry_repair.cpp and
// registry_compact.cpp share. Nobody else includes this.
#pragma once

#include <optional>

#include "base/text.h"
#include "link/log_file.h"
#include "progress.h"
#include "registry/batch.h"
#include "registry/log_reader.h"
#include "registry/registry.h"
#include "registry/salvage.h"
#include "registry/survey.h"
#include "registry_command.h"
#include "registry_text.h"
#include "settings/settings.h"

namespace tocsin {

class RegistryCommand {
 public:
  RegistryCommand(const CommandLine& line, const RegistryTools& tools)
      : line_(line), tools_(tools), log_(tools.storage), progress_(tools.screen, tools.clock) {}
  int run();

 private:
  // Whole paths of the file and of what stands beside it; room for ".damaged-9" and the like.
  using Name = FixedText<path_bytes_max + 16>;
  // What a first reading found.
  struct Tally {
    FileHeader header;
    bool has_header = false;
    uint64_t batches = 0;
    uint64_t records[8] = {};  // by kind; [0] all
    uint64_t size = 0;
    uint64_t end = 0;    // behind the last verified mark: what follows is a torn tail
    uint32_t nodes = 0;  // full records and ends: at most so many nodes
  };
  static constexpr size_t scratch_bytes = 256 * 1024;
  static constexpr size_t output_bytes = 64 * 1024;
  static_assert(output_bytes > registry_line_bytes_max);

  int verify();
  int dump();
  int repair();
  int compact();

  // All answer an exit code, and have said why when it is not ok.
  int prepare();
  int name_beside(string_view ending, Name& out);
  int open();
  // Who has the lock, 0 nobody; takes it with `keep` when it is free and its file is there, or `make` is set.
  int ask_lock(bool keep, bool make, int64_t& holder);
  int refuse_held(int64_t holder, string_view why);
  Result<bool> read_through(LogReader& reader, Tally& tally);
  int read_through(Tally& tally);
  int judge_without_header();
  int take_survey(const Tally& tally);
  int dump_device(const Surveyed& node, const DumpOptions& options);
  int dump_end(const Surveyed& node, const DumpOptions& options);
  int read_record(uint64_t offset, size_t bytes, Bytes room, Record& out);
  void read_key(DumpOptions& options);
  int trouble_with_log(const LogReader& reader, Error error);

  // repair
  struct Salvaged {
    uint64_t records = 0;
    uint64_t unproven = 0;  // of these: in batches that are not whole
    uint64_t in_tail = 0;   // of these: behind the last mark
    bool lost = false;      // bytes that were acknowledged, as far as anybody can tell
  };
  Result<bool> anything_in_tail();
  int salvage(LogFile& to, Salvaged& found);
  int tell(const Salvage::Piece& piece);
  int write_batch(LogFile& to, Batch& batch);
  int check_repaired(const Name& name, const Salvaged& found, Tally& tally);
  int summarise(const Name& name, const Salvaged& found, const Tally& tally);

  int compact(Registry& registry);

  // Results: gathered in a buffer; end_line() ends one.
  Writer& text();
  int end_line();
  int flush();

  int fail(int code, string_view sentence);
  int cannot(string_view what, string_view path, Error error, int code);
  static int code_of(Error error, int otherwise);

  const CommandLine& line_;
  const RegistryTools& tools_;
  LogFile log_;
  Progress progress_;
  Name path_;
  Name lock_path_;
  Name directory_;
  port::Handle lock_ = port::no_handle;
  Bytes scratch_;
  Bytes record_room_[2];
  std::optional<Writer> output_;
  std::optional<Survey> survey_;
  uint64_t batches_written_ = 0;
};

}  // namespace tocsin
