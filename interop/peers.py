#!/usr/bin/env python3
"""Runs a C host against the peers that this project did not write.

    peers.py HOST_PROGRAM MESSAGES [--deflate]

Starts peer_websockets.py and peer_ws.mjs on free loopback ports and the host against each, synchronous and with
callbacks. Prints what the host prints; exits with 1 if a promise was not kept.
"""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TIME_LIMIT = 300
PEERS = {
    "websockets": [sys.executable, str(HERE / "peer_websockets.py")],
    "ws": ["node", str(HERE / "peer_ws.mjs")],
}


def start(command):
    """The peer and its port. It ends when its standard input does: with this program at the latest."""
    peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    word, _, port = peer.stdout.readline().partition(" ")
    if word != "port":
        sys.exit(f"{command[-1]} did not start")
    return peer, port.strip()


def run(host, variant, port, messages):
    """The host's lines; a host that crashed or hung adds one of its own."""
    try:
        done = subprocess.run([host, variant, port, messages], stdout=subprocess.PIPE, text=True, timeout=TIME_LIMIT)
        lines, ending = done.stdout, f"exit status {done.returncode}"
        well = done.returncode in (0, 1) and (done.returncode == 1) == ("FAILED " in lines)
    except subprocess.TimeoutExpired as expired:
        lines, ending, well = (expired.stdout or b"").decode(), f"still running after {TIME_LIMIT} s", False
    lines = lines.splitlines()
    return lines if well and lines else lines + [f"FAILED the host program: {ending}"]


def main():
    host, messages, *more = sys.argv[1:]
    os.environ.setdefault("WDSOCKET_NODE", str(HERE.parent / ".cache" / "node"))
    bad = 0
    for name, command in PEERS.items():
        peer, port = start(command + more)
        for variant in ("sync", "callback"):
            lines = run(host, variant, port, messages)
            failed = sum(line.startswith("FAILED ") for line in lines)
            passed = sum(line.startswith("ok ") for line in lines)
            bad += failed
            print(f"{name}, {variant}: {passed} of {passed + failed} promises kept")
            print("".join(f"  {line}\n" for line in lines), end="", flush=True)
            if counts := os.environ.get("WDSOCKET_COUNTS"):
                with open(counts, "a") as file:
                    file.write(f"{os.environ.get('INTEROP_LABEL', '')}{name}-{variant} {passed} {failed} 0\n")
        peer.stdin.close()
        peer.wait(10)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
