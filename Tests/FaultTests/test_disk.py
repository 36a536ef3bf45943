"""The state directory's disk is full."""

import os
import subprocess

import pytest


@pytest.fixture
def small_disk(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    mount = tmp_path / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m,nr_inodes=64", "tmpfs", str(mount)], capture_output=True).returncode != 0:
        pytest.skip("no tmpfs may be mounted here")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=False)


def fill(folder):
    """Takes every file that the disk can hold. Bytes alone would not do: a new checkpoint fits where the one before the last was."""
    for number in range(100):
        try:
            (folder / f"ballast-{number}").touch()
        except OSError:
            return
    raise AssertionError("the disk does not fill up")


def test_full_disk_is_74_and_the_position_is_kept(streams, small_disk):
    s = streams({"public.t": 1}, settings={"snapshot": {"mode": "never"}})
    s.host.state = str(small_disk / "state")
    s.host.settings["state"]["directory"] = s.host.state
    s.host.write()
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    s.sql("INSERT INTO t VALUES (1)")
    s.settle()
    confirmed = s.database.slot(s.slot)["confirmed"]
    fill(small_disk)
    s.sql("INSERT INTO t VALUES (2)")
    assert s.host.wait_exit(30) == 74
    assert s.host.state in s.host.tail(3)
    assert s.database.slot(s.slot)["confirmed"] <= s.database.current_lsn()
    for ballast in small_disk.glob("ballast*"):
        ballast.unlink()
    s.start()
    s.sql("INSERT INTO t VALUES (3)")
    s.settle()
    assert list(dict.fromkeys(k["id"] for _, k in s.ops("public.t"))) == [1, 2, 3]
    assert confirmed < s.database.slot(s.slot)["confirmed"]
