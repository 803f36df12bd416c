#include "vapid_report.h"

#include "registry_view.h"

namespace tocsin {
namespace {

// Devices that push services accepted under another key than this one.
void write_strangers(Writer& out, uint32_t devices) {
  out.unsigned_number(devices).text(devices == 1 ? " Web Push device was" : " Web Push devices were");
  out.text(" accepted under another key, and get nothing until they subscribe again: restore that key, if you have it");
}

}  // namespace

void start_web_push(Wiring& wiring, Loader& loader, LoadedFiles& files, Log& log) {
  const uint8_t section = wiring.web_push_section();
  if (section == Device::no_section) return;
  VapidKeyFile file;
  if (const Status opened = wiring.open_vapid_key(file); !opened.ok())
    return loader.turn_off(files, section, "vapid_key", file.problem.view());
  if (file.made)
    LogLine(log, Level::info, "vapid_key_made")
        .sentence("check", "without this file all Web Push devices must register anew: back up the state directory");
  if (file.strangers == 0) return;
  uint8_t room[200];
  Writer strangers(room);
  write_strangers(strangers, file.strangers);
  LogLine(log, Level::warn, "vapid_key_other").field("devices", file.strangers).sentence("check", strangers.view());
}

void check_web_push(Wiring& wiring, const Settings& settings, Loader& loader, LoadedFiles& files,
                    port::Storage& storage, Bytes (*reserve)(size_t bytes)) {
  const uint8_t section = wiring.web_push_section();
  if (section == Device::no_section) return;
  const RegistryView view(settings.registry.path.c_str(), Wiring::registry_options(settings), wiring, storage, reserve);
  VapidKeyFile file;
  const Status opened = wiring.look_at_vapid_key(file, view.registry());
  if (!opened.ok()) {
    if (opened.error() != Error::not_found) loader.turn_off(files, section, "vapid_key", file.problem.view());
    return;
  }
  if (file.strangers == 0) return;
  uint8_t room[200];
  Writer strangers(room);
  write_strangers(strangers, file.strangers);
  loader.warn(section, "vapid_key", strangers.view());
}

}  // namespace tocsin
