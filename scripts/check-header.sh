#!/usr/bin/env bash
# The header and the library as a C or C++ programmer meets them: compiles under strict warnings, exports the
# interface and nothing else, needs system libraries only.
set -euo pipefail
source "$(dirname "$0")/common.sh"

passed=0 failed=0
check() { # check SENTENCE COMMAND...
  local sentence=$1 output
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    echo "  ok      $sentence"
  else
    failed=$((failed + 1))
    printf '  FAILED  %s\n%s\n' "$sentence" "$output"
  fi
}

compiles() { # compiles HEADER COMPILER FLAG...: alone, and twice in one file
  local header=$1
  shift
  printf '#include <%s>\n#include <%s>\nint main(void) { return 0; }\n' "$header" "$header" |
    "$@" -Iinclude -Wall -Wextra -Wpedantic -Werror -fsyntax-only -
}
exported() { nm -D --defined-only "$LIBRARY/libwdsocket.so" | awk '{ print $NF }' | sort -u; }
exports_match() { diff <(declared) <(exported); }
soname() { readelf -d "$LIBRARY/libwdsocket.so" | grep -q 'SONAME.*\[libwdsocket\.so\.0\]'; }
system_libraries() {
  ! readelf -d "$LIBRARY/libwdsocket.so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
    grep -vE '^(libc|libm|libgcc_s|libdl|libpthread|librt|ld-linux[a-z0-9-]*)\.so\.[0-9]+$'
}
# What a static library defines globally can clash with the host's own names.
static_exports() {
  diff <(declared) <(readelf -sW "$LIBRARY/libwdsocket.a" | awk '$5 ~ /GLOBAL|WEAK|UNIQUE/ && $7 != "UND" { print $8 }' | sort -u)
}
# Of each function that takes or gives text there is a form for UTF-16, and the lists of them are complete: in the header's
# introduction and in the documentation.
utf16_forms() { grep -oE '\b(Web)?Socket[A-Za-z]+W\b' | sort -u; }
declared_utf16() { echo '#include <wdsocket.h>' | cc -E -P -D_WIN32 -Iinclude -x c - | utf16_forms; }
# The French names have none: they are other names of functions that have.
needed_utf16() {
  cc -E -P -Iinclude -x c include/wdsocket.h | tr '\n' ' ' | tr ';' '\n' | grep -v typedef |
    grep -E 'char \*' |
    sed -nE 's/.*\b((Web)?Socket[A-Za-z]+) *\(.*/\1W/p' | grep -vxE '(WebSocketClientConnecte|Socket(Connecte|Ecrit|Lit|Ferme|Existe|ChangeModeTransmission)).*' |
    cat - <(echo SocketSetLogW) | sort -u
}
header_lists_utf16() { diff <(declared_utf16) <(sed '/^#include/,$d' include/wdsocket.h | utf16_forms); }
page_lists_utf16() { diff <(declared_utf16) <(sed -n 's/^|//p' docs/encodings.md | utf16_forms); }
every_utf16() { diff <(needed_utf16) <(declared_utf16); }
version_agrees() {
  local version
  version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
  printf '#include <wdsocket.h>\n#include <stdio.h>\n#include <string.h>\nint main(void) { puts(SocketVersion()); return strcmp(SocketVersion(), "%s") != 0; }\n' "$version" |
    cc -Iinclude -x c - -o "$BUILD/version-probe" -L"$LIBRARY" -lwdsocket -Wl,-rpath,"$LIBRARY" &&
    "$BUILD/version-probe"
}

say "The header and the library's symbols"
check "wdsocket.h compiles as C11 without a warning" compiles wdsocket.h cc -x c -std=c11
check "wdsocket.h compiles as C++17 without a warning" compiles wdsocket.h c++ -x c++ -std=c++17
check "wdsocket.hpp compiles as C++17 without a warning" compiles wdsocket.hpp c++ -x c++ -std=c++17
check "the shared library exports the interface and nothing else" exports_match
check "the static library exports the interface and nothing else" static_exports
check "the SONAME is libwdsocket.so.0" soname
check "the shared library needs system libraries only" system_libraries
check "every function with text has a form for UTF-16" every_utf16
check "the header's introduction lists the forms for UTF-16" header_lists_utf16
check "docs/encodings.md lists the forms for UTF-16" page_lists_utf16
check "SocketVersion is Cargo.toml's version" version_agrees

add_count header "$passed" "$failed"
((failed == 0))
