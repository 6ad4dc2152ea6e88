"""Read the tables of a mysqldump or mariadb-dump file as the events that Debezium would have sent.

Statements of tables that are not wanted are skipped by one regular expression, without being parsed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ozone_gen.diagnostics import Diagnostic, OutputError, OzoneError, Position, codes
from ozone_gen.openmrs.dump_columns import NAME, DeclaredColumn, declared_columns, plain_name
from ozone_gen.openmrs.dump_rows import BadRow, RowReader
from ozone_gen.openmrs.dump_text import PIECE, DumpText, read_pieces
from ozone_gen.openmrs.event_store import PART as PART
from ozone_gen.openmrs.event_store import EventFolder, EventStore
from ozone_gen.openmrs.tables import Table

_LOOKAHEAD: Final = 4096  # bytes; more than the longest start of a statement
_START: Final = re.compile(
    rb"(?P<blank>\s++|;)"
    rb"|(?P<line>(?:--(?=\s)|#))"
    rb"|(?P<comment>/\*)"
    # What the dump program said on its error output, where that went into the same file.
    rb"|(?P<noise>(?:mysqldump|mariadb-dump|Enter password|Warning)\b)"
    rb"|(?P<delimiter>DELIMITER[ \t]++)"
    rb"|(?P<create>CREATE\s++TABLE\s++(?:IF\s++NOT\s++EXISTS\s++)?)"
    rb"|(?P<insert>(?:INSERT|REPLACE)\s++(?:(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE)\s++)*(?:INTO\s++)?)"
    rb"|(?P<use>USE\s++)"
    rb"|(?P<other>(?:SET|CREATE|DROP|ALTER|LOCK|UNLOCK|START|COMMIT|BEGIN|ROLLBACK|GRANT|FLUSH|CHANGE|ANALYZE"
    rb"|CALL|DELETE|TRUNCATE|UPDATE|SELECT|WITH|PREPARE|EXECUTE|DEALLOCATE|OPTIMIZE|RENAME|INSTALL|XA)\b)",
    re.IGNORECASE,
)
_DATABASE: Final = re.compile(NAME)
_TABLE: Final = re.compile(rb"(?:(" + NAME + rb")\s*+\.\s*+)?(" + NAME + rb")\s*+")
_VALUES: Final = re.compile(rb"(?:\(([^)]*+)\)\s*+)?VALUES?\b\s*+(?=\()", re.IGNORECASE)
_SET_NAMES: Final = re.compile(rb"(?:/\*M?![0-9]*+\s*+)?SET\s++NAMES\s++['\"]?(\w++)", re.IGNORECASE)
_NOTES_OFF: Final = re.compile(rb"@OLD_(?:SQL_NOTES|NOTE_VERBOSITY)\s*+=\s*+@@")
_NOTES_ON: Final = re.compile(rb"=\s*+@OLD_(?:SQL_NOTES|NOTE_VERBOSITY)\b")
_CHARSETS: Final = {
    b"utf8": "utf-8",
    b"utf8mb3": "utf-8",
    b"utf8mb4": "utf-8",
    b"ascii": "utf-8",
    b"binary": "utf-8",
    b"latin1": "cp1252",
}
_HOW_TO_DUMP: Final = "make one with: mariadb-dump --single-transaction --result-file=openmrs.sql openmrs"


@dataclass(frozen=True)
class DumpSummary:
    """What was read.

    Attributes:
        rows: how many, by table.
        database: the name of their database; None where the dump has none.
        warnings: about damaged text.
        columns: the columns of every table of that database, wanted or not.
    """

    rows: Mapping[str, int]
    database: str | None
    warnings: tuple[Diagnostic, ...]
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass
class _Found:
    """A wanted table as far as the dump has told of it; `order` is empty until a CREATE TABLE came by."""

    table: Table
    line: int
    order: tuple[str, ...] = ()
    declared: Mapping[str, DeclaredColumn] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    rows: int = 0
    readers: dict[tuple[str, ...], RowReader] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    damaged_at: Position | None = None

    def lacking(self, columns: Iterable[str]) -> tuple[str, ...]:
        present = frozenset(columns)
        return tuple(column.name for column in self.table.columns if column.name not in present)


def read_dump(
    path: Path,
    tables: Iterable[Table],
    out: Path | EventStore,
    advance: Callable[[int], None] | None = None,
    *,
    database: str | None = None,
) -> DumpSummary:
    """Write the rows of `tables` in the dump at `path` to `out`/TABLE/part-0.json, one event a line; or to a store.

    The dump may be compressed by gzip. `advance` is told the number of bytes read from the file since the
    last call; they add up to the file's size. `database` is taken where the dump holds several OpenMRS
    databases.

    Raises OzoneError, and leaves nothing in `out`, where the file is no dump, ends too early, has not all
    of the tables and columns, or has a row that cannot be read; OutputError where `out` cannot be written.
    """
    return read_dump_text(read_pieces(path, advance), tables, out, name=str(path), database=database)


def read_dump_text(
    pieces: Iterable[bytes],
    tables: Iterable[Table],
    out: Path | EventStore,
    *,
    name: str,
    database: str | None = None,
) -> DumpSummary:
    """Do as `read_dump` with the text of a dump, in pieces of any size; findings call it `name`."""
    store = EventFolder(out) if isinstance(out, Path) else out
    place = str(out) if isinstance(out, Path) else name
    reader = _Reader(DumpText(iter(pieces), name), {table.name: table for table in tables}, store, name)
    try:
        reader.read()
        return reader.deliver(database)
    except OSError as error:
        message = f"cannot write: {error.strerror or error}"
        raise OutputError(codes.CannotWrite.at(Position(str(error.filename or place)), message)) from None
    finally:
        store.close()


class _Reader:
    """Goes through the statements of a dump and keeps the rows of the wanted tables, each database apart."""

    def __init__(self, text: DumpText, tables: Mapping[str, Table], store: EventStore, name: str) -> None:
        self._text = text
        self._tables = tables
        self._store = store
        self._name = name
        self._database: str | None = None
        self._found: dict[str | None, dict[str, _Found]] = {}
        self._columns: dict[str | None, dict[str, frozenset[str]]] = {}
        self._tables_seen = 0
        self._charset = "utf-8"
        self._still_to_come = ""  # what a complete dump would say before its end

    def read(self) -> None:
        """Go through the whole text. Raises OzoneError."""
        text = self._text
        first = True
        while text.look_ahead(_LOOKAHEAD):
            start = _START.match(text.data, text.at)
            if start is None:
                raise OzoneError(self._no_statement(first=first))
            match start.lastgroup:
                case "blank":
                    text.at = start.end()
                case "line":
                    self._read_comment_line()
                case "noise":
                    self._read_noise()
                case "comment":
                    self._read_comment()
                case kind:
                    first = False
                    self._read_statement(kind, start.end())
        if self._still_to_come:
            raise OzoneError(text.truncated(f"without {self._still_to_come}"))

    def _no_statement(self, *, first: bool) -> Diagnostic:
        text = self._text
        shown = text.data[text.at : text.at + 30].split(b"\n")[0].decode("utf-8", "backslashreplace")
        if first:
            message = f"this is no dump of MariaDB or MySQL: it starts with {shown!r}"
            return codes.NotADump.at(text.position(), message, hint=_HOW_TO_DUMP)
        return codes.BadDumpRow.at(text.position(), f"no SQL statement starts here: {shown!r}")

    def _read_comment_line(self) -> None:
        end = self._text.line_end()
        line = self._text.data[self._text.at : end]
        if line.startswith((b"-- MySQL dump", b"-- MariaDB dump")):
            self._still_to_come = "'-- Dump completed'"
        elif line.startswith(b"-- Dump completed"):
            self._still_to_come = ""
        elif line.startswith(b"-- PostgreSQL database"):
            position = self._text.position()
            raise OzoneError(codes.NotADump.at(position, "this is a dump of PostgreSQL", hint=_HOW_TO_DUMP))
        self._text.at = end

    def _read_noise(self) -> None:
        end = self._text.line_end()
        line = self._text.data[self._text.at : end].decode("utf-8", "backslashreplace").strip()
        if "error" in line.lower():
            raise OzoneError(self._text.truncated(f"with {line!r}"))
        self._text.at = end

    def _read_comment(self) -> None:
        text = self._text
        while (end := text.data.find(b"*/", text.at)) < 0:
            text.grow("a comment")
        content = text.data[text.at : min(end, text.at + _LOOKAHEAD)]
        if _NOTES_OFF.search(content):
            self._still_to_come = self._still_to_come or "switching the server's notes back on"
        elif _NOTES_ON.search(content) and self._still_to_come.startswith("switching"):
            self._still_to_come = ""
        self._read_charset()
        text.at = end + 2

    def _read_charset(self) -> None:
        named = _SET_NAMES.match(self._text.data, self._text.at)
        if named is None:
            return
        charset = named[1].lower()
        if charset not in _CHARSETS:
            message = f"the dump's character set {charset.decode('utf-8', 'replace')} is not read here"
            hint = "dump with --default-character-set=utf8mb4"
            raise OzoneError(codes.NotADump.at(self._text.position(), message, hint=hint))
        self._charset = _CHARSETS[charset]

    def _read_statement(self, kind: str | None, behind: int) -> None:
        """Read the statement that starts here; `behind` its first words its names begin."""
        match kind:
            case "delimiter":
                self._text.skip_routines()
            case "insert":
                self._read_insert(behind)
            case "create":
                self._read_create(behind)
            case _:
                self._read_charset()
                named = _DATABASE.match(self._text.data, behind) if kind == "use" else None
                if named:
                    self._database = plain_name(named[0])
                self._text.skip_statement()

    def _named_table(self, behind: int) -> tuple[str | None, str, Table | None, int]:
        """The database, the table's name, the table if it is wanted, and how far behind the start its name ends."""
        named = _TABLE.match(self._text.data, behind)
        if named is None:
            return self._database, "", None, 0
        name = plain_name(named[2])
        database = plain_name(named[1]) if named[1] else self._database
        table = self._tables.get(name) or self._tables.get(name.lower())
        return database, name, table, named.end() - self._text.at

    def _read_create(self, behind: int) -> None:
        text = self._text
        self._tables_seen += 1
        database, name, table, offset = self._named_table(behind)
        if text.data[text.at + offset : text.at + offset + 1] != b"(":
            text.skip_statement()
            return
        start = text.position()
        end = text.statement_end(f"the CREATE TABLE of {name}")
        columns = declared_columns(text.data[text.at + offset : end])
        self._columns.setdefault(database, {})[name.lower()] = frozenset(column.name.lower() for column in columns)
        if table is None:
            text.at = end + 1
            return
        found = self._start(database, table, start.line)
        found.order = tuple(column.name for column in columns)
        found.declared = {column.name: column for column in columns}
        found.missing = found.lacking(found.declared)
        text.at = end + 1

    def _start(self, database: str | None, table: Table, line: int) -> _Found:
        """Begin to gather a table's rows; those of an earlier dump in the same text are dropped."""
        self._store.start(database, table)
        found = _Found(table, line)
        self._found.setdefault(database, {})[table.name] = found
        return found

    def _read_insert(self, behind: int) -> None:
        text = self._text
        database, _, table, offset = self._named_table(behind)
        if table is None:
            text.skip_statement()
            return
        while (values := _VALUES.match(text.data, text.at + offset)) is None:
            if len(text.data) - text.at > PIECE:
                message = f"an INSERT into {table.name} without VALUES"
                raise OzoneError(codes.BadDumpRow.at(text.position(), message))
            text.grow(f"an INSERT into {table.name}")
        found = self._found.get(database, {}).get(table.name)
        found = found or self._start(database, table, text.position().line)
        listed = values[1]
        order = found.order if listed is None else tuple(plain_name(name) for name in listed.split(b","))
        if not order:
            message = f"the columns of {table.name} are unknown: no CREATE TABLE came before its rows"
            hint = "dump without --no-create-info, or with --complete-insert"
            raise OzoneError(codes.BadDumpRow.at(text.position(), message, hint=hint))
        found.missing = found.lacking([*order, *found.declared])
        if found.missing:
            text.skip_statement()
            return
        if order not in found.readers:
            found.readers[order] = RowReader(table, order, found.declared)
        text.at = values.end()
        self._read_rows(database, found, found.readers[order])

    def _read_rows(self, database: str | None, found: _Found, reader: RowReader) -> None:
        text = self._text
        ended = False
        while not ended:
            start = text.position()
            try:
                text.at, ended = reader.read(text.data, text.at)
            except BadRow as bad:
                text.at = bad.at
                message = f"cannot read a row of {found.table.name}: {bad}"
                raise OzoneError(codes.BadDumpRow.at(text.position(), message)) from None
            found.rows += len(reader.lines)
            events, damaged = reader.finish(self._charset)
            self._store.add(database, found.table, events)
            if damaged:
                found.damaged += damaged
                found.damaged_at = found.damaged_at or start
            if not ended:
                text.grow(f"a row of {found.table.name}")
        if text.data[text.at - 1 : text.at] != b";":
            text.skip_statement()

    def deliver(self, wanted: str | None) -> DumpSummary:
        """Keep the tables of the OpenMRS database.

        Raises OzoneError where there is none, or several and `wanted` is none of them.
        """
        complete = [
            name
            for name, tables in self._found.items()
            if len(tables) == len(self._tables) and not any(found.missing for found in tables.values())
        ]
        if wanted in complete:
            complete = [wanted]
        if not complete:
            raise OzoneError(self._shortfalls())
        if len(complete) > 1:
            message = f"the dump holds several OpenMRS databases: {', '.join(map(str, complete))}"
            hint = "dump one of them alone, or name it as the source's `database` in ozone.yaml"
            raise OzoneError(codes.AmbiguousDatabase.at(Position(self._name), message, hint=hint))
        tables = self._found[complete[0]]
        self._store.keep(complete[0], self._tables.values())
        rows = {name: tables[name].rows for name in self._tables}
        warnings = tuple(self._damage(found) for found in tables.values() if found.damaged)
        columns = MappingProxyType(self._columns.get(complete[0], {}))
        return DumpSummary(MappingProxyType(rows), complete[0], warnings, columns)

    def _damage(self, found: _Found) -> Diagnostic:
        shown = ", ".join(found.damaged[:5]) + (", ..." if len(found.damaged) > 5 else "")
        return codes.DamagedText.at(
            found.damaged_at or Position(self._name),
            f"text that is not {self._charset} in {len(found.damaged)} rows of {found.table.name}:"
            f" {'/'.join(found.table.primary_key)} {shown}",
        )

    def _shortfalls(self) -> list[Diagnostic]:
        """What the database that comes closest lacks."""
        closest = max(self._found.values(), key=len, default={})
        findings = [
            codes.MissingSourceColumn.at(
                Position(self._name, found.line, 1),
                f"the dump's table {name} has no column {', '.join(found.missing)}",
                path=f"{name}.{found.missing[0]}",
                hint="is it a database of the `platform` version that ozone.yaml says?",
            )
            for name, found in closest.items()
            if found.missing
        ]
        absent = [name for name in self._tables if name not in closest]
        if absent:
            message = f"the dump has no table {', '.join(absent)}"
            hint = f"it has {self._tables_seen} tables: dump the whole OpenMRS database"
            findings.append(codes.MissingSourceTable.at(Position(self._name), message, hint=hint))
        return findings
