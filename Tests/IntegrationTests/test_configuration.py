"""plugins.d: mistakes are all named, and what is right means what it says."""

import os
import shutil

import pytest

from Support.host import run_cli, write_plugins_folder
from Support.secrets import PASSWORD, never_shown
from Support.stream import fresh_name


@pytest.mark.parametrize("form", ["yaml", "toml"])
@pytest.mark.parametrize("how", ["env", "file", "file with newline"])
def test_C26_a_password_with_every_awkward_character(streams, cluster, tmp_path, form, how):
    role = fresh_name("pw")
    connection = cluster.connect()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role} LOGIN SUPERUSER IN ROLE needs_password PASSWORD %s", (PASSWORD,))
    connection.close()
    s = streams({"public.t": 1}, settings={"log": {"level": "debug"}}, environment={"PGPASS": PASSWORD})
    s.sql("CREATE TABLE t(id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    if how == "env":
        reference = "${env:PGPASS}"
    else:
        (tmp_path / "secret").write_text(PASSWORD + ("\n" if how.endswith("newline") else ""))
        (tmp_path / "secret").chmod(0o600)
        reference = "${file:%s}" % (tmp_path / "secret")
    text = f"host=127.0.0.1 port={cluster.port} user={role} dbname={s.database.name} password={reference}"
    s.host.settings["source"]["connection"] = text
    s.host.write()
    if form == "toml":
        os.remove(os.path.join(s.host.plugins, "host.yaml"))
        s.host.write_file("host.toml", "\n".join([
            f'name = "{s.name}"', "[source]", f'connection = "{text}"', "[state]", f'directory = "{s.host.state}"', "[admin]", 'listen = "127.0.0.1:0"',
            "[log]", 'level = "debug"', ""]))
    check = run_cli("check", "--plugins", s.host.plugins, environment={"PGPASS": PASSWORD}, cwd=s.host.folder)
    assert check.returncode == 0, check.stdout + check.stderr
    s.start()
    s.sql("INSERT INTO t VALUES (2)")
    s.reader.wait(2)
    status = s.host.get("/status")[1]
    assert s.host.stop() == 0
    never_shown(s.host.log(whole=True), check.stdout, check.stderr, status)
    s.host.destroy()
    s.database.drop()
    cluster.sql(f"DROP ROLE {role}")


MISTAKES = {
    "host.yaml": """name: c27
source:
  connection: "host=/nowhere dbname=x"
  tables: public.orders
  status_intervall: 10s
limits:
  stop: 30
limits:
  record: 1MB
""",
    "10-decoder.yaml": "plugin: PgOutput\n",
    "20-filter.yaml": "plugin: Filter\non_eror: skip\noptions:\n  future_option: 1\n",
    "30-masking.yaml": """plugin: Masking
options:
  columns:
    columns:
      - { column: "*.email", how: "null" }
""",
    "40-codec.yaml": "plugin: JSONCodec\noptions:\n\tformat: compact\n",
    "50-partitioner.toml": 'plugin = "KeyPartitioner"\n[options]\nby = "sideways"\n',
    "60-sink.yaml": 'plugin: KafkaSink\noptions: { kafka: { "bootstrap.server": "127.0.0.1:1" } }\n',
}


def test_C27_typing_errors_are_all_reported_at_once(cli, streams):
    folder = write_plugins_folder(MISTAKES)
    try:
        done = cli("check", "--plugins", folder, "--offline", cwd=folder)
        assert done.returncode == 78
        found = done.stdout
        for file, line, words in [
            ("host.yaml", 4, ["source.tables", "include"]), ("host.yaml", 5, ["status_intervall", "status_interval"]), ("host.yaml", 7, ["limits.stop", "30s"]),
            ("host.yaml", 8, ["limits"]), ("20-filter.yaml", 2, ["on_eror", "on_error"]), ("20-filter.yaml", 4, ["future_option"]),
            ("30-masking.yaml", None, ["options.columns"]), ("40-codec.yaml", 3, ["tab"]), ("50-partitioner.toml", 3, ["sideways", "table"]),
        ]:
            lines = [text for text in found.splitlines() if file in text and (line is None or f":{line}:" in text)]
            assert any(all(word.lower() in text.lower() for word in words) for text in lines), f"{file}:{line} {words} is not reported:\n{found}"
        typo = [text for text in found.splitlines() if "60-sink.yaml:2:" in text and '"bootstrap.server"' in text]
        assert typo and "did you mean bootstrap.servers?" in typo[0]
        run = cli("--plugins", folder, cwd=folder)
        assert run.returncode == 78
        for word in ("status_intervall", "on_eror", "tab", "sideways", "future_option", "bootstrap.server"):
            assert word in run.stderr
        assert "check" in run.stderr.strip().splitlines()[-1]
    finally:
        shutil.rmtree(folder)


def test_C27_a_running_host_keeps_its_plan(streams):
    s = streams({"public.t": 1})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.start()
    for file in os.listdir(s.host.plugins):
        os.remove(os.path.join(s.host.plugins, file))
    for file, text in MISTAKES.items():
        s.host.write_file(file, text)
    assert s.host.hup()["event"] == "reload_refused"
    for word in ("status_intervall", "on_eror", "sideways"):
        assert word in s.host.log()
    s.sql("INSERT INTO t VALUES (1)")
    s.reader.wait(1)


@pytest.mark.parametrize("include, word", [(["public.nosuch"], "public.nosuch"), (["public.a.b"], "public.a.b")])
def test_C27_patterns_that_match_nothing(cli, streams, include, word):
    s = streams({}, settings={"source": {"tables": {"include": ["public.t", *include]}}})
    s.sql('CREATE TABLE t(id int PRIMARY KEY); CREATE TABLE "a.b"(id int PRIMARY KEY)')
    done = cli("check", "--plugins", s.host.plugins, cwd=s.host.folder)
    assert word in done.stdout + done.stderr
    if word == "public.a.b":
        assert done.returncode == 78 and '"a.b"' in done.stdout + done.stderr


def test_a_masked_column_that_is_not_there_is_an_error(streams):
    s = streams({}, stages={"30-mask": {"plugin": "Masking", "options": {"columns": [{"column": "public.t.emial", "how": "null"}]}}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, email text)")
    log = s.host.fails(78)
    assert "public.t.emial" in log


def test_masked_column_renamed_while_running_stops_before_the_first_row(streams):
    s = streams({"public.t": 1}, stages={"30-mask": {"plugin": "Masking", "options": {"columns": [{"column": "public.t.email", "how": "fixed", "value": "x"}]}}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, email text)")
    s.start()
    s.sql("INSERT INTO t VALUES (1, 'PII-1')")
    s.sql("ALTER TABLE t RENAME email TO mail")
    s.sql("INSERT INTO t VALUES (2, 'PII-2')")
    assert s.host.wait_exit(20) == 65
    assert all(b"PII-" not in (r.value or b"") for r in s.reader.quiet())


@pytest.mark.parametrize("content, words", [
    ({"40-codec.yaml": None}, ["codec"]),
    ({"41-second.yaml": {"plugin": "JSONCodec"}}, ["codec"]),
    ({"40-other.yaml": {"plugin": "Filter"}}, ["40-codec", "40-other"]),
    ({"70-late.yaml": {"plugin": "Filter"}}, ["70-late"]),
    ({"60-sink.yaml": {"plugin": "KafkaSink", "on_error": "dlq", "options": {"kafka": {"bootstrap.servers": "127.0.0.1:1"}}}}, ["on_error", "skip"]),
    ({"50-partitioner.yaml": {"plugin": "KeyPartitioner", "on_error": "skip"}}, ["on_error"]),
    ({"60-sink.yaml": {"plugin": "KafkaSink", "options": {"kafka": {"bootstrap.servers": "127.0.0.1:1", "plugin.library.paths": "x"}}}}, ["plugin.library.paths"]),
    ({"60-sink.yaml": {"plugin": "KafkaSink", "options": {"kafka": {"bootstrap.servers": "127.0.0.1:1", "acks": "1"}}}}, ["acks"]),
    ({"30-mask.yaml": {"plugin": "Masking", "match": {"ops": ["insert"]}, "options": {"columns": [{"column": "*.email", "how": "null"}]}}}, ["match.ops"]),
])
def test_directories_that_are_refused(cli, content, words):
    files = {
        "host.yaml": {"name": "x", "source": {"connection": "host=/nowhere"}}, "10-decoder.yaml": {"plugin": "PgOutput"},
        "40-codec.yaml": {"plugin": "JSONCodec"}, "50-partitioner.yaml": {"plugin": "KeyPartitioner"},
        "60-sink.yaml": {"plugin": "KafkaSink", "options": {"kafka": {"bootstrap.servers": "127.0.0.1:1"}}}}
    files.update(content)
    folder = write_plugins_folder({name: text for name, text in files.items() if text is not None})
    try:
        done = cli("check", "--plugins", folder, "--offline", cwd=folder)
        assert done.returncode in (78, 81), done.stdout + done.stderr
        assert all(word in done.stdout for word in words), done.stdout
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("wrong", ["sslmode=sometimes", "port=99999", "service=nowhere", "hots=x", "target_session_attrs=some"])
def test_a_connection_that_nothing_can_cure(cli, streams, wrong):
    s = streams({})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.host.settings["source"]["connection"] += " " + wrong
    s.host.write()
    check = cli("check", "--plugins", s.host.plugins, "--offline")
    assert check.returncode == 78 and "host.yaml:3:3: source.connection:" in check.stdout
    assert "source.connection" in s.host.fails(78)


@pytest.mark.parametrize("how", ["keyword", "environment"])
def test_a_service_with_several_addresses(cli, streams, tmp_path, how):
    (tmp_path / "services").write_text("[two]\nhostaddr=127.0.0.1,127.0.0.1\nport=5432,5433\ndbname=x\nuser=y\n")
    s = streams({})
    s.host.settings["source"]["connection"] = "service=two" if how == "keyword" else "connect_timeout=3"
    s.host.write()
    environment = {"PGSERVICEFILE": str(tmp_path / "services")} | ({} if how == "keyword" else {"PGSERVICE": "two"})
    check = cli("check", "--plugins", s.host.plugins, "--offline", environment=environment)
    assert check.returncode == 0, check.stdout


def test_who_may_write_the_directory(cli, streams):
    s = streams({})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    os.chmod(s.host.plugins, 0o777)
    s.start()
    assert any("0777" in event["message"] for event in s.host.events("configuration"))
    check = cli("check", "--plugins", s.host.plugins, "--offline")
    assert check.returncode == 0 and "0777" in check.stdout


@pytest.mark.parametrize("directory", ["/proc/nowhere/state", "/etc/passwd/state"])
def test_a_state_directory_that_cannot_be_made(cli, streams, directory):
    s = streams({})
    s.host.settings["state"]["directory"] = directory
    s.host.write()
    assert "stopped" in s.host.fails(74)
    if directory.startswith("/etc"):
        check = cli("check", "--plugins", s.host.plugins, "--offline")
        assert check.returncode == 74 and "state.directory" in check.stdout


def test_a_log_file_that_cannot_be_opened(cli, streams):
    s = streams({}, settings={"log": {"file": "nowhere/host.log"}})
    check = cli("check", "--plugins", s.host.plugins, "--offline")
    assert check.returncode == 78 and "log.file: " in check.stdout and "nowhere" in check.stdout
    assert "log.file" in s.host.fails(78)
