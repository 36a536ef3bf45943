"""Writers whose every row says what it is, and the journal of what they committed.

A row carries its key, a sequence number that rises with every change of that key, and the number of its transaction. Writers own
disjoint keys, which they insert, update, delete, re-insert and move; besides they update a few hot keys that all of them share.
"""

import random
import threading
import time
from dataclasses import dataclass, field

import psycopg2

HOT_KEYS = 5


@dataclass(frozen=True)
class Change:
    """One change of one row, as the server will send it. A key change is a `d` of the old key and a `c` of the new one."""

    table: str
    op: str
    key: int
    seq: int
    row: tuple | None  # (key, seq, txn, payload) after the change
    ordinal: int


@dataclass
class Transaction:
    """One transaction of a writer. `committed` is None while nobody knows. A session's transactions commit in the order of their numbers."""

    number: int
    xid: int
    changes: list[Change] = field(default_factory=list)
    committed: bool | None = None
    session: int = 0


def payload(table: str, key: int, seq: int) -> str:
    return f"{table}/{key}/{seq}"


class Journal:
    """What was written: transactions by xid (32 bits, as the wire carries it)."""

    def __init__(self):
        self.lock = threading.Lock()
        self.transactions: dict[int, Transaction] = {}
        self.initial: dict[tuple[str, int], tuple] = {}

    def add(self, transaction: Transaction):
        with self.lock:
            self.transactions[transaction.xid & 0xFFFFFFFF] = transaction

    def committed(self) -> list[Transaction]:
        with self.lock:
            return [t for t in self.transactions.values() if t.committed and t.changes]

    def resolve(self, database):
        """Asks the server about transactions whose COMMIT was answered by nobody."""
        with self.lock:
            unknown = [t for t in self.transactions.values() if t.committed is None]
        for transaction in unknown:
            transaction.committed = database.value("SELECT pg_xact_status(%s::text::xid8)", (str(transaction.xid),)) == "committed"

    def rows(self) -> int:
        return sum(len(t.changes) for t in self.committed())


class Workload:
    """Tables `led_0`, `led_1`, … in one database and the writers on them."""

    def __init__(self, database, tables: int = 2, writers: int = 3, seed: int = 1, pad: int = 0, rate: float | None = None, largest: int = 8):
        self.database = database
        self.tables = [f"led_{i}" for i in range(tables)]
        self.writers = writers
        self.seed = seed
        self.pad = pad
        self.rate = rate
        self.largest = largest
        self.journal = Journal()
        self.stopping = threading.Event()
        self.paused = threading.Event()
        self.threads: list[threading.Thread] = []
        self.errors: list[BaseException] = []
        self.numbers = iter(range(1, 1 << 40))
        self.owned: list[dict[tuple[str, int], int]] = [{} for _ in range(writers)]
        self.seqs = [1000] * writers
        self.fresh = [0] * writers

    def create(self, initial_rows: int = 0):
        """Makes the tables, the hot keys and `initial_rows` rows a table that are there before any writer starts."""
        for table in self.tables:
            self.database.sql(f"CREATE TABLE {table}(key bigint PRIMARY KEY, seq bigint NOT NULL, txn bigint NOT NULL, payload text NOT NULL, pad text)")
            count = initial_rows + HOT_KEYS
            self.database.sql(
                f"INSERT INTO {table} SELECT g, 0, 0, '{table}/' || g || '/0', repeat('p', {self.pad}) FROM generate_series(0, {count - 1}) g")
            for key in range(count):
                self.journal.initial[(table, key)] = (key, 0, 0, payload(table, key, 0))
                if key >= HOT_KEYS:
                    self.owned[key % self.writers][(table, key)] = 0
        return self

    def start(self):
        self.stopping.clear()
        self.threads = [threading.Thread(target=self._write, args=(i,), daemon=True) for i in range(self.writers)]
        for thread in self.threads:
            thread.start()
        return self

    def stop(self, resolve: bool = True) -> Journal:
        """Ends the writers; the journal is complete when this returns."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a writer hangs"
        self.threads = []
        if self.errors:
            raise self.errors[0]
        if resolve:
            self.journal.resolve(self.database)
        return self.journal

    def run(self, seconds: float):
        self.start()
        time.sleep(seconds)
        return self.stop()

    # -- one writer -------------------------------------------------------------------------------------------------

    def _write(self, writer: int):
        rng = random.Random(f"{self.seed}/{writer}/{len(self.journal.transactions)}")
        connection = None
        while not self.stopping.is_set():
            if self.paused.is_set():
                time.sleep(0.02)
                continue
            begun = time.monotonic()
            transaction = None
            try:
                if connection is None:
                    connection = self.database.connect(autocommit=False)
                transaction = Transaction(next(self.numbers), 0, session=writer)
                self._transaction(connection, writer, rng, transaction)
            except Exception as error:
                if not isinstance(error, psycopg2.Error) or not (connection is None or connection.closed or "server closed the connection" in str(error)):
                    self.errors.append(error)
                    return
                # The server went away: nothing of this is known to be committed until it is asked.
                connection = None
                time.sleep(0.1)
            if self.rate:
                time.sleep(max(0.0, self.writers / self.rate - (time.monotonic() - begun)))
        if connection is not None:
            connection.close()

    def _transaction(self, connection, writer: int, rng: random.Random, transaction: Transaction):
        owned_before = dict(self.owned[writer])
        try:
            self._changes(connection, writer, rng, transaction)
        except BaseException:
            # It never came to COMMIT, so it did not happen.
            self.owned[writer] = owned_before
            raise
        if rng.random() < 0.1:
            self.owned[writer] = owned_before
            transaction.committed = False
            self.journal.add(transaction)
            connection.rollback()
            return
        self.journal.add(transaction)
        try:
            connection.commit()
            transaction.committed = True
        except psycopg2.Error:
            # Whether these keys live is unknown to this writer from now on: it leaves them alone.
            touched = {(change.table, change.key) for change in transaction.changes}
            self.owned[writer] = {at: seq for at, seq in owned_before.items() if at not in touched}
            raise

    def _changes(self, connection, writer: int, rng: random.Random, transaction: Transaction):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()::text")
            transaction.xid = int(cursor.fetchone()[0])
            rows = _Rows(transaction)
            for _ in range(rng.randint(1, self.largest)):
                if rng.random() < 0.08:
                    self._savepoint(cursor, writer, rng, rows)
                else:
                    self._change(cursor, writer, rng, rows)
            # Hot keys last and in order, so that writers wait for each other but never in a circle.
            if rng.random() < 0.4:
                for table in self.tables:
                    self._hot(cursor, table, rng.randrange(HOT_KEYS), rows)

    def _savepoint(self, cursor, writer: int, rng: random.Random, rows: "_Rows"):
        owned_before = dict(self.owned[writer])
        mark = rows.mark()
        cursor.execute("SAVEPOINT s")
        for _ in range(rng.randint(1, 3)):
            self._change(cursor, writer, rng, rows)
        if rng.random() < 0.6:
            cursor.execute("ROLLBACK TO s")
            rows.back_to(mark)
            self.owned[writer].clear()
            self.owned[writer].update(owned_before)
        else:
            cursor.execute("RELEASE s")

    def _change(self, cursor, writer: int, rng: random.Random, rows: "_Rows"):
        owned = self.owned[writer]
        table = rng.choice(self.tables)
        mine = [key for (name, key) in owned if name == table]
        self.seqs[writer] += 1
        seq = self.seqs[writer]
        dice = rng.random()
        if not mine or dice < 0.35:
            # A new key, or one that was deleted before.
            key = 1_000_000 * (writer + 1) + (self.fresh[writer] if dice < 0.25 or self.fresh[writer] == 0 else rng.randrange(self.fresh[writer]))
            if (table, key) in owned:
                key = 1_000_000 * (writer + 1) + self.fresh[writer]
            self.fresh[writer] = max(self.fresh[writer], key % 1_000_000 + 1)
            row = (key, seq, rows.transaction.number, payload(table, key, seq))
            cursor.execute(
                f"INSERT INTO {table} VALUES (%s, %s, %s, %s, repeat('p', {self.pad})) ON CONFLICT DO NOTHING", row)
            if cursor.rowcount:
                owned[(table, key)] = seq
                rows.add(table, "c", key, seq, row)
            return
        key = rng.choice(mine)
        if dice < 0.75:
            row = (key, seq, rows.transaction.number, payload(table, key, seq))
            cursor.execute(f"UPDATE {table} SET seq = %s, txn = %s, payload = %s WHERE key = %s", (*row[1:], key))
            rows.add(table, "u", key, seq, row, cursor.rowcount)
        elif dice < 0.92:
            cursor.execute(f"DELETE FROM {table} WHERE key = %s", (key,))
            del owned[(table, key)]
            rows.add(table, "d", key, seq, None, cursor.rowcount)
        else:
            new = 1_000_000 * (writer + 1) + 500_000 + self.fresh[writer]
            self.fresh[writer] += 1
            row = (new, seq, rows.transaction.number, payload(table, new, seq))
            cursor.execute(f"UPDATE {table} SET key = %s, seq = %s, txn = %s, payload = %s WHERE key = %s", (*row, key))
            del owned[(table, key)]
            owned[(table, new)] = seq
            rows.add_move(table, key, new, seq, row, cursor.rowcount)

    def _hot(self, cursor, table: str, key: int, rows: "_Rows"):
        cursor.execute(
            f"UPDATE {table} SET seq = seq + 1, txn = %s, payload = '{table}/' || key || '/' || seq + 1 WHERE key = %s RETURNING seq",
            (rows.transaction.number, key))
        seq = cursor.fetchone()[0]
        rows.add(table, "u", key, seq, (key, seq, rows.transaction.number, payload(table, key, seq)))


class _Rows:
    """Counts the rows of a transaction as the server will: what a savepoint took back does not count."""

    def __init__(self, transaction: Transaction):
        self.transaction = transaction
        self.count = 0

    def mark(self):
        return len(self.transaction.changes), self.count

    def back_to(self, mark):
        del self.transaction.changes[mark[0]:]
        self.count = mark[1]

    def add(self, table, op, key, seq, row, rowcount=1):
        assert rowcount == 1, f"the workload lost track of {table} {key}"
        self.count += 1
        self.transaction.changes.append(Change(table, op, key, seq, row, 2 * self.count - 1))

    def add_move(self, table, old, new, seq, row, rowcount):
        assert rowcount == 1, f"the workload lost track of {table} {old}"
        self.count += 1
        self.transaction.changes.append(Change(table, "d", old, seq, None, 2 * self.count - 1))
        self.transaction.changes.append(Change(table, "c", new, seq, row, 2 * self.count))
