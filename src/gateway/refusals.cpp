#include "gateway/refusals.h"

namespace tocsin {
namespace {

struct Row {
  Refusal refusal;
  string_view reason;
  string_view check;
};
constexpr Row rows[] = {
    {Refusal::none, "none", ""},
    {Refusal::accounts, "not of accounts", ""},
    {Refusal::provider, "unknown provider id",
     "an app names the id that it was built with; write it into provider of its section"},
    {Refusal::missing, "no section for it",
     "the conf has no section that this app's words are for; see Clients in README"},
    {Refusal::undecided, "several sections", "write dialect = p2 into that section of the kind which shall take it"},
    {Refusal::field, "field missing or odd", "the app does not send what its dialect needs: a bug of its build?"},
    {Refusal::token, "no token of this provider",
     "is it an app for another push service, or is its provider id in the wrong section?"},
    {Refusal::endpoint, "endpoint not allowed",
     "endpoints must be at port 443 of public addresses; allow_private of [webpush] lists others"},
    {Refusal::many, "too many devices",
     "the account has as many devices or endpoints as [limits] or [unifiedpush] allow"},
};

constexpr bool in_order() {
  for (size_t i = 0; i < refusal_count; ++i) {
    if (static_cast<size_t>(rows[i].refusal) != i) return false;
  }
  return std::size(rows) == refusal_count;
}
static_assert(in_order());

// "an account of another domain asked; accounts in [xmpp] has example.org, example.net …"
void write_accounts(Writer& out, const Command& command, std::span<const string_view> accounts) {
  out.text("an account of another domain asked; accounts in ");
  out.text(command.dialect == DialectId::unified_push ? "[xmpp] or [unifiedpush] does not have it" : "[xmpp] has ");
  if (command.dialect == DialectId::unified_push) return;
  for (size_t i = 0; i < accounts.size() && i < 3; ++i) out.text(i == 0 ? "" : ", ").text(slice(accounts[i], 0, 80));
  if (accounts.size() > 3) out.text(" …");
}

}  // namespace

void Refusals::say(Log& log, const Command& command, Refusal refusal, std::span<const string_view> accounts,
                   Instant now) {
  if (!log.enabled(Level::warn)) return;
  const string_view id = refusal == Refusal::provider ? fit_for_the_log(command.provider) : string_view();
  if (!due(command.dialect, refusal, id, now)) return;
  const Row& row = rows[static_cast<size_t>(refusal)];
  uint8_t room[400];
  Writer check(room);
  const bool stranger = refusal == Refusal::accounts;
  if (stranger) {
    write_accounts(check, command, accounts);
  } else {
    check.text(row.check);
  }
  LogLine line(log, Level::warn, "register_refused");
  line.field("dialect", name_of(command.dialect)).field("reason", row.reason);
  if (!id.empty()) line.field("provider_id", id);
  if (!stranger && !command.service.empty()) line.field("service", command.service);
  if (!stranger && !command.refused_field.empty()) line.field("field", command.refused_field);
  line.sentence("check", check.view());
}

bool Refusals::due(DialectId dialect, Refusal refusal, string_view id, Instant now) {
  Instant& again = again_[static_cast<size_t>(dialect)][static_cast<size_t>(refusal)];
  if (!id.empty()) {
    if (now >= ids_forgotten_) {
      for (auto& known : ids_) known.clear();
      ids_forgotten_ = now + say_every;
    }
    for (auto& known : ids_) {
      if (known.view() == id) return false;
      if (known.empty()) return known.assign(id);
    }
    return false;
  }
  if (now < again) return false;
  again = now + say_every;
  return true;
}

// What a client wrote where its provider id belongs may be anything: an address, a token, or made for who reads the
// log.
string_view Refusals::fit_for_the_log(string_view id) {
  if (id.size() > id_bytes_max) return {};
  bool mark = false;
  for (const char c : id) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    const bool between = c == ':' || c == '.' || c == '-' || c == '_';
    if (!letter && !between) return {};
    mark = mark || between;
  }
  // Names of apps and services are short, or of several words; what is neither may be a token.
  return mark || id.size() <= 20 ? id : string_view();
}

}  // namespace tocsin
