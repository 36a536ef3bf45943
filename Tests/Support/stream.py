"""One stream under test: a database, a Kafka, a host between them and a reader at the end."""

import os
import re
import threading

from .checker import check
from .host import Host
from .kafka import Reader
from .workload import Workload

_numbers = iter(range(1, 1 << 30))
_lock = threading.Lock()


def fresh_name(stem: str = "s") -> str:
    """A name for stream, slot, publication and topic prefix that nothing else in this run has."""
    with _lock:
        return f"{re.sub(r'[^a-z0-9]', '_', stem.lower())[:20]}_{os.getpid() % 10000}_{next(_numbers)}"


class Stream:
    """`topics` are made before the host starts: {"public.t": partitions}."""

    def __init__(self, database, kafka, name: str, topics: dict | None = None, user: str = "postgres", port: int | None = None, **host):
        self.database = database
        self.kafka = kafka
        self.name = name
        for topic, partitions in (topics or {}).items():
            kafka.create_topic(f"{name}.{topic}", partitions)
        self.host = Host(name, database.uri(user, port), kafka, **host)
        self.slot = self.host.slot
        self.reader = Reader(kafka, name) if kafka is not None else None

    def start(self, **how):
        self.host.start(**how)
        return self

    def sql(self, statement: str, arguments=None):
        return self.database.sql(statement, arguments)

    def settle(self, seconds: float = 30):
        """Waits until what is committed now is delivered and confirmed; returns all records."""
        self.database.wait_confirmed(self.slot, self.database.current_lsn(), seconds)
        return self.reader.quiet()

    def ops(self, table: str) -> list:
        """(op, key) of every record of a table; a tombstone has the op `-`."""
        return [("-" if r.value is None else r.json["op"], r.json_key) for r in self.reader.topic(table)]

    def check(self, workload: Workload, **how):
        """The checker's verdict on everything read so far, in words when it is bad."""
        report = check(self.reader.all(), workload.journal, prefix=self.name, **how)
        return report.assert_ok()

    def close(self):
        if self.reader is not None:
            self.reader.close()
        self.host.destroy()


def after(record) -> dict:
    return record.json["after"]
