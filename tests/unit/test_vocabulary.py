"""From rows of a database to the dictionary of a site: names, codes, answers, whatever the order of the rows."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozone_gen.diagnostics import OzoneError
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.openmrs.demo.dictionary import LOCALES
from ozone_gen.openmrs.demo_vocabulary import demo_dictionary
from ozone_gen.openmrs.dictionary import AttributeType, Named, NamedKind
from ozone_gen.openmrs.dictionary_dump import dictionary_of_dump
from ozone_gen.openmrs.tables import DICTIONARY_TABLES, tables_of
from ozone_gen.openmrs.vocabulary import Row, vocabulary

WEIGHT, RETIRED, COUGH, FEVER, YES = 5089, 2, 3, 4, 1


def row(table: str, *values: object) -> Row:
    return dict(zip((column.name for column in DICTIONARY_TABLES[table].columns), values, strict=True))


def rows(table: str, *every: Sequence[object]) -> list[Row]:
    return [row(table, *values) for values in every]


def tables(**changed: list[Row]) -> dict[str, list[Row]]:
    """A dictionary of five concepts."""
    return {
        "concept": rows(
            "concept",
            (WEIGHT, 1, 0, "uuid-weight"),
            (RETIRED, 1, 1, "uuid-retired"),
            (COUGH, 2, 0, "uuid-cough"),
            (FEVER, 3, 0, "uuid-fever"),
            (YES, 9, 0, "uuid-yes"),
        ),
        "concept_datatype": rows("concept_datatype", (1, "Numeric"), (2, "Coded"), (3, "N/A")),
        "concept_numeric": rows("concept_numeric", (WEIGHT, "kg"), (RETIRED, None)),
        "concept_name": rows(
            "concept_name",
            (1, WEIGHT, "Weight (kg)", "en", 1, "FULLY_SPECIFIED", 0),
            (2, WEIGHT, "Poids", "fr", 0, None, 0),
            (3, WEIGHT, "Old name", "en", 1, "FULLY_SPECIFIED", 1),
            (4, COUGH, "Cough", "en_GB", 0, "FULLY_SPECIFIED", 0),
            (5, None, "Of nothing", "en", 1, "FULLY_SPECIFIED", 0),
        ),
        "concept_answer": rows(
            "concept_answer",
            (1, COUGH, YES, 2.0),
            (2, COUGH, FEVER, 1.0),
            (3, COUGH, WEIGHT, None),
            (4, COUGH, None, 0),
        ),
        "concept_set": rows("concept_set", (1, FEVER, YES, 2), (2, WEIGHT, YES, 1), (3, FEVER, YES, 3)),
        "concept_reference_map": rows(
            "concept_reference_map", (1, 1, 1, WEIGHT), (2, 2, 1, WEIGHT), (3, 3, 2, WEIGHT), (4, 9, 1, WEIGHT)
        ),
        "concept_reference_term": rows(
            "concept_reference_term", (1, 1, "5089", 0), (2, 2, "WT", 1), (3, 2, "BROADER", 0), (9, 7, "LOST", 0)
        ),
        "concept_reference_source": rows("concept_reference_source", (1, "CIEL", 0), (2, "AMPATH", 0)),
        "concept_map_type": rows("concept_map_type", (1, "SAME-AS"), (2, "BROADER-THAN")),
        "encounter_type": rows("encounter_type", (2, "Vitals", 0, "uuid-vitals"), (1, "Old", 1, "uuid-old")),
        "visit_type": [],
        "form": rows("form", (1, "Vitals", "1.2", 0, "uuid-form")),
        "location": [],
        "global_property": rows(
            "global_property", ("concept.True", "uuid-yes"), ("concept.false", f" {FEVER} "), ("other", None)
        ),
        "person_attribute_type": rows("person_attribute_type", (1, "Phone", "java.lang.String", 0, "uuid-phone")),
        "visit_attribute_type": rows("visit_attribute_type", (1, "Room", None, 1, "uuid-room")),
    } | changed


def test_every_table_of_the_dictionary_is_in_these_tests() -> None:
    assert tables().keys() == DICTIONARY_TABLES.keys()


def test_what_a_concept_is() -> None:
    (weight,) = vocabulary(tables(), "x").seen_in(["en"]).find("CIEL:5089")
    assert (weight.id, weight.uuid, weight.datatype, weight.units) == (WEIGHT, "uuid-weight", "Numeric", "kg")
    assert weight.codes == ("AMPATH:WT", "CIEL:5089")
    assert not weight.retired
    (retired,) = vocabulary(tables(), "x").nameless.find("uuid-retired")
    assert (retired.retired, retired.units, retired.name) == (True, "", "")


def test_answers_and_members_come_in_their_order_and_once() -> None:
    found = vocabulary(tables(), "x").nameless
    assert found.find("uuid-cough")[0].answers == (WEIGHT, FEVER, YES)
    assert found.find("uuid-yes")[0].members == (WEIGHT, FEVER)


def test_other_things_of_the_dictionary() -> None:
    found = vocabulary(tables(), "the clinic").nameless
    assert found.origin == "the clinic"
    old, vitals = found.named[NamedKind.ENCOUNTER_TYPE]
    assert (old, vitals) == (Named(1, "uuid-old", "Old", retired=True), Named(2, "uuid-vitals", "Vitals"))
    assert found.named[NamedKind.FORM] == (Named(1, "uuid-form", "Vitals", version="1.2"),)
    assert found.sources == ("AMPATH", "CIEL")
    assert (found.true_concept, found.false_concept) == (YES, FEVER)
    assert found.person_attribute_types == (AttributeType(1, "uuid-phone", "Phone", "java.lang.String"),)
    assert found.visit_attribute_types == (AttributeType(1, "uuid-room", "Room", retired=True),)


def test_true_and_false_may_be_unknown() -> None:
    properties = rows("global_property", ("concept.true", "999"), ("concept.false", None))
    found = vocabulary(tables(global_property=properties), "x").nameless
    assert (found.true_concept, found.false_concept) == (None, None)


@pytest.mark.parametrize(
    ("locales", "name", "names"),
    [
        (["en"], "Weight (kg)", {"en": "Weight (kg)"}),
        (["fr", "en"], "Poids", {"fr": "Poids", "en": "Weight (kg)"}),
        (["sw"], "Weight (kg)", {}),
        (["en_GB", "fr"], "Poids", {"fr": "Poids"}),
    ],
)
def test_names_in_the_locales_of_a_site(locales: list[str], name: str, names: dict[str, str]) -> None:
    (weight,) = vocabulary(tables(), "x").seen_in(locales).find("CIEL:5089")
    assert (weight.name, weight.names) == (name, names)


def test_a_regional_variant_stands_in_for_its_language() -> None:
    (cough,) = vocabulary(tables(), "x").seen_in(["en"]).find("uuid-cough")
    assert (cough.name, cough.names) == ("Cough", {"en": "Cough"})


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(chance: random.Random) -> None:
    shuffled = tables()
    for each in shuffled.values():
        chance.shuffle(each)
    expected = vocabulary(tables(), "x")
    assert vocabulary(shuffled, "x") == expected
    assert repr(vocabulary(shuffled, "x").seen_in(["fr", "en"])) == repr(expected.seen_in(["fr", "en"]))


LOCALE = st.sampled_from(["en", "en_GB", "en_US", "e", "enx", "fr", "fr_FR", "sw", ""])
NAMES = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),
        LOCALE,
        st.sampled_from([0, 1]),
        st.sampled_from(["FULLY_SPECIFIED", "SHORT", "INDEX_TERM", None]),
        st.sampled_from([0, 0, 0, 1]),
    ),
    max_size=12,
)


@given(NAMES, st.lists(st.sampled_from(["en", "fr", "en_GB", "sw"]), min_size=1, max_size=3, unique=True))
def test_names_are_chosen_as_the_flattened_tables_choose_them(names: list[Any], locales: list[str]) -> None:
    every = rows(
        "concept_name",
        *((key, concept, f"n{key}", *rest) for key, (concept, *rest) in enumerate(names, 1)),
    )
    concepts = rows("concept", (1, 1, 0, "uuid-1"), (2, 1, 0, "uuid-2"))
    found = vocabulary(tables(concept=concepts, concept_name=every), "x").seen_in(locales)
    assert {each.id: each.name for each in found.concepts if each.name} == _by_sql(every, locales)


def _by_sql(names: list[Row], locales: list[str]) -> dict[int, str]:
    """What the subquery of the Flink job says; SQLite happens to understand it. Booleans are texts to it."""
    queries = Subqueries("openmrs", locales, tables_of("2.5"))
    queries.concept_label()
    columns = [column.name for column in tables_of("2.5")["concept_name"].columns]
    with sqlite3.connect(":memory:") as database:
        database.execute("ATTACH ':memory:' AS openmrs")
        database.execute("PRAGMA case_sensitive_like = ON")
        database.execute(f"CREATE TABLE openmrs.concept_name ({', '.join(columns)})")
        for each in names:
            values = [str(each[name]) if name in ("voided", "locale_preferred") else each[name] for name in columns]
            database.execute(f"INSERT INTO openmrs.concept_name VALUES ({', '.join('?' * len(values))})", values)
        found = {key: name for key, name, *_ in database.execute(queries.named[0][1])}
    database.close()
    return found


# --- out of a dump


def test_the_dump_of_the_demo_data_has_the_demo_dictionary(tmp_path: Path) -> None:
    dump = tmp_path / "demo.sql"
    dump.write_bytes(demo_sql(patients=2, seed=1))
    told: list[int] = []
    found, warnings = dictionary_of_dump(dump, LOCALES, told.append)
    assert warnings == ()
    assert sum(told) == dump.stat().st_size
    assert found.origin == "the dump demo.sql"
    assert replace(found, origin="the demo data") == demo_dictionary(LOCALES)
    assert repr(found.named) == repr(demo_dictionary().named)


def test_a_dump_of_another_schema(tmp_path: Path) -> None:
    dump = tmp_path / "old.sql"
    text = demo_sql(patients=1, seed=1).replace(b"concept_numeric", b"concept_numbers").replace(b"retired", b"gone")
    dump.write_bytes(text)
    with pytest.raises(OzoneError) as error:
        dictionary_of_dump(dump, LOCALES)
    messages = [each.message for each in error.value.diagnostics]
    assert "the dump has no table concept_numeric" in messages
    assert "the dump's table concept has no column retired" in messages


def test_a_dump_cut_off_in_the_middle(tmp_path: Path) -> None:
    dump = tmp_path / "cut.sql"
    text = demo_sql(patients=1, seed=1)
    dump.write_bytes(text[: len(text) // 2])
    with pytest.raises(OzoneError) as error:
        dictionary_of_dump(dump, LOCALES)
    assert [each.code for each in error.value.diagnostics] == ["OZ022"]
