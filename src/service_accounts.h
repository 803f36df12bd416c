// The service accounts of the conf's FCM sections, for what `check` says about
// the projects that they name.
#pragma once

#include "load.h"
#include "push/fcm_account.h"
#include "wiring.h"

namespace tocsin {

// False: the section is not FCM's, is off, or its account can not be read.
bool read_account(Wiring& wiring, const Settings& settings, const LoadedFiles& files, uint32_t section,
                  FcmAccount& account);

// One section is enough for a Firebase project: warns of each that has the project of an earlier one.
void warn_of_shared_projects(Wiring& wiring, Loader& loader, const Settings& settings, const LoadedFiles& files);

}  // namespace tocsin
