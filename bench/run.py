"""`make bench`: measures the library against its peers. bench/run builds what this needs and calls it.

    bench/run [--quick] [--only WORD,...] [--rounds N] [--contestants NAME,...] [--library NAME=FOLDER]...

--only takes the beginnings of the cases' names (echo, echo/64, receive/1048576/cjk); --list prints them all.
--contestants takes the beginnings of contestants' names (the floor always takes part). --library lets another build
of libwdsocket.so, in FOLDER, take part beside this one; --option NUMBER=VALUE sets an option of the library's.
"""

import argparse
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness import machine, page, picture, pool, scenarios, targets  # noqa: E402
from harness.counts import run_calls, run_load, run_sent, run_settings, run_size  # noqa: E402
from harness.idle import run_idle  # noqa: E402
from harness.measure import Bench, run_case  # noqa: E402
from harness.peers import FLOOR, peers  # noqa: E402
from harness.processes import Contestant, Failure  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--python", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages, five rounds")
    parser.add_argument("--smoke", action="store_true", help="a hundredth, one round; fails unless everybody answers")
    parser.add_argument("--rounds", type=int, help="default: 20, or 5 when quick")
    parser.add_argument("--only", type=lambda text: tuple(text.split(",")), default=())
    parser.add_argument("--contestants", type=lambda text: tuple(text.split(",")), default=())
    parser.add_argument("--library", action="append", default=[], type=lambda text: tuple(text.split("=", 1)))
    parser.add_argument("--option", action="append", default=[])
    parser.add_argument("--list", action="store_true")
    parser.add_argument(
        "--publish", action="store_true", help="write docs/performance.md although this is not everything"
    )
    options = parser.parse_args()
    own = {"--out", "--build", "--python"}
    options.given = [word for at, word in enumerate(sys.argv) if at and not {word, sys.argv[at - 1]} & own]
    return options


KINDS = {
    "rounds": run_case,
    "idle": run_idle,
    "calls": run_calls,
    "sent": run_sent,
    "size": run_size,
    "load": run_load,
    "settings": run_settings,
}


def line_of(case, result):
    """A contestant's figures, for people who watch."""
    spread = "  ratio {ratio:6.3f} ({ratio_low:.3f} to {ratio_high:.3f})".format(**result) if "ratio" in result else ""
    match case.kind:
        case "idle":
            return (
                f"{result['kib_each']:7.2f} KiB each  {result['descriptors_each']:.2f} descriptors each"
                f"  {result['threads']} threads  {result['cpu_ms_per_second']:.2f} ms CPU a second"
            )
        case "calls":
            names = sorted(result["by_name"].items(), key=lambda pair: -pair[1])
            return f"{result['calls']:8.3f}  {', '.join(f'{name} {calls:.3f}' for name, calls in names)}"
        case "sent":
            return f"{result['bytes_each']:8.1f} bytes sent for each message"
        case "size":
            return f"{result['bytes']:,} bytes"
        case "load":
            return f"{result['load_us']:9.1f} µs{spread}"
    if "p50" in result:
        figures = f"p50 {result['p50']:8.1f}  p99 {result['p99']:8.1f}  p99.9 {result['p999']:8.1f} µs"
    elif case.scenario in ("receive", "send"):
        figures = f"{result['median']:12,.0f} a second"
        figures += f"  {result['median'] * case.parameters['size'] / 1e9:6.2f} GB/s"
    else:
        figures = f"{result['median'] / 1e3:9.2f} ms"
    return f"{figures}{spread}  CPU {result['cpu_us']:7.2f} µs each  server {result['server_busy'] * 100:3.0f} %"


def introduce(everybody):
    """Starts each once: who is there, and what it can do."""
    for peer in everybody:
        try:
            if not peer.missing:
                contestant = Contestant(peer, os.sched_getaffinity(0))
                peer.version, peer.can = contestant.version, frozenset(contestant.can)
                contestant.end()
        except (Failure, OSError) as failure:
            peer.missing = failure.strerror if isinstance(failure, OSError) else str(failure)
        if peer.missing:
            print(f"{peer.name} does not take part: {peer.missing}")


def publish(run, options):
    """Writes the JSON, the page and its picture; those of docs/ only for a run of everything."""
    folder = pathlib.Path("docs" if not options.given or options.publish else options.out)
    results = pathlib.Path(options.out, "results.json")
    results.write_text(json.dumps(run, indent=1, default=str) + "\n")
    path, drawing = folder / "performance.md", folder / "performance.svg"
    labels = {name: peer["label"] for name, peer in run["contestants"].items()}
    drawn = picture.draw(run["cases"], labels, f"{run['machine']['date']}, {run['machine']['cpu']}.")
    if drawn:
        drawing.write_text(drawn)
    page.write(path, run, drawing.name if drawn else None)
    return [os.path.relpath(p) for p in (results, path, *([drawing] if drawn else []))]


def main():
    options = arguments()
    servers = {
        "own": [f"{options.out}/server", f"{options.out}/cert.pem", f"{options.out}/key.pem"],
        "deflate": [f"{options.build}/wdsocket-test-server", "--port", "0"],
    }
    bench = Bench(options.out, options.build, servers)
    quick = 100 if options.smoke else 10 if options.quick else 1
    rounds = options.rounds or (1 if options.smoke else 5 if options.quick else 20)
    cases = scenarios.all_cases(bench.placements(), quick)
    if options.only:
        cases = [case for case in cases if case.name.startswith(options.only)]
    if options.list:
        print("\n".join(case.name for case in cases))
        return 0
    everybody = peers(options.out, options.python, options.library, options.option)
    if options.contestants:
        everybody = [p for p in everybody if p.name == FLOOR or p.name.startswith(options.contestants)]
    introduce(everybody)
    present = [peer for peer in everybody if not peer.missing]

    results, failed, begin = {}, 0, time.monotonic()
    for case in cases:
        print(f"\n{case.title} ({case.name})", flush=True)
        if case.server == "deflate":
            case.parameters |= pool.write(options.out, case.parameters["size"])
        outcome = KINDS[case.kind](bench, case, present, rounds)
        for name, result in outcome["results"].items():
            print(f"  {name:24} {line_of(case, result)}")
        for name, reason in outcome["failures"].items():
            print(f"  {name:24} FAILED: {reason}")
            failed += 1
        if options.smoke and case.kind in ("rounds", "idle", "calls", "sent"):
            expected = {peer.name for peer in present if case.admits(peer)}
            for name in expected - set(outcome["results"]) - set(outcome["failures"]):
                outcome["failures"][name] = "no figures"
                print(f"  {name:24} FAILED: no figures")
                failed += 1
        for row in outcome.get("rows", ()):
            print(f"  {row}")
        sys.stdout.flush()
        results[case.name] = {
            "title": case.title,
            "kind": case.kind,
            "scenario": case.scenario,
            "placement": case.placement,
            "parameters": {
                key: value for key, value in case.parameters.items() if isinstance(value, (int, float, str))
            },
        } | outcome
    run = {
        "machine": machine.describe(),
        "options": " ".join(["make bench", *(["BENCH=" + repr(" ".join(options.given))] if options.given else [])]),
        "rounds": rounds,
        "minutes": (time.monotonic() - begin) / 60,
        "contestants": {
            p.name: {"label": p.label, "version": p.version, "missing": p.missing, "how": p.how} for p in everybody
        },
        "targets": targets.judge(results),
        "cases": results,
    }
    written = publish(run, options)
    for row in run["targets"]:
        print(
            f"{'reached    ' if row['reached'] else 'NOT REACHED'} {row['target']:18} {row['shown']:22} {row['what']}"
        )
    print(f"\n{len(cases)} cases in {time.monotonic() - begin:.0f} s, {failed} failures; {', '.join(written)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
