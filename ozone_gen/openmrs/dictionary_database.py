"""Read the dictionary from the source database itself, in one snapshot, without changing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ozone_gen.diagnostics import Diagnostic, OutputError, OzoneError, Position, codes
from ozone_gen.openmrs.tables import DICTIONARY_TABLES, Kind, Table
from ozone_gen.openmrs.vocabulary import Row, Vocabulary, vocabulary, without_collection

if TYPE_CHECKING:
    from pymysql.connections import Connection

_PATIENCE: Final = 10  # seconds to connect
_LONGEST_WAIT: Final = 300  # seconds for rows
_AT_ONCE: Final = 10_000  # rows
_PROPERTIES: Final = ("concept.true", "concept.false")

# https://mariadb.com/kb/en/mariadb-error-code-reference/
_ACCESS_DENIED: Final = (1044, 1045, 1698)
_NO_DATABASE: Final = 1049
_NOT_ALLOWED: Final = (1142, 1143)


@dataclass(frozen=True)
class DatabaseAddress:
    """Where an OpenMRS database is, and as whom to read it. The password is in no text of it."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str

    def __str__(self) -> str:
        return f"{self.database} at {self.host}:{self.port}"


def tables_to_read() -> int:
    """How many steps `vocabulary_of_database` tells."""
    return len(DICTIONARY_TABLES)


def vocabulary_of_database(address: DatabaseAddress, advance: Callable[[int], None] | None = None) -> Vocabulary:
    """Read the dictionary from MariaDB or MySQL, as it is at one moment.

    `advance` is told each table that was read.

    Raises:
        OutputError: the server does not answer, or does not let the user in.
        OzoneError: the database lacks tables or columns.
    """
    with snapshot(address) as connection, without_collection():
        require_tables(columns_by_table(connection, address), DICTIONARY_TABLES, address)
        tables = {}
        for table in DICTIONARY_TABLES.values():
            tables[table.name] = _rows(connection, table)
            if advance:
                advance(1)
        return vocabulary(tables, f"the database {address}")


@contextmanager
def snapshot(address: DatabaseAddress) -> Iterator[Connection[Any]]:
    """A connection that sees the database as it is now, and may write nothing. What fails is an OutputError."""
    import pymysql

    try:
        connection = pymysql.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            database=address.database,
            charset="utf8mb4",
            connect_timeout=_PATIENCE,
            read_timeout=_LONGEST_WAIT,
            autocommit=True,
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            yield connection
        finally:
            connection.close()
    except (pymysql.MySQLError, OSError) as error:
        raise OutputError(_unreachable(address, error)) from None
    except RuntimeError as error:
        # An account of MySQL's own kind, and a server without TLS.
        if "cryptography" not in str(error):
            raise
        message = f"{address} has no TLS, without which this user's password cannot be sent safely"
        hint = "turn TLS on at the server, or give a dump by --dump"
        raise OutputError(codes.DatabaseUnreachable.at(Position(str(address)), message, hint=hint)) from None


def _unreachable(address: DatabaseAddress, error: Exception) -> Diagnostic:
    number, words = (*error.args, "", "")[:2]
    position = Position(str(address))
    hint = "is its name another one on this machine? see --host and --port; or give a dump by --dump"
    if number in _ACCESS_DENIED:
        message = f"the server does not let the user {address.user} in"
        hint = "check --user and the password in the variable that ozone.yaml names"
    elif number == _NO_DATABASE:
        message = f"the server has no database {address.database}"
        hint = "correct `database` in ozone.yaml"
    elif number in _NOT_ALLOWED:
        message = f"the user {address.user} may not read the dictionary: {words}"
        hint = f"as the server's administrator: GRANT SELECT ON {address.database}.* TO {address.user}"
    else:
        message = f"the database cannot be read: {words or error}"
    return codes.DatabaseUnreachable.at(position, message, hint=hint)


def columns_by_table(connection: Connection[Any], address: DatabaseAddress) -> Mapping[str, frozenset[str]]:
    """The columns of every table of the database that the user may read."""
    present: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s",
            (address.database,),
        )
        for table, column in cursor.fetchall():
            present.setdefault(table.lower(), set()).add(column.lower())
    return {table: frozenset(columns) for table, columns in present.items()}


def require_tables(
    present: Mapping[str, frozenset[str]], tables: Mapping[str, Table], address: DatabaseAddress
) -> None:
    """Raise OzoneError with what the database lacks of `tables`."""
    position = Position(str(address))
    findings = []
    absent = [name for name in tables if name not in present]
    if absent:
        message = f"the database has no table {', '.join(absent)}, or {address.user} may not read it"
        hint = f"is {address.database} the OpenMRS database? it shows {len(present)} tables"
        findings.append(codes.MissingSourceTable.at(position, message, hint=hint))
    for name, table in tables.items():
        missing = [each.name for each in table.columns if each.name not in present.get(name, (each.name,))]
        if missing:
            message = f"the database's table {name} has no column {', '.join(missing)}"
            hint = "is it an OpenMRS database of platform 2.0 or newer?"
            findings.append(codes.MissingSourceColumn.at(position, message, path=f"{name}.{missing[0]}", hint=hint))
    if findings:
        raise OzoneError(findings)


def stream(connection: Connection[Any], table: Table) -> Iterator[list[dict[str, Any]]]:
    """Every row of a table, some thousands at a time, without keeping them all."""
    from pymysql.cursors import SSCursor

    columns = ", ".join(f"`{column.name}`" for column in table.columns)
    with connection.cursor(SSCursor) as cursor:
        cursor.execute(f"SELECT {columns} FROM `{table.name}`")
        while rows := cursor.fetchmany(_AT_ONCE):
            yield _by_column(table, rows)


def _rows(connection: Connection[Any], table: Table) -> list[Row]:
    columns = ", ".join(f"`{column.name}`" for column in table.columns)
    # Other global properties may be secrets of the server.
    condition = " WHERE `property` IN (%s, %s)" if table.name == "global_property" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM `{table.name}`{condition}", _PROPERTIES if condition else None)
        return [*_by_column(table, cursor.fetchall())]


def _by_column(table: Table, rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    names = [column.name for column in table.columns]
    booleans = [column.name for column in table.columns if column.kind is Kind.BOOLEAN]
    made = [dict(zip(names, row, strict=True)) for row in rows]
    for name in booleans:
        for row in made:
            if isinstance(row[name], bytes):  # BIT(1)
                row[name] = int.from_bytes(row[name], "big")
    return made
