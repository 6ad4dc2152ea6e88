"""Where the rows of a dump go while it is read, before it is known which of its databases is the wanted one."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from ozone_gen.openmrs.tables import Table

PART: Final = "part-0.json"
"""The name of the file of events inside a table's folder."""


class EventStore(Protocol):
    """Keeps the events of each database of a dump apart. What the system refuses is an OSError."""

    def start(self, database: str | None, table: Table) -> None:
        """Begin with a table; what was added to it before is dropped."""

    def add(self, database: str | None, table: Table, events: bytes) -> None:
        """Add rows to a table that was begun: one JSON object a line, with the table's columns."""

    def keep(self, database: str | None, tables: Iterable[Table]) -> None:
        """The dump is complete: these tables of this database are wanted."""

    def close(self) -> None:
        """Drop what is not kept."""


class EventFolder:
    """Keeps the events of a table in `folder`/TABLE/part-0.json, where Flink reads them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str | None, dict[str, BinaryIO]] = {}

    def start(self, database: str | None, table: Table) -> None:
        """Begin with a table."""
        files = self._files.setdefault(database, {})
        if table.name in files:
            files[table.name].close()
        path = self._stage(database) / table.name / PART
        path.parent.mkdir(parents=True, exist_ok=True)
        files[table.name] = path.open("wb")

    def add(self, database: str | None, table: Table, events: bytes) -> None:
        """Add rows to a table."""
        self._files[database][table.name].write(events)

    def keep(self, database: str | None, tables: Iterable[Table]) -> None:
        """Move the files of these tables to where they belong."""
        for table in tables:
            self._files[database][table.name].close()
            (self._folder / table.name).mkdir(parents=True, exist_ok=True)
            (self._stage(database) / table.name / PART).replace(self._folder / table.name / PART)

    def close(self) -> None:
        """Close and remove the files that are not kept."""
        for database, files in self._files.items():
            for file in files.values():
                file.close()
            shutil.rmtree(self._stage(database), ignore_errors=True)

    def _stage(self, database: str | None) -> Path:
        return self._folder / f".database-{list(self._files).index(database)}"
