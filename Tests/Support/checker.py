"""The oracle: compares topics in the compact format with the journal of what was committed. It knows nothing of the host.

What it finds has one of these kinds:
  lost       a committed change is nowhere
  phantom    a record that no committed transaction made
  changed    a record whose values, key, table or op are not those that were written
  order      changes out of order in a partition, or of one key
  repeat     a record twice where none may be, or a repeat that is not made of whole transactions
  partition  one key in two partitions
"""

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Problem:
    kind: str
    text: str

    def __str__(self):
        return f"{self.kind}: {self.text}"


@dataclass(frozen=True)
class Item:
    """A record, taken apart. A tombstone has the position of its delete and `part` 1."""

    table: str
    key: int
    op: str
    lsn: int
    ordinal: int
    part: int
    xid: int
    row: tuple | None
    at: str

    @property
    def position(self):
        return (self.lsn, self.ordinal, self.part)


@dataclass
class Report:
    problems: list[Problem] = field(default_factory=list)
    records: int = 0
    repeated: int = 0
    replays: int = 0
    snapshot_rows: int = 0
    transactions: int = 0

    def add(self, kind: str, text: str):
        self.problems.append(Problem(kind, text))

    def kinds(self) -> set[str]:
        return {problem.kind for problem in self.problems}

    def assert_ok(self):
        if self.problems:
            counts = Counter(problem.kind for problem in self.problems)
            raise AssertionError(f"{dict(counts)}; " + "; ".join(str(problem) for problem in self.problems[:12]))
        return self


def check(records, journal, *, prefix: str, replays: str = "none", snapshot: str | None = None, tombstones: bool = True, schema: str = "public") -> Report:
    """`replays`: `none`; `whole` (whole transactions again); `cut` (the same, and a transaction may break off before it is repeated).
    `snapshot`: None, `once`, or `restarted` (cut short and begun anew: its rows may overlap the stream)."""
    report = Report(records=len(records))
    partitions = _parse(records, prefix, schema, report)
    expected = {t.xid & 0xFFFFFFFF: {(c.table, c.ordinal): c for c in t.changes} for t in journal.committed()}
    _match(partitions, expected, report)
    streamed = {(i.xid, i.table, i.ordinal) for items in partitions.values() for i in items if i.op != "r" and not i.part}
    report.transactions = len({xid for xid, _, _ in streamed})
    _complete(expected, streamed, snapshot, report)
    _sessions(journal.committed(), {xid for xid, _, _ in streamed}, report)
    if snapshot:
        _snapshot(partitions, expected, streamed, journal.initial, snapshot, report)
    elif any(i.op == "r" for items in partitions.values() for i in items):
        report.add("phantom", "snapshot rows though there is no snapshot")
    for name, items in partitions.items():
        _runs(name, items, tombstones, replays, report)
        _keys_in_order(name, items, expected, snapshot, report)
    _one_partition(partitions, report)
    if replays == "whole":
        _whole(partitions, report)
    return report


def _parse(records, prefix, schema, report) -> dict[tuple, list[Item]]:
    partitions = defaultdict(list)
    for record in sorted(records, key=lambda r: (r.topic, r.partition, r.offset)):
        items = partitions[(record.topic, record.partition)]
        at = f"{record.topic}[{record.partition}]@{record.offset}"
        table = record.topic.removeprefix(f"{prefix}.{schema}.")
        try:
            key = json.loads(record.key)["key"]
            value = None if record.value is None else json.loads(record.value)
        except (ValueError, TypeError, KeyError) as error:
            report.add("changed", f"{at} cannot be read: {error!r}")
            continue
        if value is None:
            before = items[-1] if items else None
            if before is None or before.op != "d" or before.part or before.key != key:
                report.add("order", f"{at}: a tombstone of {table} {key} that follows no delete of it")
                continue
            items.append(Item(table, key, "d", before.lsn, before.ordinal, 1, before.xid, None, at))
            continue
        after = value.get("after")
        row = tuple(after.get(name) for name in ("key", "seq", "txn", "payload")) if after else None
        if value.get("table") != table or value.get("schema") != schema or (row and row[0] != key):
            report.add("changed", f"{at}: the record says {value.get('table')} and key {row and row[0]}, the topic {table}, its key {key}")
        items.append(Item(table, key, value["op"], value["commit_lsn"], value["ordinal"], 0, value.get("xid", 0), row, at))
    return dict(partitions)


def _match(partitions, expected, report):
    """Every streamed record is a change of a committed transaction, unaltered."""
    positions = {}
    for items in partitions.values():
        for item in items:
            if item.op == "r" or item.part:
                continue
            changes = expected.get(item.xid)
            change = changes.get((item.table, item.ordinal)) if changes is not None else None
            if change is None:
                why = "was not committed" if changes is None else f"has no row {item.ordinal} in {item.table}"
                report.add("phantom", f"{item.at}: transaction {item.xid} {why} (op {item.op}, key {item.key})")
            elif (change.op, change.key, change.row) != (item.op, item.key, item.row):
                report.add("changed", f"{item.at}: {item.op} {item.key} {item.row}, written was {change.op} {change.key} {change.row}")
            if positions.setdefault(item.xid, item.lsn) != item.lsn:
                report.add("changed", f"{item.at}: transaction {item.xid} has two commit positions, {positions[item.xid]} and {item.lsn}")


def _complete(expected, streamed, snapshot, report):
    for xid, changes in expected.items():
        missing = [c for (table, ordinal), c in changes.items() if (xid, table, ordinal) not in streamed]
        if missing and not (snapshot and len(missing) == len(changes)):
            first = missing[0]
            report.add("lost", f"transaction {xid}: {len(missing)} of {len(changes)} changes, the first {first.op} {first.table} {first.key}")


def _sessions(committed, streamed, report):
    """Once a session's transaction was streamed, none of its later ones can have been left to the snapshot."""
    begun = set()
    for transaction in sorted(committed, key=lambda t: t.number):
        if transaction.xid & 0xFFFFFFFF in streamed:
            begun.add(transaction.session)
        elif transaction.session in begun:
            report.add("lost", f"transaction {transaction.xid}: nothing of it was sent, but what its session did before it was")


def _snapshot(partitions, expected, streamed, initial, mode, report):
    attempts = defaultdict(dict)
    for items in partitions.values():
        for item in items:
            if item.op != "r":
                continue
            report.snapshot_rows += 1
            rows = attempts[(item.table, item.lsn)]
            if (item.table, item.key) in rows:
                report.add("repeat", f"{item.at}: {item.table} {item.key} twice in one snapshot")
            rows[(item.table, item.key)] = item.row
    points = sorted({lsn for _, lsn in attempts})
    if len(points) > 1 and mode == "once":
        report.add("repeat", f"snapshots at {len(points)} positions")
    last = {}
    for table in {table for table, _ in attempts}:
        last.update(attempts[(table, max(lsn for name, lsn in attempts if name == table))])
    history = defaultdict(list)
    for xid, changes in expected.items():
        for change in changes.values():
            history[(change.table, change.key)].append((change.seq, change.row, (xid, change.table, change.ordinal) in streamed))
    for at in set(initial) | set(history) | set(last):
        steps = sorted(history.get(at, []), key=lambda step: step[0])
        sent = [step[2] for step in steps]
        begun = sent.index(True) if True in sent else len(sent)
        if not all(sent[begun:]):
            report.add("lost", f"{at}: a change between changes that were sent is missing")
            continue
        states = [initial.get(at)] + [row for _, row, _ in steps]
        got = last.get(at)
        allowed = states[begun:] if mode == "restarted" else [states[begun]]
        if got not in allowed:
            kind = "lost" if got is None else "phantom" if got not in states else "repeat" if got in states[begun:] else "lost"
            report.add(kind, f"{at}: the snapshot has {got}, and {allowed[0]} goes before the first streamed change")


def _runs(name, items, tombstones, replays, report):
    """The partition is one run over its changes in commit order; repeats are further runs, each from the begin of a transaction."""
    streamed = [item for item in items if item.op != "r"]
    positions = set()
    for item in streamed:
        positions.add(item.position)
        if tombstones and item.op == "d":
            positions.add((item.lsn, item.ordinal, 1))
    canonical = sorted(positions)
    first_of, last_of = {}, {}
    for index, (lsn, _, _) in enumerate(canonical):
        first_of.setdefault(lsn, index)
        last_of[lsn] = index
    previous, high = -1, -1
    for item in streamed:
        index = bisect_left(canonical, item.position)
        if index == previous + 1:
            report.repeated += index <= high
        elif index > previous:
            report.add("order", f"{item.at}: {index - previous - 1} records that go before it have not been sent yet")
        else:
            report.replays += 1
            report.repeated += 1
            if replays == "none":
                report.add("repeat", f"{item.at}: {item.op} {item.table} {item.key} again")
            elif index != first_of[item.lsn]:
                report.add("repeat", f"{item.at}: a repeat that begins inside transaction {item.xid}")
            elif replays == "whole" and previous != last_of[canonical[previous][0]]:
                report.add("repeat", f"{item.at}: a repeat after a transaction that broke off")
        previous, high = index, max(high, index)
    if previous != len(canonical) - 1:
        report.add("lost", f"{name}: it ends {len(canonical) - 1 - previous} records before its last")


def _whole(partitions, report):
    """Over all partitions, every record of a transaction is there equally often."""
    copies = defaultdict(Counter)
    for items in partitions.values():
        for item in items:
            if item.op != "r":
                copies[item.xid][(item.table, item.position)] += 1
    for xid, counts in copies.items():
        if len(set(counts.values())) > 1:
            report.add("repeat", f"transaction {xid}: some of its records came {max(counts.values())} times, some {min(counts.values())}")


def _keys_in_order(name, items, expected, snapshot, report):
    seen, newest, streaming = set(), {}, False
    for item in items:
        at = (item.table, item.key)
        if item.op == "r":
            if streaming:
                report.add("order", f"{item.at}: a snapshot row after streamed ones")
                streaming = False
            continue
        streaming = True
        if item.part or item.position in seen:
            continue
        seen.add(item.position)
        change = expected.get(item.xid, {}).get((item.table, item.ordinal))
        if change is None:
            continue
        if change.seq <= newest.get(at, -1):
            report.add("order", f"{item.at}: {item.table} {item.key}: change {change.seq} after {newest[at]}")
        newest[at] = max(change.seq, newest.get(at, -1))


def _one_partition(partitions, report):
    where = {}
    for (topic, partition), items in partitions.items():
        for item in items:
            if where.setdefault((item.table, item.key), partition) != partition:
                report.add("partition", f"{item.at}: key {item.key} is in partition {where[(item.table, item.key)]} too")
                return
