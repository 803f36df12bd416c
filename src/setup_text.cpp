#include "setup_text.h"

#include "base/check.h"
#include "settings/faults.h"
#include "state.h"

namespace tocsin {

namespace {

constexpr string_view prefix = "push.";
constexpr size_t proxy_name_bytes_max = 32;
constexpr size_t label_bytes_max = 63;  // RFC 1035 §2.3.4
constexpr string_view usual_conf = "/etc/tocsin/tocsin.conf";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A sentence for what is wrong with these characters, or nullptr.
const char* spelling_problem(string_view domain) {
  if (domain.empty()) return "is no domain; give that of your XMPP accounts, such as example.org";
  bool capital = false;
  for (const char c : domain) {
    if (static_cast<unsigned char>(c) >= 0x80)
      return "has letters beyond ASCII: XMPP servers want it so, but DNS, certificates and proxies want it as xn--…; "
             "take the lines for another domain, and put both spellings in by hand";
    if (c >= 'A' && c <= 'Z') {
      capital = true;
    } else if (!(c >= 'a' && c <= 'z') && !is_digit(c) && c != '-' && c != '.') {
      return "is no domain: it has only a-z, 0-9, - and dots";
    }
  }
  if (domain.back() == '.') return "ends in a dot; leave it out";
  if (capital) return "has capitals; write it in lower case, as all these confs do";
  return nullptr;
}

const char* shape_problem(SetupKind kind, string_view domain) {
  size_t labels = 0;
  string_view last;
  for (string_view rest = domain;; ++labels) {
    const size_t dot = rest.find('.');
    last = slice(rest, 0, dot);
    if (last.empty()) return "is no domain: it has a dot too many";
    if (last.size() > label_bytes_max) return "is no domain: no part of it may have over 63 characters";
    if (last.front() == '-' || last.back() == '-') return "is no domain: no part of it begins or ends with -";
    if (starts_with(last, "xn--"))
      return "is the ASCII form of an international name, which XMPP servers want in its own letters; "
             "take the lines for another domain, and put both spellings in by hand";
    if (dot == string_view::npos) break;
    rest = slice(rest, dot + 1);
  }
  // A trial on one machine; names of a house's own network have no certificates.
  if (labels == 0 && domain != "localhost")
    return "has no dot; a domain that others can reach is wanted, such as example.org";
  if (is_digit(last.back())) return "is an address; give the domain of your XMPP accounts, such as example.org";
  for (const string_view nowhere : {"localhost", "local", "invalid"})
    if (kind == SetupKind::webpush && last == nowhere)
      return "is unknown outside: push services want a contact there, and Apple refuses such";
  return nullptr;
}

void conf_of_provider(Writer& out, const SetupPlan& plan) {
  switch (plan.kind) {
    case SetupKind::unifiedpush:
      out.text(
          "# Endpoints for the apps on a phone whose distributor is Conversations. Needs no vendor and no key.\n"
          "[unifiedpush]\n");
      return;
    case SetupKind::webpush:
      out.text(
          "# Browsers, and apps with a distributor. Its key, vapid.pem in /var/lib/tocsin, is made at the first "
          "start:\n"
          "# it belongs into the backup.\n"
          "[webpush]\n"
          "# Where push services reach you when something is wrong.\n"
          "contact = mailto:postmaster@");
      out.text(plan.names.users.view()).text("\n");
      return;
    case SetupKind::apns:
      out.text("# Your own app under your own Apple developer account: put in what is yours.\n[apns app]\n")
          .text("# The id that the app names when it registers: Siskin's; Snikket's is snikket:apns:1.\n")
          .text("provider = tigase:messenger:apns:1\n")
          .text(
              "# Keys, +, with Apple Push Notifications service; keep the name that the file has. Beside this conf.\n")
          .text("key = AuthKey_YOURKEYID0.p8\n")
          .text("# Membership details.\nteam_id = ")
          .text(placeholder_team_id)
          .text("\n# The app's bundle id.\ntopic = ")
          .text(placeholder_topic)
          .text("\n");
      return;
    case SetupKind::fcm:
      out.text(
          "# Your own app under your own Firebase project.\n"
          "[fcm app]\n"
          "# The id that the app names when it registers.\n"
          "provider = fcm-xmpp-api\n"
          "# Project settings, Service accounts, Generate new private key. Beside this conf.\n"
          "service_account = service-account.json\n");
      return;
  }
}

void write_conf(Writer& out, const SetupPlan& plan) {
  out.text("# tocsin's conf. The service must be able to read it, and not everybody:\n#   chown root:tocsin ");
  write_argument(out, plan.conf);
  out.text("; chmod 640 ");
  write_argument(out, plan.conf);
  out.text(
         "\n\n[xmpp]\n# The component, as the XMPP server's conf names it, and its secret, made at random.\ndomain = ")
      .text(plan.names.component.view())
      .text("\nsecret = ")
      .text(plan.secret)
      .text("\n# Whose users may register.\naccounts = ")
      .text(plan.names.users.view())
      .text("\n\n# HTTPS, for ")
      .text(plan.kind == SetupKind::unifiedpush ? "what application servers post, and for " : "")
      .text("apps that unregister without a login: in clear text\n")
      .text("# on this machine, behind a reverse proxy that has the certificate.\n")
      .text("[listen]\naddress = 127.0.0.1:8085\ntls = no\n\n");
  conf_of_provider(out, plan);
}

void write_prosody(Writer& out, const SetupPlan& plan) {
  out.text("-- Prosody: /etc/prosody/prosody.cfg.lua, or a file in /etc/prosody/conf.d\n");
  if (plan.kind == SetupKind::unifiedpush)
    out.text("-- UnifiedPush needs the Component only; the modules are for apps that ring.\n");
  out.text("-- Where there is this VirtualHost already, add to its modules_enabled what it lacks. On Debian 12\n")
      .text("-- cloud_notify comes with the package prosody-modules.\nVirtualHost \"")
      .text(plan.names.users.view())
      .text("\"\n    modules_enabled = { \"cloud_notify\"; \"smacks\" }\n\nComponent \"")
      .text(plan.names.component.view())
      .text("\"\n    component_secret = \"")
      .text(plan.secret)
      .text("\"\n");
}

void write_ejabberd(Writer& out, const SetupPlan& plan) {
  out.text(
         "# ejabberd: /etc/ejabberd/ejabberd.yml. Add these to the listen and the modules that are there: each of "
         "the\n")
      .text("# two words may stand only once.\n");
  if (plan.kind == SetupKind::unifiedpush)
    out.text("# UnifiedPush needs the listener only; the modules are for apps that ring.\n");
  out.text("listen:\n  -\n    port: 5347\n    ip: \"127.0.0.1\"\n    module: ejabberd_service\n    hosts:\n      ")
      .text(plan.names.component.view())
      .text(":\n        password: \"")
      .text(plan.secret)
      .text(
          "\"\n\nmodules:\n  mod_push:\n    # never false: without it every push is a silent one\n"
          "    include_body: \"New message\"\n  mod_push_keepalive: {}\n  mod_stream_mgmt:\n"
          "    resend_on_timeout: if_offline\n  mod_client_state: {}\n");
}

void write_proxy(Writer& out, const SetupPlan& plan) {
  const string_view name = plan.names.component.view();
  out.text("# nginx: a file in /etc/nginx/sites-enabled or conf.d. The certificate is that of ").text(name);
  // nginx takes names that fill its bucket, by default one line of the processor's cache, for an error.
  if (name.size() > proxy_name_bytes_max)
    out.text("\n# For so long a name; leave it out where nginx says that it is set already.\n")
        .text("server_names_hash_bucket_size 512;");
  out.text("\nserver {\n    listen 443 ssl;\n    listen [::]:443 ssl;\n    server_name ")
      .text(name)
      .text(";\n    ssl_certificate /etc/letsencrypt/live/")
      .text(name)
      .text("/fullchain.pem;\n    ssl_certificate_key /etc/letsencrypt/live/")
      .text(name)
      .text(
          "/privkey.pem;\n\n    proxy_http_version 1.1;\n    proxy_set_header Host $host;\n"
          "    proxy_set_header X-Forwarded-For $remote_addr;\n\n"
          "    # Apps whose account is gone unregister here.\n"
          "    location /unregister-device/ { proxy_pass http://127.0.0.1:8085; }\n"
          "    location /rest/push/unregister-device/ { proxy_pass http://127.0.0.1:8085; }\n"
          "    # UnifiedPush: endpoints and the probe; 404 without [unifiedpush].\n"
          "    location = / { proxy_pass http://127.0.0.1:8085; }\n"
          "    location = /up { proxy_pass http://127.0.0.1:8085; }\n"
          "    location /up/ { proxy_pass http://127.0.0.1:8085; }\n"
          "    location / { return 404; }\n}\n");
}

void write_dns(Writer& out, const SetupPlan& plan) {
  const string_view name = plan.names.component.view();
  out.text("; DNS: in the zone of ").text(plan.names.users.view());
  out.text(", with the addresses of this machine in place of these two.\n")
      .text(name)
      .text(". 3600 IN A 192.0.2.1\n")
      .text(name)
      .text(". 3600 IN AAAA 2001:db8::1\n");
}

// "# " and the command: nothing happens to whoever pastes it all.
void write_command(Writer& out, const SetupPlan& plan, string_view command, string_view why) {
  out.text("#   tocsin ");
  if (plan.conf != usual_conf) {
    out.text("-c ");
    write_argument(out, plan.conf);
    out.character(' ');
  }
  out.text(command);
  if (!why.empty()) out.text("    ").text(why);
  out.text("\n");
}

}  // namespace

string_view name_of(SetupKind kind) {
  switch (kind) {
    case SetupKind::unifiedpush: return "unifiedpush";
    case SetupKind::webpush: return "webpush";
    case SetupKind::apns: return "apns";
    case SetupKind::fcm: return "fcm";
  }
  return {};
}

bool read_setup_domain(SetupKind kind, string_view domain, SetupNames& names, Writer& problem) {
  const char* sentence = spelling_problem(domain);
  if (sentence == nullptr) sentence = shape_problem(kind, domain);
  string_view users = domain;
  if (sentence == nullptr) {
    const string_view behind = slice(domain, prefix.size());
    if (starts_with(domain, prefix) && (behind.find('.') != string_view::npos || behind == "localhost")) users = behind;
    if (prefix.size() + users.size() > domain_bytes_max)
      sentence = "is too long: with push. in front it is over 253 characters";
  }
  if (sentence != nullptr) {
    write_quoted(problem, domain);
    problem.character(' ').text(sentence);
    return false;
  }
  uint8_t room[domain_bytes_max];
  Writer component(room);
  component.text(prefix).text(users);
  GW_CHECK(names.users.assign(users) && names.component.assign(component.view()));
  return true;
}

void write_setup_part(Writer& out, SetupPart part, const SetupPlan& plan) {
  switch (part) {
    case SetupPart::prosody: write_prosody(out, plan); return;
    case SetupPart::ejabberd: write_ejabberd(out, plan); return;
    case SetupPart::proxy: write_proxy(out, plan); return;
    case SetupPart::dns: write_dns(out, plan); return;
    case SetupPart::conf: write_conf(out, plan); return;
  }
}

string_view setup_file_name(SetupPart part) {
  switch (part) {
    case SetupPart::prosody: return "setup-prosody.cfg.lua";
    case SetupPart::ejabberd: return "setup-ejabberd.yml";
    case SetupPart::proxy: return "setup-nginx.conf";
    case SetupPart::dns: return "setup-dns.zone";
    case SetupPart::conf: return {};
  }
  return {};
}

void write_setup_next(Writer& out, const SetupPlan& plan, bool written) {
  out.text("# Next: the lines for Prosody or ejabberd, the proxy and the DNS to where they belong");
  out.text(written ? ", and then as root:\n" : ", the conf to\n# ");
  if (!written) {
    write_path(out, plan.conf);
    out.text(" (all of one run: the next one makes another secret), and then as root:\n");
  }
  for (const string_view command : {"chown root:tocsin ", "chmod 640 "}) {
    if (written && command == "chmod 640 ") break;
    out.text("#   ").text(command);
    write_argument(out, plan.conf);
    out.text("\n");
  }
  if (plan.kind == SetupKind::apns)
    out.text(
        "# Into the conf: key, team_id and topic, which only you know; the key's file beside it, root:tocsin and 640, "
        "too.\n");
  if (plan.kind == SetupKind::fcm) out.text("# The service account's file beside it, root:tocsin and 640, too.\n");
  write_command(out, plan, "check --as tocsin", "# every fault, with what mends it");
  if (plan.conf == usual_conf)
    out.text("#   systemctl enable --now tocsin\n");
  else
    write_command(out, plan, "run", {});
  if (plan.kind == SetupKind::unifiedpush)
    out.text("# On the phone, Conversations, settings, UnifiedPush distributor: push server ")
        .text(plan.names.component.view())
        .text("\n");
}

}  // namespace tocsin
