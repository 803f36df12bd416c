#include "gateway/token_desk.h"

#include "base/encode.h"
#include "push/retry.h"

namespace tocsin {
namespace {

// Google takes a signature some minutes after the time that it names, not an hour.
constexpr Duration signature_keeps = minutes(2);

}  // namespace

TokenDesk::TokenDesk(FcmToken& token, Section& served, RequestSource& publish, RandomSource& random, Heap& json_heap,
                     Log& log)
    : token_(token), publish_(publish), random_(random), json_heap_(json_heap), log_(log), served_(served) {
  uint8_t room[56];
  Writer name(room);
  name.text(served.name).text("/token");
  GW_CHECK(name_.assign(name.view()));
  lane_.name = name_.view();
  lane_.section = served.number;
  lane_.credential = this;
  push_.section = served.number;
  push_.lane = &lane_;
  push_.exchange.room = Bytes(answer_);
}

Instant TokenDesk::wanted_at(const Lane&) const { return token_.wanted() && !out() ? retry_at_ : Instant::never(); }

Status TokenDesk::keep_fresh(Instant now, UnixTime wall, RandomSource& random) {
  if (out() || (signed_ && now - signed_at_ < signature_keeps)) return {};
  const Status written = token_.write_request(wall, random, push_.request);
  signed_ = written.ok();
  signed_at_ = now;
  return written;
}

Push* TokenDesk::next(Lane& lane, Instant now) {
  if (!signed_ || !wants_to_send(lane, now)) return nullptr;
  push_.place = Push::Place::in_flight;
  push_.sent = now;
  lane_.in_flight.push_back(push_);
  return &push_;
}

void TokenDesk::put_back(Push& push) {
  lane_.in_flight.remove(push);
  push.place = Push::Place::none;
}

void TokenDesk::over(Push& push, Instant now, UnixTime wall) {
  put_back(push);
  signed_ = false;
  if (push.exchange.outcome == H2Exchange::Outcome::answered) return answered(now, wall);
  // The connection may have ended of old age just now: nobody's trouble yet.
  if (failures_++ == 0) {
    retry_at_ = now;
    return;
  }
  trouble("the request for it was not answered", "", {}, now);
}

void TokenDesk::answered(Instant now, UnixTime wall) {
  const H2Exchange& exchange = push_.exchange;
  Reply reply;
  reply.status = exchange.status;
  reply.retry_after = exchange.retry_after.view();
  if (!exchange.date.empty()) reply.date = parse_http_date(exchange.date.view());
  JsonDocument json(json_heap_);
  const FcmToken::Answer answer = token_.read(reply, exchange.body_text(), json, now, wall);
  if (answer.skew_s != 0) {
    LogLine(log_, Level::warn, "clock_skew").field("provider", served_.name).field("seconds", answer.skew_s);
  }
  if (!answer.good) {
    ++failures_;
    return trouble(answer.reason, answer.advice, answer.after, now);
  }
  if (failures_ > 0) publish_.lane_up(served_.lanes[0]);
  failures_ = 0;
  retry_at_ = Instant{};
  said_ = false;
}

// wait: until it may be tried again; 0 = soon, and later and later.
void TokenDesk::trouble(string_view reason, string_view advice, Duration wait, Instant now) {
  if (wait.us <= 0) {
    uint8_t random[8];
    random_.fill(random);
    wait = plan_retry(RetryClass::connect, failures_, get_u64(random)).after;
  }
  uint8_t room[900];
  Writer sentence(room);
  sentence.text("no access token: ").text(slice(reason, 0, 800));
  section_paused(served_.number, sentence.view(), advice, wait, now);
}

void TokenDesk::lane_down(Lane&, string_view sentence, Instant until, Instant now) {
  ++failures_;
  trouble(sentence, "", until > now ? until - now : milliseconds(1), now);
}

// Who still wants the token then asks for it again.
void TokenDesk::section_paused(uint8_t section, string_view reason, string_view advice, Duration pause, Instant now) {
  retry_at_ = now + pause;
  token_.give_up();
  if (!token_.usable(now)) return publish_.section_paused(section, reason, advice, pause, now);
  // The old one lasts a while: nobody has noticed yet but the operator should.
  if (said_) return;
  said_ = true;
  LogLine line(log_, Level::warn, "provider_trouble");
  line.field("provider", served_.name).sentence("reason", reason);
  if (!advice.empty()) line.sentence("check", advice);
}

}  // namespace tocsin
