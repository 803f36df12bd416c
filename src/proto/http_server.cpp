#include "proto/http_server.h"

#include "base/check.h"
#include "base/text.h"
#include "proto/http_response.h"

namespace tocsin {

HttpServer::HttpServer(Bytes room, ByteRing& out, const HttpServerOptions& options)
    : room_(room), out_(out), options_(options) {
  GW_CHECK(out.capacity() >= response_head_bytes_max);
}

void HttpServer::open() {
  out_.clear();
  reader_.start(room_, options_.head);
  state_ = State::head;
  pending_ = Pending::none;
  answered_ = 0;
}

bool HttpServer::reading() const {
  if (pending_ != Pending::none) return false;
  switch (state_) {
    case State::head: return reader_.begun() || out_.empty();
    case State::body:
    case State::over: return true;
    case State::asking:
    case State::answering: break;
  }
  return false;
}

size_t HttpServer::feed(ByteView in) {
  if (state_ == State::over) return in.size();
  if (!reading()) return 0;
  size_t used = 0;
  while (used < in.size() && pending_ == Pending::none) {
    if (state_ == State::body) {
      used += feed_body(in.subspan(used));
      continue;
    }
    const HttpRequestReader::Found found = reader_.feed(in[used++]);
    if (found == HttpRequestReader::Found::refused) refuse(reader_.status(), reader_.problem());
    if (found != HttpRequestReader::Found::head) continue;
    if (request().content_length > options_.body_bytes_max) {
      refuse(413, "the body is too long");
    } else {
      pending_ = Pending::head;
    }
  }
  return used;
}

void HttpServer::refuse(uint16_t status, const char* problem) {
  pending_ = Pending::refused;
  status_ = status;
  problem_ = problem;
}

size_t HttpServer::feed_body(ByteView in) {
  if (!request().chunked) {
    const ByteView part = in.first(body_left_ < in.size() ? static_cast<size_t>(body_left_) : in.size());
    body_left_ -= part.size();
    body_part(part);
    if (body_left_ == 0) body_ended();
    return part.size();
  }
  const HttpChunks::Step step = chunks_.feed(in);
  switch (step.found) {
    case HttpChunks::Found::more: break;
    case HttpChunks::Found::data: body_part(step.data); break;
    case HttpChunks::Found::end: body_ended(); break;
    case HttpChunks::Found::malformed: refuse(400, chunks_.problem()); break;
    case HttpChunks::Found::too_long: refuse(413, chunks_.problem()); break;
    case HttpChunks::Found::trailers_too_long: refuse(431, chunks_.problem()); break;
  }
  return step.used;
}

void HttpServer::body_part(ByteView part) {
  if (gathering_) {
    copy_bytes(body_room_.data() + gathered_, part);  // want_body() saw to it that it fits
    gathered_ += part.size();
    return;
  }
  part_ = part;
  pending_ = Pending::body;
}

void HttpServer::body_ended() {
  body_complete_ = true;
  if (pending_ == Pending::none) pending_ = Pending::complete;
}

bool HttpServer::next(HttpServerEvent& event) {
  event = HttpServerEvent();
  switch (pending_) {
    case Pending::none: return false;
    case Pending::head:
      event.kind = HttpServerEvent::Kind::head;
      body_complete_ = !request().has_body();
      gathering_ = false;
      gathered_ = 0;
      state_ = body_complete_ ? State::answering : State::asking;
      pending_ = body_complete_ ? Pending::complete : Pending::none;
      return true;
    case Pending::body:
      event.kind = HttpServerEvent::Kind::body;
      event.body = part_;
      pending_ = body_complete_ ? Pending::complete : Pending::none;
      return true;
    case Pending::complete:
      event.kind = HttpServerEvent::Kind::complete;
      if (gathering_) event.body = body_room_.first(gathered_);
      break;
    case Pending::refused:
      event.kind = HttpServerEvent::Kind::refused;
      event.status = status_;
      event.problem = problem_;
      body_complete_ = false;  // what follows could be anything
      break;
  }
  state_ = State::answering;
  pending_ = Pending::none;
  return true;
}

void HttpServer::gather(Bytes room) {
  if (state_ != State::asking) return;  // there is no body
  gathering_ = true;
  body_room_ = room;
  want_body(room.size());
}

void HttpServer::stream() {
  if (state_ == State::asking) want_body(UINT64_MAX);
}

void HttpServer::want_body(uint64_t bytes_max) {
  if (options_.body_bytes_max < bytes_max) bytes_max = options_.body_bytes_max;
  state_ = State::body;
  body_left_ = request().content_length;
  chunks_.start(bytes_max);
  if (body_left_ > bytes_max) return refuse(413, "the body is too long");
  // out was empty when the request began, and holds more than this.
  if (request().expects_continue) GW_CHECK(out_.push(bytes_of("HTTP/1.1 100 Continue\r\n\r\n")));
}

Status HttpServer::respond(const HttpResponse& response) {
  GW_CHECK(state_ == State::asking || state_ == State::body || state_ == State::answering);
  const bool close = response.close || request().close || !body_complete_;
  uint8_t room[response_head_bytes_max];
  const Result<size_t> head = write_response_head(response, close, room);
  if (!head.ok()) return head.error();
  const bool bare = request().method == HttpRequest::Method::head || !may_have_body(response.status);
  const ByteView body = bare ? ByteView() : response.body;
  if (head.value() + body.size() > out_.free()) return Error::exhausted;
  GW_CHECK(out_.push(ByteView(room).first(head.value())) && out_.push(body));
  ++answered_;
  pending_ = Pending::none;
  state_ = close ? State::over : State::head;
  reader_.start(room_, options_.head);
  return {};
}

}  // namespace tocsin
