// What goes wrong in the oracle's storms.
#include "test/scenario/oracle.h"

#include <iterator>

#include "port/sim/random.h"
#include "test/support/certs.h"

namespace tocsin::test {
namespace {

using Act = FakeProvider::Act;

struct Temper {
  uint16_t status;
  string_view reason;
  Act act = Act::answer;
};
// None of these is a word about a device.
constexpr Temper of_apple[] = {
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
constexpr uint64_t about_tokens = 6;
constexpr Temper of_services[] = {
    // About what we sign: half of all troubles.
    {401, R"({"code":401,"errno":109,"error":"Unauthorized"})"},
    {401, R"({"code":40101,"http":401,"error":"unauthorized"})"},
    {403, R"({"reason":"BadJwtToken"})"},
    {403, R"({"reason":"BadAuthorizationHeader"})"},
    {403, ""},
    {403, "<html>Forbidden</html>"},
    // About themselves.
    {500, ""},
    {502, "<html>Bad Gateway</html>"},
    {503, ""},
    {599, R"({"error":"new trouble"})"},
    {507, R"({"code":50701,"http":507,"error":"nobody listens"})"},
    {429, ""},
    {429, R"({"code":42901,"http":429,"error":"limit reached"})"},
    {406, ""},
    {408, ""},
    {413, ""},
    {413, R"({"code":413,"errno":104})"},
    {400, ""},
    {400, R"({"reason":"BadTtl"})"},
    {400, R"({"code":400,"errno":110})"},
    {301, ""},
    {307, ""},
    {405, ""},
    {415, ""},
    {418, "\"}}}{{"},
    {503, "", Act::stall},  // what it says when it speaks after all
    {200, "", Act::refuse_stream},
    {200, "", Act::reset_stream},
    {200, "", Act::go_away},
    {200, "", Act::drop_connection},
};

// Its certificate is one that nobody here knows.
class Chance : public RandomSource {
 public:
  void fill(Bytes room) override { random_.fill(room); }

 private:
  sim::Random random_{13};
};
Chance chance;
TlsIdentity good_identity;
TlsIdentity strange_identity;

}  // namespace

void Oracle::load_identities() {
  static bool loaded = false;
  if (loaded) return;
  GW_CHECK(good_identity.load(cert_ec_leaf, key_ec_leaf, chance));
  GW_CHECK(strange_identity.load(cert_unknown, key_unknown, chance));
  loaded = true;
}

void Oracle::change_mood() {
  const uint32_t side = any_side();
  FakeProvider& provider = provider_of(side);
  Mood& mood = moods_[side];
  if (random_.chance(300'000)) return calm(side);
  const uint64_t of_service = random_.below(random_.coin() ? about_tokens : std::size(of_services));
  const Temper& temper = side == 0 ? of_apple[random_.below(std::size(of_apple))] : of_services[of_service];
  mood.rule = {};
  mood.rule.status = temper.status;
  mood.rule.act = temper.act;
  GW_CHECK(mood.rule.reason.assign(temper.reason));
  static constexpr uint32_t shares[] = {200'000, 600'000, 1'000'000};
  mood.share = shares[random_.below(std::size(shares))];
  static constexpr string_view hints[] = {"", "1", "90", "86400", "soon", "Sun, 06 Nov 1994 08:49:37 GMT"};
  provider.retry_after(hints[random_.below(std::size(hints))]);
  static constexpr Duration thoughts[] = {{}, {}, milliseconds(200), seconds(4), seconds(12)};
  provider.think(thoughts[random_.below(std::size(thoughts))]);
}

void Oracle::calm(uint32_t side) {
  FakeProvider& provider = provider_of(side);
  moods_[side].share = 0;
  provider.retry_after("");
  provider.think({});
  provider.release_stalled();
}

void Oracle::change_network() {
  sim::Network& network = w_.simulation().network();
  const uint32_t side = any_side();
  FakeProvider& provider = provider_of(side);
  const Address address = address_of(side);
  using Conduct = FakeProvider::Conduct;
  switch (random_.below(10)) {
    case 0: network.path(address).reach = sim::Reach::refuse; break;
    case 1: network.path(address).reach = sim::Reach::black_hole; break;
    case 2: network.path(address).reach = sim::Reach::unreachable; break;
    case 3: network.reset_all(address); return;
    case 4: network.hold_all(address); return;
    case 5: provider.conduct(static_cast<Conduct>(random_.between(1, 4))); break;
    case 6: provider.go_away_now(random_.coin() ? -1 : 0, "{\"reason\":\"Shutdown\"}"); return;
    case 7: set_names(side, Error::timed_out); break;
    case 8: provider.identify(strange_identity); break;
    default: return mend(side);
  }
  if (random_.coin()) provider.drop_connections();
}

void Oracle::mend(uint32_t side) {
  sim::Network& network = w_.simulation().network();
  network.path(address_of(side)).reach = sim::Reach::accept;
  network.release_all(address_of(side));
  // The stand-in of a service keeps few connections, of which some may have no other end any more.
  if (side > 0) provider_of(side).drop_connections();
  provider_of(side).conduct(FakeProvider::Conduct::proper);
  provider_of(side).identify(good_identity);
  set_names(side, Error::none);
}

// Error::none: they stand for its address.
void Oracle::set_names(uint32_t side, Error error) {
  sim::NameTable& names = w_.simulation().names();
  const auto set = [&](string_view name) {
    if (error == Error::none) names.set(name, address_of(side));
    if (error != Error::none) names.fails(name, error);
  };
  if (side == 0) return set("api.push.example.org");
  for (uint32_t origin = side - 1; origin < origins_count; origin += services_count) {
    uint8_t room[32];
    Writer name(room);
    set(name.character('n').unsigned_number(origin).text(".wild.example.org").view());
  }
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
  switch (random_.below(5)) {
    case 4:  // by more than a token of Web Push lives
      w_.port().set_wall(truth + (random_.coin() ? hours(30) : Duration{} - hours(30)));
      clock_right_ = false;
      break;
    case 0:  // it was never set
      w_.port().set_wall(UnixTime{static_cast<int64_t>(random_.below(1'000'000))});
      clock_right_ = false;
      break;
    case 1: w_.port().set_wall(truth + minutes(static_cast<int64_t>(random_.below(20)))); break;
    case 2: w_.port().set_wall(truth - minutes(static_cast<int64_t>(random_.below(20)))); break;
    default: w_.port().set_wall(truth); break;
  }
}

void Oracle::heal() {
  w_.disk().faults() = {};
  w_.port().set_wall(w_.simulation().wall());
  clock_right_ = true;
  for (uint32_t side = 0; side < sides_count; ++side) {
    mend(side);
    calm(side);
  }
  if (wrong_topic_) change_topic();
  for (Phone& phone : phones_) phone.stale = false;
  w_.run_for(minutes(2));  // the link to the server, if that was down
  if (!w_.server().up()) complain("the link to the server does not come back", nullptr);
}

}  // namespace tocsin::test
