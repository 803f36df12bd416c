// What both ends of a TLS session share once they shake hands: plaintext in, ciphertext out, and the end of it.
// TlsClient and TlsAcceptor are streams; nobody else is.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/ring.h"
#include "mem/heap.h"

namespace tocsin {

struct TlsPipe;

class TlsStream {
 public:
  enum class State : uint8_t { shut, handshaking, open, ended, failed };

  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // Encrypts from the front of plain into out: how much was taken, 0 when out has no room
  // for a record now (min(plain, 16 KiB) + 64). Only while open. A record carries up to 16 KiB.
  Result<size_t> write(ByteView plain);
  void close_notify();  // best effort, into out
  State state() const { return state_; }

 protected:
  // heap: this session's fence (one at a time); out: where ciphertext waits to leave,
  // at least 17 KiB so that one full record always fits when it is empty.
  TlsStream(Heap& heap, ByteRing& out, RandomSource& random) : heap_(heap), out_(out), random_(random) {}
  ~TlsStream() = default;

  // Fails the session with what the library said.
  virtual Status give_up(int library_error) = 0;
  // Takes over pipe, which lies in heap at the address that malloc gave, and prepares what the library keeps there.
  void take(TlsPipe& pipe);
  // Once the pipe's configuration is complete: waits for the handshake.
  int begin();
  // read() of a session that no longer shakes hands.
  Result<size_t> decrypt(ByteView& in, Bytes room);
  // Frees the pipe; the heap is empty afterwards.
  void free_pipe();

  Heap& heap_;
  ByteRing& out_;
  RandomSource& random_;
  TlsPipe* pipe_ = nullptr;
  State state_ = State::shut;
  Error error_ = Error::none;  // of failed
};

}  // namespace tocsin
