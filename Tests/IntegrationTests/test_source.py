"""What the host finds at the server before it streams, and what it leaves alone."""

import os
import re
import shutil
import socket
import time

import pytest

from Support.host import parse_line, run_cli
from Support.kafka import build_folder
from Support.stream import after, fresh_name
from Support.waiting import wait_until


def test_C11_starting_does_not_break_the_applications_writes(streams):
    s = streams({"public.t": 1}, settings={"source": {"tables": {"include": ["public.*"]}}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY, a int); CREATE TABLE nopk(a int); CREATE SCHEMA other; CREATE TABLE other.x(a int)")
    s.sql("INSERT INTO t VALUES (1, 1); INSERT INTO nopk VALUES (1); INSERT INTO other.x VALUES (1)")
    s.start()
    publication = s.sql("SELECT puballtables FROM pg_publication WHERE pubname = %s", (s.slot,))
    assert publication == [(False,)]
    assert [r for r in s.sql("SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = %s", (s.slot,))] == [("public", "t")]
    for statement in ("UPDATE nopk SET a = 2", "UPDATE other.x SET a = 2", "DELETE FROM nopk", "UPDATE t SET a = 2"):
        s.sql(statement)
    for text in (s.host.log(), run_cli("check", "--plugins", s.host.plugins, cwd=s.host.folder).stdout):
        assert "public.nopk" in text
        line = next(line for line in text.splitlines() if "public.nopk" in line)
        assert "REPLICA IDENTITY" in line.upper() and "PRIMARY KEY" in line.upper()


@pytest.mark.parametrize("publication", ["", " FOR TABLE t WITH (publish = 'insert')"])
def test_C12_publication_without_the_table_or_the_operation(streams, publication):
    s = streams({"public.t": 1}, settings={"source": {"publication": {"manage": False}}, "snapshot": {"mode": "never"}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    s.sql(f"CREATE PUBLICATION {s.slot}{publication}")
    line = next(line for line in s.host.fails(78).splitlines() if "ALTER PUBLICATION" in line)
    assert ("public.t" in line) if not publication else ("update" in line.lower() and "delete" in line.lower())
    assert s.database.slot(s.slot) is None and not s.host.events("streaming")
    # The statement that it names is the cure as it stands.
    s.sql(re.search(r"ALTER PUBLICATION [^;]*", parse_line(line)["cure"])[0])
    s.start()
    s.sql("INSERT INTO t VALUES (1)")
    s.sql("DELETE FROM t")
    s.settle()
    assert s.ops("public.t") == [("c", {"id": 1}), ("d", {"id": 1}), ("-", {"id": 1})]


def test_C12_a_shared_publication_keeps_its_tables(streams):
    name = fresh_name("s")
    s = streams({"public.u": 1, "public.t": 1}, name=name, settings={"source": {"tables": {"include": ["public.u"]}, "publication": {"name": f"pub_{name}"}}})
    s.sql("CREATE TABLE t(id int PRIMARY KEY); CREATE TABLE u(id int PRIMARY KEY)")
    s.sql(f"CREATE PUBLICATION pub_{name} FOR TABLE t, u")
    s.sql("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (f"other_{name}",))
    s.start()
    s.sql("INSERT INTO t VALUES (1); INSERT INTO u VALUES (1)")
    s.settle()
    assert {r.topic for r in s.reader.all()} == {f"{name}.public.u"}
    assert s.sql("SELECT tablename FROM pg_publication_tables WHERE pubname = %s ORDER BY 1", (f"pub_{name}",)) == [("t",), ("u",)]
    changes = s.sql(
        "SELECT data FROM pg_logical_slot_peek_binary_changes(%s, NULL, NULL, 'proto_version', '1', 'publication_names', %s)",
        (f"other_{name}", f"pub_{name}"))
    assert sum(bytes(data)[:1] == b"I" for (data,) in changes) == 2


@pytest.mark.parametrize("then", ["stop", "commit"])
def test_C13_first_start_behind_an_open_transaction(streams, cluster, then):
    role = fresh_name("hasty")
    cluster.sql(f"CREATE ROLE {role} LOGIN SUPERUSER; ALTER ROLE {role} SET lock_timeout = '1s'")
    s = streams({"public.t": 1}, user=role)
    s.sql("CREATE TABLE t(id int PRIMARY KEY)")
    blocker = s.database.connect(autocommit=False)
    cursor = blocker.cursor()
    cursor.execute("SELECT pg_backend_pid()")
    pid = cursor.fetchone()[0]
    cursor.execute("INSERT INTO t VALUES (1)")
    s.start(until=None)
    waits = s.host.wait_for_event("slot_creation_waiting", 10)
    assert waits["pid"] == str(pid) and re.fullmatch(r"\d+m?s", waits["transaction_open"])
    assert s.host.get("/healthz")[0] == 200 and s.host.get("/readyz")[0] == 503
    if then == "stop":
        assert s.host.stop(30) in (0, 75)
        wait_until(lambda: not s.sql("SELECT 1 FROM pg_stat_activity WHERE usename = %s", (role,)), 10, "nothing of ours waits at the server")
        assert s.database.slot(s.slot) is None
        blocker.rollback()
        blocker.close()
        s.start()
        s.sql("INSERT INTO t VALUES (2)")
        s.settle()
        assert [k["id"] for _, k in s.ops("public.t")] == [2]
    else:
        time.sleep(1.5)
        blocker.commit()
        blocker.close()
        s.host.wait_for_event("streaming", 10)
        s.settle()
        assert [k["id"] for _, k in s.ops("public.t")] == [1]
    s.close()
    s.database.drop()
    cluster.sql(f"DROP ROLE {role}")


def test_hostile_names(streams):
    tables = {'Order Items': "Order_Items", 'quo"te': "quo_te", "back\\slash": "back_slash", "select": "select", "größe": None}
    s = streams({}, settings={"source": {"tables": {"include": ["*.*"]}}})
    for table in tables:
        quoted = table.replace('"', '""')
        s.sql(f'CREATE TABLE "{quoted}"("Key ""x""" int PRIMARY KEY, "v\\y" text)')
    s.start()
    for table in tables:
        s.sql('INSERT INTO "%s" VALUES (1, \'it\'\'s\')' % table.replace('"', '""'))
    records = s.reader.wait(len(tables))
    assert {r.json["table"] for r in records} == set(tables)
    for record in records:
        assert after(record) == {'Key "x"': 1, "v\\y": "it's"} and record.json_key == {'Key "x"': 1}


class TestExitCodes:
    """reliability: each permanent condition has its own code and says what to do."""

    def test_server_away_beyond_the_budget_is_69(self, streams):
        s = streams({}, settings={"retry": {"give_up_after": "2s", "max": "500ms"}}, port=1)
        s.sql("CREATE TABLE t(id int PRIMARY KEY)")
        assert "127.0.0.1" in s.host.fails(69)

    def test_no_such_database_is_78(self, streams):
        s = streams({})
        s.host.settings["source"]["connection"] = s.host.settings["source"]["connection"].replace(s.database.name, "no_such_db")
        s.host.write()
        assert "no_such_db" in s.host.fails(78)

    def test_role_without_login_or_replication_is_77(self, streams, cluster):
        role = fresh_name("weak")
        cluster.sql(f"CREATE ROLE {role} LOGIN")
        s = streams({}, user=role)
        s.sql("CREATE TABLE t(id int PRIMARY KEY)")
        assert "REPLICATION" in s.host.fails(77).upper()
        cluster.sql(f"DROP ROLE {role}")

    def test_wrong_password_is_77(self, streams, cluster):
        role = fresh_name("pw")
        cluster.sql(f"CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'right' IN ROLE needs_password")
        s = streams({}, user=role, port=cluster.port)
        s.host.settings["source"]["connection"] += " password=wrong-password"
        s.host.write()
        assert "wrong-password" not in s.host.fails(77)
        cluster.sql(f"DROP ROLE {role}")

    @pytest.mark.parametrize("change", ["PASSWORD 'new'", "NOREPLICATION"])
    def test_a_login_that_is_taken_away_while_it_streams_is_77(self, streams, cluster, change):
        role = fresh_name("gone")
        cluster.sql(f"CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'right-word' IN ROLE needs_password")
        s = streams({"public.t": 1}, user=role, port=cluster.port, settings={"snapshot": {"mode": "never"}, "source": {"publication": {"manage": False}}})
        s.host.settings["source"]["connection"] += " password=right-word"
        s.host.write()
        s.sql(f"CREATE TABLE t(id int PRIMARY KEY); CREATE PUBLICATION {s.slot} FOR TABLE t; GRANT SELECT ON t TO {role}")
        s.start()
        cluster.sql(f"ALTER ROLE {role} {change}")
        s.sql("INSERT INTO t VALUES (1)")
        s.settle()
        s.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s AND active", (s.slot,))
        assert s.host.wait_exit(20) == 77
        assert "right-word" not in s.host.log()
        s.close()
        s.database.drop()
        cluster.sql(f"DROP ROLE {role}")

    def test_catalog_that_may_not_be_read_any_more_is_77(self, streams, cluster):
        role = fresh_name("blind")
        cluster.sql(f"CREATE ROLE {role} LOGIN REPLICATION")
        s = streams({"public.t": 1, "public.u": 1}, user=role, settings={"snapshot": {"mode": "never"}, "source": {"publication": {"manage": False}}})
        s.sql("CREATE TABLE t(id int PRIMARY KEY); CREATE TABLE u(id int PRIMARY KEY)")
        s.sql(f"CREATE PUBLICATION {s.slot} FOR ALL TABLES")
        s.start()
        s.sql("INSERT INTO t VALUES (1)")
        s.settle()
        # Asked for at the first row of a shape that the start did not know.
        s.sql("REVOKE SELECT ON pg_attribute FROM PUBLIC; CREATE TABLE v(id int PRIMARY KEY)")
        s.sql("INSERT INTO t VALUES (2)")
        s.sql("INSERT INTO v VALUES (1)")
        assert s.host.wait_exit(20) == 77
        assert "42501" in s.host.events("stopped")[-1]["reason"]
        # What came before it is delivered, and nothing is lost by it.
        s.sql("GRANT SELECT ON pg_attribute TO PUBLIC")
        s.start()
        s.settle()
        assert [k["id"] for _, k in s.ops("public.t")] == [1, 2]
        assert [k["id"] for _, k in s.ops("public.v")] == [1]
        s.host.stop()
        s.sql(f"DROP PUBLICATION {s.slot}")
        s.close()
        s.database.drop()
        cluster.sql(f"DROP ROLE {role}")

    def test_no_plugins_folder_is_78_and_usage_is_64(self, cli):
        assert cli("--plugins", "/no/such/folder").returncode == 78
        assert cli("--no-such-option").returncode == 64
        assert cli("frobnicate").returncode == 64
        assert cli().returncode == 64

    def test_admin_port_taken_is_78(self, streams):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            s = streams({}, settings={"admin": {"listen": f"127.0.0.1:{listener.getsockname()[1]}"}})
            s.sql("CREATE TABLE t(id int PRIMARY KEY)")
            assert str(listener.getsockname()[1]) in s.host.fails(78)

    def test_plugin_refused_is_81(self, streams, tmp_path):
        library = tmp_path / "libBroken.so"
        library.write_bytes(b"not a library")
        s = streams({}, stages={"30-broken": {"plugin": str(library)}})
        s.sql("CREATE TABLE t(id int PRIMARY KEY)")
        assert "libBroken.so" in s.host.fails(81)
        assert s.database.slot(s.slot) is None, "a side effect before the plugins were proved"

    def test_plugin_writable_by_others_is_81(self, streams, tmp_path):
        library = tmp_path / "libFilter.so"
        shutil.copy(os.path.join(build_folder(), "libFilter.so"), library)
        library.chmod(0o666)
        s = streams({}, stages={"30-open": {"plugin": str(library)}})
        s.sql("CREATE TABLE t(id int PRIMARY KEY)")
        s.host.fails(81)

    def test_record_that_is_too_large_is_65(self, streams):
        s = streams({"public.t": 1}, settings={"limits": {"record": "100KB"}, "snapshot": {"mode": "never"}})
        s.sql("CREATE TABLE t(id int PRIMARY KEY, v text)")
        s.start()
        s.sql("INSERT INTO t VALUES (1, 'small')")
        s.sql("INSERT INTO t VALUES (2, repeat('SECRET-ROW', 20000))")
        s.sql("INSERT INTO t VALUES (3, 'small')")
        assert s.host.wait_exit() == 65
        assert "public.t" in s.host.tail(3) and "SECRET-ROW" not in s.host.log()
        assert [k["id"] for _, k in s.ops("public.t")] == [1]
        s.host.settings["limits"]["record"] = "1MB"
        s.host.write()
        s.start()
        s.settle()
        assert list(dict.fromkeys(k["id"] for _, k in s.ops("public.t"))) == [1, 2, 3]

    def test_record_that_is_too_large_is_skipped_on_request(self, streams):
        s = streams({"public.t": 1}, settings={"limits": {"record": "100KB"}, "snapshot": {"mode": "never"}}, stages={"60-sink": {"on_error": "skip"}})
        s.sql("CREATE TABLE t(id int PRIMARY KEY, v text)")
        s.start()
        s.sql("INSERT INTO t VALUES (1, 'small'), (2, repeat('SECRET-ROW', 20000)), (3, 'small')")
        s.settle()
        assert [k["id"] for _, k in s.ops("public.t")] == [1, 3]
        assert s.host.metric("cdc_skipped_total", stage="60-sink") == 1
