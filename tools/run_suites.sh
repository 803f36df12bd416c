#!/usr/bin/env bash
# Runs the suites of `make check` and `make test`: one line each, all their output in $BUILD/logs, the end of it shown where
# something failed. The last line counts: `N passed, N failed[, N skipped]`.
#   BUILD=build CXX=g++ tools/run_suites.sh check|test
# check: the release build, unit tests, scenarios. test: also other compilers and flags (in folders below $BUILD), the checks of
# the sources and of the binary, CMake, and the end-to-end checks, which wait more than they work and so run beside the builds.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

mode=${1:-check}
build=${BUILD:-build}
make=${MAKE:-make}
cxx=${CXX:-g++} link=${LINK:-gcc}
python=${PYTHON:-/usr/bin/python3}
logs=$build/logs
jobs=$(nproc)
# Flags and jobs of the make above do not reach down by this way: each build says its own.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES LINK SANITIZE
export LC_ALL=C.UTF-8
rm -rf "$logs"
mkdir -p "$logs"
trap 'kill $(jobs -p) 2> /dev/null' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# What stands in a log that explains a failure: the lines that name one and the end, or the beginning where none does.
explain() {
  if grep -v '^ok - ' "$1" | grep -E -A2 'FAILED  |^not ok|error:|: Error [0-9]|ERROR: ' | head -n 24 | cut -c1-200 | grep .; then
    printf '... the end of %s:\n' "$1"
    tail -n 15 "$1" | cut -c1-200
  else
    head -n 15 "$1" | cut -c1-200
    printf '... all of it in %s\n' "$1"
  fi
}

# suite NAME COMMAND…: runs it; the last line of its output must be the count.
suite() {
  local name=$1 file=${1//:/} began=$EPOCHREALTIME log status last passed=0 failed=1 skipped=0 seconds text
  file=$logs/${file// /-} log=$file.log
  shift
  "$@" > "$log" 2>&1
  status=$?
  last=$(tail -n 1 "$log")
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
    passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]} skipped=${BASH_REMATCH[4]:-0}
    if [ $status != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
    if [ $((passed + failed + skipped)) = 0 ]; then failed=1; fi  # a suite that does nothing proves nothing
  fi
  seconds=$(awk -v from="$began" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }')
  printf '%s\n' "$passed $failed $skipped" > "$file.result"
  text=$(printf '%-26s %5d passed, %d failed%s' "$name" "$passed" "$failed" "$([ "$skipped" = 0 ] || printf ', %d SKIPPED' "$skipped")")
  text=$(printf '%-58s %6s s' "$text" "$seconds")
  [ "$skipped" = 0 ] || text+=$'\n'$(grep -i 'skip' "$log" | grep -v ' passed, ' | head -n 4 | sed 's/^/    | /')
  if [ "$failed" != 0 ]; then
    text+=$'\n'$(explain "$log" | sed 's/^/    | /')
    { printf '%s:\n' "$name"; explain "$log" | head -n 16 | sed 's/^/    | /'; } >> "$logs/failures"
  fi
  # Not a failure, but worth a look: what passed only when it was tried again.
  ! grep -q '^again - ' "$log" || text+=$'\n'$(grep -A2 '^again - ' "$log" | head -n 12 | cut -c1-200 | sed 's/^/    | /' | tee -a "$logs/failures")
  printf '%s\n' "$text"  # one write: two lanes share the terminal
  [ "$failed" = 0 ]
}

# A command that passes or fails as a whole.
whole() { if "$@"; then echo '1 passed, 0 failed'; else echo '0 passed, 1 failed'; return 1; fi; }
# Several commands that count; their sum.
sum() {
  local log
  log=$(mktemp)
  for command; do $command; echo "exit status $?"; done | tee "$log"
  awk '/^[0-9]+ passed, [0-9]+ failed/ { p += $1; f += $3; s += $5; said = 1 }
       /^exit status / { if (!said || ($3 != 0 && f == 0)) f++; said = 0 }
       END { printf "%d passed, %d failed%s\n", p, f, (s ? ", " s " skipped" : "") }' "$log"
  rm -f "$log"
}

built() { whole nice -n "$1" "$make" -j"$jobs" --no-print-directory BUILD="$2" "${@:3}"; }
units() { find "$1/unit" -maxdepth 1 -type f -perm -u+x | sort; }
run_units() { tools/count_tests.sh $(units "$1"); }
# With the C library's heap the tests of our own have nothing to test; they ran in the release build.
run_units_without_gate() {
  run_units "$1" | sed '$s/\(.*\), \([0-9]*\) skipped$/not here: \2 that need the heap gate\n\1/'
  return "${PIPESTATUS[0]}"
}

run_ctest() {
  local out=$logs/ctest.out
  nice -n 10 ctest --test-dir "$1" --output-on-failure 2>&1 | tee "$out"
  awk '/tests passed, .* tests failed out of/ { f = $4; p = $NF - f; found = 1 }
       END { if (!found) f = 1; printf "%d passed, %d failed\n", p, f; exit (f > 0) }' "$out"
}
built_by_cmake() {
  whole sh -c 'CXX=$2 CC=$3 nice -n 10 cmake -S . -B "$1" && nice -n 10 cmake --build "$1" -j"$4"' \
    sh "$build/cmake" "$cxx" "$link" "$jobs"
}

# --- the lanes --------------------------------------------------------------
release() {
  suite 'build' built 0 "$build" CXX="$cxx" LINK="$link" programs || return 1
  suite 'unit tests' run_units "$build"
  suite 'scenarios' tools/count_tests.sh "$build/scenario"
  return 0
}

sources() {
  suite 'layers' sum 'tools/check_layers.sh' 'tools/check_layers.sh --self-test'
  suite 'style' sum 'tools/check_style.sh' 'tools/check_style.sh --self-test'
}

# Leaks included. The sanitizers' own library wants the address space that the heap gate would reserve: the C library's heap.
sanitizers() {
  export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
  suite 'sanitizers: build' built 10 "$build/sanitizers" SANITIZE=1 CXX="$cxx" LINK="$link" CXXFLAGS='-O1 -g1' CPPFLAGS= LDFLAGS= programs || return
  suite 'sanitizers: unit tests' run_units_without_gate "$build/sanitizers"
  suite 'sanitizers: scenarios' tools/count_tests.sh "$build/sanitizers/scenario"
}

other_compiler() {
  local clang
  clang=$(command -v clang++-14 || command -v clang++ || echo clang++)
  suite 'clang: build' built 10 "$build/clang" CXX="$(basename "$clang")" CXXFLAGS=-O1 CPPFLAGS= LDFLAGS= programs || return
  suite 'clang: unit tests' run_units "$build/clang"
  suite 'clang: scenarios' tools/count_tests.sh "$build/clang/scenario"
}

by_cmake() {
  suite 'CMake: build' built_by_cmake || return
  suite 'CMake: unit tests' run_ctest "$build/cmake"
  suite 'CMake: needed libraries' tools/check_needed.sh "$build/cmake/tocsin"
  suite 'CMake: same binary' whole tools/same_binary.sh "$build/tocsin" "$build/cmake/tocsin"
}

# Programs of others against ours. Those that `make setup` could not fetch are skipped.
peers() { suite 'programs of others' "$python" test/peers/compare.py --speaker "$build/speaker"; }

# Hostile input for a minute, from the seeds that are kept.
fuzzed() { nice -n 10 "$make" -j"$jobs" --no-print-directory BUILD="$build" fuzz SECONDS=60; }

# Real servers. They wait more than they work.
end_to_end() {
  suite 'stand-in' "$python" test/e2e/standin_test.py
  suite 'stand-in (FCM)' "$python" test/e2e/standin_fcm_test.py
  suite 'stand-in (Web Push)' "$python" test/e2e/standin_webpush_test.py
  suite 'end-to-end checks' "$python" test/e2e/run.py --binary "$build/tocsin"
  suite 'check --online' "$python" test/e2e/online_test.py --binary "$build/tocsin"
  suite 'HTTPS listener' "$python" test/e2e/listener_test.py --binary "$build/tocsin"
  suite 'setup command' "$python" test/e2e/setup_test.py --binary "$build/tocsin"
  suite 'registry command' "$python" test/e2e/registry_test.py --binary "$build/tocsin"
  suite 'kills and full disks' "$python" test/e2e/durability_test.py --binary "$build/tocsin"
  suite 'README' "$python" test/e2e/readme_check.py --binary "$build/tocsin"
}

began=$SECONDS
case $mode in
  check) release ;;
  test)
    export CI=1
    unset CXXFLAGS CPPFLAGS LDFLAGS
    sources
    if release; then
      suite 'needed libraries' tools/check_needed.sh "$build/tocsin"
      end_to_end &
      sanitizers
      other_compiler
      by_cmake
      peers
      suite 'fuzzing' fuzzed
      wait
    fi
    ;;
  *) echo "run_suites: check or test, not '$mode'" >&2; exit 64 ;;
esac

# --- the summary ------------------------------------------------------------
number() { awk '{ print $1 + $2 + $3 }' "$logs/$1.result" 2> /dev/null || echo 0; }
points() { grep -ohE '^[0-9]+ crash points' "$logs"/*unit-tests.log 2> /dev/null | awk '{ sum += $1 } END { print sum + 0 }'; }
printf '\n%s unit tests, %s scenarios, %s crash points' "$(number unit-tests)" "$(number scenarios)" "$(points)"
[ "$mode" = check ] || printf ', %s end-to-end checks' "$(number end-to-end-checks)"
printf '; in all builds together, in %d min %02d s:\n' $(((SECONDS - began) / 60)) $(((SECONDS - began) % 60))
# Said again where it is read first: the lines above may be far away.
[ ! -e "$logs/failures" ] || cat "$logs/failures"
awk '{ p += $1; f += $2; s += $3 }
     END { printf "%d passed, %d failed%s\n", p, f, (s ? ", " s " skipped" : ""); exit (f > 0 || p == 0) }' "$logs"/*.result
