// What the programs of the benchmark share: loopback sockets, the clock, and
// orders that come as lines on standard input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tocsin::bench {

using std::string_view;

int64_t now_ns();  // monotonic
int64_t cpu_ns();  // that this process used so far, user and system

[[noreturn]] void die(const char* what);  // with errno

// A listening socket on 127.0.0.1; *port is filled in (0 on entry: any).
int listen_on_loopback(uint16_t* port);
int connect_to_loopback(uint16_t port);  // non-blocking, without Nagle
int accept_from(int listener);           // the same; -1 when nobody is there

// poll() with a wait in nanoseconds; negative waits for ever.
struct Watch {
  int descriptor = -1;
  bool write = false;
  bool can_read = false;
  bool can_write = false;
};
void wait_for(Watch* watches, size_t count, int64_t until_ns);

// Timers that fire within microseconds instead of the usual 50.
void use_precise_timers();

// Bytes on their way: appended at the end, taken at the front.
class Buffer {
 public:
  explicit Buffer(size_t bytes);
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();
  size_t size() const { return end_ - start_; }
  bool empty() const { return end_ == start_; }
  const uint8_t* data() const { return room_ + start_; }
  string_view text() const { return {reinterpret_cast<const char*>(data()), size()}; }
  uint8_t* space(size_t bytes);  // at least so many at the end, or the program ends
  size_t free() const { return bytes_ - size(); }
  void grew(size_t bytes) { end_ += bytes; }
  void append(const void* bytes, size_t size);
  void append(string_view text) { append(text.data(), text.size()); }
  void take(size_t bytes);
  void clear() { start_ = end_ = 0; }

 private:
  uint8_t* room_;
  size_t bytes_;
  size_t start_ = 0;
  size_t end_ = 0;
};

// False at the end of the stream or after an error.
bool receive_into(int socket, Buffer& buffer, size_t most);
bool send_from(int socket, Buffer& buffer);

// Orders from standard input, a line each.
class Orders {
 public:
  // After stdin became readable: the next whole line, or false. over() once the other end went away.
  bool next(string_view& line);
  bool over() const { return over_; }
  void read();

 private:
  char room_[4096];
  size_t size_ = 0;
  size_t taken_ = 0;
  bool over_ = false;
};

// The next word of a line, and a number from it.
string_view word(string_view& line);
uint64_t number(string_view& line, uint64_t otherwise);

}  // namespace tocsin::bench
