"""Which parts of the sink's tables hold rows, and whether they are as they were: one aggregate over each table.

PostgreSQL writes the number of the transaction that made a row beside it (`xmin`). A sum over hashes of key and
`xmin` changes with every row that is inserted, updated or deleted, so any table has a watermark, also for deletes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from flink_jobs.export_plan import KEYS_OF_A_PART, Export, Table


@dataclass(frozen=True)
class Found:
    """What a part holds: its rows, and a text that is another one once any of them has changed."""

    rows: int
    fingerprint: str


class SinkTables:
    """The flattened tables in PostgreSQL."""

    def __init__(self, connection: psycopg.Connection[Any], export: Export) -> None:
        """`connection` is in autocommit, so that each question sees what is committed by then."""
        self._connection = connection
        self._export = export

    def generation(self) -> str:
        """The token of the filling that the tables come from, which `migrate` keeps; empty where it keeps none."""
        if self._value(sql.SQL("SELECT to_regclass('ozone_gen.state')")) is None:
            return ""
        query = sql.SQL("SELECT generation FROM ozone_gen.state WHERE site = {}").format(self._export.site)
        return self._value(query) or ""

    def snapshot(self) -> str:
        """Which transactions are seen now. While it is the same, every question has the same answer.

        It changes with whatever is written in the server, also into other databases: a cheap "surely as it was".
        """
        return str(self._value(sql.SQL("SELECT txid_current_snapshot()")))

    def missing(self) -> list[str]:
        """The tables that are not there, and the columns that they lack."""
        rows = self._connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s",
            (self._export.schema,),
        ).fetchall()
        found: dict[str, set[str]] = {}
        for table, column in rows:
            found.setdefault(table, set()).add(column)
        lacks = []
        for table in self._export.tables:
            if table.name not in found:
                lacks.append(table.name)
            else:
                lacks += (f"{table.name}.{c.name}" for c in table.columns if c.name not in found[table.name])
        return lacks

    def parts(self, table: Table) -> Mapping[int, Found]:
        """The parts of a table that have rows, by their number."""
        query = sql.SQL(
            "SELECT floor({key}::float8 / {width})::bigint, count(*),"
            " sum(hashint8extended({key}::bigint, xmin::text::bigint))"
            " FROM {table} GROUP BY 1 ORDER BY 1"
        ).format(
            key=sql.Identifier(table.primary_key),
            width=sql.Literal(KEYS_OF_A_PART),
            table=sql.Identifier(self._export.schema, table.name),
        )
        return {
            number: Found(rows, f"{rows}:{total}") for number, rows, total in self._connection.execute(query)
        }

    def _value(self, query: sql.SQL | sql.Composed) -> Any:
        row = self._connection.execute(query).fetchone()
        return row[0] if row else None
