"""What `ozone-gen preview` shows equals batch queries over the same database, for made-up and for real data."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql
import pytest

from ozone_gen.doctor.counts import count_queries
from ozone_gen.flattening.core import CORE_TABLES
from ozone_gen.load import load
from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.plan.build import build_plan
from tests.contract.conftest import Server, program
from tests.oracle.comparing import OPENMRS_2_4, batch_rows, by_key, difference, keys, queries

pytestmark = pytest.mark.flink

ROOT = Path(__file__).parents[2]
REAL_DATABASE = ROOT.parent / "shared" / "data" / "openmrs-demo.sql"
DEMO = ROOT / "examples" / "demo" / "ozone.yaml"
TABLES = (*CORE_TABLES, "vitals", "visit_notes")


@dataclass(frozen=True)
class Data:
    """A database: what of the demo site's file does not suit it, tables it lacks, and tables without rows."""

    name: str
    replaced: Mapping[str, str] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()

    def file(self, folder: Path) -> Path:
        """Write the site's file for it, with every core table that it can have."""
        text = re.sub(r"  core: .*", "  core: all", DEMO.read_text())
        for old, new in self.replaced.items():
            assert old in text
            text = text.replace(old, new)
        file = folder / "ozone.yaml"
        file.write_text(text)
        return file


MADE_UP = Data("made-up")
REAL = Data(
    "real",
    OPENMRS_2_4,
    lacks=frozenset({"appointments"}),
    empty=frozenset({"orders", "conditions", "encounter_diagnoses", "patient_programs"}),
)


@pytest.fixture(scope="module", params=[MADE_UP, *([REAL] if REAL_DATABASE.exists() else [])], ids=lambda d: d.name)
def data(request: pytest.FixtureRequest) -> Data:
    assert isinstance(request.param, Data)
    return request.param


@pytest.fixture(scope="module")
def dump(data: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if data is REAL:
        return REAL_DATABASE
    file = tmp_path_factory.mktemp("dump") / "demo.sql"
    file.write_bytes(demo_sql(155, 1) + b"\n-- Dump completed\n")
    return file


@pytest.fixture(scope="module")
def file(data: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data.file(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def database(dump: Path, start_mariadb: Callable[..., Any]) -> Iterator[pymysql.Connection[Any]]:
    """The dump, loaded into a server of its own."""
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
            yield connection


@pytest.fixture(scope="module")
def expected(file: Path, database: pymysql.Connection[Any]) -> Mapping[str, list[dict[str, Any]]]:
    """The rows of each table by its batch query."""
    return {table: batch_rows(database, query) for table, query in queries(file).items()}


@pytest.fixture(scope="module")
def said(file: Path, dump: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of Parquet files that the command writes, and its warnings."""
    out = tmp_path_factory.mktemp("preview") / "out"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ozone_gen", "preview", str(file)),
            *("--dump", str(dump), "-o", str(out), "--html", str(out.parent / "report.html")),
        ],
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"vitals", done.stdout)
    return out, done.stderr


@pytest.fixture(scope="module")
def previewed(said: tuple[Path, str]) -> Path:
    return said[0]


@pytest.mark.parametrize("table", TABLES)
def test_equals_the_batch_query(
    table: str, data: Data, file: Path, expected: Mapping[str, list[dict[str, Any]]], previewed: Path
) -> None:
    from pyarrow import parquet

    parquet_file = previewed / f"{table}.parquet"
    assert parquet_file.exists() == (table not in data.lacks)
    if table in data.lacks:
        return
    rows = parquet.read_table(parquet_file).to_pylist()
    assert bool(rows) == (table not in data.empty), "nothing was flattened, so nothing was compared"
    if not rows:
        assert expected[table] == []
        return
    key = keys(file)[table]
    assert difference(by_key(expected[table], key), by_key(rows, key)) == ""


# The declared columns of examples/demo/ozone.yaml that do not say `repeat`: code, where the value stands.
LAST = {
    "vitals": ("Vitals", {
        "weight_kg": ("5089", "value_numeric"), "height_cm": ("5090", "value_numeric"),
        "systolic": ("5085", "value_numeric"), "diastolic": ("5086", "value_numeric"),
        "pulse": ("5087", "value_numeric"), "respiratory_rate": ("5242", "value_numeric"),
        "oxygen_saturation": ("5092", "value_numeric"),
    }),
    "visit_notes": ("Visit Note", {
        "diagnosis": ("1284", "value_coded"), "diagnosis_uuid": ("1284", "value_coded"),
        "note": ("162169", "value_text"), "return_date": ("5096", "value_datetime"),
    }),
}  # fmt: skip
CELLS = """
SELECT COUNT(*) AS cells, SUM(number) AS observations, SUM(number > 1) AS several, MAX(number) AS most
FROM (
  SELECT e.encounter_id, COUNT(o.obs_id) AS number
  FROM encounter e
  JOIN encounter_type t ON t.encounter_type_id = e.encounter_type AND t.name = '{kind}'
  JOIN patient p ON p.patient_id = e.patient_id AND p.voided = 0
  LEFT JOIN obs o ON o.encounter_id = e.encounter_id AND o.voided = 0 AND o.{value} IS NOT NULL
    AND o.concept_id IN (
      SELECT m.concept_id FROM concept_reference_map m
      JOIN concept_reference_term r ON r.concept_reference_term_id = m.concept_reference_term_id
      JOIN concept_reference_source s ON s.concept_source_id = r.concept_source_id
      JOIN concept_map_type k ON k.concept_map_type_id = m.concept_map_type_id
      WHERE s.name = 'CIEL' AND r.code = '{code}' AND k.name = 'SAME-AS')
  WHERE e.voided = 0
  GROUP BY e.encounter_id
) counted"""


def test_warnings_equal_what_the_database_says(said: tuple[Path, str], database: pymysql.Connection[Any]) -> None:
    expected = set()
    for table, (kind, columns) in LAST.items():
        for column, (code, value) in columns.items():
            (found,) = batch_rows(database, CELLS.format(kind=kind, code=code, value=value))
            if not found["observations"]:
                expected.add(f"OZ431 {table} {column}")
            elif found["several"]:
                expected.add(f"OZ432 {table} {column} {found['several']:,} {found['cells']:,} {found['most']:,}")
    pattern = r"\[(OZ43[12])\] flattening\.tables\.(\w+)\.columns\.(\w+): (.*)"
    actual = set()
    for code, table, column, message in re.findall(pattern, said[1]):
        figures = re.findall(r"in ([0-9,]+) cells? of ([0-9,]+), at most ([0-9,]+);", message)
        if code == "OZ432":
            actual.add(" ".join([code, table, column, *figures[0]]))
        elif column in LAST[table][1]:
            actual.add(f"{code} {table} {column}")
    assert actual == expected
    assert expected, "nothing was compared"


def test_the_report_says_what_the_batch_queries_give(
    said: tuple[Path, str], expected: Mapping[str, list[dict[str, Any]]]
) -> None:
    page = html.unescape((said[0].parent / "report.html").read_text(encoding="utf-8"))
    compared = 0
    for table, (_, columns) in LAST.items():
        for column in columns:
            card = page[page.index(f'id="column-{table}-{column}"') :]
            card = card[: card.index("</article>")]
            values = [row[column] for row in expected[table] if row[column] is not None]
            assert f">{len(values):,} rows with a value" in card, column
            answers = re.findall(r'title="([^"]*)">[^<]*</span><span class="n">([0-9,]+)<', card)
            compared += len(answers)
            for text, rows in answers:
                assert f"{values.count(text):,}" == rows, (column, text)
            bars = re.findall(r"<title>(-?[0-9.,]+) to under (-?[0-9.,]+): ([0-9,]+) rows?</title>", card)
            compared += len(bars)
            for low, high, rows in bars:
                low, high = (float(each.replace(",", "")) for each in (low, high))
                assert f"{sum(low <= round(value, 9) < high for value in values):,}" == rows, (column, low)
    assert compared > 20


def test_the_doctor_counts_as_many_rows(
    file: Path, database: pymysql.Connection[Any], expected: Mapping[str, list[dict[str, Any]]]
) -> None:
    site = load(str(file))
    counted = {}
    with database.cursor() as cursor:
        plan = build_plan(site.spec, site.dictionary)
        for table, query in count_queries(plan).items():
            cursor.execute(query)
            counted[table] = cursor.fetchone()
    assert counted == {table: (len(rows),) for table, rows in expected.items()}
