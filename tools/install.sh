#!/bin/sh
# What `make install` does: tools/install.sh BINARY, with DESTDIR SBINDIR SYSCONFDIR MANDIR SYSTEMDUNITDIR in the environment.
# A conf file that is there is never overwritten.
set -eu
binary=$1
conf=$DESTDIR$SYSCONFDIR/tocsin/tocsin.conf
unit=$DESTDIR$SYSTEMDUNITDIR/tocsin.service
here=$(cd "$(dirname "$0")/.." && pwd)

install -D -m 0755 "$binary" "$DESTDIR$SBINDIR/tocsin"
install -d -m 0755 "$DESTDIR$SYSCONFDIR/tocsin" "$DESTDIR$SYSTEMDUNITDIR"
if [ -e "$conf" ]; then
  echo "kept: $conf"
else
  install -m 0640 "$here/conf/tocsin.conf" "$conf"
fi
sed -e "s|/usr/sbin/tocsin|$SBINDIR/tocsin|g; s|/etc/tocsin|$SYSCONFDIR/tocsin|g" "$here/conf/tocsin.service" > "$unit"
chmod 0644 "$unit"
install -D -m 0644 "$here/conf/tocsin.sysusers" "$DESTDIR$SYSTEMDUNITDIR/../../sysusers.d/tocsin.conf"
for page in "$here"/conf/*.[1-8]; do
  [ ! -e "$page" ] || install -D -m 0644 "$page" "$DESTDIR$MANDIR/man${page##*.}/${page##*/}"
done

# In a package the rest is the package manager's.
if [ -z "$DESTDIR" ]; then
  if getent group tocsin > /dev/null; then chgrp tocsin "$conf"; fi
  cat <<EOT
installed. Next, as root:
    systemd-sysusers && chgrp tocsin $conf
    edit $conf
    $SBINDIR/tocsin -c $conf check --as tocsin
    systemctl daemon-reload && systemctl enable --now tocsin
EOT
fi
