#include "test/scenario/old_service.h"

#include "base/check.h"

namespace tocsin::test {
namespace {

uint8_t plain_room[32 * 1024];

constexpr string_view length_field = "Content-Length: ";

}  // namespace

OldService::OldService(const TlsIdentity& identity, RandomSource& random) : identity_(identity), tls_(out_, random) {}

void OldService::accepted(sim::Connection& connection) {
  ++connections_;
  if (connection_ != nullptr) return connection.reset();
  connection_ = &connection;
  in_size_ = 0;
  out_.clear();
  GW_CHECK(tls_.open(identity_, alpn_));
  connection.handle(*this);
}

void OldService::received(sim::Connection&, ByteView bytes) {
  ByteView in = bytes;
  for (;;) {
    const Result<size_t> plain = tls_.read(in, plain_room);
    if (!plain.ok()) break;
    GW_CHECK(in_size_ + plain.value() <= sizeof in_);
    copy_bytes(in_ + in_size_, ByteView(plain_room).first(plain.value()));
    in_size_ += plain.value();
    if (in.empty() && plain.value() == 0) break;
  }
  work();
  flush();
}

void OldService::work() {
  const string_view text = text_of(ByteView(in_).first(in_size_));
  const size_t head = text.find("\r\n\r\n");
  if (head == string_view::npos) return;
  const size_t field = text.find(length_field);
  GW_CHECK(field < head);  // none may be without
  string_view rest = slice(text, field + length_field.size());
  const size_t length = static_cast<size_t>(parse_number(take_until(rest, '\r'), 8192).value());
  if (in_size_ < head + 4 + length) return;
  GW_CHECK(in_size_ == head + 4 + length);  // one at a time
  GW_CHECK(seen_[requests_++ % requests_kept].assign(text));
  in_size_ = 0;
  if (silent_) return;
  GW_CHECK(tls_.write(bytes_of(answer_)).ok());
  if (!close_after_) return;
  tls_.close_notify();
  flush();
  sim::Connection* const over = connection_;
  connection_ = nullptr;
  tls_.shut();
  over->close();
}

void OldService::flush() {
  while (connection_ != nullptr && !out_.empty()) {
    const ByteView front = out_.front();
    GW_CHECK(front.size() <= connection_->room());
    connection_->send(front);
    out_.pop(front.size());
  }
}

void OldService::closed(sim::Connection& connection, Error) {
  if (&connection != connection_) return;
  connection_ = nullptr;
  tls_.shut();
}

}  // namespace tocsin::test
