#!/usr/bin/env bash
# Builds the library, and the server of the tests, into target/release.
set -euo pipefail
source "$(dirname "$0")/common.sh"

cargo build --release --workspace "$@"
# Programs ask for the library by its SONAME, which cargo does not know.
ln -sf libwdsocket.so "$LIBRARY/libwdsocket.so.0"
scripts/localize.sh "$LIBRARY/libwdsocket.a"
