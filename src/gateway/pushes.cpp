// Pushes and jobs: where they wait, how they are answered, and what time does to them.
#include "dialect/replies.h"
#include "gateway/pseudonym.h"
#include "gateway/publish.h"

namespace tocsin {
namespace {

// Of a lane that others need: its publishers were answered.
constexpr Duration gives_way_after = Publish::answer_within;
constexpr size_t answer_bytes_max = 6 * (iq_id_bytes_max + 2 * jid_bytes_max) + 512;  // six-fold: every byte escaped

}  // namespace

// ---- places ----------------------------------------------------------------

bool Publish::open_job(const Command& command, Push& push, Instant now) {
  Job* job = jobs_.take();
  if (job == nullptr) return false;
  const IqHead& iq = command.iq;
  // The dialect refused anything longer.
  GW_CHECK(iq.id.size() <= iq_id_bytes_max && iq.from.size() <= jid_bytes_max && iq.to.size() <= jid_bytes_max);
  char* at = job->text;
  const auto keep = [&at](string_view text) {
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    const string_view kept(at, text.size());
    at += text.size();
    return kept;
  };
  job->iq = {.id = keep(iq.id), .from = keep(iq.from), .to = keep(iq.to)};
  job->section = push.section;
  job->arrived = now;
  job->node = push.node;
  job->push = &push;
  push.job = job;
  open_jobs_.push_back(*job);
  if (push.lane != nullptr) ++push.lane->jobs;
  job->publisher = push.publisher;
  ++job->publisher->jobs;
  return true;
}

// Into a lane, or out of all: nullptr. Its job counts there.
void Publish::enter(Push& push, Lane* lane) {
  if (push.job != nullptr && push.lane != nullptr) --push.lane->jobs;
  push.lane = lane;
  if (push.job != nullptr && lane != nullptr) ++lane->jobs;
}

// No publisher waits for it (any more).
void Publish::goes_on_alone(Push& push) {
  push.job = nullptr;
  push.pending = true;
  ++pending_;
}

// The lane that a request to this origin goes through; of a pool, that which has it, else that which was idle for the
// longest. nullptr: all are busy. Then the one that has been silent for long gives way, so that origins which never
// answer can not keep the others out.
Lane* Publish::lane_for(Section& section, string_view origin, Instant now) const {
  if (!section.pooled) return &section.lanes[0];
  Lane* idle = nullptr;
  Lane* silent = nullptr;
  for (Lane& lane : section.lanes) {
    if (lane.origin.view() == origin) return lane.gives_way ? nullptr : &lane;
    if (lane.idle()) {
      if (idle == nullptr || lane.used < idle->used) idle = &lane;
    } else if (!lane.gives_way && lane.waiting_since() + gives_way_after <= now) {
      if (silent == nullptr || lane.waiting_since() < silent->waiting_since()) silent = &lane;
    }
  }
  if (idle != nullptr) {
    idle->move_to(origin);
    idle->used = now;
  } else if (silent != nullptr) {
    silent->gives_way = true;
  }
  return idle;
}

void Publish::make_ready(Push& push, Instant now) {
  Section& section = tools_.sections[push.section];
  Lane* const lane = lane_for(section, push.request.origin, now);
  if (lane == nullptr) return retry(push, RetryClass::connect, {}, Outcome::queued, "all connections are busy", now);
  if (section.pooled && lane->down_until > now) {
    return retry(push, RetryClass::origin_busy, {}, Outcome::retry, lane->trouble.view(), now);
  }
  enter(push, lane);
  lane->used = now;
  push.place = Push::Place::ready;
  push.ready_since = now;
  lane->ready.push_back(push);
  tools_.dispatch.wake(*lane);
}

void Publish::delay(Push& push, Instant until) {
  push.place = Push::Place::delayed;
  push.due = until;
  delayed_.insert(push);
}

void Publish::unplace(Push& push) {
  switch (push.place) {
    case Push::Place::none: break;
    case Push::Place::ready: push.lane->ready.remove(push); break;
    case Push::Place::in_flight: push.lane->in_flight.remove(push); break;
    case Push::Place::delayed: delayed_.remove(push); break;
  }
  push.place = Push::Place::none;
  if (tools_.sections[push.section].pooled) enter(push, nullptr);  // its lane may soon be another's
}

// To the section of the other environment, or back. Its place is lost.
void Publish::move(Push& push, uint8_t section) {
  unplace(push);
  Section& from = tools_.sections[push.section];
  if (from.probe == &push) from.probe = nullptr;
  push.section = section;
  if (push.job != nullptr) push.job->section = section;
  enter(push, &tools_.sections[section].lanes[0]);  // pairs are APNs'
}

void Publish::leaves_device(Push& push) {
  if (push.device == nullptr) return;
  if (push.device->wake == &push) push.device->wake = nullptr;
  if (push.device->content == &push) push.device->content = nullptr;
  push.device = nullptr;
}

// To the pool. Its publisher was answered, and no stream points into it.
void Publish::give_back(Push& push) {
  GW_CHECK(push.job == nullptr);
  Section& section = tools_.sections[push.section];
  if (section.probe == &push) section.probe = nullptr;
  if (push.pending) --pending_;
  --push.publisher->pushes;
  leaves_device(push);
  unplace(push);
  pushes_.give(push);
}

// Wherever it is.
void Publish::forget(Push& push) {
  if (push.place != Push::Place::in_flight) return give_back(push);
  // nghttp2 points into it until the stream is closed.
  if (push.pending) --pending_;
  push.pending = false;
  push.dropped = true;
  tools_.dispatch.cancel(push);
}

// ---- answers ---------------------------------------------------------------

// Every answer to a publish goes through here, and every one is a line of the log.
void Publish::answer(const IqHead& iq, const NodeId* node, string_view provider, const Ending& ending, Duration took) {
  uint8_t room[answer_bytes_max];
  Writer out(room);
  write_answer(out, iq, answer_of(ending.outcome));
  GW_CHECK(!out.overflowed());
  tools_.outbox.send(out.view());
  log_push("push", &iq, node, provider, ending, took);
}

void Publish::answer_command(const Command& command, Outcome outcome, string_view reason, string_view provider) {
  NodeId node;
  const bool known = node.parse(command.node);
  answer(command.iq, known ? &node : nullptr, provider, {outcome, reason, ""}, {});
}

// Its push goes on alone: whoever wants it to end says so afterwards.
void Publish::answer_job(Job& job, const Ending& ending, Instant now) {
  answer(job.iq, &job.node, tools_.sections[job.section].name, ending, now - job.arrived);
  if (job.push != nullptr && job.push->lane != nullptr) --job.push->lane->jobs;
  --job.publisher->jobs;
  open_jobs_.remove(job);
  if (job.push != nullptr) goes_on_alone(*job.push);
  jobs_.give(job);
}

void Publish::answer_superseded(Push& push, Instant now) {
  if (push.job != nullptr) answer_job(*push.job, {Outcome::coalesced, "", ""}, now);
}

// The end of a push, good or bad: its publisher is told if it still waits, else only the log.
void Publish::end_push(Push& push, Outcome outcome, string_view reason, Instant now) {
  const Ending ending{outcome, reason, push.exchange.id.view()};
  if (push.job != nullptr) {
    answer_job(*push.job, ending, now);
  } else {
    log_push("push_late", nullptr, &push.node, tools_.sections[push.section].name, ending, {});
  }
  give_back(push);
}

// Everybody who waits for a push that can not leave; and what expired meanwhile is no reason to try again.
void Publish::answer_waiting(Lane& lane, Outcome outcome, string_view reason, Instant now) {
  for (Push* push = lane.ready.first(); push != nullptr;) {
    Push* const following = lane.ready.after(*push);
    if (push->expires <= now) {
      end_push(*push, outcome, reason, now);
    } else if (push->job != nullptr) {
      const bool room = room_for_pending();
      answer_job(*push->job, {outcome, reason, ""}, now);
      if (!room) forget(*push);
    }
    push = following;
  }
}

// The outcome is not known: the push goes on, from the pending pool if that has room.
void Publish::stop_waiting(Job& job, Instant now) {
  Push* const push = job.push;
  const bool room = room_for_pending();
  answer_job(job, {room ? Outcome::queued : Outcome::busy, room ? "" : "max_pending", ""}, now);
  if (!room) forget(*push);
}

void Publish::log_push(string_view event, const IqHead* iq, const NodeId* node, string_view provider,
                       const Ending& ending, Duration took) {
  if (!tools_.log.enabled(Level::info)) return;
  FixedText<16> device;
  LogLine line(tools_.log, Level::info, event);
  if (iq != nullptr) line.field("id", iq->id);
  if (!provider.empty()) line.field("provider", provider);
  if (node != nullptr) line.field("device", pseudonym(*node, device));
  line.field("verdict", verdict_word(ending.outcome));
  if (!ending.reason.empty()) line.field("reason", ending.reason);
  if (!ending.ref.empty()) line.field("ref", ending.ref);
  if (iq != nullptr) line.field("ms", took.ms());
}

string_view Publish::pseudonym(const NodeId& node, FixedText<16>& room) const {
  uint8_t text[16];
  Writer out(text);
  write_pseudonym(out, key_, node);
  return room.assign(out.view()) ? room.view() : string_view();
}

// ---- time ------------------------------------------------------------------

void Publish::tick(Instant now) {
  ticked_ = now;
  while (Job* job = open_jobs_.first()) {
    if (job->arrived + answer_within > now) break;
    if (job->ticket != 0) {
      answer_job(*job, {Outcome::busy, "not stored yet", ""}, now);
    } else {
      stop_waiting(*job, now);
    }
  }
  while (Push* push = delayed_.first()) {
    if (push->due > now) break;
    unplace(*push);
    make_ready(*push, now);
  }
  for (Section& section : tools_.sections) {
    relieve(section, now);
    if (section.paused_until != Instant{} && section.paused_until <= now) {
      section.paused_until = Instant{};
      for (Lane& lane : section.lanes) {
        if (!lane.ready.empty()) tools_.dispatch.wake(lane);
      }
    }
    if (section.releasing != UnixTime{}) release_slice(section);
  }
}

// Slow lanes keep the section's youngest jobs.
void Publish::relieve(Section& section, Instant now) {
  uint32_t too_many = section.slow_jobs(now);
  too_many = too_many > jobs_when_slow() ? too_many - jobs_when_slow() : 0;
  for (Job* job = open_jobs_.first(); job != nullptr && too_many > 0;) {
    Job* const following = open_jobs_.after(*job);
    const Lane* lane = job->push == nullptr ? nullptr : job->push->lane;
    if (job->section == section.number && lane != nullptr && lane->slow(now)) {
      stop_waiting(*job, now);
      --too_many;
    }
    job = following;
  }
}

Instant Publish::due() const {
  Instant when = Instant::never();
  if (const Job* job = open_jobs_.first()) when = earlier(when, job->arrived + answer_within);
  if (const Push* push = delayed_.first()) when = earlier(when, push->due);
  for (const Section& section : tools_.sections) {
    if (section.jobs() > jobs_when_slow()) {
      for (const Lane& lane : section.lanes) {
        const Instant slow = lane.waiting_since() + Lane::slow_after;
        if (slow > ticked_) when = earlier(when, slow);  // those that are slow already were relieved
      }
    }
    if (section.paused_until != Instant{}) when = earlier(when, section.paused_until);
    // At once, unless staging may be full: a commit ends that.
    if (section.releasing != UnixTime{} && !tools_.registry.committing()) when = Instant{};
  }
  return when;
}

void Publish::commits_decided(Instant now) {
  const Ticket decided = tools_.registry.committed_ticket();
  for (Job* job = open_jobs_.first(); job != nullptr;) {
    Job* const following = open_jobs_.after(*job);
    if (job->ticket != 0 && job->ticket <= decided) {
      const bool failed = tools_.registry.ticket_failed(job->ticket);
      answer_job(*job, {failed ? Outcome::busy : Outcome::dead, failed ? "not stored" : "", ""}, now);
    }
    job = following;
  }
}

void Publish::stop(Instant now) {
  stopping_ = true;
  while (Job* job = open_jobs_.first()) {
    const Push* push = job->push;
    const bool left = push != nullptr && push->place == Push::Place::in_flight && push->exchange.written;
    answer_job(*job, {left ? Outcome::queued : Outcome::busy, "stopping", ""}, now);
  }
  while (Push* push = delayed_.first()) forget(*push);
  for (Section& section : tools_.sections) {
    for (Lane& lane : section.lanes) {
      while (Push* push = lane.ready.first()) forget(*push);
      for (Push* push = lane.in_flight.first(); push != nullptr; push = lane.in_flight.after(*push)) {
        if (!push->exchange.written && !push->dropped) forget(*push);
      }
    }
  }
}

}  // namespace tocsin
