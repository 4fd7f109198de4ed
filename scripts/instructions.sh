#!/usr/bin/env bash
# Counts the instructions that an operation of each hot part takes (bench/micro), and fails where one takes 5 % more than
# bench/instructions.json says. Counts, not seconds: a busy machine changes nothing.
#
#   scripts/instructions.sh [--update] [PART]...     (default: all; --update writes the file)
set -euo pipefail
source "$(dirname "$0")/common.sh"

scripts/setup.sh instructions
host=$(rustc -vV | sed -n 's/^host: //p')
same_dependencies bench/micro

say "Building the hot parts"
# --target keeps the flag away from build scripts and what they need, which so can be what the library's own build
# has left here.
RUSTFLAGS="--cfg benching" \
  cargo build --locked --release --manifest-path bench/micro/Cargo.toml --target "$host" --target-dir "$TARGET"

say "Counting instructions"
# Which memcpy glibc takes depends on the processor. Here it is the one that all have, and not "rep movsb", of which every
# byte counts as an instruction. What Rust code chooses by the processor (simdutf8, the masking keys' generator) cannot be
# fixed: that is part of what the counts are compared under. (valgrind shows programs no more than AVX2.)
off=AVX,AVX2,AVX512F,AVX512VL,AVX512BW,AVX_Fast_Unaligned_Load,RTM,ERMS,FSRM,Prefer_ERMS,Prefer_FSRM
GLIBC_TUNABLES=glibc.cpu.hwcaps=-${off//,/,-} \
  python3 scripts/instructions.py "$TARGET/$host/release/wdsocket-micro" "$@"
