"""One drain, measured the same way for every program.

The clock runs from the moment when the server begins to feed the program's slot to the moment when the last record is in the broker, and only what lies
between counts: start-up, which differs by nature, is told apart. CPU is the program's own, read at both ends; peak memory is that of its whole life.
"""

import os
import subprocess
import time
from dataclasses import asdict, dataclass

from backlog import PUBLICATION, Backlog
from confluent_kafka import Consumer, KafkaException, TopicPartition
from process import cpu_seconds, peak_rss
from Support.postgres import binaries

SLOT_EVERY = 0.003
TOPIC_EVERY = 0.01
GIVE_UP_AFTER = 300.0


@dataclass
class Drain:
    """What one drain took."""

    rows: int
    seconds: float
    rows_per_second: float
    cpu_per_million: float
    walsender_cpu_per_million: float | None
    peak_rss_mb: float
    start_seconds: float
    start_cpu: float | None

    def as_json(self) -> dict:
        return {key: None if value is None else round(value, 4) for key, value in asdict(self).items()}


class TopicEnd:
    """How many records a topic of one partition holds."""

    def __init__(self, kafka, topic: str):
        self.partition = TopicPartition(topic, 0)
        self.consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "bench", "log_level": 0, "error_cb": lambda error: None})

    def __call__(self) -> int:
        try:
            return self.consumer.get_watermark_offsets(self.partition, timeout=5)[1]
        except KafkaException:
            return 0

    def close(self):
        self.consumer.close()


def drain(program, run: str, backlog: Backlog, kafka, environment: dict | None = None, between=None) -> Drain:
    """Lets `program` drain the backlog into a topic of one partition. `between` is called when the clock starts and when it stops."""
    topic = program.topic(run)
    kafka.create_topic(topic, 1)
    slot = backlog.slot()
    end = TopicEnd(kafka, topic)
    end()
    begun = time.monotonic()
    running = program.start(run, backlog.connection, slot, PUBLICATION, kafka, environment)

    def wait(condition, every: float, what):
        while not (found := condition()):
            running.check()
            if time.monotonic() - begun > GIVE_UP_AFTER:
                raise RuntimeError(f"{program.name}: {what()} after {GIVE_UP_AFTER:g} s")
            time.sleep(every)
        return found

    try:
        walsender = wait(lambda: backlog.walsender(slot), SLOT_EVERY, lambda: "the slot is not read")
        started, start_cpu, walsender_start_cpu = time.monotonic(), cpu_seconds(running.pid), cpu_seconds(walsender)
        if between:
            between()
        wait(lambda: end() >= backlog.rows, TOPIC_EVERY, lambda: f"{end()} of {backlog.rows} records")
        ended, cpu, walsender_cpu = time.monotonic(), cpu_seconds(running.pid), cpu_seconds(walsender)
        if between:
            between()
        peak = peak_rss(running.pid)
    finally:
        running.stop()
        end.close()
        backlog.drop(slot)
    rows, seconds = backlog.rows, ended - started
    return Drain(
        rows=rows, seconds=seconds, rows_per_second=rows / seconds, cpu_per_million=(cpu - start_cpu) / rows * 1e6,
        walsender_cpu_per_million=(walsender_cpu - walsender_start_cpu) / rows * 1e6, peak_rss_mb=peak / 2**20, start_seconds=started - begun,
        start_cpu=start_cpu)


def drain_to_nowhere(backlog: Backlog) -> Drain:
    """pg_recvlogical to /dev/null: no decoding, no broker; its whole life is measured, start-up is a few milliseconds."""
    slot = backlog.slot()
    begun = time.monotonic()
    with open(os.devnull, "w") as nowhere:
        process = subprocess.Popen(
            [os.path.join(binaries(), "pg_recvlogical"), "-d", backlog.connection, "--slot", slot, "--start", "--no-loop", "-o", "proto_version=1", "-o",
             f"publication_names={PUBLICATION}", "--endpos", backlog.end, "-f", "-"],
            stdin=subprocess.DEVNULL, stdout=nowhere, stderr=nowhere)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begun
    backlog.drop(slot)
    if process.returncode != 0:
        raise RuntimeError(f"pg_recvlogical ended with {process.returncode}")
    return Drain(
        rows=backlog.rows, seconds=seconds, rows_per_second=backlog.rows / seconds, cpu_per_million=(usage.ru_utime + usage.ru_stime) / backlog.rows * 1e6,
        walsender_cpu_per_million=None, peak_rss_mb=usage.ru_maxrss / 1024, start_seconds=0, start_cpu=0)
