"""connect-setup's look at the source, on a real MariaDB with each fault in turn."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pymysql
import pytest

from templates.setup.source_check import Source, SourceState, check_source
from templates.setup.source_session import Login

SOURCE = Source("mariadb", "openmrs", {"obs": ("obs_id",), "person": ("person_id",)}, 5001)
PRIVILEGES = "SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT"


@dataclass
class Database:
    """A server with the administrator's session, and the user that reads it."""

    server: Any
    root: "pymysql.Connection[Any]"

    def run(self, *statements: str) -> None:
        with self.root.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def value(self, statement: str) -> Any:
        with self.root.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone()
            assert row is not None
            return row[0]

    def check(self, password: str = "secret", source: Source = SOURCE, user: str = "reader") -> SourceState:
        return check_source(source, Login(self.server.host, self.server.port, user, password))

    def messages(self) -> list[str]:
        return [problem.message for problem in self.check().problems]

    def cures(self) -> list[str]:
        return [problem.cure for problem in self.check().problems]


def prepared(server: Any) -> Iterator[Database]:
    with pymysql.connect(host=server.host, port=server.port, user="root", autocommit=True) as root:
        database = Database(server, root)
        database.run(
            "CREATE DATABASE openmrs",
            "CREATE TABLE openmrs.obs (obs_id INT PRIMARY KEY)",
            "CREATE TABLE openmrs.person (person_id INT PRIMARY KEY)",
            "CREATE USER reader@'%' IDENTIFIED BY 'secret'",
        )
        yield database
        database.run("DROP DATABASE IF EXISTS openmrs", "DROP USER IF EXISTS reader@'%', ''@'localhost'")


@pytest.fixture
def database(mariadb: Any) -> Iterator[Database]:
    yield from prepared(mariadb)


@pytest.fixture
def fit(database: Database) -> Database:
    database.run(f"GRANT {PRIVILEGES} ON *.* TO reader@'%'")
    return database


def test_a_fit_source(fit: Database) -> None:
    assert fit.check() == SourceState(readers=0, others=0)


def test_all_privileges_are_enough(database: Database) -> None:
    database.run("GRANT ALL PRIVILEGES ON *.* TO reader@'%'")
    assert database.messages() == []


def test_privileges_by_a_default_role_are_enough(database: Database) -> None:
    database.run(
        "CREATE ROLE cdc",
        f"GRANT {PRIVILEGES} ON *.* TO cdc",
        "GRANT cdc TO reader@'%'",
        "SET DEFAULT ROLE cdc FOR reader@'%'",
    )
    assert database.messages() == []
    database.run("DROP ROLE cdc")


def test_select_on_the_database_alone_is_enough(database: Database) -> None:
    database.run(
        "GRANT RELOAD, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO reader@'%'",
        "GRANT SELECT ON openmrs.* TO reader@'%'",
    )
    assert database.messages() == []


@pytest.mark.parametrize("privilege", ["RELOAD", "REPLICATION SLAVE", "BINLOG MONITOR"])
def test_the_printed_grant_mends_a_missing_privilege(fit: Database, privilege: str) -> None:
    fit.run(f"REVOKE {privilege} ON *.* FROM reader@'%'")
    assert fit.messages() == [f"The user 'reader'@'%' lacks the privilege {privilege}."]
    _mend(fit)
    assert fit.messages() == []


def test_all_missing_privileges_are_said_at_once(database: Database) -> None:
    assert database.messages() == [
        "The user 'reader'@'%' may not read the database 'openmrs', or there is none.",
        "The user 'reader'@'%' lacks the privileges RELOAD, REPLICATION SLAVE and BINLOG MONITOR.",
    ]
    _mend(database)
    assert database.messages() == []


def test_a_table_that_may_not_be_read_is_named(database: Database) -> None:
    database.run(
        "GRANT RELOAD, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO reader@'%'",
        "GRANT SELECT ON openmrs.obs TO reader@'%'",
    )
    assert database.messages() == ["The user 'reader'@'%' lacks the privilege SELECT on person."]
    _mend(database)
    assert database.messages() == []


def _mend(database: Database) -> None:
    for cure in database.cures():
        assert cure.startswith("Run on the server as an administrator: GRANT ")
        database.run(cure.partition(": ")[2])


def test_a_missing_table_is_named_with_the_platform(fit: Database) -> None:
    fit.run("DROP TABLE openmrs.person")
    assert fit.messages() == ["The database 'openmrs' has no table person."]
    assert "'platform'" in fit.cures()[0]


def test_missing_columns_are_named_with_the_platform(fit: Database) -> None:
    tables = {"obs": ("obs_id", "status", "interpretation"), "person": ("person_id",)}
    later = Source("mariadb", "openmrs", tables, 5001)
    (problem,) = fit.check(source=later).problems
    assert problem.message == "The table obs of 'openmrs' has no columns status and interpretation."
    assert "'platform'" in problem.cure
    fit.run("ALTER TABLE openmrs.obs ADD status VARCHAR(16)", "ALTER TABLE openmrs.obs ADD interpretation VARCHAR(32)")
    assert fit.check(source=later).problems == ()


def test_an_empty_database(fit: Database) -> None:
    fit.run("DROP TABLE openmrs.person", "DROP TABLE openmrs.obs")
    assert fit.messages() == ["The database 'openmrs' has none of the tables of OpenMRS."]


def test_a_missing_database_and_what_there_is(fit: Database) -> None:
    fit.run("DROP DATABASE openmrs", "CREATE DATABASE openmrs_old")
    assert fit.messages() == ["The server has no database 'openmrs'. It has: openmrs_old."]
    fit.run("DROP DATABASE openmrs_old")


def test_a_wrong_password(fit: Database) -> None:
    problem = fit.check(password="wrong").problems[0]
    assert problem.message == (
        f"The source database at 127.0.0.1:{fit.server.port} refuses the user 'reader': the password is "
        "wrong, or there is no such user for connections from localhost."
    )
    assert "CONNECT_MYSQL_PASSWORD" in problem.cure
    assert "wrong" not in problem.cure


def test_an_anonymous_user_that_comes_first(fit: Database) -> None:
    fit.run("CREATE USER ''@'localhost' IDENTIFIED BY 'secret'")
    problem = fit.check().problems[0]
    assert "for its anonymous user ''@'localhost'" in problem.message
    fit.run(problem.cure.partition(": ")[2])
    assert fit.messages() == []


def test_a_server_that_is_down(fit: Database) -> None:
    problem = check_source(SOURCE, Login("127.0.0.1", 9, "reader", "secret")).problems[0]
    assert problem.message.startswith("The source database at 127.0.0.1:9 is down")


def test_binlog_settings(fit: Database) -> None:
    fit.run("SET GLOBAL binlog_format = 'STATEMENT'", "SET GLOBAL binlog_row_image = 'MINIMAL'")
    assert fit.messages() == [
        "The server's binlog_format is STATEMENT, Debezium can only read ROW.",
        "The server's binlog_row_image is MINIMAL, Debezium can only read FULL.",
    ]
    fit.run("SET GLOBAL binlog_format = 'ROW'", "SET GLOBAL binlog_row_image = 'FULL'")
    assert fit.messages() == []


def test_server_ids(fit: Database) -> None:
    fit.run("SET GLOBAL server_id = 5001")
    assert fit.messages() == ["The server has the same server_id as this site's reader: 5001."]
    fit.run("SET GLOBAL server_id = 1")
    assert fit.messages() == []


def test_a_short_retention_is_a_warning(fit: Database) -> None:
    fit.run("SET GLOBAL binlog_expire_logs_seconds = 7200")
    state = fit.check()
    assert state.problems == ()
    assert "for only 2 hours" in state.warnings[0].message
    fit.run("SET GLOBAL binlog_expire_logs_seconds = 864000")
    assert fit.check().warnings == ()
    fit.run("SET GLOBAL binlog_expire_logs_seconds = 0")
    assert fit.check().warnings == ()


def test_an_empty_binary_log_gets_its_first_entry(fit: Database) -> None:
    fit.run("RESET MASTER")
    assert fit.value("SELECT @@GLOBAL.gtid_binlog_pos") == ""
    assert fit.messages() == []
    position = fit.value("SELECT @@GLOBAL.gtid_binlog_pos")
    assert position == "0-1-1"
    assert fit.messages() == []
    assert fit.value("SELECT @@GLOBAL.gtid_binlog_pos") == position


def test_an_empty_binary_log_without_the_right_to_fill_it(fit: Database) -> None:
    fit.run("SET sql_log_bin = 0", "REVOKE RELOAD ON *.* FROM reader@'%'", "RESET MASTER")
    assert fit.messages() == ["The user 'reader'@'%' lacks the privilege RELOAD."]
    _mend(fit)
    assert fit.messages() == []
    fit.run("SET sql_log_bin = 1")


def test_debeziums_connections_are_counted(fit: Database) -> None:
    with pymysql.connect(host="127.0.0.1", port=fit.server.port, user="reader", password="secret") as other:
        state = fit.check()
        assert (state.readers, state.others) == (0, 1)
        # What a reader of the binary log sends (the protocol's COM_BINLOG_DUMP), flags: 0 for go on waiting.
        name = str(fit.value("SHOW MASTER STATUS")).encode()
        with other.cursor() as cursor:
            cursor.execute("SET @master_binlog_checksum = @@GLOBAL.binlog_checksum")
        dump = (4).to_bytes(4, "little") + (0).to_bytes(2, "little") + (7777).to_bytes(4, "little") + name
        raw: Any = other
        raw._execute_command(0x12, dump)
        raw._read_packet()
        state = fit.check()
        assert (state.readers, state.others) == (1, 0)
        raw._force_close()


def test_no_binary_log(start_mariadb: Callable[..., Any]) -> None:
    with start_mariadb("--skip-log-bin") as server:
        for database in prepared(server):
            database.run(f"GRANT {PRIVILEGES} ON *.* TO reader@'%'")
            assert database.messages() == [
                "The server writes no binary log, so its changes cannot be followed."
            ]
            assert "into [mariadb] of its configuration file" in database.cures()[0]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--binlog-ignore-db=openmrs", "(binlog_ignore_db)"),
        ("--binlog-do-db=other", "(binlog_do_db)"),
        ("--binlog-do-db=openmrs", ""),
    ],
)
def test_a_database_that_is_left_out_of_the_log(
    start_mariadb: Callable[..., Any], option: str, said: str
) -> None:
    with start_mariadb("--log-bin=binlog", "--binlog-format=ROW", "--server-id=1", option) as server:
        for database in prepared(server):
            database.run(f"GRANT {PRIVILEGES} ON *.* TO reader@'%'")
            message = f"The server leaves the database 'openmrs' out of its binary log {said}."
            assert database.messages() == ([message] if said else [])


def test_checks_at_the_same_time_do_not_disturb_each_other(fit: Database) -> None:
    results: list[SourceState] = []
    threads = [threading.Thread(target=lambda: results.append(fit.check())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [state.problems for state in results] == [()] * 4
