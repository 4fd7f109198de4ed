#!/usr/bin/env bash
# The fuzz targets, FUZZ_SECONDS each (20), two at a time: their corpus in fuzz/corpus first, then what grows from it.
#
#   scripts/fuzz.sh [TARGET]...     (default: all)
#
# fuzz/ is laid out for cargo-fuzz, and `cargo fuzz run TARGET` works too. This does the same with cargo alone:
# building cargo-fuzz takes as long as all targets run here.
set -euo pipefail
source "$(dirname "$0")/common.sh"

scripts/setup.sh fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
if (($#)); then targets=("$@"); else mapfile -t targets < <(ls fuzz/corpus); fi

# What is fuzzed must be what is shipped.
same_dependencies fuzz

# As cargo-fuzz has them, but for the tracing of comparisons, which takes three quarters of the time: what it would
# find is in the dictionaries. The sanitizer is not stable yet; the stable compiler is told that it is nightly.
flags=(-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-simplifycfg-branch-fold-threshold=0 -Cllvm-args=-sanitizer-coverage-stack-depth
  -Zsanitizer=address -Cdebug-assertions -Ccodegen-units=1 --cfg fuzzing)
say "Building the fuzz targets"
# --target keeps the flags away from build scripts and what they need, which so can be what the library's own build
# has left here.
RUSTC_BOOTSTRAP=1 RUSTFLAGS="${flags[*]}" \
  cargo build --locked --release --manifest-path fuzz/Cargo.toml --target "$host" --target-dir "$TARGET"

export ASAN_OPTIONS=detect_odr_violation=0:quarantine_size_mb=8
export PROGRAMS=$TARGET/$host/release WORK=$BUILD/fuzz FUZZ_SECONDS=${FUZZ_SECONDS:-20}

# A crash, a leak, an input that takes 1 s of the processor (the targets look at that themselves) or 10 s in all,
# and too much memory, in one piece or in all, fail.
fuzz() {
  local target=$1 log=$WORK/$1.log
  local options=(-max_total_time="$FUZZ_SECONDS" -max_len=4096 -timeout=10 -rss_limit_mb=512 -malloc_limit_mb=16
    -artifact_prefix="$WORK/$target-" -print_final_stats=1)
  [[ ! -f fuzz/$target.dict ]] || options+=(-dict="fuzz/$target.dict")
  mkdir -p "$WORK/corpus/$target"
  if "$PROGRAMS/$target" "${options[@]}" "$WORK/corpus/$target" "fuzz/corpus/$target" > "$log" 2>&1; then
    awk -v target="$target" '/DONE/ { cov = $4 } /number_of_executed_units/ { runs = $2 } /peak_rss_mb/ { rss = $2 }
      END { printf "%-12s %8d inputs, coverage %d, at most %d MiB\n", target, runs, cov, rss }' "$log"
  else
    grep -E -A3 'panicked at|ERROR: |^Base64:|Test unit written' "$log" | cut -c1-2000 || tail -20 "$log"
    return 1
  fi
}
export -f fuzz

mkdir -p "$WORK"
rm -f "$WORK"/*.failed
say "Fuzzing, $FUZZ_SECONDS s each: ${targets[*]}"
failed=0
printf '%s\0' "${targets[@]}" | xargs -0 -n1 -P2 bash -c 'fuzz "$1" || touch "$WORK/$1.failed"' fuzz
for target in "${targets[@]}"; do
  [[ ! -e $WORK/$target.failed ]] || { echo "failed: $target, see $WORK/$target.log"; failed=$((failed + 1)); }
done
add_count fuzz $((${#targets[@]} - failed)) "$failed"
((failed == 0))
