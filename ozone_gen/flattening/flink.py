"""Flink SQL of flattened tables: source and sink tables, and one statement for each flattened table.

The statements are the same wherever they run; only the connectors of the tables differ between a site (Kafka to
PostgreSQL) and a preview (files to files).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ozone_gen.flattening.expressions import identifier, literal, row_key
from ozone_gen.flattening.table import FLINK_TYPES, FlattenedTable
from ozone_gen.openmrs.tables import Kind, Table

SINK_DATABASE: Final = "sink"
"""The Flink database of the flattened tables; those of a source are in a database of the source's name."""

EVENT_TYPES: Final = MappingProxyType(
    {
        Kind.INTEGER: "INT",
        Kind.DOUBLE: "DOUBLE",
        Kind.TEXT: "STRING",
        Kind.BOOLEAN: "STRING",  # 0/1 or true/false; see expressions.py
        Kind.DATETIME: "BIGINT",  # epoch milliseconds of the wall clock
        Kind.DATE: "INT",  # epoch days
        Kind.TIME: "INT",  # milliseconds since midnight
    }
)

Options = Mapping[str, str]


@dataclass(frozen=True)
class Connectors:
    """Where the tables of a job live.

    Attributes:
        source: the connector options of a source table.
        sink: the connector options of a flattened table.
    """

    source: Callable[[Table], Options]
    sink: Callable[[FlattenedTable], Options]


def source_sql(source: str, tables: Iterable[Table], connectors: Connectors) -> str:
    """Write the statements that make the source tables of a job, in the Flink database `source`."""
    statements = [f"CREATE DATABASE {identifier(source)};"]
    for table in sorted(tables, key=lambda table: table.name):
        target = f"{identifier(source)}.{identifier(table.name)}"
        columns = [f"{identifier(column.name)} {EVENT_TYPES[column.kind]}" for column in table.columns]
        statements.append(_create(target, columns, table.primary_key, connectors.source(table)))
    return "\n\n".join(statements) + "\n"


def table_sql(table: FlattenedTable, connectors: Connectors) -> str:
    """Write the two statements of a flattened table: its sink and the INSERT that fills it."""
    target = f"{identifier(SINK_DATABASE)}.{identifier(table.name)}"
    columns = [f"{identifier(column.name)} {FLINK_TYPES[column.type]}" for column in table.columns]
    return f"{_create(target, columns, (table.primary_key,), connectors.sink(table))}\n\n{insert_sql(table)}\n"


def insert_sql(table: FlattenedTable) -> str:
    """Write the INSERT that fills a flattened table."""
    common = ",\n".join(f"{name} AS (\n{_indented(query)}\n)" for name, query in table.common)
    # A table that only passes rows on keeps its key, too: it needs no state then.
    hidden = table.primary_key if "LEFT JOIN" in common + table.body and not table.ranked else None
    selected = ",\n".join(
        f"  {row_key(column.expression) if column.name == hidden else column.expression} AS {identifier(column.name)}"
        for column in table.columns
    )
    prefix = f"WITH {common}\n" if common else ""
    return (
        f"INSERT INTO {identifier(SINK_DATABASE)}.{identifier(table.name)}\n"
        f"{prefix}SELECT\n{selected}\n{table.body};"
    )


def source_tables(tables: Sequence[FlattenedTable]) -> tuple[Table, ...]:
    """List the source tables that these flattened tables read, sorted by name."""
    return tuple(sorted({read for table in tables for read in table.reads}, key=lambda table: table.name))


def _create(target: str, columns: Sequence[str], key: Sequence[str], options: Options) -> str:
    lines = [*columns, f"PRIMARY KEY ({', '.join(map(identifier, key))}) NOT ENFORCED"]
    body = ",\n".join(f"  {line}" for line in lines)
    settings = ",\n".join(f"  {literal(name)} = {literal(value)}" for name, value in options.items())
    return f"CREATE TABLE {target} (\n{body}\n) WITH (\n{settings}\n);"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else line for line in text.splitlines())
