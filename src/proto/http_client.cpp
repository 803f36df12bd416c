#include "proto/http_client.h"

#include <new>

#include "base/check.h"
#include "base/text.h"
#include "base/writer.h"
#include "proto/http_framing.h"
#include "proto/http_request.h"

namespace tocsin {

namespace {

using Outcome = H2Exchange::Outcome;

constexpr string_view wanted[] = {"content-length", "transfer-encoding", "connection",
                                  "keep-alive",     "retry-after",       "date"};
constexpr size_t reason_bytes_max = 512;

// What would say another length, or is between us and the next hop only.
bool is_ours(string_view name) {
  for (const string_view ours : {"host", "connection", "keep-alive", "transfer-encoding", "upgrade", "te", "expect"}) {
    if (same_ignoring_case(name, ours)) return true;
  }
  return false;
}

// The head of a request, of the headers that HTTP/2 would have.
Status write_request_head(std::span<const H2Header> headers, size_t body_size, Writer& head) {
  string_view method;
  string_view path;
  string_view authority;
  for (const H2Header& h : headers) {
    if (h.name == ":method") method = h.value;
    if (h.name == ":path") path = h.value;
    if (h.name == ":authority") authority = h.value;
  }
  if (!is_http_token(method) || method == "HEAD" || method == "CONNECT") return Error::malformed;
  if (!is_http_path(path) || !is_http_host(authority)) return Error::malformed;
  head.text(method).text(" ").text(path).text(" HTTP/1.1\r\nHost: ").text(authority).text("\r\n");
  for (const H2Header& h : headers) {
    if (starts_with(h.name, ":") || same_ignoring_case(h.name, "content-length")) continue;
    if (!is_http_token(h.name) || !is_http_value(h.value) || is_ours(h.name)) return Error::malformed;
    head.text(h.name).text(": ").text(h.value).text("\r\n");
  }
  if (body_size > 0 || method != "GET") head.text("Content-Length: ").unsigned_number(body_size).text("\r\n");
  head.text("\r\n");
  if (head.overflowed()) return Error::too_long;
  return {};
}

string_view only(const HttpFields& fields, string_view name) {
  return fields.count(name) == 1 ? fields.value(name) : string_view();
}

}  // namespace

void HttpClient::open() {
  GW_CHECK(exchange_ == nullptr && over_ == nullptr);
  state_ = State::idle;
  keep_alive_seconds_ = UINT32_MAX;
  problem_ = "";
}

Status HttpClient::submit(std::span<const H2Header> headers, ByteView body, H2Exchange& exchange) {
  if (state_ != State::idle || over_ != nullptr) return Error::again;
  Writer head(room_);
  const Status written = write_request_head(headers, body.size(), head);
  if (!written.ok()) return written;
  exchange.begin(body);
  exchange_ = &exchange;
  head_size_ = head.size();
  sent_ = 0;
  interim_ = 0;
  state_ = State::open;
  begin_response();
  return {};
}

size_t HttpClient::pull(Bytes room) {
  if (!wants_write()) return 0;
  size_t used = 0;
  const ByteView body{exchange_->request_body, exchange_->request_size};
  while (used < room.size() && sent_ < head_size_ + body.size()) {
    const ByteView left =
        sent_ < head_size_ ? ByteView(room_).subspan(sent_, head_size_ - sent_) : body.subspan(sent_ - head_size_);
    const ByteView piece = left.first(left.size() < room.size() - used ? left.size() : room.size() - used);
    copy_bytes(room.data() + used, piece);
    used += piece.size();
    sent_ += piece.size();
  }
  if (used > 0) exchange_->written = true;
  exchange_->request_sent = sent_ > head_size_ ? sent_ - head_size_ : 0;
  return used;
}

void HttpClient::begin_response() {
  part_ = Part::status_line;
  line_size_ = 0;
  body_bytes_ = 0;
}

Status HttpClient::feed(ByteView in) {
  size_t used = 0;
  while (used < in.size()) {
    Step step = Step::more;
    if (state_ != State::open || !exchange_->written) {
      // Of a spent connection nothing is expected, and nothing is believed.
      if (state_ == State::spent && *problem_ == '\0') return {};
      step = *problem_ == '\0' ? refuse("bytes without a request") : Step::bad;
    } else if (part_ < Part::body) {
      step = head_byte(in[used++]);
    } else if (part_ == Part::chunks) {
      const HttpChunks::Step chunk = chunks_.feed(in.subspan(used));
      used += chunk.used;
      if (chunk.found == HttpChunks::Found::data) step = body_part(chunk.data);
      if (chunk.found == HttpChunks::Found::end) step = Step::over;
      if (chunk.found > HttpChunks::Found::end) step = refuse(chunks_.problem());
    } else {
      ByteView part = in.subspan(used);
      if (part_ == Part::body && body_left_ < part.size()) part = part.first(static_cast<size_t>(body_left_));
      used += part.size();
      body_left_ -= part_ == Part::body ? part.size() : 0;
      step = body_part(part);
      if (step == Step::more && part_ == Part::body && body_left_ == 0) step = Step::over;
    }
    if (step == Step::bad) return Error::malformed;
    if (step == Step::over) finish(Outcome::answered, keeps_ && !wants_write());
  }
  return {};
}

HttpClient::Step HttpClient::refuse(const char* problem) {
  problem_ = problem;
  if (exchange_ != nullptr) {
    finish(exchange_->written ? Outcome::reset : Outcome::unprocessed, false);
  }
  state_ = State::spent;
  return Step::bad;
}

HttpClient::Step HttpClient::head_byte(uint8_t byte) {
  switch (part_) {
    case Part::status_line:
      line_[line_size_++] = static_cast<char>(byte);
      return line_size_ == sizeof(line_) ? status_read() : Step::more;
    case Part::reason:
      // The blank before the reason is the RFC's wish; servers without a reason leave it out, too.
      if (line_size_++ == sizeof(line_) && byte != ' ' && byte != '\r') return refuse("not a status line");
      if (byte == '\r') {
        part_ = Part::status_end;
      } else if (!is_http_value(byte) || line_size_ > reason_bytes_max) {
        return refuse("not a status line");
      }
      return Step::more;
    case Part::status_end:
      if (byte != '\n') return refuse("a bare carriage return");
      part_ = Part::fields;
      fields_.start(fields_room_, {.bytes_max = options_.field_bytes_max,
                                   .fields_max = options_.fields_max,
                                   .keep_all = false,
                                   .wanted = wanted});
      return Step::more;
    default: break;
  }
  const HttpFields::Found found = fields_.feed(byte);
  if (found == HttpFields::Found::more) return Step::more;
  return found == HttpFields::Found::end ? head_ended() : refuse(fields_.problem());
}

HttpClient::Step HttpClient::status_read() {
  const string_view line{line_, sizeof(line_)};
  const Result<uint64_t> status = parse_number(slice(line, 9));
  const bool known = starts_with(line, "HTTP/1.0 ") || starts_with(line, "HTTP/1.1 ");
  if (!known || !status.ok() || status.value() < 100 || status.value() > 599) return refuse("not a status line");
  status_ = static_cast<uint16_t>(status.value());
  part_ = Part::reason;
  return Step::more;
}

HttpClient::Step HttpClient::head_ended() {
  if (status_ < 200) {
    if (status_ == 101) return refuse("an upgrade that nobody asked for");
    if (++interim_ > options_.interim_max) return refuse("too many interim responses");
    begin_response();
    return Step::more;
  }
  const HttpFraming framing = framing_of(fields_);
  if (framing.kind == HttpFraming::Kind::malformed || framing.kind == HttpFraming::Kind::unknown_coding) {
    return refuse(framing.problem);
  }
  const bool chunked = framing.kind == HttpFraming::Kind::chunked;
  const bool first = line_[7] == '0';  // HTTP/1.0
  if (chunked && first) return refuse("a transfer coding in HTTP/1.0");
  exchange_->status = status_;
  exchange_->head_over = true;
  // Absent and too long look alike there: both mean that we do not know.
  (void)exchange_->retry_after.assign(only(fields_, "retry-after"));
  (void)exchange_->date.assign(only(fields_, "date"));
  read_keep_alive();
  keeps_ = !first && !fields_.lists("connection", "close");
  body_left_ = framing.length;
  if (status_ == 204 || status_ == 304) {
    // No body, whatever the fields say; but who says that there is one may send it.
    keeps_ = keeps_ && !chunked && framing.length == 0;
    return Step::over;
  }
  if (chunked) {
    chunks_.start(UINT64_MAX);
    part_ = Part::chunks;
  } else if (framing.kind == HttpFraming::Kind::none) {
    keeps_ = false;
    part_ = Part::until_closed;
  } else if (body_left_ == 0) {
    return Step::over;
  } else {
    part_ = Part::body;
  }
  return Step::more;
}

void HttpClient::read_keep_alive() {
  keep_alive_seconds_ = UINT32_MAX;
  string_view list = only(fields_, "keep-alive");
  while (!list.empty()) {
    string_view value = take_until(list, ',');
    if (!same_ignoring_case(trim(take_until(value, '=')), "timeout")) continue;
    const Result<uint64_t> seconds = parse_number(trim(value), UINT32_MAX);
    if (seconds.ok()) keep_alive_seconds_ = static_cast<uint32_t>(seconds.value());
  }
}

HttpClient::Step HttpClient::body_part(ByteView part) {
  const size_t room = exchange_->room.size() - exchange_->body_size;
  const ByteView kept = part.first(part.size() < room ? part.size() : room);
  copy_bytes(exchange_->room.data() + exchange_->body_size, kept);
  exchange_->body_size = static_cast<uint16_t>(exchange_->body_size + kept.size());
  if (kept.size() < part.size()) exchange_->body_cut = true;
  body_bytes_ += part.size();
  if (body_bytes_ <= options_.body_bytes_max) return Step::more;
  // The answer is known; what goes on without end is not worth a connection.
  keeps_ = false;
  return Step::over;
}

void HttpClient::finish(Outcome outcome, bool reusable) {
  exchange_->outcome = outcome;
  exchange_->complete = outcome == Outcome::answered;
  if (outcome != Outcome::answered) exchange_->status = 0;
  over_ = exchange_;
  exchange_ = nullptr;
  state_ = reusable ? State::idle : State::spent;
}

void HttpClient::peer_closed() {
  if (state_ == State::open && exchange_->written && part_ == Part::until_closed) finish(Outcome::answered, false);
  shut();
}

void HttpClient::cancel(H2Exchange& exchange) {
  if (&exchange == exchange_) finish(Outcome::cancelled, !exchange.written);
}

void HttpClient::shut() {
  if (state_ == State::open) finish(exchange_->written ? Outcome::lost : Outcome::unprocessed, false);
  state_ = State::spent;
}

H2Exchange* HttpClient::next() {
  H2Exchange* const exchange = over_;
  over_ = nullptr;
  return exchange;
}

}  // namespace tocsin
