"""Every grain, filter and form of a column gives what batch queries over the same database give.

With concepts as literals, as a lock gives them, and looked up while rows flow. The data are made up; the batch
queries, written by hand in MariaDB's SQL, stand beside the ozone.yaml in tests/oracle/language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest

from ozone_gen.doctor.counts import count_queries
from ozone_gen.load import load
from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.plan.build import build_plan
from ozone_gen.preview import job_files, run_preview
from tests.contract.conftest import Server
from tests.contract.previewing import Silent
from tests.oracle.comparing import ORACLE, batch_rows, by_key, difference

pytestmark = pytest.mark.flink

SPEC = ORACLE / "language" / "ozone.yaml"
TABLES = sorted(path.stem for path in (ORACLE / "language").glob("*.sql"))
ONLY_EMPTY = {("visits_with_notes", "weight_in_note")}
"""Columns that have no value because a filter lets none through."""

WAYS = ("locked", "looked up")

Rows = Mapping[str, tuple[str, list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def data() -> bytes:
    return demo_sql(155, 1) + b"\n-- Dump completed\n"


@pytest.fixture(scope="module")
def database(data: bytes, start_mariadb: Callable[..., Any]) -> Iterator[pymysql.Connection[Any]]:
    with start_mariadb("--character-set-server=utf8mb4") as server:
        assert isinstance(server, Server)
        connection = pymysql.connect(
            host=server.host,
            port=server.port,
            user=server.user,
            charset="utf8mb4",
            client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS,
        )
        with closing(connection):
            with connection.cursor() as cursor:
                cursor.execute("CREATE DATABASE openmrs")
                cursor.execute("USE openmrs")
                cursor.execute(data.decode())
                while cursor.nextset():
                    pass
            connection.commit()
            yield connection


@pytest.fixture(scope="module")
def expected(database: pymysql.Connection[Any]) -> Mapping[str, list[dict[str, Any]]]:
    return {table: batch_rows(database, (ORACLE / "language" / f"{table}.sql").read_text()) for table in TABLES}


@pytest.fixture(scope="module")
def previews(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Rows]:
    """Both ways at once: for most of its time a preview plans, which uses one processor."""
    folders = {way: tmp_path_factory.mktemp("language") for way in WAYS}
    with ThreadPoolExecutor() as pool:
        return dict(zip(WAYS, pool.map(lambda way: _previewed(way, data, folders[way]), WAYS), strict=True))


def _previewed(way: str, data: bytes, out: Path) -> Rows:
    from pyarrow import parquet

    site = load(str(SPEC))
    plan = build_plan(site.spec, site.dictionary, locked=way == "locked")
    job = job_files("language", plan.source.name, plan.tables)
    preview = run_preview(job, plan.tables, data, out, Silent())
    return {
        table.name: (table.primary_key, parquet.read_table(table.file).to_pylist()) for table in preview.tables
    }


@pytest.fixture(params=WAYS)
def flattened(request: pytest.FixtureRequest, previews: Mapping[str, Rows]) -> Rows:
    return previews[request.param]


@pytest.mark.parametrize("table", TABLES)
def test_equals_the_batch_query(
    table: str, expected: Mapping[str, list[dict[str, Any]]], flattened: Rows
) -> None:
    key, rows = flattened[table]
    assert rows, "nothing was flattened, so nothing was compared"
    assert difference(by_key(expected[table], key), by_key(rows, key)) == ""


@pytest.mark.parametrize("table", TABLES)
def test_every_column_has_a_value_somewhere(table: str, flattened: Rows) -> None:
    _, rows = flattened[table]
    empty = {name for name in rows[0] if all(row[name] is None for row in rows)}
    assert empty == {name for of, name in ONLY_EMPTY if of == table}


def test_every_table_has_a_batch_query(flattened: Rows) -> None:
    assert sorted(flattened) == TABLES


def test_the_doctor_counts_as_many_rows(
    database: pymysql.Connection[Any], expected: Mapping[str, list[dict[str, Any]]]
) -> None:
    site = load(str(SPEC))
    counted = {}
    with database.cursor() as cursor:
        plan = build_plan(site.spec, site.dictionary)
        for table, query in count_queries(plan).items():
            cursor.execute(query)
            counted[table] = cursor.fetchone()
    assert counted == {table: (len(rows),) for table, rows in expected.items()}
