#include "tools/bench/answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace tocsin::bench {
namespace {

constexpr uint8_t data_frame = 0;
constexpr uint8_t headers_frame = 1;
constexpr uint8_t end_stream = 1;
constexpr uint8_t end_headers = 4;

// The receiver's keys of RFC 8291 section 5: a point of the curve and 16 bytes.
constexpr const char* p256dh =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
constexpr const char* auth = "BTBZMqHH6r4Tts7J_aSIgg";

class Frames {
 public:
  Frames(uint8_t (&to)[answer_bytes_max], uint32_t stream) : to_(to), stream_(stream) {}

  void begin(uint8_t type, uint8_t flags) {
    start_ = size_;
    const uint8_t head[9] = {0,
                             0,
                             0,
                             type,
                             flags,
                             static_cast<uint8_t>(stream_ >> 24),
                             static_cast<uint8_t>(stream_ >> 16),
                             static_cast<uint8_t>(stream_ >> 8),
                             static_cast<uint8_t>(stream_)};
    put(head, sizeof head);
  }
  void end() {
    const size_t bytes = size_ - start_ - 9;
    to_[start_ + 1] = static_cast<uint8_t>(bytes >> 8);
    to_[start_ + 2] = static_cast<uint8_t>(bytes);
  }
  void byte(uint8_t value) { put(&value, 1); }
  void text(std::string_view words) { put(words.data(), words.size()); }
  // A string of HPACK without Huffman codes; at most 126 bytes, which is one byte of length (RFC 7541 section 5.2).
  void string(std::string_view words) {
    if (words.size() > 126) abort();
    byte(static_cast<uint8_t>(words.size()));
    text(words);
  }
  // A literal that is not indexed, its name from the static table (RFC 7541 section 6.2.2, appendix A).
  void field(uint8_t name, std::string_view value) {
    if (name < 15) {
      byte(name);
    } else {
      byte(15);
      byte(static_cast<uint8_t>(name - 15));
    }
    string(value);
  }
  size_t size() const { return size_; }

 private:
  void put(const void* bytes, size_t size) {
    if (size > answer_bytes_max - size_) abort();
    memcpy(to_ + size_, bytes, size);
    size_ += size;
  }

  uint8_t (&to_)[answer_bytes_max];
  uint32_t stream_;
  size_t start_ = 0;
  size_t size_ = 0;
};

constexpr uint8_t status_200 = 0x88;  // whole, from the static table
constexpr uint8_t name_status = 8, name_content_type = 31, name_location = 46;

void json(Frames& frames, std::string_view body) {
  frames.begin(headers_frame, end_headers);
  frames.byte(status_200);
  frames.field(name_content_type, "application/json; charset=UTF-8");
  frames.end();
  frames.begin(data_frame, end_stream);
  frames.text(body);
  frames.end();
}

}  // namespace

bool service_named(std::string_view name, Service& service) {
  constexpr std::string_view names[] = {"apns", "fcm", "google-tokens", "web-push"};
  for (uint8_t i = 0; i < 4; ++i) {
    if (names[i] != name) continue;
    service = static_cast<Service>(i);
    return true;
  }
  return false;
}

size_t write_answer(Service service, uint32_t stream, uint8_t (&to)[answer_bytes_max]) {
  Frames frames(to, stream);
  char text[128];
  switch (service) {
    case Service::apns:
      snprintf(text, sizeof text, "6f2d7c3e-1b4a-4c5d-8e9f-0000%08x", stream);
      frames.begin(headers_frame, end_headers | end_stream);
      frames.byte(status_200);
      frames.byte(0);
      frames.string("apns-id");
      frames.string(text);
      frames.end();
      break;
    case Service::fcm:
      snprintf(text, sizeof text, "{\n  \"name\": \"projects/bench-1/messages/0:1795352192%08x%%bench\"\n}\n", stream);
      json(frames, text);
      break;
    case Service::google_tokens:
      json(frames,
           "{\"access_token\":\"ya29.c.bench-bench-bench-bench-bench-bench-bench-bench-bench-bench\",\"expires_in\":"
           "3599,"
           "\"token_type\":\"Bearer\"}");
      break;
    case Service::web_push:
      snprintf(text, sizeof text, "https://127.0.0.1/m/gAAAAABn%08x", stream);
      frames.begin(headers_frame, end_headers | end_stream);
      frames.field(name_status, "201");
      frames.field(name_location, text);
      frames.end();
      break;
  }
  return frames.size();
}

bool write_device(Service service, uint64_t device, uint16_t port, char* to, size_t room) {
  const auto number = static_cast<unsigned long long>(device);
  int size = 0;
  switch (service) {
    case Service::apns:
      size = snprintf(to, room,
                      "<field var='provider'><value>tigase:messenger:apns:1</value></field>"
                      "<field var='device-token'><value>%016llx%016llx%016llx%016llx</value></field>",
                      number, 0x0123456789abcdefULL, 0xfedcba9876543210ULL, 0x5555aaaa5555aaaaULL);
      break;
    case Service::fcm:
      size = snprintf(
          to, room,
          "<field var='provider'><value>fcm-xmpp-api</value></field>"
          "<field "
          "var='device-token'><value>bench_%016llx:APA91bEg0LhXqZ9_7uQJkR3yWcT5vNdS2mPfA8xHbUoKe1rYiGwQnMzB4tVCjD6s"
          "LpXaFhRuE0kJyTqWvNcZ3mSgI7oPbU2xHdA9eKfQrYlMiGwVnCzB5tDj1s8L</value></field>",
          number);
      break;
    case Service::web_push:
      size = snprintf(to, room,
                      "<field var='provider'><value>webpush</value></field>"
                      "<field var='endpoint'><value>https://127.0.0.1:%u/wpush/v2/gAAAAABn%016llx</value></field>"
                      "<field var='p256dh'><value>%s</value></field><field var='auth'><value>%s</value></field>",
                      unsigned{port}, number, p256dh, auth);
      break;
    case Service::google_tokens: return false;
  }
  return size > 0 && static_cast<size_t>(size) < room;
}

}  // namespace tocsin::bench
