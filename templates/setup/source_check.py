"""Whether Debezium can read the source database, and if not, why and how to mend it, in words.

Debezium's own message for most of these faults is a Java stack trace in Kafka Connect's log, or none. The
privileges are those that its documentation asks for; each is tried or read on the server itself, as the same
user.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

from .source_session import LOST_CONNECTION, SERVER_GONE, Login, connect, connection_problem, error_parts
from .waiting import Problem

SHORT_RETENTION_S = 3 * 86400
"""A site that is off for a long weekend is not to lose what it has not read yet."""

READ_VARIABLES = (
    "version",
    "server_id",
    "log_bin",
    "binlog_format",
    "binlog_row_image",
    "binlog_expire_logs_seconds",
    "expire_logs_days",
    "log_slave_updates",
)

# Error codes of MySQL and MariaDB (mysqld_error.h).
BAD_DATABASE, DENIED_DATABASE, DENIED_TABLE, NO_TABLE, DENIED_PRIVILEGE = 1049, 1044, 1142, 1146, 1227
NO_COLUMN = 1054

OTHER_VERSION = (
    "Set the source's 'platform' and 'modules' in ozone.yaml to the OpenMRS platform version and the modules of this "
    "database, and render again."
)


@dataclass(frozen=True)
class Source:
    """What the site reads: the rendered source.json; `tables` holds the columns of each table."""

    engine: str
    database: str
    tables: Mapping[str, tuple[str, ...]]
    server_id: int

    @property
    def section(self) -> str:
        """The section of the server's configuration file that its settings belong to."""
        return "[mariadb]" if self.engine == "mariadb" else "[mysqld]"


@dataclass(frozen=True)
class SourceState:
    """What was found: `problems` keep Debezium from reading, `warnings` do not.

    `readers` counts the user's connections that read the binary log, `others` the rest but our own: Debezium
    has one of these while it takes its first snapshot.
    """

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    readers: int = 0
    others: int = 0


def check_source(source: Source, login: Login) -> SourceState:
    """Look at the source once, through a new connection, so that the password is checked too."""
    try:
        connection = connect(login)
    except pymysql.MySQLError as error:
        return SourceState(problems=(connection_problem(error, login),))
    try:
        with connection:
            return _Inspection(connection, source, login).run()
    except pymysql.MySQLError as error:
        code, text = error_parts(error)
        if code in (SERVER_GONE, LOST_CONNECTION):
            text = "the connection was lost while it was being checked"
        return SourceState(problems=(Problem(f"The source database at {login.host}:{login.port}: {text}."),))


class _Inspection:
    """One look at the server; each check adds what it finds."""

    def __init__(self, connection: "pymysql.Connection[DictCursor]", source: Source, login: Login) -> None:
        self._connection = connection
        self._source = source
        self._login = login
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = []
        self._variables: dict[str, str] = {}
        self._account = ""

    def run(self) -> SourceState:
        account = str(self._value("SELECT CURRENT_USER()"))
        user, _, host = account.rpartition("@")
        self._account = f"'{user}'@'{host}'"
        if not user:
            self._problems.append(
                Problem(
                    f"The server took '{self._login.user}' for its anonymous user ''@'{host}', which may "
                    "read nothing.",
                    f"Run on the server: DROP USER ''@'{host}';",
                )
            )
            return SourceState(tuple(self._problems))  # it may not even see its connections
        self._variables = {
            str(row["Variable_name"]).lower(): str(row["Value"])
            for row in self._rows(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN {READ_VARIABLES}")
        }
        self._check_database()
        self._check_privileges()
        self._check_server_id()
        if self._check_log():
            self._check_retention()
            if self._log_reaches_us() and self._source.engine == "mariadb":
                self._fill_empty_log()
        return self._state()

    def _state(self) -> SourceState:
        mine = [row for row in self._rows("SHOW PROCESSLIST") if row["User"] == self._login.user]
        readers = sum(str(row["Command"]).startswith("Binlog Dump") for row in mine)
        others = len(mine) - readers - 1
        return SourceState(tuple(self._problems), tuple(self._warnings), readers, others)

    def _rows(self, statement: str) -> list[dict[str, Any]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def _value(self, statement: str) -> Any:
        return next(iter(self._rows(statement)[0].values()))

    def _refused(self, statement: str) -> int:
        """The error code that a statement ends with, 0 for none."""
        try:
            self._rows(statement)
        except pymysql.MySQLError as error:
            code, _ = error_parts(error)
            if code in (0, SERVER_GONE, LOST_CONNECTION):
                raise
            return code
        return 0

    def _check_database(self) -> None:
        database = self._source.database
        code = self._refused(f"USE {quoted(database)}")
        if code == BAD_DATABASE:
            there = sorted(
                str(row["Database"])
                for row in self._rows("SHOW DATABASES")
                if row["Database"] not in ("information_schema", "mysql", "performance_schema", "sys")
            )
            names = f"It has: {', '.join(there)}." if there else "It has none that this user may see."
            self._problems.append(
                Problem(
                    f"The server has no database {database!r}. {names}",
                    "Correct the source's database in ozone.yaml and render again, or create the database.",
                )
            )
        elif code == DENIED_DATABASE:
            self._problems.append(
                Problem(
                    f"The user {self._account} may not read the database {database!r}, or there is none.",
                    self._grant("SELECT", f"{quoted(database)}.*"),
                )
            )
        elif code:
            self._problems.append(Problem(f"The database {database!r} cannot be used (error {code})."))
        else:
            self._check_tables()

    def _check_tables(self) -> None:
        database = self._source.database
        codes = {
            table: self._refused(
                f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(database)}.{quoted(table)} LIMIT 0"
            )
            for table, columns in self._source.tables.items()
        }
        missing = [table for table, code in codes.items() if code == NO_TABLE]
        denied = [table for table, code in codes.items() if code == DENIED_TABLE]
        if missing and len(missing) == len(codes):
            self._problems.append(
                Problem(
                    f"The database {database!r} has none of the tables of OpenMRS.",
                    "Start OpenMRS once, so that it creates them, or correct the database's name in "
                    "ozone.yaml.",
                )
            )
        elif missing:
            self._problems.append(
                Problem(
                    f"The database {database!r} has no table{plural(missing)} {listed(missing)}.",
                    OTHER_VERSION,
                )
            )
        for table in [table for table, code in codes.items() if code == NO_COLUMN]:
            there = {row["Field"] for row in self._rows(f"SHOW COLUMNS FROM {quoted(database)}.{quoted(table)}")}
            lacking = [column for column in self._source.tables[table] if column not in there]
            # Debezium would leave them out without a word, and the column that is filled from them empty.
            self._problems.append(
                Problem(
                    f"The table {table} of {database!r} has no column{plural(lacking)} {listed(lacking)}.",
                    OTHER_VERSION,
                )
            )
        if denied:
            self._problems.append(
                Problem(
                    f"The user {self._account} lacks the privilege SELECT on {listed(denied)}.",
                    self._grant("SELECT", f"{quoted(database)}.*"),
                )
            )
        for table, code in codes.items():
            if code not in (0, NO_TABLE, NO_COLUMN, DENIED_TABLE):
                self._problems.append(
                    Problem(
                        f"The table {table!r} cannot be read (error {code}).",
                        f"Run on the server: CHECK TABLE {quoted(database)}.{quoted(table)};",
                    )
                )

    def _check_privileges(self) -> None:
        held = self._global_privileges()
        modern = self._source.engine == "mariadb" and self._version() >= (10, 5)
        status = "BINLOG MONITOR" if modern else "REPLICATION CLIENT"
        missing = [
            privilege
            for privilege in ("RELOAD", "REPLICATION SLAVE")
            if not held & {privilege, "ALL PRIVILEGES"}
        ]
        # Tried rather than read: SUPER and newer privileges imply it, differently in each version.
        if self._refused(self._status_statement()) == DENIED_PRIVILEGE:
            missing.append(status)
        # Needed only where the server runs with skip_show_database.
        if self._refused("SHOW DATABASES"):
            missing.append("SHOW DATABASES")
        if missing:
            self._problems.append(
                Problem(
                    f"The user {self._account} lacks the privilege{plural(missing)} {listed(missing)}.",
                    self._grant(", ".join(missing), "*.*"),
                )
            )

    def _grant(self, privileges: str, what: str) -> str:
        return f"Run on the server as an administrator: GRANT {privileges} ON {what} TO {self._account};"

    def _global_privileges(self) -> set[str]:
        statement = "SHOW GRANTS"
        if self._source.engine == "mysql" and self._version() >= (8, 0):
            # MySQL lists what a role gives only when the role is named; MariaDB does it by itself.
            roles = str(self._value("SELECT CURRENT_ROLE()"))
            if roles and roles != "NONE":
                statement = f"SHOW GRANTS FOR CURRENT_USER() USING {roles}"
        return global_privileges([str(next(iter(row.values()))) for row in self._rows(statement)])

    def _version(self) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d+", self._variables.get("version", ""))[:2])

    def _status_statement(self) -> str:
        new = self._source.engine == "mysql" and self._version() >= (8, 4)
        return "SHOW BINARY LOG STATUS" if new else "SHOW MASTER STATUS"

    def _check_server_id(self) -> None:
        number = self._variables.get("server_id", "")
        if number == "0":
            self._problems.append(
                Problem(
                    "The server's server_id is 0: with it no one can read its binary log.",
                    f"Put server_id=1 into {self._source.section} of its configuration file and restart it.",
                )
            )
        elif number == str(self._source.server_id):
            self._problems.append(
                Problem(
                    f"The server has the same server_id as this site's reader: {number}.",
                    "Give the source another server_id in ozone.yaml and render again.",
                )
            )

    def _check_log(self) -> bool:
        """Whether there is a binary log; says too what is wrong with it."""
        section = self._source.section
        if self._variables.get("log_bin", "").upper() not in ("ON", "1"):
            self._problems.append(
                Problem(
                    "The server writes no binary log, so its changes cannot be followed.",
                    "Put log_bin=mysql-bin, binlog_format=ROW, binlog_row_image=FULL and server_id=1 (a line "
                    f"each) into {section} of its configuration file and restart it.",
                )
            )
            return False
        for name, wanted in (("binlog_format", "ROW"), ("binlog_row_image", "FULL")):
            value = self._variables.get(name, wanted).upper()
            if value != wanted:
                self._problems.append(
                    Problem(
                        f"The server's {name} is {value}, Debezium can only read {wanted}.",
                        f"Put {name}={wanted} into {section} of its configuration file and restart it. "
                        "(SET GLOBAL alone does not reach OpenMRS's open connections.)",
                    )
                )
        return True

    def _log_reaches_us(self) -> bool:
        """Filters keep a database's changes out of the log: all would look well and nothing would flow."""
        database = self._source.database
        try:
            status: Mapping[str, Any] = next(iter(self._rows(self._status_statement())), {})
        except pymysql.MySQLError as error:
            if error_parts(error)[0] != DENIED_PRIVILEGE:
                raise
            return False  # said by _check_privileges
        only, never = (_names(status.get(key)) for key in ("Binlog_Do_DB", "Binlog_Ignore_DB"))
        setting = "binlog_do_db" if only and database not in only else "binlog_ignore_db"
        filtered = bool(only and database not in only) or database in never
        if filtered:
            self._problems.append(
                Problem(
                    f"The server leaves the database {database!r} out of its binary log ({setting}).",
                    f"Remove {setting} from its configuration file, or add the database to it, and "
                    "restart it.",
                )
            )
        replica = self._is_on("SHOW GLOBAL STATUS LIKE 'Slave_running'")
        if replica and self._variables.get("log_slave_updates", "ON").upper() == "OFF":
            self._problems.append(
                Problem(
                    "The server is a replica and does not log what it takes over from its primary.",
                    f"Put log_slave_updates=ON into {self._source.section} of its configuration file and "
                    "restart it.",
                )
            )
        return not filtered

    def _is_on(self, statement: str) -> bool:
        return any(str(row["Value"]).upper() == "ON" for row in self._rows(statement))

    def _check_retention(self) -> None:
        seconds = float(self._variables.get("binlog_expire_logs_seconds", "0") or 0)
        seconds = seconds or float(self._variables.get("expire_logs_days", "0") or 0) * 86400
        if 0 < seconds < SHORT_RETENTION_S:
            self._warnings.append(
                Problem(
                    f"The server keeps its binary log for only {seconds / 3600:.0f} hours: a site that is "
                    "off for longer has to read all tables anew.",
                    f"Raise binlog_expire_logs_seconds (or expire_logs_days) in {self._source.section} of "
                    "its configuration file, to a week if the disk allows.",
                )
            )

    def _fill_empty_log(self) -> None:
        """Have one transaction logged where the log has none: Debezium fails on an empty GTID position.

        FLUSH STATUS is logged (MariaDB's documentation, "FLUSH"), needs only RELOAD, which Debezium needs
        anyway, and resets no more than the server's counters.
        """
        position = "SELECT @@GLOBAL.gtid_binlog_pos"
        if self._value(position):
            return
        if self._refused("FLUSH STATUS"):
            return  # without RELOAD, which _check_privileges has said
        if self._value(position):
            return
        self._problems.append(
            Problem(
                "The server's binary log is still empty, which Debezium cannot start from.",
                "Let OpenMRS write something, or run on the server as an administrator: CREATE DATABASE "
                "ozone_first_entry; DROP DATABASE ozone_first_entry;",
            )
        )


def global_privileges(grants: list[str]) -> set[str]:
    """The privileges on `*.*` in the lines of SHOW GRANTS, by their present names."""
    held: set[str] = set()
    for line in grants:
        match = re.match(r"GRANT (.+?) ON \*\.\* TO ", line)
        if match:
            held.update(name.strip().upper() for name in match.group(1).split(","))
    if "REPLICATION REPLICA" in held:
        held.add("REPLICATION SLAVE")
    return held


def quoted(name: str) -> str:
    """A name as MySQL and MariaDB take it in a statement."""
    return "`" + name.replace("`", "``") + "`"


def listed(names: list[str]) -> str:
    """Names in a sentence, in their order."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def plural(names: list[str]) -> str:
    """The ending of a noun before these names."""
    return "" if len(names) == 1 else "s"


def _names(value: object) -> set[str]:
    return {name.strip() for name in str(value or "").split(",") if name.strip()}
