#!/usr/bin/env bash
# Installs the libraries, the headers, and what pkg-config and CMake need to find them.
#
#   [PREFIX=/usr/local] [LIBDIR=lib] [DESTDIR=] scripts/install.sh
set -euo pipefail
source "$(dirname "$0")/common.sh"

prefix=${PREFIX:-/usr/local}
[[ $prefix = /* ]] || fail "PREFIX must be absolute, not '$prefix'"
libdir=${LIBDIR:-lib} # below the prefix
lib=${DESTDIR:-}$prefix/$libdir
include=${DESTDIR:-}$prefix/include

[[ -f $LIBRARY/libwdsocket.so && -f $LIBRARY/libwdsocket.a ]] || fail "nothing built yet: run make first"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
soname=$(readelf -d "$LIBRARY/libwdsocket.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
[[ $soname = libwdsocket.so.* ]] || fail "the library's SONAME is '$soname'"

# What a program that links the static library needs besides: rustc --print native-static-libs.
static_needs="gcc_s util rt pthread m dl"

# fill TEMPLATE FILE UP: UP leads from the file to the prefix, so that an installed copy can be moved.
fill() {
  sed -e "s|@VERSION@|$version|g" -e "s|@LIBDIR@|$libdir|g" -e "s|@SONAME@|$soname|g" -e "s|@UP@|$3|g" \
    -e "s|@NEEDS@|-l${static_needs// / -l}|g" -e "s|@NEEDS_LIST@|${static_needs// /;}|g" "$1" > "$2"
  chmod 644 "$2"
}

install -d "$lib/pkgconfig" "$lib/cmake/wdsocket" "$include"
install -m 755 "$LIBRARY/libwdsocket.so" "$lib/libwdsocket.so.$version"
# The names of what is not exported: an eighth of the file, for debuggers and profilers only.
! command -v strip > /dev/null || strip --strip-unneeded "$lib/libwdsocket.so.$version"
ln -sf "libwdsocket.so.$version" "$lib/$soname"
ln -sf "$soname" "$lib/libwdsocket.so"
install -m 644 "$LIBRARY/libwdsocket.a" "$lib/"
install -m 644 include/wdsocket.h include/wdsocket.hpp "$include/"
fill scripts/install/wdsocket.pc.in "$lib/pkgconfig/wdsocket.pc" "$(realpath -ms --relative-to="/$libdir/pkgconfig" /)"
fill scripts/install/wdsocketConfig.cmake.in "$lib/cmake/wdsocket/wdsocketConfig.cmake" \
  "$(realpath -ms --relative-to="/$libdir/cmake/wdsocket" /)"
fill scripts/install/wdsocketConfigVersion.cmake.in "$lib/cmake/wdsocket/wdsocketConfigVersion.cmake" ""
echo "wdsocket $version installed in ${DESTDIR:-}$prefix"
