// Responses, most of them odd, and what the client makes of each, in every way to cut them.
#include "base/text.h"
#include "base/writer.h"
#include "test/support/tests.h"
#include "test/unit/proto/http_line.h"
#include "test/unit/proto/stanzas.h"

namespace tocsin {

namespace {

using test::Dice;
using test::judged;
using Line = test::HttpLine;

struct Response {
  string_view wanted;
  string_view text;
  bool closed = false;  // by the peer, behind text
};

constexpr Response responses[] = {
    {"201  again", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"},
    {"200 hello again", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
    {"200 hello again", "HTTP/1.1 200 OK\r\ncontent-length:5\r\nX: y\r\n\r\nhello"},
    {"200 hello again", "HTTP/1.1 200 OK\r\nContent-Length: 00005\r\n\r\nhello"},
    {"200 hello again", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello"},
    {"200 hello again", "HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello"},
    {"200 hello again", "HTTP/1.1 200 \xc3\xa4 b\tc\r\nContent-Length: 5\r\n\r\nhello"},
    {"200 hello again", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
    {"200 hello again",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n"},
    {"410  again", "HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"204  again", "HTTP/1.1 204 No Content\r\n\r\n"},
    {"204  again", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"},
    {"204 ", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"},
    {"204 ", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"304  again", "HTTP/1.1 304 Not Modified\r\n\r\n"},
    {"304 ", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"},
    {"301  again", "HTTP/1.1 301 Moved\r\nLocation: https://evil.example.net/\r\nContent-Length: 0\r\n\r\n"},
    {"201 ", "HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
    {"201 ", "HTTP/1.1 201 Created\r\nConnection: keep-alive, CLOSE\r\nContent-Length: 0\r\n\r\n"},
    {"201 ", "HTTP/1.1 201 Created\r\nConnection: keep-alive\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
    {"201 ", "HTTP/1.0 201 Created\r\nContent-Length: 0\r\n\r\n"},
    {"201 ", "HTTP/1.0 201 Created\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"},
    {"200 hello", "HTTP/1.1 200 OK\r\n\r\nhello", true},
    {"200 ", "HTTP/1.1 200 OK\r\n\r\n", true},
    {"200 hello", "HTTP/1.0 200 OK\r\n\r\nhello", true},
    {"200 0\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n0\r\n\r\n", true},
    {"201  again", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"},
    {"201  again",
     "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\nContent-Length: 5\r\n\r\nHTTP/1.1 201 C\r\nContent-Length: 0\r\n\r\n"},
    // Not over yet.
    {"open", ""},
    {"open", "HTTP/1.1 20"},
    {"open", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n"},
    {"open", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"},
    {"open", "HTTP/1.1 200 OK\r\n\r\nhello"},
    {"open", "HTTP/1.1 100 Continue\r\n\r\n"},
    {"open", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"},
    // Cut off.
    {"lost", "", true},
    {"lost", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n", true},
    {"lost", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", true},
    {"lost", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", true},
    {"lost", "HTTP/1.1 100 Continue\r\n\r\n", true},
    // More than one answer: the first was there, and is believed.
    {"201 ", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\nHTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"},
    {"200 hell", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello"},
    {"204 ", "HTTP/1.1 204 No Content\r\n\r\n\r\n"},
    // What could be two things.
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhello", true},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: \r\n\r\nhello", true},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 204 No Content\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nX: a\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nX: a\x01\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nX\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"},
    {"reset", "HTTP/1.1 200 OK\rContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 O\x02K\r\nContent-Length: 0\r\n\r\n"},
    // No responses at all.
    {"reset", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 -20 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "ICY 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "220 mail.example.net ESMTP\r\n"},
    {"reset", "<html></html>"},
    {"reset", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"},
    {"reset",
     "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
     "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"},
};

void assert_judged(const Response& response, size_t cut, bool bytewise) {
  Line line;
  line.submit();
  line.pull();
  const ByteView text = bytes_of(response.text);
  if (bytewise) {
    for (const uint8_t& byte : text) (void)line.client.feed({&byte, 1}).ok();
  } else {
    (void)line.client.feed(text.first(cut)).ok();
    (void)line.client.feed(text.subspan(cut)).ok();
  }
  if (response.closed) line.client.peer_closed();
  uint8_t judged_room[1024];
  Writer out{judged_room};
  if (judged(line, out) != response.wanted) {
    fail_msg("%.*s: %.*s, not %.*s (cut at %zu)", static_cast<int>(response.text.size()), response.text.data(),
             static_cast<int>(out.size()), out.view().data(), static_cast<int>(response.wanted.size()),
             response.wanted.data(), cut);
  }
}

void responses_are_read_in_every_cut(void**) {
  for (const Response& response : responses) {
    assert_judged(response, 0, true);
    for (size_t cut = 0; cut <= response.text.size(); ++cut) assert_judged(response, cut, false);
  }
}

// Mutated responses: the same in every cut, and nothing outside of its room (the sanitizers look).
void mutated_responses_mean_the_same_in_every_cut(void**) {
  Dice dice{7};
  static uint8_t text_room[2048];
  static uint8_t judged_rooms[2][1024];
  for (const Response& response : responses) {
    if (response.text.empty()) continue;
    for (unsigned round = 0; round < 30; ++round) {
      Writer text{text_room};
      const uint32_t at = dice.roll(static_cast<uint32_t>(response.text.size()));
      constexpr string_view likely = "\r\n :\t0159,;=chunked\0\x7f\x80";
      text.text(slice(response.text, 0, at));
      const uint32_t how = dice.roll(3);
      if (how != 0) text.character(likely[dice.roll(static_cast<uint32_t>(likely.size()))]);
      text.text(slice(response.text, how == 1 ? at : at + 1));
      size_t sizes[2];
      for (unsigned way = 0; way < 2; ++way) {
        Line line;
        line.submit();
        line.pull();
        const size_t piece = way == 0 ? text.size() : 1 + dice.roll(20);
        for (size_t i = 0; i < text.size(); i += piece) {
          (void)line.client.feed(bytes_of(slice(text.view(), i, piece))).ok();
        }
        if (response.closed) line.client.peer_closed();
        Writer out{judged_rooms[way]};
        judged(line, out);
        out.text(line.client.problem());
        sizes[way] = out.size();
      }
      assert_int_equal(sizes[0], sizes[1]);
      assert_memory_equal(judged_rooms[0], judged_rooms[1], sizes[0]);
    }
  }
}

TESTS(http_responses, cmocka_unit_test(responses_are_read_in_every_cut),
      cmocka_unit_test(mutated_responses_mean_the_same_in_every_cut));

}  // namespace

}  // namespace tocsin
