"""Count the observations of a dump or of a database.

The few columns that matter go into a database of SQLite's on disk while they are read, and are counted there: memory
stays the same for any number of observations, whatever their order, and a clinic's server only reads its tables once.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from ozone_gen.diagnostics import Diagnostic, OutputError, OzoneError, Position, codes
from ozone_gen.openmrs.dictionary_database import (
    DatabaseAddress,
    columns_by_table,
    require_tables,
    snapshot,
    stream,
)
from ozone_gen.openmrs.dump import read_dump
from ozone_gen.openmrs.dump_text import read_pieces
from ozone_gen.openmrs.tables import Table, newest_table, releases_of
from ozone_gen.suggest.usage import ConceptUsage, RowUsage, Usage, most_used_first

_CACHE: Final = 64 << 10  # KiB of memory that SQLite may use
_COLUMNS: Final = {
    "obs": ("obs_id", "encounter_id", "concept_id", "obs_group_id", "value_coded", "voided"),
    "encounter": ("encounter_id", "encounter_type", "form_id", "patient_id", "voided"),
    "patient": ("patient_id", "voided"),
}
COUNTED_TABLES: Final = MappingProxyType(
    {
        name: Table(name, newest_table(name).primary_key, tuple(map(newest_table(name).column, columns)))
        for name, columns in _COLUMNS.items()
    }
)
"""The tables that are read to count observations, with the columns that it takes."""

_Key = TypeVar("_Key", bound=Hashable)

# `cell`: a concept in a row. Each index has all that is asked for, in the order in which it is grouped.
_PREPARE: Final = """
DELETE FROM encounter WHERE patient_id NOT IN (SELECT patient_id FROM patient);
DELETE FROM obs WHERE encounter_id IS NOT NULL AND encounter_id NOT IN (SELECT encounter_id FROM encounter);
CREATE INDEX obs_of_encounter ON obs (encounter_id, concept_id, value_coded);
CREATE INDEX obs_of_group ON obs (obs_group_id, concept_id, value_coded) WHERE obs_group_id IS NOT NULL;
"""
_ENCOUNTERS: Final = "SELECT encounter_type, form_id, COUNT(*) FROM encounter GROUP BY encounter_type, form_id"
_IN_ENCOUNTERS: Final = """
SELECT e.encounter_type, e.form_id, cell.concept_id, COUNT(*), SUM(cell.n), SUM(cell.n > 1), MAX(cell.n)
FROM (
  SELECT encounter_id, concept_id, COUNT(*) AS n
  FROM obs WHERE encounter_id IS NOT NULL GROUP BY encounter_id, concept_id
) cell
JOIN encounter e ON e.encounter_id = cell.encounter_id
GROUP BY e.encounter_type, e.form_id, cell.concept_id
"""
_ANSWERS_IN_ENCOUNTERS: Final = """
SELECT DISTINCT e.encounter_type, e.form_id, o.concept_id, o.value_coded
FROM obs o JOIN encounter e ON e.encounter_id = o.encounter_id
WHERE o.value_coded IS NOT NULL
"""
# A concept groups where any observation of it has members; then each observation of it is a row.
_GROUPS: Final = """
SELECT concept_id, COUNT(*) FROM obs
WHERE concept_id IN (SELECT DISTINCT g.concept_id FROM obs m JOIN obs g ON g.obs_id = m.obs_group_id)
GROUP BY concept_id
"""
_IN_GROUPS: Final = """
SELECT g.concept_id, cell.concept_id, COUNT(*), SUM(cell.n), SUM(cell.n > 1), MAX(cell.n)
FROM (
  SELECT obs_group_id, concept_id, COUNT(*) AS n
  FROM obs WHERE obs_group_id IS NOT NULL GROUP BY obs_group_id, concept_id
) cell
JOIN obs g ON g.obs_id = cell.obs_group_id
GROUP BY g.concept_id, cell.concept_id
"""
_ANSWERS_IN_GROUPS: Final = """
SELECT DISTINCT g.concept_id, o.concept_id, o.value_coded
FROM obs o JOIN obs g ON g.obs_id = o.obs_group_id
WHERE o.value_coded IS NOT NULL AND o.obs_group_id IS NOT NULL
"""
_TOTALS: Final = "SELECT COUNT(*), COUNT(*) - COUNT(encounter_id) FROM obs"


@dataclass(frozen=True)
class Counted:
    """What was found out about a database.

    Attributes:
        usage: what was counted.
        platforms: the platform versions that it may be of, oldest first; none where none fits.
        modules: its modules that bring tables which are known here.
        engine: its server, as ozone.yaml calls it.
        warnings: about what was read.
    """

    usage: Usage
    platforms: tuple[str, ...]
    modules: tuple[str, ...]
    engine: str = "mariadb"
    warnings: tuple[Diagnostic, ...] = ()


def usage_of_dump(
    path: Path, advance: Callable[[int], None] | None = None, *, database: str | None = None
) -> Counted:
    """Count the observations of a dump, plain or compressed by gzip.

    `advance` is told the number of bytes read from the file since the last call. `database` is taken where the
    dump holds several OpenMRS databases.

    Raises OzoneError where the file is no dump, ends too early, lacks a table or column that is counted, or has no
    observations; OutputError where there is no room for what is read.
    """
    with _rows_of(str(path)) as rows:
        summary = read_dump(path, COUNTED_TABLES.values(), rows, advance, database=database)
        # MariaDB's own program called itself mysqldump for years, and named MariaDB further on.
        start = next(read_pieces(path, None), b"")[:4096]
        engine = "mysql" if b"MySQL dump" in start and b"MariaDB" not in start else "mariadb"
        return Counted(rows.usage(str(path)), *releases_of(summary.columns), engine, summary.warnings)


def usage_of_database(address: DatabaseAddress, advance: Callable[[int], None] | None = None) -> Counted:
    """Count the observations of MariaDB or MySQL, as they are at one moment.

    `advance` is told the number of rows read since the last call.

    Raises OutputError where the server does not answer, or there is no room for what is read; OzoneError where the
    database lacks a table or column that is counted, or has no observations.
    """
    with _rows_of(str(address)) as rows, snapshot(address) as connection:
        columns = columns_by_table(connection, address)
        require_tables(columns, COUNTED_TABLES, address)
        for table in COUNTED_TABLES.values():
            rows.start(None, table)
            for read in stream(connection, table):
                rows.insert(None, table, read)
                if advance is not None:
                    advance(len(read))
        rows.keep(None, COUNTED_TABLES.values())
        with connection.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            engine = "mariadb" if "MariaDB" in str(cursor.fetchone()) else "mysql"
        return Counted(rows.usage(str(address)), *releases_of(columns), engine)


@contextmanager
def _rows_of(origin: str) -> Iterator[_Rows]:
    """Where rows are kept until they are counted."""
    rows = _Rows()
    try:
        yield rows
    except _NoRoom as error:
        message = f"no room to count the observations: {error}"
        hint = "the variable SQLITE_TMPDIR names a folder with room"
        raise OutputError(codes.CannotWrite.at(Position(origin), message, hint=hint)) from None
    finally:
        rows.drop()


class _NoRoom(Exception):
    """SQLite could not do what it was asked for, since the system refused; no OSError, which others may catch."""


class _Rows:
    """Keeps what is not voided of the counted tables, each database of the dump as one of SQLite's."""

    def __init__(self) -> None:
        self._databases: dict[str | None, sqlite3.Connection] = {}
        self._kept: sqlite3.Connection | None = None

    def start(self, database: str | None, table: Table) -> None:
        """Begin with a table."""
        if database not in self._databases:
            # No name: a file that SQLite makes where temporary files are, and that ends with the connection.
            self._databases[database] = connection = sqlite3.connect("", isolation_level=None)
            connection.executescript(f"PRAGMA cache_size = -{_CACHE}; PRAGMA journal_mode = OFF; BEGIN")
        key, *columns = (column for column in _COLUMNS[table.name] if column != "voided")
        declared = ", ".join([f"{key} INTEGER PRIMARY KEY", *columns])
        with _room():
            self._databases[database].execute(f"DROP TABLE IF EXISTS {table.name}")
            self._databases[database].execute(f"CREATE TABLE {table.name} ({declared})")

    def add(self, database: str | None, table: Table, events: bytes) -> None:
        """Add the rows that are not voided."""
        if events:
            # Parsed in one go: a call for each line would take twice as long.
            self.insert(database, table, json.loads(b"[" + events[:-1].replace(b"\n", b",") + b"]"))

    def insert(self, database: str | None, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add the rows that are not voided."""
        values = ", ".join(f":{column}" for column in _COLUMNS[table.name] if column != "voided")
        with _room():
            self._databases[database].executemany(
                f"INSERT OR REPLACE INTO {table.name} VALUES ({values})", (row for row in rows if not row["voided"])
            )

    def keep(self, database: str | None, tables: Iterable[Table]) -> None:
        """Count this database."""
        self._kept = self._databases[database]

    def close(self) -> None:
        """What is not kept goes with the rest: see `drop`."""

    def drop(self) -> None:
        """Remove everything."""
        for connection in self._databases.values():
            connection.close()

    def usage(self, origin: str) -> Usage:
        """Count what was kept. Raises OzoneError where there are no observations, about `origin`."""
        assert self._kept is not None, "everything is read"
        with _room():
            self._kept.executescript(_PREPARE)
            usage = _count(self._kept)
        if not usage.observations:
            message = "no observations are there, or all of them are voided, as such or with their encounter or patient"
            hint = "take the database of a clinic that has seen patients, with all its tables"
            raise OzoneError(codes.NoObservations.at(Position(origin), message, hint=hint))
        return usage


@contextmanager
def _room() -> Iterator[None]:
    """SQLite does what its SQL says unless the system refuses, as on a full disk."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _NoRoom(str(error)) from error


def _count(connection: sqlite3.Connection) -> Usage:
    def select(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    observations, outside = select(_TOTALS)[0]
    return Usage(
        _usages(
            {(kind, form): rows for kind, form, rows in select(_ENCOUNTERS)},
            (((kind, form), *counts) for kind, form, *counts in select(_IN_ENCOUNTERS)),
            (((kind, form), *answer) for kind, form, *answer in select(_ANSWERS_IN_ENCOUNTERS)),
        ),
        _usages(dict(select(_GROUPS)), select(_IN_GROUPS), select(_ANSWERS_IN_GROUPS)),
        observations,
        outside,
    )


def _usages(
    rows: dict[_Key, int], cells: Iterable[tuple[Any, ...]], answers: Iterable[tuple[Any, ...]]
) -> dict[_Key, RowUsage]:
    """Put together what was counted about rows of each key."""
    answered: dict[tuple[_Key, int], set[int]] = defaultdict(set)
    for key, concept, answer in answers:
        answered[key, concept].add(answer)
    concepts: dict[_Key, list[ConceptUsage]] = defaultdict(list)
    for key, concept, with_it, observations, several, most in cells:
        given = frozenset(answered.get((key, concept), ()))
        concepts[key].append(ConceptUsage(concept, with_it, observations, several, most, given))
    return {key: RowUsage(number, most_used_first(concepts.get(key, ()))) for key, number in rows.items()}
