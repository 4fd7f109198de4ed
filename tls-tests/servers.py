#!/usr/bin/env python3
"""Servers that people run: Python's `websockets` with TLS, nginx and HAProxy before a WebSocket server.

    servers.py HOST_PROGRAM TEST_SERVER [PART_OF_A_PROMISE]
"""
import logging
import os
import random
import socket
import threading

from websockets.sync.server import serve as serve_websockets

import certificates
from cryptography.x509.oid import ExtendedKeyUsageOID
from driver import *
from server import context

made = None


class Made:
    def __init__(self, folder, test_port):
        self.folder, self.test_port = folder, test_port
        self.ca = certificates.Authority(folder, "Root")
        self.good = self.ca.issue("good")
        self.rsa = self.ca.issue("rsa", key=certificates.new_key("rsa"))
        self.client = self.ca.issue("client", names=[], usage=ExtendedKeyUsageOID.CLIENT_AUTH)


def prepare(folder, test_port):
    global made
    made = Made(folder, test_port)
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # lost connections are meant


class WebSockets:
    """The `websockets` package in a thread."""

    def __init__(self, handler):
        self.connections = []

        def handle(connection):
            self.connections.append(connection)
            handler(connection)

        self.server = serve_websockets(handle, "127.0.0.1", 0, ssl=context(made.good), max_size=None, max_queue=4)
        self.port = self.server.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def cut(self):
        for connection in self.connections:
            try:  # TCP, not TLS
                with socket.socket(fileno=os.dup(connection.socket.fileno())) as tcp:
                    tcp.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.server.shutdown()
        self.cut()


def echo(connection):
    for message in connection:
        connection.send(message)


def nginx(t):
    """One port per kind; each leads to the test server."""
    folder = made.folder / f"nginx-{free_port()}"
    folder.mkdir()
    ports = {name: free_port() for name in ("ecdsa", "rsa", "client")}
    common = f"""
        location / {{
            proxy_pass http://127.0.0.1:{made.test_port};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "Upgrade";
            proxy_set_header Host $host;
        }}
        location /moved {{ return 301 /echo; }}
        location /down {{ proxy_pass http://127.0.0.1:1; }}
        location /forbidden {{ return 403; }}
    """
    servers = [("ecdsa", made.good, "TLSv1.2 TLSv1.3", ""), ("rsa", made.rsa, "TLSv1.2", ""),
               ("client", made.good, "TLSv1.2 TLSv1.3", f"ssl_client_certificate {made.ca.file}; ssl_verify_client on;")]
    blocks = "".join(f"""
    server {{
        listen 127.0.0.1:{ports[name]} ssl;
        ssl_certificate {certificate.cert_file};
        ssl_certificate_key {certificate.key_file};
        ssl_protocols {protocols};
        {more}{common}
    }}""" for name, certificate, protocols, more in servers)
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    file = folder / "nginx.conf"
    file.write_text(f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
                    f"events {{}}\nhttp {{ access_log off; {temporary} {blocks} }}\n")
    t.add(Program([find("nginx"), "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(file)], ports["client"],
                  folder / "output"))
    return ports


def haproxy(t):
    port = free_port()
    file = made.folder / f"haproxy-{port}.cfg"
    file.write_text(f"""
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
frontend tls
  bind 127.0.0.1:{port} ssl crt {made.rsa.both_file} alpn http/1.1,h2
  http-request redirect location /echo code 308 if {{ path /moved }}
  default_backend websockets
backend websockets
  server one 127.0.0.1:{made.test_port}
""")
    return t.add(Program([find("haproxy"), "-db", "-f", str(file)], port, made.folder / f"haproxy-{port}.log")).port


def exchange(host, callback, name="c", count=30):
    """Random messages of 0 bytes to 1 MiB there and back."""
    rng = random.Random(count)
    for i in range(count):
        size = rng.choice([0, 1, 125, 126, 127, 65535, 65536, rng.randrange(1 << 20), rng.randrange(20000)])
        written = host.call("write_pattern", name, size, i)
        same(written.value, 1, written.message)
        if callback:
            event = host.event(MESSAGE)
            came = (event.length, event.hash)
        else:
            read = host.call("SocketRead", name, PATIENCE * 1000)
            came = (read.value, read.more[1])
        same(came, (size, written.more[0]), f"message {i}")


def both(t, host, port, path="/", exchanges=30):
    """A synchronous and a callback socket exchange messages and close."""
    host.connect(port, path=path)
    exchange(host, False, count=exchanges)
    same(host.call("SocketCloseWith", "c", 4001, "bye").value, 1)
    same(host.call("SocketRead", "c", 10000).code, E_CLOSED)
    same(host.info("CLOSE_CODE"), "4001")
    host.close()
    same(host.call("WebSocketClientConnectSSLAsync", "a", "localhost", port, path, None, 0).value, 1)
    host.event(OPENING)
    exchange(host, True, "a", count=exchanges)
    same(host.call("SocketCloseWith", "a", 1000, None).value, 1)
    same(host.event(CLOSING).text, b"1000")
    host.close("a")


def new_host(t):
    return t.host(SSL_CERT_FILE=made.ca.file)


@promise("websockets with TLS: messages of all sizes, compressed and not, closing")
def _(t):
    server = t.add(WebSockets(echo))
    for compression in ("on", "off"):
        host = new_host(t)
        host.option(None, "COMPRESSION", compression)
        both(t, host, server.port)
        host.connect(server.port)
        same("permessage-deflate" in host.info("EXTENSIONS"), compression == "on", "EXTENSIONS")


@promise("websockets with TLS: pings both ways, and a server that goes away")
def _(t):
    done = []
    def handler(connection):
        done.append(connection.ping().wait(10))
        connection.send("pong came")
        connection.close(1001, "going away")
    server, host = t.add(WebSockets(handler)), new_host(t)
    host.option(None, "PING_INTERVAL_MS", "50")
    host.connect(server.port)
    same(host.read(), b"pong came")
    same(done, [True])
    same(host.call("SocketRead", "c", 10000).code, E_CLOSED)
    same(host.info("CLOSE_CODE"), "1001")


@promise("websockets with TLS: compressed messages that wait when the connection is lost are sent again, and can be read")
def _(t):
    for queue in (2_000_000, 300_000):
        gate, by_connection = threading.Event(), []
        def handler(connection):
            received = []
            by_connection.append(received)
            gate.wait(PATIENCE)
            for message in connection:
                if isinstance(message, str):
                    connection.send(message)
                received.append(message)
        server, host = t.add(WebSockets(handler)), new_host(t)
        host.options({"SEND_QUEUE_BYTES": str(queue), "WRITE_TIMEOUT_MS": "200", "RECONNECT_MIN_MS": "10",
                      "RECONNECT_MAX_MS": "40", "COMPRESSION": "on"}, None)
        same(host.call("WebSocketClientConnectSSLAsync", "c", "localhost", server.port, None, None, 0).value, 1)
        host.event(OPENING)
        contains(host.info("EXTENSIONS"), "permessage-deflate")
        size, written = 30000, 0
        while host.call("write_pattern", "c", size, written).value:
            written += 1
            check(written < 5000, "the queue has no bound")
        queued = int(host.info("QUEUED_OUT"))
        server.cut()
        gate.set()
        while host.event(ERROR, CLOSING, OPENING, WRITABLE).event != OPENING:
            pass
        for i in range(3):
            while not host.call("write_pattern", "c", size, written).value:
                host.call("SocketDispatch", 100, 0)
            written += 1
        while not host.call("SocketWrite", "c", "last").value:
            host.call("SocketDispatch", 100, 0)
        while (event := host.event(MESSAGE, WRITABLE)).event != MESSAGE:
            pass
        same(event.text, b"last")
        messages = [message for message in by_connection[-1] if isinstance(message, bytes)]
        check(len(messages) >= queued // size, f"{len(messages)} messages came, {queued} bytes waited")
        for i in range(1, queued // size):
            same((len(messages[-i]), messages[-i][:8]), (size, pattern(8, written - i)), f"message {i} from the end")


def pattern(size, seed):
    state = (seed * 2654435761 + 1) & 0xffffffff
    out = bytearray()
    for _ in range(size):
        state = (state * 1664525 + 1013904223) & 0xffffffff
        out.append(state >> 24)
    return bytes(out)


@promise("nginx terminates TLS: ECDSA and RSA, TLS 1.2 and 1.3, messages of all sizes, closing")
def _(t):
    ports = nginx(t)
    host = new_host(t)
    for name, version in (("ecdsa", "TLSv1.3"), ("rsa", "TLSv1.2")):
        both(t, host, ports[name], "/echo")
        host.connect(ports[name], path="/echo")
        contains(host.info("TLS"), version)
        contains(host.info("PEER_CERTIFICATE"), "Root")
        host.close()


@promise("nginx: redirections are followed; 403 and 502 are told")
def _(t):
    ports, host = nginx(t), new_host(t)
    host.connect(ports["ecdsa"], path="/moved")
    host.echo()
    host.close()
    for path, status in (("/forbidden", "403"), ("/down", "502")):
        result = host.ssl(ports["ecdsa"], path=path)
        same((result.value, result.code), (0, E_HANDSHAKE), result.message)
        contains(result.message, status)
        same(host.info("HTTP_STATUS", None), status)


@promise("nginx demands a client certificate: with it, without it")
def _(t):
    ports, host = nginx(t), new_host(t)
    result = host.ssl(ports["client"], path="/echo")
    same(result.value, 0)
    check(result.code in (E_TLS, E_HANDSHAKE), f"{result}")  # nginx answers 400, inside TLS
    if result.code == E_HANDSHAKE:
        contains(result.message, "400")
    host.option(None, "CLIENT_CERT_FILE", made.client.cert_file)
    host.option(None, "CLIENT_KEY_FILE", made.client.key_file)
    both(t, host, ports["client"], "/echo")


@promise("HAProxy terminates TLS and offers HTTP/2 as well: messages of all sizes, a redirection, closing")
def _(t):
    port, host = haproxy(t), new_host(t)
    both(t, host, port, "/echo")
    host.connect(port, path="/moved")
    host.echo()
    host.close()


@promise("behind nginx and HAProxy a lost server is lost for the client, who comes back")
def _(t):
    for port in (nginx(t)["ecdsa"], haproxy(t)):
        host = new_host(t)
        host.options({"RECONNECT_MIN_MS": "10", "RECONNECT_MAX_MS": "50"}, "c")
        same(host.call("WebSocketClientConnectSSLAsync", "c", "localhost", port, "/drop?after=1", None, 0).value, 1)
        for _ in range(3):
            host.event(OPENING)
            same(host.call("SocketWrite", "c", "end").value, 1)
            host.event(ERROR)
            same(host.event(CLOSING).text, b"1006")
        host.close()


if __name__ == "__main__":
    main("tls-servers", prepare)
