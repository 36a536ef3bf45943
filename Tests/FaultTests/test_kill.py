"""kill -9 at random points, under load, some of them inside the snapshot."""

import os
import random
import signal
import time

import pytest

from Support.waiting import wait_until
from Support.workload import Workload

ROUNDS = int(os.environ.get("CDC_KILL_ROUNDS", "20"))
SEED = int(os.environ.get("CDC_SEED", "0")) or random.randrange(1, 1 << 30)


@pytest.mark.timeout(60 + 8 * ROUNDS)
def test_kill_rounds(streams):
    print(f"CDC_SEED={SEED} CDC_KILL_ROUNDS={ROUNDS}")
    rng = random.Random(SEED)
    s = streams({"public.led_0": 3, "public.led_1": 1}, settings={"batch": {"rows": 64}, "source": {"status_interval": "1s"}})
    workload = Workload(s.database, tables=2, writers=3, seed=SEED, rate=500).create(initial_rows=4000)
    workload.start()
    inside = 0
    # A quarter of the kills, or as many as it takes a snapshot to escape, come before the stream or inside the snapshot, and the first two surely.
    early = max(2, ROUNDS // 4)
    for round in range(early):
        s.start(until="starting")
        if round < 2 or rng.random() < 0.8:
            wait_until(lambda: s.host.events("snapshot_started") or s.host.events("streaming"), 30, "the snapshot begins", every=0.01)
        time.sleep(rng.uniform(0, 0.03 if round < 2 else 0.15))
        s.host.kill9()
        inside += bool(s.host.events("snapshot_started")) and not s.host.events("snapshot_finished")
    for _ in range(ROUNDS - early):
        s.start(until="starting")
        if rng.random() < 0.7:
            s.host.wait_for_event("streaming", 60)
        time.sleep(rng.uniform(0, 0.6))
        s.host.kill9()
    s.start(seconds=60)
    workload.stop()
    s.settle(60)
    restarted = s.host.events("snapshot_restarted", whole=True)
    report = s.check(workload, snapshot="restarted" if restarted else "once", replays="cut")
    print(f"{report.records} records, {report.transactions} transactions, {report.repeated} repeated in {report.replays} replays, {inside} kills inside the snapshot")
    assert report.transactions > 20 and inside > 1
    assert s.host.stop() == 0


def test_killed_snapshot_starts_over_and_says_so(streams):
    # The embedded broker keeps 5 MiB a partition: a reader that falls behind must not lose any.
    s = streams({"public.t": 12}, settings={"batch": {"rows": 16}, "limits": {"in_flight": "1MiB"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, v text); INSERT INTO t SELECT g, repeat('x', 200) FROM generate_series(1, 60000) g")
    s.start(until="snapshot_started")
    time.sleep(0.05)
    s.host.kill9()
    finished = bool(s.host.events("snapshot_finished"))
    # What happens in between must not leave a ghost behind.
    s.sql("DELETE FROM t WHERE id <= 10; UPDATE t SET v = 'new' WHERE id = 11")
    s.start(seconds=60)
    s.settle(60)
    state = {}
    for record in s.reader.topic("public.t"):
        if record.value is None or record.json["op"] == "d":
            state.pop(record.json_key["id"], None)
        else:
            state[record.json_key["id"]] = record.json["after"]["v"]
    assert len(state) == 59990 and state[11] == "new" and not set(range(1, 11)) & state.keys()
    if not finished:
        assert any("snapshot" in line and ("again" in line or "anew" in line or "over" in line) for line in s.host.log().splitlines()), s.host.tail()


def test_frozen_host_catches_up(own_cluster, own_kafka, streams):
    database = own_cluster.create_database("frozen")
    own_cluster.sql("ALTER SYSTEM SET wal_sender_timeout = '3s'")
    own_cluster.sql("SELECT pg_reload_conf()")
    s = streams({"public.led_0": 2}, kafka=own_kafka, on=database, settings={"snapshot": {"mode": "never"}})
    workload = Workload(database, tables=1, writers=2, seed=5, rate=200).create()
    s.start()
    workload.start()
    time.sleep(0.5)
    s.host.signal(signal.SIGSTOP)
    time.sleep(6)
    s.host.signal(signal.SIGCONT)
    time.sleep(1)
    workload.stop()
    s.settle(60)
    s.check(workload, replays="cut")


def test_second_TERM_stops_at_once(own_kafka, streams):
    s = streams({"public.t": 1}, kafka=own_kafka, settings={"limits": {"stop": "60s"}, "snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    own_kafka.freeze()
    s.sql("INSERT INTO t VALUES (1)")
    time.sleep(0.5)
    s.host.signal(signal.SIGTERM)
    s.host.wait_for_event("stopping")
    time.sleep(0.5)
    assert s.host.running()
    s.host.signal(signal.SIGTERM)
    assert s.host.wait_exit(5) == 75
    own_kafka.thaw()
    s.start()
    s.settle()
    assert [k["id"] for _, k in s.ops("public.t")] and {k["id"] for _, k in s.ops("public.t")} == {1}


def test_a_stop_that_cannot_finish_is_75(own_kafka, streams):
    s = streams({"public.t": 1}, kafka=own_kafka, settings={"limits": {"stop": "2s"}, "snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    own_kafka.freeze()
    s.sql("INSERT INTO t VALUES (1)")
    time.sleep(0.5)
    s.host.signal(signal.SIGTERM)
    begun = time.monotonic()
    assert s.host.wait_exit(10) == 75 and time.monotonic() - begun < 8
    assert "repeat" in s.host.tail(3)
    own_kafka.thaw()
    s.start()
    s.settle()
    assert {k["id"] for _, k in s.ops("public.t")} == {1}
