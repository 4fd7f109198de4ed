#!/usr/bin/env bash
# The release archives, into build/dist: one for Linux (this machine's), one for Windows, and their checksums.
#
#   scripts/dist.sh [linux|windows]...      (default: both)
#
# Reproducible: the same commit gives the same bytes, wherever it lies (docs/releases.md).
set -euo pipefail
source "$(dirname "$0")/common.sh"

[[ $# -gt 0 ]] || set -- linux windows
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
seconds=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH=$seconds
# Paths of this machine that would end in the binaries. A folder of its own for what is built so.
sysroot=$(rustc --print sysroot)
export RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src= --remap-path-prefix=$ROOT=wdsocket --remap-path-prefix=$sysroot=rust"
export CARGO_TARGET_DIR=$TARGET/dist
out=$BUILD/dist
rm -rf "$out"
mkdir -p "$out"

common() { # FOLDER TARGET...: what every archive has
  local folder=$1
  shift
  mkdir -p "$folder/include"
  cp include/wdsocket.h include/wdsocket.hpp "$folder/include/"
  cp README.md LICENSE "$folder/"
  git archive HEAD docs examples | tar -x -C "$folder"
  python3 scripts/licences.py "$@" > "$folder/THIRD-PARTY-LICENCES.txt"
}

for platform; do
  case $platform in
    linux)
      host=$(rustc -vV | sed -n 's/^host: //p')
      name=wdsocket-$version-linux-${host%%-*}
      say "$name"
      scripts/build.sh --quiet
      common "$out/$name" "$host"
      mkdir -p "$out/$name/lib"
      cp "$CARGO_TARGET_DIR/release/libwdsocket.so" "$out/$name/lib/libwdsocket.so.0"
      strip "$out/$name/lib/libwdsocket.so.0"
      ln -s libwdsocket.so.0 "$out/$name/lib/libwdsocket.so"
      cp "$CARGO_TARGET_DIR/release/libwdsocket.a" "$out/$name/lib/"
      archive=$name.tar.gz
      ;;
    windows)
      name=wdsocket-$version-windows
      say "$name"
      scripts/windows.sh
      common "$out/$name" x86_64-pc-windows-gnu i686-pc-windows-gnu
      cp -r "$BUILD/windows/64" "$BUILD/windows/32" "$out/$name/"
      git archive HEAD windev | tar -x -C "$out/$name"
      archive=$name.zip
      ;;
    *) fail "unknown platform '$platform' (linux, windows)" ;;
  esac
  python3 scripts/pack.py "$out/$archive" "$out/$name" "$seconds"
done
(cd "$out" && find . -maxdepth 1 \( -name '*.tar.gz' -o -name '*.zip' \) -printf '%P\n' | sort | xargs sha256sum > SHA256SUMS)
cat "$out/SHA256SUMS"
