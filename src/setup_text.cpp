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
constexpr string_view only_optional =
    "Optional: only for removing accounts whose server is gone; leave out to begin with.";

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
      out.text(plan.names.users.view())
          .text(
              "\n# Browsers must show something for every push, so only messages are sent: no typing, no receipts.\n"
              "empty = drop\n");
      return;
    case SetupKind::apns:
      out.text(
          "# Your own app under your own Apple developer account: put in what is yours.\n"
          "[apns app]\n"
          "# The id that the app names when it registers: Siskin's; Snikket's is snikket:apns:1.\n"
          "provider = tigase:messenger:apns:1\n"
          "# Keys, +, with Apple Push Notifications service; keep the name that the file has. Beside this conf.\n"
          "key = AuthKey_YOURKEYID0.p8\n"
          "# Membership details.\n");
      out.text("team_id = ").text(placeholder_team_id);
      out.text("\n# The app's bundle id.\ntopic = ").text(placeholder_topic);
      out.text(
             "\n\n# For builds that Xcode puts on the phone the same once more: their tokens are of Apple's sandbox.\n"
             "#[apns app-dev]\n#provider = tigase:messenger:apns:1\n#key = AuthKey_YOURKEYID0.p8\n#team_id = ")
          .text(placeholder_team_id)
          .text("\n#topic = ")
          .text(placeholder_topic)
          .text("\n#environment = sandbox\n");
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
      .text("\n\n");
  if (plan.kind == SetupKind::unifiedpush)
    out.text(
        "# HTTPS, for what application servers post and for apps that unregister without a login: in clear text\n"
        "# on this machine, behind a reverse proxy that has the certificate.\n"
        "[listen]\naddress = 127.0.0.1:8085\ntls = no\n\n");
  conf_of_provider(out, plan);
  if (plan.kind == SetupKind::apns)
    out.text("\n")
        .text("# ")
        .text(only_optional)
        .text(
            "\n# HTTPS in clear text on this machine, behind a reverse proxy that has the certificate.\n"
            "#[listen]\n#address = 127.0.0.1:8085\n#tls = no\n");
}

void write_prosody(Writer& out, const SetupPlan& plan) {
  out.text("-- Prosody: /etc/prosody/prosody.cfg.lua, or a file in /etc/prosody/conf.d\n");
  if (plan.kind == SetupKind::unifiedpush)
    out.text("-- UnifiedPush needs the Component only; the modules are for apps that ring.\n");
  out.text("-- Where there is this VirtualHost already, add to its modules_enabled what it lacks. On Debian 12\n")
      .text("-- cloud_notify comes with the package prosody-modules.\nVirtualHost \"")
      .text(plan.names.users.view())
      .text(
          "\"\n    -- cloud_notify makes the pushes, smacks notices that a phone has gone, mam lets it ring while "
          "another\n"
          "    -- device is online; the others save its battery.\n"
          "    modules_enabled = { \"cloud_notify\"; \"smacks\"; \"mam\"; \"carbons\"; \"csi_simple\" }\n");
  if (plan.kind == SetupKind::webpush)
    out.text(
        "    -- Without these the browser learns only that there is a message. With them the text crosses the "
        "component\n"
        "    -- link in clear.\n"
        "    -- push_notification_with_body = true\n"
        "    -- push_notification_with_sender = true\n");
  out.text("\nComponent \"")
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
          "\"\n\nmodules:\n"
          "  # mod_push makes the pushes, mod_stream_mgmt notices that a phone has gone, mod_mam lets it ring while\n"
          "  # another device is online; the others keep its session and save its battery.\n"
          "  mod_push:\n    # never false: without it every push is a silent one\n");
  if (plan.kind == SetupKind::webpush)
    out.text(
        "    # So the browser learns only that there is a message. With true in its place, and include_sender: true,\n"
        "    # the text crosses the component link in clear.\n");
  out.text(
      "    include_body: \"New message\"\n  mod_push_keepalive: {}\n  mod_stream_mgmt:\n"
      "    resend_on_timeout: if_offline\n  mod_client_state: {}\n  mod_mam:\n    default: always\n");
}

void write_proxy(Writer& out, const SetupPlan& plan) {
  const string_view name = plan.names.component.view();
  if (plan.kind == SetupKind::apns) out.text("# ").text(only_optional).text("\n");
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
  if (plan.kind == SetupKind::apns)
    out.text("; ").text(only_optional).text("\n; The component, on the same machine as its server, needs no record.\n");
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

// The files that only the operator has, beside the conf.
void write_next_of_vendor(Writer& out, const SetupPlan& plan) {
  if (plan.kind == SetupKind::apns)
    out.text("# Into the conf: key, team_id and topic, which only you know. Beside it the key:\n");
  if (plan.kind == SetupKind::fcm) out.text("# Beside it the service account's file, under this name:\n");
  if (plan.kind != SetupKind::apns && plan.kind != SetupKind::fcm) return;
  out.text("#   install -g tocsin -m 640 ")
      .text(plan.kind == SetupKind::apns ? "AuthKey_YOURKEYID0.p8 " : "service-account.json ");
  write_argument(out, parent_directory(plan.conf));
  out.text("/\n");
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

bool setup_has(SetupKind kind, SetupPart part) {
  const bool https = kind == SetupKind::unifiedpush || kind == SetupKind::apns;
  return https || (part != SetupPart::proxy && part != SetupPart::dns);
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
  const bool unifiedpush = plan.kind == SetupKind::unifiedpush;
  out.text("# Next: the lines for Prosody or ejabberd")
      .text(unifiedpush ? ", the proxy and the DNS to where they belong" : " to where they belong");
  if (written) {
    out.text(", and then as root:\n");
  } else {
    out.text(", the conf to\n# ");
    write_path(out, plan.conf);
    out.text(" (all of one run: the next one makes another secret), and then as root:\n");
  }
  for (const string_view command : {"chown root:tocsin ", "chmod 640 "}) {
    out.text("#   ").text(command);
    write_argument(out, plan.conf);
    out.text("\n");
  }
  write_next_of_vendor(out, plan);
  if (unifiedpush)
    write_command(out, plan, "check --as tocsin", "# every fault, with what mends it");
  else
    write_command(out, plan, "check --as tocsin --online", "# every fault, with what mends it; asks the provider, too");
  out.text(
      "#   systemctl restart prosody    # a reload starts no new Component. ejabberd: systemctl reload ejabberd\n");
  if (unifiedpush) out.text("#   systemctl reload nginx\n");
  if (plan.conf == usual_conf)
    out.text(
        "#   systemctl enable --now tocsin\n#   journalctl -fu tocsin    # component_up; registered, when a device "
        "comes\n");
  else
    write_command(out, plan, "run", {});
  if (plan.kind == SetupKind::apns)
    out.text("# The site for nginx and the records for the DNS are optional: to begin with leave them out.\n");
  if (!setup_has(plan.kind, SetupPart::dns))
    out.text("# ")
        .text(plan.names.component.view())
        .text(" needs no DNS record: a component on its server's machine has none.\n");
  if (plan.kind == SetupKind::fcm)
    out.text("# In your build of Conversations or a relative, push.xml: app_server is ")
        .text(plan.names.component.view())
        .text("\n");
  if (unifiedpush)
    out.text("# On the phone, Conversations, settings, UnifiedPush distributor: push server ")
        .text(plan.names.component.view())
        .text("\n");
}

}  // namespace tocsin
