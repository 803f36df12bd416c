#include "online_check.h"

#include <new>

#include "service_accounts.h"

namespace tocsin {
namespace {

constexpr string_view nobodys_token = "tocsin-check-online:APA91b-this-token-is-nobodys-and-nothing-is-sent-to-it";
constexpr uint8_t zeros[32] = {};

bool has(string_view text, string_view part) { return text.find(part) != string_view::npos; }

void write_clock(Writer& out, Duration off) {
  out.text("the clock of this machine is ").number(off.us < 0 ? -off.whole_seconds() : off.whole_seconds());
  out.text(off.us < 0 ? " s ahead of the provider's" : " s behind the provider's");
}

}  // namespace

size_t OnlineCheck::bytes_for(uint32_t sections) { return region_rounded(sizeof(Probe) * sections); }

OnlineCheck::OnlineCheck(Region& region, uint32_t sections, port::Port& port)
    : port_(port), count_(sections), probes_(reinterpret_cast<Probe*>(region.carve(sizeof(Probe) * sections).data())) {
  for (uint32_t i = 0; i < count_; ++i) new (probes_ + i) Probe;
}

bool OnlineCheck::prepare(Section& section) {
  Probe& probe = probes_[section.number];
  probe.push = Push();
  Push& push = probe.push;
  push.section = section.number;
  push.exchange.room = Bytes(push.reply.bytes);
  Registration nobody;
  nobody.token = section.kind() == "apns" ? ByteView(zeros) : bytes_of(nobodys_token);
  Notice notice;
  notice.addressee = Notice::Addressee::nobody;
  Outgoing outgoing = section.provider->outgoing(notice);
  outgoing.alert = outgoing.urgent = false;  // whatever the conf makes of empty publishes: this one is for nobody
  MapInputs in{.now = port_.clock.wall(), .validate_only = true};
  port_.entropy.fill(in.request_id);
  in.request_id[6] = static_cast<uint8_t>((in.request_id[6] & 0x0f) | 0x40);  // RFC 9562 §5.4: version 4
  in.request_id[8] = static_cast<uint8_t>((in.request_id[8] & 0x3f) | 0x80);
  push.request.clear();
  probe.wanted = section.provider->map(nobody, notice, outgoing, in, push.request).ok();
  return probe.wanted;
}

void OnlineCheck::run(Wiring& wiring, const Settings& settings, const LoadedFiles& files) {
  wiring_ = &wiring;
  settings_ = &settings;
  files_ = &files;
  for (uint32_t i = 0; i < count_; ++i) {
    Section& section = wiring.section(i);
    if (section.off) {
      conclude(probes_[i], exit_code::conf, "off", "mend what is said of it above");
    } else if (section.pooled) {
      try_key(probes_[i]);
    } else if (!prepare(section)) {
      conclude(probes_[i], exit_code::internal, "no request can be made", "please report this");
    }
  }
  const Instant deadline = port_.clock.now() + within;
  while (!all_known() && port_.clock.now() < deadline) turn(deadline);
  for (uint32_t i = 0; i < count_; ++i) {
    if (!probes_[i].finding.known)
      conclude(probes_[i], exit_code::temporary, "no answer within a minute",
               "try again; is the connection very slow?");
  }
  for (OriginLink* link : wiring.links()) {
    if (link != nullptr) link->close();
  }
}

void OnlineCheck::try_key(Probe& probe) {
  if (!wiring_->has_vapid_key()) {
    return conclude(probe, exit_code::ok, "ok: the key of Web Push will be made at the first start", "");
  }
  const Status tried = wiring_->try_vapid_key();
  if (!tried.ok() && tried.error() == Error::damaged) {
    return conclude(probe, exit_code::conf, "the key of Web Push signs, and its public half calls the signature bad",
                    "restore vapid_key from the backup");
  }
  if (!tried.ok()) return conclude(probe, exit_code::internal, "the key does not sign", "please report this line");
  conclude(probe, exit_code::ok, "ok: the key of Web Push signs, and its signature is good", "");
}

// What to do about a connection that could not be made, by the sentence that says why. A key that the conf does not
// set is not to blame.
string_view OnlineCheck::next_step(uint8_t section, string_view why) const {
  const bool moved = !settings_->section(section).endpoint.host.empty() ||
                     (settings_->is_fcm(section) && !settings_->fcm_of(section).token_endpoint.host.empty());
  const bool pinned = !settings_->section(section).ca_file.empty();
  if (has(why, "looked up")) {
    return moved ? "check the name in endpoint, and this machine's DNS (/etc/resolv.conf)"
                 : "check this machine's DNS (/etc/resolv.conf)";
  }
  if (has(why, "check the clock")) return "set this machine's clock";
  if (has(why, "our certificate") || has(why, "certificate from us")) {
    return "check certificate: it must be valid, and one that the provider made for this app";
  }
  if (has(why, "root of ca_file") || has(why, "not in ca_file") || has(why, "has expired")) {
    return pinned
               ? "check ca_file: it must hold the root above the provider's certificate; without ca_file that is the "
                 "system's store (package ca-certificates). A firewall that opens TLS shows a certificate of its own"
               : "check the system's store of roots (package ca-certificates). A firewall that opens TLS shows a "
                 "certificate of its own; ca_file can name its root";
  }
  if (has(why, "the certificate is not for")) {
    return moved ? "check endpoint: another server answers under this name"
                 : "another server answers under this name: check this machine's DNS, and firewalls that open TLS";
  }
  if (has(why, "does not speak") || has(why, "does not agree") || has(why, "ALPN")) {
    return moved ? "check endpoint: whatever answers there is not the provider, or a proxy stands between"
                 : "whatever answers there is not the provider: check this machine's DNS; does a proxy stand between?";
  }
  if (has(why, "counted memory")) return "this is a bug of tocsin, please report it with this line";
  return "check that this machine may open connections to that host and port: firewall, route, IPv6";
}

bool OnlineCheck::all_known() const {
  for (uint32_t i = 0; i < count_; ++i) {
    if (!probes_[i].finding.known) return false;
  }
  return true;
}

// As Loop's, without the XMPP server: that one must not notice.
void OnlineCheck::turn(Instant deadline) {
  port::Interest interests[2 * Loop::links_max];
  const auto links = wiring_->links();
  Instant when = deadline;
  uint32_t count = 0;
  for (const OriginLink* link : links) {
    if (link == nullptr) continue;
    link->want(interests + count);
    when = earlier(when, link->due(port_.clock.now()));
    count += 2;
  }
  port_.net.wait({interests, count}, when);
  const Instant now = port_.clock.now();
  count = 0;
  for (OriginLink* link : links) {
    if (link == nullptr) continue;
    link->receive(interests + count, now);
    count += 2;
  }
  for (OriginLink* link : links) {
    if (link != nullptr) link->tick(now);
  }
  for (OriginLink* link : links) {
    if (link != nullptr) link->flush(now);
  }
}

// ---- RequestSource -----------------------------------------------------------

Instant OnlineCheck::wanted_at(const Lane& lane) const {
  const Probe& probe = probes_[lane.section];
  return probe.wanted && !probe.finding.known ? Instant{} : Instant::never();
}

Push* OnlineCheck::next(Lane& lane, Instant now) {
  Probe& probe = probes_[lane.section];
  if (!wants_to_send(lane, now)) return nullptr;
  probe.wanted = false;
  ++probe.tries;
  probe.push.place = Push::Place::in_flight;
  probe.push.sent = now;
  probe.push.lane = &lane;
  lane.in_flight.push_back(probe.push);
  return &probe.push;
}

void OnlineCheck::put_back(Push& push) {
  push.lane->in_flight.remove(push);
  push.place = Push::Place::none;
  probes_[push.section].wanted = true;
}

void OnlineCheck::over(Push& push, Instant now, UnixTime wall) {
  put_back(push);
  Probe& probe = probes_[push.section];
  probe.wanted = false;
  if (probe.finding.known) return;
  const H2Exchange& exchange = push.exchange;
  if (exchange.outcome != H2Exchange::Outcome::answered) return again(probe, "the request was not answered");
  const Provider& provider = *wiring_->section(push.section).provider;
  Reply reply;
  reply.status = exchange.status;
  reply.retry_after = exchange.retry_after.view();
  if (!exchange.date.empty()) reply.date = parse_http_date(exchange.date.view());
  JsonDocument json(wiring_->json_heap());
  if (exchange.body_size > 0) provider.read(exchange.body_text(), json, reply);
  judged(probe, reply, provider.judge(reply, wall), now, wall);
}

void OnlineCheck::judged(Probe& probe, const Reply& reply, const Verdict& verdict, Instant now, UnixTime wall) {
  using Kind = Verdict::Kind;
  Section& section = wiring_->section(probe.push.section);
  Credential* credential = probe.push.lane->credential;
  const Duration off = plausible(reply.date) ? reply.date - wall : Duration{};
  const bool clock_wrong = off > minutes(5) || off < Duration{} - minutes(5);
  uint8_t room[400];
  Writer what(room);
  // The provider looked at the token, so everything before it is right.
  const bool about_token =
      verdict.kind == Kind::dead || (verdict.kind == Kind::suspect && reply.reason != "DeviceTokenNotForTopic");
  if (about_token || verdict.kind == Kind::delivered) {
    what.text("ok: ").text(section.kind() == "apns" ? "Apple" : "Google").text(" takes our requests");
    if (!reply.reason.empty()) what.text(" (").text(reply.reason).text(" for a token of nobody's, as it should be)");
    // Whether that is right only a push to a real device can tell.
    if (FcmAccount account; read_account(*wiring_, *settings_, *files_, section.number, account))
      what.text("; the app must be built with the project ").text(account.project.view());
    if (!clock_wrong) return conclude(probe, exit_code::ok, what.view(), "");
    write_clock(what.text("; but "), off);
    return conclude(probe, exit_code::conf, what.view(), "set it, before that matters");
  }
  what.text("refused: ").text(verdict.reason);
  if (verdict.clock_off.us != 0) {
    write_clock(what.text("; "), verdict.clock_off);
    return conclude(probe, exit_code::conf, what.view(), "set it; until then tocsin signs in the provider's time");
  }
  if (verdict.reauthorize && credential != nullptr && probe.tries < tries_max) {
    credential->renew(now, wall, port_.entropy);
    probe.wanted = true;
    return;
  }
  const bool passing = verdict.kind == Kind::limited || (verdict.kind == Kind::retry && verdict.advice.empty());
  if (passing) {
    what.rewind(0);
    what.text("trouble at the provider: ").text(verdict.reason);
    return conclude(probe, exit_code::temporary, what.view(), "try again later; tocsin would do so by itself");
  }
  conclude(probe, exit_code::conf, what.view(), verdict.advice.empty() ? "please report this line" : verdict.advice);
}

// A connection may end of itself.
void OnlineCheck::again(Probe& probe, string_view why) {
  if (probe.tries < tries_max) {
    probe.wanted = true;
  } else {
    conclude(probe, exit_code::temporary, why,
             "try again later; if that does not help, is it the provider that answers there?");
  }
}

void OnlineCheck::lane_down(Lane& lane, string_view sentence, Instant, Instant) {
  Probe& probe = probes_[lane.section];
  uint8_t room[850];
  Writer what(room);
  what.text("no connection: ").text(slice(sentence, 0, 500));
  const bool ours = has(sentence, "our certificate") || has(sentence, "certificate from us");
  conclude(probe, ours ? exit_code::conf : exit_code::unavailable, what.view(), next_step(lane.section, sentence));
}

// Our key, our clock, or Google's token endpoint.
void OnlineCheck::section_paused(uint8_t section, string_view reason, string_view advice, Duration, Instant) {
  const bool unreachable = advice.empty() && starts_with(reason, "no access token: ");
  const bool unanswered = has(reason, "no access token: no access token") || has(reason, "not answered");
  if (unreachable && unanswered)
    return conclude(probes_[section], exit_code::temporary, reason, "try again later; tocsin would do so by itself");
  conclude(probes_[section], unreachable ? exit_code::unavailable : exit_code::conf, reason,
           advice.empty() ? next_step(section, reason) : advice);
}

void OnlineCheck::conclude(Probe& probe, int code, string_view what, string_view next) {
  if (probe.finding.known) return;
  uint8_t room[900];
  Writer text(room);
  text.text(slice(what, 0, 560));
  if (!next.empty()) text.text("; ").text(slice(next, 0, 320));
  GW_CHECK(!text.overflowed() && probe.finding.text.assign(text.view()));
  probe.finding.known = true;
  probe.finding.code = code;
}

int OnlineCheck::code() const {
  int worst = exit_code::ok;
  for (const int code : {exit_code::temporary, exit_code::unavailable, exit_code::internal, exit_code::conf}) {
    for (uint32_t i = 0; i < count_; ++i) {
      if (probes_[i].finding.code == code) worst = code;
    }
  }
  return worst;
}

}  // namespace tocsin
