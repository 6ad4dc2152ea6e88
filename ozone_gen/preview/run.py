"""A preview from beginning to end: events, Flink, Parquet."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

from ozone_gen.diagnostics import Diagnostic, OutputError, Position, codes
from ozone_gen.flattening.declared import TablePlan
from ozone_gen.flattening.flink import source_tables
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.openmrs.dump import DumpSummary, read_dump, read_dump_text
from ozone_gen.openmrs.tables import Table
from ozone_gen.preview.flink import run_flink
from ozone_gen.preview.java import find_java, require_flink
from ozone_gen.preview.occurrence import READ, Occurrence, occurrences
from ozone_gen.preview.results import CellCounts, PreviewTable, read_counts, write_parquet
from ozone_gen.resources import flink_jobs

_PIECE: Final = 1 << 20


class Stage(StrEnum):
    """What a preview is doing."""

    READING = "reading the data"
    STARTING = "starting Flink"
    FLATTENING = "flattening"
    WRITING = "writing Parquet"


class Stages(Protocol):
    """Whoever wants to follow a preview."""

    def stage(self, stage: Stage, total: int | None) -> AbstractContextManager[Callable[[int], None]]:
        """Enter a stage: gives what is to be called with each step done, of `total` where that is known."""


@dataclass(frozen=True)
class Counting:
    """What to count observations by.

    Attributes:
        plans: the own tables.
        tables: the companion of each (see flattening.counting).
        schema: the tables that the source has, by name.
    """

    plans: tuple[TablePlan, ...]
    tables: tuple[FlattenedTable, ...]
    schema: Mapping[str, Table]


@dataclass(frozen=True)
class Preview:
    """What came of it.

    Attributes:
        tables: the tables.
        source_rows: rows by source table.
        seconds: how long each stage took.
        warnings: what to warn about in the data as such.
        cells: by own table and column, how many observations stand behind its cells.
        occurrences: by reference to a concept, where it occurs in the data.
    """

    tables: tuple[PreviewTable, ...]
    source_rows: Mapping[str, int]
    seconds: Mapping[Stage, float]
    warnings: tuple[Diagnostic, ...]
    cells: Mapping[str, Mapping[str, CellCounts]] = field(default_factory=dict)
    occurrences: Mapping[str, Occurrence] = field(default_factory=dict)


def run_preview(
    job_files: Mapping[str, bytes],
    tables: Sequence[FlattenedTable],
    data: Path | bytes,
    out: Path,
    stages: Stages,
    *,
    rows: int = 5,
    database: str | None = None,
    counting: Counting | None = None,
) -> Preview:
    """Flatten a database into `out`/TABLE.parquet, one file for each table.

    Args:
        job_files: what preview.job_files made of `tables` and those of `counting`. tables: the flattened tables, in the
        order of the result. data: the path of a dump, or the text of one. out: the folder of the Parquet files; made
        where it is missing. Files of other names in it are left alone. stages: is told what is going on.
        rows: how many rows of each table to return. database: the one to take where the dump has several.
        counting: what to count observations by; without it there are no `cells` and `occurrences`.

    Raises:
        OzoneError: the dump cannot be used; see read_dump. OutputError: PyFlink or Java is missing, Flink
        fails (its log is `out`/flink.log then), `out` cannot be
            written.
    """
    require_flink()
    java = find_java(os.environ)
    with _work_folder(out) as work, _Clock(stages) as clock:
        for path, content in job_files.items():
            file = work / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        companions = counting.tables if counting else ()
        sources = {table.name: table for table in source_tables([*tables, *companions])}
        if counting:
            sources |= {name: counting.schema[name] for name in READ}
        summary = _read_events(clock, sources.values(), data, work / "events", database)
        clock.enter(Stage.STARTING)
        run_flink(
            flink_jobs() / "flatten.py",
            work,
            out / "flink.log",
            java,
            input_bytes=sum(path.stat().st_size for path in (work / "events").glob("*/*")),
            started=lambda: clock.enter(Stage.FLATTENING),
        )
        advance = clock.enter(Stage.WRITING, len(tables))
        filled: list[PreviewTable] = []
        for table in tables:
            result = work / "result" / table.name
            filled.append(write_parquet(table, result, out / f"{table.name}.parquet", sample=rows))
            advance(1)
        cells, occurring = _counted(counting, work) if counting else ({}, {})
    seconds = MappingProxyType(clock.seconds)
    return Preview(tuple(filled), summary.rows, seconds, summary.warnings, cells, occurring)


def _counted(
    counting: Counting, work: Path
) -> tuple[Mapping[str, Mapping[str, CellCounts]], Mapping[str, Occurrence]]:
    cells = {
        plan.name: read_counts(table, [column.name for column in plan.columns], work / "result" / table.name)
        for plan, table in zip(counting.plans, counting.tables, strict=True)
    }
    mapped = {concept for plan in counting.plans for column in plan.columns for concept in column.concepts}
    return cells, occurrences(work / "events", mapped)


def _read_events(
    clock: _Clock, sources: Collection[Table], data: Path | bytes, events: Path, database: str | None
) -> DumpSummary:
    if isinstance(data, Path):
        size = data.stat().st_size if data.is_file() else None
        return read_dump(data, sources, events, clock.enter(Stage.READING, size), database=database)
    advance = clock.enter(Stage.READING, len(data))

    def pieces() -> Iterator[bytes]:
        for at in range(0, len(data), _PIECE):
            piece = data[at : at + _PIECE]
            yield piece
            advance(len(piece))

    return read_dump_text(pieces(), sources, events, name="demo data", database=database)


@contextmanager
def _work_folder(out: Path) -> Iterator[Path]:
    """A folder for what a run needs and nobody afterwards, such as the events: they are data of patients.

    It stands in `out` because that is where there has to be room. A failure of the operating system within
    becomes an OutputError.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Absolute and without links: Flink runs in another folder, and so must its paths.
        work = Path(tempfile.mkdtemp(prefix=".preview-", dir=out.resolve()))
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        place = str(error.filename or out)
        raise OutputError(
            codes.CannotWrite.at(Position(place), f"cannot write: {error.strerror or error}")
        ) from error


class _Clock:
    """Leads through the stages, one at a time, and measures them."""

    def __init__(self, stages: Stages) -> None:
        self.seconds: dict[Stage, float] = {}
        self._stages = stages
        self._current = ExitStack()

    def __enter__(self) -> _Clock:
        return self

    def __exit__(self, *_: object) -> None:
        self._current.close()

    def enter(self, stage: Stage, total: int | None = None) -> Callable[[int], None]:
        """Leave the current stage for this one."""
        self._current.close()
        start = time.monotonic()

        def measure() -> None:
            self.seconds[stage] = time.monotonic() - start

        self._current.callback(measure)
        return self._current.enter_context(self._stages.stage(stage, total))
