"""Flink's mini cluster in a child process, with the site's SQL between scripted topics and recorded tables."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from ozone_gen.components.flink import job_settings
from ozone_gen.flattening.columns_read import columns_read
from ozone_gen.flattening.flink import Connectors, Options, source_sql, source_tables, table_sql
from ozone_gen.flattening.job import job_document
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.openmrs.tables import Table
from ozone_gen.preview.flink import child_environment
from ozone_gen.preview.java import find_java
from tests.oracle.comparing import Rows, by_key
from tests.property.histories import TABLES, Event, event_document

HERE: Final = Path(__file__).parent
SOURCE: Final = "openmrs"

# A small cluster's; the rest is the site's.
_CLUSTER: Final = {
    "taskmanager.memory.network.min": "256m",
    "taskmanager.memory.network.max": "256m",
    "taskmanager.memory.managed.size": "64m",
    # A restart is one of the whole job, as a failed task manager's is.
    "jobmanager.execution.failover-strategy": "full",
    # A slow machine must not look like a dead one.
    "heartbeat.timeout": "600000",
    "pekko.ask.timeout": "10 min",
}

_NOT_RESTARTING: Final = {"restart-strategy.type": "none"}
_RESTARTING: Final = {
    "execution.checkpointing.interval": "50 ms",
    # No checkpoint comes between the one that a history waits for and its failure.
    "execution.checkpointing.min-pause": "2 s",
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "20",
    "restart-strategy.fixed-delay.delay": "0 s",
}


@dataclass(frozen=True)
class Interruption:
    """A failure in the middle of a history.

    Attributes:
        checkpoint: the number of events that the job's last checkpoint holds.
        failure: the number of events whose results have arrived when the job fails. It reads all after the checkpoint
            once more.
    """

    checkpoint: int
    failure: int


def compile_connector(folder: Path) -> Path:
    """Compile HistoryConnector.java into a jar in `folder`."""
    import pyflink

    javac = shutil.which("javac")
    if javac is None:
        raise FileNotFoundError("there is no javac: on Debian, apt-get install openjdk-17-jdk-headless")
    libraries = Path(next(iter(pyflink.__path__))) / "lib"
    classes = folder / "classes"
    services = classes / "META-INF" / "services"
    services.mkdir(parents=True)
    (services / "org.apache.flink.table.factories.Factory").write_text("ozone.HistoryConnector\n")
    subprocess.run(
        [javac, "-nowarn", "--release", "17", "-d", classes, "-cp", f"{libraries}/*", HERE / "HistoryConnector.java"],
        check=True,
        capture_output=True,
    )
    archive = shutil.make_archive(str(folder / "history-connector"), "zip", classes)
    return Path(archive).rename(folder / "history-connector.jar")


class Cluster:
    """The child process. A job is run to its end at a time; each has a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jar = compile_connector(folder)
        self._log = folder / "flink.log"
        self._jobs = 0
        (folder / "tmp").mkdir()
        (folder / "log4j.properties").write_text("rootLogger.level = OFF\n")
        environment = child_environment(os.environ, folder, self._log, find_java(os.environ), small=True)
        environment["JDK_JAVA_OPTIONS"] += " -Xmx1g"
        environment["PYTHONPATH"] = os.pathsep.join([str(HERE.parents[1]), environment.get("PYTHONPATH", "")])
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "tests.property.cluster_program"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                cwd=folder,
                text=True,
                start_new_session=True,  # a group of its own, so that its Java never stays behind
            )

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._child:
            assert self._child.stdin
            self._child.stdin.close()  # it ends, and its Java with it
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(timeout=60)
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)

    def plan(self, tables: Sequence[FlattenedTable], connectors: Connectors, settings: Mapping[str, str]) -> str:
        """Explain the job that fills these tables."""
        with self._job(tables, connectors, settings) as folder:
            return str(self._ask(folder, explain=True)["plan"])

    def flatten(
        self,
        tables: Sequence[FlattenedTable],
        events: Sequence[Event],
        chance: random.Random,
        parallelism: int = 1,
        interruptions: Sequence[Interruption] = (),
        *,
        forgetting: bool = False,
    ) -> dict[str, Rows]:
        """Replay events in their order, and return the rows of each table by key.

        `chance` decides what else may be so at one site and otherwise at another: how booleans are written.
        """
        settings = {
            **_CLUSTER,
            **(_RESTARTING if interruptions else _NOT_RESTARTING),
            **job_settings(parallelism),
            "parallelism.default": str(parallelism),
        }
        with self._job(tables, scripted(forgetting=forgetting), settings) as folder:
            topics = folder / "topics"
            topics.mkdir()
            (folder / "result").mkdir()
            lines = [f"{each.checkpoint} {each.failure}\n" for each in interruptions]
            (topics / "interruptions").write_text("".join(lines), encoding="utf-8")
            bits = {table.name: chance.random() < 0.5 for table in source_tables(tables)}
            files = {name: (topics / name).open("w", encoding="utf-8") for name in bits}
            try:
                for turn, event in enumerate(events):
                    if event.table in files:
                        kind = "D" if event.row is None else "U"
                        values = key_values(event) if event.row is None else event.row
                        document = json.dumps(event_document(event.table, values, bits=bits[event.table]))
                        files[event.table].write(f"{turn}\t{kind}\t{document}\n")
            finally:
                for file in files.values():
                    file.close()
            self._ask(folder)
            met = len(list(topics.glob("interrupted-*")))
            assert met == len(interruptions), f"the job was interrupted {met} times"
            return {table.name: recorded(folder / "result" / table.name, table.primary_key) for table in tables}

    @contextmanager
    def _job(
        self, tables: Sequence[FlattenedTable], connectors: Connectors, settings: Mapping[str, str]
    ) -> Iterator[Path]:
        self._jobs += 1
        folder = self._folder / f"job-{self._jobs}"
        folder.mkdir()
        read = columns_read(SOURCE, source_tables(tables), tables)
        (folder / "sources.sql").write_text(source_sql(SOURCE, read, connectors), encoding="utf-8")
        for table in tables:
            (folder / f"{table.name}.sql").write_text(table_sql(table, connectors), encoding="utf-8")
        job = job_document(
            name="property",
            settings={**settings, "pipeline.jars": self._jar.as_uri()},
            variables=[],
            sources=["sources.sql"],
            tables={table.name: f"{table.name}.sql" for table in tables},
        )
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def _ask(self, folder: Path, *, explain: bool = False) -> dict[str, Any]:
        assert self._child.stdin
        assert self._child.stdout
        self._child.stdin.write(json.dumps({"job": str(folder / "job.json"), "explain": explain}) + "\n")
        self._child.stdin.flush()
        for line in self._child.stdout:
            if line.startswith("\x1e"):
                answer: dict[str, Any] = json.loads(line[1:])
                if answer["failed"]:
                    raise AssertionError(f"Flink: {answer['failed']}\n{self._log.read_text()[-6000:]}")
                return answer
        raise AssertionError(f"Flink ended: {self._log.read_text()[-6000:]}")


def key_values(event: Event) -> dict[str, Any]:
    """The key of an event by column."""
    return dict(zip(TABLES[event.table].primary_key, event.key, strict=True))


def scripted(*, forgetting: bool = False) -> Connectors:
    """Replay topics from files, record the tables in files.

    `forgetting` makes a sink forget what it was told since the checkpoint that the job comes back from.
    """

    def topic(table: Table) -> Options:
        return {"connector": "history", "path": f"${{OZONE_PREVIEW}}/topics/{table.name}", "format": "json"}

    def record(table: FlattenedTable) -> Options:
        return {
            "connector": "history",
            "path": f"${{OZONE_PREVIEW}}/result/{table.name}",
            "forgets": str(forgetting).lower(),
            "format": "json",
            "json.encode.decimal-as-plain-number": "true",
        }

    return Connectors(topic, record)


def recorded(file: Path, key: str) -> Rows:
    """The rows of a sink after all that its tasks were told."""
    changes = []
    for part in file.parent.glob(f"{file.name}.*"):
        for line in part.read_text(encoding="utf-8").split("\n")[:-1]:
            when, change = line.split("\t", 1)
            changes.append((int(when), change))
    rows: dict[Any, dict[str, Any]] = {}
    for _, change in sorted(changes, key=lambda each: each[0]):
        row = json.loads(change[1:])
        if change[0] == "+":
            rows[row[key]] = row
        else:
            rows.pop(row[key], None)
    return by_key(list(rows.values()), key)
