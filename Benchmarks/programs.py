"""The programs that drain: each starts on a slot and a topic, and ends when told to."""

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass

from Support.host import Host
from Support.kafka import PROJECT

FLOOR_SOURCE = os.path.join(os.path.dirname(PROJECT), "shared", "bench", "floor.c")


@dataclass(frozen=True)
class Floor:
    """One file of C over libpq and librdkafka, without plugins and without promises."""

    program: str
    form: str  # flat or envelope

    @property
    def name(self) -> str:
        return f"floor, {self.form}"

    def topic(self, run: str) -> str:
        return run

    def start(self, run: str, connection: str, slot: str, publication: str, kafka, environment: dict | None = None):
        log = open(os.devnull, "w")
        process = subprocess.Popen(
            [self.program, connection, slot, publication, kafka.bootstrap, self.topic(run), self.form],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(os.environ, **(environment or {})))
        log.close()
        return Running(process)


@dataclass(frozen=True)
class CdcHost:
    """cdc-host with the shortest chain that makes records of rows: decoder, codec, partitioner, sink, and Masking where asked for."""

    form: str  # compact or debezium
    masked: bool = False

    @property
    def name(self) -> str:
        return f"cdc-host, {self.form}" + (", masked" if self.masked else "")

    def topic(self, run: str) -> str:
        return f"{run}.public.t"

    def start(self, run: str, connection: str, slot: str, publication: str, kafka, environment: dict | None = None):
        masking = {"30-masking": {"plugin": "Masking", "options": {"columns": [{"column": "public.t.note", "how": "keep_first", "n": 5}]}}}
        host = Host(
            run, connection, kafka,
            settings={
                "source": {
                    "slot": {"name": slot, "create": False}, "publication": {"name": publication, "manage": False}, "tables": {"include": ["public.t"]}},
                "snapshot": {"mode": "never"}, "log": {"level": "warning"},
            },
            stages=masking if self.masked else {}, codec={"format": self.form})
        host.start(until=None, more_environment=environment)
        return Running(host.process, host)


class Running:
    """A program that drains."""

    def __init__(self, process: subprocess.Popen, host: Host | None = None):
        self.process = process
        self.host = host

    @property
    def pid(self) -> int:
        return self.process.pid

    def check(self):
        """Raises when it has ended."""
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended with {self.process.returncode}" + (f":\n{self.host.tail()}" if self.host else ""))

    def stop(self):
        """A clean stop, or its end after a while."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.host:
            self.host.destroy()


def compile_c(source: str, *flags: str) -> str:
    """Compiles one C file into a folder of its own; the caller removes the folder."""
    folder = tempfile.mkdtemp(prefix="cdc-bench-")
    out = os.path.join(folder, os.path.splitext(os.path.basename(source))[0])
    done = subprocess.run([os.environ.get("CC", "cc"), "-O2", "-w", "-o", out, source, *flags], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise RuntimeError(f"{os.path.basename(source)} does not compile: {done.stdout[-800:]}")
    return out


def compile_floor() -> str | None:
    """The floor's program, or None where its source is not there."""
    if not os.path.exists(FLOOR_SOURCE):
        return None
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libpq", "rdkafka"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    return compile_c(FLOOR_SOURCE, *flags)
