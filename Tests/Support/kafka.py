"""Kafka for tests: the embedded one as a process, the real one where it is there, and a reader that keeps up with both."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from .waiting import free_port, scale, wait_until

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def build_folder() -> str:
    """Where cdc-host, embedded-kafka and the plugins are: CDC_BIN or the release build."""
    return os.path.abspath(os.environ.get("CDC_BIN") or os.path.join(PROJECT, ".build", "release"))


class EmbeddedKafka:
    """`embedded-kafka`: a cluster in memory. About 5 MiB are kept of a partition, so readers must read along."""

    name = "embedded"

    def __init__(self, brokers: int = 1):
        program = os.path.join(build_folder(), "embedded-kafka")
        if not os.access(program, os.X_OK):
            raise FileNotFoundError(f"no {program}: build the release first, or set CDC_BIN")
        self.process = subprocess.Popen([program, "--brokers", str(brokers)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        line = self.process.stdout.readline().strip()
        if not line.startswith("bootstrap.servers="):
            raise RuntimeError(f"embedded-kafka did not start: {line!r}")
        self.bootstrap = line.split("=", 1)[1]
        self.lock = threading.Lock()

    def command(self, text: str):
        with self.lock:
            self.process.stdin.write(text + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().strip()
        if answer != "ok":
            raise RuntimeError(f"{text}: {answer}")

    def create_topic(self, topic: str, partitions: int = 1):
        self.command(f"topic {topic} {partitions}")

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process.poll() is None:
            self.thaw()
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def real_kafka_script() -> str | None:
    """The script that starts Apache Kafka: in KAFKA_HOME or beside the project."""
    for folder in (os.environ.get("KAFKA_HOME"), os.path.join(os.path.dirname(PROJECT), "shared", "services", "kafka")):
        if folder and os.access(os.path.join(folder, "kafka"), os.X_OK):
            return os.path.join(folder, "kafka")
    return None


def why_no_real_kafka() -> str | None:
    if real_kafka_script() is None:
        return "no Apache Kafka: KAFKA_HOME is not set and ../shared/services/kafka is not there"
    if shutil.which("java") is None:
        return "no java on PATH"
    return None


class RealKafka:
    """Apache Kafka on loopback."""

    name = "real"

    def __init__(self, brokers: int = 1, settings: dict | None = None):
        reason = why_no_real_kafka()
        if reason:
            raise FileNotFoundError(reason)
        self.directory = tempfile.mkdtemp(prefix="cdc-kafka-")
        self.script = real_kafka_script()
        arguments = ["start", self.directory, "--brokers", str(brokers), "--base", str(free_port() // 100 * 100 % 30000 + 20000)]
        for key, value in (settings or {}).items():
            arguments += ["--set", f"{key}={value}"]
        self.bootstrap = self._run(*arguments).strip().splitlines()[-1]
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap})

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([self.script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"kafka {arguments[0]}: {done.stdout[-500:]} {done.stderr[-1500:]}")
        return done.stdout

    def create_topic(self, topic: str, partitions: int = 1, config: dict | None = None):
        for future in self.admin.create_topics([NewTopic(topic, partitions, 1, config=config or {})]).values():
            future.result(30)

    def freeze(self, broker: int = 1):
        self._run("pause", self.directory, str(broker))

    def thaw(self, broker: int = 1):
        self._run("resume", self.directory, str(broker))

    def kill(self, broker: int = 1):
        self._run("kill", self.directory, str(broker))

    def up(self, broker: int = 1):
        self._run("up", self.directory, str(broker))

    def stop(self):
        subprocess.run([self.script, "stop", self.directory], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.directory, ignore_errors=True)


@dataclass(frozen=True)
class Record:
    """One record as a consumer sees it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple
    timestamp: int
    received: float

    @property
    def json(self):
        return None if self.value is None else json.loads(self.value)

    @property
    def json_key(self):
        return None if self.key is None else json.loads(self.key)

    def header(self, name: str):
        for key, value in self.headers:
            if key == name:
                return value
        return None


class Reader:
    """Reads every topic whose name starts with `prefix.` from the beginning, on a thread of its own, into memory."""

    def __init__(self, kafka, prefix: str):
        self.prefix = prefix
        self.records: list[Record] = []
        self.lock = threading.Lock()
        self.lost: list[str] = []
        self.assigned: dict[tuple, TopicPartition] = {}
        self.next: dict[tuple, int] = {}
        self.stopping = threading.Event()
        self.consumer = Consumer({
            "bootstrap.servers": kafka.bootstrap, "group.id": f"reader-{prefix}-{os.getpid()}-{id(self)}", "enable.auto.commit": False,
            "auto.offset.reset": "error", "fetch.wait.max.ms": 20, "fetch.error.backoff.ms": 50, "topic.metadata.refresh.interval.ms": 60000,
            "log_level": 0, "error_cb": lambda error: None, "socket.timeout.ms": 5000, "reconnect.backoff.max.ms": 500,
        })
        # The embedded broker answers such questions late on a connection that fetches.
        self.watcher = Consumer({
            "bootstrap.servers": kafka.bootstrap, "group.id": f"watcher-{prefix}-{os.getpid()}-{id(self)}", "log_level": 0, "error_cb": lambda error: None})
        self.thread = threading.Thread(target=self._loop, daemon=True)
        self.thread.start()

    def _discover(self):
        try:
            metadata = self.consumer.list_topics(timeout=1)
        except Exception:
            return
        fresh = []
        for name, topic in metadata.topics.items():
            if name != self.prefix and not name.startswith(self.prefix + "."):
                continue
            for partition in topic.partitions:
                if (name, partition) not in self.assigned:
                    fresh.append(TopicPartition(name, partition, 0))
        if fresh:
            for part in fresh:
                self.assigned[(part.topic, part.partition)] = part
            self.consumer.incremental_assign(fresh)

    def _loop(self):
        look_again = 0.0
        while not self.stopping.is_set():
            if time.monotonic() >= look_again:
                self._discover()
                look_again = time.monotonic() + 0.25
            if not self.assigned:
                time.sleep(0.02)
                continue
            for message in self.consumer.consume(2000, 0.05):
                if message.error():
                    if message.error().code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                        self.lost.append(f"{message.topic()} [{message.partition()}]: {message.error()}")
                    continue
                at = (message.topic(), message.partition())
                if message.offset() != self.next.get(at, 0):
                    self.lost.append(f"{at[0]} [{at[1]}]: offset {message.offset()} follows {self.next.get(at, 0) - 1}")
                self.next[at] = message.offset() + 1
                kind, stamp = message.timestamp()
                record = Record(
                    message.topic(), message.partition(), message.offset(), message.key(), message.value(),
                    tuple(message.headers() or ()), stamp, time.time())
                with self.lock:
                    self.records.append(record)
        self.consumer.close()

    def all(self) -> list[Record]:
        """What has been read so far. Fails when the broker dropped records before this reader came to them."""
        assert not self.lost, f"the reader could not keep up with the broker: {self.lost[:3]}"
        with self.lock:
            return list(self.records)

    def count(self) -> int:
        with self.lock:
            return len(self.records)

    def topic(self, table: str) -> list[Record]:
        """Records of `{prefix}.{table}` in the order read."""
        name = f"{self.prefix}.{table}"
        return [record for record in self.all() if record.topic == name]

    def wait(self, count: int, seconds: float = 20, table: str | None = None) -> list[Record]:
        """Waits for at least `count` records, of one table or of all."""
        def read():
            found = self.topic(table) if table else self.all()
            return found if len(found) >= count else None
        def seen():
            found = self.topic(table) if table else self.all()
            return f"{count} records of {table or 'all tables'}; there are {len(found)}: {[(r.key, (r.value or b'')[:120]) for r in found[-3:]]}"
        return wait_until(read, seconds, seen)

    def quiet(self, seconds: float = 0.6) -> list[Record]:
        """Waits until nothing new has come for a while and all that the broker has is read; that there are no writers any more is the caller's care."""
        last, since, begun = -1, time.monotonic(), time.monotonic()
        while True:
            assert time.monotonic() - begun < 240 * scale(), "records keep coming, or the broker keeps some back"
            if self.lost:
                return self.all()
            if self.count() != last:
                last, since = self.count(), time.monotonic()
            elif time.monotonic() - since >= seconds and not self._is_behind():
                return self.all()
            time.sleep(0.05)

    def _is_behind(self) -> bool:
        """Silence alone proves nothing on a busy machine: the broker is asked where its partitions end."""
        for at, part in list(self.assigned.items()):
            try:
                if self.next.get(at, 0) < self.watcher.get_watermark_offsets(part, timeout=5)[1]:
                    return True
            except KafkaException:
                return True
        return False

    def close(self):
        self.stopping.set()
        self.thread.join(10)
        self.watcher.close()
