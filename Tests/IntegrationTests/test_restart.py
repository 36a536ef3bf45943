"""Stopping and starting: nothing twice after a stop, nothing missing after anything."""

import os
import random
import time

import pytest

from Support.workload import Workload


def test_clean_stops_under_load_repeat_nothing(streams):
    s = streams({"public.led_0": 3, "public.led_1": 1}, settings={"snapshot": {"mode": "never"}})
    workload = Workload(s.database, tables=2, writers=3, seed=31).create()
    s.start()
    workload.start()
    rng = random.Random(31)
    for _ in range(5):
        time.sleep(rng.uniform(0.1, 0.8))
        assert s.host.stop() == 0, s.host.tail()
        s.start()
    workload.stop()
    s.settle()
    resumed = [str(event["resumed"]).lower() for event in s.host.events("streaming", whole=True)]
    assert resumed == ["false", *["true"] * 5], resumed
    report = s.check(workload, replays="none")
    assert report.transactions > 100


def test_a_clean_stop_confirms_what_it_delivered(streams):
    """The last status of a stop must not be older than the checkpoint that another thread has just written."""
    s = streams({"public.led_0": 1}, settings={"snapshot": {"mode": "never"}})
    workload = Workload(s.database, tables=1, writers=3, seed=92, pad=100).create()
    s.start()
    workload.start()
    rng = random.Random(92)
    for _ in range(8):
        time.sleep(rng.uniform(0.1, 0.4))
        assert s.host.stop() == 0, s.host.tail()
        confirmed, delivered = s.database.slot(s.slot)["confirmed"], s.reader.quiet(0.3)
        assert not delivered or confirmed > max(r.json["commit_lsn"] for r in delivered if r.value is not None)
        s.start()
    workload.stop()
    s.settle()
    s.check(workload, replays="none")


@pytest.mark.long
def test_C09_twenty_deployments_no_duplicate(streams, long_form):
    s = streams({"public.t": 1}, settings={"snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    rng = random.Random(9)
    connection = s.database.connect()
    cursor = connection.cursor()
    last = 0

    def write_for(seconds):
        nonlocal last
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            last += 1
            cursor.execute("INSERT INTO t VALUES (%s)", (last,))
            time.sleep(0.05 if long_form else 0.01)
    for _ in range(20 if long_form else 8):
        write_for(rng.uniform(0, 2) if long_form else rng.uniform(0, 0.3))
        begun = time.monotonic()
        assert s.host.stop() == 0, s.host.tail()
        assert time.monotonic() - begun < 30
        delivered = s.reader.quiet(0.2)
        if delivered:
            assert s.database.slot(s.slot)["confirmed"] > delivered[-1].json["commit_lsn"]
        write_for(0.05)
        s.start()
    s.settle()
    assert [r.json_key["id"] for r in s.reader.topic("public.t")] == list(range(1, last + 1))


@pytest.mark.parametrize("how", ["stop", "crash", "prepared"])
def test_C06_a_row_below_the_stored_position_is_still_new(streams, how):
    s = streams({"public.t": 1}, settings={"snapshot": {"mode": "never"}}, codec={"format": "debezium"})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, w text)")
    s.start()
    a = s.database.connect(autocommit=False)
    cursor = a.cursor()
    cursor.execute("INSERT INTO t VALUES (1, 'a')")
    if how == "prepared":
        cursor.execute("INSERT INTO t VALUES (3, 'a')")
        cursor.execute(f"PREPARE TRANSACTION '{s.name}'")
    s.sql("INSERT INTO t VALUES (2, 'b')")
    s.settle()
    if how == "crash":
        s.host.kill9()
        s.database.wait_inactive(s.slot)
    else:
        assert s.host.stop() == 0
    if how != "prepared":
        cursor.execute("INSERT INTO t VALUES (3, 'a')")
        a.commit()
    s.start()
    if how == "prepared":
        a.rollback()
        s.sql(f"COMMIT PREPARED '{s.name}'")
    a.close()
    s.settle()
    records = s.reader.topic("public.t")
    ids = [r.json_key["id"] for r in records]
    if how == "crash":
        ids = list(dict.fromkeys(ids))
    assert ids == [2, 1, 3]
    lsn = {r.json_key["id"]: r.json["source"]["lsn"] for r in records}
    assert lsn[1] < lsn[2]


def test_idle_stream_lets_the_server_drop_its_log(streams, cluster):
    s = streams({"public.t": 1}, settings={"source": {"status_interval": "1s"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY); CREATE TABLE elsewhere(v text)")
    s.host.settings["source"]["tables"] = {"include": ["public.t"]}
    s.host.write()
    s.start()
    s.sql("INSERT INTO elsewhere SELECT repeat('x', 1000) FROM generate_series(1, 3000)")
    cluster.sql("SELECT pg_switch_wal()")
    # Not the place of the next insertion: that lies behind the header of a page that an idle server never writes.
    s.database.wait_confirmed(s.slot, int(s.database.value("SELECT pg_current_wal_flush_lsn() - '0/0'")), 20)
    assert s.reader.all() == []


def test_checkpoint_is_kept_and_a_damaged_one_is_not_guessed(streams):
    s = streams({"public.t": 1}, settings={"snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    s.sql("INSERT INTO t VALUES (1)")
    s.settle()
    assert s.host.stop() == 0
    files = [f for f in os.listdir(s.host.state) if not f.endswith(".lock") and os.path.isfile(os.path.join(s.host.state, f))]
    assert files, "no checkpoint in the state directory"
    for file in files:
        with open(os.path.join(s.host.state, file), "r+b") as handle:
            handle.seek(10)
            handle.write(b"\x00garbage\x00")
    log = s.host.fails(74, 80)
    assert "checkpoint" in log.lower()
