// The certificate and key of [listen].
#include "link/pair_files.h"
#include "load.h"
#include "settings/notes.h"

namespace tocsin {

namespace {

constexpr Place listen_place{.kind = SectionKind::listen};

}  // namespace

void Loader::read_listen(Arena& room, LoadedFiles& files) {
  const ListenSettings& listen = settings_->listen;
  const auto wanted = [&](string_view path, string_view key, size_t bytes_max) {
    return Wanted{.path = path,
                  .where = parser_.origins().nearest(listen_place, key),
                  .key = key,
                  .bytes_max = bytes_max,
                  .weight = Weight::stop};
  };
  if (!listen.certificate.empty())
    files.listen.chain = read(wanted(listen.certificate.view(), "certificate", listen_chain_bytes_max), room).bytes;
  if (listen.key.empty()) return;
  const Wanted key = wanted(listen.key.view(), "key", listen_key_bytes_max);
  const Read read_key = read(key, room);
  files.listen.key = read_key.bytes;
  if (read_key.ok) check_mode(key, read_key.mode);
}

void Loader::fault_of_listen(string_view key_name, Weight weight, string_view sentence) {
  const Path& path = key_name == "key" ? settings_->listen.key : settings_->listen.certificate;
  FaultLine(*faults_, parser_.origins().nearest(listen_place, key_name), weight, exit_code::conf)
      .text(key_name)
      .text(": ")
      .path(path.view())
      .text(": ")
      .text(sentence);
}

void Loader::warn_of_what_is_missing() {
  note_doubts(*settings_, parser_.origins(), *faults_);
  if (settings_->apns.empty() || settings_->listen.on) return;
  FaultLine(*faults_, parser_.origins().section({.kind = SectionKind::apns}), Weight::warning, exit_code::conf)
      .text(
          "there is no [listen] section: Siskin and Snikket remove an account whose server is gone only after "
          "https://")
      .text(settings_->xmpp.domain.view())
      .text("/unregister-device/ has answered; to begin with it may stay so");
}

}  // namespace tocsin
