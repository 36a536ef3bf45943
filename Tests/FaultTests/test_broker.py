"""Kafka goes away, freezes, changes leaders and refuses; the server is kept company meanwhile."""

import time

import pytest

from Support.checker import check
from Support.kafka import EmbeddedKafka
from Support.waiting import wait_until
from Support.workload import Workload


def test_all_brokers_down_and_back(own_kafka, streams):
    s = streams({"public.led_0": 3}, kafka=own_kafka, settings={"snapshot": {"mode": "never"}})
    workload = Workload(s.database, tables=1, writers=2, seed=40, rate=150).create()
    s.start()
    workload.start()
    time.sleep(0.5)
    own_kafka.command("down -1")
    wait_until(lambda: not s.host.ready(), 30, "readiness turns red", every=0.2)
    assert s.host.get("/healthz")[0] == 200
    time.sleep(2)
    own_kafka.command("up -1")
    wait_until(s.host.ready, 20, "readiness turns green", every=0.2)
    workload.stop()
    s.settle(60)
    s.check(workload, replays="cut")


def test_broker_down_at_the_start(own_kafka, streams):
    s = streams({"public.t": 1}, kafka=own_kafka)
    s.sql("CREATE TABLE t(id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    own_kafka.command("down -1")
    s.start(until="starting")
    time.sleep(4)
    assert s.host.running() and not s.host.ready()
    own_kafka.command("up -1")
    s.sql("INSERT INTO t VALUES (2)")
    s.reader.wait(2, seconds=40)


@pytest.mark.parametrize("how", ["retriable errors", "fatal errors", "leader moves", "slow answers"])
def test_broker_faults(streams, how):
    kafka = EmbeddedKafka(brokers=3 if how == "leader moves" else 1)
    try:
        s = streams({"public.led_0": 3}, kafka=kafka, settings={"snapshot": {"mode": "never"}})
        workload = Workload(s.database, tables=1, writers=3, seed=41, rate=300).create()
        s.start()
        workload.start()
        topic = f"{s.name}.public.led_0"
        for i in range(4):
            time.sleep(0.4)
            if how == "retriable errors":
                for error in ("NOT_LEADER_FOR_PARTITION", "REQUEST_TIMED_OUT", "NOT_ENOUGH_REPLICAS", "_TRANSPORT"):
                    kafka.command(f"errors PRODUCE {error} 2")
            elif how == "fatal errors":
                kafka.command("errors PRODUCE OUT_OF_ORDER_SEQUENCE_NUMBER 1")
            elif how == "leader moves":
                kafka.command(f"leader {topic} {i % 3} {i % 3 + 1}")
            else:
                kafka.command(f"rtt 1 {[500, 0, 1000, 0][i]}")
        time.sleep(1)
        workload.stop()
        s.settle(60)
        assert s.host.running()
        if how in ("fatal errors", "retriable errors"):
            # The mock takes the batches behind the one that it refused, which a broker would refuse too: order says nothing here, loss does.
            report = check(s.reader.all(), workload.journal, prefix=s.name, replays="cut")
            assert not report.kinds() - {"order", "repeat"}, report.problems[:5]
            assert how == "retriable errors" or report.repeated and s.host.metric("cdc_reconnects_total", side="sink") >= 1
        else:
            s.check(workload, replays="none" if how in ("leader moves", "slow answers") else "cut")
        s.close()
    finally:
        kafka.stop()


def test_large_backlog_behind_a_frozen_broker_stays_in_its_budget(own_kafka, streams):
    # So many partitions that the broker keeps all of it.
    s = streams({"public.t": 24}, kafka=own_kafka, settings={"snapshot": {"mode": "never"}, "limits": {"in_flight": "8MiB"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, v text)")
    s.start()
    own_kafka.freeze()
    s.sql("INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 60000) g")
    time.sleep(4)
    assert s.host.metric("cdc_in_flight_bytes") <= 9 << 20
    assert s.host.rss() < 96 << 20
    own_kafka.thaw()
    s.settle(60)
    assert sorted(r.json_key["id"] for r in s.reader.topic("public.t")) == list(range(1, 60001))


def test_C08_progress_never_runs_ahead_of_a_frozen_broker(own_cluster, own_kafka, long_form, streams):
    own_cluster.sql(f"ALTER SYSTEM SET wal_sender_timeout = '{10 if long_form else 4}s'")
    own_cluster.sql("SELECT pg_reload_conf()")
    database = own_cluster.create_database("ahead")
    s = streams({"public.t": 1}, kafka=own_kafka, on=database, settings={"snapshot": {"mode": "never"}, "source": {"tables": {"include": ["public.t"]}}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY); CREATE TABLE other(v text)")
    s.start()
    s.sql("INSERT INTO t VALUES (0)")
    s.settle()
    own_kafka.freeze()
    s.sql("INSERT INTO t VALUES (1)")
    seen = []
    seconds = 60 if long_form else 12
    for second in range(seconds):
        if second % max(1, seconds // 5) == 0:
            s.sql("INSERT INTO other SELECT repeat('x', 1000) FROM generate_series(1, %s)", (20000 if long_form else 3000,))
            own_cluster.sql("SELECT pg_switch_wal()")
        seen.append(database.slot(s.slot)["confirmed"])
        time.sleep(1)
    assert "terminating walsender process due to replication timeout" not in own_cluster.log()
    end = database.current_lsn()
    s.host.kill9()
    own_kafka.thaw()
    database.wait_inactive(s.slot)
    s.start()
    waiting = s.reader.wait(2)[1]
    assert {k["id"] for _, k in s.ops("public.t")} == {0, 1} and waiting.json_key == {"id": 1}
    assert max(seen) < waiting.json["commit_lsn"]
    database.wait_confirmed(s.slot, end, 15)


@pytest.mark.parametrize("rows", [1, 40000], ids=["one row", "more than fits"])
def test_server_stops_while_the_broker_is_frozen(own_cluster, own_kafka, streams, rows):
    database = own_cluster.create_database("stuck")
    s = streams({"public.t": 24}, kafka=own_kafka, on=database, settings={"snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, v text)")
    s.start()
    own_kafka.freeze()
    s.sql("INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, %s) g", (rows,))
    time.sleep(1)
    begun = time.monotonic()
    try:
        own_cluster.stop("fast", seconds=15)
        took = time.monotonic() - begun
        assert took < 15, "the server waits for the frozen broker"
        assert s.host.events("server_stops")
    finally:
        own_kafka.thaw()
        own_cluster.stop("immediate")
        own_cluster.start()
    s.settle(60)
    keys = [k["id"] for _, k in s.ops("public.t")]
    assert sorted(keys) == list(range(1, rows + 1)), "lost, or repeated although the host lived on"


@pytest.mark.parametrize("how", ["down", "frozen"])
def test_a_stop_while_the_brokers_are_away_keeps_its_limit(own_kafka, streams, how):
    s = streams({"public.t": 1}, kafka=own_kafka, settings={"snapshot": {"mode": "never"}, "limits": {"stop": "2s"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    s.sql("INSERT INTO t VALUES (1)")
    s.settle()
    if how == "down":
        own_kafka.command("down -1")
    else:
        own_kafka.freeze()
    s.sql("INSERT INTO t VALUES (2)")
    # The sink has a question under way then, which nobody answers for five seconds.
    time.sleep(6)
    begun = time.monotonic()
    assert s.host.stop() == 75
    assert time.monotonic() - begun < 4
    assert len(s.host.events("stopped")) == 1


def test_a_monitor_that_is_killed_does_not_end_the_stream(streams):
    """Only a server that shuts down is let go of."""
    s = streams({"public.t": 1}, settings={"snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    monitor = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s"
    wait_until(lambda: s.database.value(monitor, (f"%{s.name} monitor",)), 10, "the monitor is connected")
    for _ in range(3):
        s.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE %s", (f"%{s.name} monitor",))
        time.sleep(1.2)
    s.sql("INSERT INTO t VALUES (1)")
    s.reader.wait(1)
    assert not s.host.events("reconnecting")
    assert s.host.metric("cdc_reconnects_total", side="source") == 0
