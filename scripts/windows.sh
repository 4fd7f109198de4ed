#!/usr/bin/env bash
# Builds the DLLs for Windows into build/windows/64 and build/windows/32, on a system that is not Windows.
#
#   scripts/windows.sh [64|32]...      (default: both)
#
# Rust's library for the targets comes from rustup where it has them, else from Debian's packages, as source:
# WDSOCKET_WINDOWS_RUST=rustup or debian chooses.
set -euo pipefail
source "$(dirname "$0")/common.sh"

scripts/setup.sh windows
[[ $# -gt 0 ]] || set -- 64 32

has_target() { [[ -d $(rustc --print sysroot)/lib/rustlib/$1/lib ]]; }

# With Debian's compiler, which has no library for Windows: it is built along. What its linker wants beside it, for
# 32 bits, too.
debian_build() { # TARGET
  scripts/setup.sh windows-debian
  local target=$1 flags=() source
  if [[ $target == i686-* ]]; then
    source=$(find /usr/src -maxdepth 4 -path '*/rtstartup' -type d | sort | tail -1)
    mkdir -p "$BUILD/windows/startup"
    for object in rsbegin rsend; do
      RUSTC_BOOTSTRAP=1 /usr/bin/rustc --target "$target" --emit=obj -o "$BUILD/windows/startup/$object.o" "$source/$object.rs"
    done
    flags=(-L "native=$BUILD/windows/startup")
  fi
  RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS="${RUSTFLAGS:-} ${flags[*]}" /usr/bin/cargo build --release -p wdsocket --lib \
    -Zbuild-std=std,panic_unwind --target "$target" --target-dir "$TARGET/debian"
}

triple() {
  case $1 in
    64) echo x86_64 ;;
    32) echo i686 ;;
    *) fail "unknown width '$1' (64, 32)" ;;
  esac
}

# What rustup has is built at once, so that both cores have something to do.
declare -A how
targets=()
for width; do
  target=$(triple "$width")-pc-windows-gnu
  how[$width]=${WDSOCKET_WINDOWS_RUST:-}
  if [[ -z ${how[$width]} ]]; then
    if has_target "$target" || { command -v rustup > /dev/null && timeout 120 rustup -q target add "$target" > "$BUILD/rustup.log" 2>&1; }; then
      how[$width]=rustup
    else
      how[$width]=debian
    fi
  fi
  say "wdsocket$width.dll ($target, ${how[$width]})"
  case ${how[$width]} in
    rustup) targets+=(--target "$target") ;;
    debian) debian_build "$target" ;;
    *) fail "WDSOCKET_WINDOWS_RUST is '${how[$width]}' (rustup, debian)" ;;
  esac
done
((${#targets[@]} == 0)) || cargo build --release -p wdsocket --lib "${targets[@]}"

for width; do
  target=$(triple "$width")-pc-windows-gnu
  tools=$(triple "$width")-w64-mingw32
  case $width in
    64) machine=i386:x86-64 ;;
    32) machine=i386 ;;
  esac
  case ${how[$width]} in
    rustup) built=$TARGET/$target/release ;;
    debian) built=$TARGET/debian/$target/release ;;
  esac

  # Under both names: what refers to wdsocket64.dll does not find wdsocket.dll.
  out=$BUILD/windows/$width
  rm -rf "$out"
  mkdir -p "$out"
  cp "$built/wdsocket.dll" "$out/wdsocket.dll"
  "$tools-strip" "$out/wdsocket.dll"
  cp "$out/wdsocket.dll" "$out/wdsocket$width.dll"
  functions=$("$tools-objdump" -p "$out/wdsocket.dll" | awk '/Ordinal.Name Pointer/ { on = 1; next } NF == 0 { on = 0 } on { print $NF }' | sort)
  for name in wdsocket "wdsocket$width"; do
    { printf 'LIBRARY %s.dll\nEXPORTS\n' "$name"; sed 's/^/  /' <<< "$functions"; } > "$out/$name.def"
    # In its folder and with a name for temporary files: both end up in the library, and so would the time.
    (cd "$out" && "$tools-dlltool" --deterministic-libraries -t "$name" -m "$machine" -d "$name.def" -l "lib$name.dll.a")
    # MSVC's linker has its own form of import libraries. With GNU's it throws imports away (/OPT:REF).
    llvm-dlltool -m "$machine" -d "$out/$name.def" -l "$out/$name.lib"
  done
  say "build/windows/$width"
  ls -l "$out" | awk 'NR > 1 { printf "  %9d %s\n", $5, $9 }'
done
