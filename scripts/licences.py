"""licences.py TARGET...: the licences of everything that is linked into the library for these targets, as one text.

Of each crate the licence files that it ships with; a crate that ships none, or names no licence, is an error unless
its licence's text is known from others that have the same."""
import json
import pathlib
import re
import subprocess
import sys

FILES = re.compile(r"^(licen[cs]e|copying|notice|unlicense)", re.IGNORECASE)


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def linked(target):
    lines = output("cargo", "tree", "--locked", "-p", "wdsocket", "-e", "normal,no-proc-macro", "--target", target, "--prefix", "none",
                   "--no-dedupe", "--format", "{p}").splitlines()
    return {tuple(line.split()[:2]) for line in lines if line and not line.startswith("wdsocket ")}


crates = set().union(*(linked(target) for target in sys.argv[1:]))
packages = {(package["name"], "v" + package["version"]): package
            for package in json.loads(output("cargo", "metadata", "--locked", "--format-version", "1"))["packages"]}
texts = {}  # licence text -> crates
missing = []
print("wdsocket contains these libraries. Their licences follow.\n")
for name, version in sorted(crates):
    package = packages[name, version]
    folder = pathlib.Path(package["manifest_path"]).parent
    if not package["license"] and not package["license_file"]:
        sys.exit(f"{name} {version} names no licence")
    print(f"  {name} {version[1:]}: {package['license'] or 'its own'}")
    found = sorted(path for path in folder.iterdir() if path.is_file() and FILES.match(path.name))
    if not found:
        missing.append(f"{name} {version[1:]}")
    for path in found:
        text = "\n".join(line.rstrip() for line in path.read_text(errors="replace").splitlines()).strip()
        texts.setdefault(text, []).append(f"{name} {version[1:]} ({path.name})")
print("\nRust's standard library (MIT or Apache-2.0, The Rust Project Contributors) is contained too, and in the DLLs for")
print("Windows the start-up code of mingw-w64 (public domain and ZPL) and libgcc (GPL with the GCC runtime exception).")
if missing:
    print("\nWithout a file of their own, under the licence named above, whose text stands below for others:")
    print("  " + ", ".join(missing))
for text, owners in sorted(texts.items(), key=lambda item: item[1]):
    print("\n" + "=" * 100 + "\n" + "\n".join(owners) + "\n" + "-" * 100 + "\n\n" + text)
