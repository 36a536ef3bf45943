"""What a figure depends on: the machine, the versions, the commit."""

import os
import platform
import re
import subprocess
import time

import confluent_kafka
from Support.kafka import PROJECT, build_folder
from Support.postgres import binaries


def answer(*command: str) -> str | None:
    """A program's first line, or None."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=20, cwd=PROJECT)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.strip().splitlines()
    return lines[0] if done.returncode == 0 and lines else None


def processor() -> str | None:
    with open("/proc/cpuinfo") as info:
        match = re.search(r"model name\s*: (.*)", info.read())
    return match[1] if match else None


def facts() -> dict:
    commit = answer("git", "rev-parse", "--short", "HEAD")
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": f"{commit}{'+' if answer('git', 'status', '--porcelain') else ''}" if commit else None,
        "cdc_host": answer(os.path.join(build_folder(), "cdc-host"), "--version"),
        "cores": os.cpu_count(),
        "processor": processor(),
        "kernel": platform.release(),
        "load_before": round(os.getloadavg()[0], 2),
        "postgresql": answer(os.path.join(binaries(), "postgres"), "--version"),
        "librdkafka": answer("pkg-config", "--modversion", "rdkafka"),
        "consumer_librdkafka": confluent_kafka.libversion()[0],
        "swift": answer("swift", "--version"),
    }
