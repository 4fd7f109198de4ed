#!/usr/bin/env bash
# The concurrency models: the hand-over between host threads and service task, and the event queue.
set -euo pipefail
source "$(dirname "$0")/common.sh"

# A folder of its own: this is another build of the library, which must not replace the real one.
log=$BUILD/model.log
status=0
# Without LTO it is built in half the time and runs as fast.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
export WDSOCKET_SCHEDULES=${WDSOCKET_SCHEDULES:-10000}
RUSTFLAGS="--cfg shuttle" cargo test --release --lib --target-dir "$TARGET/model" models 2>&1 | tee "$log" || status=$?
count_cargo models "$log"
exit "$status"
