"""The views of Drill: one for each table, over the newest export of every site, with the same columns for all."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .merged_exports import SITE, Segment
from .store_session import FILES, MERGED
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

DAY = "exported_on"
"""A column of every view, as is SITE: the day of the export that a row comes from."""


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


def merged_decoy(table: str) -> str:
    """The like among the merged files."""
    return f"{MERGED}{table}/~/none.parquet"


EMPTY_PARQUET = base64.b64decode(
    "UEFSMRUEFQAVAEwVABUEEgAAJiQcFQQZJQQGGRgBeBUAFgAWHBYcJgAmCCkcFQQVBBUCAAAAFQIZLDUAGAZzY2hlbWEVAgAVBCUCGAF4ABYAGRwZ"
    "HCYkHBUEGSUEBhkYAXgVABYAFhwWHCYAJggpHBUEFQQVAgAAABYcFgAmCBYcFAAAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDE2LjEuMBkc"
    "HAAAAHYAAABQQVIx"
)
"""A Parquet file of one column and no rows."""


def view_file(
    name: str, columns: Mapping[str, str], exports: Sequence[SiteExport], segments: Sequence[Segment] = ()
) -> bytes:
    """The file by which Drill knows a view."""
    return json.dumps(
        {
            "name": name,
            "sql": view_sql(name, columns, exports, segments),
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


def view_sql(
    name: str, columns: Mapping[str, str], exports: Sequence[SiteExport], segments: Sequence[Segment] = ()
) -> str:
    """The query of a view: the merged files, and the own files of the sites that are in none.

    It names the folder of every file. Drill drops such a condition on folders when it plans, so rows pay nothing for
    it, and files of exports that are incomplete or were replaced are never opened. It does so only where the condition
    leaves out at least one folder, which is what the decoys are for.
    """
    wanted = {column: kind for column, kind in columns.items() if column not in (SITE, DAY)}
    days = {export.site: export.date for export in exports}
    merged = {site for segment in segments if segment.table == name for site in segment.files}
    values = ", ".join(f"CAST(`{column}` AS {_sql_type(kind)}) AS `{column}`" for column, kind in wanted.items())
    values = f", {values}" if values else ""
    queries = []
    if merged:
        # The site is taken as it stands: on a computed one Drill would not leave out row groups by their statistics.
        day = _day(f"`{SITE}`", {site: days[site] for site in merged})
        folders = sorted(segment.directory for segment in segments if segment.table == name)
        condition = " OR ".join(f"`dir0` = '{folder}'" for folder in folders)
        queries.append(f"SELECT `{SITE}`, {day}{values} FROM `s3`.`merged`.`{name}` WHERE {condition}")
    own = [export for export in exports if export.site not in merged]
    shown = [(file.directory, export.site) for export in own for file in export.files.get(name, ())]
    if shown:
        site = f"SUBSTR(`dir0`, {len('site=') + 1})"
        day = _day("`dir0`", {f"site={site}": days[site] for _, site in shown})
        condition = " OR ".join(_folder(directory) for directory, _ in sorted(shown))
        queries.append(f"SELECT {site} AS `{SITE}`, {day}{values} FROM `s3`.`files`.`{name}` WHERE {condition}")
    if not queries:
        empty = [f"CAST(NULL AS VARCHAR) AS `{SITE}`", f"CAST(NULL AS DATE) AS `{DAY}`"]
        empty += (f"CAST(NULL AS {_sql_type(kind)}) AS `{column}`" for column, kind in wanted.items())
        return f"SELECT {', '.join(empty)} FROM (VALUES (1)) AS `nothing`(`nothing`) WHERE 1 = 0"
    return " UNION ALL ".join(queries)


def _day(of: str, days: Mapping[str, str]) -> str:
    cases = " ".join(f"WHEN '{key}' THEN '{day}'" for key, day in sorted(days.items()))
    return f"CAST(CASE {of} {cases} END AS DATE) AS `{DAY}`"


def _folder(directory: str) -> str:
    return f"CONCAT(`dir0`, '/', `dir1`, '/', `dir2`) = '{directory}'"


def _sql_type(kind: str) -> str:
    known = TYPES[kind]
    if known["type"] == "DECIMAL":
        return f"DECIMAL({known['precision']}, {known['scale']})"
    return "VARCHAR" if known["type"] == "VARCHAR" else str(known["type"])
