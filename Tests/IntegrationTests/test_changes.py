"""Every kind of change arrives as it was committed."""

import base64

import pytest

from Support.stream import after
from Support.workload import Workload


def test_insert_update_delete(streams):
    s = streams({"public.t": 3})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, v text, n numeric(10,2), ok boolean)")
    s.start()
    s.sql("INSERT INTO t VALUES (1, 'a', 1.50, true), (2, NULL, NULL, NULL)")
    s.sql("UPDATE t SET v = 'b' WHERE id = 1")
    s.sql("DELETE FROM t WHERE id = 2")
    records = s.reader.wait(5, table="public.t")
    assert sorted(map(str, s.ops("public.t"))) == sorted(map(str, [
        ("c", {"id": 1}), ("c", {"id": 2}), ("u", {"id": 1}), ("d", {"id": 2}), ("-", {"id": 2})]))
    one = [r for r in records if r.json_key == {"id": 1}]
    assert after(one[0]) == {"id": 1, "v": "a", "n": "1.50", "ok": True}
    assert after(one[1]) == {"id": 1, "v": "b", "n": "1.50", "ok": True}
    two = [r for r in records if r.json_key == {"id": 2}]
    assert after(two[0]) == {"id": 2, "v": None, "n": None, "ok": None}
    assert two[1].json["op"] == "d" and two[1].json["before"]["id"] == 2 and "after" not in two[1].json
    assert two[2].value is None
    assert list(one[0].json) == ["op", "schema", "table", "after", "commit_lsn", "ordinal", "xid", "ts_us"]
    assert one[0].json["ordinal"] == 1 and two[0].json["ordinal"] == 3


def test_key_change_is_delete_tombstone_create(streams):
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, v text)")
    s.start()
    s.sql("INSERT INTO t VALUES (1, 'a')")
    s.sql("UPDATE t SET id = 7 WHERE id = 1")
    records = s.reader.wait(4, table="public.t")
    assert s.ops("public.t") == [("c", {"id": 1}), ("d", {"id": 1}), ("-", {"id": 1}), ("c", {"id": 7})]
    assert after(records[3]) == {"id": 7, "v": "a"}
    assert [records[1].json["ordinal"], records[3].json["ordinal"]] == [1, 2]
    assert records[1].json["commit_lsn"] == records[3].json["commit_lsn"]


def test_rollback_and_savepoints(streams):
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, v text)")
    s.start()
    connection = s.database.connect(autocommit=False)
    cursor = connection.cursor()
    cursor.execute("INSERT INTO t VALUES (1, 'never')")
    connection.rollback()
    cursor.execute("INSERT INTO t VALUES (2, 'a'); SAVEPOINT x; INSERT INTO t VALUES (3, 'never'); ROLLBACK TO x; INSERT INTO t VALUES (4, 'b')")
    connection.commit()
    connection.close()
    s.settle()
    assert s.ops("public.t") == [("c", {"id": 2}), ("c", {"id": 4})]
    assert [r.json["ordinal"] for r in s.reader.topic("public.t")] == [1, 3]


def test_several_tables_in_one_transaction(streams):
    s = streams({"public.a": 1, "public.b": 1})
    s.sql("CREATE TABLE a(id int PRIMARY KEY); CREATE TABLE b(id int PRIMARY KEY)")
    s.start()
    s.sql("BEGIN; INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); INSERT INTO a VALUES (2); COMMIT")
    records = s.reader.wait(3)
    assert len({(r.json["commit_lsn"], r.json["xid"]) for r in records}) == 1
    assert sorted((r.json["ordinal"], r.json["table"]) for r in records) == [(1, "a"), (3, "b"), (5, "a")]


def test_concurrent_writers(streams):
    s = streams({"public.led_0": 3, "public.led_1": 1, "public.led_2": 2})
    workload = Workload(s.database, tables=3, writers=4, seed=11).create()
    s.host.settings["snapshot"] = {"mode": "never"}
    s.host.write()
    s.start()
    workload.run(5)
    s.settle()
    report = s.check(workload)
    assert report.transactions > 200 and report.repeated == 0


def test_column_added_while_running(streams):
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, v text)")
    s.start()
    s.sql("INSERT INTO t VALUES (1, 'a')")
    s.sql("ALTER TABLE t ADD COLUMN w int DEFAULT 5")
    s.sql("INSERT INTO t VALUES (2, 'b', 6)")
    s.sql("ALTER TABLE t DROP COLUMN v")
    s.sql("UPDATE t SET w = 7 WHERE id = 1")
    s.sql("ALTER TABLE t RENAME COLUMN w TO x")
    s.sql("INSERT INTO t VALUES (3, 8)")
    records = s.reader.wait(4, table="public.t")
    assert [after(r) for r in records] == [{"id": 1, "v": "a"}, {"id": 2, "v": "b", "w": 6}, {"id": 1, "w": 7}, {"id": 3, "x": 8}]


def test_table_created_while_running_waits_for_the_next_start(streams):
    s = streams({"public.t": 1, "public.late": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    s.sql("CREATE TABLE late(id int PRIMARY KEY); INSERT INTO late VALUES (1); INSERT INTO t VALUES (1)")
    s.settle()
    assert s.host.stop() == 0
    s.start()
    s.sql("INSERT INTO late VALUES (2)")
    s.settle()
    assert s.ops("public.late") == [("c", {"id": 2})]
    assert any("late" in line and " warning " in line for line in s.host.log().splitlines()), "older rows were left out without a word"


def test_messages(streams):
    s = streams({"public.t": 1, "message": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    s.sql("SELECT pg_logical_emit_message(false, 'note', 'loose')")
    s.sql("BEGIN; INSERT INTO t VALUES (1); SELECT pg_logical_emit_message(true, 'note', 'inside'); COMMIT")
    records = s.reader.wait(2, table="message")
    assert [r.json_key for r in records] == [{"prefix": "note"}] * 2
    assert [base64.b64decode(r.json["content"]) for r in records] == [b"loose", b"inside"]
    assert [r.json["op"] for r in records] == ["m", "m"]
    assert records[0].json.get("xid", 0) == 0
    row = s.reader.wait(1, table="public.t")[0]
    assert (records[1].json["xid"], records[1].json["commit_lsn"]) == (row.json["xid"], row.json["commit_lsn"])


def truncates(streams, codec: dict):
    s = streams({"public.a1": 1, "public.b1": 1, "public.n1": 1, "public.o": 1}, codec=codec,
                settings={"source": {"tables": {"exclude": ["public.n1"]}}, "snapshot": {"mode": "never"}})
    s.sql("""
        CREATE TYPE mood AS ENUM ('sad', 'ok');
        CREATE TABLE a1(id int PRIMARY KEY); CREATE TABLE b1(id int PRIMARY KEY REFERENCES a1); CREATE TABLE n1(id int PRIMARY KEY REFERENCES a1);
        CREATE TABLE o(id int PRIMARY KEY, m mood)""")
    s.start()
    s.sql("INSERT INTO o VALUES (1, 'sad')")
    origin = s.name + "_up1"
    s.sql("SELECT pg_replication_origin_create(%s)", (origin,))
    s.sql("SELECT pg_replication_origin_session_setup(%s); INSERT INTO o VALUES (2, 'ok')", (origin,))
    s.sql("TRUNCATE a1 RESTART IDENTITY CASCADE")
    s.sql("INSERT INTO a1 VALUES (5)")
    s.settle()
    s.sql("SELECT pg_replication_origin_drop(%s)", (origin,))
    return s, origin


@pytest.mark.parametrize("form", ["debezium", "compact"])
def test_C07_truncate_type_and_origin_messages_default(streams, form):
    s, _ = truncates(streams, {"format": form})
    assert [after(r) for r in s.reader.topic("public.o")] == [{"id": 1, "m": "sad"}, {"id": 2, "m": "ok"}]
    assert s.ops("public.a1") == [("c", {"id": 5})] and s.ops("public.b1") == [] == s.ops("public.n1")
    count = s.reader.count()
    assert s.host.stop() == 0
    s.start()
    assert len(s.settle()) == count, "a restart repeated something"


@pytest.mark.parametrize("form", ["debezium", "compact"])
def test_C07_truncate_events_on(streams, form):
    s, origin = truncates(streams, {"format": form, "skipped_operations": []})
    if form == "debezium":
        assert [r.json["source"]["origin"] for r in s.reader.topic("public.o")] == [None, origin]
    first, second = s.reader.topic("public.a1")[0], s.reader.topic("public.b1")[0]
    for record in (first, second):
        assert (record.key, record.json["op"], record.json.get("before"), record.json.get("after")) == (None, "t", None, None)
    if form == "compact":
        assert first.json["commit_lsn"] == second.json["commit_lsn"] and first.json["ordinal"] < second.json["ordinal"]
    assert [r.json["op"] for r in s.reader.topic("public.a1")] == ["t", "c"]
    assert [r.json["op"] for r in s.reader.topic("public.b1")] == ["t"] and s.reader.topic("public.n1") == []
    count = s.reader.count()
    assert s.host.stop() == 0
    s.start()
    assert len(s.settle()) == count
