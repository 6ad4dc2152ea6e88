"""The job of a preview: the site's SQL with files in place of Kafka and PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ozone_gen.flattening.columns_read import columns_read
from ozone_gen.flattening.flink import Connectors, Options, source_sql, source_tables, table_sql
from ozone_gen.flattening.job import job_document
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.openmrs.tables import Table
from ozone_gen.render.emit import json_bytes

WORK_VARIABLE: Final = "OZONE_PREVIEW"
"""The environment variable that tells the job where its work folder is, as a URL of Flink's local file system."""

JOB: Final = "job.json"
"""The path of the job file in the work folder."""

_SETTINGS: Final = {
    "table.local-time-zone": "UTC",
    "pipeline.object-reuse": "true",
    "parallelism.default": "1",
    # What follows halves the time of a small job: no stage waits for the statistics of an earlier one to be
    # planned, and stages that do not depend on each other run side by side.
    "jobmanager.scheduler": "Default",
    "table.optimizer.adaptive-broadcast-join.strategy": "none",
    "table.optimizer.skewed-join-optimization.strategy": "none",
    "taskmanager.numberOfTaskSlots": "4",
    "taskmanager.memory.managed.size": "512m",
}


def job_files(name: str, source: str, tables: Sequence[FlattenedTable]) -> dict[str, bytes]:
    """Write the files of the job that fills `tables`: path in the work folder -> content.

    Events are read from events/TABLE/, rows written to result/TABLE/, as JSON lines both. `name` is the
    job's, `source` the Flink database of the source tables.
    """
    sources = columns_read(source, source_tables(tables), tables)
    files = {"sources.sql": source_sql(source, sources, _CONNECTORS)}
    files |= {f"sql/{table.name}.sql": table_sql(table, _CONNECTORS) for table in tables}
    job = job_document(
        name=name,
        settings=_SETTINGS,
        variables=[WORK_VARIABLE],
        sources=["sources.sql"],
        tables={table.name: f"sql/{table.name}.sql" for table in tables},
    )
    return {JOB: json_bytes(job), **{path: text.encode() for path, text in files.items()}}


def _events(table: Table) -> Options:
    return {"connector": "filesystem", "path": f"${{{WORK_VARIABLE}}}/events/{table.name}", "format": "json"}


def _result(table: FlattenedTable) -> Options:
    return {
        "connector": "filesystem",
        "path": f"${{{WORK_VARIABLE}}}/result/{table.name}",
        "format": "json",
        "json.encode.decimal-as-plain-number": "true",
        "json.encode.ignore-null-fields": "true",
    }


_CONNECTORS: Final = Connectors(_events, _result)
