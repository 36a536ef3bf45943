"""The server goes away, comes back, or lets go of the walsender; the network between is bad."""

import time

import pytest

from Support.postgres import Cluster
from Support.proxy import Proxy
from Support.waiting import wait_until
from Support.workload import Workload


def seconds(text: str) -> float:
    """`250ms` or `1.5s` of a log line."""
    return float(text[:-2]) / 1000 if text.endswith("ms") else float(text[:-1])


def kill_walsender(database, slot: str) -> bool:
    return bool(database.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s AND active", (slot,)))


@pytest.mark.timeout(240)
def test_C10_database_away_then_walsender_killed_twenty_times(own_cluster, own_kafka, long_form, streams):
    database = own_cluster.create_database("away")
    s = streams({"public.led_0": 2}, kafka=own_kafka, on=database, settings={"snapshot": {"mode": "never"}})
    workload = Workload(database, tables=1, writers=2, seed=10, rate=20).create()
    s.start()
    pid = s.host.pid
    workload.start()
    time.sleep(1)
    begin = len(s.host.log().splitlines())
    own_cluster.stop("fast")
    wait_until(lambda: not s.host.ready(), 10, "readiness turns red")
    time.sleep(60 if long_form else 8)
    own_cluster.start()
    wait_until(s.host.ready, 10, "readiness turns green")
    lines = s.host.log().splitlines()[begin:]
    assert len(lines) <= 20, "\n".join(lines)
    gaps = [seconds(event["in"]) for event in s.host.events("reconnecting")]
    assert sum("attempt=1 " in line for line in lines) == 1 and max(gaps[-2:]) > 4 * gaps[0], f"the pauses do not grow: {gaps}"
    assert sum(" streaming " in line for line in lines) == 1
    assert any(" streaming " in line and "lsn=" in line for line in lines), "the line that it is back has no position"
    killed = 0
    for _ in range(20):
        killed += kill_walsender(database, s.slot)
        time.sleep(1 if long_form else 0.25)
    assert killed >= 10
    workload.stop()
    s.settle(60)
    assert s.host.pid == pid and s.host.running()
    s.check(workload, replays="cut")
    assert s.host.metric("cdc_reconnects_total", side="source") >= killed


def test_a_server_that_is_back_is_found_before_the_pause_is_over(own_cluster, own_kafka, streams):
    database = own_cluster.create_database("back")
    s = streams({"public.t": 1}, kafka=own_kafka, on=database, settings={"snapshot": {"mode": "never"}, "retry": {"initial": "60s", "max": "120s"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    own_cluster.stop("fast")
    s.host.wait_for_event("reconnecting")
    time.sleep(3)
    own_cluster.start()
    wait_until(s.host.ready, 8, "readiness turns green")
    s.sql("INSERT INTO t VALUES (1)")
    s.reader.wait(1)
    assert len(s.host.events("reconnecting")) == 1, s.host.log()


def test_server_crash_loses_nothing(own_kafka, streams):
    cluster = Cluster(crash_safe=True)
    try:
        database = cluster.create_database("crash")
        s = streams({"public.led_0": 2}, kafka=own_kafka, on=database, settings={"snapshot": {"mode": "never"}})
        workload = Workload(database, tables=1, writers=2, seed=12, rate=150).create()
        s.start()
        workload.start()
        for _ in range(3):
            time.sleep(1)
            cluster.restart("immediate")
        time.sleep(1)
        workload.stop()
        s.settle(60)
        s.check(workload, replays="cut")
        s.close()
    finally:
        cluster.destroy()


@pytest.mark.parametrize("fault", ["reset", "down", "silent", "slow", "slices"])
def test_network(streams, cluster, fault):
    proxy = Proxy(cluster.port)
    s = streams({"public.led_0": 2}, port=proxy.port, settings={
        "snapshot": {"mode": "never"}, "source": {"silence_timeout": "3s", "connect_timeout": "2s", "status_interval": "1s"}, "retry": {"max": "1s"}})
    workload = Workload(s.database, tables=1, writers=2, seed=13, rate=150).create()
    try:
        s.start()
        workload.start()
        time.sleep(0.5)
        if fault == "reset":
            for _ in range(4):
                proxy.reset()
                time.sleep(0.5)
        elif fault == "down":
            proxy.down()
            wait_until(lambda: not s.host.ready(), 10, "readiness turns red")
            time.sleep(1)
            proxy.up()
        elif fault == "silent":
            proxy.silent()
            s.host.wait_for_event("reconnecting", 15)
            proxy.loud()
            proxy.reset()
        elif fault == "slow":
            proxy.latency = 0.2
            time.sleep(3)
            proxy.latency = 0
        else:
            proxy.slice = 1
            time.sleep(1)
            proxy.slice = 0
        time.sleep(1)
        workload.stop()
        s.settle(60)
        s.check(workload, replays="none" if fault in ("slow", "slices") else "cut")
    finally:
        workload.stopping.set()
        s.close()
        proxy.close()


def test_network_cut_inside_the_snapshot(streams, cluster):
    proxy = Proxy(cluster.port)
    s = streams({"public.led_0": 1, "public.led_1": 1}, port=proxy.port, settings={"batch": {"rows": 16}, "retry": {"max": "1s"}})
    workload = Workload(s.database, tables=2, writers=2, seed=14, rate=100).create(initial_rows=15000)
    try:
        workload.start()
        s.start(until="snapshot_started")
        time.sleep(0.05)
        proxy.reset()
        s.host.wait_for_event("streaming", 60)
        workload.stop()
        s.settle(60)
        restarted = s.host.events("snapshot_restarted", whole=True)
        s.check(workload, snapshot="restarted" if restarted else "once", replays="cut")
    finally:
        workload.stopping.set()
        s.close()
        proxy.close()
