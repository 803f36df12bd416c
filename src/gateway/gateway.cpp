#include "gateway/gateway.h"

namespace tocsin {
namespace {

constexpr size_t answer_bytes_max = 64 * 1024;  // an echo of the longest id and JIDs, every byte escaped, and a form

constexpr Duration dates_wait = minutes(5);

}  // namespace

void Gateway::handle(const Stanza& stanza, Instant now, UnixTime wall) {
  uint8_t session[12];
  uint8_t session_text[16];
  Writer session_writer(session_text);
  // Only the ad-hoc forms use it; a publish never does.
  if (stanza.root->first_child != nullptr && stanza.root->first_child->name == "command") {
    random_.fill(session);
    session_writer.base64url(session);
  }
  uint8_t room[answer_bytes_max];
  Writer answer(room);
  const Command command = read_stanza(stanza, service_, session_writer.view(), answer);
  switch (command.kind) {
    case Command::Kind::ignore: return;
    case Command::Kind::answered:
      outbox_.send(answer.view());
      if (command.refusal != Refusal::none) enroll_.say_refused(command, command.refusal, now);
      return;
    case Command::Kind::publish: return publish_.start(command, now, wall);
    case Command::Kind::register_device: return enroll_.register_device(command, now, wall);
    case Command::Kind::unregister_device: return enroll_.unregister_device(command, wall);
    case Command::Kind::register_endpoint: return enroll_.register_endpoint(command, now, wall);
    case Command::Kind::reply: return relay_.heard(command, now, wall);
    case Command::Kind::presence: return relay_.presence(command);
  }
}

void Gateway::commit(Instant now) {
  if (!registry_.anything_staged() || registry_.committing()) return;
  // Nobody waits for a date, and each sync wears the flash of a small device.
  if (commit_at_ == Instant::never()) commit_at_ = now + dates_wait;
  if (!registry_.commit_wanted() && now < commit_at_) return;
  commit_at_ = Instant::never();
  if (!registry_.commit().ok()) {
    enroll_.commits_decided();
    publish_.commits_decided(now);
  }
}

void Gateway::committed(Status outcome, Instant now) {
  if (outcome.ok()) say_ends();
  registry_.committed(outcome);
  enroll_.commits_decided();
  publish_.commits_decided(now);
}

// The other ends are said where they are answered.
void Gateway::say_ends() {
  EndOfDevice end;
  for (uint32_t from = 0; registry_.next_end(from, end);) {
    if (end.reason == EndReason::provider) publish_.say_end(end);
  }
}

void Gateway::stop(Instant now) {
  if (registry_.anything_staged()) commit_at_ = now;
  publish_.stop(now);
  enroll_.stop();
  relay_.stop(now);
}

}  // namespace tocsin
