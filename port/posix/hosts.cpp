#include "port/posix/hosts.h"

#include <fcntl.h>
#include <unistd.h>

namespace tocsin::posix {
namespace {

// RFC 1035 §2.3.4. A longer word names nobody.
constexpr size_t word_max = 255;

string_view without_final_dot(string_view name) {
  return ends_with(name, ".") ? slice(name, 0, name.size() - 1) : name;
}

// Takes the file a byte at a time: lines and their number may be of any length.
class HostsReader {
 public:
  HostsReader(string_view name, uint16_t port, port::Lookup& out)
      : name_(without_final_dot(name)), port_(port), out_(out) {}

  void take(char c) {
    if (c == '\n') {
      end_word();
      words_ = 0;
      comment_ = false;
    } else if (comment_) {
      return;
    } else if (c == '#') {
      end_word();
      comment_ = true;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f') {
      end_word();
    } else if (size_ < word_max) {
      word_[size_++] = c;
    } else {
      too_long_ = true;
    }
  }

  void end_word() {
    if (size_ == 0) return;
    const string_view word(word_, size_);
    const bool whole = !too_long_;
    size_ = 0;
    too_long_ = false;
    if (words_++ == 0) {
      const Result<Address> address = parse_ip(word, port_);
      known_ = whole && address.ok();
      if (known_) address_ = address.value();
    } else if (known_ && whole && same_ignoring_case(without_final_dot(word), name_)) {
      add();
    }
  }

 private:
  void add() {
    for (uint32_t i = 0; i < out_.count; ++i) {
      if (out_.addresses[i] == address_) return;
    }
    if (out_.count < port::addresses_max) out_.addresses[out_.count++] = address_;
  }

  const string_view name_;
  const uint16_t port_;
  port::Lookup& out_;
  char word_[word_max];
  size_t size_ = 0;
  uint32_t words_ = 0;  // of this line
  bool too_long_ = false;
  bool comment_ = false;
  bool known_ = false;  // the line's address
  Address address_;
};

}  // namespace

bool find_in_hosts(const char* path, string_view name, uint16_t port, port::Lookup& out) {
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file < 0) return false;
  HostsReader reader(name, port, out);
  char room[4096];
  for (ssize_t got = 0; (got = read(file, room, sizeof room)) > 0;) {
    for (ssize_t i = 0; i < got; ++i) reader.take(room[i]);
  }
  close(file);
  reader.end_word();
  return out.count > 0;
}

}  // namespace tocsin::posix
