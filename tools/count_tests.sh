#!/bin/sh
# Runs CMocka programs, shows their output and ends with `N passed, N failed[, N skipped]`, counted from what they said:
#   tools/count_tests.sh PROGRAM…
# Each is run in as many parts as there are processors, side by side. A test that began and did not end (a crash) is failed, so is a
# program that says less than its exit status, or nothing.
set -u

[ $# -gt 0 ] || { echo '0 passed, 1 failed'; exit 1; }
parts=$(nproc 2> /dev/null || echo 1)
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

number=0
for program; do
  number=$((number + 1))
  part=0
  while [ $part -lt "$parts" ]; do
    part=$((part + 1))
    printf '%s\0%s\0%s\0' "$program" "$part/$parts" "$logs/$number.$part"
  done
done | xargs -0 -n 3 -P "$parts" sh -c '"$1" --part "$2" > "$3.log" 2>&1; echo $? > "$3.status"' sh

total='0 0 0'
number=0
for program; do
  number=$((number + 1))
  cat "$logs/$number".*.log
  status=$(sort -n "$logs/$number".*.status | tail -n 1)
  total=$(cat "$logs/$number".*.log | awk -v status="$status" -v total="$total" '
    # Names of skipped and failed tests come again in a list at the end.
    /^\[ RUN      \] / { ran++; running = 1 }
    /^\[       OK \] / && running { passed++; running = 0 }
    /^\[  SKIPPED \] / && running { skipped++; running = 0 }
    END {
      failed = ran - passed - skipped
      if (failed < 1 && (status != 0 || ran == 0)) failed = 1
      split(total, sum, " ")
      print sum[1] + passed, sum[2] + failed, sum[3] + skipped
    }')
  [ "$status" = 0 ] || printf '%s: exit status %s\n' "$program" "$status"
done
# shellcheck disable=SC2086  # three numbers
set -- $total
printf '%s passed, %s failed' "$1" "$2"
if [ "$3" -gt 0 ]; then printf ', %s skipped' "$3"; fi
printf '\n'
[ "$2" = 0 ]
