"""The servers of the benchmark as plain processes on the loopback interface: Kafka, PostgreSQL, a Flink cluster.

Kafka and the connectors come from Maven, Flink from PyFlink, PostgreSQL from the machine. All state stands in one
folder, so that the events are made and loaded once.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pyflink
from kafka.admin import KafkaAdminClient, NewTopic

from bench.report import repository
from ozone_gen.render.text import render_text

FLINK = Path(pyflink.__file__).parent
_STARTING = 90  # seconds


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def until(what: str, answers: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until `answers` is true, or fails no more; SystemExit after a while, or where `process` has ended."""
    end = time.monotonic() + _STARTING
    while time.monotonic() < end:
        with contextlib.suppress(OSError, psycopg.Error, ValueError):
            if answers():
                return
        if process is not None and process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"{what}: it does not answer")


def _answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def jars(folder: Path, pom: str) -> list[Path]:
    """Return the jars of a POM with all that they need, copied into `folder` once."""
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pom.xml").write_text(pom)
        subprocess.run(
            [
                *("mvn", "-B", "-q", "-f", str(folder / "pom.xml")),
                *("dependency:copy-dependencies", f"-DoutputDirectory={folder}"),
            ],
            check=True,
        )
        (folder / "complete").touch()
    return sorted(folder.glob("*.jar"))


@contextlib.contextmanager
def process(command: Sequence[str], log: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends, with what it started."""
    with log.open("wb") as output:
        running = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True, **options)
        try:
            yield running
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGTERM)
            try:
                running.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()


# --- Kafka


class Kafka:
    """One broker; its topics stay in the folder."""

    def __init__(self, folder: Path) -> None:
        """`folder` keeps jars and data."""
        pom = (repository() / "tests" / "engine" / "images" / "kafka" / "pom.xml").read_text()
        self._jars = jars(folder / "kafka-jars", pom)
        self._folder = folder / "kafka"
        self.port = 19392
        self.address = f"127.0.0.1:{self.port}"

    def _java(self, main: str, *arguments: str, heap: str = "256m") -> list[str]:
        (self._folder / "log4j2.properties").write_text("rootLogger.level=WARN\n")
        path = ":".join(map(str, self._jars))
        quiet = f"-Dlog4j2.configurationFile={self._folder / 'log4j2.properties'}"
        return ["java", f"-Xmx{heap}", "-XX:+UseSerialGC", quiet, "-cp", path, main, *arguments]

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run the broker, with the settings of a site."""
        self._folder.mkdir(exist_ok=True)
        settings = render_text("kafka/server.properties.j2").decode()
        for name, value in {
            "controller.quorum.voters": f"1@127.0.0.1:{self.port + 1}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.port + 1}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "log.dirs": str(self._folder / "data"),
            "auto.create.topics.enable": "true",
        }.items():
            lines = [line for line in settings.splitlines() if not line.startswith(f"{name}=")]
            settings = "\n".join([*lines, f"{name}={value}"]) + "\n"
        file = self._folder / "server.properties"
        file.write_text(settings)
        if not (self._folder / "data").exists():
            format_ = ("kafka.tools.StorageTool", "format", "-t", "b3pvbmUtYmVuY2gtZmxhdA", "-c", str(file))
            subprocess.run(self._java(*format_), check=True, stdout=subprocess.DEVNULL)
        command = self._java("kafka.Kafka", str(file), heap="320m")
        with process(command, self._folder / "log.txt") as server:
            until("Kafka", lambda: _answers(self.port), server)
            yield

    def create(self, topics: Sequence[str], partitions: int) -> None:
        """Make compacted topics."""
        with contextlib.closing(KafkaAdminClient(bootstrap_servers=self.address)) as admin:
            compacted = {"cleanup.policy": "compact"}
            admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=compacted) for topic in topics])

    def topics(self) -> set[str]:
        """Return the names of the topics."""
        with contextlib.closing(KafkaAdminClient(bootstrap_servers=self.address)) as admin:
            return set(admin.list_topics())

    def produce(self, topic: str, records: Iterator[bytes]) -> None:
        """Write `key TAB value` lines as Connect's producer would: lz4, batches of 128 KiB."""
        command = self._java(
            "org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", self.address, "--topic", topic,
            "--compression-codec", "lz4", "--property", "parse.key=true", "--property", "key.separator=\t",
            "--producer-property", "linger.ms=20", "--producer-property", "batch.size=131072",
            "--batch-size", "131072",
        )  # fmt: skip
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as producer:
            assert producer.stdin is not None
            for record in records:
                producer.stdin.write(record)
        if producer.returncode:
            raise SystemExit(f"the producer of {topic} ended with {producer.returncode}")


# --- PostgreSQL


class PostgreSQL:
    """An empty server for the flattened tables."""

    def __init__(self, folder: Path) -> None:
        """`folder` gets the server's log."""
        self._log = folder / "postgresql.log"
        self.port = 19432
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self._bin = programs[-1]

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run the server with its default settings, but without autovacuum, whose work depends on the clock."""
        user = pwd.getpwnam("postgres")
        # Not below the benchmark's folder, which that user may have no way into.
        folder = tempfile.mkdtemp(prefix="ozone-bench-")
        os.chown(folder, user.pw_uid, user.pw_gid)
        data = f"{folder}/data"
        run = {"user": user.pw_uid, "group": user.pw_gid}
        subprocess.run(
            [str(self._bin / "initdb"), "-D", data, "-U", "analytics", "-A", "trust", "-E", "UTF8", "--no-locale"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            **run,
        )
        options = ["-c", f"port={self.port}", "-c", "autovacuum=off", "-c", "listen_addresses=127.0.0.1"]
        options += ["-c", "unix_socket_directories=", "-c", "timezone=UTC"]
        command = [str(self._bin / "postgres"), "-D", data, *options]
        try:
            with process(command, self._log, cwd="/", **run) as server:
                until("PostgreSQL", lambda: self.connect().closed is False, server)
                yield
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def connect(self) -> psycopg.Connection[Any]:
        """Connect as the user of the job."""
        return psycopg.connect(
            f"host=127.0.0.1 port={self.port} user=analytics dbname=postgres", autocommit=True
        )


# --- Flink


class Flink:
    """A session cluster of one job manager and one task manager, started anew for each run that is measured."""

    def __init__(self, folder: Path) -> None:
        """`folder` keeps a Flink with the connectors' jars."""
        self.home = folder / "flink"
        self._folder = folder
        connectors = jars(folder / "connector-jars", render_text("flink/pom.xml.j2").decode())
        shutil.rmtree(self.home, ignore_errors=True)
        (self.home / "lib").mkdir(parents=True)
        shutil.copytree(FLINK / "bin", self.home / "bin")
        shutil.copytree(FLINK / "opt", self.home / "opt")
        (self.home / "plugins").mkdir()
        for jar in [*(FLINK / "lib").glob("*.jar"), *connectors]:
            (self.home / "lib" / jar.name).symlink_to(jar)
        (self.home / "conf").mkdir()
        shutil.copy(FLINK / "conf" / "log4j-console.properties", self.home / "conf")
        (self.home / "conf" / "log4j-cli.properties").write_text("rootLogger.level=ERROR\n")
        (self.python_jar,) = (self.home / "opt").glob("flink-python-*.jar")
        self.port = 19081
        self.checkpoints = folder / "checkpoints"
        self._taskmanager: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What makes a program use this Flink and its cluster."""
        return {
            **os.environ,
            "FLINK_HOME": str(self.home),
            "FLINK_CONF_DIR": str(self.home / "conf"),
            "FLINK_LOG_DIR": str(self._folder / "flink-log"),
        }

    @contextlib.contextmanager
    def running(self, config: Mapping[str, Any]) -> Iterator[None]:
        """Run the cluster with a site's configuration, its addresses changed to this machine's."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        shutil.rmtree(self._folder / "flink-log", ignore_errors=True)
        (self._folder / "flink-log").mkdir()
        local = {
            **{name: value for name, value in config.items() if not name.startswith("high-availability")},
            "jobmanager.rpc.address": "127.0.0.1",
            "jobmanager.rpc.port": 19123,
            "jobmanager.bind-host": "127.0.0.1",
            "rest.address": "127.0.0.1",
            "rest.bind-address": "127.0.0.1",
            "rest.port": self.port,
            "taskmanager.bind-host": "127.0.0.1",
            "taskmanager.host": "127.0.0.1",
            "taskmanager.rpc.port": 19122,
            "web.submit.enable": True,
            "metrics.fetcher.update-interval": 1000,
            "execution.target": "remote",
            "execution.checkpointing.dir": f"file://{self.checkpoints}",
        }
        (self.home / "conf" / "config.yaml").write_text(
            "".join(f"{name}: {json.dumps(value)}\n" for name, value in local.items())
        )
        log = self._folder / "flink-log"
        environment = {**self.environment, "MALLOC_ARENA_MAX": "2", "TZ": "UTC"}
        manager = [str(self.home / "bin" / "jobmanager.sh"), "start-foreground"]
        worker = [str(self.home / "bin" / "taskmanager.sh"), "start-foreground"]
        with (
            process(manager, log / "jobmanager.txt", env=environment) as jobmanager,
            process(worker, log / "taskmanager.txt", env=environment) as self._taskmanager,
        ):
            until("Flink", lambda: self.get("/overview")["slots-available"] > 0, jobmanager)
            yield

    def get(self, path: str) -> Any:
        """Ask Flink's REST interface."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return json.load(answer)

    def _send(self, path: str, method: str, content: Mapping[str, Any]) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=json.dumps(content).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def checkpoint(self, job: str) -> tuple[int, dict[str, int]]:
        """Take a full checkpoint; return its bytes, and those of each vertex by its id."""
        trigger = self._send(f"/jobs/{job}/checkpoints", "POST", {"checkpointType": "FULL"})["request-id"]
        done: dict[str, Any] = {}

        def complete() -> bool:
            done.update(self.get(f"/jobs/{job}/checkpoints/{trigger}"))
            return bool(done["status"]["id"] == "COMPLETED")

        until("the checkpoint", complete)
        if "checkpointId" not in done.get("operation", {}):
            raise SystemExit(f"the checkpoint failed: {done}")
        found = self.get(f"/jobs/{job}/checkpoints/details/{done['operation']['checkpointId']}")
        return found["state_size"], {vertex: task["state_size"] for vertex, task in found["tasks"].items()}

    def cancel(self, job: str) -> None:
        """End a job and wait until it has ended."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/jobs/{job}?mode=cancel", method="PATCH")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(request, timeout=30).close()
        until("the job ended", lambda: self.get(f"/jobs/{job}")["state"] in ("CANCELED", "FAILED"))

    @property
    def pid(self) -> int:
        """The task manager's process: the Java machine that the script became."""
        assert self._taskmanager is not None
        return self._taskmanager.pid
