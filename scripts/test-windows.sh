#!/usr/bin/env bash
# The tests on the DLLs for Windows, with Wine, 64 and 32 bits; servers and proxies run outside.
#
#   scripts/test-windows.sh [64|32]... [-- CTEST-ARGUMENT...]      (default: both)
#
# WINDOWS_QUICK=1 leaves out of TLS all but whom it trusts, as CI does.
# Six programs at a time: they mostly wait. What Wine shows and what it cannot: docs/windows.md.
set -euo pipefail
source "$(dirname "$0")/common.sh"

widths=()
while (($#)) && [[ $1 != -- ]]; do
  widths+=("$1")
  shift
done
(($# == 0)) || shift
((${#widths[@]})) || widths=(64 32)

# While the small system for 32 bits is made, which mostly waits, the compiler works.
scripts/setup.sh wine64
setting_up=
if [[ " ${widths[*]} " == *" 32 "* ]]; then
  scripts/setup.sh wine32 &
  setting_up=$!
fi
scripts/windows.sh "${widths[@]}"
scripts/build.sh --quiet # the test server
[[ -z $setting_up ]] || wait "$setting_up"

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

say "Left out on Windows: POSIX alone has it, or why nothing takes its place"
sed -n '/^# What only POSIX systems have/,/^if(UNIX)/s/^#   //p' c-tests/programs.cmake

status=0
for width in "${widths[@]}"; do
  say "C tests, Windows, $width bits"
  # The first program makes Wine's folder: not while others start. Nobody manages windows on that screen: Wine would
  # wait two seconds for such a one whenever a window closes.
  scripts/wine.sh "$width" reg add 'HKCU\Software\Wine\X11 Driver' /v Managed /d N /f > "$BUILD/wine$width.log" 2>&1 ||
    { cat "$BUILD/wine$width.log"; fail "Wine does not start"; }
  # While a program runs, so do Wine's services and its desktop. Otherwise a program of the tests would start them, and
  # they would hold on to its standard error after it has ended. The desktop comes with the first window, rundll32's.
  ready=$BUILD/wine-ready$width
  rm -f "$ready"
  { printf 'rundll32 user32.dll,GetDesktopWindow & echo up > %s\r\n' "build\\wine-ready$width"; exec sleep 3600; } \
    > >(scripts/wine.sh "$width" cmd > /dev/null 2>&1) &
  keepers+=($!)
  for _ in {1..300}; do
    [[ ! -s $ready ]] || break
    kill -0 "${keepers[-1]}" 2> /dev/null || fail "Wine's desktop did not start"
    sleep 0.2
  done
  [[ -s $ready ]] || fail "Wine's desktop did not start"
  scripts/ctest.sh c-tests "windows-$width" -DCMAKE_TOOLCHAIN_FILE="$ROOT/c-tests/mingw.cmake" -DWDSOCKET_WIDTH="$width" \
    "-DWDSOCKET_EMULATOR=$ROOT/scripts/wine.sh;$width" -DWDSOCKET_LIBRARY="$BUILD/windows/$width/libwdsocket$width.dll.a" \
    -DWDSOCKET_DLL="$BUILD/windows/$width/wdsocket$width.dll" -DWDSOCKET_STATIC_LIBRARY= -- -j6 "$@" || status=1

  say "A chat window, Windows, $width bits"
  examples/win32-chat/test.sh "$width" "$BUILD/win32-chat$width.png" && add_count "win32-chat-$width" 1 0 ||
    { add_count "win32-chat-$width" 0 1; status=1; }

  say "What WinDev calls, Windows, $width bits"
  tools=x86_64-w64-mingw32
  [[ $width = 64 ]] || tools=i686-w64-mingw32
  out=$BUILD/windows-$width
  "$tools-gcc" -std=c11 -Wall -Wextra -Werror windev/calls.c -o "$out/calls.exe" -static
  "$LIBRARY/wdsocket-test-server" --run scripts/wine.sh "$width" "$out/calls.exe" && add_count "windev-$width" 1 0 ||
    { add_count "windev-$width" 0 1; status=1; }

  host() { # host SOURCE NAME: compiles a host of the tests for Windows; prints the path of a program that runs it
    "$tools-gcc" -std=c11 -D__USE_MINGW_ANSI_STDIO=1 -pthread -O1 -Wall -Wextra -Wpedantic -Werror -Iinclude "$1" \
      -o "$out/$2.exe" -static -L"$BUILD/windows/$width" "-lwdsocket$width" || return
    printf '#!/bin/sh\nexec "%s/scripts/wine.sh" %d "%s/%s.exe" "$@"\n' "$ROOT" "$width" "$out" "$2" > "$out/$2.sh"
    chmod +x "$out/$2.sh"
    echo "$out/$2.sh"
  }

  say "TLS and proxies, Windows, $width bits"
  program=$(host tls-tests/host.c tls-host)
  runners=(verification records proxies)
  [[ -z ${WINDOWS_QUICK:-} ]] || runners=(verification)
  # Their files where the small system for 32 bits sees them.
  for runner in "${runners[@]}"; do
    TMPDIR=$out TLS_TESTS_SYSTEM=windows INTEROP_LABEL="windows-$width-" \
      .cache/venv/bin/python -B "tls-tests/$runner.py" "$program" "$LIBRARY/wdsocket-test-server" || status=1
  done

  # The same code as in the other width decides here.
  [[ $width = 64 ]] || continue
  say "Autobahn without compression, Windows, $width bits"
  program=$(host interop/autobahn.c autobahn)
  .cache/venv/bin/python interop/autobahn.py "$program" sync callback --reports "$out/autobahn" \
    --exclude '12.*' --exclude '13.*' --expect 301 || status=1
done

say "The declarations for WinDev"
python3 windev/check.py && add_count windev-declarations 1 0 || { add_count windev-declarations 0 1; status=1; }
python3 windev/check.py --self-test || status=1
exit "$status"
