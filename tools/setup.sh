#!/bin/sh
# Installs the Debian packages that tocsin needs: `tools/setup.sh build|demo|test`.
#   build   compiling and unit tests       demo   build, and what `make demo` runs       test   everything that CI runs
# Silent and quick when nothing is missing. As root or through sudo; without either it prints the command and stops.
# No service is started or enabled: Debian would start the XMPP servers for the public.
set -eu

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

group=${1:-test}
case $group in build | demo | test) ;; *) fail "unknown group '$group': build, demo or test" ;; esac

# Inside a package build the build dependencies are dpkg's affair.
[ -z "${DEB_BUILD_ARCH:-}" ] || exit 0

# Alternatives are written a|b: the first one that this release of Debian knows is taken.
packages='g++ make pkg-config libmbedtls-dev libexpat1-dev libnghttp2-dev libc-ares-dev libjansson-dev nettle-dev
  libcmocka-dev'
case $group in demo | test)
  packages="$packages python3 python3-slixmpp python3-h2 python3-cryptography prosody prosody-modules lua-unbound ca-certificates" ;;
esac
[ "$group" != test ] ||
  packages="$packages ejabberd clang-14|clang libclang-rt-14-dev|libclang-rt-dev clang-format-14|clang-format cmake iproute2 openssl python3-venv
    python3-requests curl nginx-light libnginx-mod-stream"

command -v dpkg-query > /dev/null 2>&1 || fail "this is not a Debian system; needed are the equivalents of: $packages"

# One question for all of them; names that dpkg does not know cost nothing but a line on stderr.
# shellcheck disable=SC2016,SC2046  # dpkg's own variables; a list of words
present=" $(dpkg-query -W -f '${Package}:${db:Status-Status} ' $(printf %s "$packages" | tr '|' ' ') 2> /dev/null || true)"
missing=
for package in $packages; do
  for one in $(printf %s "$package" | tr '|' ' '); do
    case $present in *" $one:installed "*) continue 2 ;; esac
  done
  missing="$missing $package"
done
# --- a stop sign for services while packages are installed, taken away whatever happens -----------
sign=/usr/sbin/policy-rc.d
kept=/usr/sbin/policy-rc.d.kept-by-tocsin-setup
mark='# Put here by tocsin while it installs packages, process'

# Is the sign ours, or left by a run that was killed? Not that of another run that is still at work.
ours() {
  owner=$(sed -n "s/^$mark //p" "$sign" 2> /dev/null) || return 1
  [ -n "$owner" ] && { [ "$owner" = $$ ] || [ ! -d "/proc/$owner" ]; }
}
# The administrator's own file, if there was one, goes back in any case.
remove_sign() {
  if ours; then
    if [ -e "$kept" ]; then mv -f "$kept" "$sign"; else rm -f "$sign"; fi
  elif [ -e "$kept" ] && [ ! -e "$sign" ]; then
    mv "$kept" "$sign"
  fi
}

if [ -z "$missing" ]; then
  [ "$(id -u)" != 0 ] || remove_sign
  exit 0
fi

# The names to install; where apt knows none of the alternatives (no lists yet): the last, most general one.
choose() {
  for package in $missing; do
    for one in $(printf %s "$package" | tr '|' ' '); do
      if [ -n "$(apt-cache show --no-all-versions "$one" 2> /dev/null)" ]; then break; fi
    done
    printf ' %s' "$one"
  done
}

if [ "$(id -u)" != 0 ]; then
  if command -v sudo > /dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2> /dev/null; }; then
    exec sudo -- /bin/sh "$0" "$group"
  fi
  printf 'setup: packages are missing; as root:\n\n    apt-get install --no-install-recommends%s\n\n' \
    "$(choose)" >&2
  exit 1
fi

work=$(mktemp -d)

finish() { remove_sign; rm -rf "$work"; }
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- installing -----------------------------------------------------------------------------------
remove_sign
if [ -e "$sign" ]; then ln "$sign" "$kept" 2> /dev/null || cp -p "$sign" "$kept"; fi
printf '#!/bin/sh\n%s %s\nexit 101\n' "$mark" $$ > "$work/sign"
chmod 755 "$work/sign"
cp -p "$work/sign" "$sign.new-by-tocsin-setup"
mv "$sign.new-by-tocsin-setup" "$sign"

export DEBIAN_FRONTEND=noninteractive
apt() { apt-get -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 "$@"; }
# policy-rc.d stops the start but not the links for the next boot: what is new among them is taken back below.
links() { find /etc/systemd/system /etc/rc2.d -type l \( -path '*.wants/*' -o -name 'S[0-9]*' \) 2> /dev/null | sort; }

links > "$work/links.before"
say "installing$(choose)"
apt -qq update > "$work/log" 2>&1 || say 'apt-get update had trouble; trying with the lists that are here'
chosen=$(choose)
# shellcheck disable=SC2086  # a list of words
if ! apt -y install --no-install-recommends $chosen >> "$work/log" 2>&1; then
  tail -n 20 "$work/log" >&2
  fail "apt-get could not install:$chosen (is this machine offline? the end of its output stands above)"
fi
links > "$work/links.after"

comm -13 "$work/links.before" "$work/links.after" | while read -r link; do
  unit=$(basename "$link")
  case $link in
    /etc/rc2.d/*) update-rc.d "${unit#S??}" disable > /dev/null 2>&1 || true ;;
    *)
      if command -v systemctl > /dev/null 2>&1; then systemctl --quiet disable "$unit" > /dev/null 2>&1 || true; fi
      rm -f "$link"
      ;;
  esac
done
say 'done; no service was started or enabled'
