// The XMPP server of a scenario: it speaks XEP-0114 as Prosody does, sends what
// the story says, and remembers what came back.
#pragma once

#include <cstdint>

#include "base/text.h"
#include "base/writer.h"
#include "port/sim/network.h"
#include "proto/framer.h"

namespace tocsin::test {

// Hears every answer as it arrives: what the users' servers make of it.
class AnswerListener {
 public:
  virtual void answered(string_view stanza) = 0;

 protected:
  ~AnswerListener() = default;
};

class FakeServer : public sim::Acceptor, public sim::PeerHandler {
 public:
  static constexpr uint32_t answers_kept = 2048;
  static constexpr size_t kept_bytes = 4096;  // of an answer
  static constexpr uint32_t numbered_max = 300'000;

  enum class Greeting : uint8_t {
    proper,
    wrong_secret,    // <not-authorized/> after the handshake
    unknown_domain,  // Prosody: id='' and <host-unknown/>
    other_port,      // ejabberd's port for clients
    conflict,        // another component is connected
    silent,          // accepts and says nothing
    mute,            // opens the stream and never answers the handshake
    brief,           // everything proper, then it closes at once
  };

  explicit FakeServer(string_view secret) : secret_(secret) {}
  void greet(Greeting greeting) { greeting_ = greeting; }

  void tell(AnswerListener* listener) { listener_ = listener; }

  bool up() const { return up_; }
  uint32_t connects() const { return connects_; }
  void send(string_view stanza);
  // Drops the connection the way servers do when they are stopped: no stream end.
  void drop();
  void reset();
  void kick();  // <conflict/>, then the end: Prosody with conflict_resolve = kick_old
  // Stops and goes on reading what the gateway answers.
  void pause() { connection_->pause(); }
  void resume() { connection_->resume(); }
  sim::Connection* connection() { return connection_; }

  // A publish as Prosody writes it. body empty: without one.
  void publish(string_view node, string_view id, string_view body = "New Message!");
  // A publish whose notification is given whole.
  void publish_raw(string_view node, string_view id, string_view notification, string_view from = "example.org");
  // Ids n0, n1 …: only counted, for floods.
  void publish_numbered(string_view node, uint32_t number);

  // What came back for an id: the whole stanza, "" while there is none.
  string_view answer(string_view id) const;
  uint32_t answers(string_view id) const;  // how many
  uint32_t answers_to_number(uint32_t number) const { return numbered_[number]; }
  uint32_t numbered_answered() const { return numbered_answered_; }
  uint32_t numbered_twice() const { return numbered_twice_; }
  uint32_t numbered_waits() const { return numbered_waits_; }
  uint64_t stanzas() const { return stanzas_; }  // received in all, pings included
  uint64_t pings() const { return pings_; }
  uint64_t blanks() const { return blanks_; }  // white space between stanzas
  void answer_pings(bool answer) { answer_pings_ = answer; }
  // Pings to other domains than the component's go to other servers, of which nothing is heard.
  void answer_only_own_pings() { only_own_pings_ = true; }
  string_view pinged() const { return pinged_.view(); }  // whom the last ping was for
  string_view last() const { return last_.view(); }
  uint64_t sends() const { return deliveries_; }   // pieces that arrived
  uint32_t goodbyes() const { return goodbyes_; }  // </stream:stream> received

  void accepted(sim::Connection& connection) override;
  void received(sim::Connection& connection, ByteView bytes) override;
  void closed(sim::Connection& connection, Error why) override;

 private:
  void take(ByteView bytes);
  void stream_opened(string_view tag);
  void stanza_arrived(string_view stanza);
  void remember(string_view stanza);

  struct Kept {
    FixedText<64> id;
    uint32_t count = 0;
    FixedText<kept_bytes> text;
  };
  string_view secret_;
  Greeting greeting_ = Greeting::proper;
  AnswerListener* listener_ = nullptr;
  sim::Connection* connection_ = nullptr;
  Framer framer_;
  bool up_ = false;
  bool answer_pings_ = true;
  bool only_own_pings_ = false;
  uint32_t connects_ = 0;
  uint64_t stanzas_ = 0;
  uint64_t pings_ = 0;
  uint64_t blanks_ = 0;
  uint64_t deliveries_ = 0;
  uint32_t goodbyes_ = 0;
  uint32_t next_kept_ = 0;
  uint32_t numbered_answered_ = 0;
  uint32_t numbered_twice_ = 0;
  uint32_t numbered_waits_ = 0;
  FixedText<255> pinged_;
  size_t buffered_ = 0;
  char buffer_[128 * 1024];
  FixedText<kept_bytes> last_;
  Kept kept_[answers_kept];
  uint8_t numbered_[numbered_max] = {};
};

// The value of an attribute of the first tag, as written.
string_view attribute_of(string_view stanza, string_view name);
bool contains(string_view text, string_view part);

}  // namespace tocsin::test
