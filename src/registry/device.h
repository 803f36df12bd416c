// What RAM knows of a device, and why one ends. One Device is one slot of the
// index: its size is the price of a device (README.md does the sum).
#pragma once

#include <cstdint>

#include "base/time.h"
#include "model/node_id.h"

namespace tocsin {

enum class EndReason : uint8_t { client = 1, https = 2, provider = 3, expiry = 4, admin = 5, replaced = 6 };

// A pointer to one is valid until the next batch is applied (Registry::committed).
struct Device {
  static constexpr uint8_t no_section = 255;  // a section that is not in the conf

  NodeId node;
  uint32_t refreshed = 0;         // Unix seconds of the last registration, exact; read at start: 24 h newer
  uint32_t refreshed_stored = 0;  // the same as the disk knows it
  uint32_t accepted_under = 0;    // fingerprint of the configuration it was accepted under; 0 = never
  uint16_t accepted_day = 0;      // Unix day of the last accepted push; read at start: up to a week older
  uint8_t section = no_section;   // number given by Registry::sections

  // The registry's own: where the newest full record stands, and the index's links.
  uint8_t offset_high = 0;
  uint32_t offset_low = 0;
  uint32_t key_hash = 0;      // of (account, token)
  uint32_t account_hash = 0;  // of the account
  uint32_t next : 24 = 0;     // 1 + number of the next device with this account_hash, 0 = the last
  bool held : 1 = false;
  bool file : 1 = false;  // which of two files offset() is of, while a compaction takes the place of one

  uint64_t offset() const { return (uint64_t{offset_high} << 32) | offset_low; }
  void set_offset(uint64_t offset, bool in_file) {
    file = in_file;
    offset_high = static_cast<uint8_t>(offset >> 32);
    offset_low = static_cast<uint32_t>(offset);
  }
};
static_assert(sizeof(Device) == 48);

// Offsets have 40 bits: a log of 1 TiB.
inline constexpr uint64_t log_bytes_max = (uint64_t{1} << 40) - 1;

}  // namespace tocsin
