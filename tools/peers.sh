#!/bin/sh
# Fetches what test/peers holds our Web Push and our signatures against, programs of others, into the ignored folder .peers:
# from npm by test/peers/package-lock.json, from PyPI by test/peers/requirements.txt, exact versions with their checksums.
# Quick when nothing is missing. What cannot be had (no node, no network) is said here, and again by the tests that are skipped.
set -u
cd "$(dirname "$0")/.." || exit 1
[ -z "${DEB_BUILD_ARCH:-}" ] || exit 0

peers=$PWD/.peers
python=${PYTHON:-/usr/bin/python3}
log=$peers/log
mkdir -p "$peers"

skipped() { printf 'peers: SKIPPED: %s\n' "$*"; }
# present FOLDER FILE…: was FOLDER made from these files?
present() { folder=$1; shift; cat "$@" | cmp -s - "$folder/made-from"; }
made() { folder=$1; shift; cat "$@" > "$folder/made-from"; }

npm_peers() {
  set -- test/peers/package.json test/peers/package-lock.json
  if present "$peers/npm" "$@"; then return; fi
  if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
    skipped 'the peers from npm need node and npm, which are not here'
    return
  fi
  rm -rf "$peers/npm"
  mkdir "$peers/npm"
  cp "$@" "$peers/npm"
  if (cd "$peers/npm" && npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries=1 \
    --fetch-retry-mintimeout=1000 --fetch-timeout=30000) > "$log" 2>&1; then
    made "$peers/npm" "$@"
  else
    tail -n 5 "$log"
    skipped 'npm could not fetch its peers (is this machine offline?)'
  fi
}

python_peers() {
  if present "$peers/python" test/peers/requirements.txt; then return; fi
  rm -rf "$peers/python"
  if "$python" -m venv --system-site-packages "$peers/python" > "$log" 2>&1 &&
    "$peers/python/bin/python3" -m pip install --quiet --no-deps --require-hashes --disable-pip-version-check --retries 1 --timeout 30 \
      -r test/peers/requirements.txt >> "$log" 2>&1; then
    made "$peers/python" test/peers/requirements.txt
  else
    tail -n 5 "$log"
    skipped 'pip could not fetch its peers (is this machine offline, or python3-venv missing?)'
  fi
}

npm_peers
python_peers
exit 0
