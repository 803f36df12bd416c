#include "test/swarm/life.h"

#include "base/writer.h"
#include "registry/record.h"

namespace tocsin::swarm {

using sim::DiskFaults;

namespace {

NodeId endpoint_node(uint32_t slot) {
  NodeId node;
  for (uint8_t& byte : node.bytes) byte = static_cast<uint8_t>(0x40 + slot);
  return node;
}

}  // namespace

void Life::begin() {
  disk_.put_directory("state");
  if (random_.below(4) == 0) {  // a file of the former format, which stays one until it is compacted
    uint8_t header[FileHeader::size];
    encode({.version = 1, .generation = 0, .creation_id = {0xc2}}, header);
    disk_.put("state/registry", header);
  }
  disk_.watch(this);
  watching_ = true;
  check(start().ok(), "a registry can not begin");
}

void Life::live(uint32_t turns) {
  peace_ = false;
  for (uint32_t i = 0; i < turns && !failed(); ++i) {
    findings_.places[depth_].turn = i + 1;
    turn();
  }
  // What is under way comes to its end.
  disk_.faults() = {};
  trouble_turns_ = 0;
  peace_ = true;
  for (int i = 0; i < 20 && !failed() && (waiting_ || registry_->anything_staged() || compacting()); ++i) {
    commit();
    run(60);
    if (i == 10) world_.run_for(minutes(11));  // a compaction that met trouble on its last way tries again
  }
  if (!failed()) check(!waiting_ && !registry_->anything_staged(), "a batch found no end");
  if (!failed()) check(!compacting(), "a compaction found no end");
  look_around();
  crash_copies(1);
}

void Life::turn() {
  trouble();
  if (!waiting_ || random_.coin()) stage_some();
  look_around();
  commit();
  if (!failed() && random_.below(8) == 0) registry_->request_compaction();
  for (uint64_t i = random_.between(1, 3); i > 0 && !failed(); --i) run(30);
  look_around();
  if (failed()) return;
  if (doubt_count_ + 2 >= doubts_max || random_.below(12) == 0) restart(random_.below(3) != 0);
}

// Time goes by, and what has ended is heard of: as the loop of the gateway does it.
void Life::run(int64_t ms_max) {
  world_.run_for(milliseconds(static_cast<int64_t>(random_.below(static_cast<uint64_t>(ms_max)))));
  crash_copies(1);  // a sync that ends is no operation
  decide();
  maintain();
}

void Life::maintain() {
  if (failed()) return;
  if (compacting() && !peace_ && random_.below(32) == 0) disk_.faults().read_failures = 1;
  const Maintenance outcome = registry_->maintain(world_.now(), time_);
  disk_.faults().read_failures = 0;
  if (outcome != Maintenance::quiet) {
    tell(depth_, "compaction %s", outcome == Maintenance::compacted ? "done" : "failed");
  }
  findings_.compactions += outcome == Maintenance::compacted ? 1 : 0;
  findings_.failed_compactions += outcome == Maintenance::failed ? 1 : 0;
  if (outcome == Maintenance::damaged) fail("a compaction finds the journal damaged");
  if (outcome != Maintenance::quiet) crash_copies(1);
}

// What may go wrong with disks; some of it for several turns.
void Life::trouble() {
  DiskFaults& faults = disk_.faults();
  if (trouble_turns_ > 0 && --trouble_turns_ > 0) return;
  faults = {};
  faults.sync_latency = milliseconds(static_cast<int64_t>(random_.below(50)));
  constexpr Error errors[] = {Error::no_space, Error::io, Error::read_only};
  switch (random_.below(14)) {
    case 0:
      faults.sync_failures = static_cast<uint32_t>(random_.between(1, 2));
      faults.sync_error = errors[random_.below(2)];
      break;
    case 1:
      faults.write_failures = static_cast<uint32_t>(random_.between(1, 2));
      faults.write_budget = random_.below(600);
      faults.write_error = errors[random_.below(3)];
      faults.write_lies = random_.below(4) == 0;
      break;
    case 2:
      faults.capacity = disk_.content("state/registry").size() + random_.below(500);
      trouble_turns_ = static_cast<uint32_t>(random_.between(1, 4));
      break;
    case 3:
      faults.read_only = true;
      trouble_turns_ = static_cast<uint32_t>(random_.between(1, 2));
      break;
    case 4:
      faults.truncate_failures = static_cast<uint32_t>(random_.between(1, 2));
      faults.write_failures = random_.coin() ? 1 : 0;  // so that there is something to cut
      faults.sync_failures = 1 - faults.write_failures;
      break;
    case 5:
      faults.sync_start_failures = static_cast<uint32_t>(random_.between(1, 2));
      faults.sync_start_error = errors[random_.below(2)];
      break;
    case 6:
      faults.open_failures = 1;
      faults.open_error = errors[random_.below(3)];
      break;
    default: break;
  }
}

void Life::stage_some() {
  const uint64_t count = random_.between(1, random_.coin() ? 2 : 10);
  for (uint64_t i = 0; i < count && !failed(); ++i) {
    if (random_.below(4) != 0) time_ = time_ + seconds(static_cast<int64_t>(random_.below(50'000)));
    if (random_.below(64) == 0) time_ = time_ - days(2);
    stage_one(static_cast<uint32_t>(random_.below(slots)));
  }
}

void Life::stage_one(uint32_t slot) {
  Registry& registry = *registry_;
  Known known = staged_.at(slot);
  const auto now = static_cast<uint32_t>(time_.s);
  Result<Ticket> ticket = Ticket{0};
  uint8_t room[content_room];
  if (!known.in) {
    known = {.in = true,
             .held = false,
             .node = {},
             .content = random_content(random_, slot),
             .registered = time_,
             .stored = now,
             .accepted_under = 0,
             .digest = 0};
    random_.fill(known.node.bytes);
    if (known.content.endpoint) known.node = endpoint_node(slot);
    ticket = registry.add(known.registration(room), time_);
    if (known.content.endpoint && ticket.error() == Error::exists) return;  // its end is not decided
    if (staged_.count() == devices_max) return check(!ticket.ok(), "a full registry takes one more device");
  } else {
    switch (random_.below(8)) {
      case 0:
      case 1:
        ticket = registry.end(known.node, EndReason::client, "", time_);
        known.in = false;
        break;
      case 2:
        ticket = registry.hold(known.node, "BadDeviceToken", time_);
        known.held = true;
        break;
      case 3:
        ticket = registry.release(known.node, time_);
        known.held = false;
        break;
      case 4:
        if (registry.find(known.node) == nullptr) return;  // for durable devices only
        known.accepted_under = static_cast<uint32_t>(random_.between(1, 3));
        ticket = registry.accepted(known.node, known.accepted_under, time_);
        break;
      case 5: {
        const Content was = known.content;
        known.content = random_content(random_, slot);
        known.content.has_identity = was.has_identity;
        known.content.identity = was.identity;
        const bool same_token = was.endpoint || random_.coin();
        if (same_token) known.content.token = was.token;
        if (same_token) known.content.token_bytes = was.token_bytes;
        // What was accepted was the token; where the key is another, a change is taken for one of the token.
        if (!same_token || was.has_identity) known.accepted_under = 0;
        ticket = registry.change(known.registration(room), time_);
        known.held = false;
        known.stored = now;
        break;
      }
      default:
        ticket = registry.refresh(known.node, time_, random_.coin());
        if (ticket.ok() && ticket.value() == 0) return;
        known.stored = now;
        known.held = false;
    }
  }
  if (!ticket.ok()) return check(ticket.error() == Error::busy, "a change of a device that is there is refused");
  staged_.set(slot, known);
}

void Life::commit() {
  if (failed() || registry_->committing() || waiting_ || !registry_->anything_staged()) return;
  doubts_[doubt_count_++] = staged_;
  committing_ = staged_;
  const Status started = registry_->commit();
  if (failed()) return;
  if (!started.ok()) return concluded(false);
  waiting_ = true;
  if (mutation_ == Mutation::index_before_outcome) registry_->committed({});
  crash_copies(1);
}

void Life::decide() {
  Status outcome;
  if (failed() || !waiting_ || !journal_->decided(outcome)) return;
  crash_copies(1);
  const Ticket ticket = registry_->committed_ticket() + 1;
  if (mutation_ != Mutation::index_before_outcome) {
    registry_->committed(outcome);
    check(registry_->ticket_failed(ticket) != outcome.ok(), "the registry says otherwise than the journal");
  }
  concluded(outcome.ok());
}

// Now the clients are told.
void Life::concluded(bool durable) {
  waiting_ = false;
  tell(depth_, "clients are told: %s, state %016llx%s", durable ? "done" : "refused",
       static_cast<unsigned long long>((durable ? committing_ : acknowledged_).digest()),
       journal_->tail_in_doubt() ? ", the batch may come back" : "");
  if (durable) {
    ++findings_.acknowledged;
    acknowledged_ = committing_;
    doubt_count_ = 0;
  } else {
    ++findings_.refused;
    staged_ = acknowledged_;
    if (!journal_->tail_in_doubt()) doubt_count_ = 0;  // the refused bytes are off the disk
  }
  findings_.trace = findings_.trace * 31 + acknowledged_.digest() + (durable ? 1 : 0);
  crash_copies(1);
}

// The living registry against what its clients know.
void Life::look_around() {
  if (failed()) return;
  if (!waiting_ && !registry_->anything_staged() && digest_of(*registry_, room_) != acknowledged_.digest()) {
    uint8_t text[200];
    Writer difference(text);
    difference.text("alive: ");
    describe_difference(acknowledged_, *registry_, room_, difference);
    return fail(difference.view());
  }
  const auto slot = static_cast<uint32_t>(random_.below(slots));
  const Known& known = staged_.at(slot);
  if (!known.in) return;
  uint8_t room[content_room];
  const Registration registration = known.registration(room);
  Registration found;
  const Status status = registry_->find_device(registration.account, registration.key(), room_, found, nullptr);
  check(status.ok() && found.node == known.node, "a staged device is not found by its key");
  uint32_t of_account = 0;
  for (uint32_t i = 0; i < slots; ++i) {
    const bool alike = i / slots_per_account == slot / slots_per_account && is_endpoint(i) == is_endpoint(slot);
    of_account += staged_.at(i).in && alike ? 1 : 0;
  }
  check(registry_->count_of_account(registration.account, nullptr, is_endpoint(slot)) == of_account,
        "an account's devices are miscounted");
}

void Life::fail(string_view what) {
  if (findings_.failed) return;
  findings_.failed = true;
  uint8_t text[400];
  Writer story(text);
  for (uint32_t i = 0; i <= depth_; ++i) {
    const Findings::Place& place = findings_.places[i];
    story.text(i == 0 ? "turn " : ", its copy's turn ").unsigned_number(place.turn);
    story.text(", operation ").unsigned_number(place.operation);
  }
  story.text(": ").text(what);
  (void)findings_.what.assign(story.view());
}

}  // namespace tocsin::swarm
