"""The views of Drill: one for each table, over the newest export of every site, with the same columns for all."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .store_session import FILES
from .uploaded_exports import SiteExport

TYPES: Mapping[str, dict[str, Any]] = {
    "bigint": {"type": "BIGINT"},
    "integer": {"type": "INTEGER"},
    "double precision": {"type": "DOUBLE"},
    "numeric(24,0)": {"type": "DECIMAL", "precision": 24, "scale": 0},
    "text": {"type": "VARCHAR", "precision": 65535},
    "character varying": {"type": "VARCHAR", "precision": 65535},
    "boolean": {"type": "BOOLEAN"},
    "timestamp without time zone": {"type": "TIMESTAMP", "precision": 3},
    "date": {"type": "DATE"},
    "time without time zone": {"type": "TIME", "precision": 3},
}
"""What a column of PostgreSQL is in Drill."""

SITE = "location_tag"
DAY = "exported_on"
"""Columns of every view: the site that a row comes from, and the day of its export."""


def merged_columns(exports: Iterable[SiteExport], table: str) -> dict[str, str]:
    """The columns of a table at any site; where sites disagree on a type, it is text."""
    columns: dict[str, str] = {}
    for export in exports:
        for name, kind in export.columns.get(table, {}).items():
            columns[name] = kind if columns.get(name, kind) == kind else "text"
    return columns


def decoy(table: str) -> str:
    """The key of a file that no view shows, so that there is always one to leave out.

    Where all folders fit, Drill 1.22 keeps the condition and evaluates it for each row: ten million rows of a hundred
    sites took three minutes instead of twenty seconds. No site can have this tag, and it comes after all of them, since
    Drill looks at the first file to learn what the files are.
    """
    return f"{FILES}{table}/site=~/date=0/none/none.parquet"


EMPTY_PARQUET = base64.b64decode(
    "UEFSMRUEFQAVAEwVABUEEgAAJiQcFQQZJQQGGRgBeBUAFgAWHBYcJgAmCCkcFQQVBBUCAAAAFQIZLDUAGAZzY2hlbWEVAgAVBCUCGAF4ABYAGRwZ"
    "HCYkHBUEGSUEBhkYAXgVABYAFhwWHCYAJggpHBUEFQQVAgAAABYcFgAmCBYcFAAAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDE2LjEuMBkc"
    "HAAAAHYAAABQQVIx"
)
"""A Parquet file of one column and no rows."""


def view_file(name: str, columns: Mapping[str, str], exports: Sequence[SiteExport]) -> bytes:
    """The file by which Drill knows a view."""
    return json.dumps(
        {
            "name": name,
            "sql": view_sql(name, columns, exports),
            "fields": [
                {"name": SITE, "type": "VARCHAR", "precision": 65535, "isNullable": True},
                {"name": DAY, "type": "DATE", "isNullable": True},
                *(
                    {"name": column, **TYPES[kind], "isNullable": True}
                    for column, kind in columns.items()
                    if column not in (SITE, DAY)
                ),
            ],
            "workspaceSchemaPath": [],
        },
        indent=1,
    ).encode()


def view_sql(name: str, columns: Mapping[str, str], exports: Sequence[SiteExport]) -> str:
    """The query of a view.

    It names the folder of every file. Drill drops such a condition on folders when it plans, so rows pay nothing for
    it, and files of exports that are incomplete or were replaced are never opened. It does so only where the condition
    leaves out at least one folder, which is what `decoy` is for.
    """
    shown = [(file.directory, export) for export in exports for file in export.files.get(name, ())]
    wanted = {column: kind for column, kind in columns.items() if column not in (SITE, DAY)}
    if not shown:
        empty = [f"CAST(NULL AS VARCHAR) AS `{SITE}`", f"CAST(NULL AS DATE) AS `{DAY}`"]
        empty += (f"CAST(NULL AS {_sql_type(kind)}) AS `{column}`" for column, kind in wanted.items())
        return f"SELECT {', '.join(empty)} FROM (VALUES (1)) AS `nothing`(`nothing`) WHERE 1 = 0"
    days = {export.site: export.date for _, export in shown}
    cases = " ".join(f"WHEN 'site={site}' THEN '{day}'" for site, day in sorted(days.items()))
    selected = [
        f"SUBSTR(`dir0`, {len('site=') + 1}) AS `{SITE}`",
        f"CAST(CASE `dir0` {cases} END AS DATE) AS `{DAY}`",
        *(f"CAST(`{column}` AS {_sql_type(kind)}) AS `{column}`" for column, kind in wanted.items()),
    ]
    folders = " OR ".join(_folder(directory) for directory, _ in sorted(shown, key=lambda each: each[0]))
    return f"SELECT {', '.join(selected)} FROM `s3`.`files`.`{name}` WHERE {folders}"


def _folder(directory: str) -> str:
    return f"CONCAT(`dir0`, '/', `dir1`, '/', `dir2`) = '{directory}'"


def _sql_type(kind: str) -> str:
    known = TYPES[kind]
    if known["type"] == "DECIMAL":
        return f"DECIMAL({known['precision']}, {known['scale']})"
    return "VARCHAR" if known["type"] == "VARCHAR" else str(known["type"])
