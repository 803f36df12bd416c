#!/bin/sh
# Runs CMocka programs, shows their output and ends with `N passed, N failed[, N skipped]`, counted from what they said:
#   tools/count_tests.sh PROGRAM…
# A test that began and did not end (a crash) is failed, so is a program that says less than its exit status, or nothing.
set -u

log=$(mktemp)
trap 'rm -f "$log"' EXIT
[ $# -gt 0 ] || { echo '0 passed, 1 failed'; exit 1; }

total='0 0 0'
for program; do
  "$program" > "$log" 2>&1
  status=$?
  cat "$log"
  total=$(awk -v status=$status -v total="$total" -v program="$program" '
    # Names of skipped and failed tests come again in a list at the end.
    /^\[ RUN      \] / { ran++; running = 1 }
    /^\[       OK \] / && running { passed++; running = 0 }
    /^\[  SKIPPED \] / && running { skipped++; running = 0 }
    END {
      failed = ran - passed - skipped
      if (failed < 1 && (status != 0 || ran == 0)) failed = 1
      split(total, sum, " ")
      print sum[1] + passed, sum[2] + failed, sum[3] + skipped
    }' "$log")
  [ $status = 0 ] || printf '%s: exit status %s\n' "$program" "$status"
done
# shellcheck disable=SC2086  # three numbers
set -- $total
printf '%s passed, %s failed' "$1" "$2"
if [ "$3" -gt 0 ]; then printf ', %s skipped' "$3"; fi
printf '\n'
[ "$2" = 0 ]
