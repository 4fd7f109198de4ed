"""Rounds: the contestants of a case take turns, and each round's figures are compared with the floor's in that round."""

import dataclasses
import os
import statistics

from .peers import FLOOR, RIVAL
from .processes import Contestant, Failure, Server, scheduled_us


@dataclasses.dataclass
class Case:
    """One measurement: a scenario with its parameters, in one placement of the two ends."""

    name: str  # what --only and the JSON call it: echo/64/one-core
    title: str
    scenario: str
    placement: str  # one-core, two-cores, free
    parameters: dict
    needs: frozenset = frozenset()  # words that a contestant has to know
    only: tuple = ()  # contestants, by the beginning of their names; empty: all
    rounds: float = 1  # times the number asked for
    server: str = "own"  # or "deflate": the server of the library's tests
    fresh: bool = False  # a new server for each round: ports that are in TIME_WAIT are not waited for
    kind: str = "rounds"  # how it is measured: see KINDS in run.py

    def admits(self, peer):
        return (
            self.needs <= peer.can
            and self.scenario in peer.can
            and (not self.only or peer.name == FLOOR or peer.name.startswith(self.only))
            and (not peer.cases or self.name.startswith(peer.cases))
        )


class Bench:
    """What all cases share: where the programs are, and on which cores they run."""

    def __init__(self, out, build, server_commands):
        self.out = out
        self.library = f"{build}/libwdsocket.so"
        self.test_server = f"{build}/wdsocket-test-server"
        self.server_commands = server_commands
        self.cores = sorted(os.sched_getaffinity(0))
        self.ca = f"{out}/cert.pem"

    def placements(self):
        return ("one-core", "two-cores") if len(self.cores) > 1 else ("one-core",)

    def client_cores(self, placement):
        return set(self.cores) if placement == "free" else {self.cores[0]}

    def server_cores(self, placement):
        return {"free": set(self.cores), "one-core": {self.cores[0]}, "two-cores": {self.cores[-1]}}[placement]

    def server(self, case):
        return Server(self.server_commands[case.server], self.server_cores(case.placement))

    def address(self, case, server):
        if "tls" in case.needs:
            return {"port": server.tls_port, "ca": self.ca}
        return {"port": server.port}


def quartiles(values):
    """First quartile, median, third quartile."""
    if len(values) == 1:
        return [values[0]] * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def figure(case, answer):
    """What of a round is compared: the median round trip, the time for all, or messages in a second."""
    if "times" in answer:
        return statistics.median(answer["times"])
    if case.scenario in ("receive", "send"):
        return answer["messages"] / answer["wall_us"] * 1e6
    return answer["wall_us"]


def run_rounds(bench, case, peers, rounds):
    """Returns the rounds' answers by contestant, and why contestants failed."""
    server = bench.server(case)
    running, answers, failures = [], {}, {}

    def guarded(contestant, *work):
        try:
            return [step(contestant) for step in work][-1]
        except Failure as failure:
            failures[contestant.peer.name] = str(failure)
            running.remove(contestant)
            contestant.process.kill()
            contestant.end()
            return None

    def parameters():
        return {**case.parameters, **bench.address(case, server)}

    def round_of(contestant):
        nonlocal server
        if case.fresh:
            server.end()
            server = bench.server(case)
            contestant.prepare(case.scenario, **parameters())
        server_before, before = scheduled_us(server.pid), scheduled_us(contestant.pid)
        answer = contestant.ask("round")
        answer["server_cpu_us"] = scheduled_us(server.pid)[0] - server_before[0]
        answer["waited_us"] = scheduled_us(contestant.pid)[1] - before[1]
        return answer

    try:
        for group, peer in enumerate(peers):
            try:
                contestant = Contestant(peer, bench.client_cores(case.placement))
            except Failure as failure:
                failures[peer.name] = str(failure)
                continue
            running.append(contestant)
            if "sink" in case.parameters:  # the server counts the messages of each contestant by itself
                case.parameters["sink"] = f"{case.parameters['count']},{group}"
            first = [lambda c: c.prepare(case.scenario, **parameters())]
            guarded(contestant, *first, *([] if case.fresh else [round_of]))
        for number in range(rounds):
            turn = number % max(1, len(running))
            for contestant in [*running[turn:], *running[:turn]]:
                answer = guarded(contestant, round_of)
                if answer:
                    answers.setdefault(contestant.peer.name, []).append(answer)
        for contestant in list(running):
            guarded(contestant, lambda c: c.ask("finish"))
    finally:
        for contestant in running:
            contestant.end()
        server.end()
    return {name: rounds for name, rounds in answers.items() if name not in failures}, failures


def compared(case, answers, others):
    """The quartiles of the rounds' ratios to another contestant's in the same rounds."""
    return quartiles([figure(case, answer) / figure(case, other) for answer, other in zip(answers, others)])


def summary(case, answers, floor, rival):
    """A contestant's figures over its rounds; `floor`, `rival`: the answers of the floor, of the one to beat."""
    total = {key: sum(answer[key] for answer in answers) for key in ("messages", "cpu_us", "server_cpu_us", "wall_us")}
    result = {
        "rounds": len(answers),
        "messages": total["messages"],
        "median": statistics.median(figure(case, answer) for answer in answers),
        "cpu_us": total["cpu_us"] / total["messages"],
        "server_cpu_us": total["server_cpu_us"] / total["messages"],
        "server_busy": total["server_cpu_us"] / total["wall_us"],
        "waited": sum(answer["waited_us"] for answer in answers) / total["wall_us"],
    }
    if "times" in answers[0]:
        ordered = sorted(time for answer in answers for time in answer["times"])
        result |= {
            "p50": percentile(ordered, 0.5),
            "p99": percentile(ordered, 0.99),
            "p999": percentile(ordered, 0.999),
        }
    if floor:
        low, middle, high = compared(case, answers, floor)
        result |= {"ratio": middle, "ratio_low": low, "ratio_high": high}
    if rival:
        result["to_rival"] = compared(case, answers, rival)[1]
        result["cpu_to_rival"] = result["cpu_us"] / (
            sum(answer["cpu_us"] for answer in rival) / sum(answer["messages"] for answer in rival)
        )
    return result


def run_case(bench, case, peers, rounds):
    """Measures a case. Returns {"results": {NAME: figures}, "failures": {NAME: reason}}."""
    taking_part = [peer for peer in peers if case.admits(peer)]
    answers, failures = run_rounds(bench, case, taking_part, max(1, round(rounds * case.rounds)))
    floor, rival = answers.get(FLOOR), answers.get(RIVAL)
    return {
        "results": {name: summary(case, rounds, floor, rival) for name, rounds in answers.items()},
        "failures": failures,
    }
