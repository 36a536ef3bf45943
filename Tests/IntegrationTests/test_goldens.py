"""Our debezium format, record for record, against what Debezium sent for the same tables and changes.

Fixtures/debezium holds the tables, the changes and the records (how: refresh.py there). Where we differ on purpose, DEPARTURES says so."""

import fnmatch
import json
import os
import re
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
    "transactions": {"provide_transaction_metadata": True}, "via-root": {},
}
GOLDENS = sorted(name[:-6] for name in os.listdir(FOLDER) if name.endswith(".jsonl"))


@dataclass(frozen=True)
class Departure:
    """Where we differ from Debezium, and why. `path` is a glob over `value.after.column` and such; `records` for whole records."""

    golden: str
    topic: str
    path: str
    reason: str


DEPARTURES: list[Departure] = []


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


def differences(expected, got, path: str) -> list[tuple[str, str]]:
    """(path, what) of everything that is not the same."""
    if isinstance(expected, dict) and isinstance(got, dict):
        found = []
        for name in expected.keys() | got.keys():
            if name not in got:
                found.append((f"{path}.{name}", f"missing; {short(expected[name])}"))
            elif name not in expected:
                found.append((f"{path}.{name}", f"not there in Debezium; {short(got[name])}"))
            else:
                found += differences(expected[name], got[name], f"{path}.{name}")
        if not found and list(expected) != list(got) and not path.startswith("headers"):
            found.append((path, f"order of fields {list(got)} instead of {list(expected)}"))
        return found
    if type(expected) is bool or type(got) is bool:
        return [] if expected is got else [(path, f"{short(got)} instead of {short(expected)}")]
    return [] if expected == got else [(path, f"{short(got)} instead of {short(expected)}")]


def short(value) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 90 else text[:87] + "..."


def compare(golden: str, expected: dict, got: dict) -> list[str]:
    """Every difference that no departure explains."""
    found = []

    def note(topic, path, what):
        for departure in DEPARTURES:
            if fnmatch.fnmatchcase(golden, departure.golden) and fnmatch.fnmatchcase(topic, departure.topic) and fnmatch.fnmatchcase(path, departure.path):
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
                for path, what in differences(other[part], mine[part], part):
                    note(topic, path, f"record {number}: {what}")
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
            settings={"source": {"tables": {"include": ["*.*"]}, "publication": {"name": "corpus", "manage": False}}},
            stages={"50-partitioner": None, "60-sink": {"plugin": "FileSink", "options": {"fsync": "never"}}})
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
