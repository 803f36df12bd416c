// [listen] and [metrics] as they are read.
#include "test/unit/settings/parsed.h"

namespace tocsin {

using test::good_conf;
using test::Joined;
using test::Parsed;

static void every_form_of_address_is_understood_and_spelled_back(void**) {
  constexpr string_view forms = "*:443, [::]:443, 127.0.0.1:8085, [2001:db8::1]:1, unix:/run/tocsin/http.sock, systemd";
  char line[256];
  const int size = snprintf(line, sizeof line, "[listen]\ncertificate = c\nkey = k\naddress = %.*s\n",
                            static_cast<int>(forms.size()), forms.data());
  const Parsed p(Joined(good_conf, string_view(line, static_cast<size_t>(size))).view());
  assert_faultless(p);
  const ListenAddresses& found = p.settings.listen.address;
  assert_int_equal(found.count, 6);
  assert_true(found.items[0].kind == ListenAddress::Kind::any && found.items[0].address.port == 443);
  assert_true(found.items[1].kind == ListenAddress::Kind::ip);
  assert_false(found.items[1].is_near());
  assert_true(found.items[2].is_near());
  assert_text(found.items[4].path.view(), "/run/tocsin/http.sock");
  uint8_t room[256];
  Writer out(room);
  for (const ListenAddress& address : found) {
    if (out.size() > 0) out.text(", ");
    write_listen_address(out, address);
  }
  assert_text(out.view(), forms);
}

static void what_is_not_said_has_good_defaults(void**) {
  const Parsed p(Joined(good_conf, "[listen]\ntls = no\naddress = unix:/run/http.sock\n").view());
  assert_faultless(p);
  const ListenSettings& listen = p.settings.listen;
  assert_true(listen.on);
  assert_false(p.settings.metrics.on);
  assert_int_equal(listen.socket_mode.bits, 0660);
  assert_text(listen.public_url.view(), "https://push.example.org");
  assert_true(listen.forwarded_from.contain(parse_ip("127.0.0.1", 0).value()));
  assert_true(listen.forwarded_from.contain(parse_ip("::1", 0).value()));
  assert_false(listen.forwarded_from.contain(parse_ip("127.0.0.2", 0).value()));
  assert_false(listen.proxy_protocol);
}

static void a_conf_without_the_section_has_no_listener(void**) {
  const Parsed p(good_conf);
  assert_faultless(p);
  assert_false(p.settings.listen.on);
}

static void a_certificate_without_tls_and_open_metrics_are_warned_of(void**) {
  const Parsed p(
      Joined(good_conf, "[listen]\ntls = no\naddress = [::1]:80\nkey = k\n[metrics]\naddress = *:9180\n").view());
  assert_int_equal(p.faults.count(), 2);
  assert_int_equal(p.faults.check_exit_code(), exit_code::ok);
}

TESTS(listen, cmocka_unit_test(every_form_of_address_is_understood_and_spelled_back),
      cmocka_unit_test(what_is_not_said_has_good_defaults),
      cmocka_unit_test(a_conf_without_the_section_has_no_listener),
      cmocka_unit_test(a_certificate_without_tls_and_open_metrics_are_warned_of));

}  // namespace tocsin
