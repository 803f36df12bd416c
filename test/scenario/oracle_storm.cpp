// What happens in the oracle's storms.
#include "test/scenario/oracle.h"
#include "test/scenario/web_push_words.h"

namespace tocsin::test {

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
  const uint64_t what = random_.below(106);
  if (what < 40) {
    const uint64_t count = random_.between(1, 4);
    for (uint64_t i = 0; i < count; ++i)
      publish(number_of(any_phone()), static_cast<Occasion>(random_.below(occasions_count)));
  } else if (what < 45) {
    for (uint32_t i = 0; i < phones_here_; ++i) publish(i, Occasion::sealed);
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
    if (phone.registered && phone.registered_well && !phone.dead && !phone.browser) phone.stale = true;
  } else if (what < 98) {
    w_.run_for(hours(static_cast<int64_t>(random_.between(1, 30))));
  } else if (what < 99) {
    change_topic();
  } else if (what < 105) {
    change_mood();
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
  if (phone.browser) {
    subscribe(phone, from.view(), id.view());
  } else {
    w_.send_register(from.view(), id.view(), "tigase:messenger:apns:1", phone.token);
  }
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

// As a browser gives its subscription away, or a phone's distributor: that has no keys.
void Oracle::subscribe(const Phone& phone, string_view from, string_view id) {
  uint8_t room[400];
  Writer url(room);
  url.text("https://n").unsigned_number(origin_of(phone)).text(".wild.example.org/push/").text(phone.token);
  const bool keyed = number_of(phone) % 2 == 0;
  uint8_t json_room[400];
  Writer json(json_room);
  json.text(R"({"endpoint":")").text(url.view()).text(R"("})");
  w_.send_register(from, id, "webpush", keyed ? string_view(Subscribed(url.view())) : json.view());
}

// The user deletes the app, or the token ends.
void Oracle::kill_phone(uint32_t number) {
  Phone& phone = phones_[number];
  if (!phone.registered || phone.dead || phone.foreign) return;
  phone.dead = true;
  phone.stale = false;
  ++report_.deaths;
  ++section_deaths_[phone.browser];
  phone.word = {};
  choose_death(phone);
}

// Its last word, which the provider says from now on.
void Oracle::choose_death(Phone& phone) {
  phone.word.status = 410;
  string_view reason = phone.browser ? "" : "Unregistered";
  const bool long_ago = w_.simulation().wall() - phone.registered_at > minutes(30);
  switch (random_.below(4)) {
    case 0: break;
    case 1:
      phone.word.status = phone.browser ? 404 : 410;
      reason = phone.browser ? R"({"code":404,"errno":102})" : "ExpiredToken";
      break;
    case 2:
      if (!phone.accepted) break;
      phone.word.status = 400;
      reason = random_.coin() ? "BadDeviceToken" : "DeviceTokenNotForTopic";
      if (!phone.browser) break;
      // A wrong key of ours makes a service say these as well.
      phone.word.status = random_.coin() ? 400 : 401;
      reason = phone.word.status == 400 ? R"({"reason":"VapidPkHashMismatch"})" : "";
      break;
    default:
      if (long_ago && !phone.browser) phone.word.timestamp_ms = w_.simulation().wall().s * 1000;
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
  suspicion_[0] = true;
  w_.set(wrong_topic_ ? "apns/siskin.topic=org.example.mistake" : "apns/siskin.topic=org.example.siskin");
  start();
}

}  // namespace tocsin::test
