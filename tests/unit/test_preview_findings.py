from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ozone_gen.diagnostics import codes
from ozone_gen.flattening.counting import counting
from ozone_gen.flattening.declared import CodedValue, ColumnPlan, ColumnType, Filters, Grain, Repeat, TablePlan
from ozone_gen.flattening.own_table import own_table
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import SqlType
from ozone_gen.openmrs.tables import tables_of
from ozone_gen.preview.findings import findings
from ozone_gen.preview.occurrence import READ, Occurrence, occurrences
from ozone_gen.preview.results import CellCounts, read_counts
from ozone_gen.source import parse_source

YAML = b"""\
flattening:
  tables:
    vitals:
      rows: encounter
      columns:
        weight: CIEL:5089
        pulse: {concept: CIEL:5087, repeat: last}
        fever: {concept: CIEL:5088}
"""
SOURCE = parse_source(YAML, "ozone.yaml")
PLAN = TablePlan(
    "vitals",
    "a",
    Grain.ENCOUNTER,
    Filters(encounter_types=("Vitals",)),
    ("encounter_id", "encounter_datetime"),
    (
        ColumnPlan("weight", ("CIEL:5089",), ColumnType.NUMERIC, description="Weight."),
        ColumnPlan("pulse", ("CIEL:5087",), ColumnType.INTEGER, Repeat.MIN),
        ColumnPlan("fever", ("CIEL:5088",), ColumnType.CODED, Repeat.LIST, CodedValue.UUID, distinct=True),
    ),
    "Vital signs.",
)
ONCE = CellCounts(rows=1200, observations=900, several=0, most=1)
TWICE = CellCounts(rows=1200, observations=2500, several=1100, most=3)
NONE = CellCounts(rows=1200, observations=0, several=0, most=0)
OCCURRING = {each: Occurrence(900) for each in ("CIEL:5089", "CIEL:5087", "CIEL:5088")}


def found(
    weight: CellCounts = ONCE, pulse: CellCounts = ONCE, fever: CellCounts = ONCE, **more: Occurrence
) -> list[str]:
    occurring = {**OCCURRING, **{f"CIEL:{name[1:]}": each for name, each in more.items()}}
    cells = {"vitals": {"weight": weight, "pulse": pulse, "fever": fever}}
    return [
        f"{each.position.line}:{each.position.column} {each.code} {each.path}: {each.message}"
        for each in findings(SOURCE, [PLAN], cells, occurring)
    ]


def test_nothing_to_warn_about() -> None:
    assert found() == []


def test_several_observations_in_one_cell() -> None:
    assert found(weight=TWICE) == [
        "6:9 OZ432 flattening.tables.vitals.columns.weight: several observations of CIEL:5089 fall into one cell: "
        "in 1,100 cells of 1,200, at most 3; the last one is kept"
    ]
    assert "in 1 cell of 1,200" in found(fever=CellCounts(1200, 2, 1, 2))[0]
    assert found(pulse=TWICE) == []  # it was said what becomes of them


def test_a_concept_that_never_occurs() -> None:
    (line,) = found(fever=NONE, _5088=Occurrence(0))
    assert line.startswith("8:9 OZ431 flattening.tables.vitals.columns.fever: CIEL:5088 never occurs in the data")


def test_a_concept_that_occurs_elsewhere() -> None:
    elsewhere = Occurrence(1234, (("Visit Note", 1000), ("Admission", 200), ("Lab", 20), ("Old", 10), ("Rare", 4)))
    (line,) = found(fever=NONE, _5088=elsewhere)
    assert line.endswith(
        "never occurs in a row of this table: its 1,234 observations are in encounters of type "
        "Visit Note (1,000), Admission (200), Lab (20) and 2 more"
    )
    (line,) = found(fever=NONE, _5088=Occurrence(1))
    assert "its 1 observation belongs to no encounter that counts" in line


def test_every_finding_says_how_to_mend_it() -> None:
    cells = {"vitals": {"weight": TWICE, "pulse": NONE, "fever": NONE}}
    made = findings(SOURCE, [PLAN], cells, {**OCCURRING, "CIEL:5087": Occurrence(0)})
    assert [each.code for each in made] == [
        codes.SeveralObservations.id, codes.ConceptNeverOccurs.id, codes.ConceptNeverOccurs.id
    ]  # fmt: skip
    assert all(each.hint for each in made)


def test_a_concept_that_occurs_outside_of_its_group() -> None:
    (_, _, fever) = PLAN.columns
    plan = replace(PLAN, columns=(replace(fever, group="CIEL:159947"),))
    (made,) = findings(SOURCE, [plan], {"vitals": {"fever": NONE}}, OCCURRING)
    assert "never occurs in a row of this table, in a group CIEL:159947: its 900 observations" in made.message


def test_counts_of_few_are_not_told() -> None:
    cells = {"vitals": {"weight": CellCounts(900, 902, 2, 2), "pulse": TWICE, "fever": NONE}}
    occurring = {**OCCURRING, "CIEL:5088": Occurrence(3, (("Admission", 3),))}
    messages = [each.message for each in findings(SOURCE, [PLAN], cells, occurring, few=5)]
    assert "in fewer than 5 cells of 900" in messages[0]
    assert messages[1].endswith("its fewer than 5 observations are in encounters of type Admission (fewer than 5)")


def subqueries() -> Subqueries:
    return Subqueries("openmrs", ["en"], tables_of("2.5"))


def test_the_companion_of_a_table() -> None:
    plan = counting(PLAN)
    assert (plan.name, plan.rows, plan.filters) == ("vitals.counts", PLAN.rows, PLAN.filters)
    table = own_table(plan, subqueries())
    own = [column for column in table.columns if column.name in ("weight", "pulse", "fever")]
    assert {column.type for column in own} == {SqlType.BIGINT}


# --- the counts themselves


@pytest.mark.flink  # for pyarrow, which comes with PyFlink
def test_counts_of_cells(tmp_path: Path) -> None:
    table = own_table(counting(PLAN), subqueries())
    for name, rows in (("a", [(1, 0), (3, 0)]), ("b", [(2, 0)])):
        lines = [{"encounter_id": 1, "weight": weight, "pulse": pulse, "fever": 1} for weight, pulse in rows]
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert read_counts(table, ["weight", "pulse", "fever"], tmp_path) == {
        "weight": CellCounts(3, 6, 2, 3),
        "pulse": CellCounts(3, 0, 0, 0),
        "fever": CellCounts(3, 3, 0, 1),
    }
    assert read_counts(table, ["pulse"], tmp_path / "none") == {"pulse": CellCounts(0, 0, 0, 0)}


@pytest.mark.flink
def test_where_concepts_occur(tmp_path: Path) -> None:
    events: dict[str, list[dict[str, Any]]] = {
        "concept": [
            {"concept_id": 1, "uuid": "u1", "retired": 0}, {"concept_id": 2, "uuid": "u2"},
            {"concept_id": 3, "uuid": "u3"},
        ],
        "concept_reference_source": [{"concept_source_id": 7, "name": "CIEL"}, {"concept_source_id": 8, "name": "X"}],
        "concept_reference_term": [
            {"concept_reference_term_id": 70, "concept_source_id": 7, "code": "5089"},
            {"concept_reference_term_id": 80, "concept_source_id": 8, "code": "5089"},
            {"concept_reference_term_id": 81, "concept_source_id": 8, "code": "a:b"},
        ],
        "concept_map_type": [
            {"concept_map_type_id": 1, "name": "SAME-AS"}, {"concept_map_type_id": 2, "name": "NARROWER-THAN"}
        ],
        "concept_reference_map": [
            {"concept_map_id": 1, "concept_reference_term_id": 70, "concept_map_type_id": 1, "concept_id": 1},
            {"concept_map_id": 2, "concept_reference_term_id": 80, "concept_map_type_id": 1, "concept_id": 2},
            {"concept_map_id": 3, "concept_reference_term_id": 81, "concept_map_type_id": 2, "concept_id": 2},
        ],
        "encounter_type": [{"encounter_type_id": 5, "name": "Vitals"}, {"encounter_type_id": 6, "name": "Admission"}],
        "encounter": [
            {"encounter_id": 10, "encounter_type": 5, "voided": 0},
            {"encounter_id": 11, "encounter_type": 6, "voided": 0},
            {"encounter_id": 12, "encounter_type": 6, "voided": 1},
        ],
        "obs": [
            {"obs_id": number, "concept_id": concept, "encounter_id": encounter, "voided": voided}
            for number, (concept, encounter, voided) in enumerate(
                [(1, 10, 0), (1, 11, 0), (1, 11, 0), (1, 12, 0), (1, None, 0), (1, 10, 1), (2, 10, 0)]
            )
        ],
    }  # fmt: skip
    assert sorted(events) == sorted(READ)
    for table, rows in events.items():
        (tmp_path / table).mkdir()
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / table / "part-0.json").write_text(text, encoding="utf-8")
    wanted = ["CIEL:5089", "X:5089", "u1", "u3", "X:a:b", "CIEL:1"]
    assert occurrences(tmp_path, wanted) == {
        "CIEL:5089": Occurrence(5, (("Admission", 2), ("Vitals", 1))),
        "u1": Occurrence(5, (("Admission", 2), ("Vitals", 1))),
        "X:5089": Occurrence(1, (("Vitals", 1),)),
        "u3": Occurrence(0),
        "X:a:b": Occurrence(0),
        "CIEL:1": Occurrence(0),
    }
    for table in events:
        (tmp_path / table / "part-0.json").write_text("", encoding="utf-8")
    assert occurrences(tmp_path, wanted) == dict.fromkeys(wanted, Occurrence(0))
