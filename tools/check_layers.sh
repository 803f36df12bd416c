#!/bin/sh
# Checks every #include of src, port and test against the table in tools/layers.mk and against the list of wrappers below.
#   tools/check_layers.sh [--self-test]      `make layers`; one line per fault, then `N passed, N failed`
# --self-test plants wrong includes in a scratch copy and fails unless each is found.
set -eu
cd "${LAYERS_ROOT:-$(dirname "$0")/..}"

# Who may include which library: header pattern, then the files, as patterns. Tests that need a library of their own stand here.
wrappers='
expat\.h            src/proto/xml_reader\.cpp test/unit/proto/framer_test\.cpp
nghttp2/.*          src/proto/h2_client\.cpp test/support/h2_server\.cpp
(mbedtls|psa)/.*    src/crypto/[a-z0-9_]*_mbedtls\.(cpp|h) test/support/tls_server\.cpp
nettle/.*           src/crypto/p256_nettle\.cpp
gmp\.h              src/crypto/p256_nettle\.cpp
jansson\.h          src/proto/json\.cpp
ares.*\.h           port/posix/resolver\.cpp
cmocka\.h           test/support/tests\.h
'
# Headers of the system: in port/posix only; tests may. The exceptions, with their reasons:
#   port/sim/simulation.cpp  reserves the simulated machines' memory at fixed addresses, so that a run can be repeated
system='(sys|net|netinet|arpa|linux|asm|bits)/|(unistd|poll|fcntl|pthread|sched|semaphore|signal|netdb|resolv|syslog)\.h'
system="$system|(dirent|dlfcn|pwd|grp|ifaddrs|termios|malloc|errno|ucontext|spawn|aio|mqueue)\.h|csignal|cerrno"
system_exceptions='port/sim/simulation\.cpp:sys/mman\.h'

check() {
  # shellcheck disable=SC2046  # file names of ours have no blanks
  awk -v wrappers="$wrappers" -v system_headers="^($system)" -v exceptions="^($system_exceptions)$" '
    function fault(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; faults++; bad[FILENAME] = 1 }
    # May files of folder `from` include `header`, which lies in src/`to`?
    function may(from, to, header) {
      if (from == to) return 1
      if (!((from, to) in uses)) return 0
      if ((from in only) && index(only[from], to "/") == 1) return header == only[from]
      return 1
    }
    BEGIN {
      count = split(wrappers, line, "\n")
      for (i = 1; i <= count; i++) {
        fields = split(line[i], word, /[ \t]+/)
        for (j = 2; j <= fields; j++) wrapper[word[1]] = wrapper[word[1]] (j > 2 ? "|" : "") word[j]
      }
      delete wrapper[""]
    }
    FILENAME ~ /layers\.mk$/ {
      if ($1 == "FOLDERS") for (i = 3; i <= NF; i++) folders[$i] = 1
      if ($1 ~ /^uses_/) for (i = 3; i <= NF; i++) uses[substr($1, 6), $i] = 1
      if ($1 ~ /^only_/) only[substr($1, 6)] = $3
      if ($1 == "port_users") for (i = 3; i <= NF; i++) port_user[$i] = 1
      next
    }
    FNR == 1 {
      files++
      split(FILENAME, part, "/")
      # The folder whose rules hold: src/base -> base, port/posix/heap -> port_posix, test/unit/base -> base.
      # "program": src itself; "test": what may include everything.
      test = part[1] == "test"
      if (part[1] == "src") from = (part[3] == "") ? "program" : part[2]
      else if (part[1] == "port") from = (part[3] == "") ? "base" : "port_" part[2]
      else if (part[2] == "unit" && part[4] != "" && part[3] != "main") from = part[3]
      else from = "test"
      if (part[1] == "src" && from != "program" && !(from in folders)) fault("src/" from " is not in tools/layers.mk")
    }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
      header = $0
      sub(/^[^"]*"/, "", header); sub(/".*/, "", header)
      where = header
      sub(/\/.*/, "", where)
      if (header ~ /\.\./) { fault("\"" header "\" climbs; write it from src or from the top"); next }
      if (header !~ /\//) {
        if (from != "program" && from != "test") fault("\"" header "\": the files of src itself are for src/*.cpp and their tests")
      } else if (header == "port/port.h") {
        if (from != "program" && !test && !(from in port_user)) fault("port/port.h is for link, the ports and src itself")
      } else if (where == "port") {
        split(header, part, "/")
        if (from == "program") {
          if (FILENAME !~ /^src\/(main|show)\.(cpp|h)$/) fault("\"" header "\": in src only main and show know which port it is")
        } else if (from != "port_" part[2] && !test) fault("\"" header "\": a port is seen by main and by tests only")
      } else if (where == "test") {
        if (!test) fault("\"" header "\": a test header outside of test")
      } else if (where in folders) {
        if (from != "program" && from != "test" && !may(from, where, header)) fault(from " may not include \"" header "\"")
      } else {
        fault("\"" header "\" lies in no folder of tools/layers.mk")
      }
      next
    }
    /^[ \t]*#[ \t]*include[ \t]*</ {
      header = $0
      sub(/^[^<]*</, "", header); sub(/>.*/, "", header)
      for (pattern in wrapper)
        if (header ~ "^(" pattern ")$" && FILENAME !~ "^(" wrapper[pattern] ")$")
          fault("<" header "> belongs to " wrapper[pattern])
      if (header ~ system_headers && !test && from != "port_posix" && (FILENAME ":" header) !~ exceptions)
        fault("<" header "> is the system'"'"'s: port/posix only")
    }
    END {
      for (file in bad) failed++
      printf "%d passed, %d failed\n", files - failed, failed
      exit (faults > 0)
    }' tools/layers.mk $(find src port test \( -name '*.cpp' -o -name '*.h' \) | LC_ALL=C sort)
}

self_test() {
  copy=$(mktemp -d)
  trap 'rm -rf "$copy"' EXIT
  cp -R src port test "$copy"
  mkdir "$copy/tools"
  cp tools/layers.mk "$copy/tools"
  LAYERS_ROOT=$copy "$0" > "$copy/clean" || { cat "$copy/clean"; echo 'self-test: the sources have faults of their own'; }
  passed=0 failed=0
  # plant FILE INCLUDE: must be found in that file
  plant() {
    target=$copy/$1
    mkdir -p "$(dirname "$target")"
    saved=''
    if [ -e "$target" ]; then saved=$copy/saved; cp "$target" "$saved"; fi
    printf '#include %s\n' "$2" >> "$target"
    if LAYERS_ROOT=$copy "$0" > "$copy/found"; then status=0; else status=1; fi
    if [ $status = 1 ] && grep -q "^$1:[0-9]*: .*$(printf %s "$2" | tr -d '<>"')" "$copy/found"; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      printf 'self-test: %s in %s was not found\n' "$2" "$1"
    fi
    if [ -n "$saved" ]; then mv "$saved" "$target"; else rm "$target"; fi
  }
  plant src/base/text.h '"mem/heap.h"'             # upward
  plant src/base/planted.cpp '<unistd.h>'           # a system header
  plant src/proto/json.cpp '<sys/socket.h>'
  plant src/dialect/planted.h '"push/provider.h"'   # between translators
  plant src/push/planted.cpp '"proto/h2_client.h"'  # of proto only json.h
  plant src/gateway/gateway.cpp '"port/port.h"'     # the port is for link
  plant src/gateway/planted.h '"link/loop.h"'
  plant src/link/loop.cpp '"port/posix/net.h"'      # which port it is
  plant src/proto/framer.cpp '<expat.h>'            # a wrapped library
  plant src/link/planted.cpp '<mbedtls/ssl.h>'
  plant src/push/planted.cpp '<nettle/ecc.h>'
  plant port/posix/planted.cpp '"proto/json.h"'     # a port that knows a protocol
  plant port/sim/planted.cpp '<poll.h>'
  plant src/registry/planted.cpp '"wiring.h"'       # src itself from below
  plant src/model/planted.h '"../base/text.h"'
  plant src/base/planted.h '"test/support/tests.h"'
  plant src/cellar/planted.h '"base/text.h"'        # a folder without a row
  plant test/unit/base/planted_test.cpp '"mem/heap.h"'
  printf '%d passed, %d failed\n' $passed $failed
  [ $failed = 0 ]
}

case ${1:-} in
  --self-test) self_test ;;
  '') check ;;
  *) echo "usage: tools/check_layers.sh [--self-test]" >&2; exit 64 ;;
esac
