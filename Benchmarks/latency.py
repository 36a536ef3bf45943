"""From commit to consumer: a writer with a steady rate, a consumer in a process of its own, and the server's own commit times.

The consumer notes the clock for each record; afterwards the server says when each row's transaction was committed (track_commit_timestamp). Both clocks
are the machine's one.
"""

import math
import multiprocessing
import os
import re
import subprocess
import tempfile
import time

from backlog import ROWS, TABLE
from confluent_kafka import Consumer, TopicPartition
from process import cpu_seconds
from Support.kafka import PROJECT, build_folder
from Support.postgres import Database
from Support.waiting import wait_until

PER_TRANSACTION = 10
WARM_UP_SECONDS = 2.0
ID = re.compile(rb'"(?:after|data)":\{"id":(\d+)')


def consume(bootstrap: str, topic: str, partitions: list[int], expected: int, ready, results):
    """Notes when each row came. A process of its own."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap, "group.id": "latency", "log_level": 0, "enable.auto.commit": False, "auto.offset.reset": "earliest",
        # The embedded broker lets an empty fetch wait its whole time, whatever comes meanwhile.
        "fetch.wait.max.ms": 1, "fetch.error.backoff.ms": 1, "check.crcs": False,
    })
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    seen = []
    deadline = time.monotonic() + 120
    ready.set()
    while len(seen) < expected and time.monotonic() < deadline:
        message = consumer.poll(1)
        if message is None or message.error() or message.value() is None:
            continue
        match = ID.search(message.value())
        if match:
            seen.append((int(match[1]), time.time()))
    consumer.close()
    results.put(seen)


def write(database: Database, table: str, rate: int, seconds: float) -> int:
    """Inserts `rate` rows a second, ten a transaction; returns the number of rows."""
    connection = database.connect()
    total = int(rate * seconds) // PER_TRANSACTION * PER_TRANSACTION
    begun = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
        for first in range(1, total + 1, PER_TRANSACTION):
            late = time.monotonic() - (begun + first / rate)
            if late < 0:
                time.sleep(-late)
            cursor.execute(ROWS.format(name=table, first=first, last=first + PER_TRANSACTION - 1))
    connection.close()
    return total


def percentile(sorted_values: list[float], share: float) -> float:
    """The nearest rank."""
    return sorted_values[max(0, math.ceil(share * len(sorted_values)) - 1)]


def measure(database: Database, table: str, kafka, topic: str, rate: int, seconds: float, pid: int, until_ready) -> dict:
    """Writes, reads and compares; `until_ready` returns when the program under test streams."""
    total = int(rate * (seconds + WARM_UP_SECONDS)) // PER_TRANSACTION * PER_TRANSACTION
    context = multiprocessing.get_context("spawn")
    ready, results = context.Event(), context.Queue()
    consumer = context.Process(target=consume, args=(kafka.bootstrap, topic, [0], total, ready, results), daemon=True)
    consumer.start()
    try:
        ready.wait(30)
        until_ready()
        begun, cpu = time.monotonic(), cpu_seconds(pid)
        write(database, table, rate, seconds + WARM_UP_SECONDS)
        took, cpu = time.monotonic() - begun, cpu_seconds(pid) - cpu
        seen = results.get(timeout=130)
    finally:
        consumer.join(5)
        if consumer.is_alive():
            consumer.terminate()
    committed = dict(database.sql(f"SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM {table}"))
    first = int(rate * WARM_UP_SECONDS)
    waits = sorted((at - committed[row]) * 1000 for row, at in seen if row > first)
    if len(waits) < total - first:
        raise RuntimeError(f"{len(waits)} of {total - first} rows came")
    return {
        "rows_per_second": round(total / took), "rows": len(waits), "p50_ms": round(percentile(waits, 0.5), 2), "p99_ms": round(percentile(waits, 0.99), 2),
        "max_ms": round(waits[-1], 2), "cpu_share": round(cpu / took, 3),
    }


def latency_of_host(database: Database, connection: str, kafka, run: str, rate: int, seconds: float) -> dict:
    """The project's own plugins.d, as it stands; its variables name server, broker and table."""
    table = run
    database.sql(TABLE.format(name=table))
    topic = f"{run}.public.{table}"
    kafka.create_topic(topic, 1)
    with tempfile.TemporaryDirectory(prefix="cdc-bench-") as folder:
        log_path = os.path.join(folder, "log")
        with open(log_path, "w") as log:
            process = subprocess.Popen(
                [os.path.join(build_folder(), "cdc-host"), "--plugins", os.path.join(PROJECT, "plugins.d")], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=folder, env=dict(
                    os.environ, CDC_NAME=run, CDC_PG=connection, CDC_KAFKA=kafka.bootstrap, CDC_TABLES=f"public.{table}", CDC_ADMIN="127.0.0.1:0",
                    STATE_DIRECTORY=os.path.join(folder, "state")))

        def text() -> str:
            with open(log_path) as file:
                return file.read()

        def streaming() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"cdc-host ended with {process.returncode}:\n{text()[-2000:]}")
            return re.search(r" streaming( |$)", text(), re.M) is not None

        try:
            return measure(database, table, kafka, topic, rate, seconds, process.pid, lambda: wait_until(streaming, 30, text))
        except RuntimeError as error:
            # A host that ended, or stands still, has said why.
            raise RuntimeError(f"{error}; exit code {process.poll()}; its log ends:\n{text()[-2000:]}") from error
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def latency_of_floor(floor, database: Database, connection: str, kafka, run: str, rate: int, seconds: float) -> dict:
    """The floor under the same load."""
    database.sql(TABLE.format(name=run))
    database.sql(f"CREATE PUBLICATION {run} FOR TABLE {run}")
    database.sql("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (run,))
    kafka.create_topic(run, 1)
    running = floor.start(run, connection, run, run, kafka)
    try:
        return measure(
            database, run, kafka, run, rate, seconds, running.pid,
            lambda: wait_until(lambda: database.value("SELECT active FROM pg_replication_slots WHERE slot_name = %s", (run,)), 30, "the floor streams"))
    finally:
        running.stop()
