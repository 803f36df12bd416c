#include "settings/validate.h"

namespace tocsin {

namespace {

constexpr Place xmpp_place{.kind = SectionKind::xmpp};

bool is_near(const HostPort& server) {
  if (same_ignoring_case(server.host.view(), "localhost")) return true;
  const Result<Address> address = parse_ip(server.host.view(), server.port);
  return address.ok() && is_loopback(address.value());
}

// The key's id as Apple names the file: AuthKey_ABC123DEFG.p8.
string_view id_in_file_name(string_view path) {
  constexpr string_view prefix = "AuthKey_", suffix = ".p8";
  const string_view name = slice(path, directory_of(path).size());
  if (!starts_with(name, prefix) || !ends_with(name, suffix) || name.size() != prefix.size() + 10 + suffix.size())
    return {};
  const string_view id = slice(name, prefix.size(), 10);
  for (char c : id)
    if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')) return {};
  return id;
}

class Validator {
 public:
  Validator(Settings& settings, const Origins& origins, const Environment& environment, Faults& faults)
      : settings_(&settings), origins_(&origins), environment_(&environment), faults_(&faults) {}

  void xmpp();
  void accounts();
  void state();
  void registry();
  void providers();

 private:
  FaultLine stop(Where where) { return FaultLine(*faults_, where, Weight::stop, exit_code::conf); }
  void apns(Place place);
  void apns_credential(Place place);
  void fcm(Place place);
  void webpush(Place place);
  void join_state_path(Path& path, Place place, string_view key, string_view usual, string_view whose);
  void required(Place place, string_view key, string_view advice);
  void placeholder(Place place, string_view key, bool is_one, string_view advice);
  void shared_ids(uint32_t later);
  void shared_dialect(uint32_t later);
  void shared_modules(uint32_t later);
  void former_names(uint32_t here);
  void name_both(FaultLine& line, uint32_t a, uint32_t b) const;
  bool are_pair(uint32_t a, uint32_t b) const;

  Settings* settings_;
  const Origins* origins_;
  const Environment* environment_;
  Faults* faults_;
};

void Validator::required(Place place, string_view key, string_view advice) {
  if (origins_->has_key(place, key)) return;
  uint8_t room[64];
  Writer section(room);
  write_section(section, *settings_, place);
  FaultLine line(*faults_, origins_->section(place), Weight::stop, exit_code::conf);
  line.text(section.view()).text(" has no ").text(key).text("; ").text(advice);
}

// What `tocsin setup` could not know. The provider would refuse it, but only at the first push.
void Validator::placeholder(Place place, string_view key, bool is_one, string_view advice) {
  if (!is_one) return;
  FaultLine(*faults_, origins_->key(place, key), Weight::provider_off, exit_code::missing)
      .text(key)
      .text(": still what tocsin setup put there; ")
      .text(advice);
}

void Validator::xmpp() {
  const XmppSettings& xmpp = settings_->xmpp;
  if (!origins_->has_section(xmpp_place)) {
    stop(origins_->end()).text("there is no [xmpp] section; it needs at least domain and secret");
    return;
  }
  required(xmpp_place, "domain", "set it to the component's name in the XMPP server's conf, such as push.example.org");
  const bool in_file = origins_->has_key(xmpp_place, "secret_file");
  if (!in_file) required(xmpp_place, "secret", "set secret or secret_file to what the XMPP server's conf has");
  if (in_file && origins_->has_key(xmpp_place, "secret"))
    stop(origins_->key(xmpp_place, "secret_file")).text("secret and secret_file are both set; keep one of them");
  if (!is_near(xmpp.server) && !xmpp.allow_cleartext) {
    stop(origins_->nearest(xmpp_place, "server"))
        .text("server: ")
        .quoted(xmpp.server.host.view())
        .text(" is not this machine, and the secret and all stanzas would travel unencrypted; use 127.0.0.1, or set ")
        .text("allow_cleartext = yes where the network between is trusted");
  }
}

// By default the users of the domain that the component belongs to.
void Validator::accounts() {
  XmppSettings& xmpp = settings_->xmpp;
  if (origins_->has_key(xmpp_place, "accounts") || xmpp.domain.empty()) return;
  const string_view domain = xmpp.domain.view();
  const size_t dot = domain.find('.');
  const bool literal = domain[0] == '[' || parse_ip(domain, 0).ok();
  xmpp.accounts.count = 0;
  GW_CHECK(xmpp.accounts.add()->assign(literal || dot == string_view::npos ? domain : slice(domain, dot + 1)));
}

void Validator::registry() {
  const Duration after = settings_->registry.expire_after;
  if (after == Duration{} || after >= expire_after_min) return;
  stop(origins_->nearest(Place{.kind = SectionKind::registry}, "expire_after"))
      .text("expire_after: clients that register only once would lose their device; give at least 30d, or 0 for never");
}

void Validator::state() {
  constexpr Place state_place{.kind = SectionKind::state};
  constexpr Place registry_place{.kind = SectionKind::registry};
  Path& directory = settings_->state.directory;
  if (!origins_->has_key(state_place, "directory")) {
    string_view from_environment = environment_->state_directory;
    const string_view first = take_until(from_environment, ':');
    if (!directory.assign(first.empty() ? string_view("/var/lib/tocsin") : first)) {
      stop({.file = "$STATE_DIRECTORY"}).text("the path is over ").number(path_bytes_max).text(" bytes");
      return;
    }
  }
  join_state_path(settings_->registry.path, registry_place, "path", "devices.registry", "the registry's");
}

// The path of a file in the state directory, unless it is absolute.
void Validator::join_state_path(Path& path, Place place, string_view key, string_view usual, string_view whose) {
  const string_view name = origins_->has_key(place, key) ? path.view() : usual;
  if (starts_with(name, "/")) return;
  const string_view directory = settings_->state.directory.view();
  uint8_t room[2 * path_bytes_max + 2];
  Writer whole{Bytes(room)};
  whole.text(directory);
  if (!ends_with(directory, "/")) whole.character('/');
  whole.text(name);
  if (path.assign(whole.view())) return;
  stop(origins_->nearest(place, key))
      .text(whose)
      .text(" path in the state directory is over ")
      .number(path_bytes_max)
      .text(" bytes");
}

void Validator::providers() {
  constexpr Place unified_push{.kind = SectionKind::unifiedpush};
  settings_->unified_push.offered = origins_->has_section(unified_push);
  if (settings_->unified_push.offered && !origins_->has_section(Place{.kind = SectionKind::listen})) {
    stop(origins_->section(unified_push))
        .text("[unifiedpush] needs [listen]: application servers post to its endpoints over HTTPS");
  }
  if (settings_->section_count() == 0) {
    if (settings_->unified_push.offered) return;
    for (const SectionKind kind : {SectionKind::apns, SectionKind::fcm})
      if (origins_->has_section(refused_section(kind))) return;
    stop(origins_->end())
        .text("there is no provider section; add one, such as [apns siskin], or [unifiedpush], which needs no vendor");
    return;
  }
  for (uint32_t i = 0; i < settings_->section_count(); ++i) {
    const Place place = place_of_section(*settings_, i);
    if (place.kind == SectionKind::apns) apns(place);
    if (place.kind == SectionKind::fcm) fcm(place);
    if (place.kind == SectionKind::webpush) webpush(place);
    shared_ids(i);
    shared_dialect(i);
    shared_modules(i);
    former_names(i);
  }
}

void Validator::apns(Place place) {
  ApnsSettings& apns = settings_->apns[place.index];
  required(place, "provider", "set it to the id that the app's clients name, such as tigase:messenger:apns:1");
  apns_credential(place);
  required(place, "topic", "set it to the app's bundle id");
  placeholder(place, "team_id", apns.team_id.view() == placeholder_team_id,
              "set it to the ten characters in the Apple developer account");
  placeholder(place, "topic", apns.topic.view() == placeholder_topic, "set it to the app's bundle id");
  if (!origins_->has_key(place, "empty"))
    apns.empty = apns.payload == ApnsPayload::wake ? EmptyPush::high : EmptyPush::normal;
  else
    apns.empty_wake = apns.empty;
}

// The key signs for all apps of a team; a certificate is for one app, and for a year.
void Validator::apns_credential(Place place) {
  ApnsSettings& apns = settings_->apns[place.index];
  const bool by_key = origins_->has_key(place, "key");
  if (origins_->has_key(place, "certificate")) {
    if (by_key) stop(origins_->key(place, "certificate")).text("key and certificate are both set; keep one of them");
    return;
  }
  if (origins_->has_key(place, "certificate_key"))
    stop(origins_->key(place, "certificate_key")).text("certificate_key belongs to a certificate, which is not set");
  required(place, "key", "set it to the .p8 file from the Apple developer account (or set certificate)");
  required(place, "team_id", "it stands in the Apple developer account, ten of A-Z and 0-9");
  if (origins_->has_key(place, "key_id") || apns.key.empty()) return;
  const string_view id = id_in_file_name(apns.key.view());
  if (!id.empty()) {
    GW_CHECK(apns.key_id.assign(id));
    return;
  }
  stop(origins_->key(place, "key"))
      .text("key: the file is not called AuthKey_KEYID.p8, as Apple named it; set key_id to those ten characters");
}

void Validator::fcm(Place place) {
  required(place, "provider", "set it to the id that the app's clients name, such as fcm-xmpp-api");
  required(place, "service_account", "set it to the JSON file of a service account of the app's Firebase project");
}

void Validator::webpush(Place place) {
  WebPushSettings& webpush = settings_->webpush[0];
  required(place, "contact", "set it to where push services reach you, such as mailto:ann@push.example.net");
  if (!origins_->has_key(place, "provider")) GW_CHECK(webpush.provider.add()->assign("webpush"));
  join_state_path(webpush.vapid_key, place, "vapid_key", "vapid.pem", "the VAPID key's");
}

// A client names a provider id, and one section must answer to it.
void Validator::shared_ids(uint32_t later) {
  const ProviderSettings& here = settings_->section(later);
  for (uint32_t i = 0; i < later; ++i) {
    const ProviderSettings& there = settings_->section(i);
    for (const auto& id : here.provider) {
      for (const auto& other : there.provider) {
        if (id.view() != other.view()) continue;
        if (are_pair(i, later)) continue;
        FaultLine line = stop(origins_->nearest(place_of_section(*settings_, later), "provider"));
        line.quoted(id.view()).text(" is named in two sections; keep it in one of ");
        name_both(line, i, later);
        return;
      }
    }
  }
}

// register-push-apns names no app: one section of a kind takes it.
void Validator::shared_dialect(uint32_t later) {
  const Place place = place_of_section(*settings_, later);
  for (uint32_t i = 0; i < later && settings_->section(later).dialect == SectionDialect::p2; ++i) {
    const Place there = place_of_section(*settings_, i);
    if (there.kind != place.kind || settings_->section(i).dialect != SectionDialect::p2) continue;
    FaultLine line = stop(origins_->key(place, "dialect"));
    line.text("dialect = p2 stands in ");
    name_both(line, i, later);
    line.text("; only one of them can take register-push-");
    line.text(section_rows()[static_cast<size_t>(place.kind)].name);
    return;
  }
}

void Validator::shared_modules(uint32_t later) {
  for (uint32_t i = 0; i < later; ++i) {
    for (const auto& module : settings_->section(later).modules) {
      for (const auto& other : settings_->section(i).modules) {
        if (module.view() != other.view()) continue;
        FaultLine line = stop(origins_->key(place_of_section(*settings_, later), "modules"));
        line.text("modules: ").quoted(module.view()).text(" is named in two sections; keep it in one of ");
        name_both(line, i, later);
        return;
      }
    }
  }
}

// A device knows its section by name: one name may lead to one section only.
void Validator::former_names(uint32_t here) {
  const Place place = place_of_section(*settings_, here);
  for (const auto& name : settings_->section(here).formerly) {
    for (uint32_t i = 0; i < settings_->section_count(); ++i) {
      if (place_of_section(*settings_, i).kind != place.kind) continue;
      const ProviderSettings& there = settings_->section(i);
      bool claimed = false;
      for (const auto& other : there.formerly) claimed = claimed || (i < here && other.view() == name.view());
      if (there.name.view() != name.view() && !claimed) continue;
      FaultLine line = stop(origins_->key(place, "formerly"));
      line.text("formerly: ").quoted(name.view());
      if (i == here) {
        line.text(" is this section's name; give the one that it had before");
      } else if (claimed) {
        line.text(" stands in ");
        name_both(line, i, here);
        line.text("; its devices can only come to one of them");
      } else {
        line.text(" is a section of its own, and keeps its devices; take out one of ");
        name_both(line, i, here);
      }
      return;
    }
  }
}

// "[apns siskin] and [fcm play]"
void Validator::name_both(FaultLine& line, uint32_t a, uint32_t b) const {
  uint8_t room[64];
  Writer name(room);
  write_section(name, *settings_, place_of_section(*settings_, a));
  line.text(name.view()).text(" and ");
  name.rewind(0);
  write_section(name, *settings_, place_of_section(*settings_, b));
  line.text(name.view());
}

// Both environments of one app: a token of the one is tried in the other once.
bool Validator::are_pair(uint32_t a, uint32_t b) const {
  if (!settings_->is_apns(a) || !settings_->is_apns(b)) return false;
  const ApnsSettings& one = settings_->apns[a];
  const ApnsSettings& other = settings_->apns[b];
  return one.environment != other.environment && one.topic.view() == other.topic.view();
}

}  // namespace

void validate(Settings& settings, const Origins& origins, const Environment& environment, Faults& faults) {
  Validator validator(settings, origins, environment, faults);
  validator.xmpp();
  validator.accounts();
  validator.state();
  validator.registry();
  validator.providers();
  validate_listen(settings, origins, faults);
}

}  // namespace tocsin
