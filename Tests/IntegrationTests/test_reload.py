"""A new plan beside the running one: swapped between two transactions, or refused while the old one runs on."""

import hashlib
import os
import shutil
import signal
import struct
import threading
import time

import pytest

from Support.host import run_cli
from Support.stream import after
from Support.workload import Workload


def sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def values_by_transaction(records) -> list:
    """(commit position, value of the header v) of every transaction, in commit order; more than one value is a list."""
    found = {}
    for record in records:
        if record.value is not None:
            found.setdefault(record.json["commit_lsn"], set()).add(record.header("v"))
    return [(lsn, found[lsn].pop() if len(found[lsn]) == 1 else sorted(found[lsn], key=str)) for lsn in sorted(found)]


def test_options_change_between_two_transactions(streams):
    s = streams({"public.t": 1}, stages={"30-mask": {"plugin": "Masking", "options": {"columns": [{"column": "public.t.v", "how": "fixed", "value": "one"}]}}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, v text)")
    s.start()
    s.sql("INSERT INTO t VALUES (1, 'secret')")
    s.reader.wait(1)
    generation = s.host.status()["generation"] if "generation" in s.host.status() else None
    s.host.stages["30-mask"]["options"]["columns"][0]["value"] = "two"
    s.host.write()
    done = s.host.reload()
    assert done.returncode == 0, done.stderr
    s.sql("INSERT INTO t VALUES (2, 'secret')")
    assert [after(r)["v"] for r in s.reader.wait(2)] == ["one", "two"]
    assert s.host.metric("cdc_reloads_total", result="ok") == 1
    if generation is not None:
        assert s.host.status()["generation"] == generation + 1


def test_stages_added_removed_and_reordered(streams, c_plugin):
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, v text, w text)")
    s.start()
    plans = [
        ({}, None, "x"),
        ({"35-headers": {"plugin": c_plugin("1")}}, b"1", "x"),
        ({"35-headers": {"plugin": c_plugin("1")}, "30-mask": {"plugin": "Masking", "options": {"columns": [{"column": "public.t.v", "how": "null"}]}}}, b"1", None),
        ({"25-headers": {"plugin": c_plugin("1"), "options": {"value": "z"}}, "36-filter": {"plugin": "Filter", "options": {"columns": {"exclude": ["public.t.w"]}}}},
         b"z", "x"),
        ({}, None, "x"),
    ]
    base = dict(s.host.stages)
    for i, (extra, header, v) in enumerate(plans):
        s.host.stages = {**base, **extra}
        s.host.write()
        if i:
            assert s.host.hup()["event"] == "reloaded"
        s.sql("INSERT INTO t VALUES (%s, 'x', 'y')", (i,))
        record = s.reader.wait(i + 1)[i]
        assert record.header("v") == header and after(record)["v"] == v
        assert ("w" in after(record)) == ("36-filter" not in extra)


def test_C28_new_library_over_the_old_path(streams, c_plugin, tmp_path, long_form):
    library = tmp_path / "headers.so"
    shutil.copy(c_plugin("1"), library)
    s = streams({"public.led_0": 1}, settings={"snapshot": {"mode": "never"}}, stages={"30-headers": {"plugin": str(library)}})
    workload = Workload(s.database, tables=1, writers=2, seed=28, rate=200).create()
    s.start()
    pid = s.host.pid
    workload.start()
    def cp():
        # Into the mapped file itself.
        shutil.copyfile(c_plugin("2"), library)
        time.sleep(30 if long_form else 3)
    def mv():
        shutil.copy(c_plugin("1"), tmp_path / "next.so")
        os.replace(tmp_path / "next.so", library)
    def link():
        shutil.copy(c_plugin("2"), tmp_path / "v2.so")
        os.symlink(tmp_path / "v2.so", tmp_path / "link")
        os.replace(tmp_path / "link", library)
    def back():
        shutil.copy(c_plugin("1"), tmp_path / "next.so")
        os.replace(tmp_path / "next.so", library)
    for step in (cp, mv, link, back):
        time.sleep(0.5)
        step()
        event = s.host.hup()
        assert event["event"] == "reloaded", event
        stage = next(stage for stage in s.host.status()["stages"] if stage.get("name", stage.get("stage")) == "30-headers")
        assert stage["sha256"] == sha256(library)
        assert sha256(library) in s.host.log(), event
    time.sleep(0.5)
    workload.stop()
    s.settle()
    assert s.host.pid == pid and s.host.running()
    s.check(workload)
    values = [value for _, value in values_by_transaction(s.reader.all())]
    changes = [value for i, value in enumerate(values) if i == 0 or values[i - 1] != value]
    assert changes == [b"1", b"2", b"1", b"2", b"1"], "the header changes once per reload, at a transaction boundary"


def broken_directories(s, c_plugin, tmp_path) -> list:
    """(name, what to do to the good directory)."""
    other_machine = tmp_path / "other.so"
    with open(c_plugin("1"), "rb") as file:
        image = bytearray(file.read())
    struct.pack_into("<H", image, 18, 0x2B)  # e_machine: SPARC V9
    other_machine.write_bytes(bytes(image))
    stage = lambda plugin: s.host.write_file("30-headers.yaml", {"plugin": str(plugin)})

    def other(section, value):
        s.host.write_file("host.yaml", {**s.host.settings, section: value})
    return [
        ("syntax", lambda: s.host.write_file("30-headers.yaml", "plugin: [")),
        ("missing file", lambda: stage("/no/such/plugin.so")),
        ("misspelt name", lambda: stage("Headerz")),
        ("other machine", lambda: stage(other_machine)),
        ("unknown major version", lambda: stage(c_plugin("1", (".abi_version = CDCP_ABI_CURRENT", ".abi_version = 0x7f000000u")))),
        ("configure fails", lambda: stage(c_plugin("1", ("if (key.len == 0) {", "if (1) {")))),
        ("bind refuses", lambda: stage(c_plugin("1", ("  (void)self, (void)in;\n  *out = NULL;", "  (void)in; if (1) return refuse(self, CDCP_E_DATA, \"not this table\");\n  *out = NULL;")))),
        ("slot name", lambda: other("source", {**s.host.settings["source"], "slot": {"name": "another"}})),
        ("admin port", lambda: other("admin", {"listen": "127.0.0.1:1"})),
        ("unknown option", lambda: s.host.write_file("30-headers.yaml", {"plugin": c_plugin("1"), "options": {"headr": "x"}})),
    ]


def test_C29_something_broken_then_the_cure(streams, c_plugin, tmp_path):
    s = streams({"public.t": 1}, settings={"snapshot": {"mode": "never"}}, stages={"30-headers": {"plugin": c_plugin("1")}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    pid = s.host.pid
    connection = s.database.connect()
    cursor = connection.cursor()
    stopping, last = threading.Event(), [0]

    def write():
        while not stopping.is_set():
            last[0] += 1
            cursor.execute("INSERT INTO t VALUES (%s)", (last[0],))
            time.sleep(0.005)
    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    directories = broken_directories(s, c_plugin, tmp_path)
    try:
        for refused, (name, breakage) in enumerate(directories, 1):
            breakage()
            event = s.host.hup()
            assert event["event"] == "reload_refused", f"{name}: {event}"
            assert s.host.ready(), name
            assert s.host.metric("cdc_reloads_total", result="refused") == refused, name
            assert "refused" in s.host.get("/status")[1], name
            s.host.write()
            assert s.host.hup()["event"] == "reloaded", name
    finally:
        stopping.set()
        writer.join()
        connection.close()
    s.settle()
    records = s.reader.topic("public.t")
    assert [r.json_key["id"] for r in records] == list(range(1, last[0] + 1))
    gaps = [b.received - a.received for a, b in zip(records, records[1:])]
    assert max(gaps) < 1, f"a pause of {max(gaps):.2f} s"
    assert s.host.pid == pid and s.host.running()


@pytest.mark.timeout(240)
def test_fifty_reloads_under_load_good_and_broken_in_turn(streams, c_plugin, tmp_path):
    s = streams({"public.led_0": 3, "public.led_1": 1}, settings={"snapshot": {"mode": "never"}}, stages={"30-headers": {"plugin": c_plugin("1")}})
    workload = Workload(s.database, tables=2, writers=3, seed=50, rate=300).create()
    s.start()
    workload.start()
    directories = broken_directories(s, c_plugin, tmp_path)
    good, rss = "1", []
    for i in range(50):
        if i % 2:
            directories[i // 2 % len(directories)][1]()
            assert s.host.hup()["event"] == "reload_refused", directories[i // 2 % len(directories)][0]
        else:
            good = "2" if good == "1" else "1"
            s.host.stages["30-headers"]["plugin"] = c_plugin(good)
            s.host.write()
            assert s.host.hup()["event"] == "reloaded"
            rss.append(s.host.rss())
    workload.stop()
    s.settle()
    report = s.check(workload)
    assert report.transactions > 50
    values = [value for _, value in values_by_transaction(s.reader.all())]
    assert all(value in (b"1", b"2") for value in values), "a transaction saw two plans"
    assert s.host.metric("cdc_reloads_total", result="ok") == 25 and s.host.metric("cdc_reloads_total", result="refused") == 25
    assert rss[-1] - rss[5] < 16 << 20, f"memory grows with every reload: {rss}"
    assert s.host.stop() == 0


def test_reload_command(streams):
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    assert s.host.reload().returncode != 0, "nothing runs yet"
    s.start()
    assert s.host.reload().returncode == 0
    s.host.write_file("host.yaml", {**s.host.settings, "source": {**s.host.settings["source"], "slot": {"name": "another"}}})
    refused = s.host.reload()
    assert refused.returncode != 0 and "source.slot.name" in refused.stdout + refused.stderr
    s.host.write_file("host.yaml", "name: [broken")
    by_state = run_cli("reload", "--plugins", s.host.plugins, "--state", s.host.state, cwd=s.host.folder)
    assert by_state.returncode != 0 and "host.yaml" in by_state.stdout + by_state.stderr
    s.host.write()
    assert s.host.reload().returncode == 0
    s.sql("INSERT INTO t VALUES (1)")
    s.reader.wait(1)


def test_log_level_changes_by_reload(streams):
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    s.host.settings["log"]["format"] = "json"
    s.host.write()
    assert s.host.hup()["event"] == "reloaded"
    assert s.host.log().strip().splitlines()[-1].startswith("{")


def test_a_log_file_that_cannot_be_opened_refuses_the_reload(streams):
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    s.host.settings["log"]["file"] = "/proc/nowhere/log"
    s.host.write()
    refused = s.host.reload()
    assert refused.returncode == 78 and "log.file" in refused.stdout


def test_each_reload_command_answers_for_its_own_files(streams):
    """Reloads of others go on all the while: an answer is never that of one that had read older files."""
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    stopping = threading.Event()

    def others():
        while not stopping.is_set():
            s.host.signal(signal.SIGHUP)
            time.sleep(0.003)
    noise = threading.Thread(target=others, daemon=True)
    noise.start()
    try:
        for turn in range(12):
            if turn % 2:
                s.host.write_file("20-filter.yaml", {"plugin": "Filter", "options": {"wrong": turn}})
                assert s.host.reload().returncode == 78, turn
            else:
                s.host.write_file("20-filter.yaml", {"plugin": "Filter", "options": {"tables": {"exclude": [f"public.x{turn}"]}}})
                assert s.host.reload().returncode == 0, turn
                assert s.host.running()
    finally:
        stopping.set()
        noise.join()
