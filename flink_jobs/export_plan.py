"""What an export reads and writes: the rendered export.json, and the SQL of the Flink job that fills Parquet files.

A table is cut into parts, ranges of its key of a fixed width. So a part always holds the same keys, and one in which
nothing has changed since the last export need not be read again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEYS_OF_A_PART = 500_000
"""The width of a part. Five to fifty megabytes of Parquet: one row group, which one of Drill's fragments reads."""

ROW_GROUP_BYTES = 64 << 20
"""The most that a writer keeps in memory before it begins another row group; few parts reach it."""

DICTIONARY_BYTES = 64 << 10
"""The largest dictionary of a column in a part. Names of places and answers fit; the lookups of a longer one, such as
of patients' uuids, take longer than they spare, and zstd finds what repeats in any case."""

SINK = "sink"
PARQUET = "parquet"
"""The Flink databases of the tables in PostgreSQL and of the files."""

CONNECTION = (
    "ANALYTICS_DB_HOST",
    "ANALYTICS_DB_PORT",
    "ANALYTICS_DB_NAME",
    "ANALYTICS_DB_USER",
    "ANALYTICS_DB_PASSWORD",
)
"""The variables that place the database of the flattened tables."""


@dataclass(frozen=True)
class Column:
    """A column: its name, its type in PostgreSQL and its type in Flink."""

    name: str
    type: str
    flink_type: str


@dataclass(frozen=True)
class Table:
    """A flattened table. Its key is a whole number."""

    name: str
    primary_key: str
    columns: tuple[Column, ...]

    @property
    def definition(self) -> str:
        """A hash of what the table is: files of another definition are of no use."""
        text = json.dumps([self.primary_key, KEYS_OF_A_PART, [[c.name, c.type] for c in self.columns]])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Export:
    """The rendered export.json.

    Attributes:
        site: the site's id, under which `migrate` keeps its records in the sink.
        location_tag: names the site in the paths of the files.
        schema: the schema of the tables in the sink.
        keep: how many exports stay in the folder.
        tables: what is exported.
    """

    site: str
    location_tag: str
    schema: str
    keep: int
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class PartOfTable:
    """A range of keys of a table: `number` times the width, up to the next."""

    table: Table
    number: int

    @property
    def first_key(self) -> int:
        """The first key of the range."""
        return self.number * KEYS_OF_A_PART


def read_export(path: Path) -> Export:
    """Read the rendered file. Raises OSError, ValueError, KeyError or TypeError where it cannot be used."""
    document = json.loads(path.read_text(encoding="utf-8"))
    if document["version"] != 1:
        raise ValueError(f"it is of version {document['version']}; this program reads version 1")
    tables = tuple(
        Table(
            table["name"],
            table["primary_key"],
            tuple(Column(each["name"], each["type"], each["flink_type"]) for each in table["columns"]),
        )
        for table in document["tables"]
    )
    return Export(document["site"], document["location_tag"], document["schema"], document["keep"], tables)


def job_files(
    export: Export, parts: Sequence[PartOfTable], out: Path, settings: Mapping[str, str]
) -> dict[str, bytes]:
    """Write the files of the job that reads `parts`, as flatten.py takes them: path -> content.

    Each part is written into a folder of its own, `out`/TABLE/NUMBER.
    """
    names = list(dict.fromkeys(part.table.name for part in parts))
    tables = {table.name: table for table in export.tables}
    sources = [f"CREATE DATABASE {_identifier(PARQUET)};"]
    files: dict[str, str] = {}
    for name in names:
        sources += _declarations(export, tables[name], out)
        files[f"{name}.sql"] = "\n".join(
            _insert(part, out) for part in parts if part.table.name == name
        )
    files["sources.sql"] = "\n".join(sources)
    job: dict[str, Any] = {
        "version": 1,
        "name": f"export of {export.location_tag}",
        "settings": dict(settings),
        "variables": [{"name": name} for name in CONNECTION],
        "sources": ["sources.sql"],
        "tables": [{"name": name, "sql": f"{name}.sql"} for name in names],
    }
    files["job.json"] = json.dumps(job, indent=2)
    return {path: f"{text}\n".encode() for path, text in files.items()}


def _declarations(export: Export, table: Table, out: Path) -> list[str]:
    columns = ", ".join(f"{_identifier(column.name)} {column.flink_type}" for column in table.columns)
    host, port, database, user, password = (f"${{{name}}}" for name in CONNECTION)
    source = {
        "connector": "jdbc",
        "url": f"jdbc:postgresql://{host}:{port}/{database}?prepareThreshold=-1",
        "table-name": f"{export.schema}.{table.name}",
        "username": user,
        "password": password,
        # Without a transaction the driver fetches the whole result into memory first.
        "scan.auto-commit": "false",
        "scan.fetch-size": "5000",
    }
    files = {
        "connector": "filesystem",
        "path": (out / table.name).as_uri(),
        "format": "parquet",
        "parquet.compression": "ZSTD",
        "parquet.block.size": str(ROW_GROUP_BYTES),
        "parquet.dictionary.page.size": str(DICTIONARY_BYTES),
        # Wall clocks, as they stand; the default is INT96, which is in some zone and has no statistics.
        "parquet.write.int64.timestamp": "true",
        "parquet.timestamp.time.unit": "millis",
        "parquet.utc-timezone": "true",
    }
    return [
        _create(f"{_identifier(SINK)}.{_identifier(table.name)}", columns, source),
        _create(f"{_identifier(PARQUET)}.{_identifier(table.name)}", columns, files),
    ]


def _create(name: str, columns: str, options: Mapping[str, str]) -> str:
    settings = ",\n  ".join(f"{_literal(key)} = {_literal(value)}" for key, value in options.items())
    return f"CREATE TABLE {name} ({columns}) WITH (\n  {settings}\n);"


def _insert(part: PartOfTable, out: Path) -> str:
    table, key = part.table, _identifier(part.table.primary_key)
    path = (out / table.name / str(part.number)).as_uri()
    return (
        f"INSERT INTO {_identifier(PARQUET)}.{_identifier(table.name)} /*+ OPTIONS('path' = {_literal(path)}) */\n"
        f"SELECT * FROM {_identifier(SINK)}.{_identifier(table.name)}\n"
        f"WHERE {key} >= {part.first_key} AND {key} < {part.first_key + KEYS_OF_A_PART};"
    )


def _identifier(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
