"""Jobs of the benchmark: the SQL of a site, or a variant of it, submitted to the cluster and followed to its end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.flattening.events import TABLES, Events
from bench.flattening.servers import Flink, Kafka, PostgreSQL
from bench.report import repository
from ozone_gen.components.flink import job_settings, site_connectors
from ozone_gen.flattening.columns_read import columns_read
from ozone_gen.flattening.flink import Connectors, Options, source_sql, source_tables, table_sql
from ozone_gen.flattening.job import job_document
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.load import load
from ozone_gen.openmrs.tables import Table
from ozone_gen.plan import SitePlan
from ozone_gen.plan.build import build_plan

SINK = {
    "ANALYTICS_DB_HOST": "127.0.0.1",
    "ANALYTICS_DB_NAME": "postgres",
    "ANALYTICS_DB_USER": "analytics",
    "ANALYTICS_DB_PASSWORD": "unused",
    "OZONE_GENERATION": "bench",
}
_QUIET = 4.0  # seconds without a write after which a table is taken for complete


@dataclass(frozen=True)
class Variant:
    """One job to measure.

    Attributes:
        name: shown in the report.
        tables: the flattened tables that it fills, of those that the site has.
        inserts: SQL that replaces what the site's plan says, by table.
        settings: of the job, on top of the product's.
        sink: options of the sink, on top of the product's.
        config: of the cluster, on top of the product's.
        parallelism: of the job; partitions of the topics.
        envelopes: whether Debezium's whole envelopes are read, not unwrapped rows.
        give_up: seconds after which the job is taken for one that does not end.
    """

    name: str
    tables: tuple[str, ...]
    inserts: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    sink: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    parallelism: int = 1
    envelopes: bool = False
    give_up: float = 600


@dataclass(frozen=True)
class Outcome:
    """What one run of a job took.

    Attributes:
        seconds: from the job's start to the last write to the sink.
        cpu: processor seconds of the task manager in that time, those of its compilers and collector included.
        complete: whether it came to its end.
        rows, fingerprint: what the tables hold then.
        vertices: Flink's figures of each task.
        state: bytes of a checkpoint afterwards; by vertex in `state_of`.
    """

    seconds: float
    cpu: float
    complete: bool
    rows: Mapping[str, int]
    vertices: Sequence[Mapping[str, Any]]
    fingerprint: Mapping[str, int]
    state: int
    state_of: Mapping[str, int]


def site_plan(file: Path) -> SitePlan:
    """Read and decide a site."""
    site = load(str(file))
    return build_plan(site.spec, site.dictionary, locked=site.locked)


class Bench:
    """Runs variants on the servers."""

    def __init__(self, folder: Path, plan: SitePlan, events: Events, kafka: Kafka, sink: PostgreSQL, flink: Flink):
        """All servers but Flink's cluster are running."""
        self.folder = folder
        self.plan = plan
        self.events = events
        self.kafka = kafka
        self.sink = sink
        self.flink = flink

    def _tables(self, variant: Variant) -> list[FlattenedTable]:
        return [table for table in self.plan.tables if table.name in variant.tables]

    def write(self, variant: Variant) -> Path:
        """Write the job's files; return the job file."""
        product = site_connectors(self.plan)

        def source(table: Table) -> Options:
            found = {
                "topic": self.events.topic(table.name, variant.parallelism, variant.envelopes),
                "properties.bootstrap.servers": self.kafka.address,
            }
            if variant.envelopes:
                envelopes = {"scan.startup.mode": "earliest-offset", "format": "debezium-json"}
                return {"connector": "kafka", **found, **envelopes}
            return {**product.source(table), **found}

        def sink(table: FlattenedTable) -> Options:
            return {**product.sink(table), **variant.sink}

        connectors = Connectors(source, sink)
        folder = self.folder / "jobs" / variant.name.replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        tables = self._tables(variant)
        name = self.plan.source.name
        read = TABLES.values() if variant.inserts else columns_read(name, source_tables(tables), tables)
        (folder / "sources.sql").write_text(source_sql(name, read, connectors))
        for table in tables:
            text = table_sql(table, connectors)
            if table.name in variant.inserts:
                text = text[: text.index("INSERT INTO")] + variant.inserts[table.name]
            (folder / f"{table.name}.sql").write_text(text)
        job = job_document(
            name=variant.name,
            settings={
                **job_settings(variant.parallelism),
                "parallelism.default": str(variant.parallelism),
                **variant.settings,
            },
            variables=[*SINK, "ANALYTICS_DB_PORT"],
            sources=["sources.sql"],
            tables={table.name: f"{table.name}.sql" for table in tables},
        )
        (folder / "job.json").write_text(json.dumps(job))
        return folder / "job.json"

    def empty(self, variant: Variant) -> None:
        """Make the sink tables anew."""
        with self.sink.connect() as sink:
            for table in self._tables(variant):
                columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
                sink.execute(f'DROP TABLE IF EXISTS "{table.name}"')
                sink.execute(f'CREATE TABLE "{table.name}" ({columns}, PRIMARY KEY ("{table.primary_key}"))')

    def submit(self, job: Path) -> str:
        """Plan and submit a job; return its id."""
        done = subprocess.run(
            [
                *(str(self.flink.home / "bin" / "flink"), "run", "-d", "-pyclientexec", sys.executable),
                # By the driver's class: `flink run -py` would take the program's --job for its own --jobmanager.
                *("-c", "org.apache.flink.client.python.PythonDriver", str(self.flink.python_jar)),
                *("-py", str(repository() / "flink_jobs" / "flatten.py"), "--job", str(job)),
            ],
            env={**self.flink.environment, **SINK, "ANALYTICS_DB_PORT": str(self.sink.port)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(f"{job}: {done.stdout}{done.stderr}")
        jobs = self.flink.get("/jobs/overview")["jobs"]
        return str(max(jobs, key=lambda found: float(found["start-time"]))["jid"])

    def run(self, variant: Variant) -> Outcome:
        """Run a variant into empty tables, from its start to the last write."""
        job = self.write(variant)
        self.empty(variant)
        before = self.cpu()
        identity = self.submit(job)
        started = self.flink.get(f"/jobs/{identity}")["start-time"] / 1000
        with self.sink.connect() as sink:
            written, seen, cpu, complete = time.time(), -1, before, True
            while time.time() - written < _QUIET or not self._all_read(identity):
                # A number that goes up with each transaction that writes: cheaper than any look at the tables.
                (now,) = sink.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone() or (0,)
                if now != seen:
                    written, seen, cpu = time.time(), now, self.cpu()
                trouble = self._trouble(identity)
                if trouble or time.time() - started > variant.give_up:
                    print(f"{variant.name} does not end: {trouble or 'given up'}", flush=True)
                    complete = False
                    break
                time.sleep(0.05)
            rows = {}
            prints = {}
            for table in variant.tables:
                query = f'SELECT count(*), coalesce(sum(hashtext(t::text)::bigint), 0)::bigint FROM "{table}" t'
                rows[table], prints[table] = sink.execute(query).fetchone() or (0, 0)
        vertices = self.flink.get(f"/jobs/{identity}")["vertices"]
        size, parts = self.flink.checkpoint(identity) if complete else (0, {})
        self.flink.cancel(identity)
        return Outcome(written - started, cpu - before, complete, rows, vertices, prints, size, parts)

    _checked = 0.0

    def _trouble(self, identity: str) -> str:
        """Look every few seconds whether the job still runs, and return why not; each look costs the cluster work."""
        if time.monotonic() - self._checked < 5:
            return ""
        self._checked = time.monotonic()
        state = self.flink.get(f"/jobs/{identity}")["state"]
        failures = self.flink.get(f"/jobs/{identity}/exceptions")["exceptionHistory"]["entries"]
        if state in ("CREATED", "INITIALIZING", "RUNNING") and not failures:
            return ""
        return f"the job is {state}: {failures[0]['stacktrace'][:1000] if failures else ''}"

    def _all_read(self, identity: str) -> bool:
        """Say whether the sources have read every event."""
        vertices = self.flink.get(f"/jobs/{identity}")["vertices"]
        for vertex in vertices:
            found = re.match(r"Source: (\w+)\[", vertex["name"])
            if found and vertex["metrics"]["read-records"] < self.events.rows[found[1]]:
                return False
        return True

    def cpu(self) -> float:
        """Return the processor seconds of the task manager so far."""
        with open(f"/proc/{self.flink.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
