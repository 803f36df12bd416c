// Somebody who asks the gateway by HTTP: an actor that dials in, says what it is told, and keeps what it hears.
#pragma once

#include "crypto/tls.h"
#include "test/scenario/world.h"

namespace tocsin::test {

inline constexpr const char* with_listen =
    "[listen]\naddress = 127.0.0.1:8085, unix:/run/http.sock\ntls = no\n[metrics]\naddress = 127.0.0.1:9180\n";
inline constexpr const char* with_listen_tls =
    "[listen]\naddress = *:443\ncertificate = /etc/web.pem\nkey = /etc/web.key\n";

Address web_address(uint16_t port = 8085);  // where the gateway listens
Address client_address(uint8_t last);       // 198.51.100.last

class WebClient final : public sim::PeerHandler {
 public:
  void dial(World& w, const Address& from = client_address(1), const Address& to = web_address(),
            const sim::Path& path = {});
  void dial_unix(World& w);
  void say(string_view text);
  string_view heard() const { return {heard_, heard_size_}; }
  void forget_heard() { heard_size_ = 0; }
  bool closed() const { return closed_; }
  bool alive() const { return connection_ != nullptr; }
  void hang_up();
  sim::Connection& connection() { return *connection_; }
  // Says it and waits for an answer with its whole body; the status, 0: closed without one.
  int ask(World& w, string_view request);

  void received(sim::Connection& connection, ByteView bytes) override;
  void closed(sim::Connection& connection, Error why) override;

 private:
  sim::Connection* connection_ = nullptr;
  bool closed_ = false;
  size_t heard_size_ = 0;
  char heard_[16 * 1024];
};

// A request to unregister, as JSON; valid until the third call from now.
string_view unregister_request(string_view account, string_view token, string_view provider = "tigase:messenger:apns:1",
                               string_view extra_fields = "");

}  // namespace tocsin::test
