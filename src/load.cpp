#include "load.h"

#include "link/pair_files.h"
#include "settings/validate.h"

namespace tocsin {

namespace {

constexpr Place xmpp_place{.kind = SectionKind::xmpp};
constexpr size_t secret_bytes_max = 256;
constexpr uint32_t readable_by_all = 0004;
constexpr string_view certificate_begins = "-----BEGIN CERTIFICATE-----";
constexpr string_view key_ends = "PRIVATE KEY-----";

constexpr const char* ca_files[] = {
    "/etc/ssl/certs/ca-certificates.crt",  // Debian, Alpine, OpenWrt
    "/etc/ssl/cert.pem",                   // BSD, Alpine, macOS
    "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora
};

int code_for(Error error) {
  switch (error) {
    case Error::not_found: return exit_code::missing;
    case Error::denied: return exit_code::permission;
    case Error::io: return exit_code::io;
    default: return exit_code::conf;
  }
}

// The key of the conf that names what a section shows or signs with.
string_view credential_key(const Settings& settings, uint32_t section) {
  if (settings.is_webpush(section)) return "vapid_key";
  if (!settings.is_apns(section)) return "service_account";
  return settings.apns[section].certificate.empty() ? "key" : "certificate";
}

// The file that a key of the conf names.
string_view path_of(const Settings& settings, uint32_t section, string_view key_name) {
  if (key_name == "vapid_key") return settings.webpush[0].vapid_key.view();
  if (key_name == "service_account") return settings.fcm_of(section).service_account.view();
  if (key_name == "key") return settings.apns[section].key.view();
  if (key_name == "certificate") return settings.apns[section].certificate.view();
  if (key_name == "certificate_key") return settings.apns[section].certificate_key.view();
  return settings.section(section).ca_file.view();
}

// The arena's next user must not find a secret.
void wipe(ByteView bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) const_cast<volatile uint8_t*>(bytes.data())[i] = 0;
}

// What must stand in a PEM file; a look only, the crypto decides later.
bool has(ByteView file, string_view words) { return text_of(file).find(words) != string_view::npos; }

// What is wrong inside of a file that the vendor made nobody can mend by hand.
string_view where_to_get_another(string_view key_name, string_view sentence) {
  const auto says = [sentence](string_view words) { return sentence.find(words) != string_view::npos; };
  if (!says("damaged") && !says("PEM key") && !says("private key")) return {};
  if (key_name == "service_account" && !says("Firebase console"))
    return "; download a new one (Firebase console, project settings, service accounts, generate new private key)";
  if (key_name == "key") return "; Apple hands out a key once: take the file as it came, or make another one there";
  return {};
}

}  // namespace

std::span<const char* const> system_ca_files() { return ca_files; }

Loader::Loader(port::Storage& storage, const Environment& environment, Settings& settings, Faults& faults)
    : storage_(&storage),
      environment_(&environment),
      settings_(&settings),
      faults_(&faults),
      parser_(environment, settings, faults) {}

void Loader::load(const CommandLine& line, Arena& room, LoadedFiles& files) {
  // Without all of its files a conf would be called incomplete for the wrong reason.
  if (!read_confs(line, room)) return;
  for (const string_view argument : line.overrides) parser_.override(argument);
  validate(*settings_, parser_.origins(), *environment_, *faults_);
  read_secret(room);
  if (settings_->listen.on && settings_->listen.tls) read_listen(room, files);
  for (uint32_t i = 0; i < settings_->section_count(); ++i) {
    read_provider(i, room, files);
    files.providers_on += files.sections[i].off ? 0 : 1;
    ++loaded_;
  }
}

bool Loader::read_confs(const CommandLine& line, Arena& room) {
  bool all = true;
  uint32_t index = 0;
  for (const string_view name : line.conf_files) {
    const size_t mark = room.used();
    const Wanted wanted{.path = name, .where = {name}, .key = {}, .bytes_max = conf_bytes_max, .weight = Weight::stop};
    const Read conf = read(wanted, room);
    if (conf.ok) {
      parser_.parse(text_of(conf.bytes), name);
      conf_modes_[index] = conf.mode;
    }
    all = all && conf.ok;
    wipe(conf.bytes);
    room.rewind(mark);
    ++index;
  }
  // Only a conf that holds a secret is one; which says the line of the key.
  const Where secret = parser_.origins().key(xmpp_place, "secret");
  if (!all || !parser_.origins().has_key(xmpp_place, "secret")) return all;
  for (uint32_t i = 0; i < line.conf_files.count; ++i) {
    if (line.conf_files[i].data() != secret.file.data()) continue;
    check_mode({.path = secret.file, .where = secret, .key = "secret", .bytes_max = 0, .weight = Weight::stop},
               conf_modes_[i]);
  }
  return all;
}

void Loader::read_secret(Arena& room) {
  XmppSettings& xmpp = settings_->xmpp;
  if (xmpp.secret_file.empty()) return;
  const size_t mark = room.used();
  const Where where = parser_.origins().key(xmpp_place, "secret_file");
  const Wanted wanted{.path = xmpp.secret_file.view(),
                      .where = where,
                      .key = "secret_file",
                      .bytes_max = secret_bytes_max + 2,  // and the line's end
                      .weight = Weight::stop};
  const Read file = read(wanted, room);
  if (file.ok) {
    check_mode(wanted, file.mode);
    string_view secret = text_of(file.bytes);
    if (ends_with(secret, "\n")) secret = slice(secret, 0, secret.size() - 1);
    if (ends_with(secret, "\r")) secret = slice(secret, 0, secret.size() - 1);
    bool plain = is_utf8(secret);
    for (char c : secret) plain = plain && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    if (secret.empty() || !plain || !xmpp.secret.assign(secret)) {
      FaultLine(*faults_, where, Weight::stop, exit_code::conf)
          .text("secret_file: ")
          .path(wanted.path)
          .text(" must hold one line of text, at most ")
          .number(secret_bytes_max)
          .text(" bytes, and nothing else");
    }
  }
  wipe(file.bytes);
  room.rewind(mark);
}

void Loader::read_provider(uint32_t section, Arena& room, LoadedFiles& files) {
  LoadedFiles::Provider& provider = files.sections[section];
  provider = LoadedFiles::Provider{};
  if (settings_->is_webpush(section)) {  // its key is the gateway's own, see vapid_key.h
    if (!check_vapid_key_mode(section)) provider.off = true;
    if (!read_certificates(section, room, files)) provider.off = true;
    return;
  }
  const bool apns = settings_->is_apns(section);
  const string_view name = credential_key(*settings_, section);
  const string_view path = path_of(*settings_, section, name);
  if (path.empty()) {  // validate() spoke of it
    provider.off = true;
    return;
  }
  const Wanted wanted{.path = path,
                      .where = parser_.origins().key(place(section), name),
                      .key = name,
                      .bytes_max = apns ? key_bytes_max : service_account_bytes_max,
                      .weight = Weight::provider_off};
  if (name == "certificate") {
    read_own_certificate(section, room, files);
  } else if (!read_credential(wanted, room, provider.key)) {
    provider.off = true;
  } else if (apns && !has(provider.key, "-----BEGIN PRIVATE KEY-----")) {
    turn_off(files, section, "key",
             "the file is not the unencrypted .p8 key that Apple hands out (PEM, BEGIN PRIVATE KEY)");
  }
  // Also for a provider that is off: the operator sees all faults at once.
  if (!read_certificates(section, room, files)) provider.off = true;
  if (provider.off) provider.key = provider.certificate = {};
}

bool Loader::read_credential(const Wanted& wanted, Arena& room, ByteView& bytes) {
  const Read file = read(wanted, room);
  if (!file.ok) return false;
  bytes = file.bytes;
  // A certificate alone is no secret.
  if (wanted.key == "certificate" && !has(bytes, key_ends)) return true;
  return check_mode(wanted, file.mode);
}

void Loader::read_own_certificate(uint32_t section, Arena& room, LoadedFiles& files) {
  LoadedFiles::Provider& provider = files.sections[section];
  Wanted wanted{.path = settings_->apns[section].certificate.view(),
                .where = parser_.origins().key(place(section), "certificate"),
                .key = "certificate",
                .bytes_max = certificate_file_bytes_max,
                .weight = Weight::provider_off};
  if (!read_credential(wanted, room, provider.certificate)) {
    provider.off = true;
  } else if (!has(provider.certificate, certificate_begins)) {
    turn_off(files, section, "certificate",
             "the file holds no certificate in PEM (BEGIN CERTIFICATE); a .p12 file becomes one with: openssl pkcs12 "
             "-nodes -in FILE.p12 -out FILE.pem");
  }
  wanted.path = settings_->apns[section].certificate_key.view();
  if (!wanted.path.empty()) {
    wanted.where = parser_.origins().key(place(section), "certificate_key");
    wanted.key = "certificate_key";
    wanted.bytes_max = key_bytes_max;
    if (!read_credential(wanted, room, provider.key)) provider.off = true;
  } else if (provider.off || has(provider.certificate, key_ends)) {
    provider.key = provider.certificate;
  } else {
    turn_off(files, section, "certificate",
             "its private key is not in this file; set certificate_key to the file it is in");
  }
}

bool Loader::read_certificates(uint32_t section, Arena& room, LoadedFiles& files) {
  const ProviderSettings& settings = settings_->section(section);
  LoadedFiles::Provider& provider = files.sections[section];
  const Where where = parser_.origins().nearest(place(section), "ca_file");
  if (settings.ca_file.empty()) return read_system_certificates(where, room, provider.ca);
  for (uint32_t i = 0; i < section; ++i) {
    if (settings_->section(i).ca_file.view() != settings.ca_file.view() || files.sections[i].ca.empty()) continue;
    provider.ca = files.sections[i].ca;
    return true;
  }
  const Read ca = read({.path = settings.ca_file.view(),
                        .where = where,
                        .key = "ca_file",
                        .bytes_max = ca_bytes_max,
                        .weight = Weight::provider_off},
                       room);
  if (!ca.ok) return false;
  if (!has(ca.bytes, certificate_begins)) {
    turn_off(files, section, "ca_file", "the file holds no certificate in PEM (BEGIN CERTIFICATE)");
    return false;
  }
  provider.ca = ca.bytes;
  return true;
}

// Reads the system's store once, for all sections that name no other.
bool Loader::read_system_certificates(Where where, Arena& room, ByteView& ca) {
  for (const char* path : ca_files) {
    if (!system_ca_.empty()) break;
    const size_t mark = room.used();
    const Error error = read_bytes(path, ca_bytes_max, room, system_ca_);
    if (error == Error::none && has(system_ca_, certificate_begins)) break;
    system_ca_ = {};
    room.rewind(mark);
    if (error != Error::too_long && error != Error::exhausted) continue;
    say({.path = path, .where = where, .key = "ca_file", .bytes_max = ca_bytes_max, .weight = Weight::provider_off},
        path, error);
    return false;
  }
  ca = system_ca_;
  if (!ca.empty()) return true;
  FaultLine(*faults_, where, Weight::provider_off, exit_code::missing)
      .text("no certificates of the system found (")
      .text(ca_files[0])
      .text("); install ca-certificates or set ca_file");
  return false;
}

void Loader::turn_off(LoadedFiles& files, uint32_t section, string_view key_name, string_view sentence) {
  // While load() runs, the provider is not counted yet.
  LoadedFiles::Provider& provider = files.sections[section];
  if (section < loaded_ && !provider.off) --files.providers_on;
  provider.off = true;
  say_of(section, key_name, Weight::provider_off, sentence);
}

void Loader::warn(uint32_t section, string_view key_name, string_view sentence) {
  say_of(section, key_name, Weight::warning, sentence);
}

void Loader::say_of(uint32_t section, string_view key_name, Weight weight, string_view sentence) {
  const string_view path = path_of(*settings_, section, key_name);
  FaultLine line(*faults_, parser_.origins().nearest(place(section), key_name), weight, exit_code::conf);
  line.text(key_name).text(": ");
  // Empty: it is the system's store. And some sentences name the file themselves, or one beside it.
  if (!path.empty() && sentence.find(path) == string_view::npos) line.path(path).text(": ");
  line.text(sentence);
  line.text(where_to_get_another(key_name, sentence));
}

Loader::Read Loader::read(const Wanted& wanted, Arena& room) {
  Path path;
  if (!path.assign(wanted.path)) {
    say(wanted, "", Error::too_long);
    return {};
  }
  const Result<port::FileFacts> facts = storage_->facts(path.c_str());
  if (!facts.ok()) {
    say(wanted, path.c_str(), facts.error());
    return {};
  }
  if (facts.value().directory) {
    say(wanted, path.c_str(), Error::malformed);
    return {};
  }
  Read out{.ok = true, .bytes = {}, .mode = facts.value().mode};
  const Error error = read_bytes(path.c_str(), wanted.bytes_max, room, out.bytes);
  if (error == Error::none) return out;
  say(wanted, path.c_str(), error);
  return {};
}

Error Loader::read_bytes(const char* path, size_t bytes_max, Arena& room, ByteView& bytes) {
  const Result<port::Handle> file = storage_->open(path, port::OpenMode::read);
  if (!file.ok()) return file.error();
  // One byte more than allowed tells a file of just the allowed size from a longer one.
  Bytes rest = room.rest();
  const bool tight = rest.size() < bytes_max + 1;
  if (!tight) rest = rest.first(bytes_max + 1);
  const Result<size_t> got = storage_->read_at(file.value(), 0, rest);
  storage_->shut(file.value());
  if (!got.ok()) return got.error();
  if (got.value() > bytes_max) return Error::too_long;
  if (tight && got.value() == rest.size()) return Error::exhausted;
  void* kept = room.take(got.value() + 1, 1);
  GW_CHECK(kept == rest.data());
  rest[got.value()] = '\0';
  bytes = rest.first(got.value());
  return Error::none;
}

bool Loader::check_mode(const Wanted& wanted, uint32_t mode) {
  if ((mode & readable_by_all) == 0 || is_credential(wanted.path)) return true;
  const bool strict = settings_->process.secret_modes == SecretModes::strict;
  FaultLine(*faults_, wanted.where, strict ? wanted.weight : Weight::warning, exit_code::conf)
      .text(wanted.key)
      .text(": ")
      .path(wanted.path)
      .text(" can be read by every user of this machine; mend it with: chmod o-r ")
      .command(wanted.path);
  return !strict;
}

// One that is not there yet is made for nobody else to read.
bool Loader::check_vapid_key_mode(uint32_t section) {
  const Path& path = settings_->webpush[0].vapid_key;
  const Result<port::FileFacts> facts = storage_->facts(path.c_str());
  if (!facts.ok()) return true;
  return check_mode({.path = path.view(),
                     .where = parser_.origins().nearest(place(section), "vapid_key"),
                     .key = "vapid_key",
                     .bytes_max = 0,
                     .weight = Weight::provider_off},
                    facts.value().mode);
}

void Loader::say(const Wanted& wanted, const char* path, Error error) {
  FaultLine line(*faults_, wanted.where, wanted.weight, code_for(error));
  if (!wanted.key.empty()) line.text(wanted.key).text(": ").path(wanted.path).text(": ");
  switch (error) {
    case Error::not_found:
      line.text(wanted.key.empty() ? "no such file; tocsin setup writes one, -c names another" : "no such file");
      break;
    case Error::denied: {
      uint8_t room[2 * path_bytes_max];
      Writer obstacle(room);
      write_obstacle(obstacle, path, error, *storage_);
      line.text(obstacle.view()).text("; let the service's group read it: chgrp tocsin ");
      line.command(path).text(" && chmod g+r ").command(path);
      break;
    }
    case Error::malformed: line.text("this is a directory"); break;
    case Error::too_long:
      if (path[0] == '\0')
        line.text("the name is over ").number(path_bytes_max).text(" bytes");
      else
        line.text("the file is over ").number(wanted.bytes_max).text(" bytes");
      break;
    case Error::exhausted: line.text("all files together are too large"); break;
    default: line.text(describe(error)); break;
  }
}

bool Loader::is_credential(string_view path) const {
  const string_view directory = environment_->credentials_directory;
  if (directory.empty() || !starts_with(path, directory)) return false;
  return ends_with(directory, "/") || starts_with(slice(path, directory.size()), "/");
}

}  // namespace tocsin
