// The floor: the gateway's libraries with nothing in between. expat reads the
// publish, nghttp2 and mbed TLS carry the request, the answer is one snprintf: no
// registry, no limits, no log, no fences. What the gateway costs is what it costs
// beyond this, measured in the same run.
//
//   floor XMPP-PORT PROVIDER-PORT
//
// prints `ready`; ends when the XMPP server goes away.
#include <expat.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif

#include "tools/bench/common.h"

namespace tocsin::bench {
namespace {

constexpr size_t pushes_max = 4096;

struct Push {
  Push* next;
  char id[128];
  char from[64];
  char to[64];
  char node[64];
  char path[80];
  char request_id[37];
  char body[160];
  size_t body_size;
  size_t body_sent;
};

void must(bool good, const char* what) {
  if (good) return;
  fprintf(stderr, "floor: %s\n", what);
  exit(1);
}

void keep(char* to, size_t room, const char* from) {
  must(strlen(from) < room, "a value is too long");
  strcpy(to, from);
}

class Floor {
 public:
  Floor(uint16_t xmpp_port, uint16_t provider_port)
      : xmpp_(connect_to_loopback(xmpp_port)),
        provider_(connect_to_loopback(provider_port)),
        xmpp_in_(1 << 17),
        xmpp_out_(1 << 21),
        cipher_in_(1 << 17),
        cipher_out_(1 << 20) {
    pushes_ = static_cast<Push*>(calloc(pushes_max, sizeof(Push)));
    must(pushes_ != nullptr, "memory");
    for (size_t i = 0; i < pushes_max; ++i) give(&pushes_[i]);
    snprintf(authority_, sizeof authority_, "127.0.0.1:%u", provider_port);
    memset(bearer_, 'x', sizeof bearer_);
    memcpy(bearer_, "bearer ", 7);
    start_tls();
    start_http();
    parser_ = XML_ParserCreate("UTF-8");
    XML_SetUserData(parser_, this);
    XML_SetElementHandler(parser_, start_tag, end_tag);
    XML_SetCharacterDataHandler(parser_, characters);
    xmpp_out_.append(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
        "xmlns:stream='http://etherx.jabber.org/streams' to='push.example.org'>");
  }

  void run() {
    for (;;) {
      flush();
      Watch watches[2];
      watches[0].descriptor = xmpp_;
      watches[0].write = !xmpp_out_.empty();
      watches[1].descriptor = provider_;
      watches[1].write = !cipher_out_.empty();
      wait_for(watches, 2, -1);
      if (watches[0].can_read) {
        if (!receive_into(xmpp_, xmpp_in_, 1 << 16)) return;
        must(XML_Parse(parser_, reinterpret_cast<const char*>(xmpp_in_.data()), static_cast<int>(xmpp_in_.size()), 0) ==
                 XML_STATUS_OK,
             "XML");
        xmpp_in_.clear();
      }
      if (watches[1].can_read) {
        if (!receive_into(provider_, cipher_in_, 1 << 16)) return;
        read_tls();
      }
    }
  }

 private:
  void give(Push* push) {
    push->next = free_;
    free_ = push;
  }

  // ---- XMPP

  static void XMLCALL start_tag(void* user, const char* name, const char** attributes) {
    Floor& self = *static_cast<Floor*>(user);
    const int level = self.level_++;
    self.text_size_ = 0;
    if (level == 0) {
      self.xmpp_out_.append("<handshake>0000000000000000000000000000000000000000</handshake>");
    } else if (level == 1 && strcmp(name, "iq") == 0 && self.free_ != nullptr) {
      self.reading_ = self.free_;
      self.free_ = self.free_->next;
      self.reading_->node[0] = '\0';
      for (; *attributes != nullptr; attributes += 2) {
        if (strcmp(attributes[0], "id") == 0) keep(self.reading_->id, sizeof self.reading_->id, attributes[1]);
        if (strcmp(attributes[0], "from") == 0) keep(self.reading_->from, sizeof self.reading_->from, attributes[1]);
        if (strcmp(attributes[0], "to") == 0) keep(self.reading_->to, sizeof self.reading_->to, attributes[1]);
      }
    } else if (self.reading_ != nullptr && strcmp(name, "publish") == 0) {
      for (; *attributes != nullptr; attributes += 2) {
        if (strcmp(attributes[0], "node") == 0) keep(self.reading_->node, sizeof self.reading_->node, attributes[1]);
      }
    }
  }

  static void XMLCALL end_tag(void* user, const char*) {
    Floor& self = *static_cast<Floor*>(user);
    if (--self.level_ != 1 || self.reading_ == nullptr) return;
    Push* push = self.reading_;
    self.reading_ = nullptr;
    self.submit(push);
  }

  static void XMLCALL characters(void* user, const char* text, int size) {
    Floor& self = *static_cast<Floor*>(user);
    const size_t room = sizeof self.text_ - self.text_size_;
    const size_t fits = static_cast<size_t>(size) < room ? static_cast<size_t>(size) : room;
    memcpy(self.text_ + self.text_size_, text, fits);
    self.text_size_ += fits;
  }

  void answer(const Push& push) {
    char stanza[512];
    const int size =
        snprintf(stanza, sizeof stanza, "<iq type='result' id='%s' from='%s' to='%s'/>", push.id, push.to, push.from);
    xmpp_out_.append(stanza, static_cast<size_t>(size));
  }

  // ---- HTTP/2

  static nghttp2_nv header(const char* name, const char* value, bool no_index = false) {
    return {reinterpret_cast<uint8_t*>(const_cast<char*>(name)), reinterpret_cast<uint8_t*>(const_cast<char*>(value)),
            strlen(name), strlen(value),
            static_cast<uint8_t>(no_index ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE)};
  }

  void submit(Push* push) {
    static const char hex[] = "0123456789abcdef";
    memcpy(push->path, "/3/device/", 10);
    for (size_t i = 0; i < 64; ++i) push->path[10 + i] = hex[static_cast<size_t>(push->node[i % 22]) & 15];
    push->path[74] = '\0';
    ++count_;
    snprintf(push->request_id, sizeof push->request_id, "6f2d7c3e-1b4a-4c5d-8e9f-%012llx",
             static_cast<unsigned long long>(count_));
    push->body_size = static_cast<size_t>(
        snprintf(push->body, sizeof push->body,
                 R"({"aps":{"alert":{"body":"New message!"},"sound":"default","mutable-content":1},)"
                 R"("account":"%.8s@example.org"})",
                 push->node));
    push->body_sent = 0;
    const nghttp2_nv headers[] = {
        header(":method", "POST"),
        header(":scheme", "https"),
        header(":authority", authority_),
        header(":path", push->path, true),
        header("authorization", bearer_, true),
        header("apns-id", push->request_id, true),
        header("apns-topic", "org.example.siskin"),
        header("apns-push-type", "alert"),
        header("apns-priority", "10"),
        header("apns-expiration", "1800000000"),
        header("apns-collapse-id", push->path + 48, true),
    };
    nghttp2_data_provider source;
    source.source.ptr = push;
    source.read_callback = body;
    must(nghttp2_submit_request(http_, nullptr, headers, sizeof headers / sizeof headers[0], &source, push) > 0,
         "submit");
  }

  static ssize_t body(nghttp2_session*, int32_t, uint8_t* to, size_t room, uint32_t* flags, nghttp2_data_source* source,
                      void*) {
    Push& push = *static_cast<Push*>(source->ptr);
    size_t size = push.body_size - push.body_sent;
    if (size > room) size = room;
    memcpy(to, push.body + push.body_sent, size);
    push.body_sent += size;
    if (push.body_sent == push.body_size) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
  }

  static int received_header(nghttp2_session*, const nghttp2_frame*, const uint8_t*, size_t name_size,
                             const uint8_t* value, size_t, uint8_t, void*) {
    if (name_size == 7 && value[0] == '2') return 0;
    return 0;
  }

  static int closed(nghttp2_session* session, int32_t stream, uint32_t, void* user) {
    Floor& self = *static_cast<Floor*>(user);
    Push* push = static_cast<Push*>(nghttp2_session_get_stream_user_data(session, stream));
    self.answer(*push);
    self.give(push);
    return 0;
  }

  void start_http() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, received_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, closed);
    nghttp2_session_client_new(&http_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(http_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }

  // ---- TLS

  static int receive(void* context, unsigned char* to, size_t size) {
    Buffer& from = static_cast<Floor*>(context)->cipher_in_;
    if (from.empty()) return MBEDTLS_ERR_SSL_WANT_READ;
    if (size > from.size()) size = from.size();
    memcpy(to, from.data(), size);
    from.take(size);
    return static_cast<int>(size);
  }
  static int transmit(void* context, const unsigned char* from, size_t size) {
    static_cast<Floor*>(context)->cipher_out_.append(from, size);
    return static_cast<int>(size);
  }

  void start_tls() {
#if MBEDTLS_VERSION_MAJOR >= 3
    psa_crypto_init();
#endif
    mbedtls_entropy_init(&entropy_);
    mbedtls_ctr_drbg_init(&random_);
    mbedtls_ctr_drbg_seed(&random_, mbedtls_entropy_func, &entropy_, nullptr, 0);
    mbedtls_ssl_config_init(&config_);
    mbedtls_ssl_init(&ssl_);
    static const char* protocols[] = {"h2", nullptr};
    mbedtls_ssl_config_defaults(&config_, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_rng(&config_, mbedtls_ctr_drbg_random, &random_);
    // Nobody else is on this machine's loopback, and nothing secret is said.
    mbedtls_ssl_conf_authmode(&config_, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_alpn_protocols(&config_, protocols);
    must(mbedtls_ssl_setup(&ssl_, &config_) == 0, "TLS");
    must(mbedtls_ssl_set_hostname(&ssl_, "localhost") == 0, "TLS");
    mbedtls_ssl_set_bio(&ssl_, this, transmit, receive, nullptr);
    for (;;) {
      const int done = mbedtls_ssl_handshake(&ssl_);
      if (done == 0) return;
      must(done == MBEDTLS_ERR_SSL_WANT_READ, "handshake");
      must(send_from(provider_, cipher_out_), "handshake: send");
      Watch watch;
      watch.descriptor = provider_;
      wait_for(&watch, 1, -1);
      must(receive_into(provider_, cipher_in_, 1 << 16), "handshake: closed");
    }
  }

  void read_tls() {
    static unsigned char plain[1 << 14];
    for (;;) {
      const int got = mbedtls_ssl_read(&ssl_, plain, sizeof plain);
      if (got == MBEDTLS_ERR_SSL_WANT_READ) return;
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
      if (got == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) continue;
#endif
      must(got > 0, "TLS");
      must(nghttp2_session_mem_recv(http_, plain, static_cast<size_t>(got)) == got, "HTTP/2");
    }
  }

  void flush() {
    static uint8_t record[1 << 14];
    size_t size = 0;
    for (;;) {
      const uint8_t* piece = nullptr;
      const ssize_t more = nghttp2_session_mem_send(http_, &piece);
      must(more >= 0, "HTTP/2");
      size_t left = static_cast<size_t>(more);
      while (left > 0) {
        const size_t fits = left < sizeof record - size ? left : sizeof record - size;
        memcpy(record + size, piece, fits);
        size += fits;
        piece += fits;
        left -= fits;
        if (size == sizeof record) write_record(record, size);
      }
      if (more == 0) break;
    }
    write_record(record, size);
    must(send_from(provider_, cipher_out_) && send_from(xmpp_, xmpp_out_), "send");
  }

  void write_record(const uint8_t* record, size_t& size) {
    if (size > 0) must(mbedtls_ssl_write(&ssl_, record, size) == static_cast<int>(size), "TLS write");
    size = 0;
  }

  int xmpp_;
  int provider_;
  Buffer xmpp_in_;
  Buffer xmpp_out_;
  Buffer cipher_in_;
  Buffer cipher_out_;
  Push* pushes_;
  Push* free_ = nullptr;
  Push* reading_ = nullptr;
  int level_ = 0;
  char text_[1024];
  size_t text_size_ = 0;
  uint64_t count_ = 0;
  char authority_[32];
  char bearer_[215] = {};
  XML_Parser parser_;
  nghttp2_session* http_ = nullptr;
  mbedtls_entropy_context entropy_;
  mbedtls_ctr_drbg_context random_;
  mbedtls_ssl_config config_;
  mbedtls_ssl_context ssl_;
};

}  // namespace
}  // namespace tocsin::bench

int main(int count, char** arguments) {
  using namespace tocsin::bench;
  if (count != 3) return 64;
  Floor floor(static_cast<uint16_t>(atoi(arguments[1])), static_cast<uint16_t>(atoi(arguments[2])));
  printf("ready\n");
  fflush(stdout);
  floor.run();
  return 0;
}
