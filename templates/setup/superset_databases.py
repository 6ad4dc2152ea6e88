"""Superset's own database, and the user under which it reads the flattened tables and can do nothing else.

On the bundled server both are made here. On a server of the clinic's own that is tried, and where it is not
allowed the statements are said that an administrator has to run.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, sql

from .waiting import NotReadyError, Problem, log, reach

Connection = psycopg.Connection[tuple[Any, ...]]

VARIABLES = "ANALYTICS_DB_HOST, ANALYTICS_DB_PORT, SUPERSET_DB_HOST, SUPERSET_DB_PORT"


@dataclass(frozen=True)
class Login:
    """A user of a database."""

    host: str
    port: int
    database: str
    user: str
    password: str

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return f"The PostgreSQL server at {self.host}:{self.port}"


@contextmanager
def session(login: Login) -> Iterator[Connection]:
    """A session, in which each statement counts at once. Raises psycopg.OperationalError where there is none."""
    with closing(
        psycopg.connect(
            host=login.host,
            port=login.port,
            dbname=login.database,
            user=login.user,
            password=login.password,
            connect_timeout=5,
            application_name="ozone-superset-init",
            autocommit=True,
        )
    ) as connection:
        yield connection


def prepare_metadata(own: Login, owner: Login) -> None:
    """Make Superset's own database and its user, unless they are there. Raises NotReadyError.

    Args:
        own: the user and the database that Superset keeps its dashboards in.
        owner: the owner of the flattened tables, who makes them where the server is the same.
    """
    reach("Superset's own database", [(own.host, own.port)], VARIABLES)
    if _lets_in(own):
        return
    wanted = (
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD '...'").format(sql.Identifier(own.user)),
        sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(own.database), sql.Identifier(own.user)),
    )
    if (own.host, own.port) != (owner.host, owner.port):
        raise NotReadyError(_for_administrator(own, "the database that Superset keeps its dashboards in", wanted))
    with _owner_session(owner) as connection:
        _make_role(connection, own, "Superset's own user", wanted)
        if not _known(connection, "SELECT 1 FROM pg_database WHERE datname = %s", own.database):
            _run(connection, wanted[1], own, "the database that Superset keeps its dashboards in", wanted)
            # By default every user of the server may connect to a new database.
            _run(
                connection,
                sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(own.database)),
                own,
                "privileges on Superset's own database",
                wanted,
            )
            log.info("Made the database %s for Superset's own records.", own.database)
    if not _lets_in(own):
        raise NotReadyError(_wrong_password(own, "SUPERSET_DB_PASSWORD"))


def prepare_reader(reader: Login, owner: Login, schema: str) -> None:
    """Let a user read the flattened tables, those that are there and those that will be. Raises NotReadyError."""
    name, place = sql.Identifier(reader.user), sql.Identifier(schema)
    wanted = (sql.SQL("CREATE ROLE {} LOGIN PASSWORD '...'").format(name),)
    what = "the user under which Superset reads the tables"
    with _owner_session(owner) as connection:
        _make_role(connection, reader, what, wanted)
        if not _known(connection, "SELECT 1 FROM pg_namespace WHERE nspname = %s", schema):
            _run(connection, sql.SQL("CREATE SCHEMA {}").format(place), owner, f"the schema {schema}", ())
        for statement in _grants(connection, reader, schema):
            _run(connection, statement, owner, f"what {reader.user} may read", (statement,))
    if not _lets_in(reader):
        raise NotReadyError(_wrong_password(reader, "SUPERSET_READER_PASSWORD"))


def migrated_to(own: Login) -> str:
    """Which migrations Superset's tables went through, as was remembered; empty where there are none yet."""
    with session(own) as connection:
        if connection.execute("SELECT to_regclass('ozone_gen_migration')").fetchone() == (None,):
            return ""
        row = connection.execute("SELECT migrations FROM ozone_gen_migration").fetchone()
        return str(row[0]) if row else ""


def remember_migration(own: Login, migrations: str) -> None:
    """Remember that Superset's tables went through these migrations."""
    with session(own) as connection, connection.transaction():
        connection.execute("CREATE TABLE IF NOT EXISTS ozone_gen_migration (migrations text NOT NULL)")
        connection.execute("DELETE FROM ozone_gen_migration")
        connection.execute("INSERT INTO ozone_gen_migration VALUES (%s)", (migrations,))


def _grants(connection: Connection, reader: Login, schema: str) -> Iterator[sql.Composed]:
    """What the reader lacks; nothing is granted twice, so that no other program is disturbed."""
    name, place = sql.Identifier(reader.user), sql.Identifier(schema)
    if not _true(connection, "SELECT has_database_privilege(%s, current_database(), 'CONNECT')", reader.user):
        yield sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(reader.database), name)
    if not _true(connection, "SELECT has_schema_privilege(%s, %s, 'USAGE')", reader.user, schema):
        yield sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(place, name)
    unread = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"
        " AND pg_has_role(relowner, 'USAGE') AND NOT has_table_privilege(%s, oid, 'SELECT') ORDER BY relname",
        (sql.Identifier(schema).as_string(connection), reader.user),
    ).fetchall()
    for (table,) in unread:
        yield sql.SQL("GRANT SELECT ON {} TO {}").format(sql.Identifier(schema, table), name)
    # In every schema: a table may be filled in another one and moved here, and takes its privileges with it. Where
    # the reader may not use the schema it sees nothing of it.
    has_default = _known(
        connection,
        "SELECT 1 FROM pg_default_acl, aclexplode(defaclacl) AS granted, pg_roles"
        " WHERE defaclrole = current_user::regrole AND defaclnamespace = 0 AND defaclobjtype = 'r'"
        " AND granted.grantee = pg_roles.oid AND pg_roles.rolname = %s AND granted.privilege_type = 'SELECT'",
        reader.user,
    )
    if not has_default:
        yield sql.SQL("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {}").format(name)


def _make_role(connection: Connection, login: Login, what: str, wanted: tuple[sql.Composed, ...]) -> None:
    """Make a user, or give one that is there the password of the environment where the owner may do so."""
    name, password = sql.Identifier(login.user), sql.Literal(login.password)
    if not _known(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", login.user):
        _run(connection, sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, password), login, what, wanted)
        log.info("Made the user %s: %s.", login.user, what)
    elif not _accepts(login) and _true(connection, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        _run(connection, sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, password), login, what, wanted)
        log.info("Gave the user %s the password of the environment.", login.user)


@contextmanager
def _owner_session(owner: Login) -> Iterator[Connection]:
    reach("The analytics database", [(owner.host, owner.port)], VARIABLES)
    try:
        with session(owner) as connection:
            yield connection
    except errors.InternalError as error:  # "tuple concurrently updated": another program grants at this moment
        raise NotReadyError(Problem(f"{owner.place} cannot do it now: {_said(error)}.")) from None
    except psycopg.OperationalError as error:
        raise NotReadyError(
            Problem(
                f"{owner.place} does not let the owner of the tables, {owner.user}, into {owner.database}:"
                f" {_said(error)}.",
                "Correct ANALYTICS_DB_USER, ANALYTICS_DB_PASSWORD or ANALYTICS_DB_NAME in .env.",
            )
        ) from None


def _run(
    connection: Connection, statement: sql.Composed, login: Login, what: str, wanted: tuple[sql.Composed, ...]
) -> None:
    try:
        connection.execute(statement)
    except errors.InsufficientPrivilege:
        statements = wanted or (statement,)
        raise NotReadyError(_for_administrator(login, what, statements)) from None
    except (errors.DuplicateObject, errors.DuplicateDatabase):
        return


def _for_administrator(login: Login, what: str, statements: tuple[sql.Composed, ...]) -> Problem:
    text = " ".join(f"{statement.as_string(None)};" for statement in statements)
    return Problem(f"{login.place} lacks {what}, and it may not be made from here.", f"Run as an administrator: {text}")


def _wrong_password(login: Login, variable: str) -> Problem:
    return Problem(
        f"{login.place} does not let the user {login.user} into the database {login.database}.",
        f"Give the user the password in {variable}, or correct that in .env.",
    )


def _accepts(login: Login) -> bool:
    """Whether the server takes the user's password, whatever it says of the database."""
    try:
        with session(login):
            return True
    except psycopg.OperationalError as error:
        return "password authentication failed" not in str(error)


def _lets_in(login: Login) -> bool:
    try:
        with session(login):
            return True
    except psycopg.OperationalError:
        return False


def _known(connection: Connection, query: str, value: str) -> bool:
    return connection.execute(query.encode(), (value,)).fetchone() is not None


def _true(connection: Connection, query: str, *values: str) -> bool:
    row = connection.execute(query.encode(), values or None).fetchone()
    return bool(row and row[0])


def _said(error: psycopg.Error) -> str:
    return str(error).strip().splitlines()[-1].rpartition("FATAL: ")[2].strip().rstrip(".")
