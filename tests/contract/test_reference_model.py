"""The reference model of own tables gives what the batch queries, written by hand, give for the demo database.

And a table that no batch query would be written for gives what the model does: five hundred columns, some of them named
by words of SQL, or as the query itself names things.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import cycle, islice, product
from pathlib import Path
from typing import Any

import pymysql
import pymysql.cursors
import pytest
import yaml

from ozone_gen.load import load
from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.plan.build import build_plan
from ozone_gen.preview import job_files, run_preview
from tests.contract.previewing import Silent
from tests.oracle.comparing import ORACLE, batch_rows, by_key, difference
from tests.oracle.reference import KEYS, Reference

LANGUAGE = ORACLE / "language"
SPEC = yaml.safe_load((LANGUAGE / "ozone.yaml").read_text())
DATA = demo_sql(155, 1) + b"\n-- Dump completed\n"
TABLES = SPEC["flattening"]["tables"]
READ = (
    *("obs", "encounter", "visit", "patient", "person", "encounter_type", "visit_type", "form", "location", "drug"),
    *("concept", "concept_datatype", "concept_name", "concept_map_type", "concept_reference_map"),
    *("concept_reference_term", "concept_reference_source", "global_property"),
)


@pytest.fixture(scope="module")
def source(start_mariadb: Callable[..., Any]) -> Iterator[pymysql.Connection[Any]]:
    with start_mariadb("--character-set-server=utf8mb4") as server:
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
                cursor.execute(DATA.decode())
                while cursor.nextset():
                    pass
            connection.commit()
            yield connection


@pytest.fixture(scope="module")
def reference(source: pymysql.Connection[Any]) -> Reference:
    rows = {}
    with source.cursor(pymysql.cursors.DictCursor) as cursor:
        for table in READ:
            cursor.execute(f"SELECT * FROM `{table}`")
            rows[table] = list(cursor.fetchall())
    return Reference(rows, SPEC["site"]["id"], SPEC["site"]["locales"])


@pytest.mark.parametrize("table", TABLES)
def test_equals_the_batch_query(table: str, source: pymysql.Connection[Any], reference: Reference) -> None:
    expected = batch_rows(source, (LANGUAGE / f"{table}.sql").read_text())
    found = reference.table(TABLES[table])
    key = KEYS[TABLES[table]["rows"]]
    assert expected, "nothing was compared"
    assert difference(by_key(expected, key), by_key(found, key)) == ""


def wide(columns: int) -> dict[str, Any]:
    """A table of that many columns: every reduction of every vital sign, and answers, again and again."""
    signs = ("CIEL:5089", "CIEL:5090", "CIEL:5085", "CIEL:5086", "CIEL:5087", "CIEL:5088", "CIEL:5242", "CIEL:5092")
    repeats = ("last", "first", "min", "max", "sum", "count", "list")
    kinds: list[dict[str, Any]] = [{"concept": sign, "repeat": repeat} for sign, repeat in product(signs, repeats)]
    kinds += [{"concept": "CIEL:1284", "value": value} for value in ("name", "uuid", {"code": "ICD-10-WHO"})]
    words = ("row_id", "question", "order_key", "answer", "channel", "name", "value", "count", "date", "time", "index")
    names = [*words, *(f"column_{number}" for number in range(columns - len(words)))]
    return {"rows": "encounter", "columns": dict(zip(names, islice(cycle(kinds), columns), strict=True))}


@pytest.mark.flink
@pytest.mark.slow
def test_a_table_of_five_hundred_columns(reference: Reference, tmp_path: Path) -> None:
    from pyarrow import parquet

    declared = wide(500)
    file = tmp_path / "ozone.yaml"
    file.write_text(yaml.safe_dump(SPEC | {"flattening": {"tables": {"wide": declared}}}), encoding="utf-8")
    site = load(str(file))
    plan = build_plan(site.spec, site.dictionary, locked=True)
    job = job_files("wide", plan.source.name, plan.tables)
    (table,) = run_preview(job, plan.tables, DATA, tmp_path / "out", Silent()).tables
    expected = reference.table(declared)
    assert {name for name in declared["columns"] if any(row[name] is not None for row in expected)} == {
        *declared["columns"]
    }
    found = parquet.read_table(table.file).to_pylist()
    assert difference(by_key(expected, "encounter_id"), by_key(found, "encounter_id")) == ""
