"""A throwaway PostgreSQL cluster: loopback and Unix socket, in a temporary directory, stopped and removed at the end."""

import glob
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile

import psycopg2

from .waiting import free_port, wait_until

DEFAULTS = {
    "wal_level": "logical",
    "max_wal_senders": "20",
    "max_replication_slots": "100",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "512MB",
    "wal_sender_timeout": "60s",
    "log_min_messages": "log",
    "log_line_prefix": "'%m [%p] %q%u@%d %a '",
    "log_replication_commands": "on",
    "max_prepared_transactions": "5",
    "autovacuum": "off",
    "timezone": "UTC",
    "lc_messages": "C",
}


def binaries() -> str | None:
    """The folder with initdb and postgres: PG_BIN, a distribution's newest, or the one on PATH."""
    named = os.environ.get("PG_BIN")
    if named:
        return named
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda p: int(p.split("/")[4]))
    if found:
        return os.path.dirname(found[-1])
    on_path = shutil.which("initdb")
    return os.path.dirname(on_path) if on_path else None


class Cluster:
    """One server. `crash_safe` leaves fsync on for suites that kill it."""

    def __init__(self, crash_safe: bool = False, settings: dict | None = None):
        self.bin = binaries()
        if self.bin is None:
            raise FileNotFoundError("no PostgreSQL server binaries (initdb); set PG_BIN or install postgresql")
        self.directory = tempfile.mkdtemp(prefix="cdc-pg-")
        self.data = os.path.join(self.directory, "data")
        self.log_path = os.path.join(self.directory, "server.log")
        self.port = free_port()
        self.settings = dict(DEFAULTS, **({"fsync": "on", "full_page_writes": "on"} if crash_safe else {}))
        self.settings.update(settings or {})
        # The server refuses root: it then runs as the distribution's own user.
        self.as_user = [] if os.geteuid() else ["runuser", "-u", "postgres", "--"]
        if self.as_user:
            owner = pwd.getpwnam("postgres")
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-N", "--locale=C.UTF-8", "-E", "UTF8")
        with open(os.path.join(self.data, "postgresql.conf"), "a") as conf:
            conf.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{self.directory}'\n")
            for key, value in self.settings.items():
                conf.write(f"{key} = {value if value.startswith(chr(39)) else chr(39) + value + chr(39)}\n")
        # Roles named secret_* have to show their password; everybody else is trusted.
        with open(os.path.join(self.data, "pg_hba.conf"), "w") as hba:
            hba.write('local all all trust\nhost all +needs_password 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n')
        self.start()
        self.sql("CREATE ROLE needs_password NOLOGIN")

    # -- the process ---------------------------------------------------------------------------------------------

    def _run(self, program: str, *arguments: str, check: bool = True):
        done = subprocess.run(
            [*self.as_user, os.path.join(self.bin, program), *arguments], cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if check and done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stdout[-2000:]}")
        return done

    def start(self):
        with open(os.devnull, "w") as null:
            done = subprocess.run(
                [*self.as_user, os.path.join(self.bin, "pg_ctl"), "-D", self.data, "-l", self.log_path, "-w", "-t", "60", "start"],
                cwd="/", stdin=subprocess.DEVNULL, stdout=null, stderr=null)
        if done.returncode != 0:
            raise RuntimeError(f"the server did not start: {self.log()[-2000:]}")

    def stop(self, mode: str = "fast", seconds: int = 60):
        """`fast`, `immediate` (as a crash) or `smart`; gives up waiting after `seconds`."""
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", str(seconds), "stop", check=False)

    def restart(self, mode: str = "fast"):
        self.stop(mode)
        self.start()

    def pid(self) -> int:
        with open(os.path.join(self.data, "postmaster.pid")) as file:
            return int(file.readline())

    def freeze(self):
        os.kill(self.pid(), signal.SIGSTOP)

    def thaw(self):
        os.kill(self.pid(), signal.SIGCONT)

    def destroy(self):
        self.stop("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)

    def log(self) -> str:
        try:
            with open(self.log_path, errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    # -- SQL -----------------------------------------------------------------------------------------------------

    def connect(self, database: str = "postgres", user: str = "postgres", autocommit: bool = True, **more):
        connection = psycopg2.connect(host=self.directory, port=self.port, dbname=database, user=user, **more)
        connection.autocommit = autocommit
        return connection

    def sql(self, statement: str, arguments=None, database: str = "postgres", user: str = "postgres"):
        """Runs statements in one implicit transaction; returns the last one's rows."""
        connection = self.connect(database, user)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, arguments)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def value(self, statement: str, arguments=None, database: str = "postgres"):
        rows = self.sql(statement, arguments, database)
        return rows[0][0] if rows else None

    def psql(self, script: str, database: str):
        """Runs a script as psql does: every statement its own transaction unless it says BEGIN."""
        done = subprocess.run(
            [os.path.join(self.bin, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.directory, "-p", str(self.port), "-U", "postgres", "-d", database],
            input=script, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stdout[-2000:]}")

    def create_database(self, name: str) -> "Database":
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return Database(self, name)


class Database:
    """One database of a cluster, for one test."""

    def __init__(self, cluster: Cluster, name: str):
        self.cluster = cluster
        self.name = name

    def sql(self, statement: str, arguments=None):
        return self.cluster.sql(statement, arguments, self.name)

    def value(self, statement: str, arguments=None):
        return self.cluster.value(statement, arguments, self.name)

    def psql(self, script: str):
        self.cluster.psql(script, self.name)

    def connect(self, autocommit: bool = True, **more):
        return self.cluster.connect(self.name, autocommit=autocommit, **more)

    def uri(self, user: str = "postgres", port: int | None = None) -> str:
        """Unix socket, or loopback TCP with `port` (the server's own or a proxy's)."""
        if port is None:
            return f"host={self.cluster.directory} port={self.cluster.port} user={user} dbname={self.name}"
        return f"host=127.0.0.1 port={port} user={user} dbname={self.name}"

    # -- replication ---------------------------------------------------------------------------------------------

    def slot(self, name: str) -> dict | None:
        rows = self.sql(
            "SELECT active, active_pid, confirmed_flush_lsn - '0/0', restart_lsn - '0/0', wal_status, plugin FROM pg_replication_slots WHERE slot_name = %s",
            (name,))
        if not rows:
            return None
        active, pid, confirmed, restart, wal_status, plugin = rows[0]
        return {
            "active": active, "active_pid": pid, "confirmed": None if confirmed is None else int(confirmed),
            "restart": None if restart is None else int(restart), "wal_status": wal_status, "plugin": plugin,
        }

    def current_lsn(self) -> int:
        return int(self.value("SELECT pg_current_wal_insert_lsn() - '0/0'"))

    def wait_confirmed(self, slot: str, lsn: int, seconds: float = 20):
        """Waits until the slot's confirmed position has passed `lsn`."""
        wait_until(
            lambda: (self.slot(slot) or {}).get("confirmed", 0) >= lsn, seconds,
            lambda: f"slot {slot} confirms {lsn}; it is {self.slot(slot)}", every=0.1)

    def wait_inactive(self, slot: str, seconds: float = 15):
        wait_until(lambda: not (self.slot(slot) or {}).get("active"), seconds, f"slot {slot} is let go", every=0.05)

    def drop(self, slots: bool = True):
        if not self.cluster.value("SELECT count(*) FROM pg_database WHERE datname = %s", (self.name,)):
            return
        if slots:
            for (slot,) in self.sql("SELECT slot_name FROM pg_replication_slots WHERE database = %s", (self.name,)):
                self.cluster.sql(
                    "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s AND active", (slot,))
                self.wait_inactive(slot)
                self.cluster.sql("SELECT pg_drop_replication_slot(%s)", (slot,))
        self.cluster.sql(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


def lsn_number(text: str) -> int:
    """`16/B374D848` as a number."""
    match = re.fullmatch(r"([0-9A-Fa-f]+)/([0-9A-Fa-f]+)", text)
    if not match:
        raise ValueError(f"not an LSN: {text}")
    return int(match[1], 16) << 32 | int(match[2], 16)
