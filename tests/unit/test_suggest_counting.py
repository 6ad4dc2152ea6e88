"""Observations are counted as a person would count them by hand, whatever their order."""

from __future__ import annotations

import gzip
import random
import sqlite3
from pathlib import Path

import pytest

from ozone_gen.diagnostics import OutputError, OzoneError
from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.suggest.counting import usage_of_dump
from ozone_gen.suggest.usage import ConceptUsage, RowUsage, Usage

TABLES = """\
CREATE TABLE encounter (encounter_id int, encounter_type int, form_id int, patient_id int, voided tinyint(1));
CREATE TABLE obs (obs_id int, encounter_id int, concept_id int, obs_group_id int, value_coded int, voided tinyint(1));
CREATE TABLE patient (patient_id int, voided tinyint(1));
"""
PATIENTS = ["(1,0)", "(2,0)", "(3,1)"]
ENCOUNTERS = [
    "(10,7,1,1,0)",
    "(11,7,1,2,0)",
    "(12,7,2,2,0)",
    "(13,7,1,1,1)",  # voided
    "(14,7,1,3,0)",  # of a voided patient
    "(15,8,NULL,1,0)",  # without observations
]
OBSERVATIONS = [
    "(100,10,50,NULL,NULL,0)",
    "(101,10,50,NULL,NULL,0)",
    "(102,10,50,NULL,NULL,1)",  # voided
    "(103,11,50,NULL,NULL,0)",
    "(104,12,50,NULL,NULL,0)",
    "(105,13,50,NULL,NULL,0)",
    "(106,14,50,NULL,NULL,0)",
    "(107,NULL,50,NULL,NULL,0)",
    "(120,10,60,NULL,NULL,0)",  # two groups of one concept, one empty, and one whose group is voided
    "(121,10,61,120,1,0)",
    "(122,10,61,120,2,0)",
    "(123,10,62,120,NULL,0)",
    "(130,11,60,NULL,NULL,0)",
    "(131,11,61,130,1,0)",
    "(132,11,62,130,NULL,1)",  # voided
    "(140,12,60,NULL,NULL,0)",
    "(150,12,60,NULL,NULL,1)",
    "(151,12,62,150,NULL,0)",
]
BY_HAND = Usage(
    {
        (7, 1): RowUsage(
            2,
            (
                ConceptUsage(50, rows=2, observations=3, several=1, most=2),
                ConceptUsage(61, rows=2, observations=3, several=1, most=2, answers=frozenset({1, 2})),
                ConceptUsage(60, rows=2, observations=2),
                ConceptUsage(62, rows=1, observations=1),
            ),
        ),
        (7, 2): RowUsage(1, (ConceptUsage(50, 1, 1), ConceptUsage(60, 1, 1), ConceptUsage(62, 1, 1))),
        (8, None): RowUsage(1),
    },
    {
        60: RowUsage(
            3,
            (
                ConceptUsage(61, rows=2, observations=3, several=1, most=2, answers=frozenset({1, 2})),
                ConceptUsage(62, rows=1, observations=1),
            ),
        )
    },
    observations=13,
    outside=1,
)


def dump(tables: dict[str, list[str]], create: str = TABLES) -> str:
    inserts = [f"INSERT INTO {name} VALUES {row};" for name, rows in tables.items() for row in rows]
    return create + "\n".join(inserts) + "\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "dump.sql"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_a_person(tmp_path: Path, seed: int) -> None:
    mixed = random.Random(seed)
    rows = {"patient": PATIENTS, "encounter": ENCOUNTERS, "obs": OBSERVATIONS}
    tables = {name: mixed.sample(rows[name], len(rows[name])) for name in mixed.sample(sorted(rows), 3)}
    counted = usage_of_dump(written(tmp_path, dump(tables)))
    assert counted.usage == BY_HAND
    assert (counted.platforms, counted.modules, counted.warnings) == ((), (), ())


def test_types_and_forms_are_sums() -> None:
    types = BY_HAND.of_types()
    assert types[7].rows == 3
    assert types[7].concepts[0] == ConceptUsage(50, rows=3, observations=4, several=1, most=2)
    assert types[7].observations == 12
    assert types[8] == RowUsage(1)
    assert {form: usage.rows for form, usage in BY_HAND.of_forms().items()} == {1: 2, 2: 1}


def test_the_demo_data_compressed(tmp_path: Path) -> None:
    path = tmp_path / "demo.sql.gz"
    path.write_bytes(gzip.compress(demo_sql(10, 1)))
    read: list[int] = []
    counted = usage_of_dump(path, read.append)
    usage = counted.usage
    assert counted.platforms[0] == "2.5"
    assert sum(read) == path.stat().st_size
    in_encounters = sum(each.observations for each in usage.encounters.values())
    assert usage.observations == in_encounters + usage.outside > 500


def test_of_several_databases_the_wanted_one_is_counted(tmp_path: Path) -> None:
    one = dump({"patient": PATIENTS, "encounter": ENCOUNTERS, "obs": OBSERVATIONS})
    other = dump({"patient": ["(1,0)"], "encounter": ["(1,1,1,1,0)"], "obs": ["(1,1,1,NULL,NULL,0)"]})
    path = written(tmp_path, f"USE one;\n{one}USE other;\n{other}")
    assert usage_of_dump(path, database="one").usage == BY_HAND
    assert usage_of_dump(path, database="other").usage.observations == 1
    with pytest.raises(OzoneError) as error:
        usage_of_dump(path)
    assert error.value.diagnostics[0].code == "OZ025"


def test_a_dump_without_observations(tmp_path: Path) -> None:
    rows = {"patient": PATIENTS, "encounter": ENCOUNTERS, "obs": ["(1,10,50,NULL,NULL,1)"]}
    with pytest.raises(OzoneError) as error:
        usage_of_dump(written(tmp_path, dump(rows)))
    (finding,) = error.value.diagnostics
    assert finding.code == "OZ028"
    assert finding.position.file.endswith("dump.sql")
    with pytest.raises(OzoneError) as error:
        usage_of_dump(written(tmp_path, TABLES))
    assert error.value.diagnostics[0].code == "OZ028"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("version: 1\n", "OZ021"),
        (dump({"obs": OBSERVATIONS})[:-20], "OZ022"),
        (TABLES.partition("CREATE TABLE patient")[0], "OZ023"),
        (TABLES.replace("obs_group_id", "group_id"), "OZ024"),
        (dump({"obs": ["(1,'x',50,NULL,NULL,0)"]}), "OZ026"),
    ],
)
def test_what_is_no_dump_of_openmrs(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(OzoneError) as error:
        usage_of_dump(written(tmp_path, text))
    assert [finding.code for finding in error.value.diagnostics] == [code]


def test_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect

    def small(*arguments: object, **options: object) -> sqlite3.Connection:
        connection = connect(*arguments, **options)  # type: ignore[call-overload]
        connection.execute("PRAGMA max_page_count = 20")
        assert isinstance(connection, sqlite3.Connection)
        return connection

    monkeypatch.setattr(sqlite3, "connect", small)
    rows = [f"({number},10,50,NULL,NULL,0)" for number in range(20_000)]
    path = written(tmp_path, dump({"patient": PATIENTS, "encounter": ENCOUNTERS, "obs": rows}))
    with pytest.raises(OutputError) as error:
        usage_of_dump(path)
    (finding,) = error.value.diagnostics
    assert finding.code == "OZ404"
    assert "full" in finding.message
