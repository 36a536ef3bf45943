"""Keys: out of line, by another index, full, none, of several columns."""

import pytest

from Support.stream import after


@pytest.mark.parametrize("form", ["debezium", "compact"])
def test_C23_key_stored_out_of_line(streams, form):
    s = streams({"public.k": 3}, codec={"format": form})
    s.sql("CREATE TABLE k(id text PRIMARY KEY, v int, pad text); ALTER TABLE k ALTER id SET STORAGE EXTERNAL, ALTER pad SET STORAGE PLAIN")
    s.start()
    s.sql("INSERT INTO k SELECT string_agg(md5('x'), ''), 1, repeat('p', 400) FROM generate_series(1, 60)")
    s.sql("UPDATE k SET v = 2")
    s.sql("UPDATE k SET id = (SELECT string_agg(md5('y'), '') FROM generate_series(1, 60))")
    s.sql("DELETE FROM k")
    records = s.reader.wait(7, table="public.k")
    old, new = (s.sql("SELECT string_agg(md5(%s), '') FROM generate_series(1, 60)", (x,))[0][0] for x in "xy")
    by_key = lambda key: [r for r in records if r.json_key == {"id": key}]
    assert [("-" if r.value is None else r.json["op"]) for r in by_key(old)] == ["c", "u", "d", "-"]
    assert [("-" if r.value is None else r.json["op"]) for r in by_key(new)] == ["c", "d", "-"]
    assert after(by_key(old)[1])["id"] == old and after(by_key(old)[1])["v"] == 2 and after(by_key(new)[0])["id"] == new
    for key in (old, new):
        assert len({r.partition for r in by_key(key)}) == 1
    assert len(by_key(old)) + len(by_key(new)) == 7
    assert by_key(old)[2].json["before"]["id"] == old and by_key(new)[1].json["before"]["id"] == new
    position = (lambda r: r.json["source"]["lsn"]) if form == "debezium" else (lambda r: (r.json["commit_lsn"], r.json["ordinal"]))
    # The delete of the old key and the create of the new one are one change: in Debezium's records they share its position.
    assert position(by_key(old)[1]) < position(by_key(old)[2]) <= position(by_key(new)[0]) < position(by_key(new)[1])


@pytest.mark.parametrize("form", ["debezium", "compact"])
def test_C24_identity_by_another_index(streams, form):
    s = streams({"public.u": 1}, codec={"format": form})
    s.sql("CREATE TABLE u(a int PRIMARY KEY, b text NOT NULL UNIQUE, c int); ALTER TABLE u REPLICA IDENTITY USING INDEX u_b_key")
    s.start()
    for statement in ("INSERT INTO u VALUES (1, 'one', 1)", "UPDATE u SET c = 2", "UPDATE u SET b = 'uno'", "UPDATE u SET a = 9", "DELETE FROM u"):
        s.sql(statement)
    records = s.reader.wait(8, table="public.u")
    one, uno = {"b": "one"}, {"b": "uno"}
    assert s.ops("public.u") == [("c", one), ("u", one), ("d", one), ("-", one), ("c", uno), ("u", uno), ("d", uno), ("-", uno)]
    before = records[6].json["before"]
    assert before["b"] == "uno" and before.get("a") is None and before.get("c") is None


def test_full_identity_has_the_old_row(streams):
    s = streams({"public.f": 1})
    s.sql("CREATE TABLE f(id int PRIMARY KEY, v text, big text); ALTER TABLE f REPLICA IDENTITY FULL; ALTER TABLE f ALTER big SET STORAGE EXTERNAL")
    s.start()
    s.sql("INSERT INTO f VALUES (1, 'a', repeat('z', 9000))")
    s.sql("UPDATE f SET v = 'b'")
    s.sql("DELETE FROM f")
    records = s.reader.wait(4, table="public.f")
    big = "z" * 9000
    assert records[1].json["before"] == {"id": 1, "v": "a", "big": big} and after(records[1]) == {"id": 1, "v": "b", "big": big}
    assert records[2].json["before"] == {"id": 1, "v": "b", "big": big}


def test_unchanged_value_is_named_and_never_null(streams):
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, v int, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL")
    s.start()
    s.sql("INSERT INTO t VALUES (1, 1, repeat('z', 9000))")
    s.sql("UPDATE t SET v = 2")
    record = s.reader.wait(2, table="public.t")[1]
    assert after(record) == {"id": 1, "v": 2} and record.json["unchanged"] == ["big"]


def test_several_key_columns_and_message_key_columns(streams):
    s = streams({"public.m": 1, "public.o": 1}, codec={"message_key_columns": {"public.o": ["customer"]}})
    s.sql("CREATE TABLE m(b int, a text, v int, PRIMARY KEY(a, b)); CREATE TABLE o(id int PRIMARY KEY, customer int NOT NULL)")
    s.sql("ALTER TABLE o REPLICA IDENTITY FULL")
    s.start()
    s.sql("INSERT INTO m VALUES (1, 'x', 0); INSERT INTO o VALUES (5, 77)")
    assert s.reader.wait(1, table="public.m")[0].json_key == {"a": "x", "b": 1}
    assert s.reader.wait(1, table="public.o")[0].json_key == {"customer": 77}


def test_append_only_table_has_no_key(streams):
    s = streams({"public.log": 3}, settings={"source": {"publication": {"manage": False}}, "snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE log(v int); ALTER TABLE log REPLICA IDENTITY FULL")
    s.sql(f"CREATE PUBLICATION cdc_{s.name} FOR TABLE log")
    s.start()
    s.sql("INSERT INTO log SELECT generate_series(1, 20)")
    s.sql("DELETE FROM log WHERE v = 1")
    s.settle()
    records = [r for r in s.reader.topic("public.log") if r.value is not None]
    assert {r.key for r in records} == {None} and len({r.partition for r in records}) == 1
    assert [r.json["op"] for r in records] == ["c"] * 20 + ["d"] and records[-1].json["before"] == {"v": 1}
