"""Transactions of any size pass with the same memory, and nobody falls silent meanwhile."""

import threading
import time

import pytest

RSS = 64 << 20


@pytest.mark.long
@pytest.mark.parametrize("own_cluster", [{"settings": {"wal_sender_timeout": "5s"}}], indirect=True)
def test_C31_rows_that_nobody_captures_then_many_that_are(own_cluster, own_kafka, long_form, streams):
    rows, captured = (2_000_000, 500_000) if long_form else (300_000, 60_000)
    database = own_cluster.create_database("huge")
    s = streams({"public.t": 48 if long_form else 8}, kafka=own_kafka, on=database, settings={"snapshot": {"mode": "never"}, "source": {"tables": {"include": ["public.t"]}}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, v text); CREATE TABLE other(id int, v text)")
    s.start()
    s.sql("BEGIN; INSERT INTO other SELECT g, 'nobody' FROM generate_series(1, %s) g; INSERT INTO t VALUES (0, 'one'); COMMIT", (rows,))
    s.reader.wait(1, seconds=120)
    s.settle(60)
    own_kafka.command("rtt 1 200")
    s.sql("INSERT INTO t SELECT g, repeat('x', 200) FROM generate_series(1, %s) g", (captured,))
    s.settle(300)
    assert sorted(k["id"] for _, k in s.ops("public.t")) == list(range(captured + 1))
    assert s.host.rss(peak=True) < RSS
    assert "terminating walsender process due to replication timeout" not in own_cluster.log()
    assert s.host.metric("cdc_reconnects_total", side="source") == 0


@pytest.mark.long
def test_memory_does_not_grow_with_the_transaction(own_kafka, long_form, streams):
    rows = 2_000_000 if long_form else 200_000
    s = streams({"public.t": 96 if long_form else 12}, kafka=own_kafka, settings={"snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE t(id bigint PRIMARY KEY, v text)")
    s.start()
    s.sql("INSERT INTO t SELECT g, 'first' FROM generate_series(-1, 0) g")
    s.settle()
    small = s.host.rss()
    s.sql("INSERT INTO t SELECT g, 'row number ' || g FROM generate_series(1, %s) g", (rows,))
    s.settle(600)
    assert s.reader.count() == rows + 2
    assert s.host.rss(peak=True) < RSS, f"{s.host.rss(peak=True) >> 20} MiB; {small >> 20} MiB before"
    assert s.host.metric("cdc_transactions_total") == 2


def test_snapshot_stays_in_its_memory(own_kafka, streams):
    s = streams({"public.t": 24}, kafka=own_kafka)
    s.sql("CREATE TABLE t(id int PRIMARY KEY, v text); INSERT INTO t SELECT g, repeat('x', 500) FROM generate_series(1, 150000) g")
    peak = [0]
    stopping = threading.Event()

    def watch():
        while not stopping.is_set():
            peak[0] = max(peak[0], s.host.rss(peak=True))
            time.sleep(0.1)
    s.start(until="starting")
    threading.Thread(target=watch, daemon=True).start()
    s.host.wait_for_event("snapshot_finished", 60)
    stopping.set()
    s.reader.wait(150000, seconds=60)
    assert max(peak[0], s.host.rss(peak=True)) < RSS


def test_one_wide_row_passes_alone(own_kafka, streams):
    s = streams({"public.t": 1}, kafka=own_kafka, settings={"snapshot": {"mode": "never"}, "limits": {"in_flight": "1MiB", "record": "16MiB"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, v text)")
    s.start()
    s.sql("INSERT INTO t VALUES (1, 'a'), (2, repeat('x', 3000000)), (3, 'b')")
    records = s.reader.wait(3, table="public.t")
    assert [r.json_key["id"] for r in records] == [1, 2, 3] and len(records[1].json["after"]["v"]) == 3000000
