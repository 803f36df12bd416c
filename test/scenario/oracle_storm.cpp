// What happens in the oracle's storms.
#include "test/scenario/oracle.h"

namespace tocsin::test {
namespace {

using Act = FakeProvider::Act;

struct Mood {
  uint16_t status;
  string_view reason;
  Act act = Act::answer;
};
// None of these is a word about a device.
constexpr Mood moods[] = {
    {500, "InternalServerError"},
    {503, "ServiceUnavailable"},
    {503, "ServiceUnavailable"},
    {503, "Shutdown"},
    {502, "<html>Bad Gateway</html>"},
    {599, "NewTrouble"},
    {429, "TooManyRequests"},
    {429, "TooManyProviderTokenUpdates"},
    {403, "ExpiredProviderToken"},
    {403, "InvalidProviderToken"},
    {403, "BadEnvironmentKeyIdInToken"},
    {403, "Forbidden"},
    {400, "TopicDisallowed"},
    {400, "BadTopic"},
    {400, "IdleTimeout"},
    {400, "DeviceTokenOnFire"},
    {400, "PayloadEmpty"},
    {404, "BadPath"},
    {405, "MethodNotAllowed"},
    {410, "\"}}}{{"},
    {413, "PayloadTooLarge"},
    {503, "ServiceUnavailable", Act::stall},  // what it says when it speaks after all
    {200, "", Act::refuse_stream},
    {200, "", Act::reset_stream},
    {200, "", Act::go_away},
    {200, "", Act::drop_connection},
};

}  // namespace

void Oracle::storm(uint32_t steps) {
  for (uint32_t i = 0; i < steps && fine(); ++i) {
    step();
    static constexpr Duration pauses[] = {milliseconds(3), milliseconds(50), seconds(1), seconds(7),
                                          seconds(30),     minutes(3),       minutes(40)};
    w_.run_for(pauses[random_.below(std::size(pauses))]);
    if (!w_.server().up()) orphan_open();
    look_at_open();
  }
}

void Oracle::step() {
  const uint64_t what = random_.below(100);
  if (what < 40) {
    const uint64_t count = random_.between(1, 4);
    for (uint64_t i = 0; i < count; ++i)
      publish(number_of(any_phone()), static_cast<Occasion>(random_.below(occasions_count)));
  } else if (what < 45) {
    for (uint32_t i = 0; i < phones_count; ++i) publish(i, Occasion::sealed);
  } else if (what < 60) {
    change_mood();
  } else if (what < 70) {
    change_network();
  } else if (what < 76) {
    change_disk();
  } else if (what < 80) {
    change_clock();
  } else if (what < 84) {
    stop();
    start();
  } else if (what < 87) {
    orphan_open();
    random_.coin() ? w_.server().drop() : w_.server().reset();
  } else if (what < 91) {
    kill_phone(number_of(any_phone()));
  } else if (what < 94) {
    reinstall(number_of(any_phone()));
  } else if (what < 96) {
    const uint32_t number = number_of(any_phone());
    if (!phones_[number].dead) enroll(number);  // as phones do when they start
  } else if (what < 97) {
    Phone& phone = any_phone();
    if (phone.registered && phone.registered_well && !phone.dead) phone.stale = true;
  } else if (what < 98) {
    w_.run_for(hours(static_cast<int64_t>(random_.between(1, 30))));
  } else if (what < 99) {
    change_topic();
  } else {
    heal();
  }
}

// Registers, or registers again; waits for the answer, which may be an error for a while.
void Oracle::enroll(uint32_t number) {
  Phone& phone = phones_[number];
  if (!w_.server().up()) return;
  uint8_t room[64];
  Writer from(room);
  from.text("user").unsigned_number(number).text("@").text(domain_of(phone.peer)).text("/phone");
  uint8_t id_room[32];
  Writer id(id_room);
  id.text("reg-").unsigned_number(next_register_++);
  w_.send_register(from.view(), id.view(), "tigase:messenger:apns:1", phone.token);
  const bool came = w_.run_until([&] { return w_.server().answers(id.view()) > 0; }, seconds(15));
  if (!came) {
    if (w_.server().up()) complain("a registration was not answered", &phone);
    return;
  }
  const string_view answer = w_.server().answer(id.view());
  const string_view mark = "<field var='node' type='text-single'><value>";
  const size_t at = answer.find(mark);
  if (at == string_view::npos) {
    if (!contains(answer, "type='wait'")) complain("a registration was refused for good", &phone);
    return;
  }
  NodeText node;
  GW_CHECK(node.text.assign(slice(answer, at + mark.size(), NodeId::text_size)));
  const bool same = phone.registered && node.text.view() == phone.node.text.view();
  if (phone.registered && !same && !phone.declared) complain("a registration that was acknowledged is lost", &phone);
  phone.node = node;
  phone.registered = true;
  phone.registered_at = w_.simulation().wall();
  phone.registered_life = life_;
  phone.registered_well = clock_right_;
  phone.stale = false;
  // The client enables push with what it was given; the same node again changes nothing.
  if (!same || !phone.standing.enabled) phone.standing = {};
  if (same) return;
  phone.accepted = phone.declared = phone.suspected = false;
}

// The user deletes the app, or the token ends.
void Oracle::kill_phone(uint32_t number) {
  Phone& phone = phones_[number];
  if (!phone.registered || phone.dead || phone.foreign) return;
  phone.dead = true;
  phone.stale = false;
  ++report_.deaths;
  phone.word = {};
  phone.word.status = 410;
  string_view reason = "Unregistered";
  const bool long_ago = w_.simulation().wall() - phone.registered_at > minutes(30);
  switch (random_.below(4)) {
    case 0: break;
    case 1: reason = "ExpiredToken"; break;
    case 2:
      if (phone.accepted) {
        phone.word.status = 400;
        reason = random_.coin() ? "BadDeviceToken" : "DeviceTokenNotForTopic";
      }
      break;
    default:
      if (long_ago) phone.word.timestamp_ms = w_.simulation().wall().s * 1000;
  }
  GW_CHECK(phone.word.reason.assign(reason));
}

void Oracle::reinstall(uint32_t number) {
  Phone& phone = phones_[number];
  if (!phone.dead) return;
  phone.dead = false;
  // A word of its death may be on its way still: it counts until the phone has registered anew.
  enroll(number);
}

void Oracle::change_mood() {
  if (random_.chance(300'000)) {
    mood_share_ = 0;
    w_.provider().retry_after("");
    w_.provider().think({});
    w_.provider().release_stalled();
    return;
  }
  const Mood& mood = moods[random_.below(std::size(moods))];
  mood_ = {};
  mood_.status = mood.status;
  mood_.act = mood.act;
  GW_CHECK(mood_.reason.assign(mood.reason));
  static constexpr uint32_t shares[] = {200'000, 600'000, 1'000'000};
  mood_share_ = shares[random_.below(std::size(shares))];
  static constexpr string_view hints[] = {"", "1", "90", "86400", "soon", "Sun, 06 Nov 1994 08:49:37 GMT"};
  w_.provider().retry_after(hints[random_.below(std::size(hints))]);
  static constexpr Duration thoughts[] = {{}, {}, milliseconds(200), seconds(4), seconds(12)};
  w_.provider().think(thoughts[random_.below(std::size(thoughts))]);
}

void Oracle::change_network() {
  sim::Network& network = w_.simulation().network();
  const Address address = World::provider_address(0);
  using Conduct = FakeProvider::Conduct;
  switch (random_.below(9)) {
    case 0: network.path(address).reach = sim::Reach::refuse; break;
    case 1: network.path(address).reach = sim::Reach::black_hole; break;
    case 2: network.path(address).reach = sim::Reach::unreachable; break;
    case 3: network.reset_all(address); return;
    case 4: network.hold_all(address); return;
    case 5: w_.provider().conduct(static_cast<Conduct>(random_.between(1, 4))); break;
    case 6: w_.provider().go_away_now(random_.coin() ? -1 : 0, "{\"reason\":\"Shutdown\"}"); return;
    case 7: w_.simulation().names().fails("api.push.example.org", Error::timed_out); break;
    default:
      network.path(address).reach = sim::Reach::accept;
      network.release_all(address);
      w_.provider().conduct(Conduct::proper);
      w_.simulation().names().set("api.push.example.org", address);
      return;
  }
  if (random_.coin()) w_.provider().drop_connections();
}

void Oracle::change_disk() {
  sim::DiskFaults& faults = w_.disk().faults();
  faults = {};
  switch (random_.below(5)) {
    case 0: faults.sync_failures = static_cast<uint32_t>(random_.between(1, 3)); break;
    case 1: faults.sync_latency = milliseconds(static_cast<int64_t>(random_.between(1, 8000))); break;
    case 2: faults.read_failures = static_cast<uint32_t>(random_.between(1, 3)); break;
    case 3:
      faults.write_failures = static_cast<uint32_t>(random_.between(1, 3));
      faults.write_budget = random_.below(100);
      break;
    default: break;
  }
}

void Oracle::change_clock() {
  const UnixTime truth = w_.simulation().wall();
  clock_right_ = true;
  switch (random_.below(4)) {
    case 0:  // it was never set
      w_.port().set_wall(UnixTime{static_cast<int64_t>(random_.below(1'000'000))});
      clock_right_ = false;
      break;
    case 1: w_.port().set_wall(truth + minutes(static_cast<int64_t>(random_.below(20)))); break;
    case 2: w_.port().set_wall(truth - minutes(static_cast<int64_t>(random_.below(20)))); break;
    default: w_.port().set_wall(truth); break;
  }
}

void Oracle::stop() {
  w_.disk().faults() = {};
  orphan_open();
  switch (random_.below(3)) {
    case 0: w_.crash(); break;
    case 1: w_.lose_power(); break;
    default:
      w_.terminate();
      w_.run_for(seconds(6));
      if (!w_.exited()) complain("the gateway did not end", nullptr);
      w_.crash();
  }
}

void Oracle::start() {
  w_.start();
  orphan_open();
  ++life_;
  ++report_.restarts;
}

// The operator takes a wrong topic for the right one, and back.
void Oracle::change_topic() {
  stop();
  wrong_topic_ = !wrong_topic_;
  suspicion_ = true;
  w_.set(wrong_topic_ ? "apns/siskin.topic=org.example.mistake" : "apns/siskin.topic=org.example.siskin");
  start();
}

void Oracle::heal() {
  w_.disk().faults() = {};
  w_.port().set_wall(w_.simulation().wall());
  clock_right_ = true;
  sim::Network& network = w_.simulation().network();
  const Address address = World::provider_address(0);
  network.path(address).reach = sim::Reach::accept;
  network.release_all(address);
  w_.provider().conduct(FakeProvider::Conduct::proper);
  w_.simulation().names().set("api.push.example.org", address);
  mood_share_ = 0;
  w_.provider().retry_after("");
  w_.provider().think({});
  w_.provider().release_stalled();
  if (wrong_topic_) change_topic();
  for (Phone& phone : phones_) phone.stale = false;
  w_.run_for(minutes(2));  // the link to the server, if that was down
  if (!w_.server().up()) complain("the link to the server does not come back", nullptr);
}

}  // namespace tocsin::test
