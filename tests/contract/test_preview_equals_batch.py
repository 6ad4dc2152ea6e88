"""What `ozone-gen preview` shows equals batch queries over the same database, for made-up and for real data."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest

from ozone_gen.openmrs.demo import demo_sql
from tests.contract.conftest import Server, program
from tests.oracle.comparing import CORE, ORACLE, batch_rows, by_key, difference

pytestmark = pytest.mark.flink

ROOT = Path(__file__).parents[2]
REAL_DATABASE = ROOT.parent / "shared" / "data" / "openmrs-demo.sql"
TABLES = (*CORE, "vitals", "visit_notes")
DATA = ["made-up", *(["real"] if REAL_DATABASE.exists() else [])]


@pytest.fixture(scope="module", params=DATA)
def dump(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "real":
        return REAL_DATABASE
    file = tmp_path_factory.mktemp("dump") / "demo.sql"
    file.write_bytes(demo_sql(155, 1) + b"\n-- Dump completed\n")
    return file


@pytest.fixture(scope="module")
def expected(dump: Path, start_mariadb: Callable[..., Any]) -> Iterator[Mapping[str, list[dict[str, Any]]]]:
    """The rows of each table by its batch query over the dump, loaded into a server of its own."""
    with start_mariadb("--character-set-server=utf8mb4") as server:
        assert isinstance(server, Server)
        client = [program("mariadb"), "-h", server.host, "-P", str(server.port), "-u", server.user]
        subprocess.run([*client, "-e", "CREATE DATABASE openmrs"], check=True)
        with dump.open("rb") as statements:
            subprocess.run([*client, "openmrs"], stdin=statements, check=True)
        connection = pymysql.connect(
            host=server.host, port=server.port, user=server.user, database="openmrs", charset="utf8mb4"
        )
        with closing(connection):
            yield {
                table: batch_rows(
                    connection, (ORACLE / ("core" if table in CORE else "demo") / f"{table}.sql").read_text()
                )
                for table in TABLES
            }


@pytest.fixture(scope="module")
def previewed(dump: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of Parquet files that the command writes."""
    out = tmp_path_factory.mktemp("preview") / "out"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ozone_gen", "preview", str(ROOT / "examples" / "demo" / "ozone.yaml")),
            *("--dump", str(dump), "-o", str(out)),
        ],
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"vitals", done.stdout)
    return out


@pytest.mark.parametrize("table", TABLES)
def test_equals_the_batch_query(table: str, expected: Mapping[str, list[dict[str, Any]]], previewed: Path) -> None:
    from pyarrow import parquet

    rows = parquet.read_table(previewed / f"{table}.parquet").to_pylist()
    key = next(iter(expected[table][0])) if table in CORE else "encounter_id"
    assert rows, "nothing was flattened, so nothing was compared"
    assert difference(by_key(expected[table], key), by_key(rows, key)) == ""
