"""Many connections over which nothing goes: what each costs."""

from .measure import Case
from .processes import Contestant, Failure

SETTLE_SECONDS, REST_SECONDS = 2, 5


def open_and_rest(bench, case, server, peer, count):
    """Opens so many; returns what the process has then, and what it does with its time."""
    contestant = Contestant(peer, bench.client_cores(case.placement))
    try:
        parameters = {**case.parameters, **bench.address(case, server), "count": count}
        contestant.prepare("idle", **parameters)
        contestant.ask("rest", seconds=SETTLE_SECONDS)
        seconds = case.parameters["seconds"]
        rest = contestant.ask("rest", seconds=seconds)
        found = {
            "kib": contestant.status("VmRSS"),
            "threads": contestant.status("Threads"),
            "descriptors": contestant.descriptors(),
            "cpu_ms": rest["cpu_us"] / 1e3 / seconds,
        }
        contestant.ask("finish")
        return found
    finally:
        contestant.end()


def run_idle(bench, case: Case, peers, _rounds):
    """The difference between a tenth of the connections and all, so that what the process has anyway does not count."""
    results, failures = {}, {}
    many = case.parameters["count"]
    few = many // 10
    for peer in (peer for peer in peers if case.admits(peer)):
        server = bench.server(case)
        try:
            low = open_and_rest(bench, case, server, peer, few)
            high = open_and_rest(bench, case, server, peer, many)
            results[peer.name] = {
                "kib_each": (high["kib"] - low["kib"]) / (many - few),
                "descriptors_each": (high["descriptors"] - low["descriptors"]) / (many - few),
                "threads": high["threads"],
                "cpu_ms_per_second": high["cpu_ms"],
                "kib": high["kib"],
            }
        except Failure as failure:
            failures[peer.name] = str(failure)
        finally:
            server.end()
    return {"results": results, "failures": failures}
