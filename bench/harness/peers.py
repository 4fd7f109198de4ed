"""Who takes part."""

import dataclasses
import pathlib


@dataclasses.dataclass
class Peer:
    name: str
    label: str
    command: list
    environment: dict = dataclasses.field(default_factory=dict)
    missing: str = ""  # why it cannot take part
    version: str = ""
    can: frozenset = frozenset()


FLOOR = "raw"


def peers(out, python, libraries, options):
    """All of them. `libraries`: other builds of the library, (NAME, FOLDER) each, which take part too."""

    def own(name, folder=None):
        environment = {"LD_LIBRARY_PATH": folder} if folder else {}
        suffix = f"@{name}" if name else ""
        for way, label in (("sync", "wdsocket, synchronous"), ("callback", "wdsocket, callback")):
            yield Peer(f"wdsocket-{way}{suffix}", label + suffix, [f"{out}/wdsocket", way, *options], environment)

    listed = [
        Peer(FLOOR, "raw TCP (the floor)", [f"{out}/raw"]),
        *own(""),
        *(peer for name, folder in libraries for peer in own(name, folder)),
        Peer("beast-tuned", "Boost.Beast, tuned", [f"{out}/beast", "tuned"]),
        Peer("beast", "Boost.Beast, defaults", [f"{out}/beast", "default"]),
        Peer("libwebsockets", "libwebsockets", [f"{out}/libwebsockets"]),
        Peer("websocketpp", "WebSocket++", [f"{out}/websocketpp"]),
        Peer("tungstenite", "tokio-tungstenite", [f"{out}/tungstenite/release/bench-tungstenite"]),
        Peer("picows", "picows (Python)", [python, "bench/peers/peer_picows.py"]),
        Peer("websockets", "websockets (Python)", [python, "bench/peers/peer_websockets.py"]),
    ]
    for peer in listed:
        reason = pathlib.Path(out, f"{peer.name.partition('-')[0]}.missing")
        if reason.exists():
            peer.missing = reason.read_text().strip()
    return listed
