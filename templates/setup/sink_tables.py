"""One table of the sink: how it differs from what was rendered, and the statements that mend it.

A column's type or a key is changed on an empty table only: such a change always comes with a new generation,
which fills it anew. So grants stay, and views that do not read what changes.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

Connection = psycopg.Connection[tuple[Any, ...]]

TYPE = re.compile(r"[a-z][a-z0-9 ]*(\(\d+(, ?\d+)?\))?( (with|without) time zone)?(\[\])?")
"""What a rendered type may look like, as it goes into a statement without quotes."""


@dataclass(frozen=True)
class Column:
    """A column as it is to be; `type` in PostgreSQL's words, `renamed_from` its former name."""

    name: str
    type: str
    nullable: bool
    comment: str
    renamed_from: str = ""


@dataclass(frozen=True)
class Table:
    """A table as it is to be."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...]
    renamed_from: str = ""


@dataclass(frozen=True)
class Plan:
    """The rendered tables.json. `fingerprint` changes with anything that changes a row of a table."""

    site: str
    fingerprint: str
    schema: str
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Change:
    """One statement, what it does in words, and whether the tables must be filled anew after it."""

    statement: sql.Composed
    words: str
    refill: bool = True


def parse_plan(rendered: dict[str, Any]) -> Plan:
    """The plan in a rendered file. Raises KeyError, TypeError or ValueError where it is none."""
    tables = []
    for table in rendered["tables"]:
        columns = tuple(
            Column(
                column["name"],
                column["type"],
                bool(column["nullable"]),
                column.get("comment") or "",
                column.get("renamed_from") or "",
            )
            for column in table["columns"]
        )
        for column in columns:
            if not TYPE.fullmatch(column.type):
                raise ValueError(f"the column {table['name']}.{column.name} has the type {column.type!r}")
        primary_key = tuple(table["primary_key"])
        indexes = tuple(tuple(index) for index in table.get("indexes", ()))
        former = table.get("renamed_from") or ""
        tables.append(Table(table["name"], table.get("comment") or "", columns, primary_key, indexes, former))
    return Plan(rendered["site"], rendered["fingerprint"], rendered["schema"], tuple(tables))


def canonical_types(connection: Connection, plan: Plan) -> dict[str, str]:
    """How the server spells the types of the plan: `timestamp(3)` is `timestamp(3) without time zone`."""
    types = sorted({column.type for table in plan.tables for column in table.columns})
    if not types:
        return {}
    casts = sql.SQL(", ").join(sql.SQL("NULL::{}").format(sql.SQL(name)) for name in types)
    with connection.execute(sql.SQL("SELECT {}").format(casts)) as cursor:
        result = cursor.pgresult
        assert result is not None, "a query has a result"
        codes = [(result.ftype(number), result.fmod(number)) for number in range(len(types))]
    rows = [connection.execute("SELECT format_type(%s::oid, %s)", code).fetchone() for code in codes]
    return {name: row[0] for name, row in zip(types, rows, strict=True) if row}


def qualified(schema: str, name: str) -> sql.Composable:
    """A table's name with its schema, in quotes."""
    return sql.Identifier(schema, name)


def column_names(columns: Sequence[str]) -> sql.Composed:
    """Columns for a list in a statement."""
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)


def create_table(schema: str, table: Table) -> list[Change]:
    """Make a table in a schema."""
    target = qualified(schema, table.name)
    parts: list[sql.Composable] = [
        sql.SQL("{} {}{}").format(
            sql.Identifier(column.name), sql.SQL(column.type), sql.SQL("" if column.nullable else " NOT NULL")
        )
        for column in table.columns
    ]
    if table.primary_key:
        parts.append(sql.SQL("PRIMARY KEY ({})").format(column_names(table.primary_key)))
    create = sql.SQL("CREATE TABLE {} ({})").format(target, sql.SQL(", ").join(parts))
    changes = [Change(create, f"{table.name} created")]
    changes += [_create_index(schema, table, columns) for columns in table.indexes]
    if table.comment:
        changes.append(_comment(sql.SQL("TABLE {}").format(target), table.comment, table.name))
    changes += [_comment_column(target, table, column) for column in table.columns if column.comment]
    return changes


def alter_table(
    connection: Connection, schema: str, oid: int, table: Table, types: dict[str, str]
) -> list[Change]:
    """Bring the table with an object id to its form; the statements find it by its schema and its new name."""
    target = qualified(schema, table.name)
    present = _present_columns(connection, oid)
    renamed = {
        column.renamed_from: column.name
        for column in table.columns
        if column.renamed_from in present and column.name not in present
    }
    present = {renamed.get(name, name): look for name, look in present.items()}
    key_name, key = _primary_key(connection, oid)
    new_key = tuple(renamed.get(name, name) for name in key) != table.primary_key
    changes = []
    for old, new in renamed.items():
        parts = {"old": sql.Identifier(old), "new": sql.Identifier(new)}
        words = f"column {old} is called {new} now"
        changes.append(_alter(target, table, "RENAME COLUMN {old} TO {new}", words, **parts))
    if key_name and new_key:
        constraint = sql.Identifier(key_name)
        changes.append(_alter(target, table, "DROP CONSTRAINT {key}", "primary key dropped", key=constraint))
    declared = {column.name for column in table.columns}
    for name in present:
        if name not in declared:
            words = f"column {name} dropped"
            changes.append(_alter(target, table, "DROP COLUMN {column}", words, column=sql.Identifier(name)))
    for column in table.columns:
        changes += _align_column(target, table, column, present.get(column.name), types[column.type])
    if table.primary_key and new_key:
        words = f"primary key is {', '.join(table.primary_key)} now"
        columns = column_names(table.primary_key)
        changes.append(_alter(target, table, "ADD PRIMARY KEY ({columns})", words, columns=columns))
    row = connection.execute("SELECT obj_description(%s::oid, 'pg_class')", (oid,)).fetchone()
    if ((row and row[0]) or "") != table.comment:
        changes.append(_comment(sql.SQL("TABLE {}").format(target), table.comment, table.name))
    return changes + _align_indexes(connection, schema, oid, table)


def rename_table(connection: Connection, schema: str, name: str, oid: int, plan: Plan, table: Table) -> list[Change]:
    """Bring a table that is called `name` in `schema` to its place and name in the plan; nothing where it has them."""
    changes = []

    def alter(place: str, action: str, words: str, **parts: sql.Composable) -> None:
        changes.append(_alter(qualified(place, name), table, action, words, **parts))

    if schema != plan.schema:
        words = f"moved from {schema} to {plan.schema}"
        alter(schema, "SET SCHEMA {schema}", words, schema=sql.Identifier(plan.schema))
    if name != table.name:
        key, _ = _primary_key(connection, oid)
        if key == f"{name}_pkey"[:63]:
            # Else a new table of the old name could not have its key.
            parts = {"old": sql.Identifier(key), "new": sql.Identifier(f"{table.name}_pkey"[:63])}
            alter(plan.schema, "RENAME CONSTRAINT {old} TO {new}", "", **parts)
        words = f"was called {name} before"
        alter(plan.schema, "RENAME TO {new}", words, new=sql.Identifier(table.name))
    return changes


def _alter(target: sql.Composable, table: Table, action: str, words: str, **parts: sql.Composable) -> Change:
    statement = sql.SQL("ALTER TABLE {table} " + action).format(table=target, **parts)
    return Change(statement, f"{table.name}: {words}" if words else "")


@dataclass(frozen=True)
class _Look:
    """A column as it is."""

    type: str
    not_null: bool
    comment: str


def _present_columns(connection: Connection, oid: int) -> dict[str, _Look]:
    return {
        name: _Look(kind, not_null, comment or "")
        for name, kind, not_null, comment in connection.execute(
            "SELECT attname, format_type(atttypid, atttypmod), attnotnull, col_description(attrelid, attnum)"
            " FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            (oid,),
        )
    }


def _align_column(
    target: sql.Composable, table: Table, column: Column, look: _Look | None, kind: str
) -> list[Change]:
    """Bring one column to its form; `kind` is its type as the server spells it."""
    parts = {"column": sql.Identifier(column.name), "type": sql.SQL(column.type)}
    required = not column.nullable or column.name in table.primary_key
    changes = []

    def alter(action: str, words: str) -> None:
        changes.append(_alter(target, table, action, f"column {column.name} {words}", **parts))

    if look is None:
        alter("ADD COLUMN {column} {type}" + (" NOT NULL" if required else ""), "added")
        look = _Look(kind, required, "")
    if look.type != kind:
        # The table is empty: there is nothing to convert.
        alter("ALTER COLUMN {column} TYPE {type} USING NULL::{type}", f"is {kind} now, was {look.type}")
    if required and not look.not_null:
        alter("ALTER COLUMN {column} SET NOT NULL", "is never empty now")
    elif look.not_null and not required:
        alter("ALTER COLUMN {column} DROP NOT NULL", "may be empty now")
    if look.comment != column.comment:
        changes.append(_comment_column(target, table, column))
    return changes


def _primary_key(connection: Connection, oid: int) -> tuple[str | None, tuple[str, ...]]:
    row = connection.execute(
        "SELECT conname, array_agg(attname::text ORDER BY place) FROM pg_constraint,"
        " unnest(conkey) WITH ORDINALITY AS keys (number, place), pg_attribute"
        " WHERE conrelid = %s AND contype = 'p' AND attrelid = conrelid AND attnum = number GROUP BY conname",
        (oid,),
    ).fetchone()
    return (row[0], tuple(row[1])) if row else (None, ())


def _comment(what: sql.Composable, comment: str, table: str) -> Change:
    statement = sql.SQL("COMMENT ON {} IS {}").format(what, sql.Literal(comment or None))
    return Change(statement, f"{table}: comment", refill=False)


def _comment_column(target: sql.Composable, table: Table, column: Column) -> Change:
    what = sql.SQL("COLUMN {}.{}").format(target, sql.Identifier(column.name))
    return _comment(what, column.comment, f"{table.name}.{column.name}")


def index_name(table: str, columns: Sequence[str]) -> str:
    """The name of an index of ours; it tells its columns, and that it is not one that a person added."""
    digest = hashlib.sha256("\0".join(columns).encode()).hexdigest()[:10]
    return f"ozone_{digest}_{table}"[:63]


def _create_index(schema: str, table: Table, columns: Sequence[str]) -> Change:
    statement = sql.SQL("CREATE INDEX {} ON {} ({})").format(
        sql.Identifier(index_name(table.name, columns)), qualified(schema, table.name), column_names(columns)
    )
    return Change(statement, f"{table.name}: index on {', '.join(columns)}", refill=False)


def _align_indexes(connection: Connection, schema: str, oid: int, table: Table) -> list[Change]:
    present = {
        name
        for (name,) in connection.execute(
            "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = %s",
            (oid,),
        )
        if re.match(r"ozone_[0-9a-f]{10}_", name)
    }
    wanted = {index_name(table.name, columns): columns for columns in table.indexes}
    changes = [
        # It may have gone with a column already.
        Change(
            sql.SQL("DROP INDEX IF EXISTS {}").format(qualified(schema, name)),
            f"{table.name}: index dropped",
            refill=False,
        )
        for name in sorted(present - wanted.keys())
    ]
    return changes + [
        _create_index(schema, table, columns) for name, columns in wanted.items() if name not in present
    ]
