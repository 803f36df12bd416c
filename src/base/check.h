// GW_CHECK: what only we can do wrong. It stops the process with one line on
// stderr; the journal is safe by construction, so stopping loses nothing that
// was acknowledged. What the world can do to us is a Result, never a check.
#pragma once

namespace tocsin {

[[noreturn]] void check_failed(const char* file, int line, const char* expression);

}  // namespace tocsin

#define GW_CHECK(expression) ((expression) ? void(0) : ::tocsin::check_failed(__FILE__, __LINE__, #expression))
