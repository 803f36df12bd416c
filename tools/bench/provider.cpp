// A provider that only wants to be fast: TLS and just enough HTTP/2 to answer
// every request as its service does when all is well, at once or after a fixed delay. It reads
// frame headers and throws the rest away (header blocks are never decoded), so
// that the gateway and not the other end of the wire is what is measured.
//
//   provider [--as apns|fcm|google-tokens|web-push] [--apple-windows] [--files DIRECTORY]
//
// prints `port N`; --files writes root.pem, AuthKey_BENCH00001.p8 and service-account.json first.
// Orders on standard input, one answer line (JSON) each:
//   delay MS    answers leave that much later from now on
//   stats       requests, connections, resets, cpu_us; counts since the last stats
#include <fcntl.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif

#include "test/support/certs.h"
#include "tools/bench/answers.h"
#include "tools/bench/common.h"

namespace tocsin::bench {
namespace {

constexpr size_t connections_max = 8;
constexpr size_t delayed_max = 1 << 16;
constexpr uint32_t streams_granted = 1000;
constexpr uint32_t apple_window = 65'535;
constexpr uint32_t open_window = 0x7fff'0000;

enum FrameType : uint8_t {
  data = 0,
  headers = 1,
  reset = 3,
  settings = 4,
  ping = 6,
  goaway = 7,
  window = 8,
  continuation = 9
};
constexpr uint8_t end_stream = 1;  // and ACK of SETTINGS and PING
constexpr uint8_t end_headers = 4;
constexpr string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct Tls {
  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context random;
  mbedtls_x509_crt chain;
  mbedtls_pk_context key;
  mbedtls_ssl_config config;
};

struct Counters {
  uint64_t requests = 0;
  uint64_t answers = 0;
  uint64_t resets = 0;
  uint64_t connections = 0;
  uint64_t records_in = 0;
  uint64_t bytes_in = 0;
};

struct Due {
  int64_t at;
  uint32_t connection;
  uint32_t stream;
};

void must(int result, const char* what) {
  if (result == 0) return;
  fprintf(stderr, "provider: %s: -0x%x\n", what, static_cast<unsigned>(-result));
  exit(1);
}

void put32(uint8_t* to, uint32_t value) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}
uint32_t get32(const uint8_t* from) {
  return uint32_t{from[0]} << 24 | uint32_t{from[1]} << 16 | uint32_t{from[2]} << 8 | from[3];
}

class Connection {
 public:
  int socket = -1;
  bool open = false;  // the handshake is over

  Connection() : cipher_in_(1 << 17), cipher_out_(1 << 20), plain_in_(1 << 16), plain_out_(1 << 20) {}

  void start(int with, Tls& tls, bool apple_windows) {
    socket = with;
    open = preface_seen_ = granted_ = false;
    skip_ = 0;
    consumed_ = 0;
    window_ = apple_windows ? apple_window : open_window;
    cipher_in_.clear();
    cipher_out_.clear();
    plain_in_.clear();
    plain_out_.clear();
    mbedtls_ssl_init(&ssl_);
    must(mbedtls_ssl_setup(&ssl_, &tls.config), "setup");
    mbedtls_ssl_set_bio(&ssl_, this, transmit, receive, nullptr);
  }

  void stop() {
    mbedtls_ssl_free(&ssl_);
    close(socket);
    socket = -1;
  }

  // False when the connection is over. Requests are reported through ask(stream).
  template <class Ask>
  bool read(Counters& counters, Ask ask) {
    if (!receive_into(socket, cipher_in_, 1 << 16)) return false;
    if (!open) {
      const int done = mbedtls_ssl_handshake(&ssl_);
      if (done != 0) return done == MBEDTLS_ERR_SSL_WANT_READ || done == MBEDTLS_ERR_SSL_WANT_WRITE;
      open = true;
      say_hello();
    }
    for (;;) {
      const size_t room = 1 << 14;
      const int got = mbedtls_ssl_read(&ssl_, plain_in_.space(room), room);
      if (got == MBEDTLS_ERR_SSL_WANT_READ) return true;
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
      if (got == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) continue;
#endif
      if (got <= 0) return false;
      ++counters.records_in;
      counters.bytes_in += static_cast<uint64_t>(got);
      plain_in_.grew(static_cast<size_t>(got));
      parse(counters, ask);
    }
  }

  void answer(Service service, uint32_t stream) {
    uint8_t frames[answer_bytes_max];
    plain_out_.append(frames, write_answer(service, stream, frames));
  }

  bool flush() {
    while (open && !plain_out_.empty() && cipher_out_.free() > (1 << 15)) {
      const size_t size = plain_out_.size() < 16384 ? plain_out_.size() : 16384;
      const int done = mbedtls_ssl_write(&ssl_, plain_out_.data(), size);
      if (done <= 0) return false;
      plain_out_.take(static_cast<size_t>(done));
    }
    return send_from(socket, cipher_out_);
  }
  bool waits_to_send() const { return !cipher_out_.empty(); }

 private:
  static int receive(void* context, unsigned char* to, size_t size) {
    Buffer& from = static_cast<Connection*>(context)->cipher_in_;
    if (from.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
    if (size > from.size()) size = from.size();
    memcpy(to, from.data(), size);
    from.take(size);
    return static_cast<int>(size);
  }
  static int transmit(void* context, const unsigned char* from, size_t size) {
    static_cast<Connection*>(context)->cipher_out_.append(from, size);
    return static_cast<int>(size);
  }

  void frame(FrameType type, uint8_t flags, uint32_t stream, const uint8_t* payload, size_t size) {
    uint8_t head[9] = {0, static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size), type, flags, 0, 0, 0, 0};
    put32(head + 5, stream);
    plain_out_.append(head, sizeof head);
    plain_out_.append(payload, size);
  }

  void set_streams(uint32_t streams) {
    uint8_t setting[12] = {0, 3, 0, 0, 0, 0, 0, 4};
    put32(setting + 2, streams);
    put32(setting + 8, window_);
    frame(settings, 0, 0, setting, sizeof setting);
  }

  void grant(uint32_t bytes) {
    uint8_t size[4];
    put32(size, bytes);
    frame(window, 0, 0, size, sizeof size);
  }

  // As Apple: one stream until the first request was seen.
  void say_hello() {
    set_streams(1);
    if (window_ > apple_window) grant(window_ - apple_window);
  }

  template <class Ask>
  void parse(Counters& counters, Ask ask) {
    if (!preface_seen_) {
      if (plain_in_.size() < preface.size()) return;
      plain_in_.take(preface.size());
      preface_seen_ = true;
    }
    for (;;) {
      if (skip_ > 0) {
        const size_t part = skip_ < plain_in_.size() ? skip_ : plain_in_.size();
        plain_in_.take(part);
        skip_ -= part;
        if (skip_ > 0) break;
      }
      if (plain_in_.size() < 9) break;
      const uint8_t* head = plain_in_.data();
      const size_t size = size_t{head[0]} << 16 | size_t{head[1]} << 8 | head[2];
      const uint8_t type = head[3];
      const uint8_t flags = head[4];
      const uint32_t stream = get32(head + 5) & 0x7fff'ffff;
      if (type == ping && plain_in_.size() < 9 + size) break;
      if (type == ping && (flags & end_stream) == 0) frame(ping, end_stream, 0, head + 9, size);
      if (type == settings && (flags & end_stream) == 0) frame(settings, end_stream, 0, nullptr, 0);
      if (type == reset) ++counters.resets;
      if (type == data) consumed_ += static_cast<uint32_t>(size);
      if ((type == headers || type == data) && (flags & end_stream) != 0) {
        ++counters.requests;
        ask(stream);
        if (!granted_) {
          granted_ = true;
          set_streams(streams_granted);
        }
      }
      plain_in_.take(9);
      skip_ = size;
    }
    if (consumed_ >= window_ / 2) {
      grant(consumed_);
      consumed_ = 0;
    }
  }

  mbedtls_ssl_context ssl_;
  Buffer cipher_in_;
  Buffer cipher_out_;
  Buffer plain_in_;
  Buffer plain_out_;
  uint32_t window_ = 0;
  uint32_t consumed_ = 0;
  size_t skip_ = 0;
  bool preface_seen_ = false;
  bool granted_ = false;
};

void load(Tls& tls) {
  mbedtls_entropy_init(&tls.entropy);
  mbedtls_ctr_drbg_init(&tls.random);
  mbedtls_x509_crt_init(&tls.chain);
  mbedtls_pk_init(&tls.key);
  mbedtls_ssl_config_init(&tls.config);
  must(mbedtls_ctr_drbg_seed(&tls.random, mbedtls_entropy_func, &tls.entropy, nullptr, 0), "random");
  const auto text = [](const char* pem) { return reinterpret_cast<const unsigned char*>(pem); };
  must(mbedtls_x509_crt_parse(&tls.chain, text(test::cert_ec_leaf), strlen(test::cert_ec_leaf) + 1), "certificate");
#if MBEDTLS_VERSION_MAJOR >= 3
  must(static_cast<int>(psa_crypto_init()), "psa");
  must(mbedtls_pk_parse_key(&tls.key, text(test::key_ec_leaf), strlen(test::key_ec_leaf) + 1, nullptr, 0,
                            mbedtls_ctr_drbg_random, &tls.random),
       "key");
  static const int suites[] = {MBEDTLS_TLS1_3_AES_128_GCM_SHA256, MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 0};
#else
  must(mbedtls_pk_parse_key(&tls.key, text(test::key_ec_leaf), strlen(test::key_ec_leaf) + 1, nullptr, 0), "key");
  static const int suites[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 0};
#endif
  static const char* protocols[] = {"h2", nullptr};
  must(mbedtls_ssl_config_defaults(&tls.config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                   MBEDTLS_SSL_PRESET_DEFAULT),
       "defaults");
  mbedtls_ssl_conf_rng(&tls.config, mbedtls_ctr_drbg_random, &tls.random);
  mbedtls_ssl_conf_ciphersuites(&tls.config, suites);
  must(mbedtls_ssl_conf_alpn_protocols(&tls.config, protocols), "ALPN");
  must(mbedtls_ssl_conf_own_cert(&tls.config, &tls.chain, &tls.key), "own certificate");
}

void write_file(const char* directory, const char* name, const char* text) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || write(file, text, strlen(text)) != static_cast<ssize_t>(strlen(text))) die(path);
  close(file);
}

// As the Firebase console hands it out: the key is one JSON string, its line ends written as \n.
void write_service_account(const char* directory) {
  char text[4096];
  size_t size =
      static_cast<size_t>(snprintf(text, sizeof text,
                                   "{\"type\":\"service_account\",\"project_id\":\"bench-1\",\"client_email\":"
                                   "\"bench@bench-1.iam.gserviceaccount.com\",\"private_key\":\""));
  for (const char* c = test::rsa_key; *c != '\0' && size + 8 < sizeof text; ++c) {
    if (*c == '\n') text[size++] = '\\';
    text[size++] = *c == '\n' ? 'n' : *c;
  }
  memcpy(text + size, "\"}\n", 4);
  write_file(directory, "service-account.json", text);
}

class Provider {
 public:
  Provider(Service service, bool apple_windows) : service_(service), apple_windows_(apple_windows) {
    load(tls_);
    listener_ = listen_on_loopback(&port_);
    delayed_ = static_cast<Due*>(malloc(sizeof(Due) * delayed_max));
    if (delayed_ == nullptr) die("memory");
    printf("port %u\n", port_);
    fflush(stdout);
  }

  void run() {
    while (!orders_.over()) {
      Watch watches[2 + connections_max];
      watches[0].descriptor = STDIN_FILENO;
      watches[1].descriptor = listener_;
      for (size_t i = 0; i < connections_max; ++i) {
        watches[2 + i].descriptor = connections_[i].socket;
        watches[2 + i].write = connections_[i].waits_to_send();
      }
      wait_for(watches, 2 + connections_max, first_ == last_ ? -1 : delayed_[first_ % delayed_max].at);
      if (watches[0].can_read) obey();
      if (watches[1].can_read) take();
      for (uint32_t i = 0; i < connections_max; ++i) {
        Connection& each = connections_[i];
        if (each.socket < 0 || !watches[2 + i].can_read) continue;
        const int64_t arrived = delay_ns_ == 0 ? 0 : now_ns();
        const bool alive = each.read(counters_, [&](uint32_t stream) {
          if (delay_ns_ == 0) {
            each.answer(service_, stream);
            ++counters_.answers;
          } else if (last_ - first_ < delayed_max) {
            delayed_[last_++ % delayed_max] = {arrived + delay_ns_, i, stream};
          }
        });
        if (!alive) each.stop();
      }
      answer_due();
      for (Connection& each : connections_) {
        if (each.socket >= 0 && !each.flush()) each.stop();
      }
    }
  }

 private:
  void answer_due() {
    if (first_ == last_) return;
    const int64_t now = now_ns();
    while (first_ != last_ && delayed_[first_ % delayed_max].at <= now) {
      const Due due = delayed_[first_++ % delayed_max];
      if (connections_[due.connection].socket < 0) continue;
      connections_[due.connection].answer(service_, due.stream);
      ++counters_.answers;
    }
  }

  void take() {
    const int made = accept_from(listener_);
    if (made < 0) return;
    for (Connection& each : connections_) {
      if (each.socket >= 0) continue;
      ++counters_.connections;
      return each.start(made, tls_, apple_windows_);
    }
    close(made);
  }

  void obey() {
    orders_.read();
    string_view line;
    while (orders_.next(line)) {
      const string_view verb = word(line);
      if (verb == "delay") {
        delay_ns_ = static_cast<int64_t>(number(line, 0)) * 1'000'000;
        printf("{\"ok\": true}\n");
      } else {
        printf(
            "{\"requests\": %llu, \"answers\": %llu, \"resets\": %llu, \"connections\": %llu, \"records\": %llu, "
            "\"bytes\": %llu, \"cpu_us\": %lld}\n",
            static_cast<unsigned long long>(counters_.requests), static_cast<unsigned long long>(counters_.answers),
            static_cast<unsigned long long>(counters_.resets), static_cast<unsigned long long>(counters_.connections),
            static_cast<unsigned long long>(counters_.records_in), static_cast<unsigned long long>(counters_.bytes_in),
            static_cast<long long>((cpu_ns() - cpu_) / 1000));
        counters_ = {};
        cpu_ = cpu_ns();
      }
      fflush(stdout);
    }
  }

  Tls tls_;
  Service service_;
  bool apple_windows_;
  uint16_t port_ = 0;
  int listener_ = -1;
  Connection connections_[connections_max];
  Due* delayed_ = nullptr;
  uint64_t first_ = 0;
  uint64_t last_ = 0;
  int64_t delay_ns_ = 0;
  int64_t cpu_ = 0;
  Counters counters_;
  Orders orders_;
};

}  // namespace
}  // namespace tocsin::bench

int main(int count, char** arguments) {
  using namespace tocsin::bench;
  bool apple_windows = false;
  Service service = Service::apns;
  for (int i = 1; i < count; ++i) {
    if (strcmp(arguments[i], "--apple-windows") == 0) apple_windows = true;
    if (strcmp(arguments[i], "--files") == 0 && i + 1 < count) {
      write_file(arguments[i + 1], "root.pem", tocsin::test::cert_ec_root);
      write_file(arguments[i + 1], "AuthKey_BENCH00001.p8", tocsin::test::push_key_1);
      write_service_account(arguments[i + 1]);
    }
    if (strcmp(arguments[i], "--as") == 0 && i + 1 < count && !service_named(arguments[i + 1], service)) {
      fprintf(stderr, "provider: no such service: %s\n", arguments[i + 1]);
      return 64;
    }
  }
  use_precise_timers();
  Provider provider(service, apple_windows);
  provider.run();
  return 0;
}
