#!/usr/bin/env bash
# Every whole C program in README.md and docs/ compiles and links as it stands; every link between the pages leads
# somewhere.
set -euo pipefail
source "$(dirname "$0")/common.sh"

out=$BUILD/docs
rm -rf "$out"
mkdir -p "$out"
python3 - "$out" <<'PY'
import pathlib, re, sys
out = pathlib.Path(sys.argv[1])
broken = []
for page in [pathlib.Path("README.md"), *sorted(pathlib.Path(".").glob("*/*.md"))]:
    text = page.read_text()
    for number, block in enumerate(re.findall(r"^```(?:c|cpp)\n(.*?)^```", text, re.S | re.M)):
        if re.search(r"\bint main\(", block):
            suffix = "cpp" if "wdsocket.hpp" in block else "c"
            (out / f"{page.stem}-{number}.{suffix}").write_text(block)
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        if not (page.parent / link).exists():
            broken.append(f"{page}: {link} does not exist")
sys.exit("\n".join(broken) or 0)
PY
programs=0
for program in "$out"/*.c "$out"/*.cpp; do
  [[ -e $program ]] || continue
  case $program in
    *.c) compile=(cc -std=c11) ;;
    *) compile=(c++ -std=c++17) ;;
  esac
  "${compile[@]}" -Wall -Wextra -Wpedantic -Werror -Iinclude "$program" -o "${program%.*}" -L"$LIBRARY" -lwdsocket
  programs=$((programs + 1))
done
((programs > 0)) || fail "no program was found in the documentation"
echo "$programs programs in the documentation compile and link"
add_count docs "$programs" 0
