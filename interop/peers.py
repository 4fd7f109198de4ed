#!/usr/bin/env python3
"""Runs a C host against the peers that this project did not write.

    peers.py HOST_PROGRAM BEAST_PROGRAM MESSAGES [PEER]...        (default: all)

Starts peer_websockets.py, peer_ws.mjs and BEAST_PROGRAM (peer_beast.cpp) on free loopback ports and the host against
each, synchronous and with callbacks at once. Prints what the host prints; exits with 1 if a promise was not kept.
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
PARTS = {
    "websockets": ["messages", "deflate", "behaviour"],
    "ws": ["messages", "deflate", "behaviour"],
    "beast": ["messages", "deflate"],
}


def start(command):
    """The peer and its port. It ends when its standard input does: with this program at the latest."""
    peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    word, _, port = peer.stdout.readline().partition(" ")
    if word != "port":
        sys.exit(f"{command[-1]} did not start")
    return peer, port.strip()


def run(host, variant, port, messages, parts):
    """The host's lines and its time; a host that crashed or hung adds a line of its own."""
    limit = 300 + int(messages) // 2
    started = time.monotonic()
    command = [host, variant, port, messages, *parts]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=limit)
        lines, ending = done.stdout, f"exit status {done.returncode}"
        well = done.returncode in (0, 1) and (done.returncode == 1) == ("FAILED " in lines)
    except subprocess.TimeoutExpired as expired:
        lines, ending, well = (expired.stdout or b"").decode(), f"still running after {limit} s", False
    lines = lines.splitlines()
    if not well or not lines:
        lines.append(f"FAILED the host program: {ending}")
    return variant, lines, time.monotonic() - started


def main():
    host, beast, messages, *chosen = sys.argv[1:]
    os.environ.setdefault("WDSOCKET_NODE", str(HERE.parent / ".cache" / "node"))
    commands = {
        "websockets": [sys.executable, str(HERE / "peer_websockets.py")],
        "ws": ["node", str(HERE / "peer_ws.mjs")],
        "beast": [beast],
    }
    bad = 0
    for name in chosen or commands:
        peer, port = start(commands[name])
        with concurrent.futures.ThreadPoolExecutor() as pool:
            runs = pool.map(lambda variant: run(host, variant, port, messages, PARTS[name]), ("sync", "callback"))
            for variant, lines, seconds in runs:
                failed = sum(line.startswith("FAILED ") for line in lines)
                passed = sum(line.startswith("ok ") for line in lines)
                bad += failed
                print(f"{name}, {variant}: {passed} of {passed + failed} promises kept in {seconds:.0f} s")
                print("".join(f"  {line}\n" for line in lines), end="", flush=True)
                if counts := os.environ.get("WDSOCKET_COUNTS"):
                    with open(counts, "a") as file:
                        file.write(f"{os.environ.get('INTEROP_LABEL', '')}{name}-{variant} {passed} {failed} 0\n")
        peer.stdin.close()
        peer.wait(10)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
