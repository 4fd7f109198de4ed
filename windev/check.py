#!/usr/bin/env python3
"""Checks what can be checked of wdsocket.wl without WinDev.

usage: check.py [--self-test]

wdsocket.wl is compared with ../include/wdsocket.h: every API() call (the function exists, the number and the width of
its parameters in 32 and 64 bits, which variable goes where, the result read as a whole register, the convention), the
callback, every constant; both languages' names; the documented parameters and defaults. calls.c must make the same
calls in the same order with the same widths, and the pages may only name what exists. What is not WinDev's own to
tell about the WLanguage (unknown names, blocks that do not end) is looked at too.

--self-test changes the texts in memory, each call, each constant and more, and fails if a change goes unnoticed.

A line for each problem; exit status 0 without problems, 1 with.
"""
import functools
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
FILES = {
    "wdsocket.h": HERE.parent / "include" / "wdsocket.h",
    "wdsocket.wl": HERE / "wdsocket.wl",
    "calls.c": HERE / "calls.c",
    "README.md": HERE / "README.md",
    "LISEZMOI.md": HERE / "LISEZMOI.md",
}

# -- What is expected ----------------------------------------------------------------------------------------------

# The name in the other language. Where the documentation has the same name in both, it is the same here.
LANGUAGES = {
    "wdsInit": "wdsInitialise",
    "wdsWebSocketClientConnect": "wdsWebSocketClientConnecte",
    "wdsWebSocketClientConnectAsync": "wdsWebSocketClientConnecteAsync",
    "wdsWebSocketClientConnectSSL": "wdsWebSocketClientConnecteSSL",
    "wdsWebSocketClientConnectSSLAsync": "wdsWebSocketClientConnecteSSLAsync",
    "wdsSocketConnect": "wdsSocketConnecte",
    "wdsSocketCurrent": "wdsSocketEnCours",
    "wdsSocketAttachThread": "wdsSocketAttacheThread",
    "wdsSocketPostToWindow": "wdsSocketPosteFenetre",
    "wdsSocketDispatch": "wdsSocketDistribue",
    "wdsSocketWake": "wdsSocketReveille",
    "wdsSocketSync": "wdsSocketSynchronise",
    "wdsSocketWrite": "wdsSocketEcrit",
    "wdsSocketWriteBinary": "wdsSocketEcritBinaire",
    "wdsSocketRead": "wdsSocketLit",
    "wdsSocketReadBuffer": "wdsSocketLitBuffer",
    "wdsSocketAvailable": "wdsSocketDisponible",
    "wdsSocketMessageType": "wdsSocketTypeMessage",
    "wdsSocketClose": "wdsSocketFerme",
    "wdsSocketCloseWith": "wdsSocketFermeAvec",
    "wdsSocketExists": "wdsSocketExiste",
    "wdsSocketState": "wdsSocketEtat",
    "wdsSocketInfo": "wdsSocketInformation",
    "wdsSocketChangeTransmissionMode": "wdsSocketChangeModeTransmission",
    "wdsSocketProxy": "wdsSocketProxy",
    "wdsSocketSetOption": "wdsSocketFixeOption",
    "wdsSocketResetOption": "wdsSocketAnnuleOption",
    "wdsSocketAddHeader": "wdsSocketAjouteEntete",
    "wdsSocketErrorCode": "wdsSocketCodeErreur",
    "wdsSocketErrorMessage": "wdsSocketMessageErreur",
    "wdsSocketVersion": "wdsSocketVersion",
    "wdsSocketShutdown": "wdsSocketArrete",
}

# Procedures that programs do not call.
INTERNAL = {"wdsLoad", "wdsDLL", "wdsSlot", "wdsOnEvent", "wdsUTF8", "wdsText", "wdsRoom", "wdsFirst", "wdsBytesAt",
            "wdsTextAt"}

# The documented functions: order of the parameters, which may be left out, and what holds then. 0 as port is the
# documented 443, or what a URL says; 0 as longest wait of a connection is the option, by default the documented 5000.
DOCUMENTED = {
    "wdsWebSocketClientConnect": 'sName, sAddress, nPort = 0, sPath = "", sProtocols = "", nMaxWait = 0',
    "wdsWebSocketClientConnectAsync": 'sName, fProcedure, sAddress, nPort = 0, sPath = "", sProtocols = ""',
    "wdsWebSocketClientConnectSSL":
        'sName, sAddress, nPort = 0, sPath = "", sProtocols = "", nSSLOptions = 0, nMaxWait = 0',
    "wdsWebSocketClientConnectSSLAsync":
        'sName, fProcedure, sAddress, nPort = 0, sPath = "", sProtocols = "", nSSLOptions = 0',
    "wdsSocketConnect": 'sName, sURL, fProcedure, sProtocols = ""',
    "wdsSocketWrite": "sName, sMessage",
    "wdsSocketRead": "sName, bWaitIndefinitely = True, nMaxWait = 1000, nMaxBytes = 4096",
    "wdsSocketClose": "sName",
    "wdsSocketExists": "sName",
    "wdsSocketChangeTransmissionMode": 'sName, nMode, sOption = ""',
    "wdsSocketProxy": 'sProxy, nPort = 0, sLogin = "", sPassword = ""',
}

# Exported functions that no procedure calls, and why.
NOT_CALLED = {
    "SocketDispatchHandle": "for loops of the host's own; WinDev's is attached (SocketAttachThread)",
    "SocketCork": "for programs that write thousands of small messages at a time; callbacks gather by themselves",
    "SocketSetWakeup": "calls back from a thread of the library's, where no WLanguage may run",
    "SocketSetLog": "calls back from any thread, where no WLanguage may run; WDSOCKET_LOG serves",
}

# Constants that wdsocket.wl does not have, and why.
NOT_OFFERED = {
    "OPTION_TEXT_ENCODING": "the procedures convert to UTF-8 themselves: any other encoding would garble the text",
}

# For Windows only; the header may not have them yet.
WINDOWS = """
intptr_t SocketAttachThread(void);
intptr_t SocketPostToWindow(void *hwnd, uint32_t message);
"""

# Windows' own functions: results and parameters.
KERNEL32 = {
    "RtlMoveMemory": ("void", ["void *to", "const void *from", "size_t length"]),
    "lstrlenA": ("int32_t", ["const char *text"]),
}

# Constants with other names than the header's.
ALIASES = {
    "wdsSocketOpening": "EVENT_OPENING", "wdsSocketOuverture": "EVENT_OPENING",
    "wdsSocketMessage": "EVENT_MESSAGE",
    "wdsSocketClosing": "EVENT_CLOSING", "wdsSocketFermeture": "EVENT_CLOSING",
    "wdsSocketError": "EVENT_ERROR", "wdsSocketErreur": "EVENT_ERROR",
    "wdsSocketWritable": "EVENT_WRITABLE", "wdsSocketPret": "EVENT_WRITABLE",
} | {f"wds{word}{version}": f"SSL_{version}"
     for word in ("Protocol", "Protocole") for version in ("TLS1", "TLS1_1", "TLS1_2", "TLS1_3")}

# What may be handed over for a parameter of the header: width alone would let two neighbours change places.
ARGUMENTS = {
    "const char *name": {"&bufName", "pName"},
    "const char *address": {"&bufAddress"},
    "const char *url": {"&bufURL"},
    "int32_t port": {"nPort"},
    "const char *path": {"&bufPath"},
    "const char *protocols": {"&bufProtocols"},
    "int32_t ssl_options": {"nSSLOptions"},
    "int32_t timeout_ms": {"nMaxWait"},
    "WdSocketCallback callback": {"&wdsOnEvent"},
    "void *user_data": {"nSlot"},
    "const void *message": {"&bufMessage"},
    "intptr_t length": {"nLength"},
    "int32_t wait": {"nWait"},
    "void *buffer": {"&bufMessage"},
    "char *buffer": {"&bufText", "gpWdsNull"},
    "size_t capacity": {"nRoom", "nNoRoom"},
    "int32_t code": {"nCode"},
    "const char *reason": {"&bufReason"},
    "int32_t item": {"nItem"},
    "int32_t mode": {"nMode"},
    "const char *option": {"&bufOption"},
    "int32_t option": {"nOption"},
    "const char *value": {"&bufValue", "gpWdsNull"},
    "const char *proxy": {"&bufProxy"},
    "const char *login": {"&bufLogin"},
    "const char *password": {"&bufPassword"},
    "int32_t max_events": {"nMaxEvents"},
    "void *hwnd": {"hWindow"},
    "uint32_t message": {"nMessage"},
    "void *to": {"&bufCopy"},
    "const void *from": {"pBytes"},
    "size_t length": {"nLength"},
    "const char *text": {"pText"},
}

# Widths in bytes, in 32-bit and in 64-bit programs.
POINTER, INTEGER, LONG = (4, 8), (4, 4), (8, 8)
C_TYPES = {"int32_t": INTEGER, "uint32_t": INTEGER, "size_t": POINTER, "intptr_t": POINTER, "uintptr_t": POINTER,
           "int64_t": LONG, "uint64_t": LONG}
WL_TYPES = {"int": INTEGER, "4-byte int": INTEGER, "system int": POINTER, "8-byte int": LONG}
OTHER_WL_TYPES = {"string", "boolean", "Buffer", "Procedure", "stWdsSlot", "array of stWdsSlot"}

KEYWORDS = set("IF THEN ELSE END LOOP BREAK FOR TO RESULT NOT AND OR True False".split())
BUILT_IN = set("""API LoadDLL In64bitMode StringToUTF8 UTF8ToString Length Charact RepeatString BinaryAND ArrayAdd
                  CriticalSectionStart CriticalSectionEnd""".split())

# -- The header ----------------------------------------------------------------------------------------------------


def c_width(declaration):
    """The widths of a C type or parameter; None for what this script does not know."""
    if "*" in declaration or re.match(r"WdSocket\w+", declaration):
        return POINTER
    return C_TYPES.get(declaration.split()[0])


def c_parameters(text):
    """"const char *name, int32_t port" as a list, one space between words, none behind a star."""
    parameters = [re.sub(r"\*\s+", "*", " ".join(one.split())) for one in text.split(",")]
    return [] if parameters == ["void"] else parameters


def c_functions(text):
    """Name -> (all that stands before the name, the parameters)."""
    found = {}
    prototype = r"^[ \t]*((?:const )?\w[\w \t]*?[ \t*]+)(\w+)\s*\(([^()]*)\)\s*;"
    for words, name, parameters in re.findall(prototype, text, re.M):
        found[name] = (" ".join(words.split()), c_parameters(parameters))
    return found


class Header:
    def __init__(self, text):
        french = re.findall(r"\* The French name of `(\w+)`\.\s*\*/\s*intptr_t\s+(\w+)\s*\(", text)
        self.french = {name: english for english, name in french}
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
        text = re.sub(r"//[^\n]*", "", text)
        self.stdcall = re.search(r"#if defined\(_WIN32\) && !defined\(_WIN64\)\s*#define WDSOCKET_CALL __stdcall\s*"
                                 r"#else\s*#define WDSOCKET_CALL\s*#endif", text)
        numbers = re.findall(r"^#define WDSOCKET_(\w+)[ \t]+\(?(-?\d+)\)?[ \t]*$", text, re.M)
        self.constants = {name: int(value) for name, value in numbers}
        self.callbacks = {name: (words, c_parameters(parameters)) for words, name, parameters in re.findall(
            r"typedef\s+void\s*\(\s*([\w \t]*?)\s*\*\s*(\w+)\s*\)\s*\(([^()]*)\)\s*;", text)}
        text = re.sub(r"typedef[^;]*;", "", text)
        self.functions = c_functions(text)


@functools.cache
def read_header(text):
    return Header(text)


# -- WLanguage -----------------------------------------------------------------------------------------------------


def split_arguments(text):
    """What stands between commas outside of parentheses and strings."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, letter in enumerate(text):
        if letter == '"':
            quoted = not quoted
        elif not quoted and letter in "([":
            depth += 1
        elif not quoted and letter in ")]":
            depth -= 1
        elif not quoted and letter == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    parts.append(text[start:].strip())
    return [] if parts == [""] else parts


def inside_parentheses(text, opening):
    """The text between the parenthesis at `opening` and the one that ends it; None if none does."""
    depth, quoted = 0, False
    for at in range(opening, len(text)):
        if text[at] == '"':
            quoted = not quoted
        elif not quoted and text[at] in "()":
            depth += 1 if text[at] == "(" else -1
            if depth == 0:
                return text[opening + 1:at]
    return None


def statements(text):
    """(line number, statement) without comments, continued lines joined."""
    lines, begun = [], None
    for number, line in enumerate(text.splitlines(), 1):
        code, quoted = "", False
        for at, letter in enumerate(line):
            if letter == '"':
                quoted = not quoted
            elif letter == "/" and line[at:at + 2] == "//" and not quoted:
                break
            code += letter
        code = code.strip()
        if begun:
            number, code = begun[0], begun[1] + " " + code
            begun = None
        if code.endswith("..."):
            begun = (number, code[:-3].rstrip())
        elif code:
            lines.append((number, code))
    return lines


DECLARATION = re.compile(r"^(\w+) is ([\w -]+?)(?: = (.*))?$")


class Procedure:
    def __init__(self, line, name, parameters, returns):
        self.line, self.name, self.returns = line, name, returns
        self.parameters = []  # (name, type, default or None)
        for parameter in split_arguments(parameters):
            match = DECLARATION.match(parameter)
            self.parameters.append(match.groups() if match else (parameter, None, None))
        self.locals = {}
        self.body = []

    def signature(self):
        return ", ".join(name if default is None else f"{name} = {default}" for name, _, default in self.parameters)


class Call:
    """An API() call."""

    def __init__(self, procedure, line, statement, at):
        self.procedure, self.line = procedure, line
        arguments = split_arguments(inside_parentheses(statement, at + 3) or "")
        self.library = arguments[0] if arguments else ""
        self.function = arguments[1].strip('"') if len(arguments) > 1 else ""
        self.arguments = arguments[2:]
        self.result = None  # the variable; None if the result is dropped or used otherwise
        match = re.match(r"^(\w+)(?: is ([\w -]+))? = $", statement[:at])
        if match:
            self.result = match.group(1)
        self.alone = at == 0


class Program:
    def __init__(self, text, problems):
        self.constants, self.globals, self.members, self.procedures, self.calls = {}, {}, {}, {}, []
        self.constant_lines = {}
        section, current = None, None
        for line, code in statements(text):
            here = f"wdsocket.wl:{line}"
            header = re.match(r"^PROCEDURE (\w+)\((.*)\)(?:: ([\w ]+))?$", code)
            if header:
                current = Procedure(line, *header.groups())
                if current.name in self.procedures:
                    problems.append(f"{here}: {current.name} is there twice")
                self.procedures[current.name] = current
                section = None
            elif current:
                current.body.append((line, code))
                match = DECLARATION.match(code)
                if match:
                    current.locals[match.group(1)] = match.group(2)
            elif code == "CONSTANT" or code == "GLOBAL" or re.match(r"^\w+ is Structure$", code):
                section = code.split()[-1]
            elif code == "END":
                section = None
            elif section == "CONSTANT" and re.match(r"^\w+ = -?\d+$", code):
                name, value = code.split(" = ")
                if name in self.constants:
                    problems.append(f"{here}: {name} is there twice")
                self.constants[name] = int(value)
                self.constant_lines[name] = line
            elif section in ("GLOBAL", "Structure") and DECLARATION.match(code):
                name, kind, _ = DECLARATION.match(code).groups()
                (self.globals if section == "GLOBAL" else self.members)[name] = kind
            else:
                problems.append(f"{here}: not understood: {code}")
        for procedure in self.procedures.values():
            for line, code in procedure.body:
                for match in re.finditer(r"\bAPI\(", code):
                    self.calls.append(Call(procedure, line, code, match.start()))

    def type_of(self, procedure, name):
        for parameter, kind, _ in procedure.parameters:
            if parameter == name:
                return kind
        return procedure.locals.get(name) or self.globals.get(name)

    def width(self, procedure, argument):
        """The widths of what is handed to API(), or a sentence that says why not."""
        if argument.startswith("&"):
            name = argument[1:]
            if name in self.procedures or self.type_of(procedure, name) == "Buffer":
                return POINTER
            return f"{argument} is the address of neither a Buffer nor a procedure"
        kind = self.type_of(procedure, argument)
        if kind is None:
            return f"{argument} is no variable, so its width is not certain"
        return WL_TYPES.get(kind) or f"{argument} is a {kind}, which API() would hand over in its own way"


# -- The checks ----------------------------------------------------------------------------------------------------


def check_calls(program, header, functions, problems):
    for call in program.calls:
        where = f"wdsocket.wl:{call.line}: {call.function or 'API'}"
        if call.library == "wdsDLL()" and call.function in functions:
            returns, parameters = functions[call.function]
        elif call.library == '"kernel32"' and call.function in KERNEL32:
            returns, parameters = KERNEL32[call.function]
        else:
            problems.append(f"{where}: {call.library} has no such function")
            continue

        # The convention: API() copes with cdecl; a declaration with a convention of its own is not that.
        if returns != "void" and returns != "int32_t" and returns not in ("intptr_t", "const char *"):
            problems.append(f"{where}: returns {returns!r}, not a cdecl function whose result fills a register")
        if len(call.arguments) != len(parameters):
            problems.append(f"{where}: {len(call.arguments)} parameters, the header has {len(parameters)}")
            continue
        for number, (argument, parameter) in enumerate(zip(call.arguments, parameters), 1):
            place = f"{where}: parameter {number}, {argument} for {parameter!r}"
            width = program.width(call.procedure, argument)
            wanted = c_width(parameter)
            if isinstance(width, str):
                problems.append(f"{place}: {width}")
            elif wanted is None or wanted == LONG:
                problems.append(f"{place}: a type that a 32-bit WinDev program cannot hand over")
            elif width != wanted:
                problems.append(f"{place}: {width[0]} and {width[1]} bytes (32 and 64 bits), "
                                f"the header's has {wanted[0]} and {wanted[1]}")
            if argument not in ARGUMENTS.get(parameter, set()):
                problems.append(f"{place}: not what belongs there: {', '.join(sorted(ARGUMENTS.get(parameter, [])))}")
            if parameter.startswith("WdSocket") and argument.startswith("&"):
                check_callback(program, header, argument[1:], parameter.split()[0], problems)

        if returns == "void":
            if not call.alone:
                problems.append(f"{where}: has no result")
        elif call.result is None:
            problems.append(f"{where}: the result must go into a variable")
        elif program.type_of(call.procedure, call.result) != "system int":
            problems.append(f"{where}: the result is a whole register, {call.result} must be a system int")
        elif returns == "int32_t" and not any(f"BinaryAND({call.result}, 0x7FFFFFFF)" in code
                                              for _, code in call.procedure.body):
            problems.append(f"{where}: a 32-bit result: only its lower half counts (BinaryAND)")

    called = {call.function for call in program.calls}
    for name in functions:
        if name in called or name in NOT_CALLED or name in header.french:
            continue
        if name.endswith("W") and name[:-1] in functions:
            continue  # the UTF-16 form of a function whose UTF-8 form is used
        problems.append(f"wdsocket.h: no procedure calls {name}, and check.py has no reason for it")
    for name in NOT_CALLED:
        if name not in functions or name in called:
            problems.append(f"check.py: {name} is listed as not called, but is called or does not exist")


def check_callback(program, header, name, callback, problems):
    procedure = program.procedures.get(name)
    if not procedure or callback not in header.callbacks:
        problems.append(f"wdsocket.wl: no callback {name}, or no {callback} in the header")
        return
    where = f"wdsocket.wl:{procedure.line}: {name}"
    convention, wanted = header.callbacks[callback]
    if convention != "WDSOCKET_CALL" or not header.stdcall:
        problems.append(f"wdsocket.h: {callback} is not __stdcall on 32-bit Windows, as WinDev's callbacks are")
    if len(procedure.parameters) != len(wanted):
        problems.append(f"{where}: {len(procedure.parameters)} parameters, {callback} has {len(wanted)}")
        return
    for (parameter, kind, default), there in zip(procedure.parameters, wanted):
        if kind != "system int" or default is not None:
            problems.append(f"{where}: {parameter} must be a system int, a whole register")
        elif c_width(there)[1] < 8:
            uses = [code for _, code in procedure.body if re.search(rf"\b{parameter}\b", code)]
            if len(uses) != 1 or f"BinaryAND({parameter}, 0x7FFFFFFF)" not in uses[0]:
                problems.append(f"{where}: {parameter} is {there!r}: only its lower half counts (BinaryAND)")


def check_constants(program, header, problems):
    offered = set()
    for name, value in program.constants.items():
        where = f"wdsocket.wl:{program.constant_lines[name]}: {name}"
        original = ALIASES.get(name, name.removeprefix("wds"))
        if original not in header.constants:
            problems.append(f"{where}: the header has no WDSOCKET_{original}")
            continue
        offered.add(original)
        if header.constants[original] != value:
            problems.append(f"{where}: {value}, but WDSOCKET_{original} is {header.constants[original]}")
    for name in header.constants:
        if name not in NOT_OFFERED and f"wds{name}" not in program.constants:
            problems.append(f"wdsocket.h: wdsocket.wl has no wds{name}")
        if name in NOT_OFFERED and name in offered:
            problems.append(f"check.py: {name} is listed as not offered, but is")
    for name in ALIASES:
        if name not in program.constants:
            problems.append(f"wdsocket.wl: no constant {name}")


def check_names(program, header, problems):
    for english, french in LANGUAGES.items():
        one, other = program.procedures.get(english), program.procedures.get(french)
        for name, procedure in ((english, one), (french, other)):
            if not procedure:
                problems.append(f"wdsocket.wl: no procedure {name}")
        if not one or not other or one is other:
            continue
        where = f"wdsocket.wl:{other.line}: {french}"
        if other.parameters != one.parameters or other.returns != one.returns:
            problems.append(f"{where}: not declared like {english}")
        call = f"RESULT {english}({', '.join(name for name, _, _ in one.parameters)})"
        if [code for _, code in other.body] != [call]:
            problems.append(f"{where}: should be just {call}")
    for french, english in header.french.items():
        if LANGUAGES.get(f"wds{english}") != f"wds{french}" and not english.endswith("W"):
            problems.append(f"check.py: the header calls {english} {french} in French")
    known = set(LANGUAGES) | set(LANGUAGES.values()) | INTERNAL
    for name in program.procedures.keys() - known:
        problems.append(f"wdsocket.wl:{program.procedures[name].line}: {name} has no name in the other language")
    for name in INTERNAL - program.procedures.keys():
        problems.append(f"wdsocket.wl: no procedure {name}")
    for name, signature in DOCUMENTED.items():
        procedure = program.procedures.get(name)
        if procedure and procedure.signature() != signature:
            problems.append(f"wdsocket.wl:{procedure.line}: {name}({procedure.signature()}), documented: ({signature})")
    # WLanguage does not tell capital from small letters.
    seen = {}
    for name in [*program.constants, *program.globals, *program.procedures]:
        if seen.setdefault(name.lower(), name) != name:
            problems.append(f"wdsocket.wl: {name} and {seen[name.lower()]} are one name")
        elif not re.match(r"(wds|g[snpa]+Wds)[A-Z]", name):
            problems.append(f"wdsocket.wl: {name} lacks the prefix")


def check_language(program, text, problems):
    """What a compiler would say first: unknown names, unknown types, blocks that do not end."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.isascii():
            problems.append(f"wdsocket.wl:{number}: not ASCII, so the encoding would matter")
        if len(line.expandtabs(4)) > 124:
            problems.append(f"wdsocket.wl:{number}: a long line")
        if re.search(r"//.*\.\.\.$", line):
            problems.append(f"wdsocket.wl:{number}: a comment that ends like a line that goes on")
    everything = {**program.globals, **program.members}
    for procedure in program.procedures.values():
        everything = {**everything, **{name: kind for name, kind, _ in procedure.parameters}, **procedure.locals}
        known = KEYWORDS | BUILT_IN | set(program.procedures) | set(program.constants) | set(program.globals) \
            | set(procedure.locals) | {name for name, _, _ in procedure.parameters}
        blocks = []
        for line, code in procedure.body:
            where = f"wdsocket.wl:{line}: {procedure.name}"
            bare = re.sub(r'"[^"]*"', '""', code)
            match = DECLARATION.match(bare)
            words = (match.group(3) or "") if match else bare
            for member in re.findall(r"\.(\w+)", words):
                if member not in program.members:
                    problems.append(f"{where}: unknown member {member}")
            for word in re.findall(r"(?<![.\w])[A-Za-z_]\w*", words):
                if word not in known:
                    problems.append(f"{where}: unknown name {word}")
            if bare.count("(") != bare.count(")") or bare.count("[") != bare.count("]") or code.count('"') % 2:
                problems.append(f"{where}: brackets or quotes do not match: {code}")
            first = code.split()[0]
            if first in ("LOOP", "FOR") or first == "IF" and code.endswith(" THEN"):
                blocks.append(first)
            elif first == "IF" and " THEN " not in code or first == "ELSE" and (not blocks or blocks[-1] != "IF"):
                problems.append(f"{where}: {code}")
            elif first == "END" and (not blocks or not blocks.pop()):
                problems.append(f"{where}: an END too many")
        if blocks:
            problems.append(f"wdsocket.wl:{procedure.line}: {procedure.name}: a block does not end")
    for name, kind in everything.items():
        if kind not in WL_TYPES and kind not in OTHER_WL_TYPES:
            problems.append(f"wdsocket.wl: {name} is of the unknown type {kind}")


def sequence_in_wl(program):
    """Procedure -> what it calls, in order: API functions with the widths of their parameters, and procedures that
    make API calls."""
    uses = {name: set(re.findall(r"\b(wds\w+)\(", " ".join(code for _, code in procedure.body)))
            for name, procedure in program.procedures.items()}
    callers, more = set(), {call.procedure.name for call in program.calls}
    while more - callers:
        callers |= more
        more = {name for name in uses if uses[name] & callers}
    calls = iter(program.calls)
    sequences = {}
    for procedure in program.procedures.values():
        sequence = []
        for _, code in procedure.body:
            for match in re.finditer(r"\b(API|wds\w+)\(", code):
                if match.group(1) == "API":
                    call = next(calls)
                    widths = [program.width(procedure, argument) for argument in call.arguments]
                    sequence.append((call.function, ["sysint" if width == POINTER else "int4" for width in widths]))
                elif match.group(1) in callers:
                    sequence.append((match.group(1), None))
        sequences[procedure.name] = sequence
    return sequences, callers


def check_c(program, text, header, problems):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    sequences, callers = sequence_in_wl(program)
    functions = dict(re.findall(r"^static [\w *]*?\b(wds\w+)\([^{};]*\)\s*\{\n(.*?)^\}", text, re.S | re.M))
    for name in callers - functions.keys():
        if name not in LANGUAGES.values() or name in LANGUAGES:
            if name != "wdsInit":  # that is load() and the beginning of main()
                problems.append(f"calls.c: no function {name}, which makes API calls in wdsocket.wl")
    for name, body in functions.items():
        if name not in program.procedures:
            problems.append(f"calls.c: {name} is no procedure of wdsocket.wl")
            continue
        sequence = []
        for match in re.finditer(r"\b(?:API|KERNEL32)\((\w+), \(([^()]*)\)\)\(|\b(wds\w+)\(", body):
            function, types, called = match.groups()
            if function:
                sequence.append((function, [one.strip() for one in types.split(",") if one.strip() != "void"]))
            elif called in callers:
                sequence.append((called, None))
        if sequence != sequences[name]:
            problems.append(f"calls.c: {name} calls {sequence}, in wdsocket.wl {sequences[name]}")
    wanted = ", ".join(f"sysint {word}" for word in ("event", "message", "length", "name", "slot"))
    if f"static void WDSOCKET_CALL wdsOnEvent({wanted})" not in text:
        problems.append("calls.c: wdsOnEvent is not a WDSOCKET_CALL function of five registers")
    for name in sorted(set(re.findall(r"\bWDSOCKET_([A-Z]+_\w+)", text)) - {"TEST_PORT"}):
        if name not in header.constants:
            problems.append(f"calls.c: the header has no WDSOCKET_{name}")


def check_page(program, page, text, problems):
    """The names on a page exist, and calls in its examples have a number of parameters that fits."""
    names = set(program.procedures) | set(program.constants)
    for name in sorted(set(re.findall(r"\bwds(?!ocket)\w+", text))):
        if name not in names and not (name.endswith("_") and any(other.startswith(name) for other in names)):
            problems.append(f"{page}: {name} does not exist")
    for block in re.findall(r"^```wl\n(.*?)^```", text, re.S | re.M):
        for _, code in statements(block):
            for match in re.finditer(r"\b(wds\w+)\(", code):
                inside = inside_parentheses(code, match.end() - 1)
                procedure = program.procedures.get(match.group(1))
                if inside is None:
                    problems.append(f"{page}: {code}: a parenthesis does not end")
                elif procedure:
                    given = len(split_arguments(inside))
                    least = sum(default is None for _, _, default in procedure.parameters)
                    if not least <= given <= len(procedure.parameters):
                        problems.append(f"{page}: {match.group(1)} with {given} parameters: {code}")
    if not re.search(r"```wl\n", text):
        problems.append(f"{page}: no example")


def check(texts):
    """Problems, and what was checked."""
    problems = []
    header = read_header(texts["wdsocket.h"])
    functions = dict(header.functions)
    missing = []
    for name, prototype in c_functions(WINDOWS).items():
        if name not in functions:
            missing.append(name)
        elif functions[name] != prototype:
            problems.append(f"wdsocket.h: {name} is {functions[name]}, check.py expects {prototype}")
        functions.setdefault(name, prototype)
    if len(header.functions) < 20 or len(header.constants) < 50 or "WdSocketCallback" not in header.callbacks:
        problems.append("wdsocket.h: not understood")
    program = Program(texts["wdsocket.wl"], problems)
    check_calls(program, header, functions, problems)
    check_constants(program, header, problems)
    check_names(program, header, problems)
    check_language(program, texts["wdsocket.wl"], problems)
    check_c(program, texts["calls.c"], header, problems)
    for page in ("README.md", "LISEZMOI.md"):
        check_page(program, page, texts[page], problems)
    return problems, program, missing


# -- The self-test -------------------------------------------------------------------------------------------------


def mutations(texts, program):
    """(what, file, changed text): each must be noticed."""
    wl = texts["wdsocket.wl"]
    for call in program.calls:
        begin = wl.index(f"PROCEDURE {call.procedure.name}(")
        # In the file a call may go over two lines: the arguments are found one by one behind the function's name.
        name = f'"{call.function}"'
        starts = [match.start() for match in re.finditer(re.escape(name), wl) if match.start() > begin]
        nth = [other for other in program.calls if other.procedure is call.procedure
               and other.function == call.function].index(call)
        at = starts[nth]
        yield f"{call.function} misspelt", "wdsocket.wl", wl[:at + 1] + "X" + wl[at + 1:]
        position = at + len(name)
        for argument in call.arguments:
            found = re.compile(r",[\s.]*" + re.escape(argument) + r"\b").search(wl, position)
            yield (f"{call.function} in {call.procedure.name} without {argument}", "wdsocket.wl",
                   wl[:found.start()] + wl[found.end():])
            yield (f"{call.function} in {call.procedure.name} with one more {argument}", "wdsocket.wl",
                   wl[:found.end()] + f", {argument}" + wl[found.end():])
            position = found.end()
        for name in {*call.arguments, call.result} - {None}:
            # Wider or narrower: in the declaration, be it a local variable or a parameter.
            for old, new in (("system int", "int"), ("int", "system int"), ("Buffer", "string")):
                variable = name.removeprefix("&")
                end = wl.find("\nPROCEDURE ", begin + 1)
                declared = re.compile(rf"\b{variable} is {old}\b").search(wl, begin, end if end > 0 else len(wl))
                if declared:
                    yield (f"{variable} in {call.procedure.name} as {new}", "wdsocket.wl",
                           wl[:declared.start()] + f"{variable} is {new}" + wl[declared.end():])
        for one, other in zip(call.arguments, call.arguments[1:]):
            if one != other:
                yield (f"{call.function}: {one} and {other} change places", "wdsocket.wl",
                       swapped(wl, at, one, other))
    for name, value in program.constants.items():
        yield f"{name} changed", "wdsocket.wl", re.sub(rf"\b{name} = {value}\b", f"{name} = {value + 1}", wl)
        yield f"{name} misspelt", "wdsocket.wl", re.sub(rf"(?m)^(\t{name}) = ", r"\1X = ", wl)
    for name in program.procedures:
        yield f"{name} misspelt", "wdsocket.wl", wl.replace(f"PROCEDURE {name}(", f"PROCEDURE {name}X(")
    for name, procedure in program.procedures.items():
        if name in DOCUMENTED:
            for parameter, kind, default in procedure.parameters:
                if default is not None:
                    begin = wl.index(f"PROCEDURE {name}(")
                    old = f"{parameter} is {kind} = {default}"
                    at = wl.index(old, begin)
                    yield f"{name}: no default for {parameter}", "wdsocket.wl", wl[:at] + wl[at:].replace(
                        old, f"{parameter} is {kind}", 1)
    for parameter, _, _ in program.procedures["wdsOnEvent"].parameters:
        at = wl.index("PROCEDURE wdsOnEvent(")
        yield f"wdsOnEvent without {parameter}", "wdsocket.wl", wl[:at] + re.sub(
            rf"{parameter} is system int(, )?", "", wl[at:], count=1)
        yield f"wdsOnEvent: {parameter} as int", "wdsocket.wl", wl[:at] + wl[at:].replace(
            f"{parameter} is system int", f"{parameter} is int", 1)
    for what, file, old, new in (
            ("upper half of the event", "wdsocket.wl", "BinaryAND(nEvent, 0x7FFFFFFF)", "nEvent"),
            ("upper half of lstrlenA", "wdsocket.wl", "BinaryAND(nResult, 0x7FFFFFFF)", "nResult"),
            ("a string handed over", "wdsocket.wl", '"SocketState", &bufName', '"SocketState", sName'),
            ("a number without a width", "wdsocket.wl", '"SocketSync", nMaxWait', '"SocketSync", 0'),
            ("another library", "wdsocket.wl", 'API(wdsDLL(), "SocketWake"', 'API("wdsocket", "SocketWake"'),
            ("an END missing", "wdsocket.wl", "\t\tIF nBytes >= nRoom THEN", "\t\tnRoom = nRoom"),
            ("an unknown name", "wdsocket.wl", "Length(bufData)", "Length(bufDate)"),
            ("French that does something else", "wdsocket.wl", "RESULT wdsSocketWrite(sName",
             "RESULT wdsSocketWrite(sMessage"),
            ("a function that nobody calls", "wdsocket.h", "intptr_t SocketWake(void);",
             "intptr_t SocketWake(void);\nintptr_t SocketNew(void);"),
            ("a constant that is new", "wdsocket.h", "#define WDSOCKET_E_OK 0",
             "#define WDSOCKET_E_OK 0\n#define WDSOCKET_E_NEW 25"),
            ("a function with a convention", "wdsocket.h", "intptr_t SocketWake(void);",
             "intptr_t WDSOCKET_CALL SocketWake(void);"),
            ("a narrow result", "wdsocket.h", "intptr_t SocketWake(void);", "int32_t SocketWake(void);"),
            ("a callback without convention", "wdsocket.h", "(WDSOCKET_CALL *WdSocketCallback)",
             "(*WdSocketCallback)"),
            ("callbacks that are not stdcall", "wdsocket.h", "#define WDSOCKET_CALL __stdcall",
             "#define WDSOCKET_CALL __cdecl"),
            ("a wide parameter", "wdsocket.h", "SocketDispatch(int32_t timeout_ms",
             "SocketDispatch(int64_t timeout_ms"),
            ("another function in C", "calls.c", "API(SocketClose, ", "API(SocketExists, "),
            ("another width in C", "calls.c", "API(SocketSync, (int4))", "API(SocketSync, (sysint))"),
            ("a call that C does not make", "calls.c", "    int4 state = wdsSocketState(name);", "    int4 state = 0;"),
            ("another order in C", "calls.c", "API(SocketRead, ", "API(SocketAvailable, "),
            ("a page's unknown name", "README.md", "wdsSocketWrite(", "wdsSocketWrote("),
            ("a page's call without a parameter", "LISEZMOI.md", "wdsInitialise()", "wdsInitialise(1, 2, 3)")):
        if old not in texts[file]:
            yield f"{what}: nothing to change in {file}", file, texts[file]
        else:
            yield what, file, texts[file].replace(old, new, 1)


def swapped(text, at, one, other):
    """The first `one, other` behind `at` as `other, one`."""
    return text[:at] + re.sub(rf"{re.escape(one)}(,[\s.]*){re.escape(other)}\b",
                              lambda match: other + match.group(1) + one, text[at:], count=1)


def self_test(texts):
    problems, program, _ = check(texts)
    unnoticed, count = [f"without any change: {problem}" for problem in problems], 0
    for what, file, changed in mutations(texts, program):
        count += 1
        try:
            noticed = changed != texts[file] and check({**texts, file: changed})[0]
        except Exception as error:  # a crash would tell a reader less than a problem does
            unnoticed.append(f"{what}: {type(error).__name__}: {error}")
            continue
        if not noticed:
            unnoticed.append(f"unnoticed: {what}")
    print("\n".join(unnoticed + [f"windev: self-test: {count} changes, {count - len(unnoticed)} noticed"]))
    return 1 if unnoticed or count < 300 else 0


def main():
    if sys.argv[1:] not in ([], ["--self-test"]):
        print(__doc__.strip().splitlines()[2])
        return 2
    texts = {name: path.read_text(encoding="utf-8") for name, path in FILES.items()}
    if sys.argv[1:]:
        return self_test(texts)
    problems, program, missing = check(texts)
    for problem in dict.fromkeys(problems):
        print(problem)
    if missing:
        print(f"windev: not in the header yet, taken as check.py has them: {', '.join(missing)}")
    print(f"windev: {len(program.calls)} calls, {len(program.constants)} constants checked")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
