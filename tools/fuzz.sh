#!/bin/sh
# Runs the fuzzers that were built, for so many seconds in all, each from its seeds and from what earlier runs have learned:
#   tools/fuzz.sh BUILD SECONDS      `make fuzz`; the last line is `N passed, N failed`
# What made one fail stands in BUILD/found-*, and the command that repeats it above the count.
set -u
build=$1 seconds=$2
passed=0 failed=0
# Everything is static, and who looks for leaks wants to trace, which containers refuse.
export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1

# Each has its share of the time.
set -- "$build"/*_fuzz
each=$(((seconds + $# - 1) / $#))

for program; do
  name=$(basename "$program" _fuzz)
  mkdir -p "$build/corpus/$name"
  log=$build/$name.log
  if "$program" -max_total_time="$each" -timeout=10 -rss_limit_mb=1024 -max_len=16385 -print_final_stats=1 \
    -artifact_prefix="$build/found-$name-" "$build/corpus/$name" "test/fuzz/seeds/$name" > "$log" 2>&1; then
    passed=$((passed + 1))
    awk -v name="$name" '/^#[0-9]+.*cov:/ { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
      /number_of_executed_units/ { runs = $2 } /average_exec_per_sec/ { rate = $2 }
      END { printf "%s: %d runs, %d a second, %d edges covered\n", name, runs, rate, cov }' "$log"
  else
    failed=$((failed + 1))
    grep -vE '^#[0-9]+|^"' "$log" | tail -n 60
    found=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    printf '%s: failed; again: %s %s\n' "$name" "$program" "$found"
  fi
done
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
