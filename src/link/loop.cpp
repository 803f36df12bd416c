#include "link/loop.h"

namespace tocsin {
namespace {

constexpr Duration stop_within = seconds(3);
constexpr Duration slow_turn = milliseconds(100);
constexpr Duration say_slow_every = minutes(1);
constexpr Duration pushing_for = seconds(1);  // behind the last word of the XMPP server
constexpr uint32_t interests_max =
    1 + 2 * Loop::links_max + Loop::listeners_max * ListenerLink::sockets_for(connections_max);

}  // namespace

void Loop::serve(Gateway& gateway, ComponentLink& component, std::span<OriginLink*> origins, Journal& journal) {
  gateway_ = &gateway;
  component_ = &component;
  GW_CHECK(origins.size() <= links_max);
  origins_ = origins;
  journal_ = &journal;
}

Instant Loop::due(Instant now) const {
  Instant when = earlier(component_->due(), gateway_->due());
  for (const OriginLink* origin : origins_) {
    if (origin != nullptr) when = earlier(when, origin->due(now));
  }
  for (const ListenerLink* listener : listeners_) when = earlier(when, listener->due(now));
  if (stopping_) when = earlier(when, stop_deadline_);
  return when;
}

void Loop::turn() {
  port::Interest interests[interests_max];
  component_->want(interests[0]);
  uint32_t count = 1;
  for (const OriginLink* origin : origins_) {
    if (origin != nullptr) origin->want(interests + count);
    count += 2;
  }
  const uint32_t listeners_from = count;
  for (const ListenerLink* listener : listeners_) {
    listener->want({interests + count, listener->sockets()});
    count += listener->sockets();
  }
  port_.net.wait({interests, count}, due(port_.clock.now()));

  const Instant now = port_.clock.now();
  if (interests[0].can_read) server_spoke_ = now;
  component_->receive(interests[0], now);
  count = 1;
  for (OriginLink* origin : origins_) {
    if (origin != nullptr) origin->receive(interests + count, now);
    count += 2;
  }

  count = listeners_from;
  const bool pushing = server_spoke_ != Instant::never() && now - server_spoke_ < pushing_for;
  for (ListenerLink* listener : listeners_) {
    listener->receive({interests + count, listener->sockets()}, pushing, now);
    count += listener->sockets();
  }

  component_->tick(now);
  for (OriginLink* origin : origins_) {
    if (origin != nullptr) origin->tick(now);
  }
  for (ListenerLink* listener : listeners_) listener->tick(now);
  gateway_->tick(now);

  Status outcome;
  if (journal_->decided(outcome)) gateway_->committed(outcome, now);
  gateway_->commit(now);
  gateway_->keep_up(now, port_.clock.wall());

  for (OriginLink* origin : origins_) {
    if (origin != nullptr) origin->flush(now);
  }
  for (ListenerLink* listener : listeners_) listener->flush(now);
  component_->flush(now);

  if (stopping_) finish(now);
  account(port_.clock.now() - now, now);
  port_.console.flush();
}

void Loop::stop() {
  if (stopping_) return;
  stopping_ = true;
  const Instant now = port_.clock.now();
  stop_deadline_ = now + stop_within;
  LogLine(log_, Level::info, "stopping");
  gateway_->stop(now);
  component_->close(now);
  for (ListenerLink* listener : listeners_) listener->stop();
}

// Requests that were answered `result` and answers that were given still leave, if the others take them.
void Loop::finish(Instant now) {
  bool left = component_->closed();
  for (const OriginLink* origin : origins_) left = left && (origin == nullptr || origin->drained());
  for (const ListenerLink* listener : listeners_) left = left && listener->drained();
  if (!left && now < stop_deadline_) return;
  component_->cut();
  for (ListenerLink* listener : listeners_) listener->close();
  for (OriginLink* origin : origins_) {
    if (origin != nullptr) origin->close();
  }
  stopped_ = true;
}

// A slow machine has many slow turns: the log hears of the worst of them.
void Loop::account(Duration took, Instant now) {
  if (took > slow_turn) ++slow_turns_;
  if (took > slowest_) slowest_ = took;
  if (slow_turns_ == 0 || now < say_slow_after_) return;
  LogLine(log_, Level::warn, "slow_turn").field("worst_ms", slowest_.ms()).field("turns", int64_t{slow_turns_});
  say_slow_after_ = now + say_slow_every;
  slow_turns_ = 0;
  slowest_ = {};
}

void Loop::cancel(Push& push) {
  if (OriginLink* origin = origins_[push.lane->link]) origin->cancel(push);
}

void Loop::reconnect(Lane& lane) {
  if (OriginLink* origin = origins_[lane.link]) origin->reconnect(port_.clock.now());
}

}  // namespace tocsin
