#!/usr/bin/env python3
"""Runs the Autobahn cases (kosoku: the original's case files) against a C host.

    autobahn.py HOST_PROGRAM VARIANT... [--include CASE]... [--exclude CASE]... [--expect N] [--reports FOLDER]

VARIANT is what the host takes as its first argument: sync, callback. Each gets a server of its own on a free
loopback port. Prints a table and everything that is not OK; exits with 1 if a case is neither OK nor
informational, closed badly, or was not run; one that is unimplemented counts as skipped. Full reports, with what went over the wire, go to FOLDER/VARIANT.
"""
import argparse
import asyncio
import collections
import os
import sys
import time

import kosoku
from kosoku._report import write_reports  # its command line's own writer

VERDICTS = ("OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED", "ERROR")
TIME_LIMIT = 1800


def number(case):
    return [int(part) for part in case.case_id.split(".")]


def right(case):
    """Non-strict is not good enough."""
    return all(verdict.value in ("OK", "INFORMATIONAL") for verdict in (case.behavior, case.behavior_close))


async def run(host, variant, options):
    """The results of one variant, and the host program's exit status."""
    async with kosoku.run_fuzzingserver(options.include, options.exclude, host="127.0.0.1", port=0) as server:
        agent = f"wdsocket-{variant}"
        process = await asyncio.create_subprocess_exec(host, variant, str(server.port), agent)
        results = asyncio.ensure_future(server.get_result())
        try:
            status = await asyncio.wait_for(process.wait(), TIME_LIMIT)
            done = await asyncio.wait_for(results, 30)
        except asyncio.TimeoutError:
            if process.returncode is None:
                process.kill()
            return [], "the run did not end"
        except kosoku.FailureError as failure:
            done = failure.results
        return sorted(done, key=number), status


def print_table(by_variant):
    print(f"\n{'':12}" + "".join(f"{verdict.lower():>15}" for verdict in VERDICTS) + f"{'bad closing':>15}")
    for variant, results in by_variant.items():
        count = collections.Counter(case.behavior.value for case in results)
        closing = sum(case.behavior_close.value not in ("OK", "INFORMATIONAL") for case in results)
        print(f"{variant:12}" + "".join(f"{count[verdict]:15}" for verdict in VERDICTS) + f"{closing:15}")
    for variant, results in by_variant.items():
        for case in results:
            if (case.behavior.value, case.behavior_close.value) not in (("OK", "OK"), ("OK", "INFORMATIONAL")):
                print(f"  {variant} {case.case_id}: {case.behavior.value} ({case.result}), "
                      f"closing {case.behavior_close.value} ({case.result_close})")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("variant", nargs="+")
    parser.add_argument("--include", action="append")
    parser.add_argument("--exclude", action="append")
    parser.add_argument("--expect", type=int, help="fail unless so many cases were run")
    parser.add_argument("--reports", default="build/autobahn")
    options = parser.parse_args()

    by_variant, bad = {}, 0
    for variant in options.variant:
        started = time.monotonic()
        results, status = asyncio.run(run(options.host, variant, options))
        by_variant[variant] = results
        print(f"{variant}: {len(results)} cases in {time.monotonic() - started:.0f} s", flush=True)
        if results:
            write_reports(results, os.path.join(options.reports, variant), produce_html=False)
        failed = sum(not right(case) and case.behavior.value != "UNIMPLEMENTED" for case in results)
        # A host that complained, or a run without cases, is a failure of its own.
        if status != 0 or not results:
            print(f"{variant}: the host program ended with: {status}")
            failed += 1
        if options.expect not in (None, len(results)):
            print(f"{variant}: {len(results)} cases were run, not {options.expect}")
            failed += 1
        bad += failed
        if counts := os.environ.get("WDSOCKET_COUNTS"):
            skipped = sum(case.behavior.value == "UNIMPLEMENTED" for case in results)
            passed = sum(right(case) for case in results)
            with open(counts, "a") as file:
                file.write(f"autobahn-{variant} {passed} {failed} {skipped}\n")
    print_table(by_variant)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
