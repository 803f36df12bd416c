#include "registry/rewrite.h"

namespace tocsin {

Status Rewrite::add(const Record& record) {
  const Change change{.node = record.node,
                      .key_hash = 0,
                      .account_hash = 0,
                      .at = 0,
                      .refreshed = 0,
                      .refreshed_before = 0,
                      .day_before = 0,
                      .kind = record.kind};
  if (!staging_.add(record, change)) {
    if (const Status written = write(); !written.ok()) return written;
    GW_CHECK(staging_.add(record, change));
  }
  ++records_;
  return {};
}

Status Rewrite::finish() {
  if (!staging_.empty()) {
    if (const Status written = write(); !written.ok()) return written;
  }
  return write();
}

Status Rewrite::write() {
  const uint64_t end = to_.size();
  const ByteView batch = staging_.close(end, batches_ + 1, header_);
  if (end + batch.size() > log_bytes_max) return Error::no_space;
  const Status written = to_.append(batch);
  staging_.clear();
  ++batches_;
  return written;
}

}  // namespace tocsin
