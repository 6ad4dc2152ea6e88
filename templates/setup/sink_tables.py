"""The sink's tables: how they differ from those that were rendered, and the statements that mend it.

Every change of a column's type, of a key or of the set of tables is made in place on empty tables: such a
change always comes with a new generation, which fills them anew. So grants stay, and views that do not read
what changes.
A table that an earlier run did not make is never touched.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from .waiting import Problem, RefusedError

Connection = psycopg.Connection[tuple[Any, ...]]

RECORDS = "ozone_gen"
"""The schema that holds what migrate has to remember about the sink."""

TYPE = re.compile(r"[a-z][a-z0-9 ]*(\(\d+(, ?\d+)?\))?( (with|without) time zone)?(\[\])?")
"""What a rendered type may look like, as it goes into a statement without quotes."""


@dataclass(frozen=True)
class Column:
    """A column as it is to be; `type` in PostgreSQL's words."""

    name: str
    type: str
    nullable: bool
    comment: str


@dataclass(frozen=True)
class Table:
    """A table as it is to be."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...]


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
            Column(column["name"], column["type"], bool(column["nullable"]), column.get("comment") or "")
            for column in table["columns"]
        )
        for column in columns:
            if not TYPE.fullmatch(column.type):
                raise ValueError(f"the column {table['name']}.{column.name} has the type {column.type!r}")
        primary_key = tuple(table["primary_key"])
        indexes = tuple(tuple(index) for index in table.get("indexes", ()))
        tables.append(Table(table["name"], table.get("comment") or "", columns, primary_key, indexes))
    return Plan(rendered["site"], rendered["fingerprint"], rendered["schema"], tuple(tables))


def differences(connection: Connection, plan: Plan) -> list[Change]:
    """What has to be done to the sink, in order.

    Raises RefusedError where a table of the plan exists and was not made by an earlier run for this site.
    """
    owned = {
        (schema, table)
        for schema, table in connection.execute(
            "SELECT schema_name, table_name FROM ozone_gen.owned_table WHERE site = %s", (plan.site,)
        )
    }
    existing = _relations(connection, plan.schema)
    _refuse_foreign(connection, plan, existing.keys(), owned)
    types = _canonical_types(connection, plan)
    changes = []
    if not _schema_exists(connection, plan.schema):
        changes.append(
            Change(
                sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(plan.schema)), f"new schema {plan.schema}"
            )
        )
    declared = {(plan.schema, table.name) for table in plan.tables}
    for schema, name in sorted(owned - declared):
        changes += _drop_table(plan, schema, name)
    for table in plan.tables:
        relation = existing.get(table.name)
        if relation is None:
            changes += _create_table(plan, table)
        else:
            changes += _alter_table(connection, plan.schema, relation, table, types)
        if (plan.schema, table.name) not in owned:
            changes.append(_record(plan, table.name))
    return changes


def truncation(connection: Connection, plan: Plan) -> list[Change]:
    """Empties the tables of the plan that exist, all at once: there may be foreign keys between them."""
    existing = _relations(connection, plan.schema)
    names = [_qualified(plan.schema, table.name) for table in plan.tables if table.name in existing]
    if not names:
        return []
    return [Change(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(names)), f"emptied {len(names)} tables")]


def _schema_exists(connection: Connection, schema: str) -> bool:
    return bool(connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone())


def _relations(connection: Connection, schema: str) -> dict[str, int]:
    """Tables, views and whatever else takes a table's name in a schema, with their object ids."""
    rows = connection.execute(
        "SELECT relname, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = %s",
        (schema,),
    )
    return dict(rows.fetchall())


def _refuse_foreign(
    connection: Connection, plan: Plan, existing: Iterable[str], owned: set[tuple[str, str]]
) -> None:
    taken = set(existing)
    problems = []
    for table in plan.tables:
        if table.name not in taken or (plan.schema, table.name) in owned:
            continue
        name = _qualified(plan.schema, table.name).as_string(connection)
        other = connection.execute(
            "SELECT site FROM ozone_gen.owned_table WHERE schema_name = %s AND table_name = %s",
            (plan.schema, table.name),
        ).fetchone()
        if other:
            problems.append(
                Problem(
                    f"The table {name} belongs to the site {other[0]!r}, this site is {plan.site!r}.",
                    "Give this site's sink another schema or database in ozone.yaml and render again.",
                )
            )
        else:
            problems.append(
                Problem(
                    f"There is already a table or view {name} that this site has not made; it is left as is.",
                    f"Rename it (ALTER TABLE {name} RENAME TO ...;), drop it if it is a leftover (DROP TABLE "
                    f"{name};), or give the site's sink another schema in ozone.yaml and render again.",
                )
            )
    if problems:
        raise RefusedError(*problems)


def _canonical_types(connection: Connection, plan: Plan) -> dict[str, str]:
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


def _qualified(schema: str, name: str) -> sql.Composable:
    return sql.Identifier(schema, name)


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)


def _record(plan: Plan, name: str) -> Change:
    statement = sql.SQL(
        "INSERT INTO ozone_gen.owned_table (schema_name, table_name, site) VALUES ({}, {}, {})"
        " ON CONFLICT (schema_name, table_name) DO UPDATE SET site = EXCLUDED.site"
    )
    return Change(
        statement.format(sql.Literal(plan.schema), sql.Literal(name), sql.Literal(plan.site)),
        "",
        refill=False,
    )


def _drop_table(plan: Plan, schema: str, name: str) -> list[Change]:
    forget = sql.SQL(
        "DELETE FROM ozone_gen.owned_table WHERE schema_name = {} AND table_name = {} AND site = {}"
    )
    return [
        Change(
            sql.SQL("DROP TABLE IF EXISTS {}").format(_qualified(schema, name)),
            f"{schema}.{name} dropped",
            refill=False,
        ),
        Change(
            forget.format(sql.Literal(schema), sql.Literal(name), sql.Literal(plan.site)), "", refill=False
        ),
    ]


def _create_table(plan: Plan, table: Table) -> list[Change]:
    target = _qualified(plan.schema, table.name)
    parts: list[sql.Composable] = [
        sql.SQL("{} {}{}").format(
            sql.Identifier(column.name), sql.SQL(column.type), sql.SQL("" if column.nullable else " NOT NULL")
        )
        for column in table.columns
    ]
    if table.primary_key:
        parts.append(sql.SQL("PRIMARY KEY ({})").format(_names(table.primary_key)))
    create = sql.SQL("CREATE TABLE {} ({})").format(target, sql.SQL(", ").join(parts))
    changes = [Change(create, f"{table.name} created")]
    changes += [_create_index(plan.schema, table, columns) for columns in table.indexes]
    if table.comment:
        changes.append(_comment(sql.SQL("TABLE {}").format(target), table.comment, table.name))
    changes += [_comment_column(target, table, column) for column in table.columns if column.comment]
    return changes


def _alter_table(
    connection: Connection, schema: str, oid: int, table: Table, types: dict[str, str]
) -> list[Change]:
    target = _qualified(schema, table.name)

    def alter(action: str, words: str, **parts: sql.Composable) -> Change:
        statement = sql.SQL("ALTER TABLE {table} " + action).format(table=target, **parts)
        return Change(statement, f"{table.name}: {words}")

    present = {
        name: (kind, not_null, comment or "")
        for name, kind, not_null, comment in connection.execute(
            "SELECT attname, format_type(atttypid, atttypmod), attnotnull, col_description(attrelid, attnum)"
            " FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            (oid,),
        )
    }
    key_name, key = _primary_key(connection, oid)
    new_key = key != table.primary_key
    changes = []
    if key_name and new_key:
        changes.append(alter("DROP CONSTRAINT {key}", "primary key dropped", key=sql.Identifier(key_name)))
    declared = {column.name for column in table.columns}
    for name in present:
        if name not in declared:
            words = f"column {name} dropped"
            changes.append(alter("DROP COLUMN {column}", words, column=sql.Identifier(name)))
    for column in table.columns:
        parts = {"column": sql.Identifier(column.name), "type": sql.SQL(column.type)}
        required = not column.nullable or column.name in table.primary_key
        if column.name not in present:
            action = "ADD COLUMN {column} {type}" + (" NOT NULL" if required else "")
            changes.append(alter(action, f"column {column.name} added", **parts))
            kind, not_null, comment = types[column.type], required, ""
        else:
            kind, not_null, comment = present[column.name]
        if kind != types[column.type]:
            # The table is empty: there is nothing to convert.
            words = f"column {column.name} is {types[column.type]} now, was {kind}"
            changes.append(alter("ALTER COLUMN {column} TYPE {type} USING NULL::{type}", words, **parts))
        if required and not not_null:
            words = f"column {column.name} is never empty now"
            changes.append(alter("ALTER COLUMN {column} SET NOT NULL", words, column=parts["column"]))
        elif not_null and not required:
            words = f"column {column.name} may be empty now"
            changes.append(alter("ALTER COLUMN {column} DROP NOT NULL", words, column=parts["column"]))
        if comment != column.comment:
            changes.append(_comment_column(target, table, column))
    if table.primary_key and new_key:
        words = f"primary key is {', '.join(table.primary_key)} now"
        changes.append(alter("ADD PRIMARY KEY ({columns})", words, columns=_names(table.primary_key)))
    row = connection.execute("SELECT obj_description(%s::oid, 'pg_class')", (oid,)).fetchone()
    if ((row and row[0]) or "") != table.comment:
        changes.append(_comment(sql.SQL("TABLE {}").format(target), table.comment, table.name))
    return changes + _align_indexes(connection, schema, oid, table)


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
        sql.Identifier(index_name(table.name, columns)), _qualified(schema, table.name), _names(columns)
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
            sql.SQL("DROP INDEX IF EXISTS {}").format(_qualified(schema, name)),
            f"{table.name}: index dropped",
            refill=False,
        )
        for name in sorted(present - wanted.keys())
    ]
    return changes + [
        _create_index(schema, table, columns) for name, columns in wanted.items() if name not in present
    ]
