"""How fast the Parquet export is, and how the fastest other way compares with it on the same table in the same run.

    python -m bench.export [--rows 10000000] [--runs 3] [--folder out/bench]

The table has eight columns. Each way reads it from the same PostgreSQL and writes Parquet with zstd:

- the export: flink_jobs/export.py with Flink inside of its process, from its start to the manifest;
- the export again, after one row was changed;
- COPY as CSV into a file, read and written by Arrow;
- the same by DuckDB, where it is installed.

Beside the wall time it prints the processor time of all processes, PostgreSQL among them, which a busy machine changes
less.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.csv
import pyarrow.parquet

from bench.flattening.servers import PostgreSQL, jars
from bench.report import machine, middle, processors_used, repository, show, wait_until_quiet
from ozone_gen.components.parquet_export import COMPILER
from ozone_gen.render.text import render_text

COLUMNS = {
    "encounter_id": ("bigint", "BIGINT", pyarrow.int64()),
    "patient_uuid": ("character varying", "STRING", pyarrow.string()),
    "encounter_datetime": ("timestamp without time zone", "TIMESTAMP(3)", pyarrow.timestamp("ms")),
    "location": ("character varying", "STRING", pyarrow.string()),
    "weight_kg": ("double precision", "DOUBLE", pyarrow.float64()),
    "systolic": ("integer", "INT", pyarrow.int32()),
    "abnormal": ("boolean", "BOOLEAN", pyarrow.bool_()),
    "note": ("text", "STRING", pyarrow.string()),
}
"""Name, and type in PostgreSQL, Flink and Arrow."""

FILL = """INSERT INTO vitals SELECT n, md5((n / 6)::text), timestamp '2020-01-01' + n * interval '17 seconds',
    'Location ' || n % 40, 40 + n * 7919 % 600 / 10.0, 90 + n * 31 % 80, n % 9 = 0,
    CASE WHEN n % 5 = 0 THEN 'seen by nurse ' || n % 977 END FROM generate_series(1::bigint, {rows}) n"""


def flink_with(jars: Sequence[Path], folder: Path) -> Path:
    """Make a Flink whose lib holds these jars, too, as the container's does: given to the job they would be copied."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "lib").mkdir(parents=True)
    spec = find_spec("pyflink")
    if spec is None or spec.origin is None:
        raise SystemExit("PyFlink is not installed: make venv-flink")
    flink = Path(spec.origin).parent
    for name in ("bin", "conf", "opt", "plugins"):
        (folder / name).symlink_to(flink / name)
    for jar in (*(flink / "lib").glob("*.jar"), *jars):
        (folder / "lib" / jar.name).symlink_to(jar.absolute())
    return folder


class Bench:
    """A filled table and the ways to bring it into Parquet files."""

    def __init__(self, folder: Path, server: PostgreSQL, rows: int) -> None:
        self._folder = folder
        self._server = server
        self._rows = rows
        self._flink = flink_with(
            jars(folder / "export-jars", render_text("export/pom.xml.j2").decode()), folder / "flink"
        )
        self._out = folder / "parquet"

    def fill(self) -> None:
        columns = ", ".join(f"{name} {types[0]}" for name, types in COLUMNS.items())
        with self._server.connect() as connection:
            connection.execute(f"CREATE TABLE vitals ({columns}, PRIMARY KEY (encounter_id))")
            connection.execute(FILL.format(rows=self._rows).encode())
            connection.execute("VACUUM ANALYZE vitals")

    def forget(self) -> None:
        shutil.rmtree(self._out, ignore_errors=True)

    def change_a_row(self) -> None:
        with self._server.connect() as connection:
            connection.execute("UPDATE vitals SET weight_kg = weight_kg + 1 WHERE encounter_id = 1")

    def export(self) -> None:
        """Run the program as the site's container does."""
        table = {
            "name": "vitals",
            "primary_key": "encounter_id",
            "columns": [{"name": n, "type": types[0], "flink_type": types[1]} for n, types in COLUMNS.items()],
        }
        plan = self._folder / "export.json"
        document = {"version": 1, "site": "bench", "location_tag": "bench", "schema": "public", "keep": 2}
        plan.write_text(json.dumps({**document, "tables": [table]}))
        place = {"HOST": "127.0.0.1", "PORT": str(self._server.port), "NAME": "postgres", "USER": "analytics"}
        self._run(
            [
                *(sys.executable, "-m", "flink_jobs.export", "--plan", str(plan), "--folder", str(self._out)),
                *("--flink", sys.executable, "--pause", "0"),
            ],
            {f"ANALYTICS_DB_{name}": value for name, value in {**place, "PASSWORD": "none"}.items()}
            | {"FLINK_HOME": str(self._flink), "JVM_ARGS": f"-Xmx768m {COMPILER}"}
            | {"JDK_JAVA_OPTIONS": "-XX:+UseSerialGC -Duser.timezone=UTC"},
        )
        (manifest,) = self._out.glob("_exports/site=bench/*.json")
        (exported,) = json.loads(manifest.read_text())["tables"]
        if exported["rows"] != self._rows:
            raise SystemExit(f"{exported['rows']} rows were exported, not {self._rows}")

    def _run(self, command: list[str], environment: dict[str, str]) -> None:
        log = self._folder / "export.log"
        with log.open("wb") as output:
            done = subprocess.run(
                command, cwd=repository(), env={**os.environ, **environment}, stdout=output, stderr=output, check=False
            )
        if done.returncode:
            raise SystemExit(f"the export ended with {done.returncode}; see {log}")

    def _copy(self) -> Path:
        file = self._folder / "vitals.csv"
        with (
            file.open("wb") as output,
            self._server.connect() as connection,
            connection.cursor().copy("COPY vitals TO STDOUT (FORMAT csv)") as copy,
        ):
            for block in copy:
                output.write(block)
        return file

    def arrow(self) -> None:
        reader = pyarrow.csv.open_csv(
            self._copy(),
            pyarrow.csv.ReadOptions(column_names=list(COLUMNS), block_size=8 << 20),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={name: types[2] for name, types in COLUMNS.items()},
                true_values=["t"],
                false_values=["f"],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        file = self._folder / "arrow.parquet"
        with pyarrow.parquet.ParquetWriter(file, reader.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)
        self._check(file)

    def duckdb(self) -> None:
        import duckdb

        types = json.dumps({name: types[0] for name, types in COLUMNS.items()}).replace('"', "'")
        source, file = self._copy(), self._folder / "duckdb.parquet"
        duckdb.sql(
            f"COPY (SELECT * FROM read_csv('{source}', header = false, columns = {types}))"
            f" TO '{file}' (FORMAT parquet, COMPRESSION zstd)"
        )
        self._check(file)

    def _check(self, file: Path) -> None:
        found = pyarrow.parquet.ParquetFile(file).metadata.num_rows
        if found != self._rows:
            raise SystemExit(f"{found} rows are in {file}, not {self._rows}")


def measured(work: Callable[[], Any]) -> tuple[float, float]:
    """Wall and processor seconds of some work."""
    begin, used = time.monotonic(), processors_used()
    work()
    return time.monotonic() - begin, processors_used() - used


def main() -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(description="Measure the Parquet export.")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("out/bench"))
    parser.add_argument("--wait", type=float, default=10, help="minutes to wait for a quiet machine")
    given = parser.parse_args()
    folder = given.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    print(machine(), flush=True)
    server = PostgreSQL(folder)
    with server.running():
        bench = Bench(folder, server, given.rows)
        bench.fill()
        ways: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "export by Flink": (bench.forget, bench.export),
            "export, one row changed": (bench.change_a_row, bench.export),
            "COPY, Arrow": (lambda: None, bench.arrow),
        }
        if find_spec("duckdb"):
            ways["COPY, DuckDB"] = (lambda: None, bench.duckdb)
        wait_until_quiet(given.wait)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(given.runs):
            for name, (prepare, work) in ways.items():
                prepare()
                times[name].append(measured(work))
    rows = [
        [
            name,
            middle([wall for wall, _ in found]),
            middle([used for _, used in found]),
            f"{given.rows / sorted(wall for wall, _ in found)[len(found) // 2] / 1000:,.0f}",
        ]
        for name, found in times.items()
    ]
    show(f"{given.rows:,} rows of eight columns", ["way", "wall s", "processor s", "1,000 rows/s"], rows)


if __name__ == "__main__":
    main()
