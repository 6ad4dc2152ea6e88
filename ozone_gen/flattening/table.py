"""A flattened table as decided: its columns for the sink and the query that fills it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ozone_gen.openmrs.tables import Table


class SqlType(StrEnum):
    """Types of the sink's columns, as PostgreSQL writes them."""

    BIGINT = "bigint"
    INTEGER = "integer"
    DOUBLE = "double precision"
    WHOLE_NUMBER = "numeric(24,0)"
    TEXT = "text"
    VARCHAR = "character varying"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp without time zone"
    DATE = "date"
    TIME = "time without time zone"


FLINK_TYPES = {
    SqlType.BIGINT: "BIGINT",
    SqlType.INTEGER: "INT",
    SqlType.DOUBLE: "DOUBLE",
    SqlType.WHOLE_NUMBER: "DECIMAL(24, 0)",
    SqlType.TEXT: "STRING",
    SqlType.VARCHAR: "STRING",
    SqlType.BOOLEAN: "BOOLEAN",
    SqlType.TIMESTAMP: "TIMESTAMP(3)",
    SqlType.DATE: "DATE",
    SqlType.TIME: "TIME(0)",
}
"""The Flink SQL type that the JDBC connector writes into each of them."""


@dataclass(frozen=True)
class SinkColumn:
    """A column of a flattened table.

    Attributes:
        name: its name in the sink.
        type: its type in the sink.
        expression: Flink SQL over the aliases of the table's query.
        description: what a reader of a dashboard should know; the column's comment in PostgreSQL.
        renamed_from: its former name; empty where it has none.
    """

    name: str
    type: SqlType
    expression: str
    description: str = ""
    renamed_from: str = ""


@dataclass(frozen=True)
class FlattenedTable:
    """A flattened table.

    Attributes:
        name: its name in the sink.
        description: the table's comment in PostgreSQL.
        columns: in order; the primary key is among them.
        primary_key: the name of its single key column.
        time_column: the column that says when a row happened, for charts and indexes; empty where none does.
        common: named subqueries (name, SQL) that the query stands on, in order.
        body: the query after its select list: FROM, joins and WHERE.
        reads: the source tables that the query reads, sorted by name.
        renamed_from: its former name; empty where it has none.
        ranked: whether the rows come out of a ROW_NUMBER, above which there is no outer join: there Flink may know
            that the key is the sink's, and say only what a row is now (`expressions.row_key`).
    """

    name: str
    description: str
    columns: tuple[SinkColumn, ...]
    primary_key: str
    time_column: str
    common: tuple[tuple[str, str], ...]
    body: str
    reads: tuple[Table, ...]
    renamed_from: str = ""
    ranked: bool = False
