// What is no fault of a conf, but most likely not what was meant: for who checks
// it. Each is one warning, and goes when the conf says what is meant.
#pragma once

#include "settings/faults.h"
#include "settings/origins.h"
#include "settings/settings.h"

namespace tocsin {

// After validate(), and when the secret was read.
void note_doubts(const Settings& settings, const Origins& origins, Faults& faults);

}  // namespace tocsin
