"""picows on uvloop where that is installed. Its listener is called for each frame, and answers from there."""

import asyncio
import time
from importlib.metadata import version

from peer_base import Peer
from picows import WSListener, WSMsgType, ws_connect

try:
    import uvloop
except ImportError:
    uvloop = None


class Listener(WSListener):
    def __init__(self, peer):
        super().__init__()
        self.peer, self.left, self.times = peer, 0, None
        self.writable = asyncio.Event()
        self.writable.set()

    def expect(self, messages, times=None):
        self.left, self.times = messages, times
        self.done = asyncio.get_running_loop().create_future()
        self.start = time.perf_counter_ns()

    def on_ws_frame(self, transport, frame):
        if frame.msg_type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return
        if frame.msg_type == WSMsgType.TEXT:
            message = frame.get_payload_as_utf8_text()
        else:
            message = frame.get_payload_as_memoryview()
        self.left -= 1
        if self.times is not None:
            now = time.perf_counter_ns()
            self.times.append((now - self.start) / 1e3)
            if self.left:
                self.start = time.perf_counter_ns()
                transport.send(self.peer.kind, self.peer.message)
        if self.left == 0:
            self.length = frame.payload_size
            self.last = message if isinstance(message, str) else bytes(message)
            self.done.set_result(None)

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()


class Picows(Peer):
    version = version("picows") + (", uvloop " + version("uvloop") if uvloop else "")

    async def open(self, path):
        self.kind = WSMsgType.TEXT if self.text else WSMsgType.BINARY
        if self.text:
            self.message = self.message.encode()
        self.transport, self.listener = await ws_connect(
            lambda: Listener(self),
            self.url(path),
            ssl_context=self.context(),
            max_frame_size=64 << 20,
            read_buffer_init_size=256 << 10,
        )
        self.listener.expect(1)

    async def give(self, count):
        for _ in range(count):
            if not self.listener.writable.is_set():
                await self.listener.writable.wait()
            self.transport.send(self.kind, self.message)

    async def go(self):
        self.transport.send(WSMsgType.TEXT, b"go")

    async def take(self, count, length):
        if self.listener.left != count:
            raise ValueError(f"{self.listener.left} messages are awaited, not {count}")
        await self.listener.done
        if self.listener.length != length:
            raise ValueError(f"{self.listener.length} bytes, not {length}")
        return self.listener.last

    async def echo(self, count):
        times = []
        self.listener.expect(count, times)
        self.transport.send(self.kind, self.message)
        await self.listener.done
        return times

    async def round(self):
        self.listener.expect(self.count if self.scenario == "receive" else 1)
        return await super().round()

    async def close(self):
        self.transport.disconnect()
        await self.transport.wait_disconnected()

    def main(self):
        if uvloop:
            uvloop.run(self.serve())
        else:
            super().main()


Picows().main()
