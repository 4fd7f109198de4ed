"""A WebSocket server over TLS that controls what goes into which record and into which segment, and that counts every
byte of application data that it gets."""
import base64
import hashlib
import socket
import ssl
import struct
import threading
import time

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def context(certificate, low=None, high=None, ca=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate.cert_file, certificate.key_file)
    if low:
        made.minimum_version = low
    if high:
        made.maximum_version = high
    if ca:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(ca)
    made.set_alpn_protocols(["http/1.1"])
    return made


def accept_key(key):
    return base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()


def frame(payload, opcode=TEXT, fin=True):
    payload = payload.encode() if isinstance(payload, str) else payload
    head = bytes([opcode | (0x80 if fin else 0)])
    length = len(payload)
    if length < 126:
        head += bytes([length])
    elif length < 65536:
        head += struct.pack(">BH", 126, length)
    else:
        head += struct.pack(">BQ", 127, length)
    return head + payload


class Gone(Exception):
    pass


class Peer:
    """One connection, seen by the server."""

    def __init__(self, server, sock):
        self.server, self.sock = server, sock
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = server.context.wrap_bio(self.incoming, self.outgoing, server_side=True) if server.context else None
        self.application_bytes = 0
        self.error = None
        self.sni = None
        self.request = b""
        self.buffer = b""
        self.segment = None  # this many bytes at a time go out
        self.shaken = False
        self.over = threading.Event()

    def transmit(self):
        data = self.outgoing.read()
        if not self.segment:
            self.sock.sendall(data)
            return
        for at in range(0, len(data), self.segment):
            self.sock.sendall(data[at:at + self.segment])
            time.sleep(0.0003)

    def do(self, operation, *args):
        """An operation of the TLS layer; what it wants to send is sent, what it wants to have is received."""
        while True:
            try:
                return operation(*args)
            except ssl.SSLWantReadError:
                self.transmit()
                data = self.sock.recv(65536)
                if not data:
                    self.incoming.write_eof()
                    raise Gone("end of TCP")
                self.incoming.write(data)
            finally:
                if self.outgoing.pending:
                    self.transmit()

    def recv(self):
        if self.tls:
            data = self.do(self.tls.read, 65536)
        else:
            data = self.sock.recv(65536)
        if not data:
            raise Gone("close-notify" if self.tls else "end of TCP")
        self.application_bytes += len(data)
        return data

    def send(self, data):
        """One call, one record (up to 16 KiB)."""
        if self.tls:
            self.do(self.tls.write, data)
        else:
            self.sock.sendall(data)

    def handshake(self):
        if self.tls:
            self.do(self.tls.do_handshake)
        self.shaken = True

    def read_request(self):
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.recv()
        self.request, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return self.request.decode()

    def answer(self):
        for line in self.request.decode().split("\r\n"):
            name, _, value = line.partition(":")
            if name.lower() == "sec-websocket-key":
                key = value.strip()
        return (f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n").encode()

    def upgrade(self):
        self.read_request()
        self.send(self.answer())

    def take(self, count):
        while len(self.buffer) < count:
            self.buffer += self.recv()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def take_large(self, count):
        parts, have = [self.buffer], len(self.buffer)
        while have < count:
            parts.append(self.recv())
            have += len(parts[-1])
        whole = b"".join(parts)
        self.buffer = whole[count:]
        return whole[:count]

    def message(self):
        """The next frame: opcode and payload."""
        first, second = self.take(2)
        length = second & 127
        if length == 126:
            length, = struct.unpack(">H", self.take(2))
        elif length == 127:
            length, = struct.unpack(">Q", self.take(8))
        mask = self.take(4)
        data = self.take_large(length)
        if length:
            whole = (mask * (length // 4 + 1))[:length]
            data = (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(length, "big")
        return first & 15, data

    def echo(self):
        while True:
            opcode, data = self.message()
            if opcode == CLOSE:
                self.send(frame(data, CLOSE))
                self.close_notify()
                return
            self.send(frame(data, PONG if opcode == PING else opcode))

    def close_notify(self):
        try:
            self.tls.unwrap()
        except (ssl.SSLError, OSError):
            pass
        self.transmit()


class Server:
    """`behave(peer)` is called for each connection after the TLS handshake."""

    def __init__(self, context=None, behave=None, before=None, address="127.0.0.1", receive_buffer=None):
        self.context, self.before = context, before
        self.behave = behave or self.serve_echo
        self.peers = []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.socket(family)
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.listener.bind((address, 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        if context:
            context.sni_callback = self.on_sni
        threading.Thread(target=self.accept, daemon=True).start()

    @staticmethod
    def serve_echo(peer):
        peer.upgrade()
        peer.echo()

    def on_sni(self, tls, name, _):
        for peer in self.peers:
            if peer.tls is tls:
                peer.sni = name

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = Peer(self, sock)
            self.peers.append(peer)
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        try:
            if self.before:
                self.before(peer)
            peer.handshake()
            self.behave(peer)
        except (Gone, OSError, ssl.SSLError) as error:
            peer.error = str(error)
        finally:
            peer.sock.close()
            peer.over.set()

    @property
    def last(self):
        return self.peers[-1]

    def application_bytes(self):
        """All that ever came, once every connection is over."""
        for peer in self.peers:
            if not peer.over.wait(10):
                raise AssertionError("the connection is still there")
        return sum(peer.application_bytes for peer in self.peers)

    def cut(self):
        for peer in self.peers:
            try:
                peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.cut()
