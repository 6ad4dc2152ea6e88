"""The product's SQL of one flattened table over each kind of events, as jobs of a session cluster."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.error
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.event_format.captures import CAPTURES, Capture
from bench.event_format.project import PARALLELISM, EventsProject, sink_ddl
from ozone_gen.components.flink import job_settings, site_connectors
from ozone_gen.flattening.flink import Connectors, Options, source_sql, table_sql
from ozone_gen.flattening.job import job_document
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.openmrs.tables import Table
from tests.e2e.running_site import until

_NORMALISED = {"table.exec.source.cdc-events-duplicate": "true"}


@dataclass(frozen=True)
class Variant:
    """A way to read a capture; `settings` are Flink's on top of the product's."""

    name: str
    title: str
    capture: Capture
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def sink(self) -> str:
        """The table that its job fills."""
        return f"vitals_{self.name}"


_BY_NAME = {capture.name: capture for capture in CAPTURES}
VARIANTS = (
    Variant("plain", "envelopes, `debezium-json`", _BY_NAME["envelope"]),
    Variant("normalised", "envelopes, `debezium-json`, cdc-events-duplicate", _BY_NAME["envelope"], _NORMALISED),
    Variant("lz4", "the same, lz4", _BY_NAME["envelope_lz4"], _NORMALISED),
    Variant("unwrapped", "unwrapped, every column, lz4, `upsert-kafka`", _BY_NAME["unwrapped"]),
    Variant("narrow", "unwrapped, read columns, lz4, `upsert-kafka` (ours)", _BY_NAME["narrow"]),
)


def write(project: EventsProject, variant: Variant) -> None:
    """Write the job of a variant and make its empty sink table."""
    folder = project.folder / "jobs" / variant.name
    folder.mkdir(exist_ok=True)
    connectors = _connectors(project, variant)
    (folder / "sources.sql").write_text(source_sql(project.plan.source.name, project.plan.source.tables, connectors))
    (folder / "vitals.sql").write_text(table_sql(project.table, connectors))
    job = job_document(
        name=variant.name,
        settings={**job_settings(PARALLELISM), **variant.settings},
        variables=[
            *sorted(f"ANALYTICS_DB_{part}" for part in ("HOST", "PORT", "NAME", "USER", "PASSWORD")),
            "OZONE_GENERATION",
        ],
        sources=["sources.sql"],
        tables={"vitals": "vitals.sql"},
    )
    (folder / "job.json").write_text(json.dumps(job))
    empty(project, variant)


def empty(project: EventsProject, variant: Variant) -> None:
    """Make the sink table of a variant anew."""
    with project.sink() as sink:
        sink.execute(sink_ddl(project.table, variant.sink))


def _connectors(project: EventsProject, variant: Variant) -> Connectors:
    product = site_connectors(project.plan)

    def source(table: Table) -> Options:
        topic = {"topic": variant.capture.topic(project, table.name)}
        if variant.capture.unwrapped:
            return {**product.source(table), **topic}
        return {
            "connector": "kafka",
            **topic,
            "properties.bootstrap.servers": "kafka:9092",
            "scan.startup.mode": "earliest-offset",
            "format": "debezium-json",
        }

    def sink(table: FlattenedTable) -> Options:
        return {**product.sink(table), "table-name": f"{project.plan.sink.schema}.{variant.sink}"}

    return Connectors(source, sink)


def submit(project: EventsProject, variant: Variant) -> tuple[str, float]:
    """Submit the job of a variant; return its id and the epoch second at which the cluster took it."""
    project.compose(
        *("run", "--rm", "--no-deps", "-T", "submit"),
        *("-py", "/opt/ozone/jobs/flatten.py", "--job", f"/jobs/{variant.name}/job.json"),
    )
    jobs = project.get("flink", "/jobs/overview")["jobs"]
    newest = max((job for job in jobs if job["name"] == variant.name), key=lambda job: float(job["start-time"]))
    return newest["jid"], newest["start-time"] / 1000


def cancel(project: EventsProject, job: str) -> None:
    """End a job and wait until its slots are free."""
    with contextlib.suppress(urllib.error.HTTPError):
        project.send("flink", "PATCH", f"/jobs/{job}?mode=cancel")
    until("the job ended", lambda: project.get("flink", f"/jobs/{job}")["state"] in ("CANCELED", "FAILED"))


def fingerprint(project: EventsProject, table: str) -> tuple[int, int]:
    """Return the rows of a sink table, and a sum over all that stands in them."""
    with project.sink() as sink:
        row = sink.execute(
            f'SELECT count(*) AS n, coalesce(sum(hashtext(t::text)::bigint), 0)::bigint AS h FROM "{table}" t'
        ).fetchone()
    assert row is not None
    return row["n"], row["h"]


def complete(project: EventsProject, variant: Variant, wanted: tuple[int, int], since: float) -> float:
    """Wait until a sink table is as wanted; return the seconds from an epoch second to then."""
    end = time.monotonic() + 900
    with project.sink() as sink:
        while time.monotonic() < end:
            row = sink.execute(f'SELECT count(*) AS n FROM "{variant.sink}"').fetchone()
            seen = time.time()
            if row is not None and row["n"] == wanted[0] and fingerprint(project, variant.sink) == wanted:
                return seen - since
            time.sleep(0.2)
    raise SystemExit(f"{variant.name} is not complete after 15 minutes: {fingerprint(project, variant.sink)}")
