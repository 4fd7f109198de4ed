#!/usr/bin/env python3
"""Runs the Autobahn cases (kosoku: the original's case files) against a C host.

    autobahn.py HOST_PROGRAM VARIANT... [--include CASE]... [--exclude CASE]... [--quick] [--expect N]
                [--reports FOLDER] [--table FILE]

VARIANT is what the host takes as its first argument: sync, callback. They run at once, each with a server of its own
on a free loopback port. --quick leaves out the cases with large compressed messages. Prints a table and everything that is not OK; exits with 1 if a case is neither OK nor
informational, closed badly, or was not run. Full reports, with what went over the wire, go to FOLDER/VARIANT.

A full run (both variants, nothing left out, N cases each) writes its result between the two marks in the file that
--table names. With CI in the environment nothing is written: it is a failure when the file says something else, the
line with date and system aside.
"""
import argparse
import asyncio
import collections
import concurrent.futures
import datetime
import difflib
import importlib.metadata
import os
import pathlib
import platform
import re
import sys
import time
import typing

import kosoku
from kosoku._report import write_reports  # its command line's own writer

VERDICTS = ("OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED", "ERROR")
GROUPS = {
    1: "framing",
    2: "pings and pongs",
    3: "reserved bits",
    4: "opcodes",
    5: "fragmentation",
    6: "UTF-8",
    7: "closing",
    9: "large messages",
    10: "automatic fragmentation",
    12: "compression: payloads",
    13: "compression: parameters",
}
# Some 20 s of the eight minutes that all cases take.
SLOW = [f"{group}.*.{number}" for group in (12, 13) for number in range(6, 19) if number != 11]
VARIANTS = {"sync": "synchronous", "callback": "callback"}
FIRST = "<!-- Written by `make autobahn`, not by hand. -->"
LAST = "<!-- End of what `make autobahn` wrote. -->"
TIME_LIMIT = 1800


class Case(typing.NamedTuple):
    """What is needed of kosoku's result; can go from process to process."""

    name: str
    behavior: str
    closing: str
    why: str
    why_closing: str
    milliseconds: int

    @property
    def number(self):
        return [int(part) for part in self.name.split(".")]

    @property
    def closed_well(self):
        return self.closing in ("OK", "INFORMATIONAL")

    @property
    def right(self):
        """Non-strict is not good enough."""
        return self.behavior in ("OK", "INFORMATIONAL") and self.closed_well


async def serve(variant, options):
    """The results of one variant, and the host program's exit status."""
    async with kosoku.run_fuzzingserver(options.include, options.exclude, host="127.0.0.1", port=0) as server:
        agent = f"wdsocket-{variant}"
        process = await asyncio.create_subprocess_exec(options.host, variant, str(server.port), agent)
        results = asyncio.ensure_future(server.get_result())
        try:
            status = await asyncio.wait_for(process.wait(), TIME_LIMIT)
            return await asyncio.wait_for(results, 30), status
        except asyncio.TimeoutError:
            if process.returncode is None:
                process.kill()
            return [], "the run did not end"
        except kosoku.FailureError as failure:
            return failure.results, status


def run(variant, options):
    """The cases of one variant, the host program's exit status, and the time it took."""
    started = time.monotonic()
    results, status = asyncio.run(serve(variant, options))
    if results:
        write_reports(results, os.path.join(options.reports, variant), produce_html=False)
    cases = [
        Case(r.case_id, r.behavior.value, r.behavior_close.value, r.result, r.result_close, r.duration) for r in results
    ]
    return sorted(cases, key=lambda case: case.number), status, time.monotonic() - started


def numbers(cases):
    """What the tables count, in their columns' order."""
    count = collections.Counter(case.behavior for case in cases)
    return [count[verdict] for verdict in VERDICTS] + [sum(not case.closed_well for case in cases)]


def print_table(by_variant):
    print(f"\n{'':12}" + "".join(f"{verdict.lower():>15}" for verdict in VERDICTS) + f"{'bad closing':>15}")
    for variant, cases in by_variant.items():
        print(f"{variant:12}" + "".join(f"{number:15}" for number in numbers(cases)))
    for variant, cases in by_variant.items():
        for case in cases:
            if case.behavior != "OK" or not case.closed_well:
                print(f"  {variant} {case.name}: {case.behavior} ({case.why}), closing {case.closing} ({case.why_closing})")


def versions():
    cargo = (pathlib.Path(__file__).resolve().parent.parent / "Cargo.toml").read_text()
    library = re.search(r'^version = "(.*)"$', cargo, re.MULTILINE).group(1)
    return f"wdsocket {library}, kosoku {importlib.metadata.version('kosoku')}"


def markdown(by_variant):
    """The date line, which may differ from what the file says, and the lines that may not."""
    date = f"Seen on {datetime.date.today()}, {platform.system()} {platform.machine()}."
    lines = ["", f"{versions()}, all {len(next(iter(by_variant.values())))} cases:", ""]

    lines += ["| host | " + " | ".join(("OK", *(verdict.lower() for verdict in VERDICTS[1:]), "bad closing")) + " |"]
    lines += ["|---" * (len(VERDICTS) + 2) + "|"]
    for variant, cases in by_variant.items():
        lines += [f"| {VARIANTS[variant]} | " + " | ".join(map(str, numbers(cases))) + " |"]

    lines += ["", "| group | cases | " + " | ".join(f"{VARIANTS[variant]}: OK" for variant in by_variant) + " |"]
    lines += ["|---" * (len(by_variant) + 2) + "|"]
    groups = [collections.Counter(case.number[0] for case in cases) for cases in by_variant.values()]
    good = [
        collections.Counter(case.number[0] for case in cases if case.behavior == "OK" and case.closed_well)
        for cases in by_variant.values()
    ]
    for group, size in sorted(groups[0].items()):
        name = f"{group}.* {GROUPS.get(group, '')}"
        lines += [f"| {name.rstrip()} | {size} | " + " | ".join(str(counter[group]) for counter in good) + " |"]

    rest = collections.defaultdict(list)  # what is not OK
    for variant, cases in by_variant.items():
        for case in cases:
            if case.behavior != "OK":
                rest[variant, case.behavior.lower()].append(case.name)
            if not case.closed_well:
                rest[variant, f"closing {case.closing.lower()}"].append(case.name)
    lines += [""] * bool(rest)
    lines += [f"- {VARIANTS[variant]}, {verdict}: {', '.join(names)}" for (variant, verdict), names in rest.items()]
    return date, lines


def update(path, by_variant):
    """Writes the table, or in CI compares it. False if it should have been otherwise."""
    text = path.read_text()
    before, first, rest = text.partition(FIRST)
    old, last, after = rest.partition(LAST)
    if not (first and last):
        print(f"{path}: the marks for the table are missing")
        return False
    date, lines = markdown(by_variant)
    if os.environ.get("CI"):
        said, seen = old.strip().splitlines()[2:], lines[1:]
        if said == seen:
            print(f"{path}: says what was seen")
            return True
        print(f"{path}: says something else; run 'make autobahn' and commit the file")
        print("\n".join(difflib.unified_diff(said, seen, "the file", "seen", lineterm="")))
        return False
    path.write_text("\n".join([before + first, "", date, *lines, "", last + after]))
    print(f"{path}: written")
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("variant", nargs="+", choices=VARIANTS)
    parser.add_argument("--include", action="append")
    parser.add_argument("--exclude", action="append", default=[])
    parser.add_argument("--quick", dest="exclude", action="store_const", const=SLOW)
    parser.add_argument("--expect", type=int, help="fail unless so many cases were run")
    parser.add_argument("--reports", default="build/autobahn")
    parser.add_argument("--table", type=pathlib.Path, help="the file with the table of the last full run")
    options = parser.parse_args()

    by_variant, bad, whole = {}, 0, True
    with concurrent.futures.ProcessPoolExecutor(len(options.variant)) as pool:
        runs = list(pool.map(run, options.variant, [options] * len(options.variant)))
    for variant, (cases, status, seconds) in zip(options.variant, runs):
        by_variant[variant] = cases
        print(f"{variant}: {len(cases)} cases in {seconds:.0f} s", flush=True)
        failed = sum(not case.right for case in cases)
        # A host that complained, or a run without cases, is a failure of its own.
        if status != 0 or not cases:
            print(f"{variant}: the host program ended with: {status}")
            failed += 1
        if options.expect not in (None, len(cases)):
            print(f"{variant}: {len(cases)} cases were run, not {options.expect}")
            failed += 1
            whole = False
        bad += failed
        if counts := os.environ.get("WDSOCKET_COUNTS"):
            with open(counts, "a") as file:
                file.write(f"autobahn-{variant} {sum(case.right for case in cases)} {failed} 0\n")
    print_table(by_variant)

    if options.table:
        if whole and options.expect and not (options.include or options.exclude) and by_variant.keys() == VARIANTS.keys():
            bad += not update(options.table, by_variant)
        else:
            print(f"{options.table}: left as it is, this was not the full run")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
