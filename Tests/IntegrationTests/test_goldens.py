"""Our debezium format, record for record, against what Debezium sent for the same tables and changes.

Fixtures/debezium holds the tables, the changes and the records (how: refresh.py there). Where we differ on purpose, DEPARTURES says so."""

import fnmatch
import json
import os
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from Support.host import Host
from Support.kafka import PROJECT
from Support.postgres import Database

FOLDER = os.path.join(PROJECT, "Tests", "Fixtures", "debezium")
MARK = "<n>"
MODES = {
    "default": {}, "no-tombstones": {"tombstones_on_delete": False}, "truncates": {"skipped_operations": []},
    "no-updates": {"skipped_operations": ["update", "truncate"]}, "binary-hex": {"binary_handling_mode": "hex"},
    "decimal-string": {"decimal_handling_mode": "string"}, "decimal-double": {"decimal_handling_mode": "double"},
    "via-root": {},
}
GOLDENS = sorted(name[:-6] for name in os.listdir(FOLDER) if name.endswith(".jsonl"))


@dataclass(frozen=True)
class Departure:
    """Where we differ from Debezium on purpose, and why. `path` is a glob over `value.after.column` and such; `records` for whole records.

    `when` narrows it: (what Debezium sent, what we sent) → it is this departure."""

    golden: str
    topic: str
    path: str
    reason: str
    when: Callable = lambda theirs, ours: True


ABSENT = object()


def same_document(theirs, ours) -> bool:
    try:
        return json.loads(theirs) == json.loads(ours)
    except (TypeError, ValueError):
        return False


def same_float4(theirs, ours) -> bool:
    return all(isinstance(v, float) for v in (theirs, ours)) and struct.pack("<f", theirs) == struct.pack("<f", ours)


DEPARTURES = [
    Departure("*", "*", "value.before.*", "a value that the server did not send is null, where Debezium invents an empty one", lambda theirs, ours: ours is None),
    Departure("*", "*", "value.after.h", "the keys of an hstore have no order", same_document),
    Departure("*", "*", "value.after.*", "a float4 has the fewest digits that read back the same", same_float4),
    Departure("arrays.default", "p.public.grids_deep", "value.after.*", "arrays of arrays keep their elements"),
    Departure("arrays.default", "p.public.lists", "value.after.e", "a null in an enum array stays a null beside the others"),
    Departure("arrays.default", "p.public.lists_other", "value.after.bi", "bit(n)[] has its elements"),
    Departure("arrays.default", "p.public.lists_time", "value.after.*", "times in arrays keep microseconds and 24:00, and BC stays BC"),
    Departure("columns.default", "p.hr.people", "value.*.nick", "a name column has its value in the stream too"),
    Departure("columns.default", "p.hr.rooms", "value.after.seats", "NULL stays null though the column has a default", lambda theirs, ours: ours is None),
    Departure("arrays.default", "p.public.lists_other", "value.after.sc", "an array of a domain is that of its base type; Debezium leaves it out", lambda theirs, ours: ours == [1, 100] or ours is None),
    Departure("custom.default", "p.public.moods", "value.after.*s", "a null in an enum array stays a null beside the others"),
    Departure("hostile-names.default", "p.public.same_name", "records", "two tables never share a topic; one of them is left out here"),
    Departure("hostile-names.default", "p.public._ber_t_bl_*", "records", "a letter beyond the first plane of Unicode becomes one _; Debezium counts it as two"),
    Departure("identity.default", "p.public.uniq_*", "key*", "a unique index that nobody named as identity is no key"),
    Departure("identity.default", "p.public.uniq_full", "records", "without a key there is no change of key: it is an update"),
    Departure("identity.default", "p.public.by_nothing", "key*", "with identity NOTHING there is no key that a delete could carry"),
    Departure("identity.default", "p.public.by_index", "key*", "identity by another index: its columns are the key, nothing is invented"),
    Departure("identity.default", "p.public.by_index", "headers.*", "the same in the headers of a key change"),
    Departure("partitioned.via-root", "p.*", "records", "a partitioned table comes once, in its root's topic, and a parent without its children"),
    Departure("partitioned.via-root", "p.*", "value.source.snapshot", "tables come in another order"),
    Departure("scalars.*", "p.public.inside", "value.after.?v", "int2vector and oidvector have their elements"),
    Departure("scalars.*", "p.public.required", "value.*.na", "a name column has its value in the stream too"),
    Departure("scalars.*", "p.public.words", "value.after.n", "a name column has its value in the stream too"),
    Departure("schema-change.default", "p.public.newcomer", "value.after.v", "NULL stays null though the column has a default", lambda theirs, ours: ours is None),
    Departure("temporal.default", "p.public.days", "value.after.d", "dates of the first centuries and before are the same in snapshot and stream"),
    Departure("temporal.default", "p.public.ends", "value.after.ts", "the last timestamps do not overflow"),
    Departure("temporal.default", "p.public.forever", "value.after.d", "infinite dates are the same in snapshot and stream"),
    Departure("toast.default", "p.public.big_*", "value.after.*", "an unchanged value never looks like NULL", lambda theirs, ours: theirs is None and ours is not None),
]


def normalised(record: dict) -> dict:
    """What differs between two runs becomes MARK, as in the goldens; the context headers go."""
    value = record.get("value")
    if isinstance(value, dict):
        def blank(target, names):
            for name in names:
                if target.get(name) is not None:
                    target[name] = MARK
        if isinstance(value.get("source"), dict):
            blank(value, ["ts_ms", "ts_us", "ts_ns"])
            blank(value["source"], ["version", "ts_ms", "ts_us", "ts_ns", "txId", "lsn", "sequence", "xmin"])
            if isinstance(value.get("transaction"), dict):
                blank(value["transaction"], ["id"])
        elif "status" in value and "event_count" in value:
            blank(value, ["id", "ts_ms"])
            if value.get("data_collections"):
                value["data_collections"].sort(key=lambda entry: entry["data_collection"])
            blank(record["key"], ["id"])
    headers = {k: v for k, v in (record.get("headers") or {}).items() if not k.startswith("__debezium.context.")}
    return {"key": record.get("key"), "value": value, "headers": headers}


def by_topic(records) -> dict[str, list]:
    found = {}
    for record in records:
        found.setdefault(record["topic"], []).append(normalised(record))
    return found


def read_ours(path: str) -> list[dict]:
    """What FileSink wrote; keys and values may stand there as JSON or as its text."""
    def opened(value):
        return json.loads(value) if isinstance(value, str) else value
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return [{"topic": line["topic"], "key": opened(line["key"]), "value": opened(line["value"]), "headers": line.get("headers")} for line in lines]


def differences(expected, got, path: str) -> list[tuple]:
    """(path, what, theirs, ours) of everything that is not the same."""
    if isinstance(expected, dict) and isinstance(got, dict):
        found = []
        for name in expected.keys() | got.keys():
            if name not in got:
                found.append((f"{path}.{name}", f"missing; {short(expected[name])}", expected[name], ABSENT))
            elif name not in expected:
                found.append((f"{path}.{name}", f"not there in Debezium; {short(got[name])}", ABSENT, got[name]))
            else:
                found += differences(expected[name], got[name], f"{path}.{name}")
        if not found and list(expected) != list(got) and not path.startswith("headers"):
            found.append((path, f"order of fields {list(got)} instead of {list(expected)}", expected, got))
        return found
    if type(expected) is bool or type(got) is bool:
        return [] if expected is got else [(path, f"{short(got)} instead of {short(expected)}", expected, got)]
    return [] if expected == got else [(path, f"{short(got)} instead of {short(expected)}", expected, got)]


def short(value) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 90 else text[:87] + "..."


def compare(golden: str, expected: dict, got: dict) -> list[str]:
    """Every difference that no departure explains."""
    found = []

    def note(topic, path, what, theirs=None, ours=None):
        for departure in DEPARTURES:
            if (fnmatch.fnmatchcase(golden, departure.golden) and fnmatch.fnmatchcase(topic, departure.topic)
                    and fnmatch.fnmatchcase(path, departure.path) and departure.when(theirs, ours)):
                return
        found.append(f"{topic} {path}: {what}")
    for topic in sorted(expected.keys() | got.keys()):
        ours, theirs = got.get(topic, []), expected.get(topic, [])
        if len(ours) != len(theirs):
            note(topic, "records", f"{len(ours)} instead of {len(theirs)}; ours {[(short(r['key']), (r['value'] or {}).get('op')) for r in ours][:12]}, "
                 f"theirs {[(short(r['key']), (r['value'] or {}).get('op')) for r in theirs][:12]}")
            continue
        for number, (mine, other) in enumerate(zip(ours, theirs)):
            for part in ("key", "value", "headers"):
                for path, what, theirs_, ours_ in differences(other[part], mine[part], part):
                    note(topic, path, f"record {number}: {what}", theirs_, ours_)
    return found


def run(cluster, golden: str) -> list[dict]:
    topic, mode = golden.split(".", 1)
    cluster.sql("DROP DATABASE IF EXISTS corpus WITH (FORCE)")
    cluster.sql("CREATE DATABASE corpus TEMPLATE template0")
    database = Database(cluster, "corpus")
    host = None
    try:
        with open(os.path.join(FOLDER, f"{topic}.setup.sql"), encoding="utf-8") as file:
            setup = file.read()
        for extension in re.findall(r'create extension "?([\w-]+)"?', setup):
            if not database.value("SELECT count(*) FROM pg_available_extensions WHERE name = %s", (extension,)):
                pytest.skip(f"the server lacks the extension {extension}")
        database.psql("SET client_min_messages = warning;" + setup)
        database.sql(f"CREATE PUBLICATION corpus FOR ALL TABLES{' WITH (publish_via_partition_root = true)' if mode == 'via-root' else ''}")
        host = Host(
            "p", database.uri(), codec={"format": "debezium", **MODES[mode]},
            settings={"source": {"tables": {"include": ["*.*"], "exclude": ['public."same name"']}, "publication": {"name": "corpus", "manage": False}}},
            stages={"60-sink": {"plugin": "FileSink", "options": {"fsync": "never"}}})
        host.stages["60-sink"]["options"]["path"] = os.path.join(host.folder, "records.jsonl")
        host.write()
        host.start()
        with open(os.path.join(FOLDER, f"{topic}.changes.sql"), encoding="utf-8") as file:
            database.psql("SET client_min_messages = warning;" + file.read())
        database.wait_confirmed(host.slot, database.current_lsn(), 30)
        assert host.stop() == 0, host.tail()
        return read_ours(os.path.join(host.folder, "records.jsonl"))
    finally:
        if host is not None:
            if host.running():
                host.kill9()
            log = host.tail() if hasattr(host, "log_begin") else ""
            host.destroy()
            print(log)
        database.drop()


@pytest.mark.parametrize("golden", GOLDENS)
def test_golden(cluster, golden):
    with open(os.path.join(FOLDER, f"{golden}.jsonl"), encoding="utf-8") as file:
        expected = by_topic(json.loads(line) for line in file)
    found = compare(golden, expected, by_topic(run(cluster, golden)))
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:60])
