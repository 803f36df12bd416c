// Plays the XMPP server's component port: lets one component in, registers
// devices through it and then sends publishes like ejabberd's, in a window (so many
// unanswered at a time) or at a rate (on an absolute schedule). Every answer is
// checked: type result, an id that is open, once.
//
//   server --domain push.example.org
//
// prints `port N`. Orders on standard input, one answer line (JSON) each:
//   wait                    until the component is up
//   register D W [S PORT]   D devices through register-device, W unanswered at a time; of service S (apns), whose
//   endpoints are at PORT nodes D                 D made-up nodes, for a component that knows no devices stateless
//   MODULE        from now on publishes of this pushModule, each to a token that was never seen before window W N
//   SECONDS      at most N publishes and so many seconds, W unanswered at a time rate R N                N publishes, R
//   a second
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "tools/bench/answers.h"
#include "tools/bench/common.h"

namespace tocsin::bench {
namespace {

constexpr size_t devices_max = 100'000;
constexpr size_t node_bytes_max = 64;
constexpr uint64_t publishes_max = 4'000'000;  // of one order
constexpr int64_t second_ns = 1'000'000'000;
constexpr int64_t patience_ns = 8 * second_ns;  // without any answer: the order is given up
constexpr string_view id_head = "rr-1795352192112-";
constexpr string_view id_tail = "-CSrlXAyPdcUnnO/1Zh+1Q/v5ka4=-70306884";
constexpr size_t id_digits = 18;
constexpr string_view stateless_node = "0000000000000000000123456789abcdeffedcba98765432105555aaaa5555aa";

struct Node {
  uint8_t size = 0;
  char text[node_bytes_max];
};

// Decimal digits with zeros in front, the way ids carry their number.
void put_digits(char* to, uint64_t value, size_t digits) {
  for (size_t i = digits; i > 0; --i) {
    to[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

// The value of an attribute in a start tag; quotes of either kind.
string_view attribute(string_view tag, string_view name) {
  size_t at = 0;
  while ((at = tag.find(name, at)) != string_view::npos) {
    const size_t value = at + name.size() + 2;
    const bool whole = at > 0 && tag[at - 1] == ' ' && value <= tag.size() && tag[at + name.size()] == '=';
    if (!whole) {
      at += name.size();
      continue;
    }
    const size_t end = tag.find(tag[value - 1], value);
    return end == string_view::npos ? string_view() : string_view(tag.data() + value, end - value);
  }
  return {};
}

string_view part(string_view text, size_t from, size_t size) { return {text.data() + from, size}; }

class Server {
 public:
  explicit Server(string_view domain) : domain_(domain), in_(1 << 20), out_(1 << 23) {
    nodes_ = static_cast<Node*>(calloc(devices_max, sizeof(Node)));
    sent_ = static_cast<int64_t*>(malloc(publishes_max * sizeof(int64_t)));
    took_ = static_cast<uint32_t*>(malloc(publishes_max * sizeof(uint32_t)));
    if (nodes_ == nullptr || sent_ == nullptr || took_ == nullptr) die("memory");
    make_template("abcdefghijklmnopqrstuv", "secret", "sek");
    uint16_t port = 0;
    listener_ = listen_on_loopback(&port);
    printf("port %u\n", port);
    fflush(stdout);
  }

  void run() {
    while (!orders_.over()) {
      turn(-1, true);
      string_view line;
      while (orders_.next(line)) obey(line);
    }
  }

 private:
  // ---- orders

  void obey(string_view line) {
    const string_view verb = word(line);
    if (verb == "wait") return wait_up();
    if (verb == "register") {
      const uint64_t devices = number(line, 1000);
      const uint64_t window = number(line, 64);
      Service service = Service::apns;
      service_named(word(line), service);
      return enroll(devices, window, service, static_cast<uint16_t>(number(line, 0)));
    }
    if (verb == "nodes") return make_nodes(number(line, 1000));
    if (verb == "stateless") return make_stateless(word(line));
    if (verb == "window") {
      const uint64_t window = number(line, 64);
      const uint64_t count = number(line, 10'000);
      return publish(window, 0, count, static_cast<int64_t>(number(line, 5)) * second_ns);
    }
    if (verb == "rate") {
      const uint64_t rate = number(line, 1000);
      return publish(UINT64_MAX, rate, number(line, 1000), INT64_MAX);
    }
    say_error("no such order");
  }

  void say_error(const char* what) {
    printf("{\"error\": \"%s\"}\n", what);
    fflush(stdout);
  }

  void wait_up() {
    const int64_t until = now_ns() + patience_ns;
    while (!up_ && now_ns() < until) turn(until, false);
    if (!up_) return say_error("no component came");
    printf("{\"ok\": true}\n");
    fflush(stdout);
  }

  void make_nodes(uint64_t devices) {
    stateless_ = false;
    devices_ = std::min<uint64_t>(devices, devices_max);
    for (uint64_t i = 0; i < devices_; ++i) {
      memcpy(nodes_[i].text, "abcdefghijklmn00000000", 22);
      put_digits(nodes_[i].text + 14, i, 8);
      nodes_[i].size = 22;
    }
    printf("{\"ok\": true}\n");
    fflush(stdout);
  }

  void make_stateless(string_view module) {
    make_template(stateless_node, "pushModule", module);
    make_nodes(1);
    stateless_ = true;
  }

  void enroll(uint64_t devices, uint64_t window, Service service, uint16_t port) {
    if (stateless_) make_template("abcdefghijklmnopqrstuv", "secret", "sek");
    stateless_ = false;
    devices_ = std::min<uint64_t>(devices, devices_max);
    uint64_t asked = 0;
    registered_ = refused_ = 0;
    const int64_t started = now_ns();
    int64_t limit = started + patience_ns;
    uint64_t before = 0;
    while (up_ && registered_ + refused_ < devices_ && now_ns() < limit) {
      for (; asked < devices_ && asked - registered_ - refused_ < window; ++asked) {
        char fields[600];
        char stanza[1024];
        if (!write_device(service, asked, port, fields, sizeof fields)) return say_error("no such service");
        const int size =
            snprintf(stanza, sizeof stanza,
                     "<iq xml:lang='en' to='%.*s' from='user%llu@example.org/phone' type='set' id='register-%08llu'>"
                     "<command xmlns='http://jabber.org/protocol/commands' node='register-device' action='execute'>"
                     "<x xmlns='jabber:x:data' type='submit'>%s</x></command></iq>",
                     static_cast<int>(domain_.size()), domain_.data(), static_cast<unsigned long long>(asked / 4),
                     static_cast<unsigned long long>(asked), fields);
        out_.append(stanza, static_cast<size_t>(size));
      }
      turn(limit, false);
      if (registered_ + refused_ > before) limit = now_ns() + patience_ns;
      before = registered_ + refused_;
    }
    const double took = static_cast<double>(now_ns() - started) / 1e9;
    printf("{\"registered\": %llu, \"refused\": %llu, \"seconds\": %.6f}\n",
           static_cast<unsigned long long>(registered_), static_cast<unsigned long long>(refused_), took);
    fflush(stdout);
  }

  void publish(uint64_t window, uint64_t rate, uint64_t count, int64_t for_ns) {
    if (devices_ == 0) return say_error("no devices");
    count = std::min(count, publishes_max);
    first_ = next_;
    answered_ = results_ = errors_ = strangers_ = twice_ = 0;
    error_[0] = '\0';
    memset(took_, 0, count * sizeof *took_);
    const int64_t cpu = cpu_ns();
    const int64_t started = now_ns();
    const int64_t stop_at = for_ns == INT64_MAX ? INT64_MAX : started + for_ns;
    int64_t latest = 0;  // behind the schedule, at worst
    int64_t limit = started + patience_ns;
    uint64_t before = 0;
    bool sending = true;
    while (up_ && (sending || answered_ < sent_count()) && now_ns() < limit) {
      const int64_t now = now_ns();
      sending = sent_count() < count && now < stop_at;
      if (!sending && answered_ == sent_count()) break;
      int64_t wake = limit;
      if (rate == 0) {
        while (sending && sent_count() < count && sent_count() - answered_ < window && out_.size() < (1 << 22))
          send_one(now);
      } else {
        while (sent_count() < count) {
          const int64_t due = started + static_cast<int64_t>(sent_count() * 1'000'000'000 / rate);
          if (due > now) {
            wake = std::min(wake, due);
            break;
          }
          latest = std::max(latest, now - due);
          send_one(now);
        }
        if (sent_count() < count) limit = now + patience_ns;
      }
      turn(wake, false);
      if (answered_ > before) limit = now_ns() + patience_ns;
      before = answered_;
    }
    report(now_ns() - started, cpu_ns() - cpu, latest);
  }

  void report(int64_t elapsed, int64_t cpu, int64_t latest) {
    const uint64_t sent = sent_count();
    uint64_t known = 0;
    for (uint64_t i = 0; i < sent; ++i) {
      if (took_[i] != 0) took_[known++] = took_[i];
    }
    std::sort(took_, took_ + known);
    const auto at = [&](double share) {
      return known == 0 ? 0.0 : took_[static_cast<size_t>(static_cast<double>(known - 1) * share)] / 1000.0;
    };
    printf(
        "{\"sent\": %llu, \"results\": %llu, \"errors\": %llu, \"twice\": %llu, \"strangers\": %llu, \"lost\": %llu, "
        "\"seconds\": %.6f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, \"late_us\": %.1f, \"cpu_us\": %lld, "
        "\"bytes\": %zu, \"error\": \"%s\"}\n",
        static_cast<unsigned long long>(sent), static_cast<unsigned long long>(results_),
        static_cast<unsigned long long>(errors_), static_cast<unsigned long long>(twice_),
        static_cast<unsigned long long>(strangers_), static_cast<unsigned long long>(sent - answered_),
        static_cast<double>(elapsed) / 1e9, at(0.5), at(0.99), at(1), static_cast<double>(latest) / 1000.0,
        static_cast<long long>(cpu / 1000), stanza_size_, error_);
    fflush(stdout);
  }

  uint64_t sent_count() const { return next_ - first_; }

  // ---- publishes

  void make_template(string_view node, const char* option, string_view value) {
    const int size =
        snprintf(stanza_, sizeof stanza_,
                 "<iq to='%.*s' from='example.org' type='set' id='%.*s%018d%.*s'><pubsub "
                 "xmlns='http://jabber.org/protocol/pubsub'>"
                 "<publish node='%.*s'><item><notification xmlns='urn:xmpp:push:0'><x type='submit' "
                 "xmlns='jabber:x:data'>"
                 "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:push:summary</value></field>"
                 "<field var='last-message-body' type='text-single' label='The body text of the last received message'>"
                 "<value>New message</value></field></x></notification></item></publish><publish-options>"
                 "<x type='submit' xmlns='jabber:x:data'><field var='FORM_TYPE'>"
                 "<value>http://jabber.org/protocol/pubsub#publish-options</value></field>"
                 "<field var='%s'><value>%.*s</value></field></x></publish-options></pubsub></iq>",
                 static_cast<int>(domain_.size()), domain_.data(), static_cast<int>(id_head.size()), id_head.data(), 0,
                 static_cast<int>(id_tail.size()), id_tail.data(), static_cast<int>(node.size()), node.data(), option,
                 static_cast<int>(value.size()), value.data());
    stanza_size_ = static_cast<size_t>(size);
    const string_view text(stanza_, stanza_size_);
    number_at_ = text.find(id_head) + id_head.size();
    node_at_ = text.find(node);
  }

  void send_one(int64_t now) {
    const uint64_t number = next_++;
    const Node& node = nodes_[number % devices_];
    put_digits(stanza_ + number_at_, number, id_digits);
    sent_[number - first_] = now;
    if (stateless_) {
      put_digits(stanza_ + node_at_, number, id_digits);  // decimal digits are hex digits as well
      return out_.append(stanza_, stanza_size_);
    }
    // Nodes are opaque; where they have the usual 22 characters the template is used whole.
    if (node.size == 22) {
      memcpy(stanza_ + node_at_, node.text, 22);
      out_.append(stanza_, stanza_size_);
    } else {
      out_.append(stanza_, node_at_);
      out_.append(node.text, node.size);
      out_.append(stanza_ + node_at_ + 22, stanza_size_ - node_at_ - 22);
    }
  }

  void publish_answered(string_view type, string_view id, string_view stanza) {
    uint64_t number = 0;
    for (size_t i = 0; i < id_digits; ++i) number = number * 10 + static_cast<uint64_t>(id[id_head.size() + i] - '0');
    if (number < first_ || number >= next_) {
      ++strangers_;
      return;
    }
    uint32_t& took = took_[number - first_];
    if (took != 0) {
      ++twice_;
      return;
    }
    const int64_t waited = read_at_ - sent_[number - first_];
    took = waited <= 0 ? 1 : static_cast<uint32_t>(std::min<int64_t>(waited, UINT32_MAX));
    ++answered_;
    if (type == "result") {
      ++results_;
      return;
    }
    ++errors_;
    if (error_[0] != '\0') return;
    size_t size = 0;  // the first one, as a word for the report
    for (const char c : stanza) {
      if (size + 1 == sizeof error_) break;
      error_[size++] = c == '"' || c == '\\' || c < ' ' ? '\'' : c;
    }
    error_[size] = '\0';
  }

  // ---- the stream

  void turn(int64_t until, bool orders) {
    Watch watches[3];
    watches[0].descriptor = orders ? STDIN_FILENO : -1;
    watches[1].descriptor = listener_;
    watches[2].descriptor = component_;
    if (component_ >= 0 && !out_.empty()) {
      if (!send_from(component_, out_)) return gone();
      watches[2].write = !out_.empty();
    }
    wait_for(watches, 3, until);
    if (watches[0].can_read) orders_.read();
    if (watches[1].can_read) take();
    if (component_ >= 0 && watches[2].can_read) {
      if (!receive_into(component_, in_, 1 << 18)) return gone();
      read_at_ = now_ns();
      while (next_piece()) {
      }
    }
    if (component_ >= 0 && !out_.empty() && !send_from(component_, out_)) gone();
  }

  void take() {
    const int made = accept_from(listener_);
    if (made < 0) return;
    if (component_ >= 0) gone();
    component_ = made;
  }

  void gone() {
    close(component_);
    component_ = -1;
    up_ = started_ = false;
    in_.clear();
    out_.clear();
  }

  // Takes one tag or stanza from the front of what came; false when it is not whole yet.
  bool next_piece() {
    const string_view all = in_.text();
    if (all.empty()) return false;
    if (all.front() != '<') {  // blanks between stanzas
      in_.take(1);
      return true;
    }
    const size_t end = all.find('>');
    if (end == string_view::npos) return false;
    const string_view tag(all.data(), end + 1);
    size_t size = tag.size();
    if (tag[1] == '?' || tag[1] == '/') {
    } else if (!started_) {
      started_ = true;
      out_.append(
          "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
          "xmlns:stream='http://etherx.jabber.org/streams' id='bench-1' from='");
      out_.append(domain_);
      out_.append("'>");
    } else if (tag.substr(0, 10) == "<handshake") {
      const size_t close = all.find("</handshake>");
      if (close == string_view::npos) return false;
      size = close + 12;
      out_.append("<handshake/>");
      up_ = true;
    } else if (tag[tag.size() - 2] == '/') {
      stanza(tag, tag);
    } else {
      const size_t close = all.find("</iq>", end);
      if (close == string_view::npos) return false;
      size = close + 5;
      stanza(tag, part(all, 0, size));
    }
    in_.take(size);
    return true;
  }

  void stanza(string_view tag, string_view whole) {
    const string_view type = attribute(tag, "type");
    const string_view id = attribute(tag, "id");
    if (type == "get" || type == "set") {
      out_.append("<iq type='result' id='");
      out_.append(id);
      out_.append("' from='example.org' to='");
      out_.append(domain_);
      out_.append("'/>");
    } else if (id.size() == id_head.size() + id_digits + id_tail.size()) {
      publish_answered(type, id, whole);
    } else if (id.size() == 17 && id.substr(0, 9) == "register-") {
      device_registered(type, id, whole);
    }
  }

  void device_registered(string_view type, string_view id, string_view whole) {
    uint64_t device = 0;
    for (size_t i = 9; i < 17; ++i) device = device * 10 + static_cast<uint64_t>(id[i] - '0');
    const size_t field = whole.find("var='node'");
    const size_t from = field == string_view::npos ? field : whole.find("<value>", field);
    const size_t to = from == string_view::npos ? from : whole.find("</value>", from);
    if (type != "result" || to == string_view::npos || to - from - 7 > node_bytes_max || device >= devices_) {
      if (refused_++ == 0)
        fprintf(stderr, "server: not registered: %.*s\n", static_cast<int>(whole.size()), whole.data());
      return;
    }
    Node& node = nodes_[device];
    node.size = static_cast<uint8_t>(to - from - 7);
    memcpy(node.text, whole.data() + from + 7, node.size);
    ++registered_;
  }

  string_view domain_;
  int listener_ = -1;
  int component_ = -1;
  bool started_ = false;
  bool up_ = false;
  Buffer in_;
  Buffer out_;
  Orders orders_;
  Node* nodes_;
  uint64_t devices_ = 0;
  uint64_t registered_ = 0;
  uint64_t refused_ = 0;
  bool stateless_ = false;
  char stanza_[1024];
  size_t stanza_size_ = 0;
  size_t number_at_ = 0;
  size_t node_at_ = 0;
  int64_t* sent_;   // by number - first_
  uint32_t* took_;  // the same, in ns; 0: not answered
  uint64_t first_ = 0;
  uint64_t next_ = 0;
  int64_t read_at_ = 0;
  uint64_t answered_ = 0;
  uint64_t results_ = 0;
  uint64_t errors_ = 0;
  uint64_t strangers_ = 0;
  uint64_t twice_ = 0;
  char error_[400] = {};
};

}  // namespace
}  // namespace tocsin::bench

int main(int count, char** arguments) {
  using namespace tocsin::bench;
  std::string_view domain = "push.example.org";
  for (int i = 1; i + 1 < count; ++i) {
    if (strcmp(arguments[i], "--domain") == 0) domain = arguments[i + 1];
  }
  use_precise_timers();
  Server server(domain);
  server.run();
  return 0;
}
