"""The core of the integration tests against the real Apache Kafka."""

import hashlib
import os
import random
import re
import time

import pytest

from Support.host import run_cli
from Support.kafka import Reader, RealKafka, why_no_real_kafka
from Support.secrets import PASSWORD, never_shown
from Support.waiting import wait_until
from Support.workload import Workload

pytestmark = pytest.mark.real_kafka


def test_topics_are_created_as_configured(streams, real_kafka):
    s = streams({}, kafka=real_kafka, stages={"60-sink": {"options": {"topics": {"partitions": 6, "config": {"cleanup.policy": "compact"}}}}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, v text); CREATE TABLE u(id int PRIMARY KEY)")
    s.start()
    s.sql("INSERT INTO t VALUES (1, 'a'); INSERT INTO u VALUES (1)")
    s.reader.wait(2)
    topics = real_kafka.admin.list_topics(timeout=10).topics
    assert len(topics[f"{s.name}.public.t"].partitions) == 6 == len(topics[f"{s.name}.public.u"].partitions)


def test_an_existing_topic_is_taken_as_it_is(streams, real_kafka):
    s = streams({"public.t": 2}, kafka=real_kafka, stages={"60-sink": {"options": {"topics": {"partitions": 6}}}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    s.sql("INSERT INTO t SELECT generate_series(1, 100)")
    assert {r.partition for r in s.reader.wait(100)} == {0, 1}
    line = next(line for line in s.host.log().splitlines() if f"{s.name}.public.t" in line and " warning " in line)
    assert "6" in line and "2" in line


def test_topic_that_nobody_may_make_is_78(streams, real_kafka):
    s = streams({}, kafka=real_kafka, stages={"60-sink": {"options": {"topics": {"create": False}}}}, settings={"snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start(until=None)
    try:
        s.host.wait_for_event("streaming", 20)
        s.sql("INSERT INTO t VALUES (1)")
    except AssertionError:
        pass
    assert s.host.wait_exit(30) == 78
    assert f"{s.name}.public.t" in s.host.tail(3)


def test_a_topic_deleted_while_it_streams_is_78_and_a_restart_makes_it(streams, real_kafka):
    s = streams({}, kafka=real_kafka, settings={"snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    s.sql("INSERT INTO t VALUES (1)")
    s.settle()
    for future in real_kafka.admin.delete_topics([f"{s.name}.public.t"]).values():
        future.result(30)
    s.sql("INSERT INTO t VALUES (2)")
    assert s.host.wait_exit(60) == 78
    s.reader.close()
    s.start()
    s.reader = Reader(real_kafka, s.name)
    assert [r.json_key["id"] for r in s.reader.wait(1)] == [2]


@pytest.mark.parametrize("kafka_kind", ["embedded", "real"])
def test_changes_snapshot_clean_stops_and_kills(streams, request, kafka_kind):
    kafka = request.getfixturevalue("embedded" if kafka_kind == "embedded" else "real_kafka")
    s = streams({"public.led_0": 3, "public.led_1": 6}, kafka=kafka)
    workload = Workload(s.database, tables=2, writers=3, seed=77, rate=400).create(initial_rows=1000)
    workload.start()
    s.start(seconds=60)
    rng = random.Random(77)
    for _ in range(2):
        time.sleep(rng.uniform(0.5, 1.0))
        assert s.host.stop() == 0
        s.start()
    for _ in range(3):
        time.sleep(rng.uniform(0.3, 1.0))
        s.host.kill9()
        s.database.wait_inactive(s.slot)
        s.start()
    workload.stop()
    s.settle()
    report = s.check(workload, snapshot="once", replays="cut")
    assert report.transactions > 50


def test_partition_is_that_of_the_java_client(streams, real_kafka):
    from confluent_kafka import Producer
    s = streams({"public.t": 6, "public.same": 6}, kafka=real_kafka)
    s.sql("CREATE TABLE t(id bigint PRIMARY KEY)")
    s.start()
    s.sql("INSERT INTO t SELECT generate_series(1, 500)")
    ours = {r.key: r.partition for r in s.reader.wait(500, table="public.t")}
    producer = Producer({"bootstrap.servers": real_kafka.bootstrap, "partitioner": "murmur2_random"})
    for key in ours:
        producer.produce(f"{s.name}.public.same", key=key, value=b"{}")
    producer.flush(30)
    theirs = {r.key: r.partition for r in s.reader.wait(500, table="public.same")}
    assert ours == theirs and len(set(ours.values())) == 6


@pytest.mark.long
def test_C22_broker_frozen_with_batches_in_flight(streams, real_kafka, long_form):
    s = streams({"public.led_0": 3}, kafka=real_kafka, settings={"snapshot": {"mode": "never"}})
    workload = Workload(s.database, tables=1, writers=3, seed=22, rate=500).create()
    s.start()
    pid = s.host.pid
    workload.start()
    for _ in range(10 if long_form else 3):
        time.sleep(20 if long_form else 2)
        real_kafka.freeze()
        time.sleep(45 if long_form else 5)
        real_kafka.thaw()
    time.sleep(20 if long_form else 2)
    real_kafka.kill()
    time.sleep(3)
    real_kafka.up()
    thawed = time.monotonic()
    time.sleep(2)
    workload.stop()
    s.settle(60)
    wait_until(lambda: s.host.metric("cdc_lag_bytes") == 0 and s.host.metric("cdc_lag_seconds") == 0, max(1, 60 - (time.monotonic() - thawed)), "the lag is back to zero")
    assert s.host.pid == pid and s.host.running()
    assert s.host.rss(peak=True) < 64 << 20
    s.check(workload, replays="cut")
    assert s.host.metric("cdc_reconnects_total", side="source") == 0
    # A producer that was made anew says so, once for each time.
    assert len(s.host.events("reconnecting")) == s.host.metric("cdc_reconnects_total", side="sink")


def test_C33_a_record_that_the_broker_refuses(streams, real_kafka):
    s = streams({}, kafka=real_kafka, settings={"log": {"level": "debug"}, "snapshot": {"mode": "never"}})
    real_kafka.create_topic(f"{s.name}.public.p", 1, config={"max.message.bytes": "20000"})
    s.sql("CREATE TABLE p(id int PRIMARY KEY, name text)")
    s.start()
    s.sql("INSERT INTO p VALUES (1, 'PII-1')")
    s.settle()
    # Nothing that compresses.
    s.sql("INSERT INTO p SELECT 2, string_agg('PII-2' || md5(g::text), '') FROM generate_series(1, 3000) g")
    assert s.host.wait_exit(30) == 65
    reason = s.host.events("stopped")[-1]["reason"]
    assert f"topic {s.name}.public.p " in reason and hashlib.sha256(b'{"id":2}').hexdigest()[:16] in reason, reason
    assert re.search(r"111\d{3} bytes, behind [0-9A-F]+/[0-9A-F]+", reason), reason
    assert "PII-" not in s.host.log() and [r.json_key for r in s.reader.all()] == [{"id": 1}]


@pytest.fixture(scope="module")
def kafka_with_passwords():
    """SASL PLAIN with the awkward password of case C26, for which the broker's own file needs escapes of its own."""
    reason = why_no_real_kafka()
    if reason:
        pytest.skip(reason)
    jaas = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    line = f'{module} required user_cdc="{jaas}";'.replace("\\", "\\\\")
    kafka = RealKafka(settings={"listener.name.sasl_plaintext.plain.sasl.jaas.config": line})
    host, port = kafka.bootstrap.split(",")[0].rsplit(":", 1)
    kafka.passworded = f"{host}:{int(port) + 4}"
    yield kafka
    kafka.stop()


def with_password(streams, kafka, reference: str, **how):
    return streams(
        {}, kafka=kafka, settings={"log": {"level": "debug"}}, environment={"KAFKAPASS": PASSWORD},
        stages={"60-sink": {"options": {"kafka": {
            "bootstrap.servers": kafka.passworded, "security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN", "sasl.username": "cdc",
            "sasl.password": reference}}}}, **how)


@pytest.mark.parametrize("form", ["yaml", "toml"])
@pytest.mark.parametrize("how", ["env", "file", "file with newline"])
def test_C26_a_password_with_every_awkward_character_at_the_brokers(streams, kafka_with_passwords, tmp_path, form, how):
    reference = "${env:KAFKAPASS}"
    if how != "env":
        (tmp_path / "secret").write_text(PASSWORD + ("\n" if how.endswith("newline") else ""))
        (tmp_path / "secret").chmod(0o600)
        reference = "${file:%s}" % (tmp_path / "secret")
    s = with_password(streams, kafka_with_passwords, reference)
    if form == "toml":
        options = s.host.stages["60-sink"]["options"]["kafka"]
        os.remove(os.path.join(s.host.plugins, "60-sink.yaml"))
        s.host.write_file("60-sink.toml", "\n".join(
            ['plugin = "KafkaSink"', "[options.kafka]", *(f'"{key}" = "{value}"' for key, value in options.items()), ""]))
    s.sql("CREATE TABLE t(id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    check = run_cli("check", "--plugins", s.host.plugins, environment={"KAFKAPASS": PASSWORD}, cwd=s.host.folder)
    assert check.returncode == 0, check.stdout + check.stderr
    s.start()
    s.sql("INSERT INTO t VALUES (2)")
    s.reader.wait(2)
    status = s.host.get("/status")[1]
    assert s.host.stop() == 0
    never_shown(s.host.log(whole=True), check.stdout, check.stderr, status)


def test_C26_a_wrong_password_at_the_brokers_is_77(streams, kafka_with_passwords):
    wrong = {"KAFKAPASS": PASSWORD[::-1]}
    s = with_password(streams, kafka_with_passwords, "${env:KAFKAPASS}")
    s.host.environment = wrong
    s.sql("CREATE TABLE t(id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    check = run_cli("check", "--plugins", s.host.plugins, environment=wrong, cwd=s.host.folder)
    assert check.returncode == 77 and "Authentication failed" in check.stdout, check.stdout + check.stderr
    log = s.host.fails(77, seconds=90)
    reason = s.host.events("stopped")[-1]["reason"]
    assert "60-sink" in reason and "authentication" in reason.lower(), reason
    never_shown(log[::-1], check.stdout[::-1], check.stderr[::-1])
