"""The server and the contestants as processes, and the line protocol with them (peers/bench.h describes it)."""

import json
import os
import pathlib
import select
import subprocess
import tempfile

ANSWER_SECONDS = 180


class Failure(Exception):
    """A contestant, or the server, said that it cannot, or nothing."""


def scheduled_us(pid):
    """How long a process's living threads ran, and waited for a core that others had, in microseconds."""
    ran = waited = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            words = (task / "schedstat").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # the thread has just ended
        ran, waited = ran + int(words[0]), waited + int(words[1])
    return ran / 1e3, waited / 1e3


class Process:
    """A program with its standard input and output as pipes, on the given cores."""

    def __init__(self, command, cores, environment=None):
        self.errors = tempfile.TemporaryFile()
        self.rest = b""
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env={**os.environ, **(environment or {})},
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        self.pid = self.process.pid

    def say(self, line):
        try:
            os.write(self.process.stdin.fileno(), line.encode() + b"\n")
        except BrokenPipeError:
            raise Failure(self.reason()) from None

    def hear(self):
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], ANSWER_SECONDS)
            if not ready:
                raise Failure(f"no answer for {ANSWER_SECONDS} seconds")
            piece = os.read(self.process.stdout.fileno(), 1 << 20)
            if not piece:
                raise Failure(self.reason())
            self.rest += piece
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode()

    def reason(self):
        status = self.process.wait(timeout=ANSWER_SECONDS)
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return "; ".join(lines[-3:]) or f"ended with status {status}"

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()


class Server(Process):
    """The echo server; `port` and `tls_port` are where it listens."""

    def __init__(self, command, cores):
        super().__init__(command, cores)
        words = self.hear().split()  # "port N" and perhaps "tls N"
        self.port = int(words[1])
        self.tls_port = int(words[3]) if len(words) > 3 else 0


class Contestant(Process):
    """A client; `can` are the words for what it can do."""

    def __init__(self, peer, cores, wrapper=()):
        super().__init__([*wrapper, *peer.command], cores, peer.environment)
        self.peer = peer
        hello = json.loads(self.hear())
        self.version = hello["version"]
        self.can = set(hello["can"].split())

    def ask(self, word, **parameters):
        self.say(" ".join([word, *(f"{key}={value}" for key, value in parameters.items())]))
        return json.loads(self.hear())

    def prepare(self, scenario, **parameters):
        return self.ask(f"prepare {scenario}", **parameters)

    def status(self, field):
        """A number of /proc/PID/status."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise Failure(f"no {field}")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))
