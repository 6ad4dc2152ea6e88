"""A preview from beginning to end: events, Flink, Parquet."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

from ozone_gen.diagnostics import Diagnostic, OutputError, Position, codes
from ozone_gen.flattening.flink import source_tables
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.openmrs.dump import DumpSummary, read_dump, read_dump_text
from ozone_gen.openmrs.tables import TABLES
from ozone_gen.preview.flink import run_flink
from ozone_gen.preview.java import find_java, require_flink
from ozone_gen.preview.results import PreviewTable, write_parquet
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
class Preview:
    """What came of it: the tables, rows by source table, seconds by stage, and what to warn about."""

    tables: tuple[PreviewTable, ...]
    source_rows: Mapping[str, int]
    seconds: Mapping[Stage, float]
    warnings: tuple[Diagnostic, ...]


def run_preview(
    job_files: Mapping[str, bytes],
    tables: Sequence[FlattenedTable],
    data: Path | bytes,
    out: Path,
    stages: Stages,
    *,
    rows: int = 5,
    database: str | None = None,
) -> Preview:
    """Flatten a database into `out`/TABLE.parquet, one file for each table.

    Args:
        job_files: what preview.job_files made of `tables`. tables: the flattened tables, in the order of
        the result. data: the path of a dump, or the text of one. out: the folder of the Parquet files; made
        where it is missing. Files of other names in it are left alone. stages: is told what is going on.
        rows: how many rows of each table to return. database: the one to take where the dump has several.

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
        summary = _read_events(clock, tables, data, work / "events", database)
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
    return Preview(tuple(filled), summary.rows, MappingProxyType(clock.seconds), summary.warnings)


def _read_events(
    clock: _Clock, tables: Sequence[FlattenedTable], data: Path | bytes, events: Path, database: str | None
) -> DumpSummary:
    sources = [TABLES[name] for name in source_tables(tables)]
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
