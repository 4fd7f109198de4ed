"""What is measured."""

from .measure import Case

KIB, MIB = 1 << 10, 1 << 20
PLACEMENTS = {"one-core": "both ends on one core", "two-cores": "the server on the other core", "free": "no fixed cores"}


def size_name(size):
    return f"{size // MIB} MiB" if size >= MIB else f"{size // KIB} KiB" if size >= KIB else f"{size} B"


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


GROUPS = {"echo": echo, "receive": receive, "send": send, "gathered": gathered}
