"""Where it was measured, and with which versions."""

import datetime
import os
import pathlib
import platform
import subprocess


def output_of(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def first_line(*command):
    return output_of(*command).partition("\n")[0]


def cpu():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    virtual = any(line.startswith("flags") and " hypervisor" in line for line in lines)
    cores = len(os.sched_getaffinity(0))
    return f"{models[0] if models else platform.machine()}, {cores} cores" + (", a virtual machine" if virtual else "")


def describe():
    congestion = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control")
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "commit": output_of("git", "describe", "--always", "--dirty"),
        "cpu": cpu(),
        "kernel": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "congestion": congestion.read_text().strip() if congestion.exists() else "",
        "c": first_line("cc", "--version"),
        "rust": first_line("rustc", "--version"),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }
