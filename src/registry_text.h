// The lines of `tocsin registry`: a device, an end, a loss. Pure.
#pragma once

#include "base/siphash.h"
#include "base/writer.h"
#include "registry/salvage.h"
#include "registry/survey.h"

namespace tocsin {

// What no line is longer than: three JIDs' worth of escapes and two tokens.
inline constexpr size_t registry_line_bytes_max = 48 * 1024;

struct DumpOptions {
  bool secrets = false;  // whole node, tokens, keys and the secret that publishers name
  bool has_key = false;  // the gateway's pseudonyms are known
  HashKey key;
};

// A device that is there. held: the record that holds it, nullptr when nothing does.
void write_device(Writer& out, const Surveyed& device, const Registration& registration, const Record* held,
                  const DumpOptions& options);
// One that ended. full: its newest full record, nullptr when the log has none any more.
void write_ended(Writer& out, const Record& ended, const Registration* full, const DumpOptions& options);

// "registered", "commit mark" …
string_view name_of(RecordKind kind);
// Sentences without a line's end, for Salvage's losses and notes about batches.
void write_loss(Writer& out, const Salvage::Piece& piece);
void write_batch_note(Writer& out, const Salvage::Piece& piece);

}  // namespace tocsin
