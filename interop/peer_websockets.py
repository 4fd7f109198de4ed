#!/usr/bin/env python3
"""The peer written with Python's `websockets`. Same paths and answers as peer_ws.mjs; peers.c is the client.

Prints "port N", ends when its standard input ends. Agrees to compress unless the query has "plain"; then
server_no_context_takeover, client_no_context_takeover, server_max_window_bits=N, client_max_window_bits=N in the
query are what it insists on.

    /echo         sends every message back; with "fragment": in pieces cut anywhere, inside characters too
    /close        answers the message "CODE REASON" by closing with these
    /ping         pings, and says "pong PAYLOAD" when the pong is there
    /header       sends back the request's X-Big; its answer has an X-Reply of the same length
    /refuse       answers 403
    /seen?id=X    how connection X (one of the above with id=X) ended: "CODE PINGS REASON", the close code that
                  arrived here, the number of pings that did, the reason
"""
import asyncio
import random
import sys
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import Opcode

endings = {}  # id -> future of "CODE PINGS REASON"


class Connection(ServerConnection):
    """Counts pings, which the public interface answers without a word."""

    pings = 0

    def process_event(self, event):
        self.pings += getattr(event, "opcode", None) is Opcode.PING
        super().process_event(event)


def ending(identity):
    return endings.setdefault(identity, asyncio.get_running_loop().create_future())


def pieces(data):
    longest = 1 + (len(data) >> random.randrange(6))  # few pieces or many
    while data:
        cut = random.randint(1, longest)
        yield data[:cut]
        data = data[cut:]


async def echo(peer, fragment):
    async for message in peer:
        if fragment and len(message) > 1:
            text = isinstance(message, str)
            await peer.send(pieces(message.encode() if text else message), text=text)
        else:
            await peer.send(message)


async def behave(peer, path, query):
    if path == "/close":
        code, _, reason = (await peer.recv()).partition(" ")
        await peer.close(int(code), reason)
    elif path == "/ping":
        await (await peer.ping("are you there?"))
        await peer.send("pong are you there?")
        await echo(peer, False)
    elif path == "/header":
        await peer.send(peer.request.headers.get("X-Big", ""))
        await echo(peer, False)
    elif path == "/seen":
        await peer.send(await asyncio.wait_for(ending(query["id"][0]), 10))
        await peer.wait_closed()
    else:
        await echo(peer, "fragment" in query)


async def serve_one(peer):
    path, query = urlsplit(peer.request.path).path, query_of(peer.request.path)
    try:
        await behave(peer, path, query)
    except ConnectionClosed:
        pass
    await peer.wait_closed()
    if path != "/seen" and "id" in query:
        ending(query["id"][0]).set_result(f"{peer.close_code} {peer.pings} {peer.close_reason}")


def query_of(path):
    return parse_qs(urlsplit(path).query, keep_blank_values=True)


def deflate(query):
    bits = {name: int(query[name][0]) for name in ("server_max_window_bits", "client_max_window_bits") if name in query}
    return ServerPerMessageDeflateFactory(
        server_no_context_takeover="server_no_context_takeover" in query,
        client_no_context_takeover="client_no_context_takeover" in query,
        compress_settings={"level": 3},
        **bits,
    )


def prepare(peer, request):
    if request.path == "/refuse":
        return peer.respond(403, "not you\n")
    query = query_of(request.path)
    peer.protocol.available_extensions = [] if "plain" in query else [deflate(query)]


def answer(peer, request, response):
    if "X-Big" in request.headers:
        response.headers["X-Reply"] = "r" * len(request.headers["X-Big"])


def choose(peer, offered):
    return next((name for name in offered if name in ("mqtt", "soap")), None)


async def main():
    options = dict(
        compression=None,  # prepare() chooses for each connection
        max_size=None,
        ping_interval=None,
        process_request=prepare,
        process_response=answer,
        select_subprotocol=choose,
        create_connection=Connection,
    )
    async with serve(serve_one, "127.0.0.1", 0, **options) as server:
        print("port", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
