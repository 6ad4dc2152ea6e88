"""A session with the source database, and in words why there is none."""

import re
from dataclasses import dataclass

import pymysql
import pymysql.cursors

from .waiting import Problem, unreachable

VARIABLES = "CONNECT_MYSQL_HOSTNAME, CONNECT_MYSQL_PORT"
TIMEOUT_S = 10

# Error codes of MySQL and MariaDB (mysqld_error.h, errmsg.h).
CANNOT_CONNECT, SERVER_GONE, LOST_CONNECTION = 2003, 2006, 2013


@dataclass(frozen=True)
class Login:
    """Where the source is and who reads it; Debezium gets the same from its environment."""

    host: str
    port: int
    user: str
    password: str


def connect(login: Login) -> "pymysql.Connection[pymysql.cursors.DictCursor]":
    """A session whose rows are dictionaries. Raises pymysql.MySQLError."""
    return pymysql.connect(
        host=login.host,
        port=login.port,
        user=login.user,
        password=login.password,
        connect_timeout=5,
        read_timeout=TIMEOUT_S,
        write_timeout=TIMEOUT_S,
        autocommit=True,
        cursorclass=pymysql.cursors.DictCursor,
    )


def error_parts(error: pymysql.MySQLError) -> tuple[int, str]:
    """Code and text of an error; code 0 where it has none."""
    if len(error.args) >= 2 and isinstance(error.args[0], int):
        return error.args[0], str(error.args[1]).rstrip(".")
    return 0, str(error).rstrip(".")


def connection_problem(error: pymysql.MySQLError, login: Login) -> Problem:
    """Why the server gives no session, in words."""
    code, text = error_parts(error)
    place = f"The source database at {login.host}:{login.port}"
    if code == CANNOT_CONNECT:
        cause = getattr(error, "original_exception", None) or text
        return unreachable("The source database", login.host, login.port, _as_error(cause), VARIABLES)
    if code in (1045, 1698):
        client = re.search(r"@'([^']*)'", text)
        host = client.group(1) if client else "%"
        return Problem(
            f"{place} refuses the user '{login.user}': the password is wrong, or there is no such user for "
            f"connections from {host}.",
            "Correct CONNECT_MYSQL_USERNAME and CONNECT_MYSQL_PASSWORD in .env. If they are right, look on "
            "the server for an anonymous user that comes before this one (SELECT user, host FROM mysql.user "
            f"WHERE user = '';) and remove it (DROP USER ''@'{host}';).",
        )
    user = f"the user '{login.user}'"
    unlock = f"Run on the server: ALTER USER '{login.user}' ACCOUNT UNLOCK;"
    known = {
        1040: ("has no connection left", "Raise max_connections on the server, or close unused programs."),
        1203: (f"lets {user} open no more connections", "Raise max_user_connections on the server."),
        1226: (f"lets {user} open no more connections", "Raise that user's MAX_USER_CONNECTIONS."),
        1129: ("blocks this machine after many failed connections", "Run on the server: FLUSH HOSTS;"),
        1130: (
            "takes no connections from this machine",
            f"Create the user for any host: CREATE USER '{login.user}'@'%' IDENTIFIED BY '...';",
        ),
        1862: (f"says that the password of {user} has expired", "Give the user a new password."),
        3118: (f"says that {user} is locked", unlock),
        4151: (f"says that {user} is locked", unlock),
        LOST_CONNECTION: ("broke the connection off", "Is it starting or stopping? Its own log says more."),
    }
    if code in known:
        words, cure = known[code]
        return Problem(f"{place} {words}.", cure)
    return Problem(f"{place} gives no connection: {text} (error {code}).")


def _as_error(cause: object) -> BaseException:
    return cause if isinstance(cause, BaseException) else OSError(str(cause))
