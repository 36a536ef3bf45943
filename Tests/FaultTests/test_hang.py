"""A stage that does not return: the process says which, and ends all the same."""

import signal
import time

import pytest

from Support.waiting import wait_until

SLEEP = "for (;;) sleep(1);"


@pytest.fixture
def hanging(c_plugin):
    """A library that never returns from `process` or `configure`."""
    def build(call: str) -> str:
        head = "#define _DEFAULT_SOURCE\n#include <unistd.h>\n"
        if call == "configure":
            old = "  instance *me = self;\n  cdcp_str key, value;\n"
            return c_plugin("1", (old, "  " + SLEEP + "\n" + old), head=head)
        old = "  const instance *me = self;\n  /* Only rows"
        return c_plugin("1", (old, "  " + SLEEP + "\n" + old), head=head)
    return build


@pytest.mark.parametrize("limit", [2, 5])
def test_TERM_ends_a_start_whose_stage_hangs_in_configure(streams, hanging, limit):
    s = streams({"public.t": 1}, settings={"limits": {"stop": f"{limit}s"}}, stages={"20-stuck": {"plugin": hanging("configure")}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start(until="starting")
    time.sleep(1)
    begun = time.monotonic()
    assert s.host.stop() == 75
    assert time.monotonic() - begun <= max(limit, 3) + 1
    last = s.host.events("stopped")[-1]
    assert "20-stuck" in last["reason"] and "configure" in last["reason"]
    assert not s.database.slot(s.slot)


def test_TERM_ends_a_stream_whose_stage_hangs(streams, hanging):
    s = streams({"public.t": 1}, settings={"limits": {"stop": "2s"}, "snapshot": {"mode": "never"}}, stages={"20-stuck": {"plugin": hanging("process")}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    s.sql("INSERT INTO t VALUES (1)")
    wait_until(lambda: s.host.metric("cdc_received_bytes_total") > 0, 10, "the row has come")
    begun = time.monotonic()
    assert s.host.stop() == 75
    assert time.monotonic() - begun < 8


@pytest.mark.timeout(240)
def test_a_stage_that_hangs_while_rows_flow_is_81(streams, hanging, long_form):
    s = streams({"public.t": 1}, settings={"snapshot": {"mode": "never"}}, stages={"20-stuck": {"plugin": hanging("process")}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    s.sql("INSERT INTO t VALUES (1)")
    if long_form:
        # A process that was stopped has seen nothing of the time between: that is no hang.
        time.sleep(20)
        s.host.signal(signal.SIGSTOP)
        time.sleep(70)
        s.host.signal(signal.SIGCONT)
    warning = s.host.wait_for_event("stage_stalled", 45)
    assert "20-stuck" in warning["message"]
    assert s.host.running()
    assert s.host.wait_exit(45) == 81
    last = s.host.events("stopped")[-1]
    assert "20-stuck" in last["reason"] and "/" in last["reason"], last
    # Nothing was confirmed: without the stage the row arrives.
    s.host.stages.pop("20-stuck")
    s.host.write()
    s.start()
    s.reader.wait(1)
