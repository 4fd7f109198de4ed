"""The generated part of docs/performance.md: tables from the run's results, nothing that was not measured."""

import pathlib
import re

from .peers import FLOOR
from .scenarios import KIB, MIB, PLACEMENTS, size_name

BEGIN, END = "<!-- bench: begin (written by make bench; do not edit) -->", "<!-- bench: end -->"
KINDS = (("binary", "binary"), ("text", "ASCII"), ("cjk", "CJK"))
ECHOES, TLS_ECHOES = (64, KIB, 64 * KIB, MIB), (64, 64 * KIB)


def table(head, rows):
    """Lines of a Markdown table, without rows that have nothing."""
    rows = [row for row in rows if any(cell for cell in row[1:])]
    if not rows:
        return []
    return ["", "| " + " | ".join(head) + " |", "|---" * len(head) + "|", *("| " + " | ".join(r) + " |" for r in rows)]


def ratio(result):
    if "ratio" not in result:
        return ""
    return f"{result['ratio']:.2f} ({result['ratio_low']:.2f} to {result['ratio_high']:.2f})"


def rate(result, size):
    """A speed and its ratio to the floor's."""
    if not result:
        return ""
    if size >= KIB:
        speed = f"{result['median'] * size / 1e9:.2f} GB/s"
    else:
        speed = f"{result['median'] / 1e6:.2f} M/s"
    return f"{speed}, {ratio(result)}"


def micro(value):
    return f"{value:.1f}" if value < 1000 else f"{value:,.0f}"


class Page:
    def __init__(self, run):
        self.cases, self.run = run["cases"], run
        self.peers = run["contestants"]

    def result(self, case, name):
        return self.cases.get(case, {}).get("results", {}).get(name, {})

    def matrix(self, first, columns, cell):
        """Contestants down, cases across. `columns`: (heading, case, what cell needs beside the result)."""
        columns = [column for column in columns if column[1] in self.cases]
        names = [n for n in self.peers if any(self.result(case, n) for _, case, _ in columns)]
        rows = [
            [
                self.peers[n]["label"],
                *(cell(r, extra) if (r := self.result(case, n)) else "" for _, case, extra in columns),
            ]
            for n in names
        ]
        return table([first, *(heading for heading, _, _ in columns)], rows)

    def section(self, title, text, *tables):
        lines = [line for lines in tables for line in lines]
        return ["", f"### {title}", "", text, *lines] if lines else []

    def details(self, title, lines):
        return ["", f"<details><summary>{title}</summary>", *lines, "", "</details>"] if lines else []

    def machine(self):
        where, options = self.run["machine"], self.run["options"]
        lines = [
            f"{where['date']}, `{options}` at {where['commit']}: {where['cpu']}; {where['kernel']}, {where['architecture']},"
            f" TCP's congestion control {where['congestion'] or 'unknown'}; {where['c']}, {where['rust']},"
            f" Python {where['python']}. {self.run['rounds']} rounds, {self.run['minutes']:.0f} minutes.",
        ]
        waits = [
            case["results"][FLOOR]["waited"]
            for case in self.cases.values()
            if case.get("placement") == "two-cores" and "waited" in case["results"].get(FLOOR, {})
        ]
        if waits:
            share = sorted(waits)[len(waits) // 2] * 100
            lines += [
                "",
                f"How quiet the machine was: the floor, alone on its core, waited for that core {share:.1f} % of the time"
                " (the median over the cases; 0 where nothing else runs).",
            ]
        return lines

    def failures(self):
        failed = [f"{name}: {peer}" for name, case in self.cases.items() for peer in case["failures"]]
        return ["", f"**Failed**, so not in the tables (results.json says why): {', '.join(failed)}."] if failed else []

    def targets(self):
        rows = [
            [row["what"], row["target"], row["shown"], "yes" if row["reached"] else "**no**"]
            for row in self.run["targets"]
        ]
        reached = sum(row["reached"] for row in self.run["targets"])
        text = f"{reached} of {len(rows)} reached in this run. Ratios are to raw TCP unless the row names another."
        return self.section("Figures to reach", text, table(["figure", "target", "measured", "reached"], rows))

    def contestants(self):
        rows = [
            [peer["label"], peer["version"] or f"does not take part: {peer['missing']}", peer["how"]]
            for peer in self.peers.values()
        ]
        return self.section(
            "Contestants",
            "Compression is off and `TCP_NODELAY` on everywhere.",
            table(["contestant", "version", "how it is used"], rows),
        )

    def echo(self, title, prefix, sizes):
        out = []
        for placement, where in PLACEMENTS.items():
            columns = [(size_name(s), f"{prefix}/{s}/{placement}", s) for s in sizes]
            out += self.matrix(f"ratio of p50, {where}", columns, lambda r, _: ratio(r))
            out += self.details(
                f"p50 / p99 / p99.9 in µs, CPU µs per round trip, {where}",
                self.matrix(
                    "contestant",
                    columns,
                    lambda r, _: f"{micro(r['p50'])} / {micro(r['p99'])} / {micro(r['p999'])}, {r['cpu_us']:.1f}",
                ),
            )
        return self.section(title, "A message goes there and comes back, one at a time.", out)

    def bulk(self, title, prefix):
        out = []
        for size in (64, MIB):
            columns = [(name, f"{prefix}/{size}/{kind}", size) for kind, name in KINDS]
            out += self.matrix(f"{size_name(size)}: speed, ratio", columns, rate)
            out += self.details(
                f"CPU µs per message of {size_name(size)}",
                self.matrix(
                    "contestant", columns, lambda r, _: f"{r['cpu_us']:.3f}" if r["cpu_us"] < 10 else micro(r["cpu_us"])
                ),
            )
        return out

    def throughput(self):
        text = (
            "The other side writes as fast as it can, or takes and counts. Text costs its receiver a look at every byte, "
            "as RFC 6455 demands; the floor and, by its default, libwebsockets look at none."
        )
        gathered = [(name, f"gathered/{way}", 64) for way, name in (
            ("threads", "four threads"), ("callback", "inside callbacks"), ("cork", "corked, 100 each"))]  # fmt: skip
        return [
            *self.section("Receiving", text, self.bulk("Receiving", "receive")),
            *self.section("Sending", "The floor is one `send` for each message.", self.bulk("Sending", "send")),
            *self.section(
                "Sending 64 B in other ways",
                "The floor is the same loop of one `send` each.",
                self.matrix("speed, ratio", gathered, rate),
            ),
        ]

    def many(self):
        broadcasts = [(where, f"broadcast/{placement}", None) for placement, where in PLACEMENTS.items()]
        opening = [
            (f"{name}, {where}", f"open/{way}/{placement}", None)
            for way, name in (("one-by-one", "one by one"), ("loop", "64 at a time"))
            for placement, where in PLACEMENTS.items()
        ]

        def milliseconds(result, _):
            return f"{result['median'] / 1e3:,.1f} ms, {ratio(result)}"

        out = []
        for title, text, columns in (
            ("Broadcast", "Until the server has the message from every connection.", broadcasts),
            (
                "Opening connections",
                "The floor connects TCP, sends one request and reads one answer for each.",
                opening,
            ),
        ):
            counts = [self.cases[case]["parameters"]["count"] for _, case, _ in columns if case in self.cases]
            if counts:
                text = f"{counts[0]:,} connections. {text}"
            out += self.section(title, text, self.matrix("time, ratio", columns, milliseconds))
        return out

    def idle(self):
        out = []
        for case in ("idle/plain", "idle/ping", "idle/tls"):
            if case not in self.cases:
                continue
            rows = [
                [
                    peer["label"],
                    f"{found['kib_each']:.1f} KiB",
                    f"{found['descriptors_each']:.2f}",
                    f"{found['threads']}",
                    f"{found['cpu_ms_per_second']:.2f} ms",
                ]
                for name, peer in self.peers.items()
                if (found := self.result(case, name))
            ]
            head = [self.cases[case]["title"], "resident, each", "descriptors, each", "threads", "CPU in a second"]
            out += table(head, rows)
        text = "Memory and descriptors: what the last nine tenths of the connections added to the process, for each."
        return self.section("Idle connections", text, out)

    def secure(self):
        columns = [
            (f"{name} {size_name(size)}", f"tls/{scenario}/{size}", size)
            for scenario, name in (("receive", "receiving"), ("send", "sending"))
            for size in (64, MIB)
        ]
        return [
            *self.echo("Echo over TLS", "tls/echo", TLS_ECHOES),
            *self.section(
                "Bulk over TLS", "The floor is OpenSSL's blocking API.", self.matrix("speed, ratio", columns, rate)
            ),
        ]

    def compression(self):
        columns = [
            (f"{size_name(size)}, {where}", f"deflate/{size}/{placement}", None)
            for size in (KIB, 16 * KIB)
            for placement, where in PLACEMENTS.items()
        ]
        sent = [(f"bytes sent for {size_name(size)}", f"deflate/{size}/bytes", None) for size in (KIB, 16 * KIB)]
        text = (
            "permessage-deflate with zlib's level 6, windows of 15 bits that both sides keep; the server is that of the "
            "library's tests. The floor sends frames that were compressed before and looks into none."
        )
        matrix = self.matrix(
            "p50 µs, CPU µs, ratio", columns, lambda r, _: f"{micro(r['p50'])}, {r['cpu_us']:.0f}, {ratio(r)}"
        )
        settings = self.cases.get("settings", {}).get("rows", [])
        return [
            *self.section(
                "Compressed echo of JSON", text, matrix, self.matrix("", sent, lambda r, _: f"{r['bytes_each']:,.0f}")
            ),
            *self.section(
                "The settings of compression",
                self.cases.get("settings", {}).get("title", "") + ".",
                ["", *settings] if settings else [],
            ),
        ]

    def counts(self):
        names = (
            ("echo", "echo of 64 B"),
            ("receive", "64 B received"),
            ("send", "64 B sent"),
            ("one-by-one", "opened and ended, one by one"),
            ("loop", "opened and ended, 64 at a time"),
        )
        calls = [(name, f"calls/{case}", None) for case, name in names]

        def shown(result, _):
            most = sorted(result["by_name"].items(), key=lambda pair: -pair[1])[:4]
            return (
                f"{result['calls']:.2f}: " + ", ".join(f"{n} {c:.2f}" for n, c in most)
                if result["calls"] >= 0.1
                else f"{result['calls']:.4f}"
            )

        size, load, empty = (
            self.result(*key) for key in (("size", "wdsocket"), ("load", "wdsocket"), ("load", "empty"))
        )
        rows = []
        if size:
            rows.append(["stripped shared library, TLS and encodings included", f"{size['bytes']:,} bytes"])
        if load:
            rows.append(
                [
                    "`dlopen` of it, of an empty library",
                    f"{load['load_us']:.0f} µs, {empty['load_us']:.0f} µs: {ratio(load)}",
                ]
            )
        return [
            *self.section("System calls for each message or connection", "Counted by strace, which slows each call, so that more gathers for the next.", self.matrix("calls", calls, shown)),
            *self.section("The library itself", "Each `dlopen` in a new process.", table(["", ""], rows)),
        ]  # fmt: skip

    def server(self):
        """That the server is not what was measured."""
        rows = []
        for name, case in self.cases.items():
            found = case["results"]
            if case["kind"] != "rounds" or case["scenario"] not in ("receive", "send") or FLOOR not in found:
                continue
            others = {n: r for n, r in found.items() if n != FLOOR}
            if not others:
                continue
            best = max(others, key=lambda n: others[n]["median"])
            fastest = max(found.values(), key=lambda r: r["median"])
            rows.append([
                case["title"],
                f"{found[FLOOR]['median']:,.0f}",
                f"{others[best]['median']:,.0f} ({self.peers[best]['label']})",
                f"{fastest['server_busy'] * 100:.0f} %",
            ])  # fmt: skip
        text = (
            "What the floor reached against it, and the fastest contestant; how busy the server's core was with the faster "
            "of the two: below 100 % it waited for the client."
        )
        return self.section("The server is not the bottleneck", text, table(
            ["case", "floor, messages a second", "fastest contestant", "server busy"], rows))  # fmt: skip

    def lines(self, picture):
        return [
            *self.machine(),
            *(["", f"![Time as a multiple of raw TCP's]({picture})"] if picture else []),
            *self.failures(),
            *self.targets(),
            *self.contestants(),
            *self.echo("Echo", "echo", ECHOES),
            *self.throughput(),
            *self.many(),
            *self.idle(),
            *self.secure(),
            *self.compression(),
            *self.counts(),
            *self.server(),
        ]


def write(path, run, picture):
    """Replaces what stands between the marks, or adds it with them; what is around stays."""
    path = pathlib.Path(path)
    text = path.read_text() if path.exists() else "# Measurements\n"
    part = "\n".join([BEGIN, "", *Page(run).lines(picture), "", END])
    if BEGIN in text:
        text = re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: part, text, flags=re.S)
    else:
        text = text.rstrip() + "\n\n" + part + "\n"
    path.write_text(text)
