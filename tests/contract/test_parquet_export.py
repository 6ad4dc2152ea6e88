"""flink_jobs/export.py with a real PostgreSQL. A small program stands in for Flink; tests/e2e has the real one."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from jsonschema import Draft7Validator

from flink_jobs import export
from flink_jobs.export_plan import Table, read_export
from flink_jobs.sink_parts import Found, SinkTables
from ozone_gen.resources import load_schema
from tests.contract.conftest import Server

pytest.importorskip("pyarrow")
import pyarrow.parquet

ROOT = Path(__file__).parents[2]
COLUMNS = [("visit_id", "bigint"), ("name", "text"), ("started", "timestamp without time zone")]
FLINK_TYPES = {"bigint": "BIGINT", "text": "STRING", "timestamp without time zone": "TIMESTAMP(3)"}
PLAN = {
    "version": 1,
    "site": "a",
    "location_tag": "clinic-a",
    "schema": "public",
    "keep": 2,
    "tables": [
        {
            "name": name,
            "primary_key": "visit_id",
            "columns": [{"name": c, "type": t, "flink_type": FLINK_TYPES[t]} for c, t in COLUMNS],
        }
        for name in ("visits", "empty")
    ],
}


class Site:
    """A sink with tables, and the folder that they are exported into."""

    def __init__(self, connection: psycopg.Connection[Any], environment: Mapping[str, str], folder: Path) -> None:
        self.connection = connection
        self.environment = dict(environment)
        self.folder = folder / "parquet"
        self.plan = folder / "export.json"
        self.calls = folder / "calls"
        self.plan.write_text(json.dumps(PLAN))

    def export(self, **environment: str) -> subprocess.CompletedProcess[str]:
        stand_in = f"{sys.executable} {Path(__file__).with_name('instead_of_flink.py')}"
        return subprocess.run(
            [*(sys.executable, "-m", "flink_jobs.export", "--plan", str(self.plan)),
             *("--folder", str(self.folder), "--flink", stand_in, "--pause", "0")],
            cwd=ROOT,
            env={**os.environ, **self.environment, "CALLS": str(self.calls), **environment},
            text=True,
            capture_output=True,
            check=False,
        )  # fmt: skip

    def exported(self, **environment: str) -> dict[str, Any]:
        done = self.export(**environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return self.manifest

    @property
    def manifest(self) -> dict[str, Any]:
        newest = max((self.folder / "_exports" / "site=clinic-a").iterdir())
        manifest: dict[str, Any] = json.loads(newest.read_text())
        Draft7Validator(load_schema("export-manifest")).validate(manifest)
        return manifest

    def rows(self) -> list[tuple[Any, ...]]:
        """What a reader finds who reads whatever files of the newest date there are."""
        date = f"date={self.manifest['date']}"
        files = sorted((self.folder / "visits" / "site=clinic-a" / date).glob("*.parquet"))
        return [tuple(row.values()) for file in files for row in pyarrow.parquet.read_table(file).to_pylist()]

    def files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.name != ".lock"
        }

    def parts(self, table: str = "visits") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = next(t for t in self.manifest["tables"] if t["name"] == table)["parts"]
        return found


@pytest.fixture
def site(postgresql: Server, tmp_path: Path) -> Iterator[Site]:
    server = postgresql
    place: dict[str, Any] = {"host": server.host, "port": server.port, "user": server.user}
    place |= {"password": server.password, "autocommit": True}
    with psycopg.connect(**place, dbname="postgres") as connection:
        connection.execute("DROP DATABASE IF EXISTS export_test")
        connection.execute("CREATE DATABASE export_test")
    with psycopg.connect(**place, dbname="export_test") as connection:
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS)
        for table in ("visits", "empty"):
            connection.execute(f"CREATE TABLE {table} ({columns}, PRIMARY KEY (visit_id))")
        connection.execute(
            "INSERT INTO visits SELECT n, 'it''s ' || n, timestamp '1969-12-31 23:59:59' + n * interval '1 day'"
            " FROM unnest(ARRAY[0, 1, 499999, 500000, 1200000]) n"
        )
        environment = {
            "ANALYTICS_DB_HOST": server.host,
            "ANALYTICS_DB_PORT": str(server.port),
            "ANALYTICS_DB_NAME": "export_test",
            "ANALYTICS_DB_USER": server.user,
            "ANALYTICS_DB_PASSWORD": server.password,
        }
        yield Site(connection, environment, tmp_path)


def wanted(site: Site) -> list[tuple[Any, ...]]:
    return site.connection.execute("SELECT * FROM visits ORDER BY visit_id").fetchall()


def test_every_row_is_there_once_in_parts_of_fixed_ranges(site: Site) -> None:
    manifest = site.exported()
    assert site.rows() == wanted(site)
    assert {table["name"]: table["rows"] for table in manifest["tables"]} == {"visits": 5, "empty": 0}
    assert [(part["number"], part["rows"]) for part in site.parts()] == [(0, 3), (1, 1), (2, 1)]
    assert all(part["path"].startswith(f"visits/site=clinic-a/date={manifest['date']}/part-") for part in site.parts())
    assert not [path for path in site.files() if ":" in path]
    assert not (site.folder / ".staging").exists()


def test_a_second_export_reads_what_changed_alone(site: Site) -> None:
    before = site.exported()
    assert site.exported()["tables"] == before["tables"]
    assert len(site.calls.read_text()) == 1, "Flink ran, though nothing had changed"
    first = site.parts()
    site.connection.execute("UPDATE visits SET name = 'other' WHERE visit_id = 500000")
    site.connection.execute("DELETE FROM visits WHERE visit_id = 1200000")
    site.exported()
    assert site.rows() == wanted(site)
    assert site.parts()[0] == first[0]
    assert [part["rows"] for part in site.parts()] == [3, 1]
    assert site.parts()[1]["sha256"] != first[1]["sha256"]


def test_a_damaged_file_is_not_taken_over(site: Site) -> None:
    site.exported()
    file = site.folder / site.parts()[0]["path"]
    file.write_bytes(b"x" * file.stat().st_size)
    site.exported()
    assert site.rows() == wanted(site)


def test_other_columns_and_another_filling_are_read_anew(site: Site) -> None:
    site.exported()
    site.connection.execute("CREATE SCHEMA ozone_gen")
    site.connection.execute("CREATE TABLE ozone_gen.state (site text, generation text)")
    site.connection.execute("INSERT INTO ozone_gen.state VALUES ('a', 'second')")
    site.exported()
    assert len(site.calls.read_text()) == 2
    plan = json.loads(site.plan.read_text())
    del plan["tables"][1]
    del plan["tables"][0]["columns"][2]
    site.plan.write_text(json.dumps(plan))
    manifest = site.exported()
    assert len(site.calls.read_text()) == 3
    assert [table["name"] for table in manifest["tables"]] == ["visits"]
    assert not list(site.folder.glob("empty/site=clinic-a/*")), "a table that is exported no more was left"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("half", "the Flink job failed: the job of t failed: connection lost"),
        ("no room", "the disk is full"),
        ("cut", "no whole Parquet file of visits, part 1"),
    ],
)
def test_a_failed_export_leaves_the_earlier_one_as_it_was(site: Site, fault: str, said: str) -> None:
    site.exported()
    before = site.files()
    site.connection.execute("UPDATE visits SET name = name || '!' WHERE visit_id >= 500000")
    done = site.export(FAULT=fault)
    assert done.returncode == 1
    assert said in done.stderr
    assert site.files() == before
    site.exported()
    assert site.rows() == wanted(site)


def test_two_exports_at_once_are_refused(site: Site) -> None:
    site.exported()
    with (site.folder / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = site.export()
    assert done.returncode == 3
    assert "another export or upload uses" in done.stderr
    site.exported()


def test_tables_that_are_being_filled_anew_are_not_exported(site: Site) -> None:
    site.connection.execute("INSERT INTO visits SELECT n, 'x' FROM generate_series(10, 2000) n")
    site.exported()
    site.connection.execute("DELETE FROM visits WHERE visit_id > 100")
    done = site.export()
    assert done.returncode == 1
    assert "is it being filled anew" in done.stderr
    assert len(site.rows()) == 1996
    site.exported(PARQUET_EXPORT_MAY_SHRINK="yes")
    assert site.rows() == wanted(site)


@pytest.mark.parametrize("filling", [False, True], ids=["quiet", "being filled"])
def test_a_first_export_looks_again_where_anything_was_written(
    site: Site, filling: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    class Counted(SinkTables):
        def parts(self, table: Table) -> Mapping[int, Found]:
            found = super().parts(table)
            if table.name == "visits":
                looks.append(sum(part.rows for part in found.values()))
            return found

    def write(_: float) -> None:
        if filling and len(looks) < 3:
            site.connection.execute("INSERT INTO visits VALUES (%s)", (10 + len(looks),))

    monkeypatch.setattr("flink_jobs.export.time.sleep", write)
    plan = read_export(site.plan)
    sink = Counted(site.connection, plan)
    seen = sink.snapshot()
    progress = export.Progress({table.name: sink.parts(table) for table in plan.tables})
    export._wait_until_filled(sink, plan, progress, seen, 0)
    assert looks == ([5, 6, 7] if filling else [5])
    assert progress.rows == {"visits": looks[-1], "empty": 0}


def test_what_is_missing_is_named(site: Site) -> None:
    site.connection.execute("ALTER TABLE visits DROP COLUMN name")
    site.connection.execute("DROP TABLE empty")
    done = site.export()
    assert done.returncode == 2
    assert "not in the schema public yet: visits.name, empty" in done.stderr
    done = site.export(ANALYTICS_DB_PORT="1")
    assert done.returncode == 2
    assert "cannot be read" in done.stderr
    done = site.export(ANALYTICS_DB_PASSWORD="")
    assert "not set: ANALYTICS_DB_PASSWORD" in done.stderr
