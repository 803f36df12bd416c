// What the subcommands print for people: faults of the conf, the memory plan.
#pragma once

#include "mem/plan.h"
#include "port/posix/console.h"
#include "settings/faults.h"

namespace tocsin {

void show_faults(const Faults& faults, posix::PosixConsole& console);  // stderr, a line each: "tocsin: …"
void show_plan(const Plan& plan, bool json, posix::PosixConsole& console);

}  // namespace tocsin
