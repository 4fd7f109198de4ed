#!/usr/bin/env bash
# The time that the hot parts take, and looking names up by 8 threads at once (bench/micro).
#
#   scripts/microbench.sh [FILTER]... [--sample-count N]...     (arguments of divan)
set -euo pipefail
source "$(dirname "$0")/common.sh"

scripts/setup.sh build
host=$(rustc -vV | sed -n 's/^host: //p')
same_dependencies bench/micro
RUSTFLAGS="--cfg benching" cargo bench --locked --manifest-path bench/micro/Cargo.toml --target "$host" --target-dir "$TARGET" \
  --bench parts -- "$@"
