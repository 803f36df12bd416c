#include "service_accounts.h"

namespace tocsin {

bool read_account(Wiring& wiring, const Settings& settings, const LoadedFiles& files, uint32_t section,
                  FcmAccount& account) {
  if (!settings.is_fcm(section) || wiring.section(section).off) return false;
  JsonDocument json(wiring.json_heap());
  string_view pem;
  const char* problem = "";
  return account.read(text_of(files.sections[section].key), json, pem, problem).ok();
}

void warn_of_shared_projects(Wiring& wiring, Loader& loader, const Settings& settings, const LoadedFiles& files) {
  for (uint32_t i = 1; i < settings.section_count(); ++i) {
    FcmAccount here;
    if (!read_account(wiring, settings, files, i, here)) continue;
    for (uint32_t other = 0; other < i; ++other) {
      FcmAccount there;
      if (!read_account(wiring, settings, files, other, there) || there.project.view() != here.project.view()) continue;
      uint8_t room[300];
      Writer sentence(room);
      sentence.text(wiring.section(other).name).text(" has the same project, ").text(here.project.view());
      sentence.text("; one section is enough for all apps of a Firebase project, of either dialect");
      loader.warn(i, "service_account", sentence.view());
      break;
    }
  }
}

}  // namespace tocsin
