#!/usr/bin/env bash
# The library against peers that this project did not write.
#
#   scripts/interop.sh [peers|autobahn]...      (default: both)
#
# MESSAGES: how many random messages the peers exchange. AUTOBAHN: which cases. INTEROP_CFLAGS, INTEROP_LIBRARY,
# INTEROP_LABEL: another way to compile the hosts, another build of the library, its mark among the counts (asan.sh).
set -euo pipefail
source "$(dirname "$0")/common.sh"

scripts/setup.sh test
library=${INTEROP_LIBRARY:-$LIBRARY}
out=$BUILD/interop
mkdir -p "$out"
[[ -n ${INTEROP_LIBRARY:-} ]] || scripts/build.sh --quiet

# Without permessage-deflate there is nothing to learn from 12.* and 13.*.
autobahn=${AUTOBAHN:---exclude 12.* --exclude 13.* --expect 301}

host() { # host NAME: compiles the C program, prints its path
  # shellcheck disable=SC2086
  cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -g -Wall -Wextra -Wpedantic -Werror -Iinclude ${INTEROP_CFLAGS:-} \
    "interop/$1.c" -o "$out/$1" -L"$library" -lwdsocket -Wl,-rpath,"$library"
  echo "$out/$1"
}

status=0
[[ $# -gt 0 ]] || set -- peers autobahn
for part; do
  case $part in
    peers)
      say "Python's websockets and Node's ws"
      program=$(host peers)
      .cache/venv/bin/python interop/peers.py "$program" "${MESSAGES:-200}" || status=1
      ;;
    autobahn)
      say "Autobahn, synchronous and callback host (reports in build/autobahn)"
      program=$(host autobahn)
      set -f # the patterns are for the runner, not for the shell
      # shellcheck disable=SC2086
      .cache/venv/bin/python interop/autobahn.py "$program" sync callback --reports "$BUILD/autobahn" $autobahn || status=1
      set +f
      ;;
    *) fail "unknown part '$part'" ;;
  esac
done
exit "$status"
