"""Whether the user of the analytics database may do there what the site needs, and if not, the GRANT that mends it."""

from collections.abc import Sequence

from psycopg import sql

from .sink_tables import Connection
from .waiting import Problem


def missing_privileges(connection: Connection, schemas: Sequence[str]) -> list[Problem]:
    """What keeps the user from making tables in these schemas: PostgreSQL 15 gives none on `public` by itself."""
    held: dict[str, bool] = dict(
        connection.execute(
            "SELECT nspname, has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE')"
            " FROM pg_namespace WHERE nspname = ANY(%s)",
            (list(schemas),),
        ).fetchall()
    )
    user = connection.info.user
    problems = [
        Problem(
            f"The user {user!r} may not create tables in the schema {schema!r} of the analytics database.",
            _grant(connection, "USAGE, CREATE", "SCHEMA", schema),
        )
        for schema, usable in sorted(held.items())
        if not usable
    ]
    missing = [schema for schema in sorted(set(schemas)) if schema not in held]
    if missing and not _may_create_schemas(connection):
        names = " and ".join(map(repr, missing))
        message = f"The user {user!r} may not create the schema {names} in the analytics database."
        problems.append(Problem(message, _grant(connection, "CREATE", "DATABASE", connection.info.dbname)))
    return problems


def missing_staging_privilege(connection: Connection) -> list[Problem]:
    """What keeps the user from filling tables anew beside the old ones."""
    if _may_create_schemas(connection):
        return []
    return [
        Problem(
            f"The user {connection.info.user!r} may not create a schema in the analytics database, where the "
            "tables would be filled anew beside the old ones.",
            _grant(connection, "CREATE", "DATABASE", connection.info.dbname),
        )
    ]


def _may_create_schemas(connection: Connection) -> bool:
    row = connection.execute("SELECT has_database_privilege(current_database(), 'CREATE')").fetchone()
    return bool(row and row[0])


def _grant(connection: Connection, privileges: str, what: str, name: str) -> str:
    statement = sql.SQL("GRANT {} ON {} {} TO {};").format(
        sql.SQL(privileges), sql.SQL(what), sql.Identifier(name), sql.Identifier(connection.info.user)
    )
    database = connection.info.dbname
    return f"Run in the database {database!r} as an administrator: {statement.as_string(connection)}"
