// A whole log written in one go: records in, batches with their marks out.
#pragma once

#include <cstdint>

#include "registry/journal.h"
#include "registry/staging.h"

namespace tocsin {

class Rewrite {
 public:
  // to is empty and takes every batch at once (append makes its size() grow). room starts at a multiple of
  // alignof(Change), has place for a record of any size and is no longer than a batch may be.
  Rewrite(Journal& to, const FileHeader& header, Bytes room) : to_(to), header_(header), staging_(room) {}

  Status add(const Record& record);
  // Ends the log with one more, empty, batch: nothing in front of it can be taken for a torn tail then. What is
  // written is as durable as the journal makes it.
  Status finish();

  uint64_t records() const { return records_; }
  uint64_t batches() const { return batches_; }

 private:
  Status write();

  Journal& to_;
  FileHeader header_;
  Staging staging_;
  uint64_t records_ = 0;
  uint64_t batches_ = 0;
};

}  // namespace tocsin
