"""A slot that is not the one we knew, and a second host for it."""

import os
import shutil

import pytest

from Support.host import Host
from Support.postgres import Cluster


def stopped_stream(streams, **how):
    s = streams({"public.t": 1}, settings={"snapshot": {"mode": "never"}}, **how)
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    s.sql("INSERT INTO t VALUES (1)")
    s.settle()
    assert s.host.stop() == 0
    return s


def test_dropped_slot_is_80(streams):
    s = stopped_stream(streams)
    s.sql("SELECT pg_drop_replication_slot(%s)", (s.slot,))
    log = s.host.fails(80)
    assert s.slot in log and s.database.slot(s.slot) is None, "it made the slot anew"


def test_recreated_slot_is_80(streams):
    s = stopped_stream(streams)
    s.sql("SELECT pg_drop_replication_slot(%s)", (s.slot,))
    s.sql("INSERT INTO t VALUES (2)")
    s.sql("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (s.slot,))
    before = s.database.slot(s.slot)["confirmed"]
    assert s.slot in s.host.fails(80)
    assert s.database.slot(s.slot)["confirmed"] == before


@pytest.mark.parametrize("plugin, other_database", [("test_decoding", False), ("pgoutput", True)])
def test_slot_of_another_kind_or_database_is_80(streams, cluster, plugin, other_database):
    s = stopped_stream(streams)
    s.sql("SELECT pg_drop_replication_slot(%s)", (s.slot,))
    where = "postgres" if other_database else s.database.name
    cluster.sql("SELECT pg_create_logical_replication_slot(%s, %s)", (s.slot, plugin), database=where)
    s.host.fails(80)
    cluster.sql("SELECT pg_drop_replication_slot(%s)", (s.slot,))


def test_slot_dropped_under_a_running_host_is_80(streams):
    s = streams({"public.t": 1}, settings={"snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    connection = s.database.connect()
    with connection.cursor() as cursor:
        for _ in range(50):
            cursor.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s AND active", (s.slot,))
            try:
                cursor.execute("SELECT pg_drop_replication_slot(%s)", (s.slot,))
                break
            except Exception:
                continue
    connection.close()
    assert s.database.slot(s.slot) is None
    assert s.host.wait_exit(30) == 80


def test_slot_without_state(streams):
    s = stopped_stream(streams)
    shutil.rmtree(s.host.state)
    s.sql("INSERT INTO t VALUES (2)")
    # never: the slot's own position is taken; initial: a person has to choose.
    s.start()
    s.settle()
    assert [k["id"] for _, k in s.ops("public.t")] == [1, 2]
    assert s.host.stop() == 0
    shutil.rmtree(s.host.state)
    s.host.settings["snapshot"]["mode"] = "initial"
    s.host.write()
    log = s.host.fails(80)
    assert "never" in log


def test_another_cluster_is_80(own_kafka, streams):
    first, second = Cluster(), Cluster()
    try:
        database, other = first.create_database("one"), second.create_database("one")
        s = streams({"public.t": 1}, kafka=own_kafka, on=database, settings={"snapshot": {"mode": "never"}})
        s.sql("CREATE TABLE t(id int PRIMARY KEY)")
        s.start()
        s.sql("INSERT INTO t VALUES (1)")
        s.settle()
        assert s.host.stop() == 0
        other.sql("CREATE TABLE t(id int PRIMARY KEY)")
        other.sql(f"CREATE PUBLICATION {s.slot} FOR TABLE t")
        other.sql("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (s.slot,))
        s.host.settings["source"]["connection"] = other.uri()
        s.host.write()
        log = s.host.fails(80)
        assert "cluster" in log or "system identifier" in log
        s.close()
    finally:
        first.destroy()
        second.destroy()


@pytest.mark.parametrize("own_cluster", [{"settings": {"max_slot_wal_keep_size": "32MB", "checkpoint_timeout": "30s"}}], indirect=True)
def test_invalidated_slot_is_80(own_cluster, own_kafka, streams):
    database = own_cluster.create_database("lost")
    s = streams({"public.t": 1}, kafka=own_kafka, on=database, settings={"snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY); CREATE TABLE other(v text)")
    s.host.settings["source"]["tables"] = {"include": ["public.t"]}
    s.host.write()
    s.start()
    s.sql("INSERT INTO t VALUES (1)")
    s.settle()
    assert s.host.stop() == 0
    for _ in range(8):
        s.sql("INSERT INTO other SELECT repeat('x', 1000) FROM generate_series(1, 15000)")
        own_cluster.sql("SELECT pg_switch_wal()")
        own_cluster.sql("CHECKPOINT")
    assert database.slot(s.slot)["wal_status"] == "lost"
    s.host.fails(80)


def test_publication_gone_while_the_slot_exists_is_80(streams):
    s = stopped_stream(streams)
    s.sql(f"DROP PUBLICATION {s.slot}")
    s.sql("INSERT INTO t VALUES (2)")
    log = s.host.fails(80)
    assert "publication" in log.lower()


def test_publication_dropped_under_a_running_host_is_80(streams):
    s = streams({"public.t": 1}, settings={"snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    s.sql("INSERT INTO t VALUES (1)")
    s.settle()
    s.sql(f"DROP PUBLICATION {s.slot}")
    s.sql("INSERT INTO t VALUES (2)")
    assert s.host.wait_exit(30) == 80
    # Made anew it cures nothing: what was written without it cannot be decoded.
    s.sql(f"CREATE PUBLICATION {s.slot} FOR TABLE t")
    assert "publication" in s.host.fails(80)


def test_second_host_with_the_same_state_is_82(streams):
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    second = Host(s.name, s.database.uri(), s.kafka, settings={"state": {"directory": s.host.state}})
    try:
        log = second.fails(82)
        assert str(s.host.pid) in log
        s.sql("INSERT INTO t VALUES (1)")
        s.reader.wait(1)
        assert s.host.running() and s.host.lock_file()["pid"] == str(s.host.pid)
    finally:
        second.destroy()


def test_second_host_with_other_state_waits_and_is_82(streams):
    s = streams({"public.t": 1}, settings={"snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    second = Host(s.name, s.database.uri(), s.kafka, settings={"snapshot": {"mode": "never"}, "source": {"slot": {"wait": "2s"}}})
    try:
        log = second.fails(82)
        assert s.slot in log
        assert s.host.running() and s.host.ready()
    finally:
        second.destroy()
    assert os.path.exists(s.host.state)
