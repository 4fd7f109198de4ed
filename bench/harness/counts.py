"""What is counted rather than timed: system calls, the library's size and its loading, the settings of compression."""

import os
import pathlib
import re
import statistics
import subprocess

from .measure import quartiles
from .processes import Contestant, Failure


def counted_calls(log):
    """{name: calls} of what strace -c wrote."""
    calls = {}
    for line in log.read_text().splitlines():
        words = line.split()
        if len(words) >= 5 and words[0].replace(".", "").isdigit() and words[-1] != "total":
            calls[words[-1]] = int(words[3])
    return calls


def sent_bytes(log):
    """What the calls that send have returned, added up."""
    results = re.findall(r" = (\d+)$", log.read_text(), re.MULTILINE)
    return sum(int(result) for result in results)


def traced(bench, case, server, peer, rounds, *flags):
    """What strace writes about a contestant that makes so many rounds."""
    log = pathlib.Path(bench.out, "strace.log")
    log.unlink(missing_ok=True)
    wrapper = ("strace", "-f", "-qq", *flags, "-o", str(log))
    contestant = Contestant(peer, bench.client_cores(case.placement), wrapper)
    try:
        contestant.prepare(case.scenario, **case.parameters, **bench.address(case, server))
        for _ in range(rounds):
            contestant.ask("round")
        contestant.ask("finish")
    finally:
        contestant.end()
    return log


def by_difference(bench, case, peers, read, *flags):
    """By contestant, what one round and what three have taken as `read` reads it; and why contestants failed."""
    counts, failures = {}, {}
    server = bench.server(case)
    for peer in (peer for peer in peers if case.admits(peer)):
        try:
            counts[peer.name] = [read(traced(bench, case, server, peer, rounds, *flags)) for rounds in (1, 3)]
        except (Failure, FileNotFoundError) as failure:
            failures[peer.name] = str(failure)
    server.end()
    return counts, failures


def run_calls(bench, case, peers, _rounds):
    """System calls for each message, by the difference of one round and three. strace stretches each call, so what
    arrives meanwhile gathers: it says how a library works, not how large its batches are at full speed."""
    counts, failures = by_difference(bench, case, peers, counted_calls, "-c")
    results = {}
    for peer, (one, three) in counts.items():
        each = {name: (three[name] - one.get(name, 0)) / (2 * case.parameters["count"]) for name in three}
        each = {name: calls for name, calls in each.items() if calls >= 0.0005 and name != "getrusage"}
        results[peer] = {"calls": sum(each.values()), "by_name": each}
    return {"results": results, "failures": failures}


def run_sent(bench, case, peers, _rounds):
    """Bytes sent for each message, in the same way."""
    counts, failures = by_difference(bench, case, peers, sent_bytes, "-e", "trace=sendto,sendmsg")
    results = {
        peer: {"bytes_each": (three - one) / (2 * case.parameters["count"])} for peer, (one, three) in counts.items()
    }
    return {"results": results, "failures": failures}


def run_size(bench, _case, _peers, _rounds):
    stripped = pathlib.Path(bench.out, "stripped.so")
    subprocess.run(["strip", "-o", stripped, bench.library], check=True)
    return {"results": {"wdsocket": {"bytes": stripped.stat().st_size}}, "failures": {}}


def run_load(bench, case, _peers, rounds):
    """dlopen in a new process each time, the library and an empty one in turn."""
    libraries = {"empty": f"{bench.out}/empty.so", "wdsocket": bench.library}
    times = {name: [] for name in libraries}
    for number in range(case.parameters["count"] + 3):
        for name, path in libraries.items():
            done = subprocess.run(
                [f"{bench.out}/load", path], check=True, capture_output=True, text=True, preexec_fn=on_core(bench)
            )
            if number >= 3:  # the first ones read the files
                times[name].append(float(done.stdout))
    ratios = [own / empty for own, empty in zip(times["wdsocket"], times["empty"])]
    low, middle, high = quartiles(ratios)
    results = {name: {"load_us": statistics.median(values)} for name, values in times.items()}
    results["wdsocket"] |= {"ratio": middle, "ratio_low": low, "ratio_high": high}
    return {"results": results, "failures": {}}


def on_core(bench):
    return lambda: os.sched_setaffinity(0, {bench.cores[0]})


def run_settings(bench, case, _peers, _rounds):
    """Each setting in a process of its own: memory that another has given back would hide what this one takes."""
    rows = []
    for setting in range(5):
        command = [bench.test_server, "--run", f"{bench.out}/compression", str(setting), str(case.parameters["count"])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return {"results": {}, "failures": {"wdsocket": done.stderr.strip()}}
        rows += done.stdout.strip().splitlines()
    return {"results": {}, "rows": rows, "failures": {}}
