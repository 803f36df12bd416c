#include "settings/notes.h"

#include "base/domain_name.h"

namespace tocsin {

namespace {

constexpr Place xmpp_place{.kind = SectionKind::xmpp};
constexpr string_view sample_secret = "change-me";
constexpr string_view sample_topic = "org.example.siskin";

class Notes {
 public:
  Notes(const Settings& settings, const Origins& origins, Faults& faults)
      : settings_(settings), origins_(origins), faults_(faults) {}

  void samples();
  void domain();
  void services(SectionKind kind);

 private:
  FaultLine note(Where where) { return FaultLine(faults_, where, Weight::warning, exit_code::conf); }
  bool is_second_choice(uint32_t number) const;

  const Settings& settings_;
  const Origins& origins_;
  Faults& faults_;
};

// What stands in README and in the conf that comes along is nobody's.
void Notes::samples() {
  if (settings_.xmpp.secret.view() == sample_secret) {
    const bool in_file = origins_.has_key(xmpp_place, "secret_file");
    note(origins_.nearest(xmpp_place, in_file ? "secret_file" : "secret"))
        .text(
            "secret: \"change-me\" is the sample's, which everybody knows; make one with: openssl rand -hex 20, and "
            "write it into the XMPP server's conf as well");
  }
  for (uint32_t i = 0; i < settings_.apns.count; ++i) {
    if (settings_.apns[i].topic.view() != sample_topic) continue;
    note(origins_.nearest({.kind = SectionKind::apns, .index = i}, "topic"))
        .text("topic: \"org.example.siskin\" is the sample's; set it to the app's bundle id");
  }
}

// Who wrote the domain of the users where the component's belongs, or mistyped one of the two.
void Notes::domain() {
  const XmppSettings& xmpp = settings_.xmpp;
  if (!origins_.has_key(xmpp_place, "accounts") || xmpp.domain.empty() || xmpp.all_accounts()) return;
  const string_view domain = xmpp.domain.view();
  bool below = false;
  for (const Domain& account : xmpp.accounts) {
    below = below || is_subdomain(domain, account.view());
    if (!same_domain(domain, account.view())) continue;
    note(origins_.nearest(xmpp_place, "domain"))
        .text("domain: ")
        .quoted(domain)
        .text(" is one of accounts; the component needs a name of its own, such as push.")
        .text(domain);
    return;
  }
  const size_t dot = domain.find('.');
  if (below || dot == string_view::npos) return;
  const string_view parent = slice(domain, dot + 1);
  for (const Domain& account : xmpp.accounts) {
    const bool mistyped = edit_distance(account.view(), parent) <= 2;
    // Several domains that share a component elsewhere are nobody's mistake.
    if (!mistyped && xmpp.accounts.count > 1) continue;
    FaultLine line = note(origins_.nearest(xmpp_place, "accounts"));
    line.text("accounts has ").quoted(account.view()).text(", and domain ").quoted(domain);
    line.text(" is not below it: ");
    if (mistyped) {
      line.text("did you mean ").text(parent).text("?");
    } else {
      line.text("is that right? Then that server must list the component among its items, or apps do not find it");
    }
    return;
  }
}

// The other environment of an app that another section names: clients are only told of that one.
bool Notes::is_second_choice(uint32_t number) const {
  const ApnsSettings& here = settings_.apns[number];
  if (here.environment != ApnsEnvironment::sandbox) return false;
  for (const ApnsSettings& there : settings_.apns) {
    if (there.environment == here.environment || there.topic.view() != here.topic.view()) continue;
    for (const auto& id : here.provider) {
      for (const auto& other : there.provider) {
        if (id.view() == other.view()) return true;
      }
    }
  }
  return false;
}

// register-push-… names no app: which section shall take it?
void Notes::services(SectionKind kind) {
  const bool apns = kind == SectionKind::apns;
  uint32_t count = 0;
  Where second;
  for (uint32_t i = 0; i < settings_.section_count(); ++i) {
    const Place place = place_of_section(settings_, i);
    if (place.kind != kind || (apns && is_second_choice(i))) continue;
    if (settings_.section(i).dialect == SectionDialect::p2) return;
    if (++count == 2) second = origins_.section(place);
  }
  if (count < 2) return;
  FaultLine line = note(second);
  line.text("there are ");
  if (count == 2) {
    line.text("two");
  } else {
    line.number(count);
  }
  if (apns) {
    line.text(
        " [apns …] sections and none says dialect = p2; apps that say register-push-apns are turned away (Siskin, "
        "Snikket and Monal do not say it); if yours does, write it into its section");
  } else {
    line.text(
        " [fcm …] sections and none says dialect = p2; Conversations and its forks (register-push-fcm) are "
        "turned away; write it into one of them");
  }
}

}  // namespace

void note_doubts(const Settings& settings, const Origins& origins, Faults& faults) {
  Notes notes(settings, origins, faults);
  notes.samples();
  notes.domain();
  notes.services(SectionKind::apns);
  notes.services(SectionKind::fcm);
}

}  // namespace tocsin
