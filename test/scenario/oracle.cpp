#include "test/scenario/oracle.h"

#include <new>

namespace tocsin::test {
namespace {

constexpr string_view push_jid = "push.example.org";

constexpr string_view names[mutations_count] = {
    "none",
    "wait becomes cancel",
    "service-unavailable becomes resource-constraint",
    "a 503 is a death",
    "a wrong topic is a death",
    "a refused token is a death",
    "an old word of death counts",
    "a death becomes wait",
    "a word of death is trouble",
    "answers get lost",
    "answers come twice",
    "answers lose the resource",
    "answers come late",
};

// text with one part of it replaced; text itself when it has no such part.
string_view with(string_view text, string_view part, string_view other, Writer& out) {
  const size_t at = text.find(part);
  if (at == string_view::npos) return text;
  out.text(slice(text, 0, at)).text(other).text(slice(text, at + part.size()));
  GW_CHECK(!out.overflowed());
  return out.view();
}

// About the device itself, whatever we may have done wrong.
bool clear_word(const FakeProvider::Rule& word) { return word.status == 404 || word.status == 410; }

}  // namespace

string_view name_of(Mutation mutation) { return names[static_cast<size_t>(mutation)]; }

OracleReport run_oracle(World& world, uint64_t seed, Mutation mutation) {
  alignas(Oracle) static uint8_t room[sizeof(Oracle)];
  Oracle* oracle = new (static_cast<void*>(room)) Oracle(world, seed, mutation);
  return oracle->run();
}

Oracle::Oracle(World& world, uint64_t seed, Mutation mutation)
    : w_(world), random_(seed), provider_random_(~seed), mutation_(mutation) {
  // Push services cost a TLS handshake for nearly each message: not every life has all of the browsers.
  phones_here_ = browsers_from + (seed % 8 == 0 ? phones_count - browsers_from : seed % 2 == 0 ? 3 : 0);
  for (uint32_t i = 0; i < phones_count; ++i) {
    phones_[i].peer = static_cast<Peer>(i % peers_count);
    phones_[i].browser = i >= browsers_from;
    phones_[i].token = token_number(i);
  }
}

OracleReport Oracle::run() {
  load_identities();
  w_.server().tell(this);
  for (uint32_t side = 0; side < sides_count; ++side) {
    provider_of(side).ask(this);
    if (side > 0) {
      provider_of(side).tell_time(true);
      provider_of(side).mind_time(true);
    }
    set_names(side, Error::none);
  }
  w_.start();
  for (uint32_t i = 0; i < phones_here_; ++i) {
    phones_[i].foreign = random_.chance(100'000);
    enroll(i);
  }
  // Most have had their first push before anything goes wrong.
  for (uint32_t i = 0; i < phones_here_; ++i) {
    if (random_.chance(800'000)) publish(i, Occasion::message);
  }
  w_.run_for(hours(static_cast<int64_t>(random_.between(1, 30))));
  look_at_open();
  const uint32_t storms = static_cast<uint32_t>(random_.between(1, 3));
  for (uint32_t i = 0; i < storms && fine(); ++i) {
    storm(static_cast<uint32_t>(random_.between(10, 40)));
    if (fine()) end_in_peace();
  }
  w_.server().tell(nullptr);
  for (uint32_t side = 0; side < sides_count; ++side) provider_of(side).ask(nullptr);
  return report_;
}

void Oracle::complain(string_view what, const Phone* phone) {
  if (!fine()) return;  // the first one explains the others
  uint8_t room[240];
  Writer out(room);
  out.text(what);
  if (phone != nullptr) {
    out.text(" (")
        .text(name_of(phone->peer))
        .text(phone->browser ? ", browser " : ", phone ")
        .unsigned_number(number_of(*phone))
        .text(")");
  }
  out.text(" at ").number(w_.now().us / 1000).text(" ms");
  GW_CHECK(report_.complaint.assign(out.view()));
}

// ---- publishes and their answers ---------------------------------------------

void Oracle::publish(uint32_t number, Occasion occasion) {
  Phone& phone = phones_[number];
  if (!phone.registered || !phone.standing.enabled) return;
  if (!w_.server().up()) return react(phone.peer, {.kind = PeerReply::Kind::unreachable}, push_jid, phone.standing);
  GW_CHECK(report_.publishes < publishes_max);
  const uint32_t sequence = report_.publishes++;
  publications_[sequence] = {.phone = number, .node = phone.node, .sent = w_.now()};
  uint8_t id_room[64];
  Writer id(id_room);
  id.character('v').unsigned_number(sequence);
  if (phone.peer == Peer::ejabberd) id.text("-AbC+/x=-ejabberd@localhost");
  uint8_t room[4096];
  Writer stanza(room);
  write_publish(stanza, phone.peer, push_jid, phone.node, id.view(), occasion);
  w_.server().send(stanza.view());
}

void Oracle::answered(string_view stanza) {
  const string_view id = attribute_of(stanza, "id");
  if (!starts_with(id, "v")) return;
  size_t digits = 1;
  while (digits < id.size() && id[digits] >= '0' && id[digits] <= '9') ++digits;
  const Result<uint64_t> sequence = parse_number(slice(id, 1, digits - 1), publishes_max);
  if (!sequence.ok() || sequence.value() >= report_.publishes) return complain("an answer to nothing", nullptr);
  uint8_t room[4096];
  Writer altered(room);
  Publication& publication = publications_[sequence.value()];
  switch (mutation_) {
    case Mutation::wait_becomes_cancel: stanza = with(stanza, "type='wait'", "type='cancel'", altered); break;
    case Mutation::unavailable_becomes_constraint:
      stanza = with(stanza, "service-unavailable", "resource-constraint", altered);
      break;
    case Mutation::death_becomes_wait:
      stanza = with(stanza, "type='cancel'><item-not-found", "type='wait'><internal-server-error", altered);
      break;
    case Mutation::answers_lose_the_resource:
      stanza = with(stanza, from_of(Peer::tigase), domain_of(Peer::tigase), altered);
      break;
    case Mutation::answers_get_lost:
      if (++late_ % 50 == 0) return;
      break;
    case Mutation::answers_come_twice:
      if (++late_ % 50 == 0) judge_reply(publication, stanza);
      break;
    case Mutation::answers_come_late:
      if (++late_ % 50 == 0) publication.sent = publication.sent - seconds(6);
      break;
    default: break;
  }
  judge_reply(publication, stanza);
}

void Oracle::judge_reply(Publication& publication, string_view stanza) {
  Phone& phone = phones_[publication.phone];
  if (publication.answered) return complain("answered twice", &phone);
  publication.answered = true;
  if (!publication.orphaned && w_.now() - publication.sent > answered_within) return complain("answered late", &phone);
  const PeerReply reply = read_reply(stanza);
  if (reply.from != push_jid) complain("the answer is from another address", &phone);
  if (reply.to != from_of(phone.peer)) complain("the answer is for another address", &phone);
  const bool gone = reply.kind == PeerReply::Kind::error && reply.condition == "item-not-found";
  if (reply.kind == PeerReply::Kind::result) ++report_.results;
  if (reply.kind == PeerReply::Kind::error) ++(gone ? report_.gones : report_.waits);
  if (phone.node.text.view() != publication.node.text.view()) return;  // of a node that has ended
  phone.last = gone ? Last::gone : reply.kind == PeerReply::Kind::result ? Last::result : Last::wait;
  const bool was_enabled = phone.standing.enabled;
  react(phone.peer, reply, push_jid, phone.standing);
  if (was_enabled && !phone.standing.enabled && !phone.declared)
    complain("the server ended the registration of a phone that nobody declared dead", &phone);
  if (gone && !phone.declared) complain("a phone that nobody declared dead is said to be gone", &phone);
}

// Whoever waits for too long on a stream that is still there waits for ever.
void Oracle::look_at_open() {
  for (uint32_t i = 0; i < report_.publishes; ++i) {
    const Publication& publication = publications_[i];
    if (publication.answered || publication.orphaned) continue;
    if (w_.now() - publication.sent > answered_within) complain("never answered", &phones_[publication.phone]);
  }
}

void Oracle::orphan_open() {
  for (uint32_t i = 0; i < report_.publishes; ++i) {
    Publication& publication = publications_[i];
    if (publication.answered || publication.orphaned) continue;
    publication.orphaned = true;
    ++report_.silences;
    Phone& phone = phones_[publication.phone];
    if (phone.node.text.view() == publication.node.text.view())
      react(phone.peer, {.kind = PeerReply::Kind::silence}, push_jid, phone.standing);
  }
}

// ---- the provider's side -----------------------------------------------------

const FakeProvider::Rule& Oracle::decide(string_view path) {
  Phone* phone = nullptr;
  for (Phone& each : phones_) {
    if (ends_with(path, each.token)) phone = &each;
  }
  GW_CHECK(phone != nullptr);
  said_ = {};
  if (phone->browser) said_.status = 201;
  const Mood& mood = moods_[side_of(*phone)];
  if (provider_random_.chance(mood.share)) {
    said_ = mood.rule;
  } else if (wrong_topic_ && !phone->browser) {
    said_.status = 400;
    GW_CHECK(said_.reason.assign(provider_random_.coin() ? "DeviceTokenNotForTopic" : "BadDeviceToken"));
    phone->suspected = true;
  } else if (phone->dead) {
    said_ = phone->word;
    phone->declared = true;
    if (!clear_word(said_)) phone->suspected = true;
  } else if (phone->stale) {
    said_.status = 410;
    GW_CHECK(said_.reason.assign("Unregistered"));
    said_.timestamp_ms = (phone->registered_at.s - 3600) * 1000;
  } else if (phone->foreign) {
    said_.status = 400;
    GW_CHECK(said_.reason.assign(phone->browser ? R"({"reason":"VapidPkHashMismatch"})" : "DeviceTokenNotForTopic"));
    phone->suspected = suspicion_[phone->browser] = true;
  } else {
    phone->accepted = true;
  }
  plant_mistake(*phone);
  return said_;
}

void Oracle::plant_mistake(const Phone& phone) {
  const uint16_t status = said_.status;
  const bool topic = said_.reason.view() == "DeviceTokenNotForTopic" || said_.reason.view() == "BadDeviceToken";
  const bool token = phone.browser && (status == 401 || status == 403);
  if (mutation_ == Mutation::old_word_is_new && phone.stale) said_.timestamp_ms = 0;
  if ((mutation_ == Mutation::trouble_is_death && status == 503) ||
      (mutation_ == Mutation::refused_token_is_death && token && !phone.dead) ||
      (mutation_ == Mutation::wrong_topic_is_death && topic)) {
    said_.status = 410;
    GW_CHECK(said_.reason.assign("Unregistered"));
  }
  if (mutation_ == Mutation::gone_is_trouble && phone.browser && clear_word(said_)) said_.status = 503;
}

// ---- at rest: what must be true then ------------------------------------------

const Device* Oracle::device_of(const Phone& phone) {
  NodeId node;
  return phone.registered && node.parse(phone.node) ? w_.gateway().registry().find(node) : nullptr;
}

bool Oracle::must_be_dropped(const Phone& phone) const {
  if (!phone.dead || !phone.declared) return false;
  if (!clear_word(phone.word)) return false;  // only with proof, which a power cut may have taken
  if (phone.word.timestamp_ms == 0) return true;
  // The time of a registration is exact until a restart, and then counts as up to a day younger.
  const UnixTime dead_since{phone.word.timestamp_ms / 1000};
  if (!phone.registered_well) return false;
  return life_ == phone.registered_life || dead_since - phone.registered_at > hours(25);
}

void Oracle::end_in_peace() {
  heal();
  w_.run_for(hours(3));  // the longest pause, silence and retry are an hour or so
  look_at_open();
  for (uint32_t i = 0; i < phones_here_; ++i) {
    if (!phones_[i].registered) enroll(i);
  }
  for (uint32_t round = 0; round < 3; ++round) {
    for (uint32_t i = 0; i < phones_here_; ++i) {
      publish(i, Occasion::message);
      w_.run_for(seconds(1));
    }
    w_.run_for(minutes(1));
    look_at_open();
    if (round > 0) continue;
    for (const Phone& phone : phones_) {
      const Device* device = device_of(phone);
      if (must_be_dropped(phone) && device != nullptr && !device->held)
        complain("a dead phone outlived its next publish", &phone);
      // Where the word needs proof, and that is not there, it is held.
      const bool bad = phone.dead && phone.declared && !clear_word(phone.word);
      if (bad && device != nullptr && !device->held)
        complain("a phone whose token is called bad is neither dropped nor held", &phone);
    }
    w_.run_for(hours(2));
  }
  if (fine()) look_at_all();
}

void Oracle::look_at_all() {
  report_.held = 0;
  for (uint32_t i = 0; i < phones_here_; ++i) {
    Phone& phone = phones_[i];
    const Device* device = device_of(phone);
    const bool held = device != nullptr && device->held;
    report_.held += held;
    if (!phone.registered) complain("a phone could not register", &phone);
    const bool may_be_held =
        phone.suspected || suspicion_[phone.browser] || section_deaths_[phone.browser] > brake_devices;
    if (held && !may_be_held) complain("a phone is held without a reason", &phone);
    if (!phone.declared) {
      if (device == nullptr) complain("the registration of a living phone is lost", &phone);
      if (!phone.standing.enabled) complain("the server has ended the registration of a living phone", &phone);
      if (!held && phone.last != Last::result) complain("a living phone gets no push", &phone);
    } else if (must_be_dropped(phone) && !held) {
      if (device != nullptr) complain("a dead phone is still registered", &phone);
      // Prosody counts to 16.
      for (uint32_t n = 0; n < prosody_errors_max && phone.peer == Peer::prosody; ++n) publish(i, Occasion::message);
      w_.run_for(seconds(10));
      if (phone.peer != Peer::openfire && phone.standing.enabled)
        complain("the server still publishes to a dead phone", &phone);
    }
    if (!fine()) return;
  }
}

}  // namespace tocsin::test
