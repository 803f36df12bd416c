#!/bin/sh
# Are the compiler and the libraries here? Else names what is missing and the Debian packages that bring it.
#   CXX=g++ LINK=gcc P256=nettle tools/check_packages.sh build|check      check: also what the tests need
# CPPFLAGS and LDFLAGS are heeded, so that libraries elsewhere are found.
set -eu

CXX=${CXX:-g++}
LINK=${LINK:-gcc}
needs='mbedtls/ssl.h:mbedtls:libmbedtls-dev psa/crypto.h:mbedcrypto:libmbedtls-dev expat.h:expat:libexpat1-dev
  nghttp2/nghttp2.h:nghttp2:libnghttp2-dev ares.h:cares:libc-ares-dev jansson.h:jansson:libjansson-dev'
# nettle's public headers want gmp's, and nettle-dev brings them.
[ "${P256:-nettle}" = mbedtls ] || needs="$needs nettle/ecdsa.h:nettle:nettle-dev nettle/ecc-curve.h:hogweed:nettle-dev gmp.h:gmp:nettle-dev"
[ "${1:-build}" = build ] || needs="$needs cmocka.h:cmocka:libcmocka-dev"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# works HEADERS LIBRARIES: does a program with these compile and link?
works() {
  { [ -z "${3:-}" ] || printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n'
    for header in $1; do printf '#include <%s>\n' "$header"; done
    printf 'int main() { return 0; }\n'; } > "$work/try.cpp"
  # shellcheck disable=SC2086  # lists of words
  $CXX ${CPPFLAGS:-} -c -o "$work/try.o" "$work/try.cpp" 2> /dev/null &&
    $LINK ${LDFLAGS:-} -Wl,--no-as-needed -o "$work/try" "$work/try.o" $2 2> /dev/null
}

headers='' libraries=''
for need in $needs; do
  header=${need%%:*} rest=${need#*:}
  headers="$headers $header" libraries="$libraries -l${rest%%:*}"
done
! works "$headers" "$libraries" cmocka || exit 0

missing='' packages=''
if ! works '' ''; then
  missing=" a C++ compiler ($CXX)" packages=' g++'
  for need in $needs; do packages="$packages ${need##*:}"; done
else
  for need in $needs; do
    header=${need%%:*} rest=${need#*:}
    works "$header" "-l${rest%%:*}" cmocka || { missing="$missing $header" packages="$packages ${need##*:}"; }
  done
fi
{
  printf 'tocsin: missing:%s\n\n' "$missing"
  # shellcheck disable=SC2086
  printf '    apt-get install --no-install-recommends %s\n\n' "$(printf '%s\n' $packages | sort -u | tr '\n' ' ')"
  printf '(as root; or all that is needed, the demo and the tests included: make setup)\n'
} >&2
exit 1
