// What each service says to a request when all is well, as HTTP/2 frames: the fast provider decodes nothing, so it says
// the same to all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tocsin::bench {

enum class Service : uint8_t { apns, fcm, google_tokens, web_push };

// The service of this name ("apns", "fcm", "google-tokens", "web-push"); false for others.
bool service_named(std::string_view name, Service& service);

constexpr size_t answer_bytes_max = 512;

// Writes the frames of the whole answer on `stream`; returns their bytes.
size_t write_answer(Service service, uint32_t stream, uint8_t (&to)[answer_bytes_max]);

// The fields of a register-device form for device number `device`, unlike any other's; returns false when the room is
// too small. `port` is where a Web Push endpoint would be.
bool write_device(Service service, uint64_t device, uint16_t port, char* to, size_t room);

}  // namespace tocsin::bench
