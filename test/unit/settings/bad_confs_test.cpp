// What each kind of mistake is answered: the first message, word for word.
#include "test/unit/settings/parsed.h"

namespace tocsin {

using test::good_conf;
using test::Joined;
using test::Parsed;

struct Row {
  string_view conf;
  string_view first;
};

// Read as they stand.
static const Row whole_confs[] = {
    {"", "t.conf:1: there is no [xmpp] section; it needs at least domain and secret"},
    {"\n\n# nothing\n", "t.conf:3: there is no [xmpp] section; it needs at least domain and secret"},
    {"domain = x\n", "t.conf:1: the key \"domain\" stands before the first section; put it below one, such as [xmpp]"},
    {"[xmpp\n", "t.conf:1: the section's name has no closing ]"},
    {"[xmpp] x\n", "t.conf:1: nothing but a comment may follow a section's ]; put the rest on a line of its own"},
    {"[xmpp]# x\n", "t.conf:1: nothing but a comment may follow a section's ]; put the rest on a line of its own"},
    {"[xmp]\n", "t.conf:1: unknown section \"xmp\"; did you mean [xmpp]?"},
    {"[Limits]\n", "t.conf:1: unknown section \"Limits\"; did you mean [limits]?"},
    {"[webpsh]\n", "t.conf:1: unknown section \"webpsh\"; did you mean [webpush]?"},
    {"[]\n",
     "t.conf:1: unknown section \"\"; there are [xmpp] [state] [registry] [limits] [log] [process] [listen] [metrics] "
     "[unifiedpush] [webpush] [apns "
     "NAME] [fcm NAME]"},
    {"[xmpp main]\n", "t.conf:1: [xmpp] takes no name"},
    {"[apns Siskin]\n", "t.conf:1: \"Siskin\" is no name for a section; use up to 32 of a-z, 0-9 and -"},
    {"[apns a234567890123456789012345678901234567890]\n",
     "t.conf:1: \"a234567890123456789012345678901234567890\" is no name for a section; use up to 32 of a-z, 0-9 and -"},
    {"[control]\n", "t.conf:1: [control] is not supported by this version"},
    {"[unifiedpush]\nexpiry = 1d\n", "t.conf:2: expiry: \"1d\" is out of range; give 2d to 365d"},
    {"[webpush browsers]\n", "t.conf:1: [webpush] takes no name"},
    {"[webpush]\ncontact = ops@example.net\n",
     "t.conf:2: contact: \"ops@example.net\" is not a contact such as mailto:ann@push.example.net or "
     "https://example.net/contact"},
    {"[webpush]\ncontact = mailto:ops@example.org\n",
     "t.conf:2: contact: \"mailto:ops@example.org\" is the sample's; push services write to this address when "
     "something is wrong"},
    {"[webpush]\ncontact = mailto:ops@localhost\n",
     "t.conf:2: contact: \"mailto:ops@localhost\" reaches nobody from outside; Apple refuses such"},
    {"[webpush]\ncontact = mailto:ops@attic\n",
     "t.conf:2: contact: \"mailto:ops@attic\" needs a host with a name that the whole internet knows"},
    {"[webpush]\nallow_private = 192.168.1.7/24\n",
     "t.conf:2: allow_private: \"192.168.1.7/24\" is not a range such as 192.168.1.0/24 or fd00::/8, without bits "
     "behind the prefix"},
    {"[webpush]\nallow_private = ::1,\n", "t.conf:2: allow_private: the list is empty or has an empty item"},
    {"[webpush]\nendpoint = https://127.0.0.1:1\n",
     "t.conf:2: unknown key \"endpoint\" in [webpush]; it belongs into [apns NAME]"},
    {"[xmpp]\ncontact = mailto:ann@example.net\n",
     "t.conf:2: unknown key \"contact\" in [xmpp]; it belongs into [webpush]"},
    {"[apns a]\ndialect = p3\n", "t.conf:2: dialect: \"p3\" is not one of p2"},
    {"[apns a]\nmodules = a, b c\n", "t.conf:2: modules: \"b c\" is not a module such as monalProdiOS"},
    {"[apns a]\nmodules = a, a\n", "t.conf:2: modules: \"a\" is named twice"},
    {"[limits]\nbrake_devices = 10000001\n",
     "t.conf:2: brake_devices: \"10000001\" is out of range; give 0 to 10000000"},
    {"[limits]\nbrake_percent = 101\n", "t.conf:2: brake_percent: \"101\" is out of range; give 0 to 100"},
    {"[limits]\nbrake_percent = 10%\n", "t.conf:2: brake_percent: \"10%\" is not a number"},
    {"[apns a]\ncertificate =\n", "t.conf:2: certificate: \"\" is not a path"},
    {"[fcm a]\nformerly = fcm/b\n",
     "t.conf:2: formerly: \"fcm/b\" is not a section's name such as siskin (1 to 32 of a-z, 0-9 and -, without its "
     "kind)"},
    {"[fcm]\n", "t.conf:1: [fcm] needs a name of yours, such as [fcm siskin]"},
    {"[apns a]\nservice_account = a\n",
     "t.conf:2: unknown key \"service_account\" in [apns a]; it belongs into [fcm NAME]"},
    {"[fcm a]\npayload = wake\n", "t.conf:2: unknown key \"payload\" in [fcm a]; it belongs into [apns NAME]"},
    {"[apns a]\nformerly = b, c, d, e, f\n", "t.conf:2: formerly: \"f\" is one too many for this list"},
    {"[xmpp]\nsecret\n", "t.conf:2: this is neither \"key = value\" nor a [section] nor a # comment"},
    {"[xmpp]\ninclude other.conf\n", "t.conf:2: this is neither \"key = value\" nor a [section] nor a # comment"},
    {"[xmpp]\ndomian = push.example.org\n", "t.conf:2: unknown key \"domian\" in [xmpp]; did you mean domain?"},
    {"[xmpp]\nDomain = push.example.org\n", "t.conf:2: unknown key \"Domain\" in [xmpp]; did you mean domain?"},
    {"[xmpp]\nmax_devices = 1\n", "t.conf:2: unknown key \"max_devices\" in [xmpp]; it belongs into [registry]"},
    {"[xmpp]\ntopic = a\n", "t.conf:2: unknown key \"topic\" in [xmpp]; it belongs into [apns NAME]"},
    {"[log]\nzebra = 1\n", "t.conf:2: unknown key \"zebra\" in [log]; it knows level, to, timestamps"},
    {"[log]\n = 1\n", "t.conf:2: unknown key \"\" in [log]; it knows level, to, timestamps"},
    {"[log]\nlevel = info\n\nlevel = info\n",
     "t.conf:4: level is set a second time; keep this one or that of t.conf:2"},
    {"[xmpp]\nsecret = \"abc\" def\n",
     "t.conf:2: nothing but a comment may follow the closing quote; a quote inside is written \\\""},
    {"[xmpp]\nsecret = \"abc\"# def\n",
     "t.conf:2: nothing but a comment may follow the closing quote; a quote inside is written \\\""},
    {"[xmpp]\nsecret = \"abc\n", "t.conf:2: the closing quote is missing"},
    {"[xmpp]\nsecret = \"abc\\\"\n", "t.conf:2: the closing quote is missing"},
    {"[xmpp]\nsecret = \"a\\nb\"\n",
     "t.conf:2: in quotes a backslash may only stand before a quote or a backslash; double it"},
    {"[xmpp]\nsecret =\n", "t.conf:2: secret: it is empty; give the component's secret from the XMPP server's conf"},
    {"[xmpp]\ndomain =\n", "t.conf:2: domain: \"\" is not a domain such as push.example.org"},
    {"[xmpp]\ndomain = push_1.example.org\n",
     "t.conf:2: domain: \"push_1.example.org\" is not a domain such as push.example.org"},
    {"[xmpp]\ndomain = -a.example.org\n",
     "t.conf:2: domain: \"-a.example.org\" is not a domain such as push.example.org"},
    {"[xmpp]\ndomain = example..org\n", "t.conf:2: domain: \"example..org\" is not a domain such as push.example.org"},
    {"[xmpp]\ndomain = ann@example.org\n",
     "t.conf:2: domain: \"ann@example.org\" is not a domain such as push.example.org"},
    {"[xmpp]\nserver = 127.0.0.1:99999\n",
     "t.conf:2: server: \"127.0.0.1:99999\" is not of the form host or host:port; IPv6 with a port is written "
     "[::1]:5347"},
    {"[xmpp]\nserver = localhost:0\n",
     "t.conf:2: server: \"localhost:0\" is not of the form host or host:port; IPv6 with a port is written [::1]:5347"},
    {"[xmpp]\nallow_cleartext = maybe\n",
     "t.conf:2: allow_cleartext: \"maybe\" is not one of yes no true false on off"},
    {"[xmpp]\naccounts = example.org,, example.net\n", "t.conf:2: accounts: the list is empty or has an empty item"},
    {"[xmpp]\naccounts = example.org,\n", "t.conf:2: accounts: the list is empty or has an empty item"},
    {"[xmpp]\naccounts = *, example.net\n", "t.conf:2: accounts: \"*\" stands alone or not at all"},
    {"[xmpp]\naccounts = example.org, Example.org\n", "t.conf:2: accounts: \"Example.org\" is named twice"},
    {"[xmpp]\npublishers = *\n", "t.conf:2: publishers: \"*\" is not a domain such as push.example.org"},
    {"[xmpp]\nmax_stanza_bytes = 4095\n", "t.conf:2: max_stanza_bytes: \"4095\" is out of range; give 4k to 16M"},
    {"[xmpp]\nmax_stanza_bytes = 1G\n", "t.conf:2: max_stanza_bytes: \"1G\" is out of range; give 4k to 16M"},
    {"[xmpp]\nmax_stanza_bytes = 99999999999999999999999G\n",
     "t.conf:2: max_stanza_bytes: \"99999999999999999999999G\" is out of range; give 4k to 16M"},
    {"[xmpp]\nmax_stanza_bytes = 64kb\n",
     "t.conf:2: max_stanza_bytes: \"64kb\" has no known unit; use k, M or G, or none for bytes"},
    {"[xmpp]\nmax_stanza_bytes = k\n", "t.conf:2: max_stanza_bytes: \"k\" is not a size such as 64k"},
    {"[registry]\nmax_devices = 0\n", "t.conf:2: max_devices: \"0\" is out of range; give 1 to 10000000"},
    {"[registry]\nmax_devices = 10000001\n", "t.conf:2: max_devices: \"10000001\" is out of range; give 1 to 10000000"},
    {"[registry]\nmax_devices = 1k\n", "t.conf:2: max_devices: \"1k\" is not a number"},
    {"[registry]\nmax_devices = -1\n", "t.conf:2: max_devices: \"-1\" is not a number"},
    {"[registry]\nmax_devices = 99999999999999999999999\n",
     "t.conf:2: max_devices: \"99999999999999999999999\" is out of range; give 1 to 10000000"},
    {"[limits]\nmax_inflight = 4097\n", "t.conf:2: max_inflight: \"4097\" is out of range; give 1 to 4096"},
    {"[limits]\nmax_pending = 65537\n", "t.conf:2: max_pending: \"65537\" is out of range; give 0 to 65536"},
    {"[limits]\ndevice_interval = 5\n", "t.conf:2: device_interval: \"5\" needs a unit: ms, s, m, h or d"},
    {"[limits]\ndevice_interval = 5w\n", "t.conf:2: device_interval: \"5w\" has no known unit; use ms, s, m, h or d"},
    {"[limits]\ndevice_interval = 2d\n", "t.conf:2: device_interval: \"2d\" is out of range; give 0 to 1d"},
    {"[limits]\ndevice_interval = soon\n", "t.conf:2: device_interval: \"soon\" is not a duration such as 5s"},
    {"[registry]\nexpire_after = 20y\n", "t.conf:2: expire_after: \"20y\" has no known unit; use ms, s, m, h or d"},
    {"[registry]\nexpire_after = 90\n", "t.conf:2: expire_after: \"90\" needs a unit: ms, s, m, h or d"},
    {"[log]\nlevel = verbose\n", "t.conf:2: level: \"verbose\" is not one of error warn info debug"},
    {"[log]\nto =\n", "t.conf:2: to: \"\" is not a path"},
    {"[process]\nsecret_modes = lax\n", "t.conf:2: secret_modes: \"lax\" is not one of strict warn"},
    {"[apns a]\nprovider = a b\n", "t.conf:2: provider: \"a b\" is not a provider id such as tigase:messenger:apns:1"},
    {"[apns a]\nprovider = 1,2,3,4,5,6,7,8,9\n", "t.conf:2: provider: \"9\" is one too many for this list"},
    {"[apns a]\nteam_id = DEF123GHI\n", "t.conf:2: team_id: \"DEF123GHI\" is not an id of Apple: ten of A-Z and 0-9"},
    {"[apns a]\nkey_id = abc123defg\n", "t.conf:2: key_id: \"abc123defg\" is not an id of Apple: ten of A-Z and 0-9"},
    {"[apns a]\ntopic = org/example\n",
     "t.conf:2: topic: \"org/example\" is not an app's bundle id such as org.example.siskin"},
    {"[apns a]\npayload = fpush\n", "t.conf:2: payload: \"fpush\" is not one of tigase wake"},
    {"[apns a]\nempty = low\n", "t.conf:2: empty: \"low\" is not one of high normal drop"},
    {"[apns a]\nenvironment = development\n",
     "t.conf:2: environment: \"development\" is not one of production sandbox"},
    {"[apns a]\nendpoint = http://127.0.0.1\n",
     "t.conf:2: endpoint: \"http://127.0.0.1\" is not of the form https://host or https://host:port, without a path"},
    {"[apns a]\nendpoint = https://127.0.0.1/x\n",
     "t.conf:2: endpoint: \"https://127.0.0.1/x\" is not of the form https://host or https://host:port, without a "
     "path"},
    {"[apns a]\nkey =\n", "t.conf:2: key: \"\" is not a path"},
    {"[xmpp]\n\tdomain = a\x01\n", "t.conf:2: a control character in column 12; remove it"},
    {"[xmpp]\ndomain = a\xff\n", "t.conf:2: the line is not UTF-8; save the file as UTF-8"},
    {string_view("[xmpp]\nd\0main = a\n", 17), "t.conf:2: a NUL byte: this is not a conf file, or not saved as UTF-8"},
    {"[xmpp]\nsecret = s\n[apns a]\n",
     "t.conf:1: [xmpp] has no domain; set it to the component's name in the XMPP server's conf, such as "
     "push.example.org"},
    {"[xmpp]\ndomain = push.example.org\n[apns a]\n",
     "t.conf:1: [xmpp] has no secret; set secret or secret_file to what the XMPP server's conf has"},
    {"[xmpp]\ndomain = push.example.org\nsecret = s\n\n",
     "t.conf:4: there is no provider section; add one, such as [apns siskin], or "
     "[unifiedpush], which needs no vendor"},
    {"[xmpp]\ndomain = push.example.org\nsecret = s\n\n[apns a]\n",
     "t.conf:5: [apns a] has no provider; set it to the id that the app's clients name, such as "
     "tigase:messenger:apns:1"},
};

// Each after the good conf of eight lines.
static const Row additions[] = {
    {"[xmpp]\nsecret_file = s\n", "t.conf:10: secret and secret_file are both set; keep one of them"},
    {"[xmpp]\nserver = xmpp.example.org\n",
     "t.conf:10: server: \"xmpp.example.org\" is not this machine, and the secret and all stanzas would travel "
     "unencrypted; use 127.0.0.1, or set allow_cleartext = yes where the network between is trusted"},
    {"[xmpp]\nserver = [2001:db8::1]:5347\n",
     "t.conf:10: server: \"2001:db8::1\" is not this machine, and the secret and all stanzas would travel "
     "unencrypted; use 127.0.0.1, or set allow_cleartext = yes where the network between is trusted"},
    {"[apns b]\n",
     "t.conf:9: [apns b] has no provider; set it to the id that the app's clients name, such as "
     "tigase:messenger:apns:1"},
    {"[apns b]\nprovider = b\n",
     "t.conf:9: [apns b] has no key; set it to the .p8 file from the Apple developer account (or set certificate)"},
    {"[apns b]\nprovider = b\nkey = k.p8\nkey_id = ABC123DEFG\n",
     "t.conf:9: [apns b] has no team_id; it stands in the Apple developer account, ten of A-Z and 0-9"},
    {"[apns b]\nprovider = b\nkey = k.p8\nkey_id = ABC123DEFG\nteam_id = DEF123GHIJ\n",
     "t.conf:9: [apns b] has no topic; set it to the app's bundle id"},
    {"[apns b]\nprovider = b\nteam_id = DEF123GHIJ\ntopic = b\nkey = key.p8\n",
     "t.conf:13: key: the file is not called AuthKey_KEYID.p8, as Apple named it; set key_id to those ten characters"},
    {"[apns b]\nprovider = b, tigase:messenger:apns:1\nteam_id = DEF123GHIJ\ntopic = b\nkey = AuthKey_ABC123DEFG.p8\n",
     "t.conf:10: \"tigase:messenger:apns:1\" is named in two sections; keep it in one of [apns siskin] and [apns b]"},
    {"[apns b]\nprovider = tigase:messenger:apns:1\nteam_id = DEF123GHIJ\ntopic = org.example.siskin\n"
     "key = AuthKey_ABC123DEFG.p8\n[apns c]\nprovider = x\n",
     "t.conf:10: \"tigase:messenger:apns:1\" is named in two sections; keep it in one of [apns siskin] and [apns b]"},
    {"dialect = p2\n[apns b]\nprovider = b\nteam_id = DEF123GHIJ\ntopic = b\nkey = AuthKey_ABC123DEFG.p8\n"
     "dialect = p2\n",
     "t.conf:15: dialect = p2 stands in [apns siskin] and [apns b]; only one of them can take register-push-apns"},
    {"modules = one, two\n[apns b]\nprovider = b\nteam_id = DEF123GHIJ\ntopic = b\nkey = AuthKey_ABC123DEFG.p8\n"
     "modules = three, two\n",
     "t.conf:15: modules: \"two\" is named in two sections; keep it in one of [apns siskin] and [apns b]"},
    {"[webpush]\n",
     "t.conf:9: [webpush] has no contact; set it to where push services reach you, such as "
     "mailto:ann@push.example.net"},
    {"[webpush]\ncontact = mailto:ann@example.net\nprovider = x, tigase:messenger:apns:1\n",
     "t.conf:11: \"tigase:messenger:apns:1\" is named in two sections; keep it in one of [apns siskin] and [webpush]"},
    {"[webpush]\ncontact = mailto:ann@example.net\n[fcm play]\nprovider = webpush\nservice_account = a.json\n",
     "t.conf:9: \"webpush\" is named in two sections; keep it in one of [fcm play] and [webpush]"},
    {"[fcm play]\n",
     "t.conf:9: [fcm play] has no provider; set it to the id that the app's clients name, such as fcm-xmpp-api"},
    {"[fcm play]\nprovider = f\n",
     "t.conf:9: [fcm play] has no service_account; set it to the JSON file of a service account of the app's Firebase "
     "project"},
    {"[fcm play]\nprovider = tigase:messenger:apns:1\nservice_account = a.json\n",
     "t.conf:10: \"tigase:messenger:apns:1\" is named in two sections; keep it in one of [apns siskin] and [fcm play]"},
    {"[fcm play]\nprovider = f\nservice_account = a.json\n[fcm other]\nprovider = f\nservice_account = b.json\n",
     "t.conf:13: \"f\" is named in two sections; keep it in one of [fcm play] and [fcm other]"},
    {"[listen]\n",
     "t.conf:9: [listen] has no address; set it to *:443, or behind a reverse proxy to 127.0.0.1:8085 with "
     "tls = no"},
    {"[listen]\naddress = *:443\n",
     "t.conf:9: [listen] has no certificate; set it to the chain for domain, such as fullchain.pem, or behind a "
     "reverse proxy tls = no"},
    {"[listen]\naddress = *:443\ncertificate = c.pem\n",
     "t.conf:9: [listen] has no key; set it to the certificate's private key, such as privkey.pem"},
    {"[listen]\naddress = 127.0.0.1:8085, *:80\ntls = no\n",
     "t.conf:10: address: *:80 with tls = no would let everybody on the way read and forge; clear text is for "
     "127.0.0.1, [::1] and unix: only, behind a reverse proxy"},
    {"[listen]\ntls = no\naddress = 443\n",
     "t.conf:11: address: \"443\" is none of *:443, [::]:443, 127.0.0.1:8085, unix:/run/tocsin/http.sock, systemd"},
    {"[listen]\ntls = no\naddress = ::1:443\n",
     "t.conf:11: address: \"::1:443\" is none of *:443, [::]:443, 127.0.0.1:8085, unix:/run/tocsin/http.sock, "
     "systemd"},
    {"[listen]\ntls = no\naddress = localhost:443\n",
     "t.conf:11: address: \"localhost:443\" is none of *:443, [::]:443, 127.0.0.1:8085, unix:/run/tocsin/http.sock, "
     "systemd"},
    {"[listen]\ntls = no\naddress = unix:http.sock\n",
     "t.conf:11: address: \"unix:http.sock\" needs a whole path behind unix:, from / on"},
    {"[listen]\ntls = no\naddress = 127.0.0.1:1, 127.0.0.1:1\n", "t.conf:11: address: \"127.0.0.1:1\" is named twice"},
    {"[listen]\ntls = no\naddress = 127.0.0.1:1\nsocket_mode = 0999\n",
     "t.conf:12: socket_mode: \"0999\" is not a mode such as 0660"},
    {"[listen]\ntls = no\naddress = 127.0.0.1:1\npublic_url = https://push.example.org/\n",
     "t.conf:12: public_url: \"https://push.example.org/\" is not of the form https://host or https://host:port, "
     "without a path"},
    {"[listen]\ntls = no\naddress = 127.0.0.1:1\nforwarded_from = nginx\n",
     "t.conf:12: forwarded_from: \"nginx\" is not an address or a range such as 192.0.2.0/24"},
    {"[unifiedpush]\n", "t.conf:9: [unifiedpush] needs [listen]: application servers post to its endpoints over HTTPS"},
    {"[metrics]\n", "t.conf:9: [metrics] has no address; set it to 127.0.0.1:9180"},
    {"certificate = c.pem\n", "t.conf:9: key and certificate are both set; keep one of them"},
    {"certificate_key = c.key\n", "t.conf:9: certificate_key belongs to a certificate, which is not set"},
    {"formerly = siskin\n", "t.conf:9: formerly: \"siskin\" is this section's name; give the one that it had before"},
    {"formerly = old, b\n[apns b]\nprovider = b\nteam_id = DEF123GHIJ\ntopic = b\nkey = AuthKey_ABC123DEFG.p8\n",
     "t.conf:9: formerly: \"b\" is a section of its own, and keeps its devices; take out one of [apns b] and "
     "[apns siskin]"},
    {"formerly = old\n[apns b]\nprovider = b\nteam_id = DEF123GHIJ\ntopic = b\nkey = AuthKey_ABC123DEFG.p8\n"
     "formerly = older, old\n",
     "t.conf:15: formerly: \"old\" stands in [apns siskin] and [apns b]; its devices can only come to one of them"},
};

static void every_mistake_gets_its_own_first_message(void**) {
  for (const Row& row : whole_confs) {
    const Parsed p(row.conf);
    assert_text(p.fault(0), row.first);
    assert_int_equal(p.faults.run_exit_code(), exit_code::conf);
    assert_int_equal(p.faults.check_exit_code(), exit_code::conf);
  }
}

static void mistakes_that_the_whole_conf_shows_get_one_message(void**) {
  for (const Row& row : additions) {
    const Joined conf(good_conf, row.conf);
    const Parsed p(conf.view());
    assert_text(p.fault(0), row.first);
    assert_int_equal(p.faults.run_exit_code(), exit_code::conf);
  }
}

static void a_refused_value_is_not_called_missing_as_well(void**) {
  const Parsed p("[xmpp]\ndomain = ?\nsecret =\n[apns a]\nprovider = a b\nkey =\nteam_id = x\ntopic = ?\n");
  assert_int_equal(p.faults.count(), 6);
}

static void a_section_with_a_refused_name_is_not_called_missing_as_well(void**) {
  for (const string_view section : {"[fcm]\n", "[apns]\n", "[fcm MyApp]\n", "[fmc play]\n", "[apsn x]\n"}) {
    const Joined conf("[xmpp]\ndomain = push.example.org\nsecret = s\n", section, "provider = a\n");
    const Parsed p(conf.view());
    assert_int_equal(p.faults.count(), 1);
    assert_true(starts_with(p.fault(0), "t.conf:4: "));
  }
}

static void no_message_shows_a_secret(void**) {
  constexpr string_view confs[] = {
      "[xmpp]\nsecret = \"hunter2\" x\n",  "[xmpp]\nsecret = \"hunter2\n",           "[xmpp]\nsecret hunter2\n",
      "[xmpp]\nsecret = \"hunter2\\n\"\n", "[xmpp]\nsecret = a\nsecret = hunter2\n", "[xmpp]\nsecret = hunter2\x01\n",
  };
  for (const string_view conf : confs) {
    const Parsed p(conf);
    assert_true(p.faults.count() > 0);
    for (uint32_t i = 0; i < p.faults.count(); ++i) assert_true(p.fault(i).find("hunter2") == string_view::npos);
  }
}

TESTS(bad_confs, cmocka_unit_test(every_mistake_gets_its_own_first_message),
      cmocka_unit_test(mistakes_that_the_whole_conf_shows_get_one_message),
      cmocka_unit_test(a_refused_value_is_not_called_missing_as_well),
      cmocka_unit_test(a_section_with_a_refused_name_is_not_called_missing_as_well),
      cmocka_unit_test(no_message_shows_a_secret));

}  // namespace tocsin
