"""exports.py LIBRARY HEADER: the shared library's outside.

It exports the functions that the header declares and nothing else, is called libwdsocket.so.0, and
needs system libraries only.
"""
import re
import subprocess
import sys

SYSTEM = r"(libc|libm|libdl|libpthread|librt|libgcc_s|ld-linux[\w-]*|ld-musl[\w-]*)\.so[.\d]*"
library, header = sys.argv[1:]
failures = []


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def expect(condition, sentence):
    print(("ok " if condition else "FAILED ") + sentence)
    if not condition:
        failures.append(sentence)


# The preprocessor leaves out what is for other systems, and the comments.
text = output("cc", "-E", "-P", "-x", "c", header)
declared = set(re.findall(r"\b((?:WebSocketClient|Socket)\w+)\s*\((?!\s*\*)", text))
lines = [line.split() for line in output("nm", "-D", "--defined-only", library).splitlines()]
exported = {line[-1].split("@")[0] for line in lines}
expect(len(declared) > 20, f"the header declares functions ({len(declared)})")
expect(declared <= exported, f"all of them are exported; missing: {sorted(declared - exported)}")
expect(exported <= declared, f"nothing else is exported; surplus: {sorted(exported - declared)[:20]}")

dynamic = output("readelf", "-d", "-W", library)
soname = re.findall(r"\(SONAME\).*\[(.*)\]", dynamic)
expect(soname == ["libwdsocket.so.0"], f"the SONAME is libwdsocket.so.0; came {soname}")
needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
foreign = [name for name in needed if not re.fullmatch(SYSTEM, name)]
expect(not foreign, f"only system libraries are needed ({', '.join(needed)}); others: {foreign}")
expect("TEXTREL" not in dynamic, "no text relocations")
expect(not re.findall(r"\((?:RPATH|RUNPATH)\)", dynamic), "no search path of its own")
sys.exit(1 if failures else 0)
