// The provider of a scenario: real TLS and HTTP/2 on simulated sockets. It
// answers as the story says, per device or for all, and remembers every request.
#pragma once

#include <cstdint>

#include "base/ring.h"
#include "base/text.h"
#include "base/writer.h"
#include "port/sim/simulation.h"
#include "test/support/h2_server.h"
#include "test/support/tls_server.h"

namespace tocsin::test {

struct SeenRequest {
  FixedText<1000> path;
  FixedText<64> topic;
  FixedText<16> push_type;
  FixedText<4> priority;
  FixedText<24> expiration;
  FixedText<64> collapse_id;
  FixedText<40> id;
  FixedText<1024> authorization;
  FixedText<64> authority;
  FixedText<4200> body;
  // ---- Web Push
  FixedText<12> ttl;
  FixedText<12> urgency;
  FixedText<32> replaces;  // topic
  FixedText<16> encoding;
  Instant at{};
  bool certificate = false;  // its connection began with a good one
};

class FakeProvider : public sim::Acceptor, public sim::PeerHandler, public sim::Timed {
 public:
  static constexpr uint32_t requests_kept = 512;
  static constexpr uint32_t connections_max = 4;
  static constexpr uint32_t rules_max = 64;

  enum class Act : uint8_t { answer, stall, refuse_stream, reset_stream, go_away, drop_connection };
  // What becomes of a connection, whatever is asked over it.
  enum class Conduct : uint8_t {
    proper,
    deaf,         // accepts and never says a word
    hang_up,      // closes before the TLS handshake
    open_shut,    // closes as soon as the TLS handshake is over
    no_settings,  // TLS, and then nothing
  };

  // What becomes of a request.
  struct Rule {
    FixedText<200> token;
    Act act = Act::answer;
    uint16_t status = 200;
    FixedText<64> reason;
    int64_t timestamp_ms = 0;
  };
  // Decides about every request in place of the rules below.
  class Decider {
   public:
    virtual const Rule& decide(string_view path) = 0;

   protected:
    ~Decider() = default;
  };
  // Whose words it speaks. fcm: device tokens stand in the body, `reason` is an errorCode of FCM; google_token:
  // `reason` is the OAuth error, and its description beside it. For both a reason that starts with { or < is the whole
  // body.
  enum class Speech : uint8_t { apns, fcm, google_token, web_push };

  FakeProvider(sim::Simulation& world, const TlsIdentity& identity, RandomSource& random);

  // ---- the story
  void ask(Decider* decider) { decider_ = decider; }
  void speak(Speech speech) { speech_ = speech; }
  void tell_time(bool tell) { tells_time_ = tell; }      // in a Date header
  void tell_time_off(Duration off) { time_off_ = off; }  // … that is wrong by so much
  // Web Push: a token that has ended, or lasts for over 24 hours, is refused as autopush does it.
  void mind_time(bool minds) { minds_time_ = minds; }
  void token_lasts(Duration lasts) { token_lasts_ = lasts; }
  void accept_all() { everyone_ = {}; }
  void answer_all(uint16_t status, string_view reason, int64_t timestamp_ms = 0);
  void act(Act act) { everyone_.act = act; }  // for everybody: stall, refuse_stream …
  // For one device (its token in hex): status and Apple's word, timestamp for 410.
  void answer_device(string_view token_hex, uint16_t status, string_view reason, int64_t timestamp_ms = 0);
  // The next count requests, whoever they are for; then as before.
  void answer_next(uint32_t count, uint16_t status, string_view reason);
  void act_device(string_view token_hex, Act act);
  void forget_rules() { rule_count_ = 0; }
  void retry_after(string_view value) { (void)retry_after_.assign(value); }
  void think(Duration delay) { delay_ = delay; }         // before each answer
  void grant(uint32_t first, uint32_t afterwards);       // MAX_CONCURRENT_STREAMS before and after the first request
  void grant_now(uint32_t streams);                      // on every connection that is up
  void conduct(Conduct conduct) { conduct_ = conduct; }  // of connections to come
  void identify(const TlsIdentity& identity) { identity_ = &identity; }  // the same
  // The same: they are asked for a certificate under this root, or refused. PEM that lives on.
  void ask_certificate(const char* root) { clients_under_ = root; }
  H2ServerOptions& http_options() { return http_options_; }  // the same: windows
  void open_windows(int32_t bytes);                          // WINDOW_UPDATE for the connection and every open stream
  void go_away_now(int32_t last_stream, string_view debug);
  void release_stalled();  // answers everything that was stalled
  void answer_pings(bool answer) { answer_pings_ = answer; }
  void drop_connections();

  // ---- what came
  uint64_t requests() const { return requests_; }
  const SeenRequest& request(uint64_t number) const;  // counts from 0; must still be kept
  const SeenRequest& last() const { return request(requests_ - 1); }
  uint32_t requests_for(string_view token_hex) const;  // among the kept
  const SeenRequest& last_for(string_view token_hex) const;
  uint32_t connections() const { return connections_seen_; }
  uint32_t alive() const;
  uint32_t most_streams() const { return most_streams_; }
  uint32_t stalled() const;
  bool broken() const { return broken_; }
  uint64_t pings() const;   // from the gateway
  uint64_t resets() const;  // RST_STREAM from the gateway

  void accepted(sim::Connection& connection) override;
  void received(sim::Connection& connection, ByteView bytes) override;
  void closed(sim::Connection& connection, Error why) override;
  void on_event(uint64_t tag) override;

 private:
  struct Session {
    sim::Connection* connection = nullptr;
    uint8_t ring_room[256 * 1024];
    ByteRing out{Bytes(ring_room)};
    alignas(TlsServer) uint8_t tls_room[sizeof(TlsServer)];
    H2Server http;
    bool open = false;
    bool started = false;
    uint32_t number = 0;
    const TlsServer& tls() const { return *reinterpret_cast<const TlsServer*>(tls_room); }
    TlsServer& tls() { return *reinterpret_cast<TlsServer*>(tls_room); }
  };
  string_view device_of(const H2Request& request) const;
  const Rule& rule_for(const H2Request& request);
  void write_answer_body(Writer& body, const Rule& rule);
  bool out_of_time(const SeenRequest& seen) const;
  static void write_date(Writer& out, UnixTime at);
  Rule& make_rule(string_view token_hex);
  void remember(const Session& session, const H2Request& request);
  void respond(Session& session, int32_t stream, const Rule& rule);
  void work(Session& session);
  void flush(Session& session);
  void end(Session& session);
  Session* session_of(sim::Connection& connection);

  sim::Simulation& world_;
  const TlsIdentity* identity_;
  const char* clients_under_ = nullptr;
  Rule without_credential_;
  Rule token_out_of_time_;
  RandomSource& random_;
  Decider* decider_ = nullptr;
  Rule everyone_;
  Rule next_;
  uint32_t next_count_ = 0;
  Rule rules_[rules_max];
  uint32_t rule_count_ = 0;
  FixedText<40> retry_after_;
  Speech speech_ = Speech::apns;
  bool tells_time_ = false;
  bool minds_time_ = false;
  Duration time_off_{};
  Duration token_lasts_ = seconds(3599);
  uint32_t tokens_ = 0;
  Duration delay_{};
  uint32_t grant_first_ = 1;
  uint32_t grant_then_ = 500;
  bool answer_pings_ = true;
  Conduct conduct_ = Conduct::proper;
  H2ServerOptions http_options_;
  uint64_t pings_ = 0;   // of sessions that are over
  uint64_t resets_ = 0;  // the same
  uint64_t requests_ = 0;
  uint32_t connections_seen_ = 0;
  uint32_t most_streams_ = 0;
  bool broken_ = false;
  Session sessions_[connections_max];
  struct Stalled {
    uint8_t session = 0;
    bool used = false;
    uint32_t number = 0;
    int32_t stream = 0;
  };
  static constexpr uint32_t stalled_max = 4096;
  Stalled stalled_[stalled_max];
  SeenRequest seen_[requests_kept];
};

}  // namespace tocsin::test
