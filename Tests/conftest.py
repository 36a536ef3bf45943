"""Servers of the run, streams of a test, and the list of what could not be tested here."""

import os
import shutil
import subprocess

import pytest

from Support.host import run_cli
from Support.kafka import EmbeddedKafka, RealKafka, build_folder, why_no_real_kafka
from Support.postgres import Cluster, binaries
from Support.stream import Stream, fresh_name

LONG = os.environ.get("CDC_LONG") == "1"


def missing_parts() -> str | None:
    if not os.access(os.path.join(build_folder(), "cdc-host"), os.X_OK):
        return f"no {build_folder()}/cdc-host: build the release first, or set CDC_BIN"
    if binaries() is None:
        return "no PostgreSQL server binaries (initdb); set PG_BIN or install postgresql"
    return None


def tiers() -> list[tuple[str, str | None]]:
    """Every tier with the reason why it does not run here."""
    return [
        ("whole process, PostgreSQL and the embedded Kafka", missing_parts()),
        ("the same against Apache Kafka", missing_parts() or why_no_real_kafka()),
        ("a full disk (tmpfs)", missing_parts() or (None if os.geteuid() == 0 else "mounting needs root")),
        ("whole length of the long cases", None if LONG else "CDC_LONG=1 is not set: shortened forms run"),
    ]


def pytest_terminal_summary(terminalreporter):
    terminalreporter.section("tiers")
    for name, reason in tiers():
        terminalreporter.write_line(f"{'run' if reason is None else 'NOT RUN'}: {name}{'' if reason is None else f' ({reason})'}")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("long") and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(1800 if LONG else 240))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for stream in getattr(item, "streams", []):
            report.sections.append((f"log of {stream.name}", stream.host.kept_log()))


@pytest.fixture(scope="session")
def long_form() -> bool:
    return LONG


@pytest.fixture(scope="session")
def parts():
    reason = missing_parts()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def cluster(parts):
    server = Cluster()
    yield server
    server.destroy()


@pytest.fixture(scope="session")
def embedded(parts):
    kafka = EmbeddedKafka()
    yield kafka
    kafka.stop()


@pytest.fixture(scope="session")
def real_kafka(parts):
    reason = why_no_real_kafka()
    if reason:
        pytest.skip(reason)
    kafka = RealKafka()
    yield kafka
    kafka.stop()


@pytest.fixture
def database(cluster):
    made = cluster.create_database(fresh_name("db"))
    yield made
    made.drop()


@pytest.fixture
def streams(request, database, embedded):
    """Makes streams from this test's database; they end before the database does."""
    made = []
    request.node.streams = made

    def make(topics: dict | None = None, kafka=None, on=None, name: str | None = None, **how) -> Stream:
        stream = Stream(on or database, kafka or embedded, name or fresh_name("s"), topics, **how)
        made.append(stream)
        return stream

    yield make
    for stream in made:
        stream.close()


@pytest.fixture
def own_cluster(parts, request):
    """A server of this test's own, to be hurt. `request.param` may hold settings."""
    server = Cluster(**getattr(request, "param", {}))
    yield server
    server.destroy()


@pytest.fixture
def own_kafka(parts):
    """An embedded Kafka of this test's own."""
    kafka = EmbeddedKafka()
    yield kafka
    kafka.stop()


@pytest.fixture
def cli(parts):
    return run_cli


@pytest.fixture(scope="session")
def c_plugin(parts, tmp_path_factory):
    """Builds examples/plugins/c: `build(value)` gives the path of a library that adds the header v=VALUE to every record.

    `replace` changes its source first, for libraries that are wrong on purpose, `head` stands before it."""
    source = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "examples", "plugins", "c")
    if shutil.which("cc") is None or shutil.which("make") is None:
        pytest.skip("no C compiler or no make")
    built = {}

    def build(value: str = "1", replace: tuple[str, str] | None = None, head: str = "") -> str:
        if (value, replace) not in built:
            folder = tmp_path_factory.mktemp("plugin")
            for file in ("headers.c", "headers.map", "Makefile"):
                shutil.copy(os.path.join(source, file), folder)
            if replace:
                text = (folder / "headers.c").read_text()
                assert text.count(replace[0]) == 1, replace
                (folder / "headers.c").write_text(head + text.replace(*replace))
            headers = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(source))), "Sources", "PluginABI", "include")
            subprocess.run(["make", "-s", "-C", str(folder), f"DEFAULT_VALUE={value}", f"CDCPLUGIN_INCLUDE={headers}"], check=True)
            (folder / "headers.so").chmod(0o755)
            built[(value, replace)] = str(folder / "headers.so")
        return built[(value, replace)]

    return build
