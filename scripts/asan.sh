#!/usr/bin/env bash
# The C suite and the foreign peers under AddressSanitizer and LeakSanitizer, library and tests both instrumented.
#
# ASAN_QUICK=1 leaves out the foreign peers, as CI does.
set -euo pipefail
source "$(dirname "$0")/common.sh"

scripts/setup.sh asan
host=$(rustc -vV | sed -n 's/^host: //p')

# -Zsanitizer is not stable yet: the nightly compiler where there is one, else the stable one told to be it.
if cargo +nightly --version > /dev/null 2>&1; then
  cargo=(cargo +nightly)
else
  cargo=(env RUSTC_BOOTSTRAP=1 cargo)
fi
say "Building the library with AddressSanitizer (${cargo[*]})"
# --target keeps the flag away from build scripts. Without LTO the build is quick and the reports name functions.
RUSTFLAGS="-Zsanitizer=address" CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
  CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=1 CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true \
  "${cargo[@]}" build --release -p wdsocket --target "$host" --target-dir "$TARGET/asan"
library=$TARGET/asan/$host/release
ln -sf libwdsocket.so "$library/libwdsocket.so.0"
KEEP_DEBUG=1 scripts/localize.sh "$library/libwdsocket.a"
scripts/build.sh --quiet # the test server, which is not under test

# A silently ignored flag would make all that follows worthless. Rust's libraries leave the runtime to the
# program, gcc's here, so that its version must be the one they ask for.
checks=$(objdump -d --no-show-raw-insn "$library/libwdsocket.so" | grep -c 'call.*<__asan_report_' || true)
((checks > 1000)) || fail "the library is not instrumented: $checks calls of __asan_report_*"
wanted=$(nm -D --undefined-only "$library/libwdsocket.so" | grep -o '__asan_version_mismatch_check_v[0-9]*')
printf 'int main(void) { return 0; }' | cc -fsanitize=address -x c - -o "$BUILD/asan-probe"
nm "$BUILD/asan-probe" | grep -q "$wanted" || fail "the C compiler's runtime does not have $wanted"
echo "instrumented: $checks checks in libwdsocket.so"

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:check_initialization_order=1:quarantine_size_mb=8
flags="-fsanitize=address -fno-omit-frame-pointer -g"
sanitized=(-DWDSOCKET_LIBRARY="$library/libwdsocket.so" -DWDSOCKET_STATIC_LIBRARY="$library/libwdsocket.a"
  -DWDSOCKET_SANITIZE=address -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags")
for project in c-tests cpp-tests examples; do
  scripts/ctest.sh "$project" "asan-$project" "${sanitized[@]}"
done
export INTEROP_LABEL=asan- INTEROP_LIBRARY=$library INTEROP_CFLAGS=$flags
[[ -n ${ASAN_QUICK:-} ]] || MESSAGES=60 scripts/interop.sh peers
scripts/tls.sh records
