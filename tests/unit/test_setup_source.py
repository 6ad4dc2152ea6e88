"""What connect-setup makes of a source's answers that no server here gives: MySQL's, and rare refusals."""

from typing import Any

import pymysql
import pytest

from templates.setup import source_check
from templates.setup.source_check import Source, check_source, global_privileges, listed, quoted
from templates.setup.source_session import Login, connection_problem

LOGIN = Login("mysql", 3306, "debezium", "secret")
SOURCE = Source("mysql", "openmrs", {"obs": ("obs_id",), "person": ("person_id",)}, 5001)

# MySQL 8.4 writes out what ALL PRIVILEGES means (its documentation, "SHOW GRANTS Statement").
ALL_IN_MYSQL = (
    "GRANT SELECT, INSERT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `a`@`%` "
    "WITH GRANT OPTION"
)


class FakeMySQL:
    """A MySQL 8.4 server's answers by statement; an exception is raised."""

    def __init__(self) -> None:
        self.variables = {
            "version": "8.4.3",
            "server_id": "1",
            "log_bin": "ON",
            "binlog_format": "ROW",
            "binlog_row_image": "FULL",
            "binlog_expire_logs_seconds": "2592000",
        }
        self.answers: dict[str, Any] = {
            "SELECT CURRENT_USER()": [{"CURRENT_USER()": "debezium@%"}],
            "SELECT CURRENT_ROLE()": [{"CURRENT_ROLE()": "NONE"}],
            "SHOW GRANTS": [{"Grants": "GRANT RELOAD, REPLICATION SLAVE ON *.* TO `debezium`@`%`"}],
            "SHOW BINARY LOG STATUS": [{"File": "b.1", "Binlog_Do_DB": "", "Binlog_Ignore_DB": ""}],
            "SHOW DATABASES": [{"Database": "openmrs"}],
            "SHOW PROCESSLIST": [
                {"User": "debezium", "Command": "Query"},
                {"User": "debezium", "Command": "Binlog Dump GTID"},
                {"User": "debezium", "Command": "Sleep"},
                {"User": "replica", "Command": "Binlog Dump"},
            ],
        }
        self.statements: list[str] = []

    def __enter__(self) -> "FakeMySQL":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def cursor(self) -> "FakeMySQL":
        return self

    def execute(self, statement: str) -> None:
        self.statements.append(statement)
        if statement.startswith("SHOW GLOBAL VARIABLES"):
            self.rows = [{"Variable_name": key, "Value": value} for key, value in self.variables.items()]
            return
        answer = self.answers.get(statement, [])
        if isinstance(answer, Exception):
            raise answer
        self.rows = answer

    def fetchall(self) -> list[dict[str, Any]]:
        return self.rows


@pytest.fixture
def mysql(monkeypatch: pytest.MonkeyPatch) -> FakeMySQL:
    server = FakeMySQL()
    monkeypatch.setattr(source_check, "connect", lambda _: server)
    return server


def messages() -> list[str]:
    return [problem.message for problem in check_source(SOURCE, LOGIN).problems]


def test_a_fit_mysql(mysql: FakeMySQL) -> None:
    state = check_source(SOURCE, LOGIN)
    assert (state.problems, state.warnings) == ((), ())
    assert (state.readers, state.others) == (1, 1)
    assert not any(statement.startswith("FLUSH") for statement in mysql.statements)


def test_what_a_mysql_role_gives_counts(mysql: FakeMySQL) -> None:
    roles = "`etl`@`%`,`cdc`@`%`"
    mysql.answers["SELECT CURRENT_ROLE()"] = [{"CURRENT_ROLE()": roles}]
    mysql.answers["SHOW GRANTS"] = []
    mysql.answers[f"SHOW GRANTS FOR CURRENT_USER() USING {roles}"] = [{"Grants": ALL_IN_MYSQL}]
    assert messages() == []


def test_missing_mysql_privileges_have_mysqls_names(mysql: FakeMySQL) -> None:
    mysql.answers["SHOW GRANTS"] = [{"Grants": "GRANT USAGE ON *.* TO `debezium`@`%`"}]
    mysql.answers["SHOW BINARY LOG STATUS"] = pymysql.OperationalError(1227, "Access denied")
    problem = check_source(SOURCE, LOGIN).problems[0]
    assert problem.message == (
        "The user 'debezium'@'%' lacks the privileges RELOAD, REPLICATION SLAVE and REPLICATION CLIENT."
    )
    assert problem.cure.endswith(
        "GRANT RELOAD, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'debezium'@'%';"
    )


def test_skip_show_database_makes_its_privilege_needed(mysql: FakeMySQL) -> None:
    mysql.answers["SHOW DATABASES"] = pymysql.OperationalError(1227, "Access denied")
    assert messages() == ["The user 'debezium'@'%' lacks the privilege SHOW DATABASES."]


def test_an_older_mysql_has_another_status_statement(mysql: FakeMySQL) -> None:
    mysql.variables["version"] = "8.0.36"
    mysql.answers["SHOW BINARY LOG STATUS"] = pymysql.ProgrammingError(1064, "syntax")
    assert messages() == []
    assert "SHOW MASTER STATUS" in mysql.statements


def test_a_damaged_table_is_named(mysql: FakeMySQL) -> None:
    mysql.answers["SELECT `obs_id` FROM `openmrs`.`obs` LIMIT 0"] = pymysql.OperationalError(1194, "crashed")
    problem = check_source(SOURCE, LOGIN).problems[0]
    assert problem.message == "The table 'obs' cannot be read (error 1194)."
    assert "CHECK TABLE `openmrs`.`obs`;" in problem.cure


def test_a_replica_that_does_not_log_what_it_takes_over(mysql: FakeMySQL) -> None:
    mysql.variables["log_slave_updates"] = "OFF"
    assert messages() == []
    mysql.answers["SHOW GLOBAL STATUS LIKE 'Slave_running'"] = [
        {"Variable_name": "Slave_running", "Value": "ON"}
    ]
    assert messages() == ["The server is a replica and does not log what it takes over from its primary."]


def test_a_connection_that_breaks_while_it_is_checked(mysql: FakeMySQL) -> None:
    mysql.answers["SHOW DATABASES"] = pymysql.OperationalError(2013, "Lost connection")
    assert messages() == [
        "The source database at mysql:3306: the connection was lost while it was being checked."
    ]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1040, "has no connection left"),
        (1129, "blocks this machine after many failed connections"),
        (1130, "takes no connections from this machine"),
        (1203, "lets the user 'debezium' open no more connections"),
        (1226, "lets the user 'debezium' open no more connections"),
        (1862, "says that the password of the user 'debezium' has expired"),
        (2013, "broke the connection off"),
        (3118, "says that the user 'debezium' is locked"),
        (4151, "says that the user 'debezium' is locked"),
        (1999, "gives no connection: Something new (error 1999)"),
    ],
)
def test_refused_connections_in_words(code: int, words: str) -> None:
    problem = connection_problem(pymysql.OperationalError(code, "Something new."), LOGIN)
    assert problem.message == f"The source database at mysql:3306 {words}."
    assert "secret" not in str(problem)


def test_global_privileges() -> None:
    assert "REPLICATION SLAVE" in global_privileges([ALL_IN_MYSQL])
    assert "REPLICATION SLAVE" in global_privileges(["GRANT REPLICATION REPLICA ON *.* TO `a`@`%`"])
    assert (
        global_privileges(
            [
                "GRANT `role` TO `a`@`%`",
                "GRANT SELECT ON `openmrs`.* TO `a`@`%`",
                "SET DEFAULT ROLE `r` FOR `a`",
            ]
        )
        == set()
    )
    assert global_privileges(["GRANT ALL PRIVILEGES ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD 'x'"]) == {
        "ALL PRIVILEGES"
    }


def test_names_in_statements_and_sentences() -> None:
    assert quoted("a`b") == "`a``b`"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
