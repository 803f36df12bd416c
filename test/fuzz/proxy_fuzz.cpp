// Hostile PROXY headers: what was said of a beginning holds for all that follows, and a header is where it ends.
//   make fuzz SECONDS=60
#include "proto/proxy_header.h"
#include "test/fuzz/check.h"

using namespace tocsin;
using namespace tocsin::fuzz;

namespace {

using Found = ProxyHeader::Found;

ProxyHeader read(ByteView in) {
  const Copy copy(in);
  const ProxyHeader header = read_proxy_header(copy.view());
  if (header.found == Found::more)
    check(in.size() < ProxyHeader::bytes_max, "more is asked for only within the bounds");
  if (header.found != Found::header) {
    check(!header.has_source, "only a header has a source");
    return header;
  }
  check(header.used > 0 && header.used <= in.size() && header.used <= ProxyHeader::bytes_max,
        "a header lies in what came");
  return header;
}

bool same_header(const ProxyHeader& a, const ProxyHeader& b) {
  return a.found == b.found && a.used == b.used && a.has_source == b.has_source && a.source == b.source;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 2 * ProxyHeader::bytes_max) return 0;
  const ByteView in(data, size);
  const ProxyHeader all = read(in);
  bool decided = false;
  // Everything is decided in the first 107 bytes or at the end of the header, and that is looked at below.
  for (size_t i = 0; i <= size; i += i < 128 ? 1 : 29) {
    const ProxyHeader part = read(in.first(i));
    check(!decided || part.found != Found::more, "what was decided stays so");
    if (part.found == Found::more) continue;
    decided = true;
    check(same_header(part, all), "what comes behind it changes nothing");
    check(part.found != Found::header || i >= part.used, "a header is known when it is there");
  }
  if (all.found != Found::header) return 0;
  check(read(in.first(all.used - 1)).found == Found::more, "and not before its last byte");
  check(same_header(read(in.first(all.used)), all), "it needs nothing behind it");
  return 0;
}
