#!/usr/bin/env bash
# The C tests on the DLLs for Windows, with Wine, 64 and 32 bits; the test server runs outside.
#
#   scripts/test-windows.sh [64|32]... [-- CTEST-ARGUMENT...]      (default: both)
#
# What Wine shows and what it cannot: docs/windows.md.
set -euo pipefail
source "$(dirname "$0")/common.sh"

widths=()
while (($#)) && [[ $1 != -- ]]; do
  widths+=("$1")
  shift
done
(($# == 0)) || shift
((${#widths[@]})) || widths=(64 32)

scripts/setup.sh wine
scripts/windows.sh "${widths[@]}"
scripts/build.sh --quiet # the test server

# Windows that are shown need a screen.
display=$(mktemp)
Xvfb -displayfd 3 -screen 0 1024x768x24 -nolisten tcp 3> "$display" 2> /dev/null &
screen=$!
keepers=()
finish() {
  ((${#keepers[@]} == 0)) || kill "${keepers[@]}" 2> /dev/null || true
  for width in "${widths[@]}"; do scripts/wine.sh "$width" --stop > /dev/null 2>&1 || true; done
  kill "$screen" 2> /dev/null || true
  rm -f "$display"
}
trap finish EXIT
for _ in {1..100}; do
  [[ ! -s $display ]] || break
  kill -0 "$screen" 2> /dev/null || fail "Xvfb did not start"
  sleep 0.1
done
DISPLAY=:$(< "$display")
export DISPLAY

status=0
for width in "${widths[@]}"; do
  say "C tests, Windows, $width bits"
  # The first program makes Wine's folder: not while others start.
  scripts/wine.sh "$width" wineboot -u > "$BUILD/wineboot$width.log" 2>&1 || { cat "$BUILD/wineboot$width.log"; fail "Wine does not start"; }
  # While a program runs, so do Wine's services. Otherwise each program would start them, and they would hold on to
  # its output after it has ended.
  sleep 3600 > >(scripts/wine.sh "$width" cmd > /dev/null 2>&1) &
  keepers+=($!)
  scripts/ctest.sh c-tests "windows-$width" -DCMAKE_TOOLCHAIN_FILE="$ROOT/c-tests/mingw.cmake" -DWDSOCKET_WIDTH="$width" \
    "-DWDSOCKET_EMULATOR=$ROOT/scripts/wine.sh;$width" -DWDSOCKET_LIBRARY="$BUILD/windows/$width/libwdsocket$width.dll.a" \
    -DWDSOCKET_DLL="$BUILD/windows/$width/wdsocket$width.dll" -DWDSOCKET_STATIC_LIBRARY= -- "$@" || status=1
done
exit "$status"
