#!/usr/bin/env bash
# Everything but the sanitizer and the models: the Rust tests, the header, the C suite on the built library and on
# an installed copy, the peers that this project did not write, the Autobahn cases (AUTOBAHN_PART=autobahn-full: the slow
# ones too), TLS and proxies.
set -euo pipefail
source "$(dirname "$0")/common.sh"

scripts/setup.sh test

say "Building"
scripts/build.sh

say "Rust tests"
status=0
cargo test --workspace 2>&1 | tee "$BUILD/cargo-test.log" || status=$?
count_cargo rust "$BUILD/cargo-test.log"
((status == 0)) || exit "$status"

scripts/check-header.sh
scripts/check-docs.sh

projects=(c-tests cpp-tests examples)
say "C tests, C++ tests, examples"
for project in "${projects[@]}"; do
  scripts/ctest.sh "$project" "$project"
done

say "The same on an installed copy"
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
PREFIX=$prefix scripts/install.sh
for project in "${projects[@]}"; do
  scripts/ctest.sh "$project" "installed-$project" -DWDSOCKET_ROOT="$prefix"
done

scripts/interop.sh peers "${AUTOBAHN_PART:-autobahn}"
scripts/tls.sh

say "All tests"
report_counts
