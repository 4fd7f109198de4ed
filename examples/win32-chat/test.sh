#!/usr/bin/env bash
# The chat window under Wine: a message there and back, the server's death and return, the end. Takes a picture.
#
#   examples/win32-chat/test.sh 64|32 [PICTURE.png]      with DISPLAY set; scripts/test-windows.sh does it
set -euo pipefail
source "$(dirname "$0")/../../scripts/common.sh"

width=$1 picture=${2:-}
case $width in 64) tools=x86_64-w64-mingw32 ;; *) tools=i686-w64-mingw32 ;; esac
out=$BUILD/windows-chat$width
mkdir -p "$out"
for program in chat drive; do
  windows=()
  [[ $program = drive ]] || windows=(-mwindows)
  "$tools-gcc" -std=c11 -Wall -Wextra -Werror -municode "${windows[@]}" -Iinclude "examples/win32-chat/$program.c" \
    -o "$out/$program.exe" -static -L"$BUILD/windows/$width" "-lwdsocket$width"
done
run() { scripts/wine.sh "$width" "$out/$1.exe" "${@:2}"; }

# A port that is free now and again after the server's death.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
serve() {
  # It serves until its input ends.
  "$LIBRARY/wdsocket-test-server" --port "$port" < <(exec sleep 300) > "$out/server.log" 2>&1 &
  server=$!
}
finish() { kill "$server" "${chat:-}" 2> /dev/null || true; }
trap finish EXIT

serve
run chat "ws://127.0.0.1:$port/echo" > "$out/chat.log" 2>&1 &
chat=$!
run drive expect "* connected" 1
run drive send "Hello, € and größer"
run drive expect "< Hello, € and größer" 1
kill "$server"
wait "$server" 2> /dev/null || true
run drive expect "* closed (1006), trying again" 1
serve
run drive expect "* connected" 2
run drive send "Back again"
run drive expect "< Back again" 1
[[ -z $picture ]] || import -window "$(xdotool search --name '^wdsocket chat$' | tail -1)" "$picture"
run drive quit
wait "$chat" || fail "the chat ended with status $?"
chat=
echo "win32-chat, $width bits: a message there and back, the server's death and return, the end"
