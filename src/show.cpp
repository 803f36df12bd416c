#include "show.h"

#include "base/writer.h"

namespace tocsin {
namespace {

void pad(Writer& out, size_t from, size_t width) {
  while (out.size() - from < width) out.character(' ');
}

void right(Writer& out, uint64_t value, size_t width) {
  uint8_t room[24];
  Writer digits(room);
  digits.unsigned_number(value);
  for (size_t i = digits.size(); i < width; ++i) out.character(' ');
  out.text(digits.view());
}

}  // namespace

void show_faults(const Faults& faults, posix::PosixConsole& console, uint32_t from) {
  uint8_t room[2048];
  for (uint32_t i = from; i < faults.count(); ++i) {
    Writer line(room);
    line.text("tocsin: ").text(faults[i].weight == Weight::warning ? "warning: " : "").text(faults[i].text).text("\n");
    (void)console.err(line.view()).ok();
  }
  if (faults.unlisted() == 0) return;
  Writer line(room);
  line.text("tocsin: and ").unsigned_number(faults.unlisted()).text(" more\n");
  (void)console.err(line.view()).ok();
}

void show_plan(const Plan& plan, bool json, posix::PosixConsole& console) {
  uint8_t room[1024];
  Writer line(room);
  if (json) (void)console.out("{\"format\":1,\"rows\":[").ok();
  for (uint32_t i = 0; i < plan.count(); ++i) {
    const PlanRow& row = plan.row(i);
    line.rewind(0);
    if (json) {
      line.text(i == 0 ? "" : ",")
          .text("\n{\"name\":\"")
          .json(row.name)
          .text("\",\"count\":")
          .unsigned_number(row.count);
      line.text(",\"bytes_each\":").unsigned_number(row.bytes_each).text(",\"bytes\":").unsigned_number(row.bytes());
      line.text(",\"why\":\"").json(row.why).text("\"}");
    } else {
      line.text(row.name);
      pad(line, 0, 24);
      right(line, row.count, 7);
      right(line, row.bytes_each, 12);
      right(line, row.bytes(), 13);
      line.text("  ").text(row.why).text("\n");
    }
    (void)console.out(line.view()).ok();
  }
  line.rewind(0);
  if (json) {
    line.text("\n],\"total\":").unsigned_number(plan.total()).text("}\n");
  } else {
    line.text("total");
    pad(line, 0, 24 + 7 + 12);
    right(line, plan.total(), 13);
    line.text("  bytes, reserved at start; pages that are never touched cost nothing\n");
  }
  (void)console.out(line.view()).ok();
}

}  // namespace tocsin
