"""What the runners in this folder share: the C host, promises, processes, ports."""
import collections
import os
import pathlib
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse

OPENING, MESSAGE, CLOSING, ERROR, WRITABLE = 1, 2, 3, 4, 5
(E_OK, E_INVALID_ARGUMENT, _, _, E_CLOSED, E_TIMEOUT, E_RESOLVE, E_REFUSED, E_IO, E_TLS, E_HANDSHAKE) = range(11)
E_SEND_QUEUE_FULL, E_PROXY = 16, 17
OPTION = {
    "HEADER": 1, "CONNECT_TIMEOUT_MS": 5, "CLOSE_TIMEOUT_MS": 6, "WRITE_TIMEOUT_MS": 7, "PING_INTERVAL_MS": 8,
    "PONG_TIMEOUT_MS": 9, "MAX_MESSAGE_BYTES": 10, "RECEIVE_QUEUE_BYTES": 11, "SEND_QUEUE_BYTES": 12, "CA_FILE": 20, "CLIENT_CERT_FILE": 21,
    "CLIENT_KEY_FILE": 22, "VERIFY_PEER": 23, "SERVER_NAME": 24, "PINNED_KEY": 25, "PROXY": 30, "RECONNECT_MIN_MS": 31,
    "RECONNECT_MAX_MS": 32, "COMPRESSION": 40,
}
INFO = {
    "EXTENSIONS": 2, "REMOTE_ADDRESS": 3, "CLOSE_CODE": 4, "HTTP_STATUS": 6, "TLS": 8, "QUEUED_IN": 13, "QUEUED_OUT": 14,
    "URL": 16, "LAST_ERROR": 17, "PEER_CERTIFICATE": 18, "PROXY": 19, "RECONNECTIONS": 20,
}
TLS1, TLS1_1, TLS1_2, TLS1_3 = 4, 8, 16, 32
OPEN = 2
PATIENCE = 30
# The host program is one for Windows (scripts/test-windows.sh).
WINDOWS = os.environ.get("TLS_TESTS_SYSTEM") == "windows"

Result = collections.namedtuple("Result", "value code message more")
Event = collections.namedtuple("Event", "event name code message state length hash text")


def check(condition, said):
    if not condition:
        raise AssertionError(said)


def same(came, expected, what=""):
    check(came == expected, f"{what}: expected {expected!r}, came {came!r}")


def contains(text, *parts):
    for part in parts:
        check(part.lower() in text.lower(), f'expected "{part}" in "{text}"')


def lacks(text, *parts):
    for part in parts:
        check(part not in text, f'"{part}" must not be in "{text}"')


def wait_until(condition, said, patience=PATIENCE):
    end = time.monotonic() + patience
    while not (value := condition()):
        check(time.monotonic() < end, f"never: {said}")
        time.sleep(0.005)
    return value


class Host:
    """The C host program: one process, one copy of the library."""

    program = None

    def __init__(self, folder, **environment):
        clean = {name: value for name, value in os.environ.items()
                 if not name.lower().endswith("_proxy") and not name.startswith(("SSL_CERT", "WDSOCKET_LOG"))}
        # Windows' store is no file.
        authorities = environment.pop("SSL_CERT_FILE", None) if WINDOWS else None
        self.stderr_file = tempfile.NamedTemporaryFile(dir=folder, prefix="stderr-", delete=False)
        self.process = subprocess.Popen([self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.stderr_file, env=clean | environment)
        self.events = collections.deque()
        self.rest = b""
        self.defaults = {}
        if authorities:
            self.option(None, "CA_FILE", authorities)

    def line(self, timeout):
        end = time.monotonic() + timeout
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            check(ready, "the host program hangs")
            got = os.read(self.process.stdout.fileno(), 1 << 16)
            if not got:
                raise AssertionError(f"the host program ended with {self.process.wait()}: {self.stderr()[-500:]}")
            self.rest += got
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode().split("\t")

    def call(self, function, *args, timeout=60):
        fields = [function]
        for arg in args:
            if arg is None:
                fields.append("-")
            elif isinstance(arg, int):
                fields.append(str(arg))
            else:
                fields.append("=" + urllib.parse.quote_from_bytes(arg if isinstance(arg, bytes) else arg.encode()))
        self.process.stdin.write("\t".join(fields).encode() + b"\n")
        self.process.stdin.flush()
        while True:
            kind, *rest = self.line(timeout)
            if kind == "EVENT":
                event, name, code, message, state, length, digest, text = rest
                self.events.append(Event(int(event), plain(name).decode(), int(code), plain(message).decode(), int(state),
                                         int(length), digest, plain(text)))
                continue
            value, code, message, *more = rest
            return Result(int(value), int(code), plain(message).decode(), more)

    # --- what the tests do most

    def option(self, name, option, value):
        result = self.call("SocketSetOption", name, OPTION[option], value)
        same((result.value, result.message), (1, ""), f"option {option}")

    def options(self, options, name="c"):
        for option, value in options.items():
            self.option(name, option, value)

    def ssl(self, port, address="localhost", path="/", versions=0, name="c", timeout=10000):
        return self.call("WebSocketClientConnectSSL", name, address, port, path, None, versions, timeout)

    def connect(self, *args, **named):
        result = self.ssl(*args, **named)
        same((result.value, result.code), (1, 0), f"WebSocketClientConnectSSL ({result.message})")

    def connect_url(self, url, name="c", timeout=10000):
        function = "WebSocketClientConnectSSL" if url.startswith("wss:") else "WebSocketClientConnect"
        args = [name, url, 0, None, None] + ([0] if function.endswith("SSL") else []) + [timeout]
        return self.call(function, *args)

    def echo(self, text="hello", name="c"):
        result = self.call("SocketWrite", name, text)
        same((result.value, result.message), (1, ""), "SocketWrite")
        same(self.read(name), text.encode(), "echo")

    def read(self, name="c", timeout=PATIENCE * 1000):
        result = self.call("SocketRead", name, timeout)
        check(result.value >= 0, f"SocketRead: {result.message}")
        return plain(result.more[2])

    def info(self, item, name="c"):
        result = self.call("SocketInfo", name, INFO[item])
        check(result.value >= 0, f"SocketInfo({item}): {result.message}")
        return plain(result.more[0]).decode()

    def close(self, name="c"):
        """Closes the socket, and forgets events that were not looked at."""
        self.call("SocketClose", name)
        self.events.clear()

    def event(self, *expected, patience=PATIENCE):
        """The next event; it must be one of these, if any are given."""
        end = time.monotonic() + patience
        while not self.events:
            check(time.monotonic() < end, f"expected event {expected}, nothing came")
            self.call("SocketDispatch", 500, 0)
        event = self.events.popleft()
        check(not expected or event.event in expected,
              f"expected event {expected}, came {event._replace(text=event.text[:100])}")
        return event

    def no_event(self, ms):
        end = time.monotonic() + ms / 1000
        while time.monotonic() < end:
            self.call("SocketDispatch", 20, 0)
        check(not self.events, f"expected no event, came {self.events and self.events[0]}")

    def state(self, name="c"):
        return self.call("SocketState", name).value

    def cpu_ms(self):
        """What the process has computed so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 // os.sysconf("SC_CLK_TCK")

    def rests(self, what, seconds=1.0):
        """Nothing spins: hardly any processor time while nothing is to be done."""
        before = self.cpu_ms()
        time.sleep(seconds)
        used = self.cpu_ms() - before
        check(used <= seconds * 100, f"{what}: {used} ms of processor time in {seconds} s")

    def stderr(self):
        return pathlib.Path(self.stderr_file.name).read_text(errors="replace")

    def stop(self):
        self.process.stdin.close()
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process.stdout.close()
        return status


def plain(field):
    return urllib.parse.unquote_to_bytes(field[1:])


# --- promises -------------------------------------------------------------------------------

promises = []


def promise(text):
    """Marks a test: a function of a Test, and the promise that it checks."""
    def mark(function):
        promises.append((text, function))
        return function
    return mark


class Skip(Exception):
    pass


class Test:
    """What one test has started, and ends with it."""

    def __init__(self, folder):
        self.folder = folder
        self.things = []

    def add(self, thing):
        self.things.append(thing)
        return thing

    def host(self, **environment):
        return self.add(Host(self.folder, **environment))

    def end(self):
        status = 0
        for thing in reversed(self.things):
            ended = thing.stop()
            if isinstance(thing, Host):
                status = status or ended
        return status


def run_promises(label, folder, only=""):
    passed, failed, skipped = 0, 0, 0
    for text, function in promises:
        if only not in text:
            continue
        test = Test(folder)
        start = time.monotonic()
        problem = None
        try:
            function(test)
        except Skip as skip:
            print(f"  skipped {text}: {skip}")
            skipped += 1
            test.end()
            continue
        except AssertionError as error:
            where = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in where if frame.filename == function.__code__.co_filename]
            problem = f"line {lines[-1]}: {error}"
        except Exception:  # the runner's own mistake counts as a failure too
            problem = traceback.format_exc(limit=-3)
        try:
            status = test.end()
        except Exception:
            status, problem = 0, problem or traceback.format_exc(limit=-3)
        if status and not problem:
            problem = f"the host program ended with {status}"
        took = int((time.monotonic() - start) * 1000)
        if problem:
            failed += 1
            print(f"  FAILED {text} ({took} ms): {problem}", flush=True)
        else:
            passed += 1
            print(f"  ok {text} ({took} ms)", flush=True)
    print(f"{label}: {passed} of {passed + failed} promises kept" + (f", {skipped} skipped" if skipped else ""))
    if counts := os.environ.get("WDSOCKET_COUNTS"):
        with open(counts, "a") as file:
            file.write(f"{os.environ.get('INTEROP_LABEL', '')}{label} {passed} {failed} {skipped}\n")
    return failed


# --- servers that this project did not write ---------------------------------------------------

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find(program):
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin:/sbin")
    if not found:
        raise Skip(f"{program} is not installed")
    return found


class Program:
    """A server in a process of its own; started once it accepts connections on its port."""

    def __init__(self, command, port, log, **more):
        self.log = open(log, "wb")
        self.process = subprocess.Popen(command, stdin=more.pop("stdin", subprocess.DEVNULL), stdout=self.log,
                                        stderr=self.log, **more)
        self.port = port

        def accepts():
            check(self.process.poll() is None, f"{command[0]} ended: {pathlib.Path(log).read_text()[-500:]}")
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until(accepts, f"{command[0]} listens")

    def stop(self):
        if self.process.stdin:
            self.process.stdin.close()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def main(label, prepare):
    """Runs the module's promises; `prepare(folder)` first."""
    Host.program, server = sys.argv[1:3]
    only = sys.argv[3] if len(sys.argv) > 3 else ""
    with tempfile.TemporaryDirectory(prefix="wdsocket-tls-") as folder:
        folder = pathlib.Path(folder)
        test_server = subprocess.Popen([server], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port = int(test_server.stdout.readline().split()[1])
        try:
            prepare(folder, port)
            failed = run_promises(label, folder, only)
        finally:
            test_server.stdin.close()
            test_server.wait(10)
            test_server.stdout.close()
    sys.exit(failed > 0)
