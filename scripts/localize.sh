#!/usr/bin/env bash
# Makes the static library define the interface and nothing else: the thousands of names of the Rust code inside
# become local, so that they cannot clash with the host's own, and what the interface does not reach is left out.
#
#   scripts/localize.sh libwdsocket.a
set -euo pipefail
source "$(dirname "$0")/common.sh"

library=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

declared > "$work/interface"
mapfile -t roots < <(sed 's/^/-u/' "$work/interface")
ld -r --gc-sections "${roots[@]}" "$library" -o "$work/all.o"
objcopy --keep-global-symbols="$work/interface" --remove-section=.llvmbc --remove-section=.llvmcmd "$work/all.o" "$work/wdsocket.o"
[[ -n ${KEEP_DEBUG:-} ]] || objcopy --strip-debug "$work/wdsocket.o"
ar rcs "$work/libwdsocket.a" "$work/wdsocket.o"
# A new file: cargo's own copy is a hard link to the old one.
mv -f "$work/libwdsocket.a" "$library"
