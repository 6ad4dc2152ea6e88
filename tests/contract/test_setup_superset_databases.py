"""superset-init on a real PostgreSQL: what it makes, what the reader may, and what it says where it may not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from psycopg import errors

from templates.setup.superset_databases import (
    Login,
    migrated_to,
    prepare_metadata,
    prepare_reader,
    remember_migration,
    session,
)
from templates.setup.waiting import NotReadyError


@dataclass
class Server:
    """A server with the database of the flattened tables, whose owner is no administrator, and an administrator."""

    owner: Login
    admin: psycopg.Connection[Any]

    @property
    def own(self) -> Login:
        return replace(self.owner, database="superset", user="superset", password="own's")

    @property
    def reader(self) -> Login:
        return replace(self.owner, user="superset_reader", password="reader's")

    def let_owner_do_everything(self) -> None:
        """As the bundled server's user may."""
        self.admin.execute("ALTER ROLE analytics SUPERUSER")


@pytest.fixture
def server(postgresql: Any) -> Iterator[Server]:
    login = {
        "host": postgresql.host, "port": postgresql.port, "user": postgresql.user,
        "password": postgresql.password, "dbname": "postgres", "autocommit": True,
    }
    with psycopg.connect(**login) as admin:
        admin.execute("CREATE ROLE analytics LOGIN PASSWORD 'secret'")
        admin.execute("CREATE DATABASE analytics OWNER analytics")
        yield Server(Login(postgresql.host, postgresql.port, "analytics", "analytics", "secret"), admin)
        for database in ("analytics", "superset"):
            admin.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        for role in ("superset_reader", "superset", "analytics"):
            admin.execute(f"DROP ROLE IF EXISTS {role}")


def rows(login: Login, statement: str) -> list[tuple[Any, ...]]:
    with session(login) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def test_what_is_missing_is_made_and_nobody_else_may_look(server: Server) -> None:
    server.let_owner_do_everything()
    prepare_metadata(server.own, server.owner)
    prepare_metadata(server.own, server.owner)
    prepare_reader(server.reader, server.owner, "public")
    assert rows(server.own, "SELECT current_user, current_database()") == [("superset", "superset")]
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        rows(replace(server.reader, database="superset"), "SELECT 1")


def test_the_reader_reads_and_does_nothing_else(server: Server) -> None:
    server.let_owner_do_everything()
    rows(server.owner, "CREATE TABLE before (id bigint)")
    prepare_reader(server.reader, server.owner, "public")
    rows(server.owner, "CREATE TABLE after (id bigint)")
    for table in ("before", "after"):
        assert rows(server.reader, f"SELECT * FROM {table}") == []
        with pytest.raises(errors.InsufficientPrivilege):
            rows(server.reader, f"INSERT INTO {table} VALUES (1)")
    with pytest.raises(errors.InsufficientPrivilege):
        rows(server.reader, "CREATE TABLE mine (id bigint)")


def test_a_table_that_is_filled_elsewhere_and_moved_can_be_read(server: Server) -> None:
    """A new generation is filled in a schema of its own, which the reader sees nothing of."""
    server.let_owner_do_everything()
    prepare_reader(server.reader, server.owner, "public")
    rows(server.owner, "CREATE SCHEMA staging")
    rows(server.owner, "CREATE TABLE staging.visits (id bigint)")
    with pytest.raises(errors.InsufficientPrivilege):
        rows(server.reader, "SELECT * FROM staging.visits")
    rows(server.owner, "ALTER TABLE staging.visits SET SCHEMA public")
    assert rows(server.reader, "SELECT * FROM visits") == []


def test_an_owner_who_may_not_says_what_an_administrator_has_to_run(server: Server) -> None:
    with pytest.raises(NotReadyError) as error:
        prepare_metadata(server.own, server.owner)
    (problem,) = error.value.problems
    assert problem.cure == (
        "Run as an administrator: CREATE ROLE \"superset\" LOGIN PASSWORD '...';"
        ' CREATE DATABASE "superset" OWNER "superset";'
    )
    with pytest.raises(NotReadyError, match="may not be made from here"):
        prepare_reader(server.reader, server.owner, "public")


def test_what_an_administrator_has_made_is_used(server: Server) -> None:
    server.admin.execute("CREATE ROLE superset LOGIN PASSWORD 'own''s'")
    server.admin.execute("CREATE ROLE superset_reader LOGIN PASSWORD 'reader''s'")
    server.admin.execute("CREATE DATABASE superset OWNER superset")
    rows(server.owner, "CREATE SCHEMA flat")
    rows(server.owner, "CREATE TABLE flat.visits (id bigint)")
    prepare_metadata(server.own, server.owner)
    prepare_reader(server.reader, server.owner, "flat")
    assert rows(server.reader, "SELECT * FROM flat.visits") == []


def test_a_password_that_was_changed_is_followed_on_the_bundled_server_alone(server: Server) -> None:
    server.admin.execute("CREATE ROLE superset LOGIN PASSWORD 'another'")
    server.admin.execute("CREATE DATABASE superset OWNER superset")
    with pytest.raises(NotReadyError, match="does not let the user superset"):
        prepare_metadata(server.own, server.owner)
    server.let_owner_do_everything()
    prepare_metadata(server.own, server.owner)
    assert rows(server.own, "SELECT 1") == [(1,)]


def test_another_server_is_left_to_its_administrator(server: Server) -> None:
    elsewhere = replace(server.owner, host="localhost" if server.owner.host != "localhost" else "127.0.0.1")
    with pytest.raises(NotReadyError, match="keeps its dashboards in"):
        prepare_metadata(server.own, elsewhere)


def test_a_wrong_password_of_the_owner_is_named(server: Server) -> None:
    with pytest.raises(NotReadyError, match="does not let the owner of the tables, analytics"):
        prepare_reader(server.reader, replace(server.owner, password="wrong"), "public")


def test_the_version_of_the_tables_is_remembered(server: Server) -> None:
    server.let_owner_do_everything()
    prepare_metadata(server.own, server.owner)
    assert migrated_to(server.own) == ""
    for version in ("one", "two"):
        remember_migration(server.own, version)
        assert migrated_to(server.own) == version
