#!/bin/sh
# Are two builds of one source the same program? Compared is what is loaded and run; debug information, which names the build
# folder, and the build id, which is made of it, are left out.
#   tools/same_binary.sh build/tocsin build/cmake/tocsin
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
objcopy --strip-all --remove-section .note.gnu.build-id "$1" "$work/one"
objcopy --strip-all --remove-section .note.gnu.build-id "$2" "$work/other"
cmp "$work/one" "$work/other" || { echo "$1 and $2 differ; sizes:"; size "$1" "$2"; exit 1; }
echo "$1 and $2 are the same program"
