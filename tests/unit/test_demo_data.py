"""The demo database: always the same, whole in itself, and varied enough to test what reads it."""

from __future__ import annotations

import hashlib
import io
import re
import sqlite3
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozone_gen.openmrs.demo import demo_sql, metadata, notes, write_demo_data
from ozone_gen.openmrs.demo.dictionary import concept_id, concepts
from ozone_gen.openmrs.demo.people import FIRST_PERSON, check_digit
from ozone_gen.openmrs.demo.schema import create_table, tables
from ozone_gen.openmrs.demo.sql import literal, quote
from ozone_gen.openmrs.demo_vocabulary import demo_dictionary
from tests.oracle.demo_rows import PATIENTS, VALUE, Value, demo, read_rows, value


def count(database: sqlite3.Connection, sql: str) -> int:
    """How many rows a FROM clause has."""
    found: int = database.execute(f"SELECT COUNT(*) FROM {sql}").fetchone()[0]
    return found


# -- the same every time ------------------------------------------------------------------------------------


def test_same_seed_same_bytes() -> None:
    first = demo_sql(30, 7)
    demo_sql.cache_clear()
    assert demo_sql(30, 7) == first
    assert demo_sql(30, 8) != first


def test_bytes_do_not_depend_on_the_process() -> None:
    script = (
        "import hashlib; from ozone_gen.openmrs.demo import demo_sql;"
        "print(hashlib.sha256(demo_sql(20, -3)).hexdigest())"
    )
    found = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == hashlib.sha256(demo_sql(20, -3)).hexdigest()


def test_patients_are_the_same_whatever_their_number() -> None:
    few, many = demo(50), demo()
    last_person = FIRST_PERSON + 50
    for name, rows in few.items():
        person = next((key for key in ("patient_id", "person_id") if rows and key in rows[0]), None)
        if person is None:
            assert {tuple(row.items()) for row in rows} <= {tuple(row.items()) for row in many[name]}, name
        else:
            assert rows == [row for row in many[name] if int(row[person] or 0) <= last_person], name


def test_seeds_differ_in_all_that_is_made_up() -> None:
    one, other = demo(50, 1), demo(50, 2)
    assert {row["uuid"] for row in one["obs"]}.isdisjoint(row["uuid"] for row in other["obs"])
    assert one["concept"] == other["concept"]


def test_progress_and_pieces() -> None:
    done: list[int] = []
    longest = 0

    class Out(io.StringIO):
        def write(self, text: str) -> int:
            nonlocal longest
            longest = max(longest, len(text))
            return len(text)

    write_demo_data(Out(), patients=130, seed=1, advance=done.append)
    assert sum(done) == 130
    assert max(done) <= 50
    assert longest < 4_000_000


def test_numbers_of_patients() -> None:
    nobody = read_rows(demo_sql(0, 1).decode())
    assert nobody["patient"] == []
    assert nobody["obs"] == []
    assert len(nobody["concept"]) == len(concepts())
    for wrong in (-1, 2_000_001):
        with pytest.raises(ValueError, match="patients"):
            write_demo_data(io.StringIO(), patients=wrong, seed=1)


# -- whole in itself ----------------------------------------------------------------------------------------


def test_rows_fit_their_columns() -> None:
    for name, rows in demo().items():
        table = tables()[name]
        assert not rows or set(rows[0]) <= {column.name for column in table.columns}, name
        for column in table.columns:
            found = {row.get(column.name) for row in rows}
            where = f"{name}.{column.name}"
            # A column that is left out takes its default, but readers of dumps take NULL.
            assert None not in found or (column.nullable and column.name not in table.primary_key), where
            found.discard(None)
            if length := re.fullmatch(r"(?:var)?char\((\d+)\)", column.sql_type):
                assert all(len(str(value)) <= int(length[1]) for value in found), where
            elif column.sql_type in ("int", "tinyint(1)"):
                assert all(isinstance(value, int) and abs(value) < 2**31 for value in found), where
            elif column.sql_type in ("date", "datetime"):
                shape = re.compile(r"\d{4}-\d\d-\d\d" + " ..:..:.." * (column.sql_type == "datetime"))
                assert all(shape.fullmatch(str(value)) for value in found), where


def test_keys_are_unique() -> None:
    for name, rows in demo().items():
        table = tables()[name]
        keys = [tuple(row[column] for column in table.primary_key) for row in rows]
        assert len(keys) == len(set(keys)), name
        for column in table.columns:
            if column.unique:
                found = [row[column.name] for row in rows if row.get(column.name) is not None]
                assert len(found) == len(set(found)), f"{name}.{column.name}"


def test_uuids_are_unique_over_all_patient_tables() -> None:
    uuids = [
        row["uuid"] for name in ("obs", "encounter", "visit", "person", "orders") for row in demo()[name]
    ]
    assert len(uuids) == len(set(uuids))
    shape = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}")
    assert all(shape.fullmatch(str(uuid)) for uuid in uuids)


def test_every_reference_exists() -> None:
    for name, rows in demo().items():
        for column in tables()[name].columns:
            if column.references is None:
                continue
            target = tables()[column.references].primary_key[0]
            there = {row[target] for row in demo()[column.references]}
            missing = {row.get(column.name) for row in rows} - there - {None}
            assert not missing, f"{name}.{column.name}"
    assert {row["concept_id"] for row in demo()["orders"]} <= {row["concept_id"] for row in demo()["concept"]}


@pytest.mark.parametrize("seed", [1, 99])
def test_ids_stay_in_the_block_of_their_patient(seed: int) -> None:
    blocks = {
        "obs": ("obs_id", 1000),
        "encounter": ("encounter_id", 100),
        "orders": ("order_id", 100),
        "encounter_diagnosis": ("diagnosis_id", 100),
        "visit": ("visit_id", 10),
        "patient_appointment": ("patient_appointment_id", 10),
        "conditions": ("condition_id", 10),
        "patient_program": ("patient_program_id", 10),
        "patient_identifier": ("patient_identifier_id", 10),
    }
    for name, (key, size) in blocks.items():
        for row in demo(PATIENTS, seed)[name]:
            person = int(row.get("patient_id") or row.get("person_id") or 0)
            assert int(row[key] or 0) // size == person - FIRST_PERSON, f"{name}: {row}"


def test_members_stand_beside_their_group() -> None:
    by_id = {row["obs_id"]: row for row in demo()["obs"]}
    members = [row for row in by_id.values() if row["obs_group_id"]]
    assert len(members) > 1000
    for member in members:
        group = by_id[member["obs_group_id"]]
        assert (group["encounter_id"], group["person_id"]) == (member["encounter_id"], member["person_id"])
        assert group["value_coded"] is None
        assert int(group["obs_id"] or 0) < int(member["obs_id"] or 0)


def test_statements_load_in_any_order_of_tables() -> None:
    sql = demo_sql(3, 1).decode()
    assert sql.startswith("SET NAMES utf8mb4;\n")
    assert "FOREIGN_KEY_CHECKS=0" in sql
    assert not re.search(r"^(CREATE DATABASE|USE) ", sql, re.MULTILINE)
    assert sql.count("START TRANSACTION;") == sql.count("COMMIT;") == 2
    assert "int(11)" not in sql  # MySQL warns of display widths


def test_constraint_names_are_short_enough_and_unique() -> None:
    names = re.findall(r"CONSTRAINT `(\w+)`", "".join(map(create_table, tables().values())))
    assert len(names) == len(set(names))
    assert max(map(len, names)) <= 64


@settings(max_examples=50)
@given(st.text())
def test_quoting_reads_back(text: str) -> None:
    quoted = quote(text)
    assert "\n" not in quoted
    assert VALUE.findall(quoted) == [quoted]
    assert value(quoted) == text


@pytest.mark.parametrize(
    ("given_value", "sql"),
    [(None, "NULL"), (True, "1"), (False, "0"), (-3, "-3"), (0.5, "0.5"), ("é'", "'é\\''")],
)
def test_literals(given_value: Value, sql: str) -> None:
    assert literal(given_value) == sql


# -- plausible ----------------------------------------------------------------------------------------------


def test_numbers_are_within_the_bounds_of_their_concept(database: sqlite3.Connection) -> None:
    wrong = database.execute(
        "SELECT o.obs_id, o.concept_id, o.value_numeric FROM obs o JOIN concept_numeric n USING (concept_id)"
        " WHERE o.value_numeric < n.low_absolute OR o.value_numeric > n.hi_absolute"
        " OR (n.allow_decimal = 0 AND o.voided = 0 AND o.value_numeric <> ROUND(o.value_numeric))"
    ).fetchall()
    assert wrong == []


def test_values_suit_their_concept(database: sqlite3.Connection) -> None:
    columns = {
        "Numeric": "value_numeric",
        "Coded": "value_coded",
        "Boolean": "value_coded",
        "Text": "value_text",
        "Date": "value_datetime",
        "Datetime": "value_datetime",
        "Complex": "value_complex",
    }
    for datatype, column in columns.items():
        of_it = (
            "obs JOIN concept USING (concept_id) JOIN concept_datatype d ON d.concept_datatype_id = "
            "datatype_id"
            f" WHERE d.name = '{datatype}'"
        )
        assert count(database, of_it) > 0, datatype
        assert count(database, f"{of_it} AND {column} IS NULL") == 0, datatype
    assert count(database, "obs WHERE substr(value_datetime, 12) NOT IN ('', '00:00:00')") > 0


def test_answers_are_answers_of_their_question(database: sqlite3.Connection) -> None:
    # What was handed out is a drug's concept, whichever it is; a Boolean concept has no answers of its own.
    assert not database.execute(
        "SELECT DISTINCT o.concept_id, o.value_coded FROM obs o JOIN concept c USING (concept_id)"
        " WHERE c.datatype_id = 2 AND NOT EXISTS (SELECT 1 FROM concept_answer a"
        " WHERE a.concept_id = o.concept_id AND a.answer_concept = o.value_coded)"
    ).fetchall()
    settings = dict(database.execute("SELECT property, property_value FROM global_property"))
    booleans = {
        row[0]
        for row in database.execute(
            "SELECT value_coded FROM obs JOIN concept USING (concept_id) WHERE datatype_id = 10"
        )
    }
    assert booleans == {int(settings["concept.true"]), int(settings["concept.false"])}


def test_time_goes_forward(database: sqlite3.Connection) -> None:
    assert count(database, "encounter WHERE encounter_datetime >= '2026-01-01'") == 0
    assert count(database, "visit WHERE date_stopped <= date_started OR date_stopped >= '2026-01-02'") == 0
    within = "encounter e JOIN visit v USING (visit_id) WHERE"
    assert count(database, f"{within} e.encounter_datetime < v.date_started") == 0
    assert count(database, f"{within} substr(e.encounter_datetime, 1, 16) > v.date_stopped") == 0
    of_person = "encounter JOIN person ON person_id = patient_id WHERE"
    assert count(database, f"{of_person} encounter_datetime < birthdate") == 0
    assert count(database, "person WHERE death_date < birthdate") == 0
    assert count(database, "obs WHERE date_voided < date_created OR date_created < obs_datetime") == 0


def test_volume(database: sqlite3.Connection) -> None:
    assert count(database, "patient") == PATIENTS
    assert 100 * PATIENTS <= count(database, "obs") <= 130 * PATIENTS


# -- varied -------------------------------------------------------------------------------------------------


def test_every_encounter_type_visit_type_and_diagnosis_is_used(database: sqlite3.Connection) -> None:
    encounter_types = {row[0] for row in database.execute("SELECT encounter_type FROM encounter")}
    assert encounter_types == {kind.id for kind in metadata.ENCOUNTER_TYPES}
    visit_types = {row[0] for row in database.execute("SELECT visit_type_id FROM visit")}
    assert visit_types == {kind.id for kind in metadata.VISIT_TYPES}
    diagnoses = {row[0] for row in database.execute("SELECT value_coded FROM obs")}
    assert (
        sum(
            concept.id in diagnoses for concept in concepts().values() if concept.concept_class == "Diagnosis"
        )
        > 40
    )


def test_odd_notes_come_through() -> None:
    written = {row["value_text"] for row in demo()["obs"]}
    for odd in notes.ODD_NOTES:
        assert value(odd) in written


# -- the dictionary -----------------------------------------------------------------------------------------


def test_vital_signs_are_found_by_their_mapping() -> None:
    dictionary = demo_dictionary()
    for code in ("5089", "5090", "5085", "5086", "5087", "5088", "5242", "5092"):
        (concept,) = dictionary.find(f"CIEL:{code}")
        assert (concept.id, concept.datatype) == (concept_id(code), "Numeric")
        assert dictionary.find(concept.uuid) == (concept,)


def test_numbers_ids_and_uuids_are_not_to_be_confused() -> None:
    ciel = [concept for concept in concepts().values() if concept.key.isdigit()]
    assert 20 < sum(concept.id != int(concept.key) for concept in ciel) < len(ciel)
    assert 5 < sum(not concept.uuid.startswith(concept.key) for concept in ciel) < len(ciel) / 2
    assert concept_id("5086") == 5085
    assert {len(concept.uuid) for concept in concepts().values()} == {36}


def test_a_mapping_may_be_ambiguous_or_narrower() -> None:
    dictionary = demo_dictionary()
    found = [concept.id for concept in dictionary.find("SNOMED CT:17369002")]
    assert found == [concept_id("48"), concept_id("126127")]
    assert [concept.id for concept in dictionary.find("ICD-10-WHO:I10")] == [concept_id("140987")]
    hookworm = concepts()["119356"]
    assert [m.code for m in hookworm.mappings if m.map_type == "NARROWER-THAN"] == ["B76.0", "B76.9"]


def test_each_locale_has_at_most_one_preferred_and_one_fully_specified_name() -> None:
    for concept in concepts().values():
        assert concept.names
        for locale in {name.locale for name in concept.names}:
            names = [name for name in concept.names if name.locale == locale and not name.voided]
            assert sum(name.preferred for name in names) == 1, concept.key
            assert sum(name.kind == "FULLY_SPECIFIED" for name in names) == 1, concept.key


def test_answers_and_members_exist() -> None:
    ids = {concept.id for concept in concepts().values()}
    assert len(ids) == len(concepts())
    for concept in concepts().values():
        assert ids.issuperset(concept.answers)
        assert ids.issuperset(concept.members)


@pytest.mark.parametrize("identifier", ["10000X", "10001V", "10002T"])
def test_check_digit(identifier: str) -> None:
    assert check_digit(identifier[:-1]) == identifier[-1]
