#!/usr/bin/env bash
# The library against peers that this project did not write.
#
#   scripts/interop.sh [peers|autobahn|autobahn-full]...      (default: peers autobahn)
#
# autobahn leaves out the slow cases; autobahn-full runs all and says so in docs/conformance.md.
# MESSAGES: how many random messages the peers exchange in each way of compressing. PEERS: which (websockets, ws,
# beast). AUTOBAHN: which cases. INTEROP_CFLAGS, INTEROP_LIBRARY, INTEROP_LABEL: another way to compile the hosts,
# another build of the library, its mark among the counts (asan.sh).
set -euo pipefail
source "$(dirname "$0")/common.sh"

scripts/setup.sh test
library=${INTEROP_LIBRARY:-$LIBRARY}
out=$BUILD/interop
mkdir -p "$out"
[[ -n ${INTEROP_LIBRARY:-} ]] || scripts/build.sh --quiet

host() { # host NAME: compiles the C program, prints its path
  # shellcheck disable=SC2086
  cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -g -Wall -Wextra -Wpedantic -Werror -Iinclude ${INTEROP_CFLAGS:-} \
    "interop/$1.c" -o "$out/$1" -L"$library" -lwdsocket -Wl,-rpath,"$library" || return
  echo "$out/$1"
}

beast() { # compiles the peer written with Boost.Beast, unless it is there already, prints its path
  local source=interop/peer_beast.cpp program=$out/peer_beast
  [[ $program -nt $source ]] || c++ -std=c++17 -O1 -Wall -Wextra "$source" -o "$program" -lpthread || return
  echo "$program"
}

status=0
[[ $# -gt 0 ]] || set -- peers autobahn
for part; do
  case $part in
    peers)
      say "Python's websockets, Node's ws, Boost.Beast"
      program=$(host peers)
      peer=$(beast)
      # shellcheck disable=SC2086
      .cache/venv/bin/python interop/peers.py "$program" "$peer" "${MESSAGES:-200}" ${PEERS:-} || status=1
      ;;
    autobahn | autobahn-full)
      case ${AUTOBAHN:+chosen}$part in
        autobahn) options=(--quick --expect 373) ;;
        autobahn-full) options=(--expect 517) ;;
        *) read -ra options <<< "$AUTOBAHN" ;; # the patterns are for the runner, not for the shell
      esac
      say "Autobahn, synchronous and callback host (reports in build/autobahn)"
      program=$(host autobahn)
      .cache/venv/bin/python interop/autobahn.py "$program" sync callback --reports "$BUILD/autobahn" \
        --table docs/conformance.md "${options[@]}" || status=1
      ;;
    *) fail "unknown part '$part'" ;;
  esac
done
exit "$status"
