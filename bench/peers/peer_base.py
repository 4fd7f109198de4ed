"""What the contestants written in Python share: the line protocol and the scenarios that bench.h describes."""

import asyncio
import json
import resource
import ssl
import sys
import time


def cpu_us():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1e6


class Peer:
    """A contestant derives from this. `message` is what is sent, `size` its length in bytes, `text` what it is."""

    version = ""
    can = "echo receive send tls"

    async def open(self, path):
        """Connects to self.url(path)."""

    async def give(self, count):
        """Sends the message so often."""

    async def go(self):
        """Sends any small message."""

    async def take(self, count, length):
        """Receives so many messages of so many bytes; returns the last."""

    async def close(self):
        """Ends the connection."""

    async def echo(self, count):
        """Exchanges so many messages, one after the other; returns the times in microseconds."""
        times = []
        for _ in range(count):
            start = time.perf_counter_ns()
            await self.give(1)
            await self.take(1, self.size)
            times.append((time.perf_counter_ns() - start) / 1e3)
        return times

    def url(self, path):
        if "ca" in self.parameters:
            return f"wss://localhost:{self.parameters['port']}{path}"
        return f"ws://127.0.0.1:{self.parameters['port']}{path}"

    def context(self):
        return ssl.create_default_context(cafile=self.parameters["ca"]) if "ca" in self.parameters else None

    async def prepare(self, scenario, parameters):
        self.scenario, self.parameters = scenario, parameters
        self.size, self.count = int(parameters.get("size", 64)), int(parameters.get("count", 1))
        kind = parameters.get("kind", "binary")
        self.text = kind != "binary"
        if kind == "cjk":
            self.message = "漢" * (self.size // 3) + "." * (self.size % 3)
        else:
            letters = "".join(chr(ord("a") + i % 26) for i in range(self.size))
            self.message = letters if self.text else letters.encode()
        await self.open(parameters.get("path", "/echo"))
        if scenario == "echo":
            await self.give(1)
            if await self.take(1, self.size) != self.message:
                raise ValueError("other bytes than were expected")
        return {"ready": True}

    async def round(self):
        times, begin, cpu = None, time.perf_counter_ns(), cpu_us()
        if self.scenario == "echo":
            times = await self.echo(self.count)
        elif self.scenario == "receive":
            await self.go()
            await self.take(self.count, self.size)
        else:
            await self.give(self.count)
            await self.take(1, 0)
        wall, cpu = (time.perf_counter_ns() - begin) / 1e3, cpu_us() - cpu
        answer = {"wall_us": wall, "cpu_us": cpu, "messages": self.count, "bytes": self.count * self.size}
        return answer | ({"times": times} if times else {})

    async def serve(self):
        print(json.dumps({"version": self.version, "can": self.can}), flush=True)
        for line in sys.stdin:
            word, *rest = line.split()
            if word == "prepare":
                answer = await self.prepare(rest[0], dict(pair.split("=", 1) for pair in rest[1:]))
            elif word == "round":
                answer = await self.round()
            elif word == "finish":
                await self.close()
                answer = {"finished": True}
            else:
                raise ValueError(f"unknown command: {line}")
            print(json.dumps(answer), flush=True)

    def main(self):
        asyncio.run(self.serve())
