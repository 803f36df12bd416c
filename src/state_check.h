// What `check --as USER` sees of the state directory, before the gateway finds it
// out: a run as root leaves files behind that the service may not touch.
#pragma once

#include "port/port.h"
#include "settings/faults.h"
#include "settings/settings.h"

namespace tocsin {

// The eyes of the user as whom is checked.
struct StateEyes {
  bool (*may)(const char* path, bool write);  // a directory: make files in it
  bool systemd = false;                       // it makes the default directory by itself, as the unit says
};

void check_state(const Settings& settings, port::Storage& storage, const StateEyes& eyes, Faults& faults);

// Why something in the state directory may not be touched, and what mends it: "; DIRECTORY belongs to root: chown …".
// Nothing where that is not the reason.
void write_state_advice(Writer& out, string_view directory, string_view file, Error error, port::Storage& storage);

}  // namespace tocsin
