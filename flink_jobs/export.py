"""Export the flattened tables of a site as Parquet files.

    python3 -m flink_jobs.export --plan EXPORT.json --folder FOLDER

One Flink job, which flatten.py submits, reads PostgreSQL and writes the files; this program decides which parts of
which tables have to be read, checks what Flink wrote, and lets the export take its place as a whole.

Exit codes: 0 the export is complete, 1 it failed and the earlier one is as it was, 2 it could not start, 3 another
export or upload uses the folder.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psycopg

from flink_jobs.export_folder import BusyError, ExportFolder, sha256_of
from flink_jobs.export_plan import CONNECTION, Export, PartOfTable, Table, job_files, read_export
from flink_jobs.parquet_footer import NotParquetError, rows_of
from flink_jobs.sink_parts import Found, SinkTables

FLINK = "python3"
"""What runs flatten.py: PyFlink brings up a Flink in a process of its own, which ends with it."""

SHRINK_VARIABLE = "PARQUET_EXPORT_MAY_SHRINK"
_CONSIDERABLE = 1000
"""Rows from which on a table that lost more than half of them is taken for one that is being filled anew."""

_LOOKS = 60
"""How often the first export looks whether the tables have been filled, before it takes what is there."""

SETTINGS = {
    "table.local-time-zone": "UTC",
    "pipeline.object-reuse": "true",
    # A part is one task; as many run at a time as there are slots, so that memory is bounded by their number.
    "parallelism.default": "1",
    "taskmanager.numberOfTaskSlots": "2",
    "taskmanager.memory.managed.size": "16m",
    # What was read is nowhere else: a part that fails is read again, and then the export is given up.
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "2",
    "restart-strategy.fixed-delay.delay": "5 s",
}


class ExportError(Exception):
    """A fault that is said in a sentence or two and ends the program with `exit_code`."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass
class Progress:
    """What is known of the export under way."""

    found: dict[str, Mapping[int, Found]] = field(default_factory=dict)
    reused: dict[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)

    @property
    def rows(self) -> dict[str, int]:
        """The rows of each table."""
        return {table: sum(part.rows for part in parts.values()) for table, parts in self.found.items()}


class Flink:
    """The process that runs flatten.py. It may start before it is known what it has to read."""

    def __init__(self, command: Sequence[str]) -> None:
        """`command` runs a program in Python."""
        program = Path(__file__).with_name("flatten.py")
        self._command = [*command, str(program), "--job", "-", "--mode", "batch"]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Flink:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            # Where its work is done it has ended long since. Java ends with the one that started it.
            self._process.kill()
            self._process.communicate()

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, unless it has been started."""
        if self._process is None:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        return self._process

    def run(self, job: Path) -> tuple[int, str]:
        """Run a job; its exit code, and all that it said."""
        process = self.start()
        said, _ = process.communicate(f"{job}\n".encode())
        return process.returncode, said.decode(errors="replace")


def say(message: str) -> None:
    """Print a line of the log, with the time in UTC."""
    print(f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ} {message}", flush=True)


def run(
    export: Export,
    place: ExportFolder,
    flink: Sequence[str],
    *,
    now: datetime,
    settings: Mapping[str, str],
    pause: float,
) -> None:
    """Make one export; the folder is held. Raises ExportError."""
    date = f"{now:%Y-%m-%d}"
    earlier = place.newest()
    if earlier is not None and earlier["date"] > date:
        raise ExportError(f"the newest export is of {earlier['date']}, and today is {date}: is the clock right?", 2)
    with _connected() as connection, Flink(flink) as reading:
        sink = SinkTables(connection, export)
        if lacking := sink.missing():
            raise ExportError(f"not in the schema {export.schema} yet: {', '.join(lacking)}; has `migrate` run?", 2)
        generation = sink.generation()
        if earlier is None:
            # A first export reads everything, so Flink starts while the tables are looked at.
            reading.start()
        seen = sink.snapshot()
        progress = Progress({table.name: sink.parts(table) for table in export.tables})
        if earlier is None:
            _wait_until_filled(sink, export, progress, seen, pause)
        _refuse_shrunk(progress, earlier)
        stage = place.begin()
        _reuse(export, place, progress, earlier, generation, stage / "tables")
        wanted = [
            PartOfTable(table, number)
            for table in export.tables
            for number in progress.found[table.name]
            if (table.name, number) not in progress.reused
        ]
        if wanted:
            say(f"reading {_counted(len(wanted), 'part')}; {len(progress.reused)} are as they were")
            _read(export, wanted, stage, reading, settings)
        tables = [_collect(table, progress, sink, stage, place, date) for table in export.tables]
    manifest = {
        "version": 1,
        "site": export.location_tag,
        "date": date,
        "exported_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "generation": generation,
        "tables": tables,
    }
    place.publish(stage / "tables", manifest, export.keep)
    say(f"exported {sum(table['rows'] for table in tables)} rows of {_counted(len(tables), 'table')} as of {date}")


@contextlib.contextmanager
def _connected() -> Any:
    values = [os.environ.get(name, "") for name in CONNECTION]
    if missing := [name for name, value in zip(CONNECTION, values, strict=True) if not value]:
        raise ExportError(f"these environment variables are not set: {', '.join(missing)}", 2)
    host, port, database, user, password = values
    try:
        connection = psycopg.connect(
            host=host, port=port, dbname=database, user=user, password=password, autocommit=True, connect_timeout=10
        )
    except psycopg.Error as error:
        raise ExportError(f"PostgreSQL at {host}:{port} cannot be read: {_line(error)}", 2) from error
    with connection:
        try:
            yield connection
        except psycopg.Error as error:
            raise ExportError(f"PostgreSQL refused a query: {_line(error)}") from error


def _wait_until_filled(sink: SinkTables, export: Export, progress: Progress, seen: str, pause: float) -> None:
    """Give a site that has just been started the time to fill its tables, where nothing was exported before.

    `seen` is the snapshot from before `progress` was found. While it stays, a look would find the same.
    """
    for _ in range(_LOOKS):
        before = progress.found
        time.sleep(pause)
        now = sink.snapshot()
        if now != seen:
            seen = now
            progress.found = {table.name: sink.parts(table) for table in export.tables}
        if progress.found == before and any(progress.rows.values()):
            return
        say(f"the tables are being filled: {sum(progress.rows.values())} rows so far")


def _refuse_shrunk(progress: Progress, earlier: Mapping[str, Any] | None) -> None:
    """Refuse to export tables that are being filled: half a table looks like a whole one to who reads the file."""
    if os.environ.get(SHRINK_VARIABLE, "").lower() in ("1", "true", "yes"):
        return
    before = {table["name"]: table["rows"] for table in earlier["tables"]} if earlier else {}
    for name, rows in progress.rows.items():
        if before.get(name, 0) >= _CONSIDERABLE and rows * 2 < before[name]:
            raise ExportError(
                f"{name} has {rows} rows, and had {before[name]} at the last export: is it being filled anew?"
                f" Wait until it is full; if so many rows are really gone, set {SHRINK_VARIABLE}=yes."
            )


def _reuse(
    export: Export,
    place: ExportFolder,
    progress: Progress,
    earlier: Mapping[str, Any] | None,
    generation: str,
    tables: Path,
) -> None:
    """Link the files of parts in which nothing has changed since the last export into this one."""
    for each in export.tables:
        (tables / each.name).mkdir(parents=True)
    if earlier is None or earlier["generation"] != generation:
        return
    tables_by_name = {table.name: table for table in export.tables}
    for before in earlier["tables"]:
        table = tables_by_name.get(before["name"])
        if table is None or table.definition != before["definition"]:
            continue
        for part in before["parts"]:
            found = progress.found[table.name].get(part["number"])
            file = place.folder / part["path"]
            if found is None or found.fingerprint != part["fingerprint"] or not _is_whole(file, part["sha256"]):
                continue
            os.link(file, tables / table.name / file.name)
            progress.reused[table.name, part["number"]] = part


def _is_whole(file: Path, sha256: str) -> bool:
    try:
        return sha256_of(file) == sha256
    except OSError:
        return False


def _read(
    export: Export, parts: Sequence[PartOfTable], stage: Path, flink: Flink, settings: Mapping[str, str]
) -> None:
    """Let Flink write the parts into stage/read/TABLE/NUMBER."""
    job = stage / "job"
    job.mkdir()
    for path, content in job_files(export, parts, stage / "read", settings).items():
        (job / path).write_bytes(content)
    code, text = flink.run(job / "job.json")
    if code:
        print(text, file=sys.stderr, flush=True)
        if os.strerror(errno.ENOSPC) in text:
            raise ExportError(f"the disk is full: {_free(stage)} bytes are free in {stage.parent}")
        raise ExportError(f"the Flink job failed: {_reason(text)}")


def _reason(text: str) -> str:
    said = [line.removeprefix("flatten: ") for line in text.splitlines() if line.startswith("flatten: ")]
    return said[-1] if said else "the lines above say why"


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _collect(
    table: Table,
    progress: Progress,
    sink: SinkTables,
    stage: Path,
    place: ExportFolder,
    date: str,
) -> dict[str, Any]:
    """Check what was written of a table, put it together in stage/tables, and describe it for the manifest."""
    again: Mapping[int, Found] | None = None

    def unchanged(number: int) -> bool:
        # Asked for only where the file is not as expected: looking costs a reading of the table.
        nonlocal again
        again = sink.parts(table) if again is None else again
        return again.get(number) == progress.found[table.name][number]

    parts = []
    for number, found in sorted(progress.found[table.name].items()):
        name = f"part-{number:05}.parquet"
        file = stage / "tables" / table.name / name
        reused = progress.reused.get((table.name, number))
        if reused is None:
            written = [path for path in (stage / "read" / table.name / str(number)).glob("part-*") if path.is_file()]
            if not written and not unchanged(number):
                continue  # its rows were deleted meanwhile
            if len(written) != 1:
                raise ExportError(f"Flink wrote {len(written)} files of {table.name}, part {number}, rather than one")
            written[0].rename(file)
        try:
            rows = reused["rows"] if reused else rows_of(file)
        except NotParquetError as error:
            raise ExportError(f"Flink wrote no whole Parquet file of {table.name}, part {number}: {error}") from error
        if rows != found.rows and unchanged(number):
            raise ExportError(f"{table.name}, part {number}, has {found.rows} rows, and the file has {rows}")
        parts.append(
            {
                "number": number,
                "path": (place.path_of(table.name, date) / name).relative_to(place.folder).as_posix(),
                "rows": rows,
                "bytes": file.stat().st_size,
                "sha256": reused["sha256"] if reused else sha256_of(file),
                # Of before the reading: a row that changed meanwhile makes the next export read the part again.
                "fingerprint": found.fingerprint,
            }
        )
    return {
        "name": table.name,
        "primary_key": table.primary_key,
        "definition": table.definition,
        "columns": [{"name": column.name, "type": column.type} for column in table.columns],
        "rows": sum(part["rows"] for part in parts),
        "parts": parts,
    }


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = argparse.ArgumentParser(description="Export the flattened tables of a site as Parquet files.")
    parser.add_argument("--plan", type=Path, required=True, help="the rendered export.json")
    parser.add_argument("--folder", type=Path, required=True, help="the folder of the exports")
    parser.add_argument("--flink", default=FLINK, help="the command that runs flatten.py")
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE", help="a setting of Flink")
    parser.add_argument("--pause", type=float, default=5, help="seconds between looks at tables that are being filled")
    given = parser.parse_args(arguments)
    settings = SETTINGS | dict(setting.split("=", 1) for setting in given.setting)
    try:
        try:
            export = read_export(given.plan)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ExportError(f"the rendered file {given.plan} cannot be used: {error!r}", 2) from error
        place = ExportFolder(given.folder.absolute(), export.location_tag)
        with place.locked():
            now = datetime.now(timezone.utc)
            run(export, place, shlex.split(given.flink), now=now, settings=settings, pause=given.pause)
    except BusyError as error:
        print(f"export: {error}", file=sys.stderr, flush=True)
        return 3
    except OSError as error:
        print(f"export: {error.strerror or error}: {error.filename or given.folder}", file=sys.stderr, flush=True)
        return 1
    except ExportError as error:
        print(f"export: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
