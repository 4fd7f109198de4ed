#!/usr/bin/env bash
# TLS and proxies, against servers and proxies that this project did not write, and against one that controls every
# record. See tls-tests/README.md.
#
#   scripts/tls.sh [verification|records|servers|proxies]...      (default: all)
#
# ONLY: a part of the promises that are to be checked. INTEROP_CFLAGS, INTEROP_LIBRARY, INTEROP_LABEL: as for
# interop.sh.
set -euo pipefail
source "$(dirname "$0")/common.sh"

scripts/setup.sh tls
library=${INTEROP_LIBRARY:-$LIBRARY}
out=$BUILD/tls-tests
mkdir -p "$out"
[[ -n ${INTEROP_LIBRARY:-} ]] || scripts/build.sh --quiet

# shellcheck disable=SC2086
cc -std=c11 -pthread -O1 -g -Wall -Wextra -Wpedantic -Werror -Iinclude ${INTEROP_CFLAGS:-} \
  tls-tests/host.c -o "$out/host" -L"$library" -lwdsocket -Wl,-rpath,"$library"

status=0
[[ $# -gt 0 ]] || set -- verification records servers proxies
for part; do
  case $part in
    verification) say "Whom TLS trusts" ;;
    records) say "TLS records, ends, queues" ;;
    servers) say "websockets with TLS, nginx, HAProxy" ;;
    proxies) say "tinyproxy, HAProxy, microsocks" ;;
    *) fail "unknown part '$part'" ;;
  esac
  .cache/venv/bin/python -B "tls-tests/$part.py" "$out/host" "$LIBRARY/wdsocket-test-server" "${ONLY:-}" || status=1
done
exit "$status"
