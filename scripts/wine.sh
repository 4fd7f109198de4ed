#!/usr/bin/env bash
# Runs a Windows program, made here, with Wine.
#
#   scripts/wine.sh 64|32 PROGRAM [ARGUMENT]...
#   scripts/wine.sh 64|32 --stop      ends what Wine has left running
#
# Programs of 32 bits run in a small Debian system of their own (.cache/wine32, made by setup.sh), since the one
# outside may have no libraries of that width. What it sees of the rest (this folder, /proc, /dev, the X server's socket)
# is mounted for the run alone, in a namespace of its own.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
width=$1
shift

export WINEPREFIX=$ROOT/.cache/wine-prefix$width WINEDEBUG=${WINEDEBUG:-fixme-all} WINEDLLOVERRIDES="mscoree,mshtml=;winemenubuilder.exe="
# What Wine 8 lacks and Windows has (setup.sh makes it), and the library.
WINEPATH="z:${ROOT//\//\\}\\.cache\\wine-dlls\\$width;z:${ROOT//\//\\}\\build\\windows\\$width"
export WINEPATH
# Programs find the server that runs already through this folder: always the same one.
unset TMPDIR

case $width in
  64)
    wine=(/usr/lib/wine/wine64)
    server=(/usr/lib/wine/wineserver64)
    ;;
  32)
    inside() {
      local root=$ROOT/.cache/wine32
      mkdir -p "$root$ROOT"
      mount --bind "$ROOT" "$root$ROOT"
      mount --bind /proc "$root/proc"
      mount --bind /dev "$root/dev"
      mount --bind /etc/hosts "$root/etc/hosts"
      if [[ -d /tmp/.X11-unix ]]; then mkdir -p "$root/tmp/.X11-unix" && mount --bind /tmp/.X11-unix "$root/tmp/.X11-unix"; fi
      local folder=$PWD
      [[ $folder/ = "$ROOT"/* ]] || folder=$ROOT
      # shellcheck disable=SC2016 # for the shell in there
      exec chroot "$root" /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$folder" "$@"
    }
    if [[ ${WDSOCKET_INSIDE:-} != 1 ]]; then
      privileged=()
      [[ $(id -u) = 0 ]] || privileged=(sudo --preserve-env)
      WDSOCKET_INSIDE=1 exec "${privileged[@]}" unshare --mount --propagation private "$0" 32 "$@"
    fi
    wine=(inside /usr/lib/wine/wine)
    server=(inside /usr/lib/wine/wineserver32)
    ;;
  *) echo "wine.sh: unknown width '$width' (64, 32)" >&2; exit 2 ;;
esac

exec_or_call() { if [[ $(type -t "$1") = function ]]; then "$@"; else exec "$@"; fi; }
mkdir -p "$WINEPREFIX"
case $1 in
  --stop) "${server[@]}" -k ;;
  *) exec_or_call "${wine[@]}" "$@" ;;
esac
