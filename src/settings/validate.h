// What the whole conf must hold once every line is read: required keys, keys that
// belong together, and the defaults that follow from other keys or the environment. Pure.
#pragma once

#include "settings/faults.h"
#include "settings/origins.h"
#include "settings/settings.h"

namespace tocsin {

// Fills in settings and adds what is wrong to faults. A key whose value was
// refused already is not reported again as missing.
void validate(Settings& settings, const Origins& origins, const Environment& environment, Faults& faults);

// Its part about [listen] and [metrics].
void validate_listen(Settings& settings, const Origins& origins, Faults& faults);

}  // namespace tocsin
