// What the compiler expects from a C++ run-time library and we answer
// ourselves, because the binary is linked without libstdc++ (whose start-up
// alone allocates 72,704 bytes): nothing is ever deleted through a base class
// and no pure virtual function is ever called, so all of these are checks.
#include <cstddef>

#include "base/check.h"

void operator delete(void*) noexcept { ::tocsin::check_failed(__FILE__, __LINE__, "operator delete is never used"); }
void operator delete(void*, std::size_t) noexcept {
  ::tocsin::check_failed(__FILE__, __LINE__, "operator delete is never used");
}

extern "C" void __cxa_pure_virtual();
extern "C" void __cxa_pure_virtual() {
  ::tocsin::check_failed(__FILE__, __LINE__, "a pure virtual function was called");
}
