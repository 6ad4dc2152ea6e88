"""What is suggested from a server is what is suggested from its dump, and its tables hold what was counted."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ozone_gen.cli import main
from ozone_gen.load import load
from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.openmrs.dictionary_database import DatabaseAddress
from ozone_gen.openmrs.dictionary_dump import dictionary_of_dump
from ozone_gen.plan.build import build_plan
from ozone_gen.preview import ProgressStages, job_files, run_preview
from ozone_gen.suggest.counting import usage_of_database, usage_of_dump
from ozone_gen.suggest.references import References
from ozone_gen.suggest.tables import suggest
from tests.contract.conftest import Server, program

REAL_DATABASE = Path(__file__).parents[3] / "shared" / "data" / "openmrs-demo.sql"


@pytest.fixture
def client(mariadb: Server) -> Iterator[list[str]]:
    """The command line of a client of the server, on which a database 'suggested' is for this test alone."""
    client = [program("mariadb"), "-h", mariadb.host, "-P", str(mariadb.port), "-u", mariadb.user]
    subprocess.run([*client, "-e", "CREATE DATABASE suggested"], check=True)
    yield client
    # Other tests of the same server look at which databases there are.
    subprocess.run([*client, "-e", "DROP DATABASE suggested"], check=True)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "demo.sql"
    path.write_bytes(demo_sql(30, 1))
    return path


def test_a_server_and_its_dump(
    mariadb: Server,
    client: list[str],
    dump: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with dump.open("rb") as statements:
        subprocess.run([*client, "--default-character-set=utf8mb4", "suggested"], stdin=statements, check=True)
    address = DatabaseAddress(mariadb.host, mariadb.port, mariadb.user, mariadb.password, "suggested")
    read: list[int] = []
    assert usage_of_database(address, read.append) == usage_of_dump(dump)
    assert sum(read) > 1000

    monkeypatch.setenv("OPENMRS_DB_PASSWORD", mariadb.password)
    server = ["--host", mariadb.host, "--port", str(mariadb.port), "--user", mariadb.user, "--database", "suggested"]
    assert main(["suggest", *server, "--tables-only"]) == 0
    from_server = capsys.readouterr().out
    assert main(["suggest", "--dump", str(dump), "--tables-only"]) == 0
    assert capsys.readouterr().out == from_server

    subprocess.run([*client, "suggested", "-e", "UPDATE obs SET voided = 1"], check=True)
    assert main(["suggest", *server, "--tables-only"]) == 1
    assert "error[OZ028]" in capsys.readouterr().err
    subprocess.run([*client, "suggested", "-e", "SET FOREIGN_KEY_CHECKS = 0; DROP TABLE encounter"], check=True)
    assert main(["suggest", *server, "--tables-only"]) == 1
    assert "error[OZ023]" in capsys.readouterr().err


@pytest.mark.flink
@pytest.mark.slow
@pytest.mark.parametrize("data", ["made-up", *(["real"] if REAL_DATABASE.exists() else [])])
def test_the_tables_hold_what_was_counted(data: str, dump: Path, tmp_path: Path) -> None:
    from rich.console import Console

    dump = REAL_DATABASE if data == "real" else dump
    file = tmp_path / "ozone.yaml"
    assert main(["suggest", "--dump", str(dump), "--site-id", "a", "-o", str(file)]) == 0
    # The core tables have tests of their own, and take most of the time.
    file.write_text(file.read_text(encoding="utf-8").replace("core: all", "core: []"), encoding="utf-8")
    site = load(str(file))
    assert site.warnings == ()
    plan = build_plan(site.spec, site.dictionary)
    files = job_files("suggested", plan.source.name, plan.tables)
    preview = run_preview(files, plan.tables, dump, tmp_path / "out", ProgressStages(Console(stderr=True)))

    dictionary, _ = dictionary_of_dump(dump, ["en"])
    suggestion = suggest(dictionary, usage_of_dump(dump).usage, References(dictionary), min_share=0.02)
    made = {table.name: table for table in preview.tables}
    assert made.keys() == {table.name for table in suggestion.tables if table.columns}
    for table in suggestion.tables:
        if table.columns:
            assert table.usage is not None
            assert made[table.name].rows == table.usage.rows
            filled = dict(zip(made[table.name].columns, made[table.name].filled, strict=True))
            expected = {column.name: column.usage.rows for column in table.columns if column.usage}
            assert {name: filled[name] for name in expected} == expected, table.name
