// What the subcommands print for people: faults of the conf, the memory plan.
#pragma once

#include "mem/plan.h"
#include "port/posix/console.h"
#include "settings/faults.h"

namespace tocsin {

// stderr, a line each: "tocsin: …". from: how many were shown before.
void show_faults(const Faults& faults, posix::PosixConsole& console, uint32_t from = 0);
void show_plan(const Plan& plan, bool json, posix::PosixConsole& console);

}  // namespace tocsin
