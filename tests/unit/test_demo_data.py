"""The demo database: always the same, whole in itself, and varied enough to test what reads it."""

from __future__ import annotations

import hashlib
import io
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozone_gen.openmrs.demo import demo_sql, metadata, notes, write_demo_data
from ozone_gen.openmrs.demo.dictionary import concept_id, concepts
from ozone_gen.openmrs.demo.people import FIRST_PERSON, check_digit
from ozone_gen.openmrs.demo.schema import create_table, tables
from ozone_gen.openmrs.demo.sql import literal, quote
from ozone_gen.openmrs.dictionary import demo_dictionary

Value = str | int | float | None
Rows = dict[str, list[dict[str, Value]]]

PATIENTS = 155

_ESCAPED = re.compile(r"\\(.)")
_PLAIN = {"n": "\n", "r": "\r", "0": "\0", "Z": "\x1a"}
_INSERT = re.compile(r"INSERT INTO `(\w+)` \(([^)]*)\) VALUES$")
_VALUE = re.compile(r"'(?:[^'\\]|\\.)*'|[^,()]+")


def unquote(escaped: str) -> str:
    return _ESCAPED.sub(lambda match: _PLAIN.get(match[1], match[1]), escaped)


def value(text: str) -> Value:
    """The value of a literal."""
    if text == "NULL":
        return None
    if text[0] == "'":
        return unquote(text[1:-1]) if "\\" in text else text[1:-1]
    return float(text) if "." in text else int(text)


def read_rows(sql: str) -> Rows:
    """Read every INSERT, by other means than the project's own reader of dumps."""
    rows: Rows = {name: [] for name in tables()}
    columns: list[str] = []
    into: list[dict[str, Value]] = []
    for line in sql.split("\n"):
        if start := _INSERT.match(line):
            into = rows[start[1]]
            columns = [column.strip("` ") for column in start[2].split(",")]
        elif line.startswith("("):
            values = [value(text) for text in _VALUE.findall(line.rstrip(",;")[1:-1])]
            into.append(dict(zip(columns, values, strict=True)))
    return rows


@cache
def demo(patients: int = PATIENTS, seed: int = 1) -> Rows:
    return read_rows(demo_sql(patients, seed).decode())


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    """The demo database in SQLite, where content is easily asked for."""
    connection = sqlite3.connect(":memory:")
    for name, rows in demo().items():
        columns = [column.name for column in tables()[name].columns]
        connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        connection.executemany(
            f"INSERT INTO {name} VALUES ({','.join('?' * len(columns))})",
            [[row.get(column) for column in columns] for row in rows],
        )
    yield connection
    connection.close()


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
    assert _VALUE.findall(quoted) == [quoted]
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

VARIETY = {
    "newborn": "person WHERE birthdate > '2025-10-01'",
    "born before 1970": "person WHERE birthdate < '1970-01-01'",
    "over ninety": "person WHERE birthdate < '1936-01-01'",
    "unknown birthdate": "person JOIN patient ON patient_id = person_id WHERE birthdate IS NULL",
    "estimated birthdate": "person WHERE birthdate_estimated = 1",
    "unknown gender": "person JOIN patient ON patient_id = person_id WHERE gender = 'U'",
    "dead, cause coded": "person WHERE dead = 1 AND cause_of_death IS NOT NULL",
    "dead, cause in words": "person WHERE dead = 1 AND cause_of_death_non_coded IS NOT NULL",
    "voided patient": "patient WHERE voided = 1",
    "merged patient": "person_merge_log JOIN person ON person_id = loser_person_id WHERE person.voided = 1",
    "voided patient whose encounters stand": "patient p JOIN encounter e USING (patient_id)"
    " WHERE p.voided = 1 AND e.voided = 0",
    "two names": "(SELECT 1 FROM person_name WHERE voided = 0 GROUP BY person_id HAVING COUNT(*) > 1)",
    "voided preferred name": "person_name WHERE voided = 1 AND preferred = 1",
    "no preferred name": "(SELECT 1 FROM person_name WHERE voided = 0 GROUP BY person_id HAVING "
    "MAX(preferred) = 0)",
    "no address": "patient WHERE patient_id NOT IN (SELECT person_id FROM person_address)",
    "several identifiers": "(SELECT 1 FROM patient_identifier WHERE voided = 0 GROUP BY patient_id HAVING "
    "COUNT(*) > 2)",
    "voided visit": "visit WHERE voided = 1",
    "voided visit whose encounters stand": "visit v JOIN encounter e USING (visit_id)"
    " JOIN patient p ON p.patient_id = v.patient_id WHERE v.voided = 1 AND e.voided = 0 AND p.voided = 0",
    "voided encounter whose observations stand": "encounter e JOIN obs o USING (encounter_id)"
    " WHERE e.voided = 1 AND o.voided = 0",
    "voided group whose members stand": "obs g JOIN obs m ON m.obs_group_id = g.obs_id"
    " WHERE g.voided = 1 AND m.voided = 0",
    "voided observation": "obs JOIN encounter e USING (encounter_id) WHERE obs.voided = 1 AND e.voided = 0",
    "edited observation": "obs n JOIN obs o ON o.obs_id = n.previous_version"
    " WHERE o.voided = 1 AND n.status = 'AMENDED' AND n.value_numeric <> o.value_numeric",
    "open visit": "visit WHERE date_stopped IS NULL",
    "retired visit type in use": "visit JOIN visit_type t USING (visit_type_id) WHERE t.retired = 1",
    "retired encounter type in use": "encounter e JOIN encounter_type t"
    " ON t.encounter_type_id = e.encounter_type WHERE t.retired = 1",
    "retired concept in use": "obs JOIN concept c USING (concept_id) WHERE c.retired = 1",
    "encounter without observations": "encounter WHERE encounter_id NOT IN"
    " (SELECT encounter_id FROM obs WHERE encounter_id IS NOT NULL)",
    "encounter without a visit": "encounter WHERE visit_id IS NULL",
    "encounter without a form": "encounter WHERE form_id IS NULL",
    "encounter without a provider": "encounter WHERE encounter_id NOT IN (SELECT encounter_id FROM "
    "encounter_provider)",
    "observation without an encounter": "obs WHERE encounter_id IS NULL",
    "measured twice at once": "(SELECT 1 FROM obs WHERE voided = 0 AND value_numeric IS NOT NULL AND "
    "obs_group_id IS NULL"
    " GROUP BY encounter_id, concept_id, obs_datetime HAVING COUNT(*) > 1)",
    "entered later, measured earlier": "obs a JOIN obs b USING (encounter_id, concept_id)"
    " WHERE a.voided = 0 AND b.voided = 0 AND a.obs_id > b.obs_id AND a.obs_datetime < b.obs_datetime",
    "several complaints": "(SELECT 1 FROM obs WHERE concept_id = :complaint AND voided = 0"
    " GROUP BY encounter_id HAVING COUNT(DISTINCT value_coded) > 2)",
    "diagnosis in words": "obs WHERE concept_id = :non_coded",
    "answer's name recorded": "obs WHERE value_coded_name_id IS NOT NULL",
    "drug as an answer": "obs WHERE value_drug IS NOT NULL",
    "less than": "obs WHERE value_modifier = '<'",
    "comment": "obs WHERE comments IS NOT NULL",
    "result of an order": "obs JOIN orders USING (order_id)",
    "discontinued order": "orders WHERE order_action = 'DISCONTINUE' AND previous_order_id IS NOT NULL",
    "order's reason is not its concept": "orders WHERE order_reason <> concept_id",
    "drug order in words": "drug_order WHERE drug_non_coded IS NOT NULL",
    "corrected condition": "conditions WHERE previous_version IS NOT NULL",
    "program left": "patient_program WHERE date_completed IS NOT NULL",
    "program left without an outcome": "patient_program WHERE date_completed IS NOT NULL AND "
    "outcome_concept_id IS NULL",
    "appointment to come": "patient_appointment WHERE start_date_time >= '2026-01-01'",
    "voided visit attribute": "visit_attribute a JOIN visit v USING (visit_id) WHERE a.voided = 1 AND "
    "v.voided = 0",
    "creator who is another person": "obs o JOIN users u ON u.user_id = o.creator"
    " WHERE u.user_id <> u.person_id",
    "name without a type": "concept_name WHERE concept_name_type IS NULL AND voided = 0",
    "preferred synonym": "concept_name WHERE concept_name_type IS NULL AND locale_preferred = 1",
    "short name": "concept_name WHERE concept_name_type = 'SHORT'",
    "voided name": "concept_name WHERE voided = 1",
    "concept without English": "concept WHERE concept_id NOT IN (SELECT concept_id FROM concept_name WHERE "
    "locale = 'en')",
    "concept without Swahili": "concept WHERE concept_id NOT IN (SELECT concept_id FROM concept_name WHERE "
    "locale = 'sw')",
    "shared term": "(SELECT 1 FROM concept_reference_map GROUP BY concept_reference_term_id HAVING COUNT(*) "
    "> 1)",
}


@pytest.mark.parametrize("what", VARIETY)
def test_variety(database: sqlite3.Connection, what: str) -> None:
    keys = {"complaint": concept_id("5219"), "non_coded": concept_id("161602")}
    found = database.execute(f"SELECT COUNT(*) FROM {VARIETY[what]}", keys).fetchone()[0]
    assert found > 0


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
