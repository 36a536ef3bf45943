"""A server with rows that wait to be drained: the same rows for every program, each with a slot of its own."""

import time

from Support.postgres import Cluster

TABLE = """
    CREATE TABLE {name} (
        id bigint PRIMARY KEY, customer int NOT NULL, status text, amount numeric(12,2), note text, created timestamptz NOT NULL, active bool)
"""
ROWS = """
    INSERT INTO {name}
    SELECT i, (i % 100000) * 7, (array['new', 'paid', 'shipped'])[1 + i % 3], (i % 100000) / 100.0, 'order note number ' || i, clock_timestamp(), i % 2 = 0
    FROM generate_series({first}::bigint, {last}::bigint) AS i
"""
PER_TRANSACTION = 1000
PUBLICATION = "bench"
PATTERN = "pattern"


class Backlog:
    """`rows` committed rows of table `t`, behind a slot that nobody reads: each program gets a copy of it."""

    def __init__(self, rows: int):
        self.rows = rows
        self.cluster = Cluster(settings={
            "max_wal_size": "8GB", "shared_buffers": "128MB", "checkpoint_timeout": "1h", "track_commit_timestamp": "on",
            "log_replication_commands": "off", "log_min_messages": "warning",
        })
        self.database = self.cluster.create_database("bench")
        self.database.sql(TABLE.format(name="t"))
        self.database.sql(f"CREATE PUBLICATION {PUBLICATION} FOR TABLE t")
        # Made before the rows: the WAL from here on stays.
        self.database.sql("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (PATTERN,))
        connection = self.database.connect()
        with connection.cursor() as cursor:
            for first in range(1, rows + 1, PER_TRANSACTION):
                cursor.execute(ROWS.format(name="t", first=first, last=min(first + PER_TRANSACTION - 1, rows)))
            cursor.execute("SELECT pg_switch_wal()")
            cursor.execute("CHECKPOINT")
        connection.close()
        self.end = self.database.value("SELECT pg_current_wal_insert_lsn()::text")
        self.made = 0
        self.watch = self.database.connect()

    @property
    def connection(self) -> str:
        """Over TCP, as most databases are reached."""
        return self.database.uri(port=self.cluster.port)

    def slot(self) -> str:
        """A new slot with the whole backlog before it."""
        self.made += 1
        name = f"bench_{self.made}"
        self.database.sql("SELECT pg_copy_logical_replication_slot(%s, %s)", (PATTERN, name))
        return name

    def walsender(self, slot: str) -> int | None:
        """The server process that feeds the slot's reader."""
        with self.watch.cursor() as cursor:
            cursor.execute("SELECT active_pid FROM pg_replication_slots WHERE slot_name = %s", (slot,))
            row = cursor.fetchone()
            return row[0] if row else None

    def drop(self, slot: str):
        """Waits until the reader has gone and takes the slot away."""
        end = time.monotonic() + 20
        while self.walsender(slot) is not None and time.monotonic() < end:
            time.sleep(0.05)
        self.database.sql("SELECT pg_drop_replication_slot(%s)", (slot,))

    def close(self):
        self.watch.close()
        self.cluster.destroy()
