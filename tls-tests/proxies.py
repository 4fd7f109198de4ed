#!/usr/bin/env python3
"""Proxies: tinyproxy (HTTP), HAProxy in front of it (HTTPS), microsocks (SOCKS 5), and one of the tests' own that notes
every byte and misbehaves.

    proxies.py HOST_PROGRAM TEST_SERVER [PART_OF_A_PROMISE]
"""
import base64
import os
import socket
import struct
import threading

import certificates
from driver import *
from server import Server, context

USER, PASSWORD = "anna", "s3cr3t:pa ss@ß"
HIDDEN = [PASSWORD, "s3cr3t", base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(), "s3cr3t%3Apa"]
made = None


class Made:
    def __init__(self, folder, test_port):
        self.folder, self.test_port = folder, test_port
        self.ca = certificates.Authority(folder, "Root")
        self.good = self.ca.issue("good")
        self.unknown = certificates.Authority(folder, "Stranger").issue("unknown")
        self.url = f"ws://127.0.0.1:{test_port}/echo"


def prepare(folder, test_port):
    global made
    made = Made(folder, test_port)


def new_host(t, **environment):
    return t.host(**{"SSL_CERT_FILE": made.ca.file, "WDSOCKET_LOG": "trace"} | environment)


def lacks_password(t, host, *texts):
    """The password is in nothing that the library says: messages, log, SocketInfo."""
    for text in (*texts, host.stderr(), *(host.info(item, name) for item in INFO for name in ("c", None)
                                          if host.call("SocketInfo", name, INFO[item]).value >= 0)):
        lacks(text, *HIDDEN)


# --- the proxies ----------------------------------------------------------------------------------

def tinyproxy(t, login=None):
    port = free_port()
    file = made.folder / f"tinyproxy-{port}.conf"
    file.write_text(f"Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nLogLevel Info\n"
                    f'PidFile "{made.folder}/tinyproxy-{port}.pid"\n' + (f"BasicAuth {login[0]} {login[1]}\n" if login else ""))
    return t.add(Program([find("tinyproxy"), "-d", "-c", str(file)], port, made.folder / f"tinyproxy-{port}.log"))


def microsocks(t, login=None):
    port = free_port()
    command = [find("microsocks"), "-i", "127.0.0.1", "-p", str(port)] + (["-u", login[0], "-P", login[1]] if login else [])
    return t.add(Program(command, port, made.folder / f"microsocks-{port}.log"))


def tls_in_front(t, proxy, certificate):
    """HAProxy, which takes the TLS off."""
    port = free_port()
    file = made.folder / f"haproxy-{port}.cfg"
    file.write_text(f"defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n"
                    f"listen proxy\n  bind 127.0.0.1:{port} ssl crt {certificate.both_file}\n"
                    f"  server inner 127.0.0.1:{proxy.port}\n")
    return t.add(Program([find("haproxy"), "-db", "-f", str(file)], port, made.folder / f"haproxy-{port}.log"))


class Own:
    """Notes what it is asked, then leads every name to the test server, or does as `answer(own, sock, request)` says."""

    def __init__(self, answer=None):
        self.requests, self.answer = [], answer or Own.lead
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        try:
            first = sock.recv(1, socket.MSG_PEEK)
            if first == b"\x05":
                self.socks(sock)
                return
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                got = sock.recv(1)
                if not got:
                    return
                request += got
            self.requests.append(request.decode())
            self.answer(self, sock, request.decode())
        except OSError:
            pass
        finally:
            sock.close()

    def lead(self, sock, request):
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.join(sock)

    @staticmethod
    def join(sock, port=None):
        with socket.create_connection(("127.0.0.1", port or made.test_port)) as other:
            def copy(a, b):
                try:
                    while data := a.recv(65536):
                        b.sendall(data)
                    b.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
            back = threading.Thread(target=copy, args=(other, sock), daemon=True)
            back.start()
            copy(sock, other)
            back.join(10)

    code = 0
    refuses_login = False

    def socks(self, sock):
        sock.recv(1)
        methods = sock.recv(sock.recv(1)[0])
        if self.refuses_login:
            sock.sendall(b"\x05\x02")
            self.requests.append(sock.recv(1000).hex())
            sock.sendall(b"\x01\x01")
            return
        sock.sendall(b"\x05\x00")
        head = sock.recv(4, socket.MSG_WAITALL)
        if head[3] == 1:
            address = "4:" + socket.inet_ntoa(sock.recv(4, socket.MSG_WAITALL))
        elif head[3] == 4:
            address = "6:" + socket.inet_ntop(socket.AF_INET6, sock.recv(16, socket.MSG_WAITALL))
        else:
            address = "name:" + sock.recv(sock.recv(1)[0], socket.MSG_WAITALL).decode()
        port, = struct.unpack(">H", sock.recv(2, socket.MSG_WAITALL))
        self.requests.append(f"{methods.hex()} {head[1]} {address}:{port}")
        sock.sendall(bytes([5, self.code, 0, 1, 0, 0, 0, 0, 0, 0]))
        if self.code == 0:
            self.join(sock)

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def works(host, url, proxy):
    result = host.connect_url(url)
    same((result.value, result.code), (1, 0), f"{url}: {result.message}")
    host.echo("through the proxy")
    contains(host.info("PROXY"), proxy)
    lacks_password(None, host, host.info("PROXY"))
    host.close()


def fails(host, url, code, *parts):
    result = host.connect_url(url)
    same((result.value, result.code), (0, code), f"{url}: {result.message}")
    contains(result.message, *parts)
    lacks_password(None, host, result.message)
    return result.message


# --- real proxies -----------------------------------------------------------------------------------

@promise("tinyproxy, without and with login: ws:// and wss://")
def _(t):
    tls = t.add(Server(context(made.good)))
    for login in (None, (USER, "secret")):
        proxy, host = tinyproxy(t, login), new_host(t)
        same(host.call("SocketProxy", "http://127.0.0.1", proxy.port, *(login or (None, None))).value, 1)
        for url in (made.url, f"wss://localhost:{tls.port}/"):
            works(host, url, f"http://127.0.0.1:{proxy.port}")
        # and with the option, where login is a part of the URL
        host = new_host(t)
        host.option("c", "PROXY", f"http://{login[0] + ':' + login[1] + '@' if login else ''}127.0.0.1:{proxy.port}")
        works(host, made.url, f"http://127.0.0.1:{proxy.port}")


@promise("tinyproxy: login missing or wrong; the proxy is named, the password hidden")
def _(t):
    proxy, host = tinyproxy(t, (USER, "right")), new_host(t)
    log = made.folder / "own.log"
    same(host.call("log_to", str(log), 5).value, 1)
    same(host.call("SocketProxy", "http://127.0.0.1", proxy.port, None, None).value, 1)
    fails(host, made.url, E_PROXY, f"127.0.0.1:{proxy.port}", "answered 40")  # 407, or 401 by some versions
    same(host.call("SocketProxy", "http://127.0.0.1", proxy.port, USER, PASSWORD).value, 1)
    fails(host, made.url, E_PROXY, f"127.0.0.1:{proxy.port}", "answered 40")
    lacks(log.read_text(), *HIDDEN)


@promise("tinyproxy: a target that cannot be reached is the proxy's error, and both are named")
def _(t):
    proxy, host, port = tinyproxy(t), new_host(t), free_port()
    same(host.call("SocketProxy", f"http://127.0.0.1:{proxy.port}", 0, None, None).value, 1)
    fails(host, f"ws://127.0.0.1:{port}/", E_PROXY, f"127.0.0.1:{proxy.port}", f"127.0.0.1:{port}")
    fails(host, "ws://no-such-name.invalid/", E_PROXY, "no-such-name.invalid")


@promise("HAProxy with TLS before tinyproxy: https:// proxies, ws:// and wss:// (TLS within TLS)")
def _(t):
    front, host = tls_in_front(t, tinyproxy(t, (USER, "secret")), made.good), new_host(t)
    tls = t.add(Server(context(made.good)))
    same(host.call("SocketProxy", "https://localhost", front.port, USER, "secret").value, 1)
    for url in (made.url, f"wss://localhost:{tls.port}/"):
        works(host, url, f"https://localhost:{front.port}")
    # Large messages through both layers.
    same(host.connect_url(f"wss://localhost:{tls.port}/").value, 1)
    written = host.call("write_pattern", "c", 3_000_000, 1)
    read = host.call("SocketRead", "c", PATIENCE * 1000)
    same((read.value, read.more[1]), (3_000_000, written.more[0]))


@promise("an https:// proxy with a wrong certificate gets neither login nor request")
def _(t):
    inner, host = Own(), new_host(t)
    t.add(inner)
    front = tls_in_front(t, inner, made.unknown)
    same(host.call("SocketProxy", "https://localhost", front.port, USER, PASSWORD).value, 1)
    result = host.connect_url(made.url)
    check(result.value == 0 and result.code in (E_PROXY, E_TLS), f"{result}")
    contains(result.message, "localhost", "Stranger")
    lacks_password(t, host, result.message)
    same(inner.requests, [])


@promise("the certificate of the server behind a proxy is verified")
def _(t):
    proxy, host = tinyproxy(t), new_host(t)
    tls = t.add(Server(context(made.unknown)))
    same(host.call("SocketProxy", "http://127.0.0.1", proxy.port, None, None).value, 1)
    fails(host, f"wss://localhost:{tls.port}/", E_TLS, "Stranger")
    same(tls.application_bytes(), 0)


@promise("microsocks, without and with login: socks5:// and socks5h://, ws:// and wss://")
def _(t):
    tls = t.add(Server(context(made.good)))
    for login in (None, (USER, "secret")):
        proxy = microsocks(t, login)
        for scheme in ("socks5", "socks5h"):
            host = new_host(t)
            same(host.call("SocketProxy", f"{scheme}://127.0.0.1", proxy.port, *(login or (None, None))).value, 1)
            for url in (made.url, f"ws://localhost:{made.test_port}/echo", f"wss://localhost:{tls.port}/"):
                works(host, url, f"{scheme}://127.0.0.1:{proxy.port}")


@promise("microsocks: login missing or wrong, and a target that refuses")
def _(t):
    host = new_host(t)
    strict, free, nobody = microsocks(t, (USER, "right")), microsocks(t), free_port()
    same(host.call("SocketProxy", "socks5://127.0.0.1", strict.port, USER, PASSWORD).value, 1)
    fails(host, made.url, E_PROXY, f"127.0.0.1:{strict.port}")
    same(host.call("SocketProxy", "socks5://127.0.0.1", strict.port, None, None).value, 1)
    fails(host, made.url, E_PROXY, f"127.0.0.1:{strict.port}")
    same(host.call("SocketProxy", "socks5h://127.0.0.1", free.port, None, None).value, 1)
    fails(host, f"ws://127.0.0.1:{nobody}/", E_PROXY, f"127.0.0.1:{free.port}", f"127.0.0.1:{nobody}")


@promise("large messages both ways, and reconnecting, through a proxy")
def _(t):
    proxy, host = microsocks(t), new_host(t, WDSOCKET_LOG="error")
    tls = t.add(Server(context(made.good)))
    same(host.call("SocketProxy", "socks5h://127.0.0.1", proxy.port, None, None).value, 1)
    host.options({"RECONNECT_MIN_MS": "10", "RECONNECT_MAX_MS": "50"}, "c")
    same(host.call("SocketConnect", "c", f"wss://localhost:{tls.port}/", None).value, 1)
    host.event(OPENING)
    for _ in range(2):
        written = host.call("write_pattern", "c", 2_000_000, 5)
        event = host.event(MESSAGE)
        same((event.length, event.hash), (2_000_000, written.more[0]))
        tls.cut()
        host.event(ERROR)
        host.event(CLOSING)
        host.event(OPENING)
    contains(host.info("PROXY"), f"socks5h://127.0.0.1:{proxy.port}")


# --- the protocol -------------------------------------------------------------------------------------

@promise("CONNECT: the target's name and port, Host, Basic credentials, and nothing of the WebSocket request")
def _(t):
    proxy, host = t.add(Own()), new_host(t)
    host.option("c", "HEADER", "Authorization: Bearer of-the-server")
    same(host.call("SocketProxy", "http://127.0.0.1", proxy.port, USER, PASSWORD).value, 1)
    works(host, "ws://only.the.proxy.knows:4711/echo", f"127.0.0.1:{proxy.port}")
    request = proxy.requests[-1]
    contains(request, "CONNECT only.the.proxy.knows:4711 HTTP/1.1\r\n", "Host: only.the.proxy.knows:4711\r\n",
             "Proxy-Authorization: Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode() + "\r\n")
    lacks(request, "of-the-server", "Sec-WebSocket")
    # IPv6 in brackets; default ports.
    works(host, "ws://[::1]/echo", "127.0.0.1")
    contains(proxy.requests[-1], "CONNECT [::1]:80 HTTP/1.1\r\n")


@promise("socks5:// resolves here, socks5h:// lets the proxy resolve")
def _(t):
    proxy, host = t.add(Own()), new_host(t)
    same(host.call("SocketProxy", "socks5h://127.0.0.1", proxy.port, None, None).value, 1)
    works(host, "ws://only.the.proxy.knows:4711/echo", f"127.0.0.1:{proxy.port}")
    same(proxy.requests[-1].split()[1:], ["1", "name:only.the.proxy.knows:4711"])
    same(host.call("SocketProxy", "socks5://127.0.0.1", proxy.port, None, None).value, 1)
    works(host, "ws://localhost:4711/echo", f"127.0.0.1:{proxy.port}")
    check(proxy.requests[-1].split()[2] in ("4:127.0.0.1:4711", "6:::1:4711"), proxy.requests[-1])
    fails(host, "ws://no-such-name.invalid/", E_RESOLVE, "no-such-name.invalid")
    for scheme in ("socks5", "socks5h"):
        same(host.call("SocketProxy", f"{scheme}://127.0.0.1", proxy.port, None, None).value, 1)
        works(host, "ws://192.0.2.7:1/echo", f"127.0.0.1:{proxy.port}")
        same(proxy.requests[-1].split()[2], "4:192.0.2.7:1")
        works(host, "ws://[2001:db8::7]:1/echo", f"127.0.0.1:{proxy.port}")
        same(proxy.requests[-1].split()[2], "6:2001:db8::7:1")


@promise("what a SOCKS proxy refuses is said in words")
def _(t):
    proxy, host = t.add(Own()), new_host(t)
    same(host.call("SocketProxy", "socks5h://127.0.0.1", proxy.port, None, None).value, 1)
    said = set()
    for code in range(1, 10):
        proxy.code = code
        said.add(fails(host, "ws://target.test:7/", E_PROXY, f"127.0.0.1:{proxy.port}", "target.test:7"))
    check(len(said) >= 8, f"the same words for different refusals: {said}")


@promise("what an HTTP proxy answers instead of 200 is said; answers that are none, and silence")
def _(t):
    def says(text, then=0.0):
        def answer(own, sock, request):
            sock.sendall(text)
            time.sleep(then)
        return answer
    host = new_host(t)
    cases = [(b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n', "407"),
             (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "502"),
             (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno!!", "403"),
             (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n", "302"),
             (b"SSH-2.0-OpenSSH_9.2\r\n", ""), (b"", ""), (b"HTTP/1.1 200 OK\r\nX: y", "")]
    for text, part in cases:
        proxy = t.add(Own(says(text)))
        same(host.call("SocketProxy", "http://127.0.0.1", proxy.port, USER, PASSWORD).value, 1)
        fails(host, "ws://target.test:7/", E_PROXY, f"127.0.0.1:{proxy.port}", part)
    proxy = t.add(Own(says(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100000 + b"\r\n", 0.1)))
    same(host.call("SocketProxy", "http://127.0.0.1", proxy.port, None, None).value, 1)
    fails(host, "ws://target.test:7/", E_PROXY)
    proxy = t.add(Own(says(b"", 3)))
    same(host.call("SocketProxy", "http://127.0.0.1", proxy.port, None, None).value, 1)
    result = host.connect_url("ws://target.test:7/", timeout=300)
    same((result.value, result.code), (0, E_TIMEOUT), result.message)
    contains(result.message, "proxy")


@promise("SocketClose and SocketShutdown end an attempt within the proxy's handshake at once")
def _(t):
    proxy, host = t.add(Own(lambda own, sock, request: time.sleep(5))), new_host(t)
    same(host.call("SocketProxy", "http://127.0.0.1", proxy.port, None, None).value, 1)
    for end in (("SocketClose", "c"), ("SocketShutdown", 3000)):
        before = len(proxy.requests)
        same(host.call("SocketConnect", "c", "ws://target.test:7/", None).value, 1)
        wait_until(lambda: len(proxy.requests) > before, "a request")
        start = time.monotonic()
        same(host.call(*end).value, 1)
        same(host.call("SocketShutdown", 3000).value, 1)
        check(time.monotonic() - start < 2, "took too long")
        host.no_event(50)


@promise("what the server sends in one segment with its answer arrives through a proxy, too")
def _(t):
    proxy, host = t.add(Own()), new_host(t)
    same(host.call("SocketProxy", "http://127.0.0.1", proxy.port, None, None).value, 1)
    same(host.connect_url("ws://target.test/early?hex=810568656c6c6f").value, 1)
    same(host.read(), b"hello")


@promise("the proxy's answer may come byte by byte, with header lines")
def _(t):
    def answer(own, sock, request):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"HTTP/1.1 200 Connection established\r\nVia: 1.1 x\r\nProxy-agent: y\r\n\r\n":
            sock.sendall(bytes([byte]))
        own.join(sock)
    proxy, host = t.add(Own(answer)), new_host(t)
    same(host.call("SocketProxy", "http://127.0.0.1", proxy.port, None, None).value, 1)
    works(host, "ws://target.test/echo", f"127.0.0.1:{proxy.port}")


@promise("answers to CONNECT that only announce another are read over")
def _(t):
    def answer(count):
        def lead(own, sock, request):
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * count)
            own.lead(sock, request)
        return lead
    host = new_host(t)
    for count in (1, 16):
        proxy = t.add(Own(answer(count)))
        host.option("c", "PROXY", f"http://127.0.0.1:{proxy.port}")
        works(host, made.url, f"127.0.0.1:{proxy.port}")
    proxy = t.add(Own(answer(17)))
    host.option("c", "PROXY", f"http://127.0.0.1:{proxy.port}")
    fails(host, made.url, E_PROXY, f"127.0.0.1:{proxy.port}", "16")


@promise("socks5://: the next address is tried if the proxy cannot reach one, and never after a refused login")
def _(t):
    if WINDOWS:
        raise Skip("a DLL's look-ups cannot be made to find two addresses")
    proxy, host = t.add(Own()), new_host(t)
    host.option("c", "PROXY", f"socks5://{USER}:s3cr3t@127.0.0.1:{proxy.port}")
    for code, refuses_login, times in ((5, False, 2), (4, False, 2), (1, False, 2), (7, False, 1), (0, True, 1)):
        proxy.code, proxy.refuses_login, before = code, refuses_login, len(proxy.requests)
        fails(host, "ws://server.two:7/", E_PROXY, f"127.0.0.1:{proxy.port}")
        same(len(proxy.requests) - before, times, f"attempts with code {code}, login refused: {refuses_login}")


@promise("ws:// through an https:// proxy has no TLS, whatever the proxy has")
def _(t):
    front, host = tls_in_front(t, t.add(Own()), made.good), new_host(t)
    host.option("c", "PROXY", f"https://localhost:{front.port}")
    same(host.connect_url(made.url).value, 1)
    host.echo()
    same((host.info("TLS"), host.info("PEER_CERTIFICATE")), ("", ""))


@promise("what is said to a Unix socket is not said to the host that it redirects to, be that localhost")
def _(t):
    if WINDOWS:
        raise Skip("Unix sockets are unsupported there")
    path = made.folder / "redirecting.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    def redirect():
        sock, _ = listener.accept()
        request = b""
        while b"\r\n\r\n" not in request:
            request += sock.recv(4096)
        told.append(request.decode())
        sock.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://localhost/elsewhere\r\nContent-Length: 0\r\n\r\n")
    def answer(own, sock, request):
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        request = b""
        while b"\r\n\r\n" not in request:
            request += sock.recv(4096)
        told.append(request.decode())
    told = []
    threading.Thread(target=redirect, daemon=True).start()
    proxy, host = t.add(Own(answer)), new_host(t)
    host.option("c", "PROXY", f"http://127.0.0.1:{proxy.port}")  # port 80 is not the tests'
    host.option("c", "HEADER", "Authorization: Bearer s3cr3t")
    host.connect_url(f"ws+unix://{path}:/")
    listener.close()
    same(len(told), 2, "requests")
    contains(told[0], "s3cr3t")
    contains(told[1], "GET /elsewhere ", "Host: localhost\r\n")
    lacks(told[1], "s3cr3t", "Authorization")


@promise("a proxy that refuses the connection, or has no address")
def _(t):
    host, port = new_host(t), free_port()
    for scheme in ("http", "https", "socks5", "socks5h"):
        same(host.call("SocketProxy", f"{scheme}://127.0.0.1", port, USER, PASSWORD).value, 1)
        fails(host, made.url, E_PROXY, f"127.0.0.1:{port}")
        same(host.call("SocketProxy", f"{scheme}://no-such-name.invalid", 0, USER, PASSWORD).value, 1)
        fails(host, made.url, E_PROXY, "no-such-name.invalid")


@promise("default ports: 8080 for http, 1080 for SOCKS, 443 for https")
def _(t):
    host = new_host(t)
    for scheme, port in (("http", 8080), ("socks5", 1080), ("socks5h", 1080), ("https", 443)):
        same(host.call("SocketProxy", f"{scheme}://127.0.0.9", 0, None, None).value, 1)
        fails(host, made.url, E_PROXY, f"127.0.0.9:{port}")
        host.option(None, "PROXY", f"{scheme}://127.0.0.9")
        fails(host, made.url, E_PROXY, f"127.0.0.9:{port}")


@promise("proxies that cannot be read are refused at once, without showing the password")
def _(t):
    host = new_host(t)
    for proxy, port in (("ftp://127.0.0.1", 1), ("socks4://127.0.0.1", 1), ("http://", 1), ("http://127.0.0.1", -1),
                        ("http://127.0.0.1", 65536), ("http://127.0.0.1:99999", 0), ("http://127.0.0.1:1", 2),
                        ("http://a b", 0), ("http://127.0.0.1/path", 0)):
        result = host.call("SocketProxy", proxy, port, USER, PASSWORD)
        same((result.value, result.code), (0, E_INVALID_ARGUMENT), f"{proxy!r} {port}: {result.message}")
        lacks(result.message, *HIDDEN)
    for proxy in (f"ftp://{USER}:s3cr3t@127.0.0.1", f"http://{USER}:s3cr3t@", f"http://{USER}:s3cr3t@127.0.0.1:99999",
                  f"http://{USER}:s3cr3t@[::1"):
        result = host.call("SocketSetOption", None, OPTION["PROXY"], proxy)
        same((result.value, result.code), (0, E_INVALID_ARGUMENT), f"{proxy!r}: {result.message}")
        lacks(result.message, *HIDDEN)


@promise("percent-encoded logins in URLs are decoded")
def _(t):
    proxy, host = t.add(Own()), new_host(t)
    host.option("c", "PROXY", f"http://us%40er:s3cr3t%3Apa%2F%C3%9F@127.0.0.1:{proxy.port}")
    works(host, made.url, f"127.0.0.1:{proxy.port}")
    expected = base64.b64encode("us@er:s3cr3t:pa/ß".encode()).decode()
    contains(proxy.requests[-1], f"Basic {expected}\r\n")
    lacks(host.stderr(), expected, "s3cr3t")


# --- which proxy counts ------------------------------------------------------------------------------

def asked(t, url, environment, name="c", prepare=None):
    """Whether the connection went through the proxy that the environment, in which PROXY stands for its address, names."""
    proxy = t.add(Own())
    here = f"127.0.0.1:{proxy.port}"
    host = new_host(t, WDSOCKET_LOG="error", **{key: value.replace("PROXY", here) for key, value in environment.items()})
    if prepare:
        prepare(host, here)
    host.connect_url(url.replace("TEST", str(made.test_port)),
                     timeout=500 if url.startswith("wss:") else 5000)
    host.stop()
    return len(proxy.requests) > 0


@promise("the environment: http_proxy for ws:// in lower case only, https_proxy and HTTPS_PROXY for wss://, all_proxy for both")
def _(t):
    ws, wss = "ws://target.test/echo", "wss://target.test/echo"
    for url, environment, expected in (
            (ws, {"http_proxy": "http://PROXY"}, True), (ws, {"http_proxy": "PROXY"}, True),
            (ws, {"HTTP_PROXY": "http://PROXY"}, False), (ws, {"https_proxy": "http://PROXY"}, False),
            (ws, {"all_proxy": "http://PROXY"}, True), (ws, {"ALL_PROXY": "http://PROXY"}, True),
            (ws, {"all_proxy": "socks5h://PROXY"}, True), (ws, {"http_proxy": "socks5h://PROXY"}, True),
            (wss, {"https_proxy": "http://PROXY"}, True), (wss, {"HTTPS_PROXY": "http://PROXY"}, True),
            (wss, {"http_proxy": "http://PROXY"}, False), (wss, {"all_proxy": "http://PROXY"}, True),
            (wss, {"ALL_PROXY": "PROXY"}, True),
            # the special one before the general one, lower case before upper case, empty as if not set
            (ws, {"http_proxy": "http://PROXY", "all_proxy": "http://127.0.0.9:1"}, True),
            (ws, {"http_proxy": "http://127.0.0.9:1", "all_proxy": "http://PROXY"}, False),
            (wss, {"https_proxy": "http://PROXY", "HTTPS_PROXY": "http://127.0.0.9:1"}, True),
            (wss, {"https_proxy": "http://127.0.0.9:1", "HTTPS_PROXY": "http://PROXY"}, False),
            (ws, {"http_proxy": "", "all_proxy": "http://PROXY"}, True)):
        if WINDOWS:  # names of variables have no case there
            if len({name.lower() for name in environment}) < len(environment):
                continue
            expected |= url == ws and "HTTP_PROXY" in environment
        same(asked(t, url, environment), expected, f"{url} with {environment}: through the proxy")


@promise("no_proxy and NO_PROXY: names and their subdomains, addresses, networks, everything")
def _(t):
    for url, exceptions, expected in (
            ("ws://www.example.com/", "example.com", False), ("ws://example.com/", "example.com", False),
            ("ws://notexample.com/", "example.com", True), ("ws://www.example.com/", ".example.com", False),
            ("ws://example.com/", ".example.com", False), ("ws://example.com.evil.test/", "example.com", True),
            ("ws://WWW.Example.COM/", "example.com", False), ("ws://www.example.com/", "EXAMPLE.com", False),
            ("ws://www.example.com/", "other.test, example.com", False),
            ("ws://www.example.com/", "other.test,,example.com", False), ("ws://www.example.com/", "other.test", True),
            ("ws://www.example.com/", "*", False), ("ws://www.example.com/", "", True),
            ("ws://127.0.0.1:TEST/echo", "127.0.0.1", False), ("ws://127.0.0.1:TEST/echo", "127.0.0.0/8", False),
            ("ws://127.0.0.1:TEST/echo", "127.0.0.2", True), ("ws://127.0.0.1:TEST/echo", "10.0.0.0/8", True),
            ("ws://[::1]:TEST/echo", "::1", False), ("ws://[::1]:TEST/echo", "::2", True),
            ("ws://localhost:TEST/echo", "localhost", False), ("ws://localhost:TEST/echo", "127.0.0.1", True)):
        for variable in ("no_proxy", "NO_PROXY"):
            same(asked(t, url, {"http_proxy": "http://PROXY", variable: exceptions}), expected,
                 f"{url} with {variable}={exceptions}: through the proxy")


@promise("what is set counts before the environment; \"\" means no proxy at all; NULL the environment again")
def _(t):
    url, environment = "ws://127.0.0.1:TEST/echo", {"http_proxy": "http://PROXY"}
    wrong = {"http_proxy": "http://127.0.0.9:1", "no_proxy": "*"}
    same(asked(t, url, environment), True)
    same(asked(t, url, wrong, prepare=lambda host, here: host.call("SocketProxy", f"http://{here}", 0, None, None)), True,
         "SocketProxy, whatever no_proxy says")
    same(asked(t, url, wrong, prepare=lambda host, here: host.option("c", "PROXY", f"http://{here}")), True)
    for none in ("", None):
        same(asked(t, url, environment, prepare=lambda host, here: host.call("SocketProxy", none, 0, None, None)), False,
             f"SocketProxy({none!r})")
    same(asked(t, url, environment, prepare=lambda host, here: host.option("c", "PROXY", "")), False)
    def for_one(host, here):
        host.call("SocketProxy", "http://127.0.0.9:1", 0, None, None)
        host.option("c", "PROXY", f"http://{here}")
    same(asked(t, url, {}, prepare=for_one), True, "a name's own before the default")
    def none_for_one(host, here):
        host.call("SocketProxy", f"http://{here}", 0, None, None)
        host.option("c", "PROXY", "")
    same(asked(t, url, {}, prepare=none_for_one), False, "none for this name")
    def back(host, here):
        host.call("SocketProxy", "", 0, None, None)
        host.option(None, "PROXY", None)
    same(asked(t, url, environment, prepare=back), True, "NULL: the environment again")


@promise("a proxy of the environment that cannot be read fails the connection and is named, without its password")
def _(t):
    host = new_host(t, http_proxy=f"ftp://{USER}:s3cr3t@127.0.0.1:1")
    result = host.connect_url(made.url)
    same(result.value, 0)
    check(result.code in (E_PROXY, E_INVALID_ARGUMENT), f"{result}")
    lacks_password(t, host, result.message)


@promise("a proxy of the environment that is not UTF-8 fails the connection and is named, without its password")
def _(t):
    if WINDOWS:
        raise Skip("the environment is UTF-16 there")
    host = new_host(t, http_proxy=os.fsdecode(b"http://user:p\xe4ss@127.0.0.9:1"))
    result = host.connect_url(made.url)
    same((result.value, result.code), (0, E_PROXY), result.message)
    contains(result.message, "http_proxy", "UTF-8")
    lacks(result.message, "127.0.0.9", "ss@")


if __name__ == "__main__":
    main("proxies", prepare)
