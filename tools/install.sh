#!/bin/sh
# What `make install` and `make uninstall` do: tools/install.sh BINARY, tools/install.sh --remove; with DESTDIR SBINDIR SYSCONFDIR
# MANDIR DOCDIR SYSTEMDUNITDIR STRIP in the environment (STRIP empty: the binary keeps its symbols, as packagers want it).
# The folder of the conf stays empty: the annotated sample goes to DOCDIR, and `tocsin setup` writes a conf. Neither the conf nor
# the state is ever touched, and no service is started, stopped or enabled.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
program=$SBINDIR/tocsin
folder=$SYSCONFDIR/tocsin
conf=$folder/tocsin.conf
unit=$SYSTEMDUNITDIR/tocsin.service
user=$SYSTEMDUNITDIR/../../sysusers.d/tocsin.conf
documents='tocsin.conf https.md deploy-hook'

# In a package the rest is the package manager's, and without root there is nothing to tell systemd.
system=
if [ -z "$DESTDIR" ] && [ "$(id -u)" = 0 ]; then system=1; fi
has() { command -v "$1" > /dev/null 2>&1; }
runs_systemd() { [ -n "$system" ] && [ -d /run/systemd/system ] && has systemctl; }
pages() { for page in "$here"/conf/*.[1-8]; do if [ -e "$page" ]; then printf '%s\n' "$page"; fi; done; }
manual() { printf '%s\n' "$DESTDIR$MANDIR/man${1##*.}/${1##*/}"; }

if [ "$1" = --remove ]; then
  if runs_systemd && { systemctl --quiet is-active tocsin || systemctl --quiet is-enabled tocsin; } 2> /dev/null; then
    echo "tocsin runs or is enabled; first: systemctl disable --now tocsin" >&2
    exit 1
  fi
  pages | while read -r page; do rm -f "$(manual "$page")"; done
  rm -f "$DESTDIR$program" "$DESTDIR$unit" "$DESTDIR$user"
  for name in $documents; do rm -f "$DESTDIR$DOCDIR/$name"; done
  for made in "$DESTDIR$DOCDIR" "$DESTDIR$folder"; do rmdir "$made" 2> /dev/null || true; done
  ! runs_systemd || systemctl daemon-reload
  [ -z "$DESTDIR" ] || exit 0
  echo 'removed. Yours to keep or to delete, where they are:'
  printf '    rm -r %s\n' "$folder" /var/lib/tocsin
  echo '    userdel tocsin'
  exit 0
fi

# Renamed into its place: a gateway that runs keeps the old one until it is restarted.
install -D -m 0755 "$1" "$DESTDIR$program.new"
[ -z "$STRIP" ] || "$STRIP" "$DESTDIR$program.new"
mv -f "$DESTDIR$program.new" "$DESTDIR$program"
install -d -m 0755 "$DESTDIR$folder" "$DESTDIR$SYSTEMDUNITDIR"
for name in $documents; do install -D -m 0644 "$here/conf/$name" "$DESTDIR$DOCDIR/$name"; done
chmod 0755 "$DESTDIR$DOCDIR/deploy-hook"
sed -e "s|/usr/sbin/tocsin|$program|g; s|/etc/tocsin|$folder|g" "$here/conf/tocsin.service" > "$DESTDIR$unit"
chmod 0644 "$DESTDIR$unit"
install -D -m 0644 "$here/conf/tocsin.sysusers" "$DESTDIR$user"
pages | while read -r page; do install -D -m 0644 "$page" "$(manual "$page")"; done
[ -z "$DESTDIR" ] || exit 0

# The user of the service, and systemd's view of its unit. What can not be done here is left to be done.
if [ -n "$system" ] && has systemd-sysusers; then systemd-sysusers "$user" || true; fi
! runs_systemd || systemctl daemon-reload
say() { printf '    %s\n' "$1"; }
case $SBINDIR in /usr/local/sbin | /usr/sbin) command=tocsin ;; *) command=$program ;; esac
[ "$conf" = /etc/tocsin/tocsin.conf ] || command="$command -c $conf"
echo "installed: $program"
[ -e "$conf" ] || echo "the service tocsin is neither started nor enabled; every key of the conf is in $DOCDIR/tocsin.conf"
echo 'Next, as root:'
getent passwd tocsin > /dev/null || say 'useradd --system --user-group --home-dir /var/lib/tocsin --shell /usr/sbin/nologin tocsin'
[ -n "$system" ] || ! has systemctl || say 'systemctl daemon-reload'
if [ ! -e "$conf" ]; then
  say "$command setup apns example.org --write     # or fcm, webpush, unifiedpush; it says how to go on"
elif runs_systemd && systemctl --quiet is-active tocsin; then
  say 'systemctl restart tocsin'
else
  say "$command check --as tocsin"
  say 'systemctl enable --now tocsin'
fi
