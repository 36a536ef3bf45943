"""The rows that were there before: once, whole, and met by the stream without a gap."""

import time

import pytest

from Support.stream import after
from Support.workload import Workload


def test_snapshot_under_concurrent_writers(streams):
    s = streams({"public.led_0": 3, "public.led_1": 1})
    workload = Workload(s.database, tables=2, writers=3, seed=21).create(initial_rows=3000)
    workload.start()
    s.start(seconds=60)
    s.host.wait_for_event("snapshot_finished")
    time.sleep(1.5)
    workload.stop()
    s.settle()
    report = s.check(workload, snapshot="once")
    assert report.snapshot_rows >= 6000 and report.transactions > 20
    names = [event["event"] for event in s.host.events()]
    assert names.index("starting") < names.index("snapshot_started") < names.index("snapshot_finished") < names.index("streaming")
    assert s.host.metric("cdc_snapshot_rows_total", table="public.led_0") + s.host.metric("cdc_snapshot_rows_total", table="public.led_1") == report.snapshot_rows
    assert s.host.metric("cdc_snapshot_fraction") == 1


def test_snapshot_happens_once(streams):
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)")
    s.start()
    assert len(s.reader.wait(1000, table="public.t")) == 1000
    s.settle()
    assert s.host.stop() == 0
    s.start()
    s.sql("INSERT INTO t VALUES (1001)")
    s.settle()
    assert [op for op, _ in s.ops("public.t")] == ["r"] * 1000 + ["c"]
    reads = s.reader.topic("public.t")[:1000]
    assert len({r.json["commit_lsn"] for r in reads}) == 1
    assert sorted(r.json["ordinal"] for r in reads) == sorted(set(r.json["ordinal"] for r in reads))


def test_partitioned_table_comes_once(streams):
    s = streams({"public.sales": 1})
    s.sql("""CREATE TABLE sales(id int, region text, v int, PRIMARY KEY(id, region)) PARTITION BY LIST (region);
             CREATE TABLE sales_eu PARTITION OF sales FOR VALUES IN ('EU') PARTITION BY RANGE (id);
             CREATE TABLE sales_eu_1 PARTITION OF sales_eu FOR VALUES FROM (0) TO (100);
             CREATE TABLE sales_us PARTITION OF sales FOR VALUES IN ('US');
             INSERT INTO sales VALUES (1, 'EU', 1), (2, 'US', 2)""")
    s.start()
    s.sql("INSERT INTO sales VALUES (3, 'US', 3); UPDATE sales SET v = 4 WHERE id = 1")
    s.settle()
    assert sorted((r.json["op"], r.json_key["id"]) for r in s.reader.all()) == [("c", 3), ("r", 1), ("r", 2), ("u", 1)]
    assert {r.topic for r in s.reader.all()} == {f"{s.name}.public.sales"}


def test_row_filter_and_column_list(streams):
    s = streams({"public.f": 1}, settings={"source": {"rows": {"public.f": "region = 'EU'"}, "columns": {"exclude": ["public.f.secret"]}}})
    s.sql("CREATE TABLE f(id int, region text, v int, secret text, PRIMARY KEY(id, region)); INSERT INTO f VALUES (1, 'EU', 1, 's'), (2, 'US', 2, 's')")
    s.start()
    s.sql("UPDATE f SET region = 'US' WHERE id = 1")
    s.sql("UPDATE f SET region = 'EU' WHERE id = 2")
    s.sql("UPDATE f SET v = 5 WHERE id = 2")
    s.sql("DELETE FROM f")
    s.settle()
    eu = lambda i: {"id": i, "region": "EU"}
    assert s.ops("public.f") == [("r", eu(1)), ("d", eu(1)), ("-", eu(1)), ("c", eu(2)), ("u", eu(2)), ("d", eu(2)), ("-", eu(2))]
    assert all("secret" not in (r.value or b"").decode() for r in s.reader.topic("public.f"))
    assert after(s.reader.topic("public.f")[0]) == {"id": 1, "region": "EU", "v": 1}


def test_initial_only_ends_by_itself(streams):
    s = streams({"public.t": 1}, settings={"snapshot": {"mode": "initial_only"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 500)")
    s.start(until="snapshot_finished")
    assert s.host.wait_exit(30) == 0
    assert len(s.reader.wait(500, table="public.t")) == 500
    assert s.database.slot(s.slot) is None or not s.database.slot(s.slot)["active"]


def test_never_sends_only_what_comes(streams):
    s = streams({"public.t": 1}, settings={"snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    s.start()
    s.sql("INSERT INTO t VALUES (2)")
    s.settle()
    assert s.ops("public.t") == [("c", {"id": 2})]


def test_empty_tables_and_tables_without_rows_to_send(streams):
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY); CREATE TABLE empty(id int PRIMARY KEY)")
    s.start()
    s.sql("INSERT INTO t VALUES (1)")
    assert len(s.settle()) == 1


@pytest.mark.parametrize("statement, rows, said", [
    ("ALTER TABLE b ALTER v TYPE bigint", {1: 1, 2: 2}, "snapshot_restarted"),
    ("ALTER TABLE b ALTER v TYPE text USING 'x' || v", {1: "x1", 2: "x2"}, "snapshot_restarted"),
    ("ALTER TABLE b DROP COLUMN w", {1: 1, 2: 2}, "snapshot_restarted"),
    ("DROP TABLE b", {}, "snapshot_restarted"),
    ("ALTER TABLE b ADD z timestamptz DEFAULT clock_timestamp()", {1: 1, 2: 2}, "snapshot_renewed"),
    ("TRUNCATE b; INSERT INTO b VALUES (3, 3, 3)", {3: 3}, "snapshot_renewed"),
])
def test_a_table_that_changes_before_its_turn(streams, own_kafka, statement, rows, said):
    """What rewrites a table hides its rows from older snapshots: read as empty, they would be lost without a word."""
    s = streams({"public.a": 8, "public.b": 1}, kafka=own_kafka, settings={"batch": {"rows": 64}, "limits": {"in_flight": "1MiB"}})
    s.sql("CREATE TABLE a(id int PRIMARY KEY, v text); CREATE TABLE b(id int PRIMARY KEY, v int, w int)")
    s.sql("INSERT INTO a SELECT g, repeat('x', 600) FROM generate_series(1, 10000) g; INSERT INTO b VALUES (1, 1, 1), (2, 2, 2)")
    s.start(until="snapshot_started")
    own_kafka.freeze()
    time.sleep(0.5)
    s.sql(statement)
    own_kafka.thaw()
    s.host.wait_for_event("streaming", 40)
    s.settle(40)
    assert s.host.events(said)
    state = {}
    for record in s.reader.topic("public.b"):
        state[record.json_key["id"]] = after(record)["v"]
    assert state == rows
    assert {k["id"] for _, k in s.ops("public.a")} == set(range(1, 10001))
