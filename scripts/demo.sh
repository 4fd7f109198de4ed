#!/usr/bin/env bash
# Builds the library, starts an echo server on a free loopback port, and runs the two examples of the
# documentation against it: examples/echo.c (synchronous) and examples/callbacks.c (events).
set -euo pipefail
source "$(dirname "$0")/common.sh"

scripts/setup.sh demo
say "Building the library and the echo server"
scripts/build.sh

out=$BUILD/demo
mkdir -p "$out"
for name in echo callbacks; do
  # What a host's own build does: the header, the library, and where to find it at run time.
  cc -std=c11 -Wall -Wextra -Iinclude "examples/$name.c" -o "$out/$name" -L"$LIBRARY" -lwdsocket -Wl,-rpath,"$LIBRARY"
done

run() {
  say "$1"
  # The server picks a free port, hands it over in WDSOCKET_TEST_PORT, and ends with the program.
  timeout 60 "$LIBRARY/wdsocket-test-server" --run "$out/$2"
}
run "examples/echo.c: connect, write, wait for the answer" echo
run "examples/callbacks.c: events delivered to a callback" callbacks
say "Both examples ended well. Their source is in examples/, the guide in docs/."
