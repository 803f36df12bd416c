#include "test/support/h2_server.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "base/writer.h"

namespace tocsin::test {

namespace {

nghttp2_nv header_line(string_view name, string_view value) {
  const auto bytes = [](string_view text) { return const_cast<uint8_t*>(bytes_of(text).data()); };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

struct StatusText {
  explicit StatusText(uint16_t status) { Writer(Bytes(digits)).number(status); }
  string_view view() const { return {reinterpret_cast<const char*>(digits), 3}; }
  uint8_t digits[3];
};

}  // namespace

string_view H2Request::header(string_view name) const {
  for (size_t i = 0; i < head_size;) {
    const string_view key(head + i);
    const string_view value(head + i + key.size() + 1);
    if (key == name) return value;
    i += key.size() + value.size() + 2;
  }
  return {};
}

struct H2ServerCallbacks {
  static H2Server& server(void* user) { return *static_cast<H2Server*>(user); }
  static H2Request* request_of(nghttp2_session* session, int32_t stream) {
    return static_cast<H2Request*>(nghttp2_session_get_stream_user_data(session, stream));
  }

  static int begin(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    H2Server& self = server(user);
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    H2Request* request = self.free_.pop_front();
    if (request == nullptr) {
      if (self.requests_used_ == H2Server::requests_max) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
      request = self.requests_ + self.requests_used_++;
    }
    new (request) H2Request;
    request->stream = self.last_stream_ = frame->hd.stream_id;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, request);
    ++self.counters_.open;
    self.counters_.most_open = std::max(self.counters_.most_open, self.counters_.open);
    return 0;
  }

  static int header(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                    const uint8_t* value, size_t value_size, uint8_t, void*) {
    H2Request* request = request_of(session, frame->hd.stream_id);
    if (request == nullptr) return 0;
    char* at = request->head + request->head_size;
    if (name_size + value_size + 2 > sizeof(request->head) - request->head_size) {
      request->too_big = true;
      return 0;
    }
    std::memcpy(at, name, name_size + 1);  // nghttp2 ends both with a NUL
    std::memcpy(at + name_size + 1, value, value_size + 1);
    request->head_size += static_cast<uint32_t>(name_size + value_size + 2);
    return 0;
  }

  static int data(nghttp2_session* session, uint8_t, int32_t stream, const uint8_t* data, size_t size, void*) {
    H2Request* request = request_of(session, stream);
    if (request == nullptr) return 0;
    const size_t fits = std::min(size, sizeof(request->body) - request->body_size);
    std::memcpy(request->body + request->body_size, data, fits);
    request->body_size += static_cast<uint32_t>(fits);
    if (fits < size) request->too_big = true;
    return 0;
  }

  static int received(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    H2Server& self = server(user);
    H2Server::Counters& count = self.counters_;
    const bool acknowledges = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;  // the same bit is END_STREAM elsewhere
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
      case NGHTTP2_DATA: {
        H2Request* request = request_of(session, frame->hd.stream_id);
        if (request == nullptr || !acknowledges) break;
        request->complete = true;
        ++count.requests;
        self.ready_.push_back(*request);
        break;
      }
      case NGHTTP2_RST_STREAM:
        ++count.resets;
        count.last_reset_code = frame->rst_stream.error_code;
        break;
      case NGHTTP2_PING: ++(acknowledges ? count.ping_answers : count.pings); break;
      case NGHTTP2_SETTINGS: count.settings_answers += acknowledges ? 1 : 0; break;
      case NGHTTP2_GOAWAY:
        ++count.goaways;
        count.goaway_code = frame->goaway.error_code;
        break;
      default: break;
    }
    return 0;
  }

  static int sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_GOAWAY && !server(user).leaving_) server(user).broken_ = true;
    return 0;
  }

  static int closed(nghttp2_session* session, int32_t stream, uint32_t, void* user) {
    H2Server& self = server(user);
    H2Request* request = request_of(session, stream);
    if (request == nullptr) return 0;
    if (request->hook.linked) self.ready_.remove(*request);
    request->stream = 0;
    self.free_.push_front(*request);
    --self.counters_.open;
    ++self.counters_.closed;
    return 0;
  }

  static ssize_t body(nghttp2_session* session, int32_t stream, uint8_t* to, size_t room, uint32_t* flags,
                      nghttp2_data_source* source, void*) {
    H2Request& request = *static_cast<H2Request*>(source->ptr);
    const size_t left = request.answer_size - request.answer_sent;
    if (left == 0 && request.open_end) return NGHTTP2_ERR_DEFERRED;
    const size_t size = std::min(std::min(room, left), request.piece);
    std::memcpy(to, request.answer + request.answer_sent, size);
    request.answer_sent += static_cast<uint32_t>(size);
    if (size < left || request.open_end) return static_cast<ssize_t>(size);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (request.trailers) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const nghttp2_nv trailer = header_line("apns-id", "from-a-trailer");
      nghttp2_submit_trailer(session, stream, &trailer, 1);
    }
    return static_cast<ssize_t>(size);
  }
};

void H2Server::must(int result) const { GW_CHECK(result >= 0 || nghttp2_is_fatal(result) == 0); }

void H2Server::open(const H2ServerOptions& options) {
  using C = H2ServerCallbacks;
  shut();
  requests_ = static_cast<H2Request*>(std::malloc(sizeof(H2Request) * requests_max));
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* wishes = nullptr;
  GW_CHECK(requests_ != nullptr && nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&wishes) == 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, C::begin);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, C::header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, C::data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, C::received);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, C::sent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, C::closed);
  nghttp2_option_set_no_closed_streams(wishes, 1);
  nghttp2_option_set_no_auto_window_update(wishes, options.grants_windows ? 0 : 1);
  nghttp2_option_set_no_auto_ping_ack(wishes, options.answers_pings ? 0 : 1);
  // Servers built on nghttp2 end a connection after 1,000 resets and 33 a second more; tests do that.
  nghttp2_option_set_stream_reset_rate_limit(wishes, UINT32_MAX, UINT32_MAX);
  must(nghttp2_session_server_new2(&session_, callbacks, this, wishes));
  nghttp2_option_del(wishes);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.streams_max},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.initial_window},
  };
  must(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, 2));
  if (options.connection_window > 65'535) {
    must(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, options.connection_window));
  }
}

void H2Server::shut() {
  if (session_ != nullptr) nghttp2_session_del(session_);
  session_ = nullptr;
  std::free(requests_);
  requests_ = nullptr;
  requests_used_ = 0;
  piece_ = {};
  free_ = {};
  ready_ = {};
  counters_ = {};
  last_stream_ = 0;
  leaving_ = broken_ = false;
}

void H2Server::feed(ByteView in) {
  if (session_ == nullptr || broken_ || in.empty()) return;
  if (nghttp2_session_mem_recv(session_, in.data(), in.size()) < 0) broken_ = true;
}

size_t H2Server::pull(Bytes room) {
  size_t used = 0;
  while (session_ != nullptr && used < room.size()) {
    if (piece_.empty()) {
      const uint8_t* data = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_, &data);
      GW_CHECK(size >= 0);
      if (size == 0) break;
      piece_ = {data, static_cast<size_t>(size)};
    }
    const size_t part = std::min(piece_.size(), room.size() - used);
    copy_bytes(room.data() + used, piece_.first(part));
    piece_ = piece_.subspan(part);
    used += part;
  }
  return used;
}

bool H2Server::wants_write() const {
  return session_ != nullptr && (!piece_.empty() || nghttp2_session_want_write(session_) != 0);
}

const H2Request* H2Server::next() { return ready_.pop_front(); }

const H2Request* H2Server::find(int32_t stream) const {
  return session_ == nullptr ? nullptr : H2ServerCallbacks::request_of(session_, stream);
}

void H2Server::inform(int32_t stream, uint16_t status) {
  const StatusText text(status);
  const nghttp2_nv line = header_line(":status", text.view());
  must(nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream, nullptr, &line, 1, nullptr));
}

void H2Server::answer(int32_t stream, const H2Answer& answer) {
  H2Request* request = H2ServerCallbacks::request_of(session_, stream);
  if (request == nullptr) return;
  nghttp2_nv lines[32];
  GW_CHECK(answer.headers.size() < std::size(lines) && answer.body.size() <= sizeof(request->answer));
  const StatusText status(answer.status);
  lines[0] = header_line(":status", status.view());
  std::transform(answer.headers.begin(), answer.headers.end(), lines + 1,
                 [](const H2ServerHeader& header) { return header_line(header.name, header.value); });
  std::copy(answer.body.begin(), answer.body.end(), request->answer);
  request->answer_size = static_cast<uint32_t>(answer.body.size());
  request->piece = answer.piece;
  request->trailers = answer.trailers;
  request->open_end = answer.open_end;
  nghttp2_data_provider source;
  source.source.ptr = request;
  source.read_callback = H2ServerCallbacks::body;
  const bool only_headers = answer.body.empty() && !answer.trailers && !answer.open_end;
  must(nghttp2_submit_response(session_, stream, lines, answer.headers.size() + 1, only_headers ? nullptr : &source));
}

void H2Server::reset(int32_t stream, uint32_t code) {
  must(nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, code));
}

void H2Server::go_away(int32_t last_stream, uint32_t code, string_view debug_data) {
  leaving_ = true;
  must(nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_stream, code, bytes_of(debug_data).data(),
                             debug_data.size()));
}

void H2Server::set_streams_max(uint32_t streams) {
  const nghttp2_settings_entry entry = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams};
  must(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &entry, 1));
}

void H2Server::set_initial_window(uint32_t bytes) {
  const nghttp2_settings_entry entry = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, bytes};
  must(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &entry, 1));
}

void H2Server::grant(int32_t stream, int32_t bytes) {
  must(nghttp2_submit_window_update(session_, NGHTTP2_FLAG_NONE, stream, bytes));
}

void H2Server::ping() { must(nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr)); }

}  // namespace tocsin::test
