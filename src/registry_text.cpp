#include "registry_text.h"

#include <algorithm>

#include "base/calendar.h"
#include "base/encode.h"

namespace tocsin {
namespace {

constexpr int64_t year_10000_s = 253'402'300'800;
constexpr size_t node_bytes_shown = 4;  // of 16: enough to tell devices apart, too little to publish

void field(Writer& out, string_view key, string_view value) {
  if (!value.empty()) out.character(' ').text(key).character('=').logfmt(value, value.size());
}

void time_field(Writer& out, string_view key, UnixTime time) {
  out.character(' ').text(key).character('=');
  if (time.s < 0 || time.s >= year_10000_s) {
    out.number(time.s);  // no clock of ours ever said so
    return;
  }
  write_time(out, time.s);
  out.character('Z');
}

bool is_plain(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t c) { return c > 0x20 && c < 0x7f; });
}

// Tokens are text (FCM, endpoints) or bytes (APNs).
void token_field(Writer& out, string_view key, ByteView token) {
  if (token.empty()) return;
  if (is_plain(token)) return field(out, key, text_of(token));
  out.character(' ').text(key).text("_hex=").hex(token);
}

string_view name_of(EndReason reason) {
  switch (reason) {
    case EndReason::client: return "client";
    case EndReason::https: return "https";
    case EndReason::provider: return "provider";
    case EndReason::expiry: return "expiry";
    case EndReason::admin: return "admin";
    case EndReason::replaced: return "replaced";
  }
  return "unknown";
}

// The pseudonym is the one of the gateway's log (Publish::pseudonym).
void node_fields(Writer& out, const NodeId& node, const DumpOptions& options) {
  if (options.has_key) {
    uint8_t hash[8];
    put_u64(hash, siphash(options.key, node.view()));
    out.text(" device=").hex(ByteView(hash).first(5));
  }
  out.text(" node=");
  if (options.secrets) {
    out.base64url(node.view());
  } else {
    out.hex(node.view().first(node_bytes_shown)).text("...");
  }
}

}  // namespace

string_view name_of(RecordKind kind) {
  switch (kind) {
    case RecordKind::registered: return "registered";
    case RecordKind::changed: return "changed";
    case RecordKind::refreshed: return "refreshed";
    case RecordKind::accepted: return "accepted";
    case RecordKind::held: return "held";
    case RecordKind::released: return "released";
    case RecordKind::ended: return "ended";
    case RecordKind::mark: return "commit mark";
  }
  return "unknown";
}

void write_device(Writer& out, const Surveyed& device, const Registration& registration, const Record* held,
                  const DumpOptions& options) {
  const Registration& r = registration;
  out.text(held != nullptr ? "state=held" : "state=registered");
  node_fields(out, device.node, options);
  field(out, "account", r.account);
  field(out, "section", r.section);
  field(out, "provider", r.provider);
  field(out, "dialect", name_of(r.dialect));
  field(out, "channel", r.channel);
  time_field(out, "registered", r.registered);
  time_field(out, "refreshed", {device.refreshed});
  if (device.accepted_day != 0) {
    out.text(" accepted=");
    write_day(out, device.accepted_day);
  }
  if (device.accepted_under != 0) {
    uint8_t fingerprint[4];
    put_u32(fingerprint, device.accepted_under);
    out.text(" accepted_under=").hex(fingerprint);
  }
  if (held != nullptr) {
    field(out, "word", held->word);
    time_field(out, "since", held->time);
  }
  if (!options.secrets) return;
  token_field(out, "token", r.token);
  token_field(out, "second_token", r.second_token);
  token_field(out, "identity", r.identity);
  field(out, "secret", r.secret);
}

void write_ended(Writer& out, const Record& ended, const Registration* full, const DumpOptions& options) {
  const Registration& known = full != nullptr ? *full : ended.registration;
  out.text("state=ended");
  node_fields(out, ended.node, options);
  field(out, "account", known.account);
  field(out, "section", known.section);
  if (full != nullptr) time_field(out, "registered", full->registered);
  time_field(out, "ended", ended.time);
  field(out, "reason", name_of(ended.reason));
  field(out, "word", ended.word);
}

void write_loss(Writer& out, const Salvage::Piece& piece) {
  out.text("byte ").unsigned_number(piece.offset).text(": ");
  if (piece.tail && !piece.header) {
    out.text("left out ").unsigned_number(piece.length).text(" bytes behind the last commit mark, a torn end");
    return;
  }
  out.text("lost ").unsigned_number(piece.length).text(" bytes");
  if (piece.header) {
    out.text(", the header: the new file gets a creation id of its own");
    return;
  }
  if (piece.mark_only) {
    out.text(", the commit mark of batch ").unsigned_number(piece.number).text(": no record is lost by it");
    return;
  }
  if (piece.readable) {
    const Record& r = piece.record;
    out.text(", a record that reads, rightly or not: ").text(name_of(r.kind));
    field(out, "account", r.registration.account);
    field(out, "section", r.registration.section);
    field(out, "word", r.word);
    if (!r.full() && r.registration.account.empty()) out.text(" node=").hex(r.node.view().first(4)).text("...");
    time_field(out, "time", r.time);
  }
  if (piece.batches_lost == 1) out.text(", and the commit mark of batch ").unsigned_number(piece.number);
  if (piece.batches_lost > 1) {
    out.text(", and the commit marks of batches ").unsigned_number(piece.number).text(" to ");
    out.unsigned_number(piece.number + piece.batches_lost - 1);
  }
}

void write_batch_note(Writer& out, const Salvage::Piece& piece) {
  if (piece.batches_lost > 0) {
    out.text("batches ").unsigned_number(piece.number - piece.batches_lost).text(" to ").unsigned_number(piece.number);
    out.text(": not known how many of their records are lost");
    return;
  }
  out.text("batch ").unsigned_number(piece.number).text(": ");
  if (piece.records_lost == 0) {
    out.text("not known how many of its records are lost");
    return;
  }
  out.unsigned_number(piece.records_lost).text(" of its ").unsigned_number(piece.records).text(" records lost");
}

}  // namespace tocsin
