"""The command line, without a stream and beside one."""

import json
import os

import pytest

from Support.host import Host, run_cli, write_plugins_folder
from Support.kafka import PROJECT, build_folder


def test_version_and_help(cli):
    version = cli("--version")
    assert version.returncode == 0 and any(c.isdigit() for c in version.stdout)
    text = cli("--help")
    assert text.returncode == 0 and len(text.stdout.splitlines()) <= 50 and "--plugins" in text.stdout
    for command in ("run", "init", "check", "status", "reload", "plugin"):
        assert command in text.stdout
        assert cli("help", command).returncode == 0


def test_default_plugins_folder_passes_the_offline_check(cli):
    done = cli("check", "--plugins", os.path.join(PROJECT, "plugins.d"), "--offline", cwd="/tmp")
    assert done.returncode == 0, done.stdout + done.stderr


def test_init_writes_a_folder_that_passes(cli, tmp_path):
    folder = tmp_path / "mine"
    done = cli("init", str(folder))
    assert done.returncode == 0, done.stderr
    assert (folder / "host.yaml").exists() or (folder / "host.toml").exists()
    assert cli("check", "--plugins", str(folder), "--offline").returncode == 0
    again = cli("init", str(folder))
    assert again.returncode != 0, "it wrote over a folder that has files"


def test_init_with_a_server(cli, database, embedded, tmp_path):
    database.sql("CREATE TABLE t(id int PRIMARY KEY)")
    folder = tmp_path / "mine"
    uri = f"postgresql://postgres@127.0.0.1:{database.cluster.port}/{database.name}"
    assert cli("init", str(folder), "--postgres", uri, "--kafka", embedded.bootstrap).returncode == 0
    done = cli("check", "--plugins", str(folder), cwd=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_plugin_list_and_info(cli):
    listed = cli("plugin", "list")
    assert listed.returncode == 0
    for name in ("PgOutput", "Filter", "Masking", "JSONCodec", "KeyPartitioner", "KafkaSink", "FileSink"):
        assert name in listed.stdout
        info = cli("plugin", "info", os.path.join(build_folder(), f"lib{name}.so"))
        assert info.returncode == 0 and name in info.stdout, info.stderr
    assert cli("plugin", "info", "/no/such.so").returncode == 81


@pytest.mark.parametrize("command", [("plugin", "check", "libFilter.so"), ("plugin", "new", "--lang", "c", "mine")])
def test_what_comes_later_says_so(cli, command):
    done = cli(*command)
    assert done.returncode != 0 and len((done.stdout + done.stderr).strip().splitlines()) <= 2


def test_status_of_a_running_host(streams):
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    before = run_cli("status", "--plugins", s.host.plugins, cwd=s.host.folder)
    assert before.returncode != 0
    s.start()
    s.sql("INSERT INTO t VALUES (1)")
    s.settle()
    text = run_cli("status", "--plugins", s.host.plugins, cwd=s.host.folder)
    assert text.returncode == 0 and s.name in text.stdout
    status = json.loads(run_cli("status", "--json", "--plugins", s.host.plugins, cwd=s.host.folder).stdout)
    assert status["version"] and len(status["stages"]) == 4
    assert all(len(stage["sha256"]) == 64 for stage in status["stages"])
    lock = s.host.lock_file()
    assert lock["pid"] == str(s.host.pid) and lock["admin"] == s.host.admin_address()
    s.host.write_file("host.yaml", "name: [broken")
    assert run_cli("status", "--plugins", s.host.plugins, "--state", s.host.state).returncode == 0
    assert oct(os.stat(s.host.state).st_mode & 0o777) == "0o700"


def test_file_sink_and_standard_output(database, tmp_path):
    database.sql("CREATE TABLE t(id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')")
    name = f"f_{os.getpid()}"
    host = Host(name, database.uri(), settings={"snapshot": {"mode": "initial_only"}}, stages={"50-partitioner": None, "60-sink": {"plugin": "FileSink", "options": {"path": "-"}}})
    try:
        host.start(until=None)
        assert host.wait_exit() == 0, host.tail()
        with open(host.out_path) as file:
            lines = [json.loads(line) for line in file]
        assert len(lines) == 1 and lines[0]["topic"] == f"{name}.public.t" and "partition" in lines[0]
        key, value = lines[0]["key"], lines[0]["value"]
        value = json.loads(value) if isinstance(value, str) else value
        assert (json.loads(key) if isinstance(key, str) else key) == {"id": 1}
        assert value["after"] == {"id": 1, "v": "a"}
    finally:
        host.destroy()


def test_check_finds_what_the_server_lacks(cli, database, embedded):
    database.sql("CREATE TABLE t(id int PRIMARY KEY)")
    folder = write_plugins_folder({
        "host.yaml": {"name": "c1", "source": {"connection": database.uri(), "tables": {"include": ["public.nosuch_*"]}}},
        "10-decoder.yaml": {"plugin": "PgOutput"}, "40-codec.yaml": {"plugin": "JSONCodec"}, "50-partitioner.yaml": {"plugin": "KeyPartitioner"},
        "60-sink.yaml": {"plugin": "KafkaSink", "options": {"kafka": {"bootstrap.servers": embedded.bootstrap}}},
    })
    done = cli("check", "--plugins", folder, cwd=folder)
    assert "nosuch_" in done.stdout, done.stdout + done.stderr


def test_check_looks_at_topics_and_makes_none(cli, streams, embedded):
    s = streams({"public.a": 3}, stages={"60-sink": {"options": {"topics": {"partitions": 2}}}})
    s.sql("CREATE TABLE a(id int PRIMARY KEY); CREATE TABLE b(id int PRIMARY KEY)")

    def check():
        return cli("check", "--plugins", s.host.plugins, cwd=s.host.folder)
    for _ in range(2):
        done = check()
        assert done.returncode == 0, done.stdout
        assert f"a start makes 1: {s.name}.public.b" in done.stdout
        assert "exists with 3 partitions" in done.stdout
    s.host.stages["60-sink"]["options"]["topics"] = {"create": False}
    s.host.write()
    done = check()
    assert done.returncode == 78 and f"{s.name}.public.b does not exist" in done.stdout and f"{s.name}.public.a does" not in done.stdout


def test_check_asks_apache_kafka_whether_it_would_make_the_topics(cli, streams, real_kafka):
    s = streams({}, kafka=real_kafka)
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    for topics, code, word in [
        ({"partitions": 2, "config": {"cleanup.policy": "compact"}}, 0, f"a start makes 1: {s.name}.public.t"),
        ({"replication_factor": 3}, 78, "options.topics"), ({"config": {"cleanup.policy": "sometimes"}}, 78, "cleanup.policy"),
    ]:
        s.host.stages["60-sink"]["options"]["topics"] = topics
        s.host.write()
        done = cli("check", "--plugins", s.host.plugins, cwd=s.host.folder)
        assert done.returncode == code and word in done.stdout, done.stdout
        again = cli("check", "--plugins", s.host.plugins, cwd=s.host.folder)
        assert "there already" not in again.stdout, "a check made a topic"
