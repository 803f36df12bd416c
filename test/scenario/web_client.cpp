#include "test/scenario/web_client.h"

#include <cstdio>

namespace tocsin::test {

Address web_address(uint16_t port) { return parse_ip("127.0.0.1", port).value(); }
Address client_address(uint8_t last) {
  Address address = parse_ip("198.51.100.1", 40'000).value();
  address.bytes[3] = last;
  return address;
}

void WebClient::dial(World& w, const Address& from, const Address& to, const sim::Path& path) {
  closed_ = false;
  heard_size_ = 0;
  connection_ = &w.simulation().network().dial(from, to, *this, path);
}

void WebClient::dial_unix(World& w) {
  closed_ = false;
  heard_size_ = 0;
  connection_ = &w.simulation().network().dial("/run/http.sock", *this);
}

void WebClient::say(string_view text) {
  if (connection_ != nullptr) connection_->send(text);
}

void WebClient::hang_up() {
  if (connection_ != nullptr) connection_->close();
  connection_ = nullptr;
}

void WebClient::received(sim::Connection&, ByteView bytes) {
  GW_CHECK(heard_size_ + bytes.size() <= sizeof heard_);
  copy_bytes(reinterpret_cast<uint8_t*>(heard_) + heard_size_, bytes);
  heard_size_ += bytes.size();
}

void WebClient::closed(sim::Connection&, Error) {
  connection_ = nullptr;
  closed_ = true;
}

// True when an answer is there with as much body as it says.
static bool complete(string_view answer) {
  const size_t head = answer.find("\r\n\r\n");
  if (head == string_view::npos) return false;
  constexpr string_view name = "Content-Length: ";
  const size_t at = answer.find(name);
  if (at == string_view::npos) return true;
  string_view rest = slice(answer, at + name.size());
  return answer.size() >= head + 4 + parse_number(take_until(rest, '\r')).value();
}

int WebClient::ask(World& w, string_view request) {
  forget_heard();
  say(request);
  assert_true(w.run_until([&] { return closed_ || complete(heard()); }));
  if (!starts_with(heard(), "HTTP/1.1 ")) return 0;
  return static_cast<int>(parse_number(slice(heard(), 9, 3)).value());
}

string_view unregister_request(string_view account, string_view token, string_view provider, string_view extra_fields) {
  static char rooms[3][1024];
  static int next = 0;
  char body[512];
  const auto size = [](string_view text) { return static_cast<int>(text.size()); };
  const int length =
      snprintf(body, sizeof body, R"({"account":"%.*s","provider":"%.*s","device-token":"%.*s"})", size(account),
               account.data(), size(provider), provider.data(), size(token), token.data());
  next = (next + 1) % 3;
  const int all = snprintf(rooms[next], sizeof rooms[next],
                           "POST /unregister-device/push.example.org HTTP/1.1\r\nHost: push.example.org\r\n"
                           "%.*sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                           size(extra_fields), extra_fields.data(), length, body);
  return {rooms[next], static_cast<size_t>(all)};
}

}  // namespace tocsin::test
