"""Many connections over which nothing goes: what each costs."""

from .measure import Case
from .processes import Contestant, Failure


def open_and_rest(bench, case, server, peer, count, seconds):
    """Opens so many; returns what the process has when it has settled, and what it does with so many seconds."""
    contestant = Contestant(peer, bench.client_cores(case.placement))
    try:
        parameters = {**case.parameters, **bench.address(case, server), "count": count}
        contestant.prepare("idle", **parameters)
        contestant.ask("rest", seconds=case.parameters["settle"])
        found = {
            "kib": contestant.status("VmRSS"),
            "threads": contestant.status("Threads"),
            "descriptors": contestant.descriptors(),
        }
        if seconds:
            found["cpu_ms"] = contestant.ask("rest", seconds=seconds)["cpu_us"] / 1e3 / seconds
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
            low = open_and_rest(bench, case, server, peer, few, 0)
            high = open_and_rest(bench, case, server, peer, many, case.parameters["seconds"])
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
