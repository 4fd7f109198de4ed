#!/usr/bin/env python3
"""TLS below the messages: records and segments cut anywhere, ends of all kinds, key updates, full queues, losses. A
socket with TLS is driven like one without.

    records.py HOST_PROGRAM TEST_SERVER [PART_OF_A_PROMISE]
"""
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import zlib

import certificates
from driver import *
from server import BINARY, CLOSE, PING, PONG, TEXT, Gone, Server, accept_key, context, frame

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
made = None


class Made:
    def __init__(self, folder):
        self.folder = folder
        self.ca = certificates.Authority(folder, "Root")
        self.good = self.ca.issue("good")
        self.stranger = certificates.Authority(folder, "Stranger").issue("stranger")


def prepare(folder, test_port):
    global made
    made = Made(folder)


def serve(t, behave=None, low=None, high=None, **more):
    return t.add(Server(context(made.good, low, high), behave, **more))


def new_host(t, **options):
    host = t.host(SSL_CERT_FILE=made.ca.file)
    host.options(options, None)
    return host


def opened(t, server, callback=False, host=None, **options):
    host = host or new_host(t, **options)
    if callback:
        result = host.call("WebSocketClientConnectSSLAsync", "c", "localhost", server.port, None, None, 0)
        same(result.value, 1, result.message)
        host.event(OPENING)
    else:
        host.connect(server.port)
    return host


def both_kinds(function):
    """The test with a synchronous socket and with a callback socket, TLS 1.2 and 1.3."""
    def each(t):
        for callback in (False, True):
            for version in (V12, V13):
                function(t, callback, version)
    each.__code__ = each.__code__.replace(co_filename=function.__code__.co_filename)
    return each


def next_message(host, callback):
    return host.event(MESSAGE).text if callback else host.read()


def expect_messages(host, callback, messages):
    for message in messages:
        same(next_message(host, callback), message.encode(), "message")


# --- records and segments -------------------------------------------------------------------------

@promise("several frames in one record, and the rest of the answer with them")
@both_kinds
def _(t, callback, version):
    def behave(peer):
        peer.read_request()
        peer.send(peer.answer() + frame("one") + frame("") + frame("two") + frame("ping", PING) + frame("three"))
        same(peer.message(), (PONG, b"ping"))
        peer.send(frame("four") + frame("five"))
        peer.echo()
    host = opened(t, serve(t, behave, version, version), callback)
    expect_messages(host, callback, ["one", "", "two", "three", "four", "five"])
    same(host.call("SocketWrite", "c", "after").value, 1)
    expect_messages(host, callback, ["after"])


@promise("one frame in many records: a byte in each, and cut anywhere")
@both_kinds
def _(t, callback, version):
    long = "x" * 70000
    def behave(peer):
        peer.read_request()
        for at in range(0, len(peer.answer()), 7):
            peer.send(peer.answer()[at:at + 7])
        for byte in frame("a byte in each") + frame("ä" * 100):
            peer.send(bytes([byte]))
        data = frame(long) + frame("end")
        for at in range(0, len(data), 1013):
            peer.send(data[at:at + 1013])
        peer.echo()
    host = opened(t, serve(t, behave, version, version), callback)
    expect_messages(host, callback, ["a byte in each", "ä" * 100])
    same(len(next_message(host, callback)), 4096, "what the host shows of a long message")
    expect_messages(host, callback, ["end"])


@promise("everything arrives byte by byte: the handshake, the answer, messages, the closing")
@both_kinds
def _(t, callback, version):
    def slowly(peer):
        peer.segment = 1
    host = opened(t, serve(t, None, version, version, before=slowly), callback)
    for text in ("one", "two " * 50):
        same(host.call("SocketWrite", "c", text).value, 1)
        expect_messages(host, callback, [text])
    same(host.call("SocketCloseWith", "c", 1000, "bye").value, 1)
    if callback:
        same(host.event(CLOSING).text, b"1000")
    else:
        same(host.call("SocketRead", "c", 10000).code, E_CLOSED)
        same(host.info("CLOSE_CODE"), "1000")


@promise("records of 16 KiB, and messages larger than any record, both ways, whole")
@both_kinds
def _(t, callback, version):
    host = opened(t, serve(t, None, version, version), callback)
    for size in (16383, 16384, 16385, 100_000, 5_000_000):
        written = host.call("write_pattern", "c", size, size)
        same(written.value, 1, written.message)
        if callback:
            event = host.event(MESSAGE)
            same((event.length, event.hash), (size, written.more[0]), "message")
        else:
            read = host.call("SocketRead", "c", PATIENCE * 1000)
            same((read.value, read.more[1]), (size, written.more[0]), "message")


@promise("a peer's empty records change nothing")
def _(t):
    def behave(peer):
        peer.upgrade()
        for i in range(10):
            peer.send(b"")
        peer.send(frame("still there"))
        peer.echo()
    host = opened(t, serve(t, behave))
    same(host.read(), b"still there")
    host.echo()


@promise("TLS 1.3 key updates from the peer while idle and in between, with and without an answer")
def _(t):
    port = free_port()
    log = made.folder / "s_server.log"
    program = t.add(Program([find("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-cert", made.good.cert_file,
                             "-key", made.good.key_file, "-tls1_3", "-naccept", "10"], port, log,
                            stdin=subprocess.PIPE, bufsize=0))
    # Program's look whether it listens was the first connection.
    host = new_host(t, PING_INTERVAL_MS="0")
    result = host.call("WebSocketClientConnectSSLAsync", "c", "localhost", port, None, None, 0)
    same(result.value, 1, result.message)

    def seen(pattern):
        host.call("SocketDispatch", 0, 0)
        return re.search(pattern, log.read_bytes(), re.S)

    def tell(data):
        program.process.stdin.write(data)
        time.sleep(0.15)  # each command must be a read of its own

    key = wait_until(lambda: seen(rb"Sec-WebSocket-Key: (\S+)\r\n.*\r\n\r\n"), "the request")[1].decode()
    tell(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n".encode())
    host.event(OPENING)
    for i in range(4):
        tell(b"K\n" if i % 2 else b"k\n")
        tell(frame(f"after {i}"))
        same(host.event(MESSAGE).text, b"after %d" % i)
        text = b"answer %d" % i
        same(host.call("SocketWrite", "c", text).value, 1)

        def arrived():
            for found in re.finditer(rb"\x81" + bytes([0x80 | len(text)]), log.read_bytes()):
                mask, data = (log.read_bytes()[found.end():found.end() + 4],
                              log.read_bytes()[found.end() + 4:found.end() + 4 + len(text)])
                if bytes(a ^ mask[j % 4] for j, a in enumerate(data)) == text:
                    return True
        wait_until(arrived, f"{text} at the server")
    tell(b"K\n")
    tell(b"K\n")
    host.no_event(100)
    same(host.state(), OPEN)
    tell(frame("end"))
    same(host.event(MESSAGE).text, b"end")


# --- ends -----------------------------------------------------------------------------------------

def lost(t, ending, callback=False, low=None, **options):
    """How a connection ends that the server ends so: code, LAST_ERROR."""
    def behave(peer):
        peer.upgrade()
        peer.send(frame("before"))
        opcode, data = peer.message()
        ending(peer)
    host = opened(t, serve(t, behave, low, low), callback, **options)
    expect_messages(host, callback, ["before"])
    same(host.call("SocketWrite", "c", "end it").value, 1)
    if callback:
        event = host.event(ERROR)
        same(host.event(CLOSING).text, b"1006")
        check(event.message.endswith(host.info("LAST_ERROR")) or host.info("LAST_ERROR") in event.message, "LAST_ERROR differs")
        return event.code, host.info("LAST_ERROR")
    result = host.call("SocketRead", "c", 10000)
    same(result.code, E_CLOSED, result.message)
    same(host.info("CLOSE_CODE"), "1006")
    return None, host.info("LAST_ERROR")


@promise("close-notify, truncation and reset are told apart")
def _(t):
    def cut(peer):
        peer.sock.shutdown(2)
    def reset(peer):
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.sock.close()
    for callback in (False, True):
        for version in (V12, V13):
            told = {ending.__name__: lost(t, ending, callback, version)[1]
                    for ending in ((lambda peer: peer.close_notify()), cut, reset)}
            same(len(set(told.values())), 3, f"different messages: {told}")
            contains(told["cut"], "TLS")


@promise("half a message before the end is not delivered, after close-notify or truncation")
def _(t):
    for ending in (lambda peer: peer.close_notify(), lambda peer: peer.sock.shutdown(2)):
        def behave(peer):
            peer.upgrade()
            peer.send(frame("whole") + frame("x" * 1000)[:500])
            ending(peer)
        host = opened(t, serve(t, behave), callback=True)
        same(host.event(MESSAGE).text, b"whole")
        host.event(ERROR)
        same(host.event(CLOSING).text, b"1006")


@promise("messages and close frame in the last record before close-notify and end arrive")
@both_kinds
def _(t, callback, version):
    def behave(peer):
        peer.upgrade()
        peer.send(b"".join(frame(f"{i}") for i in range(100)) + frame(struct.pack(">H", 1001) + b"going", CLOSE))
        peer.close_notify()
    host = opened(t, serve(t, behave, version, version), callback)
    expect_messages(host, callback, [f"{i}" for i in range(100)])
    if callback:
        same(host.event(CLOSING).text, b"1001")
    else:
        result = host.call("SocketRead", "c", 10000)
        same(result.code, E_CLOSED)
        same(host.info("CLOSE_CODE"), "1001")


@promise("a record that was tampered with, and bytes that are no record, end the connection with a TLS error")
def _(t):
    def tamper(peer):
        peer.tls.write(frame("secret"))
        data = bytearray(peer.outgoing.read())
        data[-1] ^= 1
        peer.sock.sendall(data)
        time.sleep(0.3)
    def noise(peer):
        peer.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\nthis is not TLS")
        time.sleep(0.3)
    for ending in (tamper, noise):
        for version in (V12, V13):
            code, message = lost(t, ending, True, version)
            same(code, E_TLS, f"{ending.__name__}, {version.name}: {message}")
            check(message, "LAST_ERROR is empty")


@promise("what arrived together with the server's answer is told: a message, the end, what was left for lack of room")
@both_kinds
def _(t, callback, version):
    # The library reads the answer into a buffer of 1024 bytes first, and so many are answer and message here.
    def padded(peer, length):
        answer = peer.answer()[:-2] + b"X-Pad: "
        return answer + b"p" * (length - len(answer) - 4) + b"\r\n\r\n"
    def greeting(peer):
        peer.read_request()
        peer.tls.write(padded(peer, 1024))
        peer.tls.write(frame("greeting"))
        peer.echo()
    def end(peer):
        peer.read_request()
        peer.tls.write(peer.answer())
        peer.close_notify()
        while peer.sock.recv(65536):
            pass
    def filling(peer):
        peer.read_request()
        peer.tls.write(peer.answer())
        peer.tls.write(frame("A" * (1024 - len(peer.answer()) - 4)))
        peer.tls.write(frame("B"))
        peer.echo()
    host = opened(t, serve(t, greeting, version, version), callback, PING_INTERVAL_MS="0", RECEIVE_QUEUE_BYTES="100")
    expect_messages(host, callback, ["greeting"])
    host.close()
    opened(t, serve(t, end, version, version), callback, host)
    if callback:
        host.event(ERROR)
        host.event(CLOSING)
    else:
        same(host.call("SocketRead", "c", 10000).code, E_CLOSED)
    host.close()
    opened(t, serve(t, filling, version, version), callback, host)
    check(next_message(host, callback).startswith(b"AAA"), "the first message")
    expect_messages(host, callback, ["B"])


@promise("a message that came before a record that was tampered with is delivered, also from the same segment")
@both_kinds
def _(t, callback, version):
    def behave(peer):
        peer.upgrade()
        peer.message()
        peer.tls.write(frame("good") + frame("and") + frame("better"))
        good = peer.outgoing.read()
        peer.tls.write(frame("bad"))
        bad = bytearray(peer.outgoing.read())
        bad[-1] ^= 1
        peer.sock.sendall(good + bad)
        peer.recv()
    host = opened(t, serve(t, behave, version, version), callback)
    same(host.call("SocketWrite", "c", "go").value, 1)
    expect_messages(host, callback, ["good", "and", "better"])
    if callback:
        same(host.event(ERROR).code, E_TLS)
        same(host.event(CLOSING).text, b"1006")
    else:
        same(host.call("SocketRead", "c", 10000).code, E_CLOSED)


@promise("close frame and close-notify in one segment: TCP ends at once")
@both_kinds
def _(t, callback, version):
    ended = threading.Event()
    def behave(peer):
        peer.upgrade()
        peer.tls.write(frame(struct.pack(">H", 1000), CLOSE))
        peer.close_notify()
        while peer.sock.recv(65536):
            pass
        ended.set()
    host = opened(t, serve(t, behave, version, version), callback, CLOSE_TIMEOUT_MS="60000")
    if callback:
        same(host.event(CLOSING).text, b"1000")
    else:
        same(host.call("SocketRead", "c", 10000).code, E_CLOSED)
    check(ended.wait(10), "TCP is held")


def ends_in_order(t, end):
    """The server must see the close frame and then close-notify."""
    for version in (V12, V13):
        ended = []
        def behave(peer):
            peer.upgrade()
            same(peer.message()[0], CLOSE)
            peer.send(frame(struct.pack(">H", 1000), CLOSE))
            try:
                peer.recv()
            except (Gone, ssl.SSLError) as gone:
                ended.append(str(gone))
        server = serve(t, behave, version, version)
        host = opened(t, server)
        end(host)
        wait_until(lambda: ended or server.last.over.is_set(), "the end")
        check(ended and ended[0] != "end of TCP" and "violation" not in ended[0], f"{version.name}: {ended}")


@promise("the client ends TLS in order: close frame, then close-notify")
def _(t):
    ends_in_order(t, lambda host: host.close())


@promise("SocketShutdown ends TLS in order, too")
def _(t):
    ends_in_order(t, lambda host: host.call("SocketShutdown", 5000))


@promise("close-notify is the end, also if the server keeps TCP open and goes on reading")
@both_kinds
def _(t, callback, version):
    def behave(peer):
        peer.upgrade()
        peer.tls.write(frame("last"))
        peer.close_notify()  # in one segment with the message
        time.sleep(3)
    start = time.monotonic()
    host = opened(t, serve(t, behave, version, version), callback)
    expect_messages(host, callback, ["last"])
    if callback:
        host.event(ERROR)
        same(host.event(CLOSING).text, b"1006")
    else:
        same(host.call("SocketRead", "c", 10000).code, E_CLOSED)
    check(time.monotonic() - start < 2.5, "it waited for the end of TCP")
    host.close()
    host.call("SocketShutdown", 0)


@promise("nothing spins: idle, with a full receive queue, with a full send queue, after the end, while waiting to reconnect")
def _(t):
    for version in (V12, V13):
        gate = threading.Event()
        def flood(peer):
            peer.upgrade()
            for i in range(100):
                peer.send(frame(b"x" * 16000, BINARY))
            gate.wait(20)
        host = opened(t, serve(t, None, version, version), PING_INTERVAL_MS="0", RECEIVE_QUEUE_BYTES="50000",
                      SEND_QUEUE_BYTES="300000", WRITE_TIMEOUT_MS="100", COMPRESSION="off")
        host.echo()
        host.rests("idle")
        host.close()
        for callback in (False, True):
            opened(t, serve(t, flood, version, version), callback, host)
            time.sleep(0.3)
            host.rests("with a full receive queue")
            host.close()
        opened(t, serve(t, slow_reader(gate), version, version, receive_buffer=16384), False, host)
        while host.call("write_pattern", "c", 50000, 1).value:
            pass
        host.rests("with a full send queue")
        host.close()
        gate.set()
        def end(peer):
            peer.upgrade()
            peer.close_notify()
            time.sleep(5)
        opened(t, serve(t, end, version, version), False, host)
        same(host.call("SocketRead", "c", 5000).code, E_CLOSED)
        host.rests("after the end")
        host.close()
        server = serve(t, None, version, version)
        host.options({"RECONNECT_MIN_MS": "3600000", "RECONNECT_MAX_MS": "3600000"})
        opened(t, server, True, host)
        server.cut()
        host.event(ERROR)
        host.event(CLOSING)
        host.rests("while waiting to reconnect")
        host.close()
        host.stop()


# --- queues ---------------------------------------------------------------------------------------

def slow_reader(gate):
    """Reads nothing before the gate opens, then notes each message."""
    def behave(peer):
        peer.received = []
        peer.upgrade()
        gate.wait(PATIENCE)
        while True:
            opcode, data = peer.message()
            if opcode == CLOSE:
                peer.send(frame(data, CLOSE))
                return
            if opcode == TEXT:
                peer.send(frame(data))
            else:
                peer.received.append(ends(data))
    return behave


def ends(data):
    return len(data), bytes(data[:16]), bytes(data[-16:])


def pattern(size, seed):
    """The ends of what the host writes."""
    state = (seed * 2654435761 + 1) & 0xffffffff
    out = bytearray()
    for _ in range(size):
        state = (state * 1664525 + 1013904223) & 0xffffffff
        out.append(state >> 24)
    return bytes(out)


@promise("a slow reader: the send queue fills, writes fail, WRITABLE comes, everything arrives whole and in order")
def _(t):
    for version in (V12, V13):
        gate = threading.Event()
        server = serve(t, slow_reader(gate), version, version, receive_buffer=16384)
        host = opened(t, server, True, SEND_QUEUE_BYTES="300000", WRITE_TIMEOUT_MS="100", COMPRESSION="off")
        size, written = 50000, 0
        while (result := host.call("write_pattern", "c", size, written)).value:
            written += 1
            check(written < 2000, "the queue has no bound")
        same(result.code, E_SEND_QUEUE_FULL, result.message)
        check(int(host.info("QUEUED_OUT")) > 100000, f"QUEUED_OUT {host.info('QUEUED_OUT')}")
        gate.set()
        host.event(WRITABLE)
        same(host.call("write_pattern", "c", size, written).value, 1)
        written += 1
        same(host.call("SocketWrite", "c", "last").value, 1)
        same(host.event(MESSAGE).text, b"last")
        received = server.last.received
        same(len(received), written, "messages at the server")
        for i in (0, 1, written // 2, written - 1):
            same(received[i], ends(pattern(size, i)), f"message {i}")
        host.stop()


def full_queue(host, size):
    """Writes until the send queue is full; returns how many messages that were."""
    written = 0
    while host.call("write_pattern", "c", size, written).value:
        written += 1
        check(written < 2000, "the queue has no bound")
    return written


@promise("what waits to be sent goes out while the server keeps sending; so does the close frame behind it")
def _(t):
    for version in (V12, V13):
        gate, got, flooded = threading.Event(), [], []
        def flood(peer):
            """Small messages as fast as they go, and in between what comes is received."""
            peer.upgrade()
            gate.wait(PATIENCE)
            peer.sock.setblocking(False)
            data, buffer, sent = b"", bytearray(), 0
            while not got and sent < 400_000_000:
                if not data:
                    peer.tls.write(frame("") * 8000)
                    data = peer.outgoing.read()
                try:
                    count = peer.sock.send(data)
                    sent, data = sent + count, data[count:]
                except BlockingIOError:
                    pass
                try:
                    peer.incoming.write(peer.sock.recv(65536))
                    while True:
                        buffer += peer.tls.read(65536)
                except (BlockingIOError, ssl.SSLWantReadError):
                    pass
                if buffer[-8:-6] == b"\x88\x82":  # the close frame
                    got.append(bytes(buffer))
            flooded.append(sent)
        server = serve(t, flood, version, version, receive_buffer=16384)
        host = opened(t, server, True, SEND_QUEUE_BYTES="4000000", WRITE_TIMEOUT_MS="100", COMPRESSION="off",
                      CLOSE_TIMEOUT_MS="60000", PING_INTERVAL_MS="0")
        written = full_queue(host, 50000)
        host.close()
        gate.set()
        wait_until(lambda: flooded, "the end of the flood", 60)
        check(got, f"{version.name}: the close frame did not come")
        same(len(got[0]), written * (50000 + 8) + 8, "bytes of messages and close frame")


@promise("what waits when the server breaks the protocol is sent, then the close frame, then close-notify")
def _(t):
    for version in (V12, V13):
        violate, read, got = threading.Event(), threading.Event(), []
        def behave(peer):
            peer.upgrade()
            violate.wait(PATIENCE)
            peer.send(bytes([0x83, 0]))  # an opcode that is reserved
            read.wait(PATIENCE)
            try:
                while True:
                    opcode, data = peer.message()
                    got.append(ends(data) if opcode == BINARY else data)
            except Gone as gone:
                got.append(str(gone))
        server = serve(t, behave, version, version, receive_buffer=16384)
        host = opened(t, server, True, SEND_QUEUE_BYTES="300000", WRITE_TIMEOUT_MS="100", COMPRESSION="off",
                      CLOSE_TIMEOUT_MS="60000", PING_INTERVAL_MS="0")
        written = full_queue(host, 50000)
        violate.set()
        host.event(ERROR)
        same(host.event(CLOSING).text, b"1002")
        read.set()
        check(server.last.over.wait(PATIENCE), "the connection is still there")
        same((len(got), got[-2:]), (written + 2, [struct.pack(">H", 1002), "close-notify"]), version.name)
        same(got[written - 1], ends(pattern(50000, written - 1)), "the last message")


@promise("a thread that waits for a message gets it, also if another one has received the beginning and left")
def _(t):
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = compressor.compress(bytes(4 << 20)) + compressor.flush(zlib.Z_SYNC_FLUSH)
    message = bytearray(frame(data[:-4], BINARY))
    message[0] |= 0x40
    def behave(peer):
        peer.read_request()
        peer.send(peer.answer()[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n")
        while peer.message()[0] != CLOSE:
            peer.send(bytes(message))
    for server in (serve(t, behave), t.add(Server(None, behave))):
        host = new_host(t, PING_INTERVAL_MS="0", COMPRESSION="on")
        same(host.connect_url(f"{'wss' if server.context else 'ws'}://localhost:{server.port}/").value, 1)
        for i in range(20):
            same(host.call("share_message", "c").value, 1, f"round {i}")
        host.close()


@promise("answers that only announce another (103 Early Hints) are read over, so many and no more")
def _(t):
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    def answers(count, together):
        def behave(peer):
            peer.read_request()
            if together:
                peer.send(hints * count + peer.answer() + frame("greeting"))
            else:
                for _ in range(count):
                    peer.send(hints)
                peer.send(peer.answer() + frame("greeting"))
            peer.echo()
        return behave
    for count, together in ((1, True), (1, False), (16, True), (16, False)):
        host = opened(t, serve(t, answers(count, together)))
        same(host.read(), b"greeting")
        same(host.info("HTTP_STATUS"), "101")
        host.echo()
    result = new_host(t).ssl(serve(t, answers(17, True)).port)
    same((result.value, result.code), (0, E_HANDSHAKE), result.message)
    contains(result.message, "103")


@promise("a synchronous write waits for a slow reader")
def _(t):
    gate = threading.Event()
    server = serve(t, slow_reader(gate), receive_buffer=16384)
    host = opened(t, server, SEND_QUEUE_BYTES="100000", WRITE_TIMEOUT_MS="20000", COMPRESSION="off")
    threading.Timer(0.5, gate.set).start()
    for i in range(200):
        same(host.call("write_pattern", "c", 50000, i).value, 1)
    host.echo("last")
    received = server.last.received
    same(received, [ends(pattern(50000, i)) if i in (0, 199) else received[i] for i in range(200)])


@promise("a full receive queue stops the server; nothing is lost, also what TLS had decrypted already")
@both_kinds
def _(t, callback, version):
    count = 400
    sent = []
    def behave(peer):
        peer.upgrade()
        for i in range(count):
            peer.send(frame(b"%d " % i + b"x" * 9990, BINARY))
            sent.append(i)
        peer.echo()
    server = serve(t, behave, version, version)
    host = opened(t, server, callback, RECEIVE_QUEUE_BYTES="50000")
    time.sleep(0.4)
    check(int(host.info("QUEUED_IN")) < 200000, f"QUEUED_IN {host.info('QUEUED_IN')}")
    for i in range(count):
        text = next_message(host, callback)
        check(text.startswith(b"%d " % i), f"message {i}: {text[:20]}")
    same(host.call("SocketWrite", "c", "after").value, 1)
    same(next_message(host, callback), b"after")


@promise("small records that stay decrypted behind a full receive queue are delivered without another byte from the peer")
@both_kinds
def _(t, callback, version):
    def behave(peer):
        peer.upgrade()
        peer.send(b"".join(frame(f"{i} " + "x" * 90) for i in range(150)))  # one record
        peer.message()
        peer.echo()
    host = opened(t, serve(t, behave, version, version), callback, RECEIVE_QUEUE_BYTES="500", PING_INTERVAL_MS="0")
    time.sleep(0.2)
    for i in range(150):
        text = next_message(host, callback)
        check(text.startswith(b"%d " % i), f"message {i}: {text[:20]}")


@promise("both directions at once, with large messages and small queues")
def _(t):
    for version in (V12, V13):
        def behave(peer):
            peer.upgrade()
            peer.echo()
        server = serve(t, behave, version, version)
        host = opened(t, server, True, SEND_QUEUE_BYTES="4000000", RECEIVE_QUEUE_BYTES="100000")
        hashes = []
        for i in range(60):
            result = host.call("write_pattern", "c", 30000 + i * 1000, i)
            same(result.value, 1, result.message)
            hashes.append((30000 + i * 1000, result.more[0]))
        for i in range(60):
            event = host.event(MESSAGE)
            same((event.length, event.hash), hashes[i], f"message {i}")


@promise("keepalive works over TLS: pings are sent, a peer without pongs is given up")
def _(t):
    pings = []
    def answers(peer):
        peer.upgrade()
        while True:
            opcode, data = peer.message()
            if opcode == PING:
                pings.append(data)
                peer.send(frame(data, PONG))
    host = opened(t, serve(t, answers), True, PING_INTERVAL_MS="50", PONG_TIMEOUT_MS="1000")
    wait_until(lambda: len(pings) > 3, "pings")
    same(host.state(), OPEN)
    def deaf(peer):
        peer.upgrade()
        while True:
            peer.message()
    host = opened(t, serve(t, deaf), True, PING_INTERVAL_MS="50", PONG_TIMEOUT_MS="200")
    host.event(ERROR)
    same(host.event(CLOSING).text, b"1006")


# --- reconnecting ----------------------------------------------------------------------------------

@promise("a lost connection comes back over TLS; what waits is sent; the certificate is verified anew")
def _(t):
    server = serve(t)
    host = opened(t, server, True, RECONNECT_MIN_MS="10", RECONNECT_MAX_MS="40")
    for i in range(1, 4):
        server.cut()
        event = host.event(ERROR)
        check(event.message, "no message")
        same(host.event(CLOSING).text, b"1006")
        same(host.call("SocketWrite", "c", f"in between {i}").value, 1)
        host.event(OPENING)
        same(host.event(MESSAGE).text, b"in between %d" % i)
        same(host.info("RECONNECTIONS"), str(i))
        contains(host.info("TLS"), "TLSv1.3")
        check(server.last.tls.session_reused, "the session was not resumed")
    # Another server in its place, which cannot resume the session.
    before = len(server.peers)
    server.context = context(made.stranger)
    server.cut()
    host.event(ERROR)
    host.event(CLOSING)
    for _ in range(3):
        event = host.event(ERROR)
        same(event.code, E_TLS, event.message)
        host.event(CLOSING)
    check(all(not peer.request for peer in server.peers[before:]), "a request arrived")


@promise("a file that cannot be read for a moment does not end reconnecting")
def _(t):
    file = os.path.join(made.folder, "replaced.pem")
    shutil.copy(made.ca.file, file)
    server = serve(t)
    host = opened(t, server, True, CA_FILE=file, RECONNECT_MIN_MS="10", RECONNECT_MAX_MS="40")
    os.rename(file, file + ".away")
    server.cut()
    host.event(ERROR)
    host.event(CLOSING)
    for _ in range(2):
        contains(host.event(ERROR).message, "replaced.pem")
        host.event(CLOSING)
    os.rename(file + ".away", file)
    while host.event(ERROR, CLOSING, OPENING).event != OPENING:
        pass
    host.close()


@promise("a synchronous socket comes back over TLS in the call after the one that told")
def _(t):
    server = serve(t)
    host = opened(t, server, RECONNECT_MIN_MS="10", RECONNECT_MAX_MS="40")
    for i in range(1, 4):
        server.cut()
        same(host.call("SocketRead", "c", 5000).code, E_CLOSED)
        host.echo(f"again {i}")
        same(host.info("RECONNECTIONS"), str(i))
        contains(host.info("TLS"), "TLSv1.3")
    host.close()


@promise("what the system had not taken when the connection was lost is sent on the next one, whole")
def _(t):
    gate = threading.Event()
    server = serve(t, slow_reader(gate), receive_buffer=16384)
    host = opened(t, server, True, SEND_QUEUE_BYTES="1000000", WRITE_TIMEOUT_MS="200", RECONNECT_MIN_MS="10",
                  RECONNECT_MAX_MS="40", COMPRESSION="off")
    size, written = 20000, 0
    while host.call("write_pattern", "c", size, written).value:
        written += 1
    queued = int(host.info("QUEUED_OUT"))
    server.cut()
    gate.set()
    while host.event(ERROR, CLOSING, OPENING, WRITABLE).event != OPENING:
        pass
    same(host.call("SocketWrite", "c", "last").value, 1)
    while host.event(MESSAGE, WRITABLE).event != MESSAGE:
        pass
    # The end of what was written has come, and nothing is missing in it.
    received = server.last.received
    count = len(received)
    check(count >= queued // size - 1, f"{count} messages came of {queued} bytes that waited")
    for i in (0, 1, count // 2, count - 1):
        same(received[i], ends(pattern(size, written - count + i)), f"message {i} of {count}")


@promise("many connections at once, over and over")
def _(t):
    server = serve(t)
    host = new_host(t)
    for round in range(3):
        for i in range(25):
            same(host.call("WebSocketClientConnectSSLAsync", f"c{i}", "localhost", server.port, None, None, 0).value, 1)
        opened = 0
        while opened < 25:
            event = host.event(OPENING, MESSAGE)
            if event.event == OPENING:
                opened += 1
                same(host.call("SocketWrite", event.name, event.name).value, 1)
            else:
                same(event.text.decode(), event.name)
        for i in range(25):
            host.close(f"c{i}")
    same(host.call("SocketShutdown", 10000).value, 1)


if __name__ == "__main__":
    main("tls-records", prepare)
