// The simulated network: byte streams between a gateway (port::Net of a SimPort)
// and peers, which are actors of the test. Both directions have a latency, may
// arrive in pieces, stall, end or break; everything that chance decides comes
// from the seed.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/ring.h"
#include "base/text.h"
#include "base/time.h"
#include "mem/region.h"
#include "port/sim/timeline.h"

namespace tocsin::sim {

class Network;
class Connection;

// How one direction behaves.
struct Flow {
  uint32_t piece_max = 0;      // bytes that arrive at once; 0: as they were sent
  bool random_pieces = false;  // 1 … piece_max instead of always piece_max
  Duration gap{};              // between two pieces
  uint64_t reset_at = 0;       // the connection breaks when this many bytes have arrived; 0: never
};

enum class Reach : uint8_t {
  accept,
  refuse,       // as if nobody listened
  black_hole,   // connect never answers
  unreachable,  // no route: connect fails at once
};

// The way to one address. A connection takes a copy when it starts.
struct Path {
  Reach reach = Reach::accept;
  Duration latency = milliseconds(1);  // one way
  Duration jitter{};                   // up to this much more, by chance; order is kept
  Flow to_gateway;
  Flow to_peer;
  uint32_t window = 256 * 1024;  // bytes on their way to the peer before send says again; at most Sizes::to_peer_bytes
  uint32_t send_max = 0;         // one send of the gateway takes 1 … send_max bytes; 0: as many as fit
  uint32_t reset_per_million = 0;  // chance that a piece that arrives breaks the connection instead
};

// One direction of a connection. Bytes lie in the ring from writing to taking;
// the first arrived()-taken() of them may be read.
struct Pipe {
  struct Mark {
    uint64_t end;  // of the stream: up to here bytes arrive …
    Instant at;    // … from this moment on
    bool fin;
  };
  static constexpr uint32_t marks_max = 64;

  size_t readable() const { return static_cast<size_t>(arrived - taken); }
  Mark& mark(uint32_t i) { return marks[(first_mark + i) % marks_max]; }
  void note(uint64_t end, Instant at, bool fin);
  void drop_in_flight();

  ByteRing ring;
  uint64_t written = 0;
  uint64_t arrived = 0;
  uint64_t taken = 0;
  Instant next_piece{};
  bool finished = false;   // the sender is done
  bool ended = false;      // … and the receiver knows
  bool held = false;       // nothing arrives until released
  bool scheduled = false;  // an event is on its way
  uint32_t first_mark = 0;
  uint32_t mark_count = 0;
  Mark marks[marks_max];
};

// What happens to a peer. Calls come while the gateways stand still.
class PeerHandler {
 public:
  virtual void received(Connection& connection, ByteView bytes) = 0;
  // The gateway closed it (Error::closed) or it broke (Error::refused). The connection
  // is gone when this returns.
  virtual void closed(Connection& connection, Error why) = 0;

 protected:
  ~PeerHandler() = default;
};

class Acceptor {
 public:
  // Usually calls connection.handle(…). Without a handler the peer is manual: bytes
  // wait until they are taken, and the gateway feels it.
  virtual void accepted(Connection& connection) = 0;

 protected:
  ~Acceptor() = default;
};

// The peer's end. Valid until closed() returns or the peer called close or reset.
class Connection {
 public:
  void handle(PeerHandler& handler);
  // Everything must fit into Sizes::to_gateway_bytes (GW_CHECK); room() tells before.
  void send(ByteView bytes);
  void send(string_view text) { send(bytes_of(text)); }
  size_t room() const { return to_gateway_.ring.free(); }
  void finish();                    // half-close: the gateway reads the end, the peer still receives
  void close();                     // the gateway reads the end; what it sends afterwards is answered by a reset
  void reset();                     // what is on its way to the gateway is lost
  void pause() { paused_ = true; }  // stop reading
  void resume();

  // Manual style: what has arrived in one piece, and taking it.
  ByteView arrived() const;
  void take(size_t bytes);
  bool ended() const { return to_peer_.ended && to_peer_.readable() == 0; }

  // Stalls: bytes, ends and resets wait (resets are lost) until release.
  void hold_to_gateway() { to_gateway_.held = true; }
  void hold_to_peer() { to_peer_.held = true; }
  void release();

  const Address& address() const { return address_; }  // of the peer
  uint32_t id() const { return number_; }              // counts up, never reused within a simulation
  Path& path() { return path_; }
  uint64_t bytes_from_gateway() const { return to_peer_.written; }
  uint64_t bytes_to_gateway() const { return to_gateway_.written; }
  void* owner = nullptr;  // the actor's own mark

 private:
  friend class Network;
  enum class State : uint8_t { unused, connecting, open, failed };

  Network* network_ = nullptr;
  PeerHandler* handler_ = nullptr;
  Acceptor* acceptor_ = nullptr;
  Address address_;
  Address dialled_;              // by a peer that came to us …
  FixedText<107> dialled_path_;  // … by a unix socket
  Path path_;
  uint32_t number_ = 0;
  uint16_t slot_ = 0;
  State state_ = State::unused;
  Error error_ = Error::none;  // waits for the gateway to ask; told once, as Linux does
  bool gateway_open_ = false;
  bool peer_open_ = false;
  bool waiting_ = false;  // at a door of a gateway, not yet accepted
  uint16_t door_ = 0;
  bool abortive_ = false;  // the gateway shut with bytes unread: its end is a reset
  bool rst_coming_ = false;
  bool paused_ = false;
  Pipe to_gateway_;
  Pipe to_peer_;
};

class Network final : public Timed {
 public:
  struct Sizes {
    uint16_t connections = 64;
    uint32_t to_gateway_bytes = 1 << 20;
    uint32_t to_peer_bytes = 256 * 1024;
  };
  static constexpr uint32_t places_max = 64;
  static constexpr uint16_t doors_max = 16;

  Network(Region& memory, const Sizes& sizes, Timeline& time);

  // Who answers at an address, and how the way there is. The Path may be changed at
  // any time; it counts for connections that start afterwards.
  Path& listen(const Address& address, Acceptor& acceptor, const Path& path = {});
  Path& path(const Address& address);             // makes an address that refuses if it is new
  Path& default_path() { return default_path_; }  // to addresses nobody knows: refused after its latency
  // The other way around: a peer at `from` connects to where a gateway listens (any gateway: there is one of each
  // address). It may send at once; nobody listening is closed() with Error::refused. path: how the way is.
  Connection& dial(const Address& from, const Address& to, PeerHandler& handler, const Path& path = {});
  Connection& dial(string_view unix_path, PeerHandler& handler, const Path& path = {});
  // No interface has this address: listening there is Error::unreachable until it is back.
  void take_away(const Address& address) { away_ = address; }
  void bring_back() { away_ = Address{}; }

  // To all connections of an address that are up.
  void reset_all(const Address& address);
  void hold_all(const Address& address);
  void release_all(const Address& address);
  uint32_t open_count() const;                     // connections a gateway holds
  uint64_t connects() const { return connects_; }  // tried so far

  // The gateway's end; handles as in port::Net.
  Result<int32_t> connect(const Address& address);
  Status connect_result(int32_t handle);
  Result<size_t> receive(int32_t handle, Bytes room);
  Result<size_t> send(int32_t handle, ByteView bytes);
  bool can_read(int32_t handle);
  bool can_write(int32_t handle);
  void finish(int32_t handle);
  void shut(int32_t handle);
  // Listening; path: of a unix socket, else empty. any: every address, v4 as well as v6.
  Result<int32_t> listen(const Address& address, bool any, string_view path);
  // The next one who waits; Error::again.
  Result<int32_t> accept(int32_t listener);
  bool is_local(int32_t handle);  // came by a unix path
  const Address& peer(int32_t handle);
  void vanish(int32_t handle);  // power loss: the peer hears nothing

  void on_event(uint64_t tag) override;

 private:
  friend class Connection;
  enum class Kind : uint8_t { arrive, establish, fail, to_peer, to_gateway, reset_gateway, hand_over, knock };
  struct Place {
    Address address;
    Acceptor* acceptor;
    Path path;
  };
  struct Listener {
    bool open = false;
    bool any = false;
    Address address;
    FixedText<107> path;
  };
  static constexpr uint16_t first_door = 0xff00;  // behind the slots of connections
  Listener* listener_of(int32_t handle);
  uint16_t door_for(const Address& to, string_view path) const;  // doors_max: nobody
  Connection* take_slot();
  Connection& start_dial(const Address& from, const Address& to, string_view unix_path, PeerHandler& handler,
                         const Path& path);
  void knock(Connection& c);
  Connection* first_waiting(uint16_t door);
  Place* place(const Address& address);
  Place& make_place(const Address& address);
  Connection& of(int32_t handle);
  int32_t handle_of(const Connection& c) const;
  EventId plan(Instant at, Kind kind, Connection& c);
  Instant arrival(Connection& c, Pipe& pipe);
  void wrote(Connection& c, Pipe& pipe, bool fin);
  void schedule(Connection& c, Pipe& pipe);
  void deliver(Connection& c, Pipe& pipe, const Flow& flow);
  void hand_over(Connection& c);
  void answer_with_reset(Connection& c);
  void break_gateway(Connection& c, Error error);
  void break_both(Connection& c);
  void release_if_done(Connection& c);

  Timeline* time_;
  Sizes sizes_;
  Connection* connections_;
  uint8_t* rings_;
  uint32_t place_count_ = 0;
  uint32_t numbers_ = 0;
  uint64_t connects_ = 0;
  Path default_path_;
  Place places_[places_max];
  Listener doors_[doors_max];
  Address away_;  // port 0: none
};

}  // namespace tocsin::sim
