"""Values keep every digit and character, by snapshot and by stream."""

import base64
import json

import pytest

from Support.stream import after, fresh_name

AWKWARD = {
    "datestyle": "'German, DMY'", "intervalstyle": "'iso_8601'", "bytea_output": "'escape'", "timezone": "'Europe/Amsterdam'", "extra_float_digits": "0",
}


@pytest.mark.parametrize("where", ["role", "database"])
def test_C02_display_settings_of_role_and_database(streams, database, cluster, where):
    role = fresh_name("role")
    cluster.sql(f"CREATE ROLE {role} LOGIN SUPERUSER")
    for name, value in AWKWARD.items():
        cluster.sql(f"ALTER ROLE {role} SET {name} = {value}" if where == "role" else f'ALTER DATABASE "{database.name}" SET {name} = {value}')
    s = streams({"public.ts": 1}, user=role, codec={"format": "debezium"})
    row = "'1800-01-01 00:00:00+00', '1 year 2 mons -3 days 04:05:06.789', '\\x00ff5c27', '2024-02-01', 0.1::float8 + 0.2::float8"
    s.sql("CREATE TABLE ts(id int PRIMARY KEY, a timestamptz, b interval, c bytea, d date, f float8)")
    s.sql(f"INSERT INTO ts VALUES (1, {row})")
    s.start()
    s.sql(f"INSERT INTO ts VALUES (2, {row})")
    for record in s.reader.wait(2, table="public.ts"):
        value = after(record)
        assert value["a"] == "1800-01-01T00:00:00.000000Z"
        assert value["b"] == 36572706789000
        assert value["c"] == "AP9cJw=="
        assert value["d"] == 19754
        assert value["f"] == 0.30000000000000004
    s.host.destroy()
    database.drop()
    cluster.sql(f"DROP ROLE {role}")


@pytest.mark.parametrize("mode", ["precise", "string"])
def test_C03_numbers_that_a_double_cannot_hold(streams, mode):
    s = streams({"public.n": 1}, codec={"format": "debezium", "decimal_handling_mode": mode})
    s.sql("CREATE TABLE n(id bigint PRIMARY KEY, j jsonb, f float8, x numeric)")
    insert = """INSERT INTO n VALUES (%s, '{"n":12345678901234567890,"f":0.10}', -216237.0000003597, 0.00000000000000006938893903907228)"""
    s.sql(insert, (9007199254740993,))
    s.start()
    s.sql(insert, (9007199254740995,))
    records = s.reader.wait(2, table="public.n")
    assert [r.key for r in records] == [b'{"id":9007199254740993}', b'{"id":9007199254740995}']
    for record in records:
        assert after(record)["j"] == '{"f": 0.10, "n": 12345678901234567890}'
        assert after(record)["f"] == -216237.0000003597
        x = after(record)["x"]
        assert x == ({"scale": 32, "value": "GKbjIkbJnA=="} if mode == "precise" else "0.00000000000000006938893903907228")


def test_C03_compact(streams):
    s = streams({"public.n": 1})
    s.sql("CREATE TABLE n(id bigint PRIMARY KEY, j jsonb, f float8, x numeric, nan float8)")
    s.start()
    s.sql("""INSERT INTO n VALUES (9007199254740993, '{"n":12345678901234567890,"f":0.10}', -216237.0000003597, 0.00000000000000006938893903907228, 'NaN')""")
    record = s.reader.wait(1, table="public.n")[0]
    assert record.key == b'{"id":9007199254740993}'
    assert b'"j":{"f": 0.10, "n": 12345678901234567890}' in record.value and b'"id":9007199254740993' in record.value
    assert after(record)["x"] == "0.00000000000000006938893903907228" and after(record)["f"] == -216237.0000003597
    assert after(record)["nan"] == "NaN"


C16_COLUMNS = {
    "a": ("int2", "-32768"), "b": ("int8", "9223372036854775807"), "c": ("numeric", "123.4500"), "d": ("numeric(10,2)", "-0.05"), "e": ("float4", "1.5e-10"),
    "f": ("bool", "true"), "g5": ("char(5)", "'ab'"), "h": ("varchar", "'x y'"), "i": ("text", "'größe'"), "j": ("bytea", "'\\x00ff'"),
    "k": ("date", "'2024-02-29'"), "l": ("time(3)", "'23:59:59.999'"), "m": ("time(6)", "'00:00:00.000001'"), "n": ("timetz", "'10:00:00+02'"),
    "o": ("timestamp(3)", "'2024-01-01 10:00:00.123'"), "p": ("timestamp", "'2024-01-01 10:00:00.123456'"), "q": ("timestamptz(2)", "'2024-01-01 10:00:00.12+05'"),
    "r": ("interval", "'1 year 2 mons -3 days 04:05:06.789'"), "s": ("uuid", "'b68a35a7-17ad-35b3-af2a-ae46edb4545a'"), "t": ("json", "'{\"a\" : [1, 2]}'"),
    "u": ("jsonb", "'{\"b\": null}'"), "v": ("xml", "'<a/>'"), "w": ("inet", "'10.0.0.1/8'"), "x": ("macaddr", "'08:00:2b:01:02:03'"), "y": ("bit(1)", "B'1'"),
    "z": ("bit(9)", "B'100000001'"), "aa": ("varbit", "B'101'"), "ab": ("money", "12.5"), "ac": ("int4range", "'[1,5)'"), "ad": ("mood", "'ok'"),
    "ae": ("mood[]", "'{ok,sad}'"), "af": ("amount", "1.500"), "ag": ("pair", "'(1,2)'"), "ah": ("point", "'(1,2)'"), "ai": ("int[]", "'{1,NULL,3}'"),
}


@pytest.mark.parametrize("form", ["debezium", "compact"])
def test_C16_the_same_row_by_snapshot_and_by_stream(streams, form):
    s = streams({"public.w": 1}, codec={"format": form})
    s.sql("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN amount AS numeric(6,3); CREATE TYPE pair AS (x int, y int)")
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in C16_COLUMNS.items())
    s.sql(f"CREATE TABLE w(id int PRIMARY KEY, {columns}, gen int GENERATED ALWAYS AS (id * 0 + 7) STORED)")
    names, values = ", ".join(C16_COLUMNS), ", ".join(value for _, value in C16_COLUMNS.values())
    def insert(full, empty):
        s.sql(f"INSERT INTO w(id, {names}) VALUES ({full}, {values})")
        s.sql(f"INSERT INTO w(id) VALUES ({empty})")
    insert(1, 2)
    s.start()
    insert(3, 4)
    rows = {r.json_key["id"]: r for r in s.reader.wait(4, table="public.w")}
    for snapshot, stream in ((1, 3), (2, 4)):
        def cut(record):
            text = record.value.decode()
            return text[text.index('"after":'):text.index('"source":' if form == "debezium" else '"commit_lsn":')].replace(f'"id":{record.json_key["id"]}', '"id":0', 1)
        assert cut(rows[snapshot]) == cut(rows[stream])
    assert rows[1].json["op"] == "r" and rows[3].json["op"] == "c"
    assert [name for name, value in after(rows[1]).items() if value is None] == []
    assert {name for name, value in after(rows[2]).items() if value is not None} == {"id"}
    assert "gen" not in after(rows[1]), "this server does not send generated columns, so the snapshot must not either"
    assert set(after(rows[1])) == set(after(rows[3])) == set(after(rows[2]))


@pytest.mark.parametrize("form", ["debezium", "compact"])
def test_C17_copied_text(streams, form):
    s = streams({"public.c": 1}, codec={"format": form})
    s.sql("CREATE TABLE c(id int PRIMARY KEY, a text, b text, j json, y bytea)")
    texts = ["\\N", None, "", "\t\n\r\v\b", "end\\", "\\x41", "\\101", "\\.", "\\" * 20000, "\x01\x7f", "\u2028😀\"/"]
    connection = s.database.connect()
    cursor = connection.cursor()

    def insert(base):
        for i, text in enumerate(texts):
            cursor.execute("INSERT INTO c VALUES (%s, %s, %s, %s, %s)", (base + i, text, text, '["+1\\n2","\\\\N"]', bytes.fromhex("5c4e0a09")))
    insert(0)
    s.start()
    insert(100)
    connection.close()
    rows = {r.json_key["id"]: after(r) for r in s.reader.wait(2 * len(texts), table="public.c")}
    for i, text in enumerate(texts):
        for row in (rows[i], rows[100 + i]):
            assert (row["a"], row["b"]) == (text, text), f"text {i}"
            assert row["y"] == "XE4KCQ==" and base64.b64decode(row["y"]) == b"\\N\n\t"
            # Debezium's JSON is a string: its text; the compact one is itself.
            assert (json.loads(row["j"]) if form == "debezium" else row["j"]) == ["+1\n2", "\\N"]


@pytest.mark.parametrize("form", ["debezium", "compact"])
def test_C33_a_plugin_that_damages_text(streams, c_plugin, form):
    """Bytes that are not UTF-8 end the stream before the row, with a line that says where; they never stand in a record."""
    mark = "      /* The host copies key and value into the batch's memory. */"
    damaging = c_plugin("1", (mark, """      static const uint8_t text[] = "PII-\\xc3\\x28";
      cdcp_cell *cells = cdcp_batch_row(batch, i)->new_cells;
      if (cells && cells[0].len == 1 && cells[0].ptr[0] == '2')
        cells[1] = (cdcp_cell){text, sizeof text - 1, CDCP_CELL_VALUE, CDCP_FMT_TEXT, CDCP_CELLF_REWRITTEN};
""" + mark))
    s = streams({"public.p": 1}, codec={"format": form}, stages={"30-damage": {"plugin": damaging}})
    s.sql("CREATE TABLE p(id int PRIMARY KEY, name text)")
    s.start()
    s.sql("INSERT INTO p VALUES (1, 'PII-1'), (2, 'PII-2'), (3, 'PII-3')")
    assert s.host.wait_exit(20) == 65
    assert [r.json_key for r in s.reader.quiet()] in ([{"id": 1}], [])
    log = s.host.log()
    assert "40-codec refuses a row of public.p" in log and "public.p.name" in log and "UTF-8" in log and "PII-" not in log
    s.host.stages["40-codec"]["on_error"] = "skip"
    s.host.write()
    s.start()
    s.settle()
    assert sorted({r.json_key["id"] for r in s.reader.all()}) == [1, 3]
