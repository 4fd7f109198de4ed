"""Python's websockets, its asyncio client."""

from importlib.metadata import version

from peer_base import Peer
from websockets.asyncio.client import connect


class Websockets(Peer):
    version = version("websockets")

    async def open(self, path):
        self.socket = await connect(
            self.url(path), ssl=self.context(), compression=None, max_size=None, ping_interval=None, proxy=None
        )

    async def give(self, count):
        for _ in range(count):
            await self.socket.send(self.message)

    async def go(self):
        await self.socket.send("go")

    async def take(self, count, length):
        for _ in range(count):
            message = await self.socket.recv()
        if len(message if isinstance(message, bytes) else message.encode()) != length:
            raise ValueError(f"not {length} bytes")
        return message

    async def close(self):
        await self.socket.close()


Websockets().main()
