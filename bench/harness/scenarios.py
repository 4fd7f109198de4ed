"""What is measured."""

from .measure import Case

KIB, MIB = 1 << 10, 1 << 20
PLACEMENTS = {
    "one-core": "both ends on one core",
    "two-cores": "the server on the other core",
    "free": "no fixed cores",
}


def size_name(size):
    return f"{size // MIB} MiB" if size >= MIB else f"{size // KIB} KiB" if size >= KIB else f"{size} B"


# A function for each group of cases. `quick`: by how much less than everything, 1 for everything.


def echo(placements, quick):
    for placement in placements:
        for size, count in ((64, 500), (KIB, 500), (64 * KIB, 100), (MIB, 20)):
            yield Case(
                f"echo/{size}/{placement}",
                f"Echo of {size_name(size)}, {PLACEMENTS[placement]}",
                "echo",
                placement,
                {"size": size, "count": max(5, count // quick)},
            )


# How many messages a round has: 20 rounds make 1,000,000 of 64 bytes and 4,000 of 1 MiB.
BULK = ((64, 50_000), (MIB, 200))


def receive(placements, quick):
    for size, count in BULK:
        for kind, name in (("binary", "binary"), ("text", "text, ASCII"), ("cjk", "text, CJK")):
            count_now = max(5, count // quick)
            yield Case(
                f"receive/{size}/{kind}",
                f"Receiving {size_name(size)}, {name}",
                "receive",
                placements[-1],
                {"size": size, "kind": kind, "count": count_now, "path": f"/send?{count_now},{size},{kind}"},
            )


def send(placements, quick):
    for size, count in BULK:
        for kind, name in (("binary", "binary"), ("text", "text, ASCII"), ("cjk", "text, CJK")):
            count_now = max(5, count // quick)
            yield Case(
                f"send/{size}/{kind}",
                f"Sending {size_name(size)}, {name}",
                "send",
                placements[-1],
                {"size": size, "kind": kind, "count": count_now, "path": f"/take?{count_now},{size}"},
            )


def gathered(placements, quick):
    ways = (
        ("threads", "from four threads", "free"),
        ("callback", "from inside callbacks", placements[-1]),
        ("cork", "in corked bursts of 100", placements[-1]),
    )
    for way, name, placement in ways:
        count = max(200, 50_000 // quick)
        yield Case(
            f"gathered/{way}",
            f"Sending 64 B {name}",
            "send",
            placement,
            {"size": 64, "count": count, "path": f"/take?{count},64", "way": way},
            needs=frozenset([way]),
        )


def broadcast(placements, quick):
    count = max(20, 1000 // quick)
    for placement in placements:
        yield Case(
            f"broadcast/{placement}",
            f"One message of 64 B to {count:,} connections, {PLACEMENTS[placement]}",
            "broadcast",
            placement,
            {"size": 64, "count": count, "at_a_time": 64, "sink": ""},
        )


WAYS_TO_OPEN = (("one-by-one", "one by one", 1), ("loop", "64 at a time", 64))


def opening(placements, quick):
    count = max(100, 10_000 // quick)
    for placement in placements:
        for word, name, at_a_time in WAYS_TO_OPEN:
            yield Case(
                f"open/{word}/{placement}",
                f"Opening {count:,} connections {name}, {PLACEMENTS[placement]}",
                "open",
                placement,
                {"count": count, "at_a_time": at_a_time},
                needs=frozenset([word]),
                rounds=0.15,
                fresh=True,
            )


NATIVE = ("wdsocket", "beast", "libwebsockets", "websocketpp", "tungstenite")


def idle(placements, quick):
    def case(name, title, count, ping="0", seconds=3, **more):
        parameters = {"count": count, "at_a_time": 64, "ping": ping, "seconds": seconds / quick, "settle": 2 / quick}
        return Case(name, title, "idle", placements[-1], parameters, kind="idle", **more)

    count, tls_count = max(100, 10_000 // quick), max(20, 1000 // quick)
    yield case("idle/plain", f"{count:,} idle connections, nobody pings", count, only=NATIVE)
    yield case(
        "idle/ping", f"{count:,} idle connections, a ping each 30 s", count, "30000", 30, only=("wdsocket-callback",)
    )
    yield case(
        "idle/tls", f"{tls_count:,} idle connections with TLS, nobody pings", tls_count, needs=frozenset(["tls"]),
        only=NATIVE,
    )  # fmt: skip


def tls(placements, quick):
    secure = {"needs": frozenset(["tls"])}
    for placement in placements:
        for size, count in ((64, 500), (64 * KIB, 50)):
            yield Case(
                f"tls/echo/{size}/{placement}",
                f"Echo of {size_name(size)} over TLS, {PLACEMENTS[placement]}",
                "echo",
                placement,
                {"size": size, "count": max(5, count // quick)},
                **secure,
            )
    for scenario, path in (("receive", "/send?{},{},binary"), ("send", "/take?{},{}")):
        for size, count in ((64, 20_000), (MIB, 20)):
            count_now = max(5, count // quick)
            yield Case(
                f"tls/{scenario}/{size}",
                f"{'Receiving' if scenario == 'receive' else 'Sending'} {size_name(size)} over TLS",
                scenario,
                placements[-1],
                {"size": size, "count": count_now, "path": path.format(count_now, size)},
                **secure,
            )


def deflate(placements, quick):
    def case(size, what, title, placement, kind="rounds"):
        return Case(
            f"deflate/{size}/{what}",
            f"Compressed echo of {size_name(size)} of JSON, {title}",
            "echo",
            placement,
            {"size": size, "count": max(5, 128 // quick), "kind": "text", "path": "/echo?deflate"},
            needs=frozenset(["deflate"]),
            only=("wdsocket", "beast-tuned"),
            server="deflate",
            kind=kind,
        )

    for placement in placements:
        for size in (KIB, 16 * KIB):
            yield case(size, placement, PLACEMENTS[placement], placement)
    for size in (KIB, 16 * KIB):
        yield case(size, "bytes", "bytes sent", placements[-1], kind="sent")


def counts(placements, quick):
    for scenario, name, count, path in (
        ("echo", "an echo of 64 B", 500, "/echo"),
        ("receive", "64 B received", 20_000, "/send?{},64,binary"),
        ("send", "64 B sent", 2_000, "/take?{},64"),
    ):
        count_now = max(100, count // quick)
        yield Case(
            f"calls/{scenario}",
            f"System calls for {name}",
            scenario,
            placements[-1],
            {"size": 64, "count": count_now, "path": path.format(count_now)},
            kind="calls",
        )
    for word, name, at_a_time in WAYS_TO_OPEN:
        yield Case(
            f"calls/{word}",
            f"System calls to open a connection and end it, {name}",
            "open",
            placements[-1],
            {"count": max(100, 500 // quick), "at_a_time": at_a_time},
            needs=frozenset([word]),
            kind="calls",
        )


def library(placements, quick):
    yield Case("size", "The stripped library", "size", placements[0], {}, kind="size")
    yield Case("load", "Loading the library", "load", placements[0], {"count": max(5, 200 // quick)}, kind="load")


def settings(placements, quick):
    count = max(5, 500 // quick)
    title = f"The settings of compression, {count} connections"
    yield Case("settings", title, "settings", placements[0], {"count": count}, kind="settings")


GROUPS = (echo, receive, send, gathered, broadcast, opening, idle, tls, deflate, counts, library, settings)


def all_cases(placements, quick):
    return [case for group in GROUPS for case in group(placements, quick)]
