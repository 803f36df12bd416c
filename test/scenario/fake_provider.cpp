#include "test/scenario/fake_provider.h"

#include <new>

#include "base/check.h"
#include "base/writer.h"

namespace tocsin::test {
namespace {

uint8_t plain_room[64 * 1024];

}  // namespace

FakeProvider::FakeProvider(sim::Simulation& world, const TlsIdentity& identity, RandomSource& random)
    : world_(world), identity_(&identity), random_(random) {
  without_credential_.status = 403;
  GW_CHECK(without_credential_.reason.assign("MissingProviderToken"));
  token_out_of_time_.status = 401;
  GW_CHECK(token_out_of_time_.reason.assign(R"({"code":401,"errno":109,"error":"Unauthorized"})"));
  for (Session& session : sessions_) new (session.tls_room) TlsServer(session.out, random_);
}

void FakeProvider::answer_all(uint16_t status, string_view reason, int64_t timestamp_ms) {
  everyone_ = {};
  everyone_.status = status;
  everyone_.timestamp_ms = timestamp_ms;
  GW_CHECK(everyone_.reason.assign(reason));
}

FakeProvider::Rule& FakeProvider::make_rule(string_view token_hex) {
  Rule* rule = nullptr;
  for (uint32_t i = 0; i < rule_count_; ++i) {
    if (rules_[i].token.view() == token_hex) rule = &rules_[i];
  }
  if (rule == nullptr) {
    GW_CHECK(rule_count_ < rules_max);
    rule = &rules_[rule_count_++];
  }
  *rule = {};
  GW_CHECK(rule->token.assign(token_hex));
  return *rule;
}

void FakeProvider::answer_device(string_view token_hex, uint16_t status, string_view reason, int64_t timestamp_ms) {
  Rule& rule = make_rule(token_hex);
  GW_CHECK(rule.reason.assign(reason));
  rule.status = status;
  rule.timestamp_ms = timestamp_ms;
}

void FakeProvider::answer_next(uint32_t count, uint16_t status, string_view reason) {
  next_ = {};
  next_.status = status;
  GW_CHECK(next_.reason.assign(reason));
  next_count_ = count;
}

void FakeProvider::act_device(string_view token_hex, Act act) { make_rule(token_hex).act = act; }

uint32_t FakeProvider::requests_for(string_view token_hex) const {
  uint32_t count = 0;
  const uint64_t kept = requests_ < requests_kept ? requests_ : requests_kept;
  for (uint64_t i = requests_ - kept; i < requests_; ++i) {
    const SeenRequest& seen = request(i);
    const string_view in = speech_ == Speech::fcm ? seen.body.view() : seen.path.view();
    const size_t at = in.find(token_hex);
    count += at != string_view::npos ? 1 : 0;
  }
  return count;
}

const SeenRequest& FakeProvider::last_for(string_view token_hex) const {
  for (uint64_t i = requests_;; --i) {
    GW_CHECK(i > 0 && requests_ - i < requests_kept);
    if (ends_with(request(i - 1).path.view(), token_hex)) return request(i - 1);
  }
}

void FakeProvider::grant(uint32_t first, uint32_t afterwards) {
  grant_first_ = first;
  grant_then_ = afterwards;
  for (Session& session : sessions_) {
    if (session.open && session.started) {
      session.http.set_streams_max(afterwards);
      flush(session);
    }
  }
}

const SeenRequest& FakeProvider::request(uint64_t number) const {
  GW_CHECK(number < requests_ && requests_ - number <= requests_kept);
  return seen_[number % requests_kept];
}

uint32_t FakeProvider::alive() const {
  uint32_t count = 0;
  for (const Session& session : sessions_) count += session.connection != nullptr ? 1 : 0;
  return count;
}

uint32_t FakeProvider::stalled() const {
  uint32_t count = 0;
  for (const Stalled& each : stalled_) count += each.used ? 1 : 0;
  return count;
}

FakeProvider::Session* FakeProvider::session_of(sim::Connection& connection) {
  for (Session& session : sessions_) {
    if (session.connection == &connection) return &session;
  }
  return nullptr;
}

void FakeProvider::accepted(sim::Connection& connection) {
  ++connections_seen_;
  for (Session& session : sessions_) {
    if (session.connection != nullptr) continue;
    session.connection = &connection;
    session.number = connections_seen_;
    session.out.clear();
    session.open = session.started = false;
    if (conduct_ == Conduct::hang_up) {
      session.connection = nullptr;
      return connection.close();
    }
    GW_CHECK(session.tls().open(*identity_, "h2", TlsServer::Kind::modern, clients_under_));
    connection.handle(*this);
    return;
  }
  connection.reset();
}

void FakeProvider::received(sim::Connection& connection, ByteView bytes) {
  Session* session = session_of(connection);
  if (session == nullptr || conduct_ == Conduct::deaf) return;
  ByteView in = bytes;
  for (;;) {
    const Result<size_t> plain = session->tls().read(in, plain_room);
    if (!plain.ok()) break;
    if (!session->open && session->tls().state() == TlsServer::State::open) {
      session->open = true;
      if (conduct_ == Conduct::no_settings) session->open = false;
      if (conduct_ == Conduct::open_shut) {
        sim::Connection* over = session->connection;
        flush(*session);
        end(*session);
        return over->close();
      }
      if (!session->open) break;
      H2ServerOptions options = http_options_;
      options.streams_max = grant_first_;
      options.answers_pings = answer_pings_;
      session->http.open(options);
    }
    if (plain.value() > 0) session->http.feed(ByteView(plain_room).first(plain.value()));
    if (in.empty() && plain.value() == 0) break;
  }
  work(*session);
  if (session->connection != nullptr) flush(*session);
}

const FakeProvider::Rule& FakeProvider::rule_for(const H2Request& request) {
  const string_view device = device_of(request);
  if (decider_ != nullptr) return decider_->decide(device);
  for (uint32_t i = 0; i < rule_count_; ++i) {
    if (ends_with(device, rules_[i].token.view())) return rules_[i];
  }
  return everyone_;
}

void FakeProvider::remember(const Session& session, const H2Request& request) {
  SeenRequest& seen = seen_[requests_++ % requests_kept];
  seen.at = world_.now();
  seen.certificate = session.tls().was_shown_certificate();
  GW_CHECK(seen.path.assign(request.path()) && seen.topic.assign(request.header("apns-topic")));
  GW_CHECK(seen.push_type.assign(request.header("apns-push-type")) &&
           seen.priority.assign(request.header("apns-priority")));
  GW_CHECK(seen.expiration.assign(request.header("apns-expiration")) &&
           seen.collapse_id.assign(request.header("apns-collapse-id")));
  GW_CHECK(seen.id.assign(request.header("apns-id")) && seen.authorization.assign(request.header("authorization")));
  GW_CHECK(seen.ttl.assign(request.header("ttl")) && seen.urgency.assign(request.header("urgency")) &&
           seen.replaces.assign(request.header("topic")) && seen.encoding.assign(request.header("content-encoding")));
  GW_CHECK(seen.authority.assign(request.header(":authority")) && seen.body.assign(request.body_text()));
}

void FakeProvider::work(Session& session) {
  if (!session.open) return;
  while (const H2Request* request = session.http.next()) {
    remember(session, *request);
    if (session.http.counters().most_open > most_streams_) most_streams_ = session.http.counters().most_open;
    if (!session.started) {
      session.started = true;
      if (grant_then_ != grant_first_) session.http.set_streams_max(grant_then_);
    }
    if (clients_under_ != nullptr && !last().certificate && last().authorization.empty()) {
      respond(session, request->stream, without_credential_);
      continue;
    }
    if (minds_time_ && out_of_time(last())) {
      respond(session, request->stream, token_out_of_time_);
      continue;
    }
    if (next_count_ > 0) {
      --next_count_;
      respond(session, request->stream, next_);
      continue;
    }
    const Rule& rule = rule_for(*request);
    if (rule.act == Act::stall || delay_.us > 0) {
      for (uint32_t i = 0;; ++i) {
        GW_CHECK(i < stalled_max);
        if (stalled_[i].used) continue;
        stalled_[i] = {.session = static_cast<uint8_t>(&session - sessions_),
                       .used = true,
                       .number = session.number,
                       .stream = request->stream};
        if (rule.act != Act::stall) world_.after(delay_, *this, i);
        break;
      }
      continue;
    }
    respond(session, request->stream, rule);
    if (session.connection == nullptr) return;
  }
  broken_ = broken_ || session.http.broken();
}

void FakeProvider::respond(Session& session, int32_t stream, const Rule& rule) {
  switch (rule.act) {
    case Act::refuse_stream: return session.http.reset(stream, 7);
    case Act::reset_stream: return session.http.reset(stream, 2);
    case Act::go_away: return session.http.go_away(stream - 2, 0, "{\"reason\":\"Shutdown\"}");
    case Act::drop_connection: {
      sim::Connection* connection = session.connection;
      end(session);
      connection->reset();
      return;
    }
    case Act::stall:
    case Act::answer: break;
  }
  const H2Request* request = session.http.find(stream);
  if (request == nullptr) return;
  H2ServerHeader headers[3];
  size_t count = 0;
  if (speech_ == Speech::apns) headers[count++] = {"apns-id", request->header("apns-id")};
  if (!retry_after_.empty()) headers[count++] = {"retry-after", retry_after_.view()};
  uint8_t date_room[40];
  Writer date(date_room);
  if (tells_time_) {
    write_date(date, world_.wall() + time_off_);
    headers[count++] = {"date", date.view()};
  }
  uint8_t room[600];
  Writer body(room);
  write_answer_body(body, rule);
  GW_CHECK(!body.overflowed());
  session.http.answer(stream, {.status = rule.status, .headers = {headers, count}, .body = body.view()});
}

void FakeProvider::flush(Session& session) {
  while (session.connection != nullptr) {
    while (session.open && session.http.wants_write() && session.out.free() > 20 * 1024) {
      const size_t size = session.http.pull(Bytes(plain_room).first(16'000));  // a record of TLS 1.3 has 16,383
      if (size == 0) break;
      const Result<size_t> taken = session.tls().write(ByteView(plain_room).first(size));
      if (!taken.ok()) return;  // the gateway has said goodbye meanwhile
      GW_CHECK(taken.value() == size);
    }
    if (session.out.empty()) return;
    const ByteView front = session.out.front();
    const size_t size = front.size() < session.connection->room() ? front.size() : session.connection->room();
    if (size == 0) return;
    session.connection->send(front.first(size));
    session.out.pop(size);
  }
}

void FakeProvider::on_event(uint64_t tag) {
  Stalled& stalled = stalled_[tag];
  if (!stalled.used) return;
  stalled.used = false;
  Session& session = sessions_[stalled.session];
  if (session.connection == nullptr || session.number != stalled.number) return;
  const H2Request* request = session.http.find(stalled.stream);
  if (request == nullptr) return;
  respond(session, stalled.stream, rule_for(*request));
  if (session.connection != nullptr) flush(session);
}

void FakeProvider::release_stalled() {
  const Act act = everyone_.act;
  everyone_.act = Act::answer;
  for (uint32_t i = 0; i < stalled_max; ++i) on_event(i);
  everyone_.act = act;
}

void FakeProvider::go_away_now(int32_t last_stream, string_view debug) {
  for (Session& session : sessions_) {
    if (session.connection == nullptr || !session.open) continue;
    session.http.go_away(last_stream < 0 ? session.http.last_stream() : last_stream, 0, debug);
    flush(session);
  }
}

void FakeProvider::drop_connections() {
  for (Session& session : sessions_) {
    if (session.connection == nullptr) continue;
    sim::Connection* connection = session.connection;
    end(session);
    connection->reset();
  }
}

void FakeProvider::end(Session& session) {
  broken_ = broken_ || session.http.broken();
  pings_ += session.http.counters().pings;
  resets_ += session.http.counters().resets;
  session.connection = nullptr;
  session.open = false;
  session.http.shut();
  session.tls().shut();
}

uint64_t FakeProvider::pings() const {
  uint64_t count = pings_;
  for (const Session& session : sessions_) count += session.http.counters().pings;
  return count;
}

uint64_t FakeProvider::resets() const {
  uint64_t count = resets_;
  for (const Session& session : sessions_) count += session.http.counters().resets;
  return count;
}

void FakeProvider::grant_now(uint32_t streams) {
  for (Session& session : sessions_) {
    if (session.connection == nullptr || !session.open) continue;
    session.http.set_streams_max(streams);
    flush(session);
  }
}

void FakeProvider::open_windows(int32_t bytes) {
  for (Session& session : sessions_) {
    if (session.connection == nullptr || !session.open) continue;
    session.http.grant(0, bytes);
    for (int32_t stream = 1; stream <= session.http.last_stream(); stream += 2) {
      if (session.http.find(stream) != nullptr) session.http.grant(stream, bytes);
    }
    flush(session);
  }
}

void FakeProvider::closed(sim::Connection& connection, Error) {
  Session* session = session_of(connection);
  if (session != nullptr) end(*session);
}

}  // namespace tocsin::test
