#!/bin/sh
# Proves the README's promise on a machine that has nothing but git and make:
#   tools/fresh_machine.sh [RELEASE [TARGET…]]      as root; default: bookworm demo test
# A minimal Debian of that release is made in a temporary folder ($FRESH_DIR: in that one, which must not exist), a fresh clone
# of this repository goes into it, and `make TARGET` runs there. `make check` does no setup by design, so `setup` goes before it:
# fresh_machine.sh trixie setup check. Everything is unmounted and removed at the end ($FRESH_KEEP=1: kept).
# Mirror: $DEBIAN_MIRROR, else the one in this machine's apt sources; apt's proxy is taken over.
set -eu

fail() { printf 'fresh_machine: %s\n' "$*" >&2; exit 1; }
say() { printf '== %s\n' "$*"; }

release=${1:-bookworm}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- demo test
[ "$(id -u)" = 0 ] || fail 'must run as root (debootstrap, chroot, mount)'
command -v debootstrap > /dev/null || fail 'debootstrap is missing: apt-get install debootstrap'
command -v git > /dev/null || fail 'git is missing: apt-get install git'
root=$(cd "$(dirname "$0")/.." && pwd)
git -C "$root" rev-parse -q --verify HEAD > /dev/null || fail "there is no commit to clone in $root"
[ -z "$(git -C "$root" status --porcelain)" ] || say 'note: changes that are not committed are not tested'

# The first http(s) URI in deb822 or one-line sources whose host looks like a mirror of Debian itself.
find_mirror() {
  cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2> /dev/null |
    sed -n -e 's/^URIs:[[:space:]]*//p' -e 's/^deb[[:space:]]\{1,\}\(\[[^]]*\][[:space:]]*\)\{0,1\}//p' |
    tr '[:space:]' '\n' | sed -n 's|^\(https*://[^ ]*/debian\)/*$|\1|p' | head -n 1
}
mirror=${DEBIAN_MIRROR:-$(find_mirror)}
[ -n "$mirror" ] || fail 'no mirror of Debian in the apt sources; set DEBIAN_MIRROR'

made=
if [ -n "${FRESH_DIR:-}" ]; then
  [ ! -e "$FRESH_DIR" ] || fail "$FRESH_DIR exists already"
  mkdir -p "$FRESH_DIR"
  machine=$FRESH_DIR
else
  machine=$(mktemp -d)
fi
made=1

# Nothing is deleted while something is still mounted below: a bind mount of /dev would be emptied.
tidy() {
  status=$?
  trap - EXIT
  [ -n "$made" ] || exit "$status"
  for point in proc dev/pts dev; do
    if mountpoint -q "$machine/$point"; then umount "$machine/$point" || umount -l "$machine/$point" || true; fi
  done
  if [ "${FRESH_KEEP:-0}" = 1 ]; then
    say "kept: $machine"
  elif grep -qF " $machine/" /proc/self/mounts; then
    printf 'fresh_machine: something is still mounted below %s; not removed\n' "$machine" >&2
  else
    rm -rf --one-file-system "$machine"
  fi
  exit "$status"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say "debootstrap $release from $mirror"
debootstrap --variant=minbase --include=ca-certificates "$release" "$machine" "$mirror" > "$machine.log" 2>&1 || {
  tail -n 20 "$machine.log" >&2
  rm -f "$machine.log"
  fail 'debootstrap failed'
}
rm -f "$machine.log"
chmod 755 "$machine"  # mktemp's 700 would keep everybody but root out of /

mkdir -p "$machine/etc/apt/apt.conf.d"
apt-config dump --format '%f "%v";%n' 2> /dev/null | grep -i -E '^Acquire::https?::Proxy' > "$machine/etc/apt/apt.conf.d/90host-proxy" || true
cp /etc/resolv.conf "$machine/etc/resolv.conf" 2> /dev/null || true
mount -t proc proc "$machine/proc"
mount --bind /dev "$machine/dev"
[ ! -d /dev/pts ] || mount --bind /dev/pts "$machine/dev/pts"

# A clean environment: nothing of this machine's settings may help.
inside() {
  chroot "$machine" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"
}

say 'installing git and make'
inside DEBIAN_FRONTEND=noninteractive apt-get -qq update
inside DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -y install --no-install-recommends git make > /dev/null
say 'a fresh clone'
git clone -q --no-hardlinks "$root" "$machine/root/tocsin"

for target in "$@"; do
  say "make $target"
  inside sh -c 'cd /root/tocsin && exec make "$1"' sh "$target" || fail "make $target failed on a fresh $release"
done
say "a fresh $release machine: make $* worked"
