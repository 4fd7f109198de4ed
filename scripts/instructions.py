"""Counts instructions with callgrind and compares them with bench/instructions.json; called by instructions.sh.

    instructions.py PROGRAM [--update] [PART]...

An operation's count is the difference between two runs of different length, divided by the operations in between: what
starting, preparing and ending take is in both.
"""

import concurrent.futures
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

FILE = pathlib.Path("bench/instructions.json")
WORK = pathlib.Path("build/instructions").absolute()
# So many rounds have the two runs. Within the first few, buffers grow.
ROUNDS = (8, 72)
LIMIT = 0.05


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def run(program, part, rounds):
    """The instructions of one run, and which vector instructions the program found."""
    name = re.sub(r"\W+", "-", part)
    counts = WORK / f"{name}-{rounds}.out"
    log = WORK / f"{name}-{rounds}.log"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={counts}", f"--log-file={log}"]
    # From its folder: its arguments are on the heap, and a longer path would change what malloc does later.
    command += [f"./{program.name}", part, str(rounds)]
    done = subprocess.run(command, cwd=program.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"instructions: \"{part}\" did not run under valgrind: {done.stderr.strip()} {log.read_text()[-2000:]}")
    total = re.search(r"^(?:totals|summary): (\d+)", counts.read_text(), re.M)
    return int(total[1]), done.stdout.strip()


def count(program, part, operations):
    (short, vectors), (long, _) = (run(program, part, rounds) for rounds in ROUNDS)
    return (long - short) / (operations * (ROUNDS[1] - ROUNDS[0])), vectors


def main():
    program, *arguments = sys.argv[1:]
    program = pathlib.Path(program)
    is_update = "--update" in arguments
    chosen = [argument for argument in arguments if argument != "--update"]
    parts = dict(reversed(line.split("\t")) for line in output(program).splitlines())
    for unknown in set(chosen) - set(parts):
        sys.exit(f"instructions: there is no part \"{unknown}\"; there are {', '.join(parts)}")
    WORK.mkdir(parents=True, exist_ok=True)

    before = json.loads(FILE.read_text()) if FILE.exists() else {"made with": {}, "instructions": {}}
    names = chosen or list(parts)
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        counted = list(pool.map(lambda part: count(program, part, int(parts[part])), names))
    counts = {part: round(number, 1) for part, (number, _) in zip(names, counted)}

    # Another compiler makes other instructions of the same source, another libc brings its own, and other vector
    # instructions are others: then a difference says nothing about a change of ours, and is only shown.
    now = {
        "rustc": output("rustc", "--version").strip(),
        "system": f"{platform.machine()} {os.confstr('CS_GNU_LIBC_VERSION')}",
        "vectors": counted[0][1],
    }
    others = [f"{what} is {now[what]}, not {old}" for what, old in before["made with"].items() if now.get(what) != old]

    old = before["instructions"]
    more, fewer, new = [], [], []
    print(f"{'instructions of an operation':<44} {'before':>10} {'now':>10}")
    for part, number in counts.items():
        if part not in old:
            new.append(part)
            print(f"  {part:<42} {'-':>10} {number:>10}")
            continue
        change = number / old[part] - 1
        print(f"  {part:<42} {old[part]:>10} {number:>10} {change:>+7.1%}")
        if abs(change) > LIMIT:
            sentence = f"\"{part}\" takes {number} instructions where it took {old[part]} ({change:+.1%})"
            (more if change > 0 else fewer).append(sentence)
    gone = [] if chosen else [part for part in old if part not in parts]

    if is_update:
        kept = {part: counts.get(part, old.get(part)) for part in parts if part in counts or part in old}
        if others and chosen:
            sys.exit(f"instructions: update all parts together, since {'; '.join(others)}")
        FILE.write_text(json.dumps({"made with": now, "instructions": kept}, indent=2) + "\n")
        print(f"written: {FILE}")
        return

    wrong = [f"{sentence}: more than {LIMIT:.0%}" for sentence in more] if not others else []
    wrong += [f"\"{part}\" is not in {FILE}" for part in new]
    wrong += [f"\"{part}\" is in {FILE} and is no part any more" for part in gone]
    if others:
        print(f"warning: {'; '.join(others)}: the counts of {FILE} are not binding here")
        for sentence in more:
            print(f"warning: {sentence}")
    for sentence in fewer:
        print(f"better: {sentence}; write it down: scripts/instructions.sh --update")
    if counts_file := os.environ.get("WDSOCKET_COUNTS"):
        with open(counts_file, "a") as file:
            file.write(f"instructions {len(counts) - len(wrong)} {len(wrong)} 0\n")
    if wrong:
        sys.exit("\n".join(f"instructions: {sentence}" for sentence in wrong))


main()
