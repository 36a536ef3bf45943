"""The checker itself, without services: it passes what is right and finds each kind of wrong."""

import json
import random
from types import SimpleNamespace

import pytest

from Support.checker import check
from Support.workload import Change, Journal, Transaction, payload

PARTITIONS = 2


def make_journal(seed: int = 7, transactions: int = 60) -> Journal:
    rng, journal, live, seq = random.Random(seed), Journal(), {}, 0
    for number in range(1, transactions + 1):
        transaction = Transaction(number, 700 + number, committed=number % 9 != 0)
        trial = dict(live)
        for n in range(1, rng.randint(2, 6)):
            seq += 1
            table, key = rng.choice(["a", "b"]), rng.randrange(8)
            row = (key, seq, number, payload(table, key, seq))
            if (table, key) not in trial:
                change = Change(table, "c", key, seq, row, 2 * n - 1)
            elif rng.random() < 0.3:
                change = Change(table, "d", key, seq, None, 2 * n - 1)
            else:
                change = Change(table, "u", key, seq, row, 2 * n - 1)
            trial[(table, key)] = row
            if change.op == "d":
                del trial[(table, key)]
            transaction.changes.append(change)
        if transaction.committed:
            live = trial
        journal.add(transaction)
    return journal


def record(topic, partition, key, value):
    return SimpleNamespace(topic=topic, partition=partition, offset=0, key=json.dumps({"key": key}).encode(), value=value and json.dumps(value).encode())


def row_value(row):
    return dict(zip(("key", "seq", "txn", "payload"), row))


def of_transaction(transaction):
    records = []
    for change in transaction.changes:
        where = (f"p.public.{change.table}", change.key % PARTITIONS, change.key)
        value = {"op": change.op, "schema": "public", "table": change.table, "commit_lsn": 1000 + transaction.number * 10, "ordinal": change.ordinal,
                 "xid": transaction.xid}
        if change.row:
            value["after"] = row_value(change.row)
        else:
            value["before"] = {"key": change.key}
        records.append(record(*where, value))
        if change.op == "d":
            records.append(record(*where, None))
    return records


def delivered(journal) -> list:
    return [r for t in sorted(journal.committed(), key=lambda t: t.number) for r in of_transaction(t)]


def numbered(records) -> list:
    """Gives offsets in the order of the list."""
    counts, result = {}, []
    for r in records:
        at = (r.topic, r.partition)
        counts[at] = counts.get(at, -1) + 1
        result.append(SimpleNamespace(**dict(vars(r), offset=counts[at])))
    return result


def verdict(journal, records, **options):
    return check(numbered(records), journal, prefix="p", **options)


@pytest.fixture
def journal():
    return make_journal()


def test_what_is_right_passes(journal):
    report = verdict(journal, delivered(journal)).assert_ok()
    assert report.transactions == len(journal.committed()) and report.repeated == 0


def test_finds_every_removed_record(journal):
    records = delivered(journal)
    for gone in range(len(records)):
        kinds = verdict(journal, records[:gone] + records[gone + 1:], replays="cut").kinds()
        assert kinds & {"lost", "order"}, f"record {gone} was not missed"


def test_finds_a_missing_transaction_and_a_missing_end(journal):
    records = delivered(journal)
    lsn = json.loads(next(r for r in records[20:] if r.value).value)["commit_lsn"]
    without = [r for r in records if r.value and json.loads(r.value)["commit_lsn"] != lsn]
    assert "lost" in verdict(journal, without, replays="cut", tombstones=False).kinds()
    assert "lost" in verdict(journal, records[:-9], replays="cut").kinds()


def test_finds_a_swapped_pair(journal):
    records = delivered(journal)
    swapped = 0
    for i in range(len(records) - 1):
        for j in range(i + 1, min(i + 8, len(records))):
            if (records[i].topic, records[i].partition) == (records[j].topic, records[j].partition) and records[i].value and records[j].value:
                other = list(records)
                other[i], other[j] = other[j], other[i]
                assert verdict(journal, other, replays="cut").problems, f"{i} and {j}"
                swapped += 1
                break
    assert swapped > 20


def test_finds_a_phantom(journal):
    aborted = next(t for t in journal.transactions.values() if not t.committed)
    records = delivered(journal)
    assert "phantom" in verdict(journal, records + of_transaction(aborted), replays="cut").kinds()
    made_up = Transaction(99, 4711, [Change("a", "c", 3, 9999, (3, 9999, 99, "x"), 1)], True)
    assert "phantom" in verdict(journal, records + of_transaction(made_up), replays="cut").kinds()


def test_finds_a_changed_value(journal):
    records = delivered(journal)
    for i, r in enumerate(records):
        value = json.loads(r.value) if r.value else None
        if value and value.get("after"):
            value["after"]["payload"] += "x"
            records[i] = record(r.topic, r.partition, json.loads(r.key)["key"], value)
            break
    assert "changed" in verdict(journal, records).kinds()


def test_repeats_of_whole_transactions_only(journal):
    committed = sorted(journal.committed(), key=lambda t: t.number)
    head, tail = committed[:30], committed[30:]
    first = [r for t in head for r in of_transaction(t)]
    again = [r for t in committed[25:] for r in of_transaction(t)]
    whole = first + again
    report = verdict(journal, whole, replays="whole").assert_ok()
    assert report.repeated and report.replays
    assert "repeat" in verdict(journal, whole, replays="none").kinds()
    # The last transaction before the repeat breaks off: only right after a kill.
    broken = first + of_transaction(tail[0])[:1] + again
    assert verdict(journal, broken, replays="cut").problems == []
    assert "repeat" in verdict(journal, broken, replays="whole").kinds()
    # A repeat that begins inside a transaction.
    long = max(range(10, 30), key=lambda i: len([c for c in committed[i].changes if c.key % 2 == 0 and c.table == "a"]))
    begin = of_transaction(committed[long])
    one = [r for r in begin if (r.topic, r.partition) == ("p.public.a", 0)]
    assert len(one) > 1
    inside = [r for t in committed[:long + 1] for r in of_transaction(t)] + one[1:] + [r for t in committed[long + 1:] for r in of_transaction(t)]
    assert "repeat" in verdict(journal, inside, replays="cut").kinds()


def test_snapshot_and_stream_meet(journal):
    committed = sorted(journal.committed(), key=lambda t: t.number)
    for cut in (1, 20, 40):
        state = {}
        for transaction in committed[:cut]:
            for change in transaction.changes:
                state[(change.table, change.key)] = change.row
        state = {at: row for at, row in state.items() if row}
        reads = []
        for n, ((table, key), row) in enumerate(sorted(state.items())):
            value = {"op": "r", "schema": "public", "table": table, "after": row_value(row), "commit_lsn": 1001 + committed[cut - 1].number * 10, "ordinal": n}
            reads.append(record(f"p.public.{table}", key % PARTITIONS, key, value))
        stream = [r for t in committed[cut:] for r in of_transaction(t)]
        verdict(journal, reads + stream, snapshot="once").assert_ok()
        assert "lost" in verdict(journal, reads[1:] + stream, snapshot="once").kinds()
        twice = [r for t in committed[cut - 1:] for r in of_transaction(t)]
        assert "repeat" in verdict(journal, reads + twice, snapshot="once").kinds()
        verdict(journal, reads + twice, snapshot="restarted").assert_ok()
        missing = [r for t in committed[cut + 1:] for r in of_transaction(t)]
        assert "lost" in verdict(journal, reads + missing, snapshot="once").kinds()


def test_finds_a_transaction_that_no_snapshot_can_have_had(journal):
    """Its rows were deleted again before the snapshot, so that nothing but the order in its session tells."""
    delivered_before, gone, after = (Transaction(n, 9000 + n, [], True) for n in (901, 902, 903))
    delivered_before.changes.append(Change("a", "c", 101, 9001, (101, 9001, 901, "x"), 1))
    gone.changes.append(Change("a", "c", 103, 9002, (103, 9002, 902, "x"), 1))
    after.changes.append(Change("a", "d", 103, 9003, None, 1))
    sent = Journal()
    for transaction in (delivered_before, gone, after):
        sent.add(transaction)
    verdict(sent, [r for t in (delivered_before, gone, after) for r in of_transaction(t)], snapshot="restarted").assert_ok()
    assert "lost" in verdict(sent, [r for t in (delivered_before, after) for r in of_transaction(t)], snapshot="restarted").kinds()


@pytest.mark.parametrize("mode", ["once", "restarted"])
def test_finds_a_row_that_the_snapshot_brings_back(journal, mode):
    """A snapshot's row behind the row's delete, moved there or once more."""
    read = record("p.public.a", 0, 200, {"op": "r", "schema": "public", "table": "a", "after": row_value((200, 0, 0, "x")), "commit_lsn": 1000, "ordinal": 1})
    journal.initial[("a", 200)] = (200, 0, 0, "x")
    journal.add(Transaction(999, 8999, [Change("a", "d", 200, 9999, None, 1)], True))
    records = delivered(journal)
    verdict(journal, [read, *records], snapshot=mode).assert_ok()
    assert verdict(journal, [*records, read], snapshot=mode).problems
    assert verdict(journal, [read, *records, read], snapshot=mode).problems


def test_one_key_in_two_partitions(journal):
    records = delivered(journal)
    moved = next(i for i in range(len(records) - 1, 0, -1) if records[i].value)
    records[moved] = SimpleNamespace(**dict(vars(records[moved]), partition=1 - records[moved].partition))
    assert "partition" in verdict(journal, records, replays="cut").kinds()
