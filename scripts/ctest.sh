#!/usr/bin/env bash
# Builds one of the CMake projects with tests against one build of the library and runs them, four at a time.
#
#   scripts/ctest.sh c-tests|cpp-tests|examples NAME [CMAKE-ARGUMENT]... [-- CTEST-ARGUMENT...]
#
# NAME is the folder in build/ and the name among the counts. The library is target/release's unless CMake is told
# another (WDSOCKET_LIBRARY, or WDSOCKET_ROOT for an installed copy).
set -euo pipefail
source "$(dirname "$0")/common.sh"

(($# >= 2)) || fail "usage: ctest.sh c-tests|cpp-tests|examples NAME [CMAKE-ARGUMENT]... [-- CTEST-ARGUMENT...]"
source_folder=$1 name=$2
shift 2
arguments=(-DWDSOCKET_TEST_SERVER="$LIBRARY/wdsocket-test-server")
case $source_folder in
  examples) arguments+=(-DWDSOCKET_ALL_EXAMPLES=ON) ;;
  cpp-tests) arguments+=(-DWDSOCKET_ASAN=OFF) ;; # asan.sh does it, with the library instrumented too
esac
[[ " $* " == *WDSOCKET_ROOT=* || " $* " == *WDSOCKET_LIBRARY=* ]] ||
  arguments+=(-DWDSOCKET_LIBRARY="$LIBRARY/libwdsocket.so" -DWDSOCKET_STATIC_LIBRARY="$LIBRARY/libwdsocket.a")
while (($#)) && [[ $1 != -- ]]; do
  arguments+=("$1")
  shift
done
(($# == 0)) || shift

folder=$BUILD/$name
mkdir -p "$folder"
# Only what goes wrong is worth reading.
quietly() { "$@" >> "$folder/build-output.txt" 2>&1 || { cat "$folder/build-output.txt" >&2; fail "building $source_folder failed"; }; }
# An earlier run's answers, about another library perhaps, do not count.
rm -f "$folder/CMakeCache.txt" "$folder/build-output.txt"
quietly cmake -S "$source_folder" -B "$folder" "${arguments[@]}"
quietly cmake --build "$folder" -j "$(nproc)"

results=$folder/results.xml
rm -f "$results"
status=0
ctest --test-dir "$folder" -j4 --output-on-failure --no-tests=error --output-junit "$results" "$@" || status=$?
[[ ! -f $results ]] || count_junit "$name" "$results"
# What a program could not show here, it has said.
sed -n 's/^skipped /Skipped: /p' "$folder/Testing/Temporary/LastTest.log" | sort -u
exit "$status"
