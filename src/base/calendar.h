// Times as people read them.
#pragma once

#include <cstdint>

#include "base/writer.h"

namespace tocsin {

// RFC 3339 in UTC without fraction and zone: 2024-01-31T23:59:59. From 1970 to 9999.
void write_time(Writer& out, int64_t unix_seconds);
void write_day(Writer& out, int64_t unix_day);  // 2024-01-31
// With leading zeros.
void write_decimal(Writer& out, int64_t value, int digits);

}  // namespace tocsin
