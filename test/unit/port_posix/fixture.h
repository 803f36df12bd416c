// The real port in static storage, because a failing assert must not skip a
// destructor, and a directory of its own for every test.
#pragma once

#include "port/posix/port_posix.h"
#include "test/support/tests.h"

namespace tocsin::posix::test {

using port::Handle;
using port::Interest;
using port::Lookup;
using port::no_handle;

int set_up(void** state);
int tear_down(void** state);

// Valid between set_up and tear_down.
PosixPort& posix();
Heap& resolver_heap();

// "DIRECTORY/name"; valid until the eighth call from now.
const char* path(const char* name);

inline Instant soon(int64_t ms) { return monotonic_now() + milliseconds(ms); }
// Far enough that only a hanging test gets there.
inline Instant late() { return monotonic_now() + seconds(60); }

}  // namespace tocsin::posix::test

#define POSIX_TEST(name) \
  cmocka_unit_test_setup_teardown(name, ::tocsin::posix::test::set_up, ::tocsin::posix::test::tear_down)
