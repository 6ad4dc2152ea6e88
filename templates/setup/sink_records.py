"""What is remembered in the sink: which tables are this site's, and which generation fills them.

A generation that is filled beside has its tables in a staging schema of its own. Flink's job looks for a table there
first and then in the site's schema (its connections' search_path), so that moving the tables needs no new job.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from .sink_tables import Change, Connection, Plan, create_table, qualified
from .waiting import Problem, RefusedError

RECORDS = "ozone_gen"
"""The schema of these records."""

STAGING = "ozone_next_"
"""Begins the name of a staging schema; the generation's token ends it, as in the job's address of the sink."""


@dataclass(frozen=True)
class Generation:
    """One filling of the tables.

    Attributes:
        fingerprint: of the plan that it was begun with.
        topics: the incarnation of the topics that it is filled from.
        token: its name, which stands on Flink's volume, too.
        database: the identity of the database that it was begun in.
        staging: the schema that it is filled in; empty once its tables are in place.
    """

    fingerprint: str
    topics: str
    token: str
    database: str
    staging: str = ""


@dataclass(frozen=True)
class Relation:
    """A table of this site's, as it is."""

    schema: str
    name: str
    oid: int


def staging_schema(token: str) -> str:
    """The schema that a generation is filled in."""
    return f"{STAGING}{token}"


def create_records(connection: Connection) -> None:
    """The tables of our own. IF NOT EXISTS would ask for privileges also where they exist."""
    if connection.execute("SELECT to_regclass('ozone_gen.state')").fetchone() == (None,):
        with connection.transaction():
            if not schema_exists(connection, RECORDS):
                connection.execute("CREATE SCHEMA ozone_gen")
                connection.execute(
                    "COMMENT ON SCHEMA ozone_gen IS 'What ozone-gen has made in this database. Not to be edited.'"
                )
            connection.execute(
                "CREATE TABLE ozone_gen.state (site text PRIMARY KEY, fingerprint text NOT NULL,"
                " topics text NOT NULL, generation text NOT NULL, updated_at timestamptz NOT NULL)"
            )
            connection.execute(
                "CREATE TABLE ozone_gen.owned_table (schema_name text, table_name text, site text NOT NULL,"
                " PRIMARY KEY (schema_name, table_name))"
            )
    columns = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'ozone_gen.state'::regclass"
    ).fetchall()
    for column in ("database", "staging"):  # those that an earlier version did not have
        if (column,) not in columns:
            statement = sql.SQL("ALTER TABLE ozone_gen.state ADD COLUMN {} text NOT NULL DEFAULT ''")
            connection.execute(statement.format(sql.Identifier(column)))


def read_generation(connection: Connection, site: str) -> Generation | None:
    """The generation that the sink knows of; None before the first run."""
    if connection.execute("SELECT to_regclass('ozone_gen.state')").fetchone() == (None,):
        return None
    row = connection.execute(
        "SELECT fingerprint, topics, generation, database, staging FROM ozone_gen.state WHERE site = %s", (site,)
    ).fetchone()
    return Generation(*row) if row else None


def record_generation(plan: Plan, generation: Generation) -> Change:
    """Make a generation the one that the sink knows of."""
    statement = sql.SQL(
        "INSERT INTO ozone_gen.state (site, fingerprint, topics, generation, database, staging, updated_at)"
        " VALUES ({}, {}, {}, {}, {}, {}, now()) ON CONFLICT (site) DO UPDATE SET"
        " fingerprint = EXCLUDED.fingerprint, topics = EXCLUDED.topics, generation = EXCLUDED.generation,"
        " database = EXCLUDED.database, staging = EXCLUDED.staging, updated_at = EXCLUDED.updated_at"
    )
    values = (
        *(plan.site, generation.fingerprint, generation.topics, generation.token),
        *(generation.database, generation.staging),
    )
    return Change(statement.format(*map(sql.Literal, values)), "", refill=False)


def identity(connection: Connection) -> str:
    """What a database that was restored from a backup, or failed over, does not share with the one before.

    A restored dump has other object ids, a restored copy another timeline, another server another identifier.
    """
    ours = connection.execute(
        "SELECT (SELECT oid FROM pg_database WHERE datname = current_database()), 'ozone_gen.state'::regclass::oid,"
        " left(pg_walfile_name(pg_current_wal_lsn()), 8)"
    ).fetchone()
    assert ours is not None, "a query without FROM has a row"
    try:
        server = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    except psycopg.errors.InsufficientPrivilege:  # as some who run servers for others have it
        server = None
    return "/".join(map(str, (*(server or ()), *ours)))


def schema_exists(connection: Connection, schema: str) -> bool:
    """Whether there is such a schema."""
    return bool(connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone())


def owned_tables(connection: Connection, site: str) -> dict[tuple[str, str], int | None]:
    """The tables that were made for a site, by schema and name, with their object ids; None for what is gone."""
    rows = connection.execute(
        "SELECT schema_name, table_name, (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = schema_name AND relname = table_name AND relkind IN ('r', 'p'))"
        " FROM ozone_gen.owned_table WHERE site = %s ORDER BY 1, 2",
        (site,),
    )
    return {(schema, name): oid for schema, name, oid in rows}


def present_tables(connection: Connection, site: str) -> list[Relation]:
    """The site's tables that people read: those that are there and in no staging schema."""
    return [
        Relation(schema, name, oid)
        for (schema, name), oid in owned_tables(connection, site).items()
        if oid is not None and not schema.startswith(STAGING)
    ]


def has_rows(connection: Connection, tables: Iterable[Relation]) -> bool:
    """Whether there is anything to lose in these tables."""
    exists = sql.SQL("SELECT EXISTS (SELECT 1 FROM {})")
    return any(
        connection.execute(exists.format(qualified(table.schema, table.name))).fetchone() == (True,)
        for table in tables
    )


def refuse_foreign(connection: Connection, plan: Plan) -> None:
    """Raise RefusedError where a name of the plan is taken by what was not made for this site."""
    owned = owned_tables(connection, plan.site)
    taken = {
        name
        for (name,) in connection.execute(
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = %s",
            (plan.schema,),
        )
    }
    problems = []
    for table in plan.tables:
        if table.name not in taken or owned.get((plan.schema, table.name)) is not None:
            continue
        name = qualified(plan.schema, table.name).as_string(connection)
        other = connection.execute(
            "SELECT site FROM ozone_gen.owned_table WHERE schema_name = %s AND table_name = %s AND site <> %s",
            (plan.schema, table.name, plan.site),
        ).fetchone()
        problems.append(_of_another_site(plan, name, other[0]) if other else _of_a_person(name))
    if problems:
        raise RefusedError(*problems)


def _of_another_site(plan: Plan, name: str, other: str) -> Problem:
    return Problem(
        f"The table {name} belongs to the site {other!r}, this site is {plan.site!r}.",
        "Give this site's sink another schema or database in ozone.yaml and render again.",
    )


def _of_a_person(name: str) -> Problem:
    return Problem(
        f"There is already a table or view {name} that this site has not made; it is left as is.",
        f"Rename it (ALTER TABLE {name} RENAME TO ...;), drop it if it is a leftover (DROP TABLE "
        f"{name};), or give the site's sink another schema in ozone.yaml and render again.",
    )


def record_table(plan: Plan, schema: str, name: str) -> Change:
    """Remember that a table is this site's."""
    statement = sql.SQL(
        "INSERT INTO ozone_gen.owned_table (schema_name, table_name, site) VALUES ({}, {}, {})"
        " ON CONFLICT (schema_name, table_name) DO UPDATE SET site = EXCLUDED.site"
    )
    values = map(sql.Literal, (schema, name, plan.site))
    return Change(statement.format(*values), "", refill=False)


def forget_table(plan: Plan, schema: str, name: str) -> Change:
    """Remember no longer that a table is this site's."""
    statement = sql.SQL(
        "DELETE FROM ozone_gen.owned_table WHERE schema_name = {} AND table_name = {} AND site = {}"
    )
    return Change(statement.format(*map(sql.Literal, (schema, name, plan.site))), "", refill=False)


def create_staging(plan: Plan, schema: str) -> list[Change]:
    """Make the tables of a plan in a schema of their own."""
    changes = [Change(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)), "")]
    for table in plan.tables:
        changes += [Change(change.statement, "") for change in create_table(schema, table)]
        changes.append(record_table(plan, schema, table.name))
    return changes


def drop_staging(connection: Connection, plan: Plan) -> list[Change]:
    """Remove what generations that never came into place have left."""
    left: dict[str, list[str]] = {}
    for schema, name in owned_tables(connection, plan.site):
        if schema.startswith(STAGING):
            left.setdefault(schema, []).append(name)
    changes = []
    for schema, names in left.items():
        tables = sql.SQL(", ").join(qualified(schema, name) for name in names)
        if schema_exists(connection, schema):
            changes += [
                Change(sql.SQL("DROP TABLE IF EXISTS {}").format(tables), f"an unfinished filling {schema} dropped"),
                Change(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(schema)), ""),
            ]
        changes += [forget_table(plan, schema, name) for name in names]
    return changes
