#!/usr/bin/env python3
"""Makes the goldens: what PostgreSQL prints for the rows of a corpus topic, and what Debezium made of them.

    record.py PSQL CORPUS TOPIC > TOPIC.golden

PSQL is a psql command line for an empty UTF8 database (TimeZone UTC), CORPUS a directory of TOPIC.setup.sql and trim.py. Lines, fields between tabs:

    table   schema  name
    column  name  type  typmod  base  base typmod  element  kind  type name  key ordinal  not null
    row     value in hexadecimal, or - for NULL ...
    want    mode  the row as Debezium sent it in that mode (the first line's where a mode has none)
"""
import json
import re
import subprocess
import sys

psql, corpus, topic = sys.argv[1].split(), sys.argv[2], sys.argv[3]
LIMIT = 6000


def sql(text):
    return subprocess.run(psql + ["-qAtX", "-v", "ON_ERROR_STOP=1", "-c", "set bytea_output=hex; set extra_float_digits=3; set datestyle=iso; "
                                  "set intervalstyle=postgres; set timezone=utc;" + text], check=True, capture_output=True).stdout.decode()


def cells(line):
    for field in line.split("\t"):
        if field == "\\N":
            yield "-"
        else:
            text = re.sub(r"\\(.)", lambda m: {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}.get(m[1], m[1]), field)
            yield text.encode().hex()


def render(value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = re.sub(r'"\\u0000F(.*?)"', r"\1", text)
    return re.sub(r"(?<!\\)((?:\\\\)*)\\u00([0-9a-f]{2})", lambda m: m[1] + "\\u00" + m[2].upper(), text)


def goldens(mode):
    found = {}
    out = subprocess.run([sys.executable, "trim.py", "show", f"{topic}.{mode}"], cwd=corpus, check=True, capture_output=True).stdout.decode()
    for line in out.split("\n")[:-1]:
        record = json.loads(line, parse_float=lambda s: "\0F" + s)
        value = record.get("value")
        if not isinstance(value, dict) or value.get("op") not in ("c", "r") or "id" not in value["after"]:
            continue
        source, after = value["source"], value["after"]
        key = (source["schema"], source["table"], after["id"] % 1000 if value["op"] == "c" else after["id"])
        if value["op"] == "c" and after["id"] < 1000 or key in found and found[key]["op"] == "c":
            continue
        after["id"] = key[2]
        found[key] = {"op": value["op"], "text": render(after)}
    return {k: v["text"] for k, v in found.items()}


with open(f"{corpus}/modes.json") as file:
    modes = json.load(file)["topics"][topic]
wanted = {mode: goldens(mode) for mode in modes}
subprocess.run(psql + ["-qX", "-v", "ON_ERROR_STOP=1", "-f", f"{corpus}/{topic}.setup.sql"], check=True, stdout=subprocess.DEVNULL)
for schema, table in sorted({key[:2] for key in wanted["default"]}):
    name = f'"{schema}"."{table}"'
    columns = sql(f"""
        with recursive base as (
          select a.attnum, t.oid, t.typbasetype, t.typtype, t.typelem, t.typcategory, a.atttypmod as typmod from pg_attribute a join pg_type t on t.oid = a.atttypid
            where a.attrelid = '{name}'::regclass and a.attnum > 0 and not a.attisdropped
          union all
          select b.attnum, t.oid, t.typbasetype, t.typtype, t.typelem, t.typcategory, (select typtypmod from pg_type d where d.oid = b.oid)
            from base b join pg_type t on t.oid = b.typbasetype where b.typtype = 'd')
        select concat_ws(E'\\t', 'column', a.attname, a.atttypid, a.atttypmod, b.oid, b.typmod, coalesce(e.oid, 0),
          ascii(coalesce(e.typtype, b.typtype)::text), (select typname from pg_type t where t.oid = a.atttypid), case when a.attname = 'id' then 1 else 0 end, a.attnotnull::int)
        from pg_attribute a join base b using (attnum)
          left join pg_type t on b.typcategory = 'A' and t.oid = b.typelem
          left join pg_type e on e.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
        where a.attrelid = '{name}'::regclass and a.attnum > 0 and b.typtype <> 'd' order by a.attnum""")
    print("table", schema, table, sep="\t")
    print(columns, end="")
    for line in sql(f"copy (select * from {name} order by id) to stdout").split("\n")[:-1]:
        row = list(cells(line))
        place = [c.split("\t")[1] for c in columns.split("\n")[:-1]].index("id")
        key = (schema, table, int(bytes.fromhex(row[place])))
        first = wanted["default"].get(key)
        if first is None or len(first) > LIMIT:
            continue
        print("row", *row, sep="\t")
        for mode in modes:
            text = wanted[mode].get(key)
            if text is not None and (mode == "default" or text != first):
                print("want", mode, text, sep="\t")
