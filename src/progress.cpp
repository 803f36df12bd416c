#include "progress.h"

#include "base/writer.h"

namespace tocsin {
namespace {

constexpr Duration first_after = seconds(1);
constexpr Duration redraw_every = milliseconds(100);
constexpr uint64_t ask_every = 64 * 1024;
constexpr int width = 40;

}  // namespace

void Progress::begin(string_view what, uint64_t total) {
  clear();
  what_ = what;
  total_ = total;
  asked_ = 0;
  // The first bar of a step comes a second after its start, the others every tenth of one.
  if (wanted_) drawn_ = clock_.now() + first_after - redraw_every;
}

void Progress::reached(uint64_t done) {
  if (!wanted_ || total_ == 0 || done < asked_ + ask_every) return;
  asked_ = done;
  const Instant now = clock_.now();
  if (now < drawn_ + redraw_every) return;
  drawn_ = now;
  const uint64_t share = done >= total_ ? 100 : done * 100 / total_;
  uint8_t room[128];
  Writer bar(room);
  bar.text("\r").text(what_).text(" [");
  for (int i = 0; i < width; ++i) bar.character(static_cast<uint64_t>(i) * 100 < share * width ? '#' : ' ');
  bar.text("] ").unsigned_number(share).text(" %");
  shown_ = true;
  (void)screen_.err(bar.view()).ok();
}

void Progress::clear() {
  if (!shown_) return;
  shown_ = false;
  (void)screen_.err("\r\x1b[K").ok();
}

}  // namespace tocsin
