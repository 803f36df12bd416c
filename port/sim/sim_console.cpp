#include "port/sim/sim_console.h"

#include <cstdio>
#include <new>

#include "base/check.h"

namespace tocsin::sim {

// Without string_view::find: its failure paths may want libstdc++.
static bool contains(string_view line, string_view text) {
  if (text.empty()) return true;
  for (size_t i = 0; i + text.size() <= line.size(); ++i) {
    if (std::memcmp(line.data() + i, text.data(), text.size()) == 0) return true;
  }
  return false;
}

void SimConsole::log_line(Level level, string_view line) {
  if (show_) {
    std::fprintf(stderr, "%lld.%06lld %.*s\n", static_cast<long long>(time_->now().us / 1'000'000),
                 static_cast<long long>(time_->now().us % 1'000'000), static_cast<int>(line.size()), line.data());
  }
  time_->trace().add(bytes_of(line));
  for (uint32_t i = 0; i < forbidden_count_; ++i) {
    if (!contains(line, forbidden_[i].view())) continue;
    ++leaks_;
    if (only_count_) continue;
    std::fprintf(stderr, "a secret was logged: %.*s\n", static_cast<int>(line.size()), line.data());
    check_failed(__FILE__, __LINE__, "a planted secret is never logged");
  }
  GW_CHECK((new (&lines_[total_ % lines_kept]) Line)->assign(line));
  ++total_;
  if (total_ - first_ > lines_kept) first_ = total_ - lines_kept;
  ++levels_[static_cast<size_t>(level)];
}

string_view SimConsole::line(uint64_t number) const {
  GW_CHECK(number < total_ && total_ - number <= lines_kept);
  return lines_[number % lines_kept].view();
}

uint64_t SimConsole::count(string_view text) const {
  uint64_t found = 0;
  for (uint64_t i = first_; i < total_; ++i) found += contains(line(i), text) ? 1 : 0;
  return found;
}

string_view SimConsole::last(string_view text) const {
  for (uint64_t i = total_; i > first_; --i) {
    if (contains(line(i - 1), text)) return line(i - 1);
  }
  return {};
}

void SimConsole::forbid(string_view text) {
  GW_CHECK(!text.empty() && forbidden_count_ < forbidden_max);
  GW_CHECK(forbidden_[forbidden_count_].assign(text));
  ++forbidden_count_;
}

}  // namespace tocsin::sim
