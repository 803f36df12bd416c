#include "base/calendar.h"

namespace tocsin {

void write_decimal(Writer& out, int64_t value, int digits) {
  int64_t unit = 1;
  for (int i = 1; i < digits; ++i) unit *= 10;
  for (; unit > 0; unit /= 10) out.character(static_cast<char>('0' + value / unit % 10));
}

// gmtime_r reads the time zone's file when first
// called and allocates; the calendar is this short (days_from_civil, H. Hinnant).
void write_day(Writer& out, int64_t day) {
  const int64_t shifted = day + 719'468;  // since 0000-03-01
  const int64_t era = shifted / 146'097;
  const int64_t day_of_era = shifted % 146'097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  write_decimal(out, year_of_era + era * 400 + (month <= 2 ? 1 : 0), 4);
  out.character('-');
  write_decimal(out, month, 2);
  out.character('-');
  write_decimal(out, day_of_year - (153 * month_from_march + 2) / 5 + 1, 2);
}

void write_time(Writer& out, int64_t unix_seconds) {
  const int64_t second = unix_seconds % 86400;
  write_day(out, unix_seconds / 86400);
  out.character('T');
  write_decimal(out, second / 3600, 2);
  out.character(':');
  write_decimal(out, second / 60 % 60, 2);
  out.character(':');
  write_decimal(out, second % 60, 2);
}

}  // namespace tocsin
