// What --help prints.
#include "command_line.h"

namespace tocsin {

string_view help_text(Task about) {
  if (about == Task::setup) {
    return R"(tocsin setup: a conf, and what the servers beside it need, to be pasted

usage: tocsin [-c FILE] setup unifiedpush|webpush|apns|fcm DOMAIN [--write]

DOMAIN is the domain of your XMPP accounts, such as example.org. The gateway
becomes the component push.example.org; that name may be given as well.

It prints a conf, the lines for Prosody and for ejabberd with the same random
secret, a site for nginx, the records for the DNS, and the commands to go on
with. What the vendor gave you is left for you to put in; tocsin check names it.
For fcm and webpush there is no site and no record: nobody calls them by HTTPS.

  --write   creates the conf (FILE, else $TOCSIN_CONF, else
            /etc/tocsin/tocsin.conf) and beside it setup-prosody.cfg.lua,
            setup-ejabberd.yml, and for apns and unifiedpush setup-nginx.conf
            and setup-dns.zone, all 0640: all of them or none; nothing that
            exists is overwritten

exit codes: 0 ok, 64 command line or DOMAIN, 73 cannot create (one exists),
  74 input or output, 77 permission
)";
  }
  if (about == Task::check) {
    return R"(tocsin check: reads the conf and everything that it points to

usage: tocsin [-c FILE]... [-o SECTION.KEY=VALUE]... check [--as USER] [--online]

It prints every fault as FILE:LINE: what is wrong and what mends it. A warning
is no fault: it is what was most likely not meant.

  --as USER  as root: sees what that user may see, mostly tocsin: the conf, the
             keys and the state directory
  --online   asks each provider too, with one harmless request; nobody is rung

It does not connect to the XMPP server, for that would take the place of a
gateway that runs: whether that server takes us is in the log, as component_up.

exit codes: 0 the conf is good, 64 command line, 66 file missing, 69 a provider
  can not be reached, 75 trouble that passes, 77 permission, 78 conf, or a
  provider refuses what it says
)";
  }
  if (about == Task::registry) {
    return R"(tocsin registry: looks at a registry file, and mends it, without a gateway

usage: tocsin registry verify FILE
       tocsin registry dump [--secrets] FILE
       tocsin registry compact FILE
       tocsin registry repair FILE

  verify    reads everything; one line of numbers, or where it is damaged
  dump      one line for each device, then one for each that ended and why;
            --secrets shows whole nodes, tokens and secrets as well
  compact   leaves out what is dead; the gateway does this by itself as well
  repair    writes FILE.repaired with everything that is intact in FILE, and
            tells what is lost; FILE stays as it is

verify and dump may run beside a gateway; compact and repair want it stopped,
and as root act as the owner of FILE. FILE is mostly
/var/lib/tocsin/devices.registry.

exit codes: 0 ok, 64 command line, 65 damaged (repair: something is lost),
  66 no such file, 69 held by a gateway, 71 no memory, 73 cannot create,
  74 input or output, 77 permission
)";
  }
  return R"(tocsin: an XMPP push gateway beside Prosody or ejabberd

usage: tocsin [-c FILE]... [-o SECTION.KEY=VALUE]... [COMMAND] [ARGUMENTS]

commands:
  run                 the gateway, in the foreground (default)
  check [--as USER] [--online]
                      reads the conf and the files it names; prints every fault;
                      --online asks each provider too, with one harmless
                      request; see tocsin check --help
  plan [--json]       prints the memory that start-up reserves, and why
  registry verify|dump|compact|repair FILE
                      looks at a registry file, and mends it; see
                      tocsin registry --help
  setup unifiedpush|webpush|apns|fcm DOMAIN [--write]
                      prints a conf and the lines for the servers beside it, or
                      writes them; see tocsin setup --help
  vapid-key           prints the public key that Web Push clients subscribe with

options:
  -c FILE             conf file; may repeat, but a key stands only once
                      (default: $TOCSIN_CONF, else /etc/tocsin/tocsin.conf)
  -o SECTION.KEY=VALUE
                      overrides the conf, for example -o log.level=debug or
                      -o apns/siskin.environment=sandbox; not for secrets;
                      relative paths start in the working directory
  --help, --version

exit codes: 0 ok, 64 command line, 65 registry damaged, 66 file missing,
  69 unavailable, 75 trouble that passes, 77 permission, 78 conf
)";
}

}  // namespace tocsin
