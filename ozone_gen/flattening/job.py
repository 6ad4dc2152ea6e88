"""The job file that flink_jobs/flatten.py reads; its schema is schemas/job.schema.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any


class StateStore(StrEnum):
    """Where the Flink job keeps what it knows of the rows."""

    MEMORY = "memory"
    DISK = "disk"


def job_document(
    *,
    name: str,
    settings: Mapping[str, str],
    variables: Sequence[str],
    sources: Sequence[str],
    tables: Mapping[str, str],
) -> dict[str, Any]:
    """Build the content of a job file.

    Args:
        name: the job's name, shown in Flink's web page.
        settings: Flink settings that the SQL is planned with.
        variables: environment variables that options of tables refer to as ${NAME}.
        sources: paths of SQL files that make the source tables, relative to the job file.
        tables: for each flattened table the path of its SQL file.
    """
    return {
        "version": 1,
        "name": name,
        "settings": dict(settings),
        "variables": [{"name": variable} for variable in variables],
        "sources": list(sources),
        "tables": [{"name": table, "sql": path} for table, path in tables.items()],
    }
