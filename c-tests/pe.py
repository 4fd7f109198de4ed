"""pe.py DLL HEADER CARGO_TOML COMPILER: the DLL's outside, and what lies beside it.

It needs Windows' own DLLs only, exports the functions that the header declares for Windows and nothing else,
undecorated, and says its version; import library and .def say the same. COMPILER preprocesses the header for the
DLL's width.
"""
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

# What each Windows since 10 brings along. msvcrt.dll is its own C library, not one that compilers bring.
WINDOWS = {
    "advapi32", "bcrypt", "bcryptprimitives", "crypt32", "dnsapi", "iphlpapi", "kernel32", "msvcrt", "ncrypt", "ntdll",
    "ole32", "secur32", "user32", "userenv", "winhttp", "ws2_32",
}
API_SET = r"(api|ext)-ms-win-[a-z0-9-]+-l\d+-\d+-\d+"
MACHINES = {0x8664: 64, 0x14C: 32}
EXPORT, IMPORT, RESOURCE, DEBUG, DELAY = 0, 1, 2, 6, 13

dll, header, cargo_toml, compiler = sys.argv[1:]
failures = []


def expect(condition, sentence):
    print(("ok " if condition else "FAILED ") + sentence)
    if not condition:
        failures.append(sentence)


class Image:
    """A PE file (Microsoft's "PE Format")."""

    def __init__(self, path):
        self.bytes = Path(path).read_bytes()
        at = self.u32(0x3C)
        assert self.bytes[:2] == b"MZ" and self.bytes[at : at + 4] == b"PE\0\0", "no PE file"
        self.width = MACHINES[self.u16(at + 4)]
        sections, size = self.u16(at + 6), self.u16(at + 20)
        optional = at + 24
        directories = optional + (112 if self.width == 64 else 96)
        self.base = self.u64(optional + 24) if self.width == 64 else self.u32(optional + 28)
        self.directories = [
            (self.u32(directories + 8 * i), self.u32(directories + 8 * i + 4))
            for i in range(self.u32(directories - 4))
        ]
        self.sections = []
        for i in range(sections):
            section = optional + size + 40 * i
            virtual_size, address, raw_size, raw = struct.unpack_from("<4I", self.bytes, section + 8)
            self.sections.append((address, max(virtual_size, raw_size), raw, self.u32(section + 36)))

    def u16(self, at):
        return struct.unpack_from("<H", self.bytes, at)[0]

    def u32(self, at):
        return struct.unpack_from("<I", self.bytes, at)[0]

    def u64(self, at):
        return struct.unpack_from("<Q", self.bytes, at)[0]

    def section(self, rva):
        return next(section for section in self.sections if section[0] <= rva < section[0] + section[1])

    def place(self, rva):
        """Where in the file the address is."""
        address, _, raw, _ = self.section(rva)
        return rva - address + raw

    def text(self, rva):
        at = self.place(rva)
        return self.bytes[at : self.bytes.index(b"\0", at)].decode("ascii")

    def directory(self, which):
        rva, size = self.directories[which] if which < len(self.directories) else (0, 0)
        return (rva, size) if rva and size else (0, 0)

    def imports(self):
        """The names of the DLLs that it needs, delayed ones included."""
        names = []
        for which, size, field in ((IMPORT, 20, 12), (DELAY, 32, 4)):
            rva, _ = self.directory(which)
            while rva and self.u32(self.place(rva) + field):
                names.append(self.text(self.u32(self.place(rva) + field)))
                rva += size
        return names

    def exports(self):
        """Names and addresses; how many functions have no name."""
        rva, size = self.directory(EXPORT)
        at = self.place(rva)
        functions, names = self.u32(at + 20), self.u32(at + 24)
        addresses = self.place(self.u32(at + 28))
        table, ordinals = self.place(self.u32(at + 32)), self.place(self.u32(at + 36))
        found = {}
        for i in range(names):
            found[self.text(self.u32(table + 4 * i))] = self.u32(addresses + 4 * self.u16(ordinals + 2 * i))
        used = sum(1 for i in range(functions) if self.u32(addresses + 4 * i))
        forwarded = [name for name, address in found.items() if rva <= address < rva + size]
        return found, used - len(found), forwarded

    def resource(self, kind):
        """The first resource of this kind, or None."""
        root, _ = self.directory(RESOURCE)
        if not root:
            return None
        start = self.place(root)
        entries = start
        for level in range(3):
            count = self.u16(entries + 12) + self.u16(entries + 14)
            pairs = [struct.unpack_from("<II", self.bytes, entries + 16 + 8 * i) for i in range(count)]
            chosen = [target for number, target in pairs if level or number == kind]
            if not chosen:
                return None
            entries = start + (chosen[0] & 0x7FFFFFFF)
        at, size = self.place(self.u32(entries)), self.u32(entries + 4)
        return self.bytes[at : at + size]

    def codeview(self):
        """Files of debugging information that it refers to."""
        rva, size = self.directory(DEBUG)
        kinds = [self.u32(self.place(rva + i) + 12) for i in range(0, size, 28)] if rva else []
        return [kind for kind in kinds if kind == 2]


def version_strings(block):
    """VS_FIXEDFILEINFO's numbers and the strings of a VERSIONINFO."""
    signature = block.find(struct.pack("<I", 0xFEEF04BD))
    fixed = struct.unpack_from("<13I", block, signature) if signature >= 0 else None
    strings = {}

    def walk(at, end):
        while at + 6 <= end:
            length, value_length, kind = struct.unpack_from("<3H", block, at)
            if length == 0:
                return
            key_end = at + 6
            while block[key_end : key_end + 2] != b"\0\0":
                key_end += 2
            key = block[at + 6 : key_end].decode("utf-16-le")
            value = (key_end + 2 + 3) & ~3
            if key == "VS_VERSION_INFO":
                walk((value + value_length + 3) & ~3, at + length)
            elif key in ("StringFileInfo", "VarFileInfo") or re.fullmatch(r"[0-9A-Fa-f]{8}", key):
                walk(value, at + length)
            elif kind == 1:
                strings[key] = block[value : at + length].decode("utf-16-le").split("\0")[0]
            at = (at + length + 3) & ~3

    walk(0, len(block))
    return fixed, strings


def archive_members(path):
    """The members of an ar archive: names and contents."""
    data, at = path.read_bytes(), 8
    assert data[:8] == b"!<arch>\n", "no archive"
    while at + 60 <= len(data):
        size = int(data[at + 48 : at + 58])
        yield data[at : at + 16].decode("ascii").strip(), data[at + 60 : at + 60 + size]
        at += 60 + size + size % 2


def archive_symbols(path):
    for name, content in archive_members(path):
        if name == "/":
            count = struct.unpack_from(">I", content)[0]
            return content[4 + 4 * count :].decode("ascii").split("\0")[:count]
    return []


image = Image(dll)
file_name = Path(dll).name

# The preprocessor leaves out what is for other systems, and the comments.
text = subprocess.run([compiler, "-E", "-P", "-x", "c", header], check=True, capture_output=True, text=True).stdout
declared = set(re.findall(r"\b((?:WebSocketClient|Socket)\w+)\s*\((?!\s*\*)", text))
exported, nameless, forwarded = image.exports()
expect(len(declared) > 20 and "SocketAttachThread" in declared, f"the header declares functions ({len(declared)})")
expect(declared <= set(exported), f"all of them are exported; missing: {sorted(declared - set(exported))}")
surplus = sorted(set(exported) - declared)
expect(not surplus, f"nothing else is exported, undecorated; surplus: {surplus[:20]}")
expect(nameless == 0, f"no function without a name is exported; came {nameless}")
expect(not forwarded, f"none is another DLL's; forwarded: {forwarded}")
data = [name for name, address in exported.items() if not image.section(address)[3] & 0x20000000]
expect(not data, f"all of them are code; data: {data}")

needed = sorted({name.lower().removesuffix(".dll") for name in image.imports()})
foreign = [name for name in needed if name not in WINDOWS and not re.fullmatch(API_SET, name)]
expect(len(needed) > 3, f"the import table is read ({', '.join(needed)})")
expect(not foreign, f"only Windows' own DLLs are needed; others: {foreign}")

version = re.search(r'^version\s*=\s*"([^"]+)"', Path(cargo_toml).read_text(encoding="utf-8"), re.M).group(1)
numbers = [int(number) for number in re.match(r"(\d+)\.(\d+)\.(\d+)", version).groups()] + [0]
block = image.resource(16)
expect(block is not None, "it has a VERSIONINFO")
if block is not None:
    fixed, strings = version_strings(block)
    expect(fixed is not None, "with numbers")
    for what, high, low in (("FileVersion", 2, 3), ("ProductVersion", 4, 5)) if fixed else ():
        came = [fixed[high] >> 16, fixed[high] & 0xFFFF, fixed[low] >> 16, fixed[low] & 0xFFFF]
        expect(came == numbers, f"the numbers of {what} are those of Cargo.toml, {numbers}; came {came}")
    if fixed:
        expect(fixed[9] == 2, f"it says that it is a DLL; came {fixed[9]}")
        expect(not fixed[7] & fixed[6], f"it is neither a debugging nor a preliminary build; flags {fixed[7] & fixed[6]:#x}")
    for what in ("FileVersion", "ProductVersion"):
        came = strings.get(what, "")
        expect(re.fullmatch(re.escape(version) + r"(\.0)?", came), f"{what} is {version}; came '{came}'")
    expect(strings.get("OriginalFilename") == file_name, f"OriginalFilename is {file_name}; came '{strings.get('OriginalFilename')}'")
    expect(strings.get("ProductName") == "wdsocket", f"ProductName is wdsocket; came '{strings.get('ProductName')}'")
    for what in ("LegalCopyright", "FileDescription", "InternalName"):
        expect(strings.get(what), f"{what} is said: '{strings.get(what)}'")

expect(not image.codeview() and not re.search(rb"[ -~]\.pdb\b", image.bytes), "it refers to no .pdb")

folder = Path(dll).parent
decoration = "_" if image.width == 32 else ""
short_name = folder / "wdsocket.dll"
expect(short_name.exists() and short_name.read_bytes() == image.bytes, f"{short_name.name} beside it is the same file")
for target in (file_name, short_name.name):
    stem = target.removesuffix(".dll")
    for name, kind in ((f"lib{stem}.dll.a", "GNU's"), (f"{stem}.lib", "MSVC's")):
        library = folder / name
        if not library.exists():
            expect(False, f"{name} lies beside it")
            continue
        pointers = {symbol for symbol in archive_symbols(library) if symbol.startswith("__imp_")}
        wanted = {f"__imp_{decoration}{function}" for function in exported}
        expect(pointers == wanted, f"{name} has what is exported; differs: {sorted(pointers ^ wanted)[:20]}")
        members = [content for _, content in archive_members(library)]
        told = {match.decode() for content in members for match in re.findall(rb"[\w.-]+\.dll(?=\0)", content, re.I)}
        expect(told == {target}, f"{name} leads to {target}; came {sorted(told)}")
        # "PE Format", import library format: machine 0, 0xFFFF, where others have their machine.
        short = sum(1 for content in members if content[:4] == b"\0\0\xff\xff")
        expect(short == (len(exported) if kind == "MSVC's" else 0), f"{name} is of {kind} form; short members: {short}")
        with tempfile.TemporaryDirectory() as made:
            program = Path(made) / "program.exe"
            source = b"#include <wdsocket.h>\nint main(void) { return (int)SocketErrorCode(); }\n"
            command = [compiler, f"-I{Path(header).parent}", "-x", "c", "-", "-x", "none", str(library), "-o", str(program)]
            linked = subprocess.run(command, input=source, capture_output=True)
            expect(linked.returncode == 0, f"a program can be linked with {name}; {linked.stderr.decode()[-300:]}")
            if linked.returncode == 0:
                expect(target in Image(program).imports(), f"and needs {target} then; came {Image(program).imports()}")
    definition = folder / f"{stem}.def"
    expect(definition.exists(), f"{stem}.def lies beside it")
    if definition.exists():
        lines = [line.split(";")[0].strip() for line in definition.read_text(encoding="utf-8").splitlines()]
        lines = [line for line in lines if line]
        expect(lines[0].split()[1] == target, f"{stem}.def is {target}'s; came '{lines[0]}'")
        listed = set(lines[lines.index("EXPORTS") + 1 :])
        expect(listed == set(exported), f"{stem}.def lists what is exported; differs: {sorted(listed ^ set(exported))[:20]}")
sys.exit(1 if failures else 0)
