#!/bin/sh
# What the release binary needs at run time, and how it is linked:
#   tools/check_needed.sh build/tocsin       one line per fault, then `N passed, N failed`
# GCC's libubsan needs libstdc++, so this is for release binaries only.
set -u

binary=${1:?usage: tools/check_needed.sh BINARY}
[ -r "$binary" ] || { echo "$binary is not there"; echo '0 passed, 1 failed'; exit 1; }
passed=0 failed=0
verdict() {  # verdict PASSED? WHAT
  if [ "$1" = 1 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf '%s: %s\n' "$binary" "$2"; fi
}
needed=$(readelf -dW "$binary" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | LC_ALL=C sort)
symbols=$(readelf --dyn-syms -W "$binary" | awk 'NR > 3 { print $7, $8 }')  # section index, name@version

# --- exactly these libraries, whatever their version ---
names=$(printf '%s\n' "$needed" | sed 's/\.so\..*//; s/^ld-linux.*/ld/' | grep -vx ld | tr '\n' ' ')
expected='libc libcares libexpat libgmp libhogweed libjansson libmbedcrypto libmbedtls libmbedx509 libnghttp2 '
[ "${P256:-nettle}" = mbedtls ] && expected='libc libcares libexpat libjansson libmbedcrypto libmbedtls libmbedx509 libnghttp2 '
[ "$names" = "$expected" ] && ok=1 || ok=0
verdict $ok "needs $names; it should be $expected"

# --- no C++ run time: its emergency pool alone is 72,704 bytes ---
found=$(printf '%s\n' "$symbols" | grep '^UND' | tr '\n' ' ' |
  grep -oE '[^ ]*(GLIBCXX|CXXABI|GCC_[0-9]|__cxa_throw|__cxa_begin|_ZSt|_ZNSt|_Zn[wa]m|_Zd[la]Pv)[^ ]*' | tr '\n' ' ')
[ -z "$found" ] && ok=1 || ok=0
verdict $ok "asks for the C++ run time: $found"

# --- the whole malloc family is ours, and the shared libraries see it: a pointer from another's aligned_alloc would end in our free ---
missing=''
for name in malloc calloc realloc free aligned_alloc posix_memalign memalign valloc pvalloc malloc_usable_size; do
  printf '%s\n' "$symbols" | grep -qE "^[0-9]+ $name(@.*)?$" || missing="$missing $name"
done
[ -z "$missing" ] && ok=1 || ok=0
verdict $ok "does not export its own:$missing"

# --- hardening ---
headers=$(readelf -hlWd "$binary")
has() { printf '%s\n' "$headers" | grep -qE "$1" && ok=1 || ok=0; verdict $ok "$2"; }
has 'Type: +DYN' 'is not position independent'
has 'BIND_NOW|Flags:.* NOW' 'binds lazily; the first call of a function would be resolved inside an allocation'
has 'GNU_RELRO' 'has no read-only relocations'
has 'GNU_STACK.* RW ' 'has an executable stack'

printf '%d passed, %d failed\n' $passed $failed
[ $failed = 0 ]
