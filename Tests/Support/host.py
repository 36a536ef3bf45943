"""cdc-host as a process: its plugins.d, its log, its admin endpoint, its end."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

import yaml

from .kafka import build_folder
from .waiting import wait_until


def merged(base: dict, more: dict | None) -> dict:
    """`more` over `base`, map by map; a value of None takes a key out."""
    result = dict(base)
    for key, value in (more or {}).items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def run_cli(*arguments: str, environment: dict | None = None, timeout: float = 60, cwd: str | None = None) -> subprocess.CompletedProcess:
    """`cdc-host ARGUMENTS`, to its end."""
    return subprocess.run(
        [os.path.join(build_folder(), "cdc-host"), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        timeout=timeout, cwd=cwd, env=dict(os.environ, SWIFT_BACKTRACE="enable=no", **(environment or {})))


class LogEvent(dict):
    """One line of the log: its fields; `event`, `level`, `time` among them."""


def parse_line(line: str) -> LogEvent | None:
    """Both forms of the log; None for a line that is neither."""
    if line.startswith("{"):
        try:
            return LogEvent(json.loads(line))
        except ValueError:
            return None
    match = re.match(r"(\d{4}-\d\d-\d\dT\S+) (debug|info|warning|error) (\S+)(.*)", line)
    if not match:
        return None
    event = LogEvent(time=match[1], level=match[2], event=match[3])
    for key, quoted, plain in re.findall(r' ([\w.]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))', match[4]):
        event[key] = re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
    return event


class Host:
    """One stream. Nothing runs until `start`; the plugins.d and the state directory outlive any number of starts."""

    def __init__(self, name: str, connection: str, kafka=None, settings: dict | None = None, stages: dict | None = None, codec: dict | None = None,
                 environment: dict | None = None):
        self.name = name
        self.slot = f"cdc_{name}"
        self.folder = tempfile.mkdtemp(prefix="cdc-host-")
        self.plugins = os.path.join(self.folder, "plugins.d")
        self.state = os.path.join(self.folder, "state")
        self.log_path = os.path.join(self.folder, "host.log")
        self.out_path = os.path.join(self.folder, "host.out")
        self.environment = environment or {}
        self.process: subprocess.Popen | None = None
        self.last_words: str | None = None
        os.makedirs(self.plugins, mode=0o755)
        self.settings = merged(
            {
                "name": name, "source": {"connection": connection}, "state": {"directory": self.state}, "admin": {"listen": "127.0.0.1:0"},
                "log": {"level": "info", "format": "text"},
            }, settings)
        self.stages = {
            "10-decoder": {"plugin": "PgOutput"},
            "40-codec": {"plugin": "JSONCodec", "options": merged({"format": "compact"}, codec)},
            "50-partitioner": {"plugin": "KeyPartitioner"},
        }
        if kafka is not None:
            self.stages["60-sink"] = {"plugin": "KafkaSink", "options": {"kafka": {"bootstrap.servers": kafka.bootstrap}}}
        self.stages = merged(self.stages, stages)
        self.write()

    # -- plugins.d ------------------------------------------------------------------------------------------------

    def write(self):
        """Writes plugins.d anew from `settings` and `stages`; other files in it go."""
        for file in os.listdir(self.plugins):
            os.remove(os.path.join(self.plugins, file))
        self.write_file("host.yaml", self.settings)
        for name, stage in self.stages.items():
            self.write_file(f"{name}.yaml", stage)

    def write_file(self, name: str, content):
        path = os.path.join(self.plugins, name)
        with open(path + "~", "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
        os.replace(path + "~", path)

    # -- the process ----------------------------------------------------------------------------------------------

    def start(self, until: str | None = "streaming", seconds: float = 30, more_environment: dict | None = None):
        """Starts it and waits for an event of this start; `until=None` does not wait."""
        assert self.process is None or self.process.poll() is not None, "it runs already"
        self.log_begin = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "a") as log, open(self.out_path, "a") as out:
            self.process = subprocess.Popen(
                [os.path.join(build_folder(), "cdc-host"), "--plugins", self.plugins], stdin=subprocess.DEVNULL, stdout=out, stderr=log, cwd=self.folder,
                env=dict(os.environ, SWIFT_BACKTRACE="enable=no", **self.environment, **(more_environment or {})))
        if until:
            self.wait_for_event(until, seconds)
        return self

    @property
    def pid(self) -> int:
        return self.process.pid

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int):
        self.process.send_signal(number)

    def stop(self, seconds: float = 40) -> int:
        """TERM, and its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait_exit(seconds)

    def wait_exit(self, seconds: float = 40) -> int:
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the host still runs after {seconds} s:\n{self.tail()}") from None

    def kill9(self):
        self.process.kill()
        self.process.wait()

    def fails(self, *codes: int, seconds: float = 30) -> str:
        """Starts it, expects it to end by itself with one of `codes`; returns the log of this start."""
        self.start(until=None)
        got = self.wait_exit(seconds)
        assert got in codes, f"exit {got} instead of {codes}:\n{self.tail()}"
        return self.log()

    def destroy(self):
        self.last_words = self.kept_log()
        if self.running():
            self.signal(signal.SIGCONT)
            self.kill9()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- what it says ---------------------------------------------------------------------------------------------

    def log(self, whole: bool = False) -> str:
        """The log of this start, or of all starts."""
        with open(self.log_path, errors="replace") as file:
            file.seek(0 if whole else self.log_begin)
            return file.read()

    def kept_log(self, lines: int = 60) -> str:
        """The end of the log for a report; after `destroy` too."""
        if self.last_words is not None:
            return self.last_words
        if not os.path.exists(self.log_path):
            return "(no log)\n"
        with open(self.log_path, errors="replace") as file:
            text = "".join(file.readlines()[-lines:])
        code = self.process.poll() if self.process is not None else None
        return text + ("(it runs)\n" if code is None else f"(it has ended with {code})\n")

    def tail(self, lines: int = 25) -> str:
        return "\n".join(self.log().splitlines()[-lines:])

    def events(self, name: str | None = None, whole: bool = False) -> list[LogEvent]:
        found = [event for event in map(parse_line, self.log(whole).splitlines()) if event]
        return [event for event in found if name is None or event.get("event") == name]

    def wait_for_event(self, name: str, seconds: float = 30, count: int = 1) -> LogEvent:
        def look():
            events = self.events(name)
            if len(events) >= count:
                return events[count - 1]
            if not self.running():
                # What it wrote last may have come after the look above.
                events = self.events(name)
                if len(events) >= count:
                    return events[count - 1]
                raise AssertionError(f"the host ended with {self.process.returncode} before {name}:\n{self.tail()}")
            return None
        return wait_until(look, seconds, lambda: f"event {name} ({count}); the log:\n{self.tail()}")

    def lock_file(self) -> dict:
        """pid, admin address, reload number and result, as the running host wrote them."""
        lines = {}
        with open(os.path.join(self.state, self.name + ".lock")) as file:
            for line in file:
                key, _, value = line.rstrip("\n").partition(" ")
                lines[key] = value
        return lines

    def admin_address(self) -> str:
        def look():
            try:
                lock = self.lock_file()
            except FileNotFoundError:
                return None
            return lock.get("admin") if lock.get("pid") == str(self.pid) and lock.get("admin") else None
        return wait_until(look, 10, "the lock file names the admin address")

    def get(self, path: str, seconds: float = 5) -> tuple[int, str]:
        """Status code and body of an admin page."""
        try:
            with urllib.request.urlopen(f"http://{self.admin_address()}{path}", timeout=seconds) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def ready(self) -> bool:
        return self.get("/readyz")[0] == 200

    def status(self) -> dict:
        return json.loads(self.get("/status")[1])

    def metrics(self) -> dict[tuple, float]:
        """(name, (label, value)…) → value; labels sorted, `stream` left out."""
        found = {}
        for line in self.get("/metrics")[1].splitlines():
            match = re.fullmatch(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)", line)
            if match:
                labels = tuple(sorted((k, v) for k, v in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or "") if k != "stream"))
                found[(match[1], *labels)] = float(match[3])
        return found

    def metric(self, name: str, **labels: str) -> float:
        """The sum over every series of this name that has these labels; 0 where there is none."""
        wanted = set(labels.items())
        return sum(value for key, value in self.metrics().items() if key[0] == name and wanted <= set(key[1:]))

    def rss(self, peak: bool = False) -> int:
        """Resident memory in bytes."""
        with open(f"/proc/{self.pid}/status") as file:
            return int(re.search(("VmHWM" if peak else "VmRSS") + r":\s+(\d+) kB", file.read())[1]) * 1024

    # -- reload ---------------------------------------------------------------------------------------------------

    def hup(self, seconds: float = 20) -> LogEvent:
        """Sends HUP and waits for what came of it."""
        before = len(self.events("reloaded")) + len(self.events("reload_refused"))
        self.signal(signal.SIGHUP)

        def look():
            events = [event for event in self.events() if event["event"] in ("reloaded", "reload_refused")]
            assert self.running(), f"the host ended with {self.process.returncode}:\n{self.tail()}"
            return events[before] if len(events) > before else None
        return wait_until(look, seconds, lambda: f"the reload ends; the log:\n{self.tail()}")

    def reload(self, timeout: float = 40) -> subprocess.CompletedProcess:
        """`cdc-host reload`."""
        return run_cli("reload", "--plugins", self.plugins, timeout=timeout, cwd=self.folder)


def write_plugins_folder(files: dict) -> str:
    """A plugins.d from texts or trees by file name; the caller removes it."""
    folder = tempfile.mkdtemp(prefix="cdc-plugins-")
    for name, content in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return folder


