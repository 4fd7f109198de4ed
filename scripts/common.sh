# Sourced by the other scripts: where things are, how they speak, how they count.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT" || exit

# cargo's own variable may move the artefacts; everything that is not cargo's lies in build/.
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
[[ $TARGET = /* ]] || TARGET=$ROOT/$TARGET
LIBRARY=$TARGET/release
BUILD=$ROOT/build
mkdir -p "$BUILD"

say() { printf '\n== %s\n' "$*"; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Every function that the header declares for this system, one a line.
declared() {
  echo '#include <wdsocket.h>' | cc -E -P -Iinclude -x c - | grep -oE '\b(Web)?Socket[A-Za-z]+ *\(' | tr -d ' (' | sort -u
}

# same_dependencies FOLDER: whether a workspace of its own, which has the library from fuzz/library, has its dependencies
# in the versions that are shipped.
same_dependencies() {
  local others
  cmp -s <(dependencies Cargo.toml) <(dependencies fuzz/library/Cargo.toml) ||
    fail "fuzz/library/Cargo.toml has other dependencies than Cargo.toml"
  others=$(awk -F '"' '/^name = / { name = $2 }
    /^version = "/ { if (FNR == NR) { known[name] = 1; same[name " " $2] = 1 }
                    else if (known[name] && !same[name " " $2]) print name, $2 }' Cargo.lock "$1/Cargo.lock")
  [[ -z $others ]] || fail "$1/Cargo.lock differs from Cargo.lock: $others
(cp Cargo.lock $1/ && cargo metadata --manifest-path $1/Cargo.toml > /dev/null)"
}
dependencies() { sed -n '/^\[dependencies\]/,/^\[build-dependencies\]\|^\[lints/{/^\[build-dep\|^\[lints\|^$/!p}' "$1"; }

# Each runner adds a line "NAME PASSED FAILED SKIPPED" here; report_counts adds them up.
# The outermost script starts the file, those that it calls only append.
if [[ -z ${WDSOCKET_COUNTS:-} ]]; then
  export WDSOCKET_COUNTS=$BUILD/counts
  : > "$WDSOCKET_COUNTS"
fi
add_count() { printf '%s %d %d %d\n' "$1" "$2" "$3" "${4:-0}" >> "$WDSOCKET_COUNTS"; }

# count_cargo NAME LOG: adds up the "test result:" lines of a cargo test log.
count_cargo() {
  local passed failed skipped
  read -r passed failed skipped < <(awk '/^test result:/ {
      for (i = 2; i <= NF; i++) {
        if ($i ~ /^passed/) p += $(i-1); if ($i ~ /^failed/) f += $(i-1); if ($i ~ /^ignored/) s += $(i-1)
      } } END { print p+0, f+0, s+0 }' "$2")
  add_count "$1" "$passed" "$failed" "$skipped"
}

# count_junit NAME FILE: what ctest --output-junit wrote.
count_junit() {
  local passed failed skipped
  read -r passed failed skipped < <(python3 - "$2" <<'PY'
import sys, xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot()
total, failed, off, skipped = (int(suite.get(k, 0)) for k in ("tests", "failures", "disabled", "skipped"))
print(total - failed - off - skipped, failed, off + skipped)
PY
)
  add_count "$1" "$passed" "$failed" "$skipped"
}

report_counts() {
  awk '{ printf "  %-28s %5d passed %4d failed %4d skipped\n", $1, $2, $3, $4; p += $2; f += $3; s += $4 }
       END { printf "%d passed, %d failed%s\n", p, f, s ? ", " s " skipped" : "" }' "$WDSOCKET_COUNTS"
}
