"""Numbers, health and log lines; and that no row value is in any of them."""

import hashlib
import json
import os
import re
import shutil
import signal
import urllib.error
import urllib.request

import pytest

from Support.waiting import wait_until

METRICS = [
    "cdc_rows_total", "cdc_transactions_total", "cdc_received_bytes_total", "cdc_records_acknowledged_total", "cdc_batches_total", "cdc_stage_seconds_total",
    "cdc_in_flight_bytes", "cdc_received_lsn", "cdc_acknowledged_lsn", "cdc_confirmed_lsn", "cdc_lag_bytes", "cdc_lag_seconds", "cdc_slot_retained_bytes",
    "cdc_slot_state", "cdc_reconnects_total", "cdc_checkpoint_age_seconds", "cdc_snapshot_rows_total", "cdc_snapshot_fraction", "cdc_reloads_total",
    "cdc_reload_pause_seconds", "cdc_plugin_info", "cdc_build_info", "process_resident_memory_bytes", "process_cpu_seconds_total",
    "process_start_time_seconds", "process_open_fds",
]


def test_metrics(streams):
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1), (2, 2)")
    s.start()
    s.sql("INSERT INTO t VALUES (3, 3)")
    s.sql("UPDATE t SET v = 9 WHERE id < 3")
    s.sql("DELETE FROM t WHERE id = 3")
    s.settle()
    text = s.host.get("/metrics")[1]
    declared = set(re.findall(r"^# TYPE (\S+) ", text, re.M))
    present = {key[0] for key in s.host.metrics()}
    for name in METRICS:
        assert name in declared, f"{name} has no TYPE"
        assert name in present or f"{name}_bucket" in present or name in ("cdc_reconnects_total", "cdc_reloads_total"), f"{name} has no value"
    for line in text.splitlines():
        if line.startswith("cdc_"):
            assert f'stream="{s.name}"' in line, line
    rows = lambda op: s.host.metric("cdc_rows_total", table="public.t", op=op)
    assert [rows(op) for op in ("read", "insert", "update", "delete")] == [2, 1, 2, 1]
    assert s.host.metric("cdc_records_acknowledged_total", topic=f"{s.name}.public.t") == 7
    assert s.host.metric("cdc_transactions_total") == 3
    assert s.host.metric("cdc_slot_state", state="active") == 1 or any(
        key[0] == "cdc_slot_state" and value == 1 for key, value in s.host.metrics().items())
    assert s.host.metric("cdc_in_flight_bytes") == 0
    stages = {dict(key[1:])["stage"] for key in s.host.metrics() if key[0] == "cdc_plugin_info"}
    assert stages == {"10-decoder", "40-codec", "50-partitioner", "60-sink"}
    assert s.host.metric("cdc_confirmed_lsn") >= s.reader.topic("public.t")[-2].json["commit_lsn"]


def test_pages(streams):
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    assert s.host.get("/healthz")[0] == 200 and s.host.get("/readyz")[0] == 200
    assert s.host.get("/nothing")[0] == 404
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"http://{s.host.admin_address()}/status", data=b"x"))
    assert refused.value.code == 405
    json.loads(s.host.get("/readyz")[1])


def test_lag_returns_to_zero_when_idle(streams):
    s = streams({"public.t": 1}, settings={"source": {"status_interval": "1s"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    s.sql("INSERT INTO t SELECT generate_series(1, 100)")
    s.settle()
    wait_until(lambda: s.host.metric("cdc_lag_seconds") == 0 and s.host.metric("cdc_lag_bytes") == 0, 15, "the lag is 0 on an idle stream", every=0.3)


@pytest.mark.parametrize("form", ["text", "json"])
def test_log_lines(streams, form):
    s = streams({"public.t": 1}, settings={"log": {"format": form}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    s.start()
    s.settle()
    assert s.host.stop() == 0
    lines = s.host.log().strip().splitlines()
    events = s.host.events()
    assert len(events) == len(lines), [line for line in lines if not re.match(r"\d{4}-|\{", line)]
    names = [event["event"] for event in events]
    for name in ("starting", "snapshot_started", "snapshot_finished", "streaming", "stopping", "stopped"):
        assert name in names
    assert names[-1] == "stopped"
    with open(s.host.out_path) as file:
        assert file.read() == "", "standard output is for answers"


def test_log_file_is_opened_anew_on_USR1(streams, tmp_path):
    path = tmp_path / "host.log"
    s = streams({"public.t": 1}, settings={"log": {"file": str(path)}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start(until=None)
    wait_until(lambda: path.exists() and " streaming" in path.read_text(), 20, "the log file says streaming")
    os.rename(path, tmp_path / "old.log")
    s.host.signal(signal.SIGUSR1)
    s.host.signal(signal.SIGPIPE)
    wait_until(path.exists, 5, "the log file is there again")
    assert s.host.stop() == 0
    assert "stopped" in path.read_text()


class TestC33:
    """No row value in log, standard error, status, metrics or headers."""

    def check(self, s, words):
        texts = [s.host.log(whole=True)]
        with open(s.host.out_path) as file:
            texts.append(file.read())
        if s.host.running():
            texts += [s.host.get("/status")[1], s.host.get("/metrics")[1], s.host.get("/readyz")[1]]
        for text in texts:
            assert "PII-" not in text
        for word in words:
            assert word in texts[0], f"the log does not name {word}:\n{s.host.tail()}"
        assert all(b"PII-" not in value for r in s.reader.all() for _, value in r.headers)

    def refused(self, s, stage: str, key: str, column: str = ""):
        """The stream ended for a row, and the last line finds it: stage, table, column, position, and a hash that anyone can make of the key."""
        assert s.host.wait_exit(20) == 65, s.host.tail()
        reason = s.host.events("stopped")[-1]["reason"]
        assert f"{stage} refuses a row of public.p " in reason and column in reason, reason
        assert f"key hash {hashlib.sha256(key.encode()).hexdigest()[:16]}, " in reason, reason
        assert re.search(r"commit [0-9A-F]+/[0-9A-F]+, ordinal \d+", reason), reason
        self.check(s, ["public.p"])

    def prepare(self, streams, columns: str, settings: dict | None = None, **how):
        settings = settings or {"snapshot": {"mode": "never"}}
        s = streams({"public.p": 1}, settings={"log": {"level": "debug"}, "limits": {"record": "50KB"}, **settings}, **how)
        s.sql(f"CREATE TABLE p(id int PRIMARY KEY, name text, {columns})")
        s.start()
        s.sql("INSERT INTO p(id, name) VALUES (1, 'PII-1')")
        s.reader.wait(1)
        return s

    @pytest.mark.parametrize("form", ["debezium", "compact"])
    def test_C33_record_too_large(self, streams, form):
        s = self.prepare(streams, "v text", codec={"format": form})
        s.sql("INSERT INTO p VALUES (2, 'PII-2', repeat('PII-3', 20000))")
        self.refused(s, "60-sink", "2")

    @pytest.mark.parametrize("kind", ["numeric(10,2) NOT NULL DEFAULT 0", "numeric(10,2)", "numeric"])
    def test_C33_numeric_that_cannot_be_decimal(self, streams, kind):
        s = self.prepare(streams, f"n {kind}", codec={"format": "debezium"})
        s.sql("INSERT INTO p VALUES (2, 'PII-2', 'NaN')")
        self.refused(s, "40-codec", "2", "public.p.n")

    def test_C33_numeric_that_cannot_be_decimal_in_the_snapshot(self, streams):
        s = self.prepare(streams, "n numeric", codec={"format": "debezium"}, settings={"snapshot": {"mode": "initial"}})
        assert s.host.stop() == 0
        s.sql("SELECT pg_drop_replication_slot(%s)", (s.slot,))
        shutil.rmtree(s.host.state)
        s.sql("INSERT INTO p VALUES (2, 'PII-2', 'NaN')")
        s.host.start(until=None)
        self.refused(s, "40-codec", "2", "public.p.n")

    def test_C33_a_masking_plugin_that_fails_on_one_row(self, streams, c_plugin):
        mark = "      /* The host copies key and value into the batch's memory. */"
        failing = c_plugin("1", (mark, """      const cdcp_cell *cells = cdcp_batch_row(batch, i)->new_cells;
      if (cells && cells[0].len == 1 && cells[0].ptr[0] == '2') {
        me->host->row_fail(batch, i, CDCP_CODE_VALUE, "column public.p.name cannot be masked", 37);
        continue;
      }
""" + mark))
        s = self.prepare(streams, "v text", stages={"30-masking": {"plugin": failing}})
        s.sql("INSERT INTO p VALUES (2, 'PII-2', 'PII-3')")
        self.refused(s, "30-masking", "2", "public.p.name")

    def test_C33_a_transform_with_an_unknown_column(self, streams):
        s = self.prepare(streams, "v text")
        assert s.host.stop() == 0
        s.host.stages["30-masking"] = {"plugin": "Masking", "options": {"columns": [{"column": "public.p.nmae", "how": "null"}]}}
        s.host.write()
        s.host.fails(78)
        self.check(s, ["public.p.nmae", "30-masking"])

    def test_C33_a_plugin_whose_call_fails(self, streams, c_plugin):
        broken = c_plugin("1", ("      if (status != CDCP_OK) return refuse",
                                "      if (1) return refuse(me, CDCP_E_DATA, \"this row is not for me\");\n      if (status != CDCP_OK) return refuse"))
        s = streams({"public.p": 1}, settings={"log": {"level": "debug"}, "snapshot": {"mode": "never"}}, stages={"30-broken": {"plugin": broken}})
        s.sql("CREATE TABLE p(id int PRIMARY KEY, name text)")
        s.start()
        s.sql("INSERT INTO p VALUES (1, 'PII-1')")
        assert s.host.wait_exit(20) in (65, 81)
        self.check(s, ["30-broken", "this row is not for me"])

    @pytest.mark.parametrize("how, words", [
        ("volatile int *volatile nowhere = NULL; *nowhere = 1;", "SIGSEGV"), ("abort();", "abort"), ("exit(0);", "exit"), ("__builtin_trap();", "trap")])
    def test_C33_a_plugin_that_crashes(self, streams, c_plugin, how, words):
        crashing = c_plugin("1", ("      if (status != CDCP_OK) return refuse", f"      {how}\n      if (status != CDCP_OK) return refuse"))
        s = streams({"public.p": 1}, settings={"log": {"level": "debug"}, "snapshot": {"mode": "never"}}, stages={"30-crash": {"plugin": crashing}})
        s.sql("CREATE TABLE p(id int PRIMARY KEY, name text)")
        s.start()
        assert re.search(r"Max core file size\s+0\s", open(f"/proc/{s.host.pid}/limits").read()), "rows would lie in a core file"
        s.sql("INSERT INTO p VALUES (1, 'PII-1')")
        assert s.host.wait_exit(30) == 81
        self.check(s, ["30-crash", words])
        assert not [f for f in os.listdir(s.host.folder) if f.startswith("core")]

    def test_C33_unreachable_server_at_debug_level(self, streams):
        s = self.prepare(streams, "v text")
        s.sql("INSERT INTO p VALUES (2, 'PII-2', 'PII-3')")
        s.sql("UPDATE p SET id = id + 10")
        s.sql("DELETE FROM p")
        s.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s", (s.slot,))
        s.host.wait_for_event("reconnecting")
        s.host.wait_for_event("streaming", count=2)
        s.settle()
        self.check(s, ["reconnecting"])
