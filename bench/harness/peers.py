"""Who takes part."""

import dataclasses
import pathlib


@dataclasses.dataclass
class Peer:
    name: str
    label: str
    command: list
    how: str = ""  # how it is used, for the page
    environment: dict = dataclasses.field(default_factory=dict)
    missing: str = ""  # why it cannot take part
    version: str = ""
    can: frozenset = frozenset()
    cases: tuple = ()  # takes part only in those whose names begin so; empty: all


FLOOR = "raw"
RIVAL = "beast-tuned"  # the one that must not be faster


def peers(out, python, libraries, options):
    """All of them. `libraries`: other builds of the library, (NAME, FOLDER) each, which take part too."""

    def own(name, folder=None):
        environment = {"LD_LIBRARY_PATH": folder} if folder else {}
        suffix = f"@{name}" if name else ""
        for way, label, how in (
            ("sync", "wdsocket, synchronous", "the C interface of the shared library: `SocketWrite`, `SocketRead`"),
            ("callback", "wdsocket, callback", "the same, its host waiting in `SocketDispatch`"),
        ):
            yield Peer(f"wdsocket-{way}{suffix}", label + suffix, [f"{out}/wdsocket", way, *options], how, environment)

    listed = [
        Peer(
            FLOOR,
            "raw TCP (the floor)",
            [f"{out}/raw"],
            "blocking `send` and `recv` of frames made before; with TLS OpenSSL's blocking API",
        ),
        *own(""),
        Peer(
            "wdsocket-spin",
            "wdsocket, synchronous, SPIN_US 50",
            [f"{out}/wdsocket", "sync", *options, "14=50"],
            "tries the socket for 50 µs before it sleeps: a core for latency",
            cases=("echo/64/", "echo/1024/"),
        ),
        *(peer for name, folder in libraries for peer in own(name, folder)),
        Peer(
            "beast-tuned",
            "Boost.Beast, tuned",
            [f"{out}/beast", "tuned"],
            "synchronous, `auto_fragment(false)`, write buffer of 128 KiB",
        ),
        Peer("beast", "Boost.Beast, defaults", [f"{out}/beast", "default"], "synchronous, its defaults"),
        Peer(
            "libwebsockets",
            "libwebsockets",
            [f"{out}/libwebsockets"],
            "its own loop (poll), buffers of 256 KiB (for many connections: its defaults)",
        ),
        Peer("websocketpp", "WebSocket++", [f"{out}/websocketpp"], "Boost.Asio's loop, reads of up to 256 KiB"),
        Peer(
            "tungstenite",
            "tokio-tungstenite",
            [f"{out}/tungstenite/release/bench-tungstenite"],
            "a runtime of one thread; corked: `feed` and `flush`",
        ),
        Peer("picows", "picows (Python)", [python, "bench/peers/peer_picows.py"], "asyncio, its listener answers"),
        Peer("websockets", "websockets (Python)", [python, "bench/peers/peer_websockets.py"], "its asyncio client"),
    ]
    for peer in listed:
        reason = pathlib.Path(out, f"{peer.name.partition('-')[0]}.missing")
        if reason.exists():
            peer.missing = reason.read_text().strip()
    return listed
