"""How a table's columns are chosen, referred to, typed and told about."""

from __future__ import annotations

from typing import Any

import pytest
from ruamel.yaml import YAML

from ozone_gen.diagnostics import OzoneError
from ozone_gen.openmrs.dictionary import Concept, Dictionary, Named, NamedKind
from ozone_gen.suggest.references import References
from ozone_gen.suggest.tables import MOST_COLUMNS, By, Suggestion, percent, suggest
from ozone_gen.suggest.usage import ConceptUsage, RowUsage, Usage
from ozone_gen.suggest.writing import LISTED, tables_text

VITALS, NOTE, TWIN = Named(1, "u" * 36, "Vitals"), Named(2, "v" * 36, "Note"), Named(3, "w" * 36, "Note")


def concept(number: int, name: str = "", datatype: str = "Numeric", *codes: str, **more: Any) -> Concept:
    return Concept(number, f"{number:036}", datatype, name or f"Concept {number}", codes, **more)


def dictionary(*concepts: Concept, **named: tuple[Named, ...]) -> Dictionary:
    kinds = {NamedKind.ENCOUNTER_TYPE: (VITALS, NOTE, TWIN), NamedKind.FORM: named.get("forms", ())}
    sources = sorted({code.rpartition(":")[0] for each in concepts for code in each.codes})
    return Dictionary("the clinic", concepts, kinds, tuple(sources))


def used(*usages: ConceptUsage, rows: int = 100) -> Usage:
    return Usage({(VITALS.id, None): RowUsage(rows, usages)})


def columns(suggestion: Suggestion) -> dict[str, dict[str, str]]:
    (table,) = suggestion.tables
    return {column.name: dict(column.declaration) for column in table.columns}


@pytest.mark.parametrize(
    ("wanted", "reference"),
    [
        ("", "CIEL:5"),  # CIEL first, the lower number
        ("lab", "LAB:x"),
        ("SNOMED", "CIEL:5"),  # it has no code of that source
    ],
)
def test_the_wanted_source_and_else_ciel(wanted: str, reference: str) -> None:
    one = concept(1, "Weight", "Numeric", "CIEL:10", "CIEL:5", "LAB:x")
    found = References(dictionary(one, concept(2, "", "Numeric", "SNOMED:1")), wanted)
    assert found.concept(one) == reference


def test_without_ciel_the_source_with_most_mappings() -> None:
    one = concept(1, "Weight", "Numeric", "A:1", "B:1")
    assert References(dictionary(one, concept(2, "", "Numeric", "B:2"))).concept(one) == "B:1"


@pytest.mark.parametrize("code", ["CIEL:5", "A B:it's", "A:x y", "A:B:c"])
def test_a_code_that_is_not_unique_or_cannot_be_written_is_none(code: str) -> None:
    one, other = concept(1, "Weight", "Numeric", code), concept(2, "Other", "Numeric", "CIEL:5")
    assert References(dictionary(one, other)).concept(one) == one.uuid


def test_a_concept_that_cannot_be_referred_to_is_no_column() -> None:
    bad = Concept(1, "not a uuid", "Numeric", "Weight")
    known = dictionary(bad, concept(2))
    made = suggest(known, used(ConceptUsage(1, 50, 50), ConceptUsage(2, 9, 9)), References(known))
    assert list(columns(made)) == ["concept_2"]
    assert made.tables[0].valueless == 1


def test_an_unknown_source() -> None:
    with pytest.raises(OzoneError) as error:
        References(dictionary(concept(1, "", "Numeric", "CIEL:1")), "CEIL")
    assert error.value.diagnostics[0].hint == "did you mean CIEL?"


@pytest.mark.parametrize(
    ("datatype", "several", "declared"),
    [
        ("Numeric", 0, {"type": "numeric"}),
        ("Numeric", 30, {"type": "numeric", "repeat": "last"}),
        ("Coded", 0, {"type": "coded", "value": "name"}),
        ("Coded", 1, {"type": "coded", "value": "name", "answers": "list"}),
        ("Text", 30, {"type": "text", "repeat": "list"}),
        ("Boolean", 30, {"type": "boolean", "repeat": "last"}),
        ("Date", 0, {"type": "date"}),
        ("Datetime", 0, {"type": "datetime"}),
        ("Time", 0, {"type": "time"}),
        ("Complex", 30, {"type": "complex", "repeat": "last"}),
    ],
)
def test_types_and_what_becomes_of_several(datatype: str, several: int, declared: dict[str, str]) -> None:
    known = dictionary(concept(1, "Weight", datatype, "CIEL:1"))
    made = suggest(known, used(ConceptUsage(1, 100, 100 + several, several)), References(known))
    assert columns(made) == {"weight": {"concept": "CIEL:1", **declared}}


def test_several_in_very_few_rows_are_only_told() -> None:
    known = dictionary(concept(1, "Weight", "Text", "CIEL:1"))
    made = suggest(known, used(ConceptUsage(1, 1000, 1005, 5, 2), rows=1000), References(known))
    assert columns(made) == {"weight": {"concept": "CIEL:1", "type": "text"}}
    assert made.tables[0].columns[0].comment == (
        "Weight, 1,000 of 1,000 encounters, 1,005 observations, several in less than 1 %, at most 2"
    )


def test_names_are_unique_and_neither_key_nor_system_columns() -> None:
    known = dictionary(
        concept(1, "Location"),
        concept(2, "xmin"),
        concept(3, "Weight (kg)"),
        concept(4, "weight, kg"),
        concept(5, "الوزن", "Numeric", "CIEL:5089", names={"ar": "الوزن", "en": "Weight"}),
        concept(6, "الوزن", "Numeric", "CIEL:5090"),
        concept(7, "الوزن"),
        concept(8, "Order"),
    )
    made = suggest(known, used(*(ConceptUsage(number, 9, 9) for number in range(1, 9))), References(known))
    assert list(columns(made)) == [
        *("obs_location", "obs_xmin", "weight_kg", "weight_kg_2"),
        *("weight", "ciel_5090", "concept_00000000", "obs_order"),
    ]


def test_tables_are_named_beside_each_other_and_beside_core_tables() -> None:
    visits = Named(1, "a" * 36, "Visits")
    forms = (Named(1, "b" * 36, "Visits", version="1"), Named(2, "c" * 36, "Visits", version="2"))
    one = concept(1)
    known = Dictionary("x", (one,), {NamedKind.ENCOUNTER_TYPE: (visits,), NamedKind.FORM: forms})
    rows = RowUsage(2, (ConceptUsage(1, 2, 2),))
    made = suggest(known, Usage({(1, 1): rows, (1, 2): rows, (1, None): rows}), References(known))
    assert [(table.name, dict(table.declaration)) for table in made.tables] == [
        ("encounter_visits", {"rows": "encounter", "encounter_types": ("Visits",)}),
        ("form_visits", {"rows": "encounter", "forms": ("Visits",)}),
    ]
    assert [table.usage and table.usage.rows for table in made.tables] == [6, 4]


def test_an_encounter_type_without_a_readable_name() -> None:
    known = Dictionary("x", (concept(1),), {NamedKind.ENCOUNTER_TYPE: (Named(1, "67a71486" + "a" * 28, "الوزن"),)})
    made = suggest(known, used(ConceptUsage(1, 1, 1)), References(known))
    assert [(table.name, table.what) for table in made.tables] == [("encounter_67a71486", "الوزن")]
    assert made.tables[0].declaration["encounter_types"] == ("الوزن",)


def test_encounter_types_of_one_name_are_told_apart_by_uuid() -> None:
    rows = RowUsage(1, (ConceptUsage(1, 1, 1),))
    known = dictionary(concept(1))
    made = suggest(known, Usage({(NOTE.id, None): rows, (TWIN.id, None): rows}), References(known))
    assert [(table.name, table.declaration["encounter_types"]) for table in made.tables] == [
        ("note", (NOTE.uuid,)),
        ("encounter_note", (TWIN.uuid,)),
    ]


def test_a_group_within_a_group_and_what_has_no_value() -> None:
    known = dictionary(concept(1, "Panel", "N/A"), concept(2, "Test"), concept(3, "Nothing", "N/A"))
    inside = RowUsage(4, (ConceptUsage(2, 4, 4), ConceptUsage(3, 4, 4)))
    encounters: dict[tuple[int, int | None], RowUsage] = {
        (1, None): RowUsage(2, (ConceptUsage(1, 2, 4, 2, 2), *inside.concepts))
    }
    made = suggest(known, Usage(encounters, {1: inside}), References(known))
    assert [(table.by, table.valueless) for table in made.tables] == [(By.ENCOUNTER_TYPE, 1), (By.GROUP, 1)]


def test_hundreds_of_concepts_are_listed_or_told() -> None:
    known = dictionary(*(concept(number) for number in range(1, 501)))
    usages = tuple(ConceptUsage(number, 501 - number, 501 - number) for number in range(1, 501))
    made = suggest(known, used(*usages, rows=500), References(known))
    assert len(made.tables[0].columns) == MOST_COLUMNS
    text = tables_text(made, 0)
    assert text.count("\n      # concept_") == LISTED
    assert f"# and {500 - MOST_COLUMNS - LISTED} more\n" in text
    assert len(YAML(typ="safe").load(text)["tables"]["vitals"]["columns"]) == MOST_COLUMNS


@pytest.mark.parametrize(
    "name", ["a: b # c", "line\nbreak", "tab\there", "\u202eright to left", "#", "'", '"', "\ud800", "- a", "😀", "%"]
)
def test_whatever_a_name_holds_the_text_is_yaml(name: str) -> None:
    other = Named(9, "9" * 36, name)
    known = Dictionary("x", (concept(1, name), concept(2, name)), {NamedKind.ENCOUNTER_TYPE: (other,)})
    usages = (ConceptUsage(1, 100, 100), ConceptUsage(2, 1, 1))
    made = suggest(known, Usage({(9, None): RowUsage(100, usages)}), References(known), min_share=0.5)
    text = tables_text(made, 0.5)
    text.encode()
    ((table, declared),) = YAML(typ="safe").load(text)["tables"].items()
    assert table
    assert declared["encounter_types"] in ([name], [other.uuid])
    assert len(declared["columns"]) == 1
    rare = made.tables[0].rare[0].name
    assert f"\n      # {rare}: " in text


def test_shares_in_words() -> None:
    assert [percent(*each) for each in ((1, 1000), (1, 100), (999, 1000), (5, 5), (1, 3))] == [
        *("less than 1 %", "1 %", "99 %", "100 %", "33 %")
    ]
