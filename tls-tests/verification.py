#!/usr/bin/env python3
"""Whom the library trusts. Every wrong certificate is refused, with its reason, before one byte of application data has
gone out: the server counts them.

    verification.py HOST_PROGRAM TEST_SERVER [PART_OF_A_PROMISE]
"""
import os
import pathlib
import resource
import ssl

from cryptography.x509.oid import ExtendedKeyUsageOID

import certificates
from certificates import DAY, NOW
from driver import *
from server import Server, context

made = None
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Made:
    """The certificates, made once."""

    def __init__(self, folder):
        self.folder = folder
        rsa = certificates.new_key("rsa")
        self.ca = certificates.Authority(folder, "Root")
        self.other_ca = certificates.Authority(folder, "Stranger")
        self.old_ca = certificates.Authority(folder, "Old Root")
        self.middle = certificates.Authority(folder, "Intermediate", self.ca)
        self.good = self.ca.issue("good")
        self.rsa = self.ca.issue("rsa", key=rsa)
        self.below = self.middle.issue("below")
        self.named = self.ca.issue("named", names=["good.example", "*.wild.example"])
        self.wrong = self.ca.issue("wrong", names=["other.example", "192.0.2.7"])
        self.nameless = self.ca.issue("nameless", names=[], common="localhost")
        self.expired = self.ca.issue("expired", begin=NOW - 30 * DAY, end=NOW - 10 * DAY)
        self.early = self.ca.issue("early", begin=NOW + 10 * DAY, end=NOW + 30 * DAY)
        self.unknown = self.other_ca.issue("unknown")
        self.of_old = self.old_ca.issue("of-old")
        self.alone = certificates.self_signed(folder, "alone")
        self.alone_expired = certificates.self_signed(folder, "alone-expired", begin=NOW - 30 * DAY, end=NOW - 10 * DAY)
        self.alone_elsewhere = certificates.self_signed(folder, "alone-elsewhere", names=["other.example"])
        self.for_clients = self.ca.issue("for-clients", usage=ExtendedKeyUsageOID.CLIENT_AUTH)
        self.client = self.ca.issue("client", names=[], usage=ExtendedKeyUsageOID.CLIENT_AUTH)
        self.client_rsa = self.ca.issue("client-rsa", names=[], key=rsa, usage=ExtendedKeyUsageOID.CLIENT_AUTH)
        self.client_unknown = self.other_ca.issue("client-unknown", names=[], usage=ExtendedKeyUsageOID.CLIENT_AUTH)


def prepare(folder, test_port):
    global made
    made = Made(folder)
    made.test_port = test_port


def day(time):
    return time.strftime("%Y-%m-%d")


def trusting(t, *authorities, **environment):
    """A host that trusts these authorities, as if they were the system's."""
    store = made.folder / ("+".join(each.name for each in authorities) + ".store")
    store.write_text("".join(pathlib.Path(each.file).read_text() for each in authorities))
    return t.host(SSL_CERT_FILE=str(store), **environment)


def serve(t, certificate, **more):
    named = {key: more.pop(key) for key in ("low", "high", "ca") if key in more}
    return t.add(Server(context(certificate, **named), **more))


def refused(t, certificate, *parts, address="127.0.0.1", options={}, host=None, versions=0, **more):
    """Nobody connects, and the server gets nothing; synchronously and with a callback."""
    host = host or trusting(t, made.ca)
    server = serve(t, certificate, **more)
    host.options(options)
    result = host.ssl(server.port, address, versions=versions)
    same((result.value, result.code), (0, E_TLS), f"WebSocketClientConnectSSL ({result.message})")
    contains(result.message, "c:", *parts)
    same(host.state(), 0, "SocketState")
    contains(result.message, host.info("LAST_ERROR", None))
    host.options(options, "a")
    started = host.call("WebSocketClientConnectSSLAsync", "a", address, server.port, None, None, versions)
    same(started.value, 1, f"WebSocketClientConnectSSLAsync ({started.message})")
    event = host.event(ERROR)
    same(event.code, E_TLS, event.message)
    contains(event.message, *parts)
    same(host.event(CLOSING).text, b"1006", "close code")
    same(server.application_bytes(), 0, "bytes of application data at the server")
    check(not any(peer.request for peer in server.peers), "a request arrived")
    return result.message


# --- what is accepted ---------------------------------------------------------------------------

@promise("a good certificate is accepted: host name, IPv4 address")
def _(t):
    host, server = trusting(t, made.ca), serve(t, made.good)
    for address in ("localhost", "127.0.0.1"):
        host.connect(server.port, address)
        host.echo("TLS works")
        same(server.last.request.split()[:2], [b"GET", b"/"])
        contains(server.last.request.decode(), f"Host: {address}:{server.port}\r\n")
        host.close()


@promise("a good certificate is accepted: IPv6 address")
def _(t):
    host, server = trusting(t, made.ca), serve(t, made.good, address="::1")
    for address in ("::1", "[::1]"):
        host.connect(server.port, address)
        host.echo()
        host.close()


@promise("RSA and ECDSA, TLS 1.2 and 1.3, and SocketInfo's TLS says which")
def _(t):
    host = trusting(t, made.ca)
    for certificate, kind in ((made.rsa, "RSA"), (made.good, "ECDSA")):
        for version, name in ((V12, "TLSv1.2"), (V13, "TLSv1.3")):
            server = serve(t, certificate, low=version, high=version)
            host.connect(server.port)
            host.echo()
            tls = host.info("TLS")
            check(tls.startswith(name + " TLS"), f"TLS is {tls}")
            if version == V12:
                contains(tls, kind)
            else:
                contains(tls, "TLS13_AES_")
            same(server.last.tls.version(), name)
            host.close()


@promise("SocketInfo's PEER_CERTIFICATE: subject, issuer, expiry")
def _(t):
    host, server = trusting(t, made.ca), serve(t, made.good)
    host.connect(server.port)
    lines = host.info("PEER_CERTIFICATE").splitlines()
    same(len(lines), 3, "lines")
    for line, begin, part in zip(lines, ("subject: ", "issuer: ", "expires: "),
                                 ("good", "Root", day(made.good.certificate.not_valid_after_utc))):
        check(line.startswith(begin), f'"{line}" begins with "{begin}"')
        contains(line, part)
    same(host.info("PROXY"), "")


@promise("without TLS both items are empty")
def _(t):
    host = t.host()
    same(host.connect_url(f"ws://127.0.0.1:{made.test_port}/echo").value, 1)
    same((host.info("TLS"), host.info("PEER_CERTIFICATE")), ("", ""))


@promise("an intermediate that the server sends is used")
def _(t):
    host, server = trusting(t, made.ca), serve(t, made.below)
    host.connect(server.port)
    host.echo()


@promise("every way to connect: SSL, SSLAsync, SocketConnect, URLs")
def _(t):
    host, server = trusting(t, made.ca), serve(t, made.good)
    url = f"wss://localhost:{server.port}/x?y=z"
    same(host.call("WebSocketClientConnectSSL", "c", url, 0, None, None, 0, 5000).value, 1)
    host.echo()
    contains(server.last.request.decode(), "GET /x?y=z HTTP/1.1\r\n")
    for function, args in (("SocketConnect", ("a", url, None)),
                           ("WebSocketClientConnectSSLAsync", ("b", "localhost", server.port, "/x?y=z", None, 0)),
                           ("WebSocketClientConnectSSLAsync", ("d", url, 0, None, None, 0))):
        same(host.call(function, *args).value, 1, function)
        host.event(OPENING)
        same(host.call("SocketWrite", args[0], "hello").value, 1)
        same(host.event(MESSAGE).text, b"hello")
        same(host.call("SocketCloseWith", args[0], 1000, None).value, 1)
        same(host.event(CLOSING).text, b"1000")


@promise("schemes that do not fit the function are refused")
def _(t):
    host = t.host()
    for function, url, more in (("WebSocketClientConnect", "wss://localhost/", (5000,)),
                                ("WebSocketClientConnectSSL", "ws://localhost/", (0, 5000)),
                                ("WebSocketClientConnectSSL", "https://localhost/", (0, 5000)),
                                ("WebSocketClientConnectAsync", "wss://localhost/", ()),
                                ("WebSocketClientConnectSSLAsync", "ws://localhost/", (0,))):
        result = host.call(function, "c", url, 0, None, None, *more)
        same((result.value, result.code), (0, E_INVALID_ARGUMENT), f"{function} {url} ({result.message})")


@promise("SNI carries the host name, never an address; ALPN is http/1.1")
def _(t):
    host, server = trusting(t, made.ca), serve(t, made.good)
    host.connect(server.port, "localhost")
    same(server.last.sni, "localhost")
    same(server.last.tls.selected_alpn_protocol(), "http/1.1")
    host.close()
    host.connect(server.port, "127.0.0.1")
    same(server.last.sni, None)


@promise("SERVER_NAME is what is verified and what the server is told")
def _(t):
    host, server = trusting(t, made.ca), serve(t, made.named)
    for name in ("good.example", "any.wild.example"):
        host.option("c", "SERVER_NAME", name)
        host.connect(server.port, "127.0.0.1")
        same(server.last.sni, name)
        contains(server.last.request.decode(), f"Host: 127.0.0.1:{server.port}\r\n")
        host.echo()
        host.close()
    server = serve(t, made.good)
    host.option("c", "SERVER_NAME", "127.0.0.1")
    host.connect(server.port, "localhost")
    same(server.last.sni, None)


# --- what is refused ----------------------------------------------------------------------------

@promise("an expired certificate is refused: which and since when")
def _(t):
    refused(t, made.expired, "expired", day(made.expired.certificate.not_valid_after_utc), "CN=expired")


@promise("a certificate that is not valid yet is refused: from when, and the clock is suspected")
def _(t):
    refused(t, made.early, "not valid before", day(made.early.certificate.not_valid_before_utc), "CN=early", "clock")


@promise("a certificate for another name is refused: which name, and which names it has")
def _(t):
    refused(t, made.wrong, "localhost", "other.example", "192.0.2.7", "CN=wrong", "SERVER_NAME", address="localhost")
    refused(t, made.wrong, "127.0.0.1", "other.example", "192.0.2.7", "CN=wrong")
    refused(t, made.named, "deep.er.wild.example", "*.wild.example", options={"SERVER_NAME": "deep.er.wild.example"})


@promise("a common name alone does not count")
def _(t):
    refused(t, made.nameless, "localhost", "CN=localhost", address="localhost")


@promise("an unknown issuer is refused and named, and what to do")
def _(t):
    refused(t, made.unknown, "CN=unknown", "Stranger", "CA_FILE")
    refused(t, made.below, "Root", "CA_FILE", host=trusting(t, made.other_ca))


@promise("an intermediate that the server does not send is missed")
def _(t):
    alone = certificates.Certificate(made.folder, "below-alone", made.below.key, made.below.certificate)
    refused(t, alone, "CN=below", "Intermediate")


@promise("a self-signed certificate is refused, and said to be one")
def _(t):
    refused(t, made.alone, "itself", "CA_FILE", "CN=alone")


@promise("a certificate for clients is refused as a server's")
def _(t):
    refused(t, made.for_clients, "CN=for-clients")


@promise("an authority that was taken out of the store no longer counts, its successor does")
def _(t):
    server = serve(t, made.of_old)
    host = trusting(t, made.old_ca)
    host.connect(server.port)
    host.echo()
    refused(t, made.of_old, "Old Root", host=trusting(t, made.ca))
    host = trusting(t, made.ca)
    host.connect(serve(t, made.good).port)
    host.echo()


@promise("without any trusted certificate all are refused")
def _(t):
    if WINDOWS:  # its store has others
        refused(t, made.good, "CN=good", host=t.host())
        return
    empty = made.folder / "empty.store"
    empty.write_text("")
    refused(t, made.good, host=t.host(SSL_CERT_FILE=str(empty)))


@promise("a server with TLS 1.1 only is refused, and the message says so")
def _(t):
    def old(peer_context):
        peer_context.minimum_version = ssl.TLSVersion.TLSv1
        peer_context.maximum_version = ssl.TLSVersion.TLSv1_1
        peer_context.set_ciphers("ALL:@SECLEVEL=0")
        return peer_context
    host = trusting(t, made.ca)
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    server = t.add(Server(old(context(made.rsa))))
    result = host.ssl(server.port)
    same((result.value, result.code), (0, E_TLS), result.message)
    contains(result.message, "TLS version")
    same(server.application_bytes(), 0)


@promise("ssl_options choose the versions")
def _(t):
    host = trusting(t, made.ca)
    both, only12, only13 = serve(t, made.good), serve(t, made.good, high=V12), serve(t, made.good, low=V13)
    for versions, name in ((0, "TLSv1.3"), (TLS1_2, "TLSv1.2"), (TLS1_3, "TLSv1.3"), (TLS1_2 | TLS1_3, "TLSv1.3"),
                           (TLS1 | TLS1_1 | TLS1_2, "TLSv1.2"), (TLS1 | TLS1_3, "TLSv1.3"), (60, "TLSv1.3")):
        host.connect(both.port, versions=versions)
        same(both.last.tls.version(), name, f"ssl_options {versions}")
        host.close()
    for server, versions in ((only12, TLS1_3), (only13, TLS1_2)):
        result = host.ssl(server.port, versions=versions)
        same((result.value, result.code), (0, E_TLS), result.message)
        contains(result.message, "version")
    host.connect(only12.port)
    host.close()


@promise("ssl_options with old versions only, or unknown ones, are refused at once, with the reason")
def _(t):
    host, server = trusting(t, made.ca), serve(t, made.good)
    for versions in (TLS1, TLS1_1, TLS1 | TLS1_1):
        result = host.ssl(server.port, versions=versions)
        same((result.value, result.code), (0, E_INVALID_ARGUMENT), result.message)
        contains(result.message, "TLS 1.", "1.2")
    for versions in (-1, 1, 2, 64, 1 << 30):
        result = host.ssl(server.port, versions=versions)
        same((result.value, result.code), (0, E_INVALID_ARGUMENT), f"ssl_options {versions}: {result.message}")
    same(len(server.peers), 0, "connections")


@promise("a server that speaks no TLS is refused, and the message suspects that")
def _(t):
    host = trusting(t, made.ca)
    def plain_answer(peer):
        peer.sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        time.sleep(0.2)
    server = t.add(Server(behave=plain_answer))
    result = host.ssl(server.port, "127.0.0.1")
    same((result.value, result.code), (0, E_TLS), result.message)
    contains(result.message, "not speak TLS")


@promise("a server that takes TCP and stays silent: the time limit, and where it was spent")
def _(t):
    host = trusting(t, made.ca)
    server = t.add(Server(behave=lambda peer: time.sleep(3)))
    start = time.monotonic()
    result = host.ssl(server.port, timeout=300)
    same((result.value, result.code), (0, E_TIMEOUT), result.message)
    check(0.29 < time.monotonic() - start < 2.5, "took too long")
    contains(result.message, "TLS")


@promise("SocketClose and SocketShutdown end an attempt within the TLS handshake at once")
def _(t):
    host = trusting(t, made.ca)
    server = t.add(Server(behave=lambda peer: time.sleep(5)))
    for end in (("SocketClose", "c"), ("SocketShutdown", 3000)):
        before = len(server.peers)
        same(host.call("WebSocketClientConnectSSLAsync", "c", "127.0.0.1", server.port, None, None, 0).value, 1)
        wait_until(lambda: len(server.peers) > before, "a connection")
        start = time.monotonic()
        same(host.call(*end).value, 1)
        same(host.call("SocketShutdown", 3000).value, 1)
        check(time.monotonic() - start < 2, "took too long")
        host.no_event(50)


@promise("the log shows neither header values nor messages")
def _(t):
    host, server = trusting(t, made.ca, WDSOCKET_LOG="trace"), serve(t, made.good)
    log = made.folder / "contents.log"
    same(host.call("log_to", str(log), 5).value, 1)
    host.option("c", "HEADER", "Authorization: Bearer t0ps3cret")
    host.connect(server.port, path="/?token=qu3ry")
    host.echo("m3ssage")
    host.ssl(serve(t, made.unknown).port)
    for text in (host.stderr(), log.read_text()):
        check(len(text) > 50, "nothing was logged")
        lacks(text, "t0ps3cret", "m3ssage")


@promise("a server that closes TCP within the handshake")
def _(t):
    host = trusting(t, made.ca)
    def close(peer):
        peer.sock.recv(100)
        raise OSError("closed")
    result = host.ssl(serve(t, made.good, before=close).port)
    check(result.value == 0 and result.code in (E_TLS, E_IO), f"{result}")
    contains(result.message, "TLS")


@promise("a plain connection to a TLS port fails, and TLS is suspected")
def _(t):
    host, server = t.host(), serve(t, made.good)
    result = host.connect_url(f"ws://127.0.0.1:{server.port}/")
    check(result.value == 0 and result.code in (E_HANDSHAKE, E_IO), f"{result}")
    same(server.application_bytes(), 0)


# --- options ------------------------------------------------------------------------------------

@promise("CA_FILE replaces the system's store")
def _(t):
    host, server = trusting(t, made.other_ca), serve(t, made.good)
    host.option("c", "CA_FILE", made.ca.file)
    host.connect(server.port)
    host.echo()
    host.close()
    refused(t, made.unknown, "Stranger", host=trusting(t, made.other_ca), options={"CA_FILE": made.ca.file})


@promise("CA_FILE may hold the server's own self-signed certificate; name and time still count")
def _(t):
    host, server = t.host(), serve(t, made.alone)
    host.option("c", "CA_FILE", made.alone.cert_file)
    host.connect(server.port)
    host.echo()
    host.close()
    refused(t, made.alone_expired, "expired", host=t.host(), options={"CA_FILE": made.alone_expired.cert_file})
    refused(t, made.alone_elsewhere, "other.example", host=t.host(), options={"CA_FILE": made.alone_elsewhere.cert_file})
    refused(t, made.good, host=t.host(), options={"CA_FILE": made.alone.cert_file})


@promise("CA_FILE may hold several certificates")
def _(t):
    bundle = made.folder / "bundle.pem"
    bundle.write_text("# a comment\n" + "".join(pathlib.Path(each).read_text() for each in
                                                (made.other_ca.file, made.alone.cert_file, made.ca.file)))
    host = t.host()
    host.option(None, "CA_FILE", str(bundle))
    for certificate in (made.good, made.unknown, made.alone):
        host.connect(serve(t, certificate).port)
        host.echo()
        host.close()


@promise("a CA_FILE that is replaced counts at the next connection, for sessions as well")
def _(t):
    file = made.folder / "replaced.pem"
    host, server = t.host(), serve(t, made.good)
    host.option(None, "CA_FILE", str(copied(made.ca.file, file)))
    host.connect(server.port)
    host.echo()
    host.close()
    copied(made.other_ca.file, file)
    before = server.application_bytes()
    result = host.ssl(server.port)
    same((result.value, result.code), (0, E_TLS), result.message)
    same(server.application_bytes(), before, "application data")
    copied(made.ca.file, file)
    host.connect(server.port)
    host.echo()
    host.close()
    file.unlink()
    result = host.ssl(server.port)
    same(result.value, 0, "without the file")
    contains(result.message, "replaced.pem")


def copied(source, target):
    target.write_bytes(pathlib.Path(source).read_bytes())
    return target


@promise("VERIFY_PEER off accepts anything")
def _(t):
    for certificate in (made.unknown, made.alone, made.expired, made.early, made.wrong):
        host, server = trusting(t, made.ca), serve(t, certificate)
        host.option("c", "VERIFY_PEER", "off")
        host.connect(server.port)
        host.echo()


@promise("what one connection was allowed is not allowed to the next: VERIFY_PEER, CA_FILE, PINNED_KEY, SERVER_NAME")
def _(t):
    for low in (V12, V13):
        host, server = trusting(t, made.ca), serve(t, made.unknown, low=low, high=low)
        for _ in range(2):
            host.option("c", "VERIFY_PEER", "off")
            host.connect(server.port)
            host.echo()
            host.close()
        before = server.application_bytes()
        result = host.ssl(server.port)
        same((result.value, result.code), (0, E_TLS), f"after VERIFY_PEER off: {result.message}")
        host.option("c", "CA_FILE", made.other_ca.file)
        host.connect(server.port)
        host.echo()
        host.close()
        before = server.application_bytes()
        result = host.ssl(server.port)
        same((result.value, result.code), (0, E_TLS), f"after CA_FILE: {result.message}")
        same(server.application_bytes(), before, "application data")
        server = serve(t, made.good, low=low, high=low)
        host.connect(server.port)
        host.echo()
        host.close()
        host.option("c", "PINNED_KEY", made.rsa.pin)
        result = host.ssl(server.port)
        same((result.value, result.code), (0, E_TLS), f"PINNED_KEY after a session: {result.message}")
        host.option("c", "PINNED_KEY", None)
        host.option("c", "SERVER_NAME", "good.example")
        result = host.ssl(server.port)
        same((result.value, result.code), (0, E_TLS), f"SERVER_NAME after a session: {result.message}")


@promise("PINNED_KEY: the right key, one of several, a wrong one, which is named")
def _(t):
    host, server = trusting(t, made.ca), serve(t, made.good)
    for pins in (made.good.pin, f"{made.rsa.pin};{made.good.pin}", f"{made.good.pin};{made.rsa.pin}"):
        host.option("c", "PINNED_KEY", pins)
        host.connect(server.port)
        host.echo()
        host.close()
    refused(t, made.good, "PINNED_KEY", made.good.pin, options={"PINNED_KEY": made.rsa.pin})
    # In addition to the verification, and also without it.
    refused(t, made.unknown, "Stranger", options={"PINNED_KEY": made.unknown.pin})
    refused(t, made.good, "PINNED_KEY", options={"PINNED_KEY": made.rsa.pin, "VERIFY_PEER": "off"})


@promise("options with files and keys that cannot be are refused at once")
def _(t):
    host = t.host()
    folder = made.folder
    (folder / "nothing.pem").write_text("")
    (folder / "noise.pem").write_bytes(bytes(range(256)) * 10)
    (folder / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (folder / "cut.pem").write_text(pathlib.Path(made.ca.file).read_text()[:300])
    locked = made.client.key_as("pkcs8", folder / "locked.key", b"secret")
    bad = {
        "CA_FILE": [folder / "absent.pem", folder / "nothing.pem", folder / "noise.pem", folder / "broken.pem",
                    folder / "cut.pem", folder, made.good.key_file],
        "CLIENT_CERT_FILE": [folder / "absent.pem", folder / "nothing.pem", folder / "noise.pem", folder / "broken.pem",
                             folder, made.good.key_file],
        "CLIENT_KEY_FILE": [folder / "absent.pem", folder / "nothing.pem", folder / "noise.pem", made.ca.file, locked, folder],
        "VERIFY_PEER": ["maybe", "2"],
        "PINNED_KEY": ["sha256//", "sha256//AAAA", "md5//" + "A" * 43 + "=", made.good.pin + ";x", "sha256//" + "!" * 44,
                       made.good.pin[8:]],
        "SERVER_NAME": ["a b", "https://x", "x/y", "[::1", "\x01"],
    }
    taken = []
    for option, values in bad.items():
        for value in values:
            result = host.call("SocketSetOption", "c", OPTION[option], str(value))
            if (result.value, result.code) != (0, E_INVALID_ARGUMENT):
                taken.append(f"{option} {getattr(value, 'name', value)!r} ({result.value}, {result.code} {result.message})")
            elif isinstance(value, pathlib.Path):
                contains(result.message, value.name)
    check(not taken, "taken: " + ", ".join(taken))
    result = host.call("SocketSetOption", "c", OPTION["CLIENT_KEY_FILE"], locked)
    contains(result.message, "encrypted")


@promise("a client certificate is shown where it is demanded: PKCS#8, PKCS#1, SEC1, TLS 1.2 and 1.3")
def _(t):
    host = trusting(t, made.ca)
    keys = [(made.client, made.client.key_file), (made.client_rsa, made.client_rsa.key_file),
            (made.client, made.client.key_as("traditional", made.folder / "sec1.key")),
            (made.client_rsa, made.client_rsa.key_as("traditional", made.folder / "pkcs1.key")),
            (made.client, made.client.both_file)]
    for key, begin in zip(keys[2:4], ("BEGIN EC PRIVATE", "BEGIN RSA PRIVATE")):
        contains(pathlib.Path(key[1]).read_text(), begin)
    for version in (V12, V13):
        for certificate, key in keys:
            server = serve(t, made.good, low=version, high=version, ca=made.ca.file)
            host.option("c", "CLIENT_CERT_FILE", certificate.cert_file)
            host.option("c", "CLIENT_KEY_FILE", key)
            host.connect(server.port)
            host.echo()
            shown = dict(part[0] for part in server.last.tls.getpeercert()["subject"])
            contains(shown["commonName"], "client")
            host.close()


@promise("a client certificate that is demanded and missing, or a stranger's: refused, and the message says why")
def _(t):
    for version in (V12, V13):
        host = trusting(t, made.ca)
        server = serve(t, made.good, low=version, high=version, ca=made.ca.file)
        result = host.ssl(server.port)
        same((result.value, result.code), (0, E_TLS), f"{version.name}: {result.message}")
        contains(result.message, "certificate", "CLIENT_CERT_FILE")
        host.option("c", "CLIENT_CERT_FILE", made.client_unknown.cert_file)
        host.option("c", "CLIENT_KEY_FILE", made.client_unknown.key_file)
        result = host.ssl(server.port)
        same((result.value, result.code), (0, E_TLS), f"{version.name}: {result.message}")
        contains(result.message, "certificate")
        check(all(not peer.request for peer in server.peers), "a request was taken")


@promise("client certificate and key that do not belong together, or one without the other, fail")
def _(t):
    host, server = trusting(t, made.ca), serve(t, made.good, ca=made.ca.file)
    host.option("c", "CLIENT_CERT_FILE", made.client.cert_file)
    result = host.ssl(server.port)
    same(result.value, 0, result.message)
    check(result.code in (E_INVALID_ARGUMENT, E_TLS), f"{result}")
    contains(result.message, "CLIENT_KEY_FILE")
    other = host.call("SocketSetOption", "c", OPTION["CLIENT_KEY_FILE"], made.client_unknown.key_file)
    if other.value:  # else it was refused at once, which is as good
        result = host.ssl(server.port)
        same(result.value, 0, result.message)
        check(result.code in (E_INVALID_ARGUMENT, E_TLS), f"{result}")
        contains(result.message, "key")
    same(server.application_bytes(), 0)


@promise("sessions are resumed, TLS 1.2 and 1.3")
def _(t):
    for version in (V12, V13):
        host, server = trusting(t, made.ca), serve(t, made.good, low=version, high=version)
        for i in range(3):
            host.connect(server.port)
            host.echo()
            same(server.last.tls.session_reused, i > 0, f"{version.name}, connection {i + 1}: resumed")
            contains(host.info("PEER_CERTIFICATE"), "CN=good")
            host.close()


@promise("redirections never lead from wss:// to ws://, and a wrong certificate on the way is refused")
def _(t):
    host = trusting(t, made.ca)

    def to(location):
        def behave(peer):
            peer.read_request()
            peer.send(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())
            peer.close_notify()
        return behave

    good, unknown = serve(t, made.good), serve(t, made.unknown)
    for scheme in ("ws", "http"):
        server = serve(t, made.good, behave=to(f"{scheme}://127.0.0.1:{made.test_port}/echo"))
        result = host.ssl(server.port)
        same((result.value, result.code), (0, E_HANDSHAKE), result.message)
        contains(result.message, "redirect", "wss")
    for scheme in ("wss", "https"):
        server = serve(t, made.good, behave=to(f"{scheme}://127.0.0.1:{good.port}/there"))
        host.connect(server.port)
        host.echo()
        contains(good.last.request.decode(), "GET /there ")
        host.close()
    server = serve(t, made.good, behave=to(f"wss://127.0.0.1:{unknown.port}/"))
    result = host.ssl(server.port)
    same((result.value, result.code), (0, E_TLS), result.message)
    same(unknown.application_bytes(), 0)
    # From ws:// to wss:// is an improvement.
    server = t.add(Server(behave=lambda peer: (peer.read_request(), peer.send(
        f"HTTP/1.1 301 Moved\r\nLocation: wss://localhost:{good.port}/up\r\n\r\n".encode()))))
    same(host.connect_url(f"ws://127.0.0.1:{server.port}/").value, 1)
    contains(host.info("TLS"), "TLSv1.3")
    host.echo()
    host.close()
    # The client certificate is for the first host.
    strict = serve(t, made.good, ca=made.ca.file)
    server = serve(t, made.good, behave=to(f"wss://127.0.0.1:{strict.port}/"))
    host.option("c", "CLIENT_CERT_FILE", made.client.cert_file)
    host.option("c", "CLIENT_KEY_FILE", made.client.key_file)
    result = host.ssl(server.port, "localhost")
    same((result.value, result.code), (0, E_TLS), result.message)


def weak_context(certificate, version):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = made.maximum_version = version
    made.set_ciphers("DEFAULT@SECLEVEL=0")
    made.load_cert_chain(certificate.cert_file, certificate.key_file)
    return made


@promise("VERIFY_PEER off accepts certificates that cannot be verified at all: version 1, serial numbers too long, weak keys")
def _(t):
    small = certificates.rsa.generate_private_key(65537, 1024)
    odd = [certificates.changed(made.folder, "version-1", certificates.new_key(), certificates.version_1),
           certificates.changed(made.folder, "version-1-rsa", certificates.new_key("rsa"), certificates.version_1),
           certificates.changed(made.folder, "serial", certificates.new_key(), certificates.with_serial_number(b"z" * 30)),
           certificates.changed(made.folder, "small", small, lambda values: values)]
    host = t.host()
    for certificate in odd:
        for version in (V12, V13):
            server = t.add(Server(weak_context(certificate, version)))
            host.option("c", "VERIFY_PEER", "off")
            host.connect(server.port)
            host.echo()
            contains(host.info("PEER_CERTIFICATE"), "subject: CN=")
            host.close()


@promise("CA_FILE says what is wrong with a certificate of version 1")
def _(t):
    certificate = certificates.changed(made.folder, "version-1-ca", certificates.new_key(), certificates.version_1)
    result = t.host().call("SocketSetOption", "c", OPTION["CA_FILE"], certificate.cert_file)
    same((result.value, result.code), (0, E_INVALID_ARGUMENT), result.message)
    contains(result.message, "version-1-ca.pem", "version 1")


@promise("PINNED_KEY holds for certificates that are odd, and what it cannot read it refuses")
def _(t):
    host = t.host()
    first, second = (certificates.changed(made.folder, f"serial-{i}", certificates.new_key(),
                                          certificates.with_serial_number(bytes([0x7a + i] * 30))) for i in (0, 1))
    for version in (V12, V13):
        servers = [serve(t, each, low=version, high=version) for each in (first, second)]
        for own, other, certificate in ((servers[0], servers[1], first), (servers[1], servers[0], second)):
            host.option("c", "VERIFY_PEER", "off")
            host.option("c", "PINNED_KEY", certificate.pin)
            result = host.ssl(other.port)
            same((result.value, result.code), (0, E_TLS), result.message)
            contains(result.message, "PINNED_KEY", (second if certificate is first else first).pin)
            host.connect(own.port)
            host.echo()
            contains(host.info("PEER_CERTIFICATE"), "subject: ", "expires: ")
            host.close()
    unread = certificates.changed(made.folder, "version-1-pinned", certificates.new_key(), certificates.version_1)
    host.option("c", "VERIFY_PEER", "off")
    host.option("c", "PINNED_KEY", unread.pin)
    result = host.ssl(serve(t, unread).port)
    same((result.value, result.code), (0, E_TLS), result.message)
    contains(result.message, "PINNED_KEY")
    lacks(result.message, "sha256//")
    host.option("c", "PINNED_KEY", "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")  # the digest of nothing
    same(host.ssl(serve(t, first).port).code, E_TLS)


@promise("files without an end, pipes, and files too large to be keys are refused at once")
def _(t):
    if WINDOWS:
        raise Skip("devices and pipes have no such names there")
    host, fifo, large = t.host(), made.folder / "fifo", made.folder / "large.pem"
    os.mkfifo(fifo)
    with open(large, "wb") as file:
        file.truncate((16 << 20) + 1)
    resource.prlimit(host.process.pid, resource.RLIMIT_AS, (3 << 30, 3 << 30))
    for option in ("CA_FILE", "CLIENT_CERT_FILE", "CLIENT_KEY_FILE"):
        for file, why in (("/dev/zero", "regular"), (fifo, "regular"), (large, "16 MiB")):
            result = host.call("SocketSetOption", "c", OPTION[option], str(file), timeout=10)
            same((result.value, result.code), (0, E_INVALID_ARGUMENT), f"{option} {file}: {result.message}")
            contains(result.message, option, str(file), why)


@promise("names that are never resolved hold up no TLS connection whose configuration is known")
def _(t):
    host, server = trusting(t, made.ca), serve(t, made.good)
    host.connect(server.port, "127.0.0.1")
    host.echo()
    host.close()
    for i in range(40):
        same(host.call("WebSocketClientConnectAsync", f"s{i}", f"h{i}.hangs", 80, None, None).value, 1)
    for _ in range(3):
        host.connect(server.port, "127.0.0.1")
        host.echo()
        host.close()


@promise("the error about a redirection shows neither login nor query nor fragment")
def _(t):
    host = trusting(t, made.ca, WDSOCKET_LOG="trace")
    for location in ("http://user:s3cr3t@host.example/path?s3cr3t#s3cr3t", "ftp://user:s3cr3t@host.example/path",
                     "http://user:s3cr3t@host.example:port/path"):
        def behave(peer):
            peer.read_request()
            peer.send(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())
        result = host.ssl(serve(t, made.good, behave=behave).port)
        same((result.value, result.code), (0, E_HANDSHAKE), result.message)
        contains(result.message, "redirects to")
        lacks(result.message + host.stderr(), "s3cr3t", "user")


if __name__ == "__main__":
    main("tls-verification", prepare)
