// Reads what the command line names: conf files, the component's secret, the
// providers' keys and certificates. Everything wrong is collected in Faults: what
// stops the gateway, and what only turns one provider off. For start-up: it blocks.
#pragma once

#include <cstdint>
#include <span>

#include "base/arena.h"
#include "command_line.h"
#include "port/port.h"
#include "settings/conf_parser.h"
#include "settings/faults.h"
#include "settings/settings.h"

namespace tocsin {

inline constexpr size_t conf_bytes_max = 256 * 1024;
inline constexpr size_t key_bytes_max = 8 * 1024;
// With its key and those above it; `openssl pkcs12` writes each twice, in words as well.
inline constexpr size_t certificate_file_bytes_max = 32 * 1024;
// A service account has 2.4 KB; google-services.json, which is often taken for one, may have many times that.
inline constexpr size_t service_account_bytes_max = 64 * 1024;
inline constexpr size_t ca_bytes_max = 512 * 1024;
// Room for the loader's arena: the largest conf (its room is given back), the
// system's certificates, and keys and pinned roots of all sections.
inline constexpr size_t load_room_bytes = 1024 * 1024;

// Whole files in the loader's arena. A NUL stands behind each, not counted in its
// size: mbedTLS wants to see it after PEM.
struct LoadedFiles {
  struct Provider {
    bool off = false;      // takes registrations, but its publishes get `wait`
    ByteView key;          // APNs: PEM; FCM: the service account's JSON; empty when off
    ByteView certificate;  // APNs: PEM of what the key belongs to; empty where it signs tokens, and when off
    ByteView ca;           // PEM; the system's store where the section names none
  };
  // [listen] with tls = yes.
  struct Listen {
    ByteView chain;
    ByteView key;
  };
  Provider sections[sections_max];  // by the section's number
  Listen listen;
  uint32_t providers_on = 0;
};

// The places where systems keep their certificates, in the order they are tried.
std::span<const char* const> system_ca_files();

class Loader {
 public:
  // All but the arena's contents outlive this; environment's and the command line's views too.
  Loader(port::Storage& storage, const Environment& environment, Settings& settings, Faults& faults);

  // Fills settings, files and faults. What it read stays valid as long as room does.
  void load(const CommandLine& line, Arena& room, LoadedFiles& files);

  // For what shows only when the key or the certificates are used: one more fault, at
  // the line of that key of the conf, and the section is off.
  void turn_off(LoadedFiles& files, uint32_t section, string_view key_name, string_view sentence);
  // The same for [listen]'s certificate and key: stop, or what only `check` counts as a fault.
  void fault_of_listen(string_view key_name, Weight weight, string_view sentence);
  // What nobody needs to know but who checks: what this conf leaves undone.
  void warn_of_what_is_missing();
  // The same for what is no fault yet.
  void warn(uint32_t section, string_view key_name, string_view sentence);

 private:
  // A file to be read, and how to speak of it.
  struct Wanted {
    string_view path;
    Where where;      // of the key that names it
    string_view key;  // its name; empty for a conf file
    size_t bytes_max;
    Weight weight;  // of a fault
  };
  struct Read {
    bool ok = false;
    ByteView bytes;
    uint32_t mode = 0;
  };

  bool read_confs(const CommandLine& line, Arena& room);
  void read_secret(Arena& room);
  void read_listen(Arena& room, LoadedFiles& files);
  Place place(uint32_t section) const { return place_of_section(*settings_, section); }
  void read_provider(uint32_t section, Arena& room, LoadedFiles& files);
  bool read_credential(const Wanted& wanted, Arena& room, ByteView& bytes);
  void read_own_certificate(uint32_t section, Arena& room, LoadedFiles& files);
  void say_of(uint32_t section, string_view key_name, Weight weight, string_view sentence);
  bool read_certificates(uint32_t section, Arena& room, LoadedFiles& files);
  bool read_system_certificates(Where where, Arena& room, ByteView& ca);
  Read read(const Wanted& wanted, Arena& room);
  Error read_bytes(const char* path, size_t bytes_max, Arena& room, ByteView& bytes);
  // False when a fault of this weight makes the file unusable.
  bool check_mode(const Wanted& wanted, uint32_t mode);
  bool check_vapid_key_mode(uint32_t section);
  void say(const Wanted& wanted, const char* path, Error error);
  bool is_credential(string_view path) const;

  port::Storage* storage_;
  const Environment* environment_;
  Settings* settings_;
  Faults* faults_;
  ConfParser parser_;
  uint32_t conf_modes_[conf_files_max] = {};
  ByteView system_ca_;
  uint32_t loaded_ = 0;  // providers that providers_on speaks of
};

}  // namespace tocsin
