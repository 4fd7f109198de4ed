"""The figures to reach, and whether this run reached them. Every value comes from the run's results."""

import dataclasses

from .scenarios import KIB, MIB, PLACEMENTS, size_name

OWN = {"wdsocket-sync": "synchronous", "wdsocket-callback": "callback"}
BOTH = tuple(OWN)
SYNC, CALLBACK = ("wdsocket-sync",), ("wdsocket-callback",)


@dataclasses.dataclass
class Target:
    what: str
    case: str
    who: str
    key: str  # which of its figures
    limit: float
    most: bool = True  # at most the limit, else at least
    digits: int = 2
    unit: str = ""
    scale: float = 1

    def judged(self, cases):
        """The row, or None where the run did not have the case."""
        if self.case not in cases:
            return None
        sign = "≤" if self.most else "≥"
        row = {"what": self.what, "case": self.case, "target": f"{sign} {self.limit:,g}{self.unit}"}
        result = cases[self.case]["results"].get(self.who, {})
        if self.key not in result:
            return row | {"value": None, "shown": "not measured", "reached": False}
        # Judged as it is shown: a value that reads like the limit reaches it.
        value = round(result[self.key] / self.scale, self.digits)
        spread = " ({ratio_low:.2f} to {ratio_high:.2f})".format(**result) if self.key == "ratio" else ""
        reached = value <= self.limit if self.most else value >= self.limit
        return row | {"value": value, "shown": f"{value:,.{self.digits}f}{self.unit}{spread}", "reached": reached}


def echoes(prefix, limits, who, name):
    for size, limit in limits:
        for placement, where in PLACEMENTS.items():
            title = f"{name} of {size_name(size)}, {where}"
            yield Target(title, f"{prefix}/{size}/{placement}", who[0], "ratio", limit)


def behind_rival():
    for size in (64, KIB, 64 * KIB, MIB):
        for placement, where in PLACEMENTS.items():
            title = f"synchronous echo of {size_name(size)} to tuned Beast's, {where}"
            yield Target(title, f"echo/{size}/{placement}", "wdsocket-sync", "to_rival", 1)


def bulk():
    for who, name in OWN.items():
        yield Target(f"receiving 64 B, {name}: CPU to Beast's", "receive/64/binary", who, "cpu_to_rival", 1)
        yield Target(f"receiving 64 B, {name}", "receive/64/binary", who, "median", 5, False, 1, " million/s", 1e6)
    for kind, limit in (("binary", 0.88), ("text", 0.8), ("cjk", 0.8)):
        for who, name in OWN.items():
            yield Target(f"receiving 1 MiB, {kind}, {name}", f"receive/{MIB}/{kind}", who, "ratio", limit, False)
    for who, name in OWN.items():
        yield Target(f"sending 64 B, {name}", "send/64/binary", who, "ratio", 0.95, False)
    for way, name in (("threads", "from four threads"), ("callback", "inside callbacks"), ("cork", "in corked bursts")):
        who = "wdsocket-callback" if way == "callback" else "wdsocket-sync"
        yield Target(f"sending 64 B {name}", f"gathered/{way}", who, "ratio", 3, False)
    for who, name in OWN.items():
        yield Target(f"sending 1 MiB, {name}", f"send/{MIB}/binary", who, "ratio", 0.78, False)


def many():
    for who, name in OWN.items():
        yield Target(f"idle connections, {name}: memory", "idle/plain", who, "kib_each", 5, digits=1, unit=" KiB each")
        yield Target(f"idle connections, {name}: threads", "idle/plain", who, "threads", 3, digits=0)
        yield Target(f"idle connections, {name}: descriptors", "idle/plain", who, "descriptors_each", 1, unit=" each")
        # A thousandth of a core is what cannot be told from the measurement itself.
        yield Target(f"idle connections, {name}: CPU", "idle/plain", who, "cpu_ms_per_second", 1, unit=" ms a second")
    for who, way, name in (
        ("wdsocket-callback", "loop", "64 at a time"),
        ("wdsocket-sync", "one-by-one", "one by one"),
    ):
        for placement, where in PLACEMENTS.items():
            yield Target(f"opening connections {name}, {where}", f"open/{way}/{placement}", who, "ratio", 1.3)


def secure():
    for size, limit in ((64, 1.08), (64 * KIB, 1.25)):
        for placement, where in PLACEMENTS.items():
            title = f"TLS echo of {size_name(size)}, {where}"
            yield Target(title, f"tls/echo/{size}/{placement}", "wdsocket-sync", "ratio", limit)
    for who, name in OWN.items():
        yield Target(
            f"idle TLS connections, {name}: memory", "idle/tls", who, "kib_each", 30, digits=1, unit=" KiB each"
        )


def compressed():
    for size in (KIB, 16 * KIB):
        for placement, where in PLACEMENTS.items():
            case, title = f"deflate/{size}/{placement}", f"compressed echo of {size_name(size)}"
            yield Target(f"{title} to Beast's, {where}", case, "wdsocket-sync", "to_rival", 1)
        yield Target(f"{title}: CPU to Beast's", f"deflate/{size}/one-core", "wdsocket-sync", "cpu_to_rival", 1)


def library():
    yield Target("the stripped library", "size", "wdsocket", "bytes", 2.5, unit=" MiB", scale=MIB)
    yield Target("loading, to an empty library", "load", "wdsocket", "ratio", 1.5)


def judge(cases):
    """All rows for which this run has a figure."""
    targets = [
        *echoes("echo", ((64, 1.05), (KIB, 1.08), (64 * KIB, 1.3)), SYNC, "synchronous echo"),
        *behind_rival(),
        *echoes("echo", ((64, 1.25),), CALLBACK, "callback echo"),
        *bulk(),
        *many(),
        *secure(),
        *compressed(),
        *library(),
    ]
    return [row for row in (target.judged(cases) for target in targets) if row]
