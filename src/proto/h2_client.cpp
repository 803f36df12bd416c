#include "proto/h2_client.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <new>

namespace tocsin {

namespace {

// PING and SETTINGS that wait for their answer to be written: nghttp2 allows 1,000 of 200 bytes each.
constexpr size_t acks_queued_max = 32;

using Outcome = H2Exchange::Outcome;

bool printable(char c) { return c >= ' ' && c <= '~'; }

// The value of "reason" in {"reason":"…"}; the whole text when there is none. A
// parser would be too much for a word that is only logged and compared.
string_view reason_in(string_view text) {
  constexpr string_view key = "\"reason\"";
  const size_t found = text.find(key);
  if (found == string_view::npos) return text;
  string_view rest = trim(slice(text, found + key.size()));
  if (!starts_with(rest, ":")) return text;
  rest = trim(slice(rest, 1));
  if (!starts_with(rest, "\"")) return text;
  rest = slice(rest, 1);
  return take_until(rest, '"');
}

void keep_first(auto& kept, string_view value) {
  if (kept.empty() && !kept.assign(value)) kept.clear();
}

}  // namespace

struct H2Callbacks {
  static H2Client& client(void* user) { return *static_cast<H2Client*>(user); }

  static H2Exchange* exchange_of(nghttp2_session* session, int32_t stream) {
    return static_cast<H2Exchange*>(nghttp2_session_get_stream_user_data(session, stream));
  }

  // nghttp2 sees to it that :status comes first, is three digits, and is not in trailers. It is kept
  // when it is final: interim responses (1xx) are skipped.
  static int header(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                    const uint8_t* value, size_t value_size, uint8_t, void*) {
    const string_view key(reinterpret_cast<const char*>(name), name_size);
    const string_view text(reinterpret_cast<const char*>(value), value_size);
    H2Exchange* exchange = exchange_of(session, frame->hd.stream_id);
    if (exchange == nullptr || exchange->head_over) return 0;
    if (key == ":status") exchange->status = number_of(text);
    if (exchange->status != 0) keep(*exchange, key, text);
    return 0;
  }

  // 0 for what is no final status (nghttp2 lets 099 pass).
  static uint16_t number_of(string_view digits) {
    const Result<uint64_t> number = parse_number(digits, 999);
    return number.ok() && number.value() >= 200 ? static_cast<uint16_t>(number.value()) : uint16_t{0};
  }

  static void keep(H2Exchange& exchange, string_view name, string_view value) {
    if (name == "apns-id") keep_first(exchange.id, value);
    if (name == "retry-after") keep_first(exchange.retry_after, value);
    if (name == "date") keep_first(exchange.date, value);
  }

  static int data(nghttp2_session* session, uint8_t, int32_t stream, const uint8_t* data, size_t size, void*) {
    H2Exchange* exchange = exchange_of(session, stream);
    if (exchange == nullptr) return 0;
    const size_t fits = std::min(size, exchange->room.size() - exchange->body_size);
    copy_bytes(exchange->room.data() + exchange->body_size, {data, fits});
    exchange->body_size = static_cast<uint16_t>(exchange->body_size + fits);
    if (fits < size) exchange->body_cut = true;
    return 0;
  }

  // Only frames that nghttp2 found valid get here.
  static int frame_received(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    const bool acknowledges = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;  // the same bit is END_STREAM elsewhere
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
      case NGHTTP2_DATA: answer_received(exchange_of(session, frame->hd.stream_id), frame->hd.flags); break;
      case NGHTTP2_SETTINGS: client(user).settings_seen_ |= !acknowledges; break;
      case NGHTTP2_PING:
        if (acknowledges) client(user).pings_open_ = 0;
        break;
      case NGHTTP2_GOAWAY: goaway_received(frame->goaway, client(user)); break;
      default: break;
    }
    return 0;
  }

  static void answer_received(H2Exchange* exchange, uint8_t flags) {
    if (exchange == nullptr || exchange->status == 0) return;
    exchange->head_over = true;
    if ((flags & NGHTTP2_FLAG_END_STREAM) != 0) exchange->complete = true;
  }

  static void goaway_received(const nghttp2_goaway& goaway, H2Client& client) {
    client.keep_goaway(goaway.error_code, {goaway.opaque_data, goaway.opaque_data_len});
  }

  // nghttp2 says GOAWAY of its own accord only when the peer broke the protocol.
  static int frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS) {
      H2Exchange* exchange = exchange_of(session, frame->hd.stream_id);
      if (exchange != nullptr) exchange->written = true;
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
      const int why = client(user).library_error_;
      client(user).trouble_ = Error::malformed;
      client(user).problem_ = why != 0 ? nghttp2_strerror(why) : nghttp2_http2_strerror(frame->goaway.error_code);
    }
    return 0;
  }

  // Also called for what was withdrawn before it was written: it belongs to nobody any more.
  static int stream_closed(nghttp2_session* session, int32_t stream, uint32_t code, void* user) {
    --client(user).streams_;
    H2Exchange* exchange = exchange_of(session, stream);
    if (exchange == nullptr) return 0;
    exchange->reset_code = code;
    client(user).finish(*exchange, code == NGHTTP2_REFUSED_STREAM ? Outcome::unprocessed : Outcome::reset);
    return 0;
  }

  static int explained(nghttp2_session*, int library_error, const char*, size_t, void* user) {
    client(user).library_error_ = library_error;
    return 0;
  }

  static ssize_t body(nghttp2_session*, int32_t, uint8_t* to, size_t room, uint32_t* flags, nghttp2_data_source* source,
                      void* user) {
    H2Exchange& exchange = *static_cast<H2Exchange*>(source->ptr);
    const size_t size = std::min(room, exchange.request_size - exchange.request_sent);
    copy_bytes(to, {exchange.request_body + exchange.request_sent, size});
    exchange.request_sent += size;
    client(user).body_bytes_queued_ -= size;
    if (exchange.request_sent == exchange.request_size) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
  }

  static void set_all(nghttp2_session_callbacks* to) {
    nghttp2_session_callbacks_set_on_header_callback(to, header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(to, data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(to, frame_received);
    nghttp2_session_callbacks_set_on_frame_send_callback(to, frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(to, stream_closed);
    nghttp2_session_callbacks_set_error_callback2(to, explained);
  }
};

H2Client::~H2Client() { shut(); }

Status H2Client::open(const H2Options& options) {
  GW_CHECK(session_ == nullptr);
  const HeapScope scope(heap_);
  goaway_.clear();
  goaway_code_ = 0;
  streams_max_ = options.streams_max;
  settings_seen_ = going_away_ = dead_ = false;
  trouble_ = Error::none;
  library_error_ = 0;
  problem_ = "";
  const Status started = start(options);
  if (!started.ok()) shut();
  return started;
}

Status H2Client::start(const H2Options& options) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* wishes = nullptr;
  int result = nghttp2_session_callbacks_new(&callbacks);
  if (result == 0) result = nghttp2_option_new(&wishes);
  if (result == 0) {
    H2Callbacks::set_all(callbacks);
    nghttp2_option_set_peer_max_concurrent_streams(wishes, options.first_streams);
    nghttp2_option_set_max_outbound_ack(wishes, acks_queued_max);
    result = nghttp2_session_client_new2(&session_, callbacks, this, wishes);
  }
  nghttp2_option_del(wishes);
  nghttp2_session_callbacks_del(callbacks);
  if (result != 0) return fail(result);
  const nghttp2_settings_entry no_push = {NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
  result = nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &no_push, 1);
  return result == 0 ? Status() : fail(result);
}

// The session can not go on, not even to say good-bye.
Status H2Client::fail(int library_error) {
  dead_ = true;
  trouble_ = library_error == NGHTTP2_ERR_NOMEM ? Error::exhausted : Error::malformed;
  problem_ = nghttp2_strerror(library_error);
  return trouble_;
}

Status H2Client::feed(ByteView in) {
  if (session_ == nullptr) return Error::closed;
  if (trouble_ != Error::none) return trouble_;
  if (in.empty()) return {};
  const HeapScope scope(heap_);
  const bool was_going_away = going_away_;
  library_error_ = 0;
  const ssize_t used = nghttp2_session_mem_recv(session_, in.data(), in.size());
  if (used < 0) return fail(static_cast<int>(used));
  if (going_away_ && !was_going_away) {
    // nghttp2 would hold these back while the peer's limit is reached, and then refuse them itself.
    for (H2Exchange *item = open_.first(), *after = nullptr; item != nullptr; item = after) {
      after = open_.after(*item);
      if (!item->written) withdraw(*item, Outcome::unprocessed);
    }
  }
  // A broken protocol is no error of mem_recv: nghttp2 ignores further input, takes no more requests
  // and queues a GOAWAY. (After the peer's own GOAWAY only frame_sent() notices.)
  if (!going_away_ && nghttp2_session_get_next_stream_id(session_) <= uint32_t{INT32_MAX} &&
      nghttp2_session_check_request_allowed(session_) == 0) {
    trouble_ = Error::malformed;
    problem_ = library_error_ == 0 ? "the peer broke the protocol" : nghttp2_strerror(library_error_);
  }
  return trouble_ == Error::none ? Status() : Status(trouble_);
}

Result<size_t> H2Client::pull(Bytes room) {
  if (session_ == nullptr) return Error::closed;
  if (dead_) return trouble_;
  const HeapScope scope(heap_);
  size_t used = 0;
  while (used < room.size()) {
    if (piece_.empty()) {
      const uint8_t* data = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_, &data);
      if (size < 0) return fail(static_cast<int>(size)).error();
      if (size == 0) break;
      piece_ = {data, static_cast<size_t>(size)};
    }
    const size_t part = std::min(piece_.size(), room.size() - used);
    copy_bytes(room.data() + used, piece_.first(part));
    piece_ = piece_.subspan(part);
    used += part;
  }
  if (used == 0 && trouble_ != Error::none) return trouble_;
  return used;
}

bool H2Client::wants_write() const {
  if (session_ == nullptr) return false;
  return trouble_ != Error::none || !piece_.empty() || nghttp2_session_want_write(session_) != 0;
}

uint32_t H2Client::peer_streams() const {
  if (session_ == nullptr) return 0;
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

// Whatever is queued can leave as soon as its stream may: then nothing waits for the connection's
// window behind later requests. A body on its own may wait for the window to grow.
bool H2Client::body_fits(size_t size) const {
  const int32_t window = nghttp2_session_get_remote_window_size(session_);
  if (window <= 0) return false;
  return body_bytes_queued_ == 0 || body_bytes_queued_ + size <= static_cast<size_t>(window);
}

// nghttp2 gives up the whole session when it is refused memory for a stream, a reset or a frame that
// comes in. So a request is taken only when those under way can end well: 448 bytes each, and
// 24 KiB for what the peer says (a GOAWAY has up to 16 KiB).
bool H2Client::heap_fits(size_t request_bytes) const {
  const size_t needed = request_bytes + (streams_ + 1) * size_t{448} + (24 << 10);
  return heap_.size() - heap_.live() >= needed;
}

uint32_t H2Client::room() const {
  if (session_ == nullptr || going_away_ || trouble_ != Error::none || !body_fits(1)) return 0;
  const uint32_t limit = std::min(peer_streams(), streams_max_);
  return limit > streams_ ? limit - streams_ : 0;
}

Status H2Client::submit(std::span<const H2Header> headers, ByteView body, H2Exchange& exchange) {
  GW_CHECK(!exchange.hook.linked);
  if (room() == 0 || !body_fits(body.size())) return Error::again;
  if (headers.size() > headers_max) return Error::too_long;
  nghttp2_nv list[headers_max];
  size_t header_bytes = 0;
  for (size_t i = 0; i < headers.size(); ++i) {
    const ByteView name = bytes_of(headers[i].name);
    const ByteView value = bytes_of(headers[i].value);
    // One bad header would make the peer end the connection of all.
    if (nghttp2_check_header_value(value.data(), value.size()) == 0) return Error::malformed;
    const auto flag = headers[i].no_index ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
    list[i] = {const_cast<uint8_t*>(name.data()), const_cast<uint8_t*>(value.data()), name.size(), value.size(),
               static_cast<uint8_t>(flag)};
    header_bytes += name.size() + value.size();
  }
  if (header_bytes > header_bytes_max) return Error::too_long;
  if (!heap_fits(192 + header_bytes + 42 * headers.size())) return Error::exhausted;

  const HeapScope scope(heap_);
  nghttp2_data_provider source;
  source.source.ptr = &exchange;
  source.read_callback = H2Callbacks::body;
  const int32_t stream =
      nghttp2_submit_request(session_, nullptr, list, headers.size(), body.empty() ? nullptr : &source, &exchange);
  if (stream == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE) going_away_ = true;
  if (stream < 0) return stream == NGHTTP2_ERR_NOMEM ? Error::exhausted : Error::again;
  exchange.begin(body);
  exchange.stream = stream;
  body_bytes_queued_ += body.size();
  ++streams_;
  open_.push_back(exchange);
  return {};
}

void H2Client::cancel(H2Exchange& exchange) {
  if (session_ == nullptr || exchange.outcome != Outcome::open || exchange.cancelling) return;
  if (!exchange.written) return withdraw(exchange, Outcome::cancelled);
  const HeapScope scope(heap_);
  exchange.cancelling = true;
  if (dead_) return;
  const int result = nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, exchange.stream, NGHTTP2_CANCEL);
  if (result != 0) static_cast<void>(fail(result));  // else its stream would count for ever
}

// Takes back a request that waits for the peer's limit. nghttp2 keeps its headers until it may
// send them, and drops them then; until that day the stream goes on counting.
void H2Client::withdraw(H2Exchange& exchange, Outcome outcome) {
  const HeapScope scope(heap_);
  if (!dead_) {
    nghttp2_session_set_stream_user_data(session_, exchange.stream, nullptr);
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, exchange.stream, NGHTTP2_CANCEL);
  }
  finish(exchange, outcome);
}

Status H2Client::ping() {
  if (session_ == nullptr || trouble_ != Error::none) return Error::closed;
  if (pings_open_ != 0) return Error::busy;
  const HeapScope scope(heap_);
  if (nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr) != 0) return Error::exhausted;
  ++pings_open_;
  return {};
}

H2Exchange* H2Client::next() { return over_.pop_front(); }

void H2Client::finish(H2Exchange& exchange, Outcome outcome) {
  body_bytes_queued_ -= exchange.request_size - exchange.request_sent;
  exchange.outcome = exchange.complete ? Outcome::answered : exchange.cancelling ? Outcome::cancelled : outcome;
  if (!exchange.complete) exchange.status = exchange.body_size = 0;
  open_.remove(exchange);
  over_.push_back(exchange);
}

// The reason of an earlier GOAWAY stays when the last one gives none: a graceful
// shutdown says it twice (RFC 9113 §6.8).
void H2Client::keep_goaway(uint32_t code, ByteView debug_data) {
  going_away_ = true;
  goaway_code_ = code;
  const string_view reason = slice(reason_in(text_of(debug_data)), 0, 128);
  if (reason.empty()) return;
  char clean[128];
  std::transform(reason.begin(), reason.end(), clean, [](char c) { return printable(c) ? c : '?'; });
  static_cast<void>(goaway_.assign({clean, reason.size()}));
}

void H2Client::shut() {
  if (session_ != nullptr) {
    const HeapScope scope(heap_);
    nghttp2_session_del(session_);
    session_ = nullptr;
  }
  piece_ = {};
  while (H2Exchange* exchange = open_.first()) {
    finish(*exchange, exchange->written ? Outcome::lost : Outcome::unprocessed);
  }
  streams_ = pings_open_ = 0;
}

}  // namespace tocsin
