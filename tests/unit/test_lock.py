"""The lock: what is in it, that it is read back as it was written, and that any change to it is noticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ozone_gen.diagnostics import OzoneError
from ozone_gen.load import load
from ozone_gen.lock import Lock, make_lock, same_content
from ozone_gen.lock_file import lock_bytes, lock_path, parse_lock, read_lock
from ozone_gen.openmrs.demo_vocabulary import demo_dictionary
from ozone_gen.openmrs.dictionary import AttributeType, Concept, Dictionary, Named, NamedKind
from ozone_gen.references import references
from ozone_gen.rendering import site_tree
from ozone_gen.resources import load_schema
from ozone_gen.shape import parse_spec
from ozone_gen.source import parse_source
from ozone_gen.spec import OzoneSpec

TEXT = """\
version: 1
site: {id: clinic-a, name: Clinic A, locales: [en, fr]}
sources: {openmrs: {type: openmrs, host: db.clinic-a.example, password: "${OPENMRS_DB_PASSWORD}"}}
sink: {type: postgresql, password: "${ANALYTICS_DB_PASSWORD}"}
flattening:
  tables:
    vitals:
      rows: encounter
      encounter_types: [Vitals, Visit Note]
      visit_types: [Outpatient]
      forms: [Vitals]
      locations: [Pharmacy]
      columns:
        weight_kg: CIEL:5089
        again: {concept: [CIEL:5089, 5089AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA]}
        cough: {concept: CIEL:5219, answer: [CIEL:143264, CIEL:140238]}
        code: {concept: CIEL:1284, value: {code: ICD-10-WHO}, group: CIEL:159947}
    groups: {rows: obs_group, group: CIEL:159947, columns: {certainty: CIEL:159394}}
    every: {rows: obs, concepts: [CIEL:5090]}
"""
FILE = "ozone.lock.yaml"


def spec(text: str = TEXT) -> OzoneSpec:
    return parse_spec(parse_source(text.encode(), "ozone.yaml"))


def demo() -> Dictionary:
    return demo_dictionary(("en", "fr"))


def lock() -> Lock:
    return make_lock(spec(), demo())


def test_every_reference_of_the_language_is_known() -> None:
    found = references(spec())
    assert [each.text for each in found.concepts] == [
        *("CIEL:5089", "CIEL:5089", "5089AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "CIEL:5219", "CIEL:143264"),
        *("CIEL:140238", "CIEL:1284", "CIEL:159947", "CIEL:159947", "CIEL:159394", "CIEL:5090"),
    ]
    assert {kind: [each.text for each in named] for kind, named in found.named.items()} == {
        NamedKind.ENCOUNTER_TYPE: ["Vitals", "Visit Note"],
        NamedKind.VISIT_TYPE: ["Outpatient"],
        NamedKind.FORM: ["Vitals"],
        NamedKind.LOCATION: ["Pharmacy"],
    }
    assert [each.text for each in found.sources] == ["ICD-10-WHO"]


def test_each_reference_says_where_it_stands() -> None:
    source = parse_source(TEXT.encode(), "ozone.yaml")
    lines = TEXT.splitlines()
    found = references(spec())
    for each in (*found.concepts, *found.sources, *(each for named in found.named.values() for each in named)):
        position = source.position(each.path)
        assert lines[position.line - 1][position.column - 1 :].startswith(each.text)


def test_what_is_locked() -> None:
    made = lock()
    assert (made.site, made.locales) == ("clinic-a", ("en", "fr"))
    assert list(made.concepts) == sorted({each.text for each in references(spec()).concepts})
    weight = made.concepts["CIEL:5089"]
    assert (weight.datatype, weight.units, weight.name) == ("Numeric", "kg", "Weight (kg)")
    assert list(weight.names) == ["en", "fr"]
    answers = [each.name for each in made.concepts["CIEL:5219"].answers]
    assert "Cough" in answers
    assert len(answers) == len(demo().find("CIEL:5219")[0].answers)
    assert made.concepts["CIEL:159947"].members
    assert [each.version for each in made.forms["Vitals"]] == ["1.0", "2.0"]
    assert made.concept_sources == ("ICD-10-WHO",)
    assert made.person_attribute_types
    assert made.visit_attribute_types


def test_the_dictionary_of_a_lock_finds_what_the_file_refers_to() -> None:
    found, full = lock().dictionary(FILE), demo()
    assert (found.origin, found.locked, full.locked) == (FILE, True, False)
    for each in references(spec()).concepts:
        (one,) = found.find(each.text)
        (other,) = full.find(each.text)
        assert replace(one, codes=()) == replace(other, codes=())
    for kind, named in references(spec()).named.items():
        for each in named:
            assert found.find_named(kind, each.text) == full.find_named(kind, each.text)
    assert found.find("CIEL:5087") == ()
    assert (found.true_concept, found.false_concept) == (full.true_concept, full.false_concept)
    assert found.person_attribute_types == full.person_attribute_types


def test_it_is_read_back_as_it_was_written() -> None:
    content = lock_bytes(lock())
    read = parse_lock(content, FILE, "clinic-a")
    assert same_content(read, lock())
    assert lock_bytes(read) == content == lock_bytes(lock())


def test_it_is_what_its_schema_says() -> None:
    jsonschema.Draft7Validator(load_schema("ozone.lock")).validate(yaml.safe_load(lock_bytes(lock())))


def test_another_order_in_the_file_gives_the_same_lock() -> None:
    lines = TEXT.splitlines(keepends=True)
    start = next(index for index, line in enumerate(lines) if "weight_kg" in line)
    swapped = "".join([*lines[:start], *reversed(lines[start : start + 4]), *lines[start + 4 :]])
    assert lock_bytes(make_lock(spec(swapped), demo())) == lock_bytes(lock())


NAMES = st.text(max_size=20)


@given(NAMES, NAMES, NAMES, st.booleans(), st.lists(st.integers(0, 2**31), max_size=3))
def test_whatever_a_dictionary_holds_can_be_locked(
    name: str, other: str, units: str, retired: bool, answers: list[int]
) -> None:
    concept = Concept(1, "u" * 36, "Coded", name, ("CIEL:5089",), {"en": other}, units, tuple(answers), (2,), retired)
    related = [Concept(each, f"uuid {each}", "N/A", other) for each in {*answers, 2} - {1}]
    named = {NamedKind.FORM: (Named(1, other, name, retired, units), Named(2, "Vitals", name))}
    full = Dictionary("x", (concept, *related), named, person_attribute_types=(AttributeType(1, "u", name, other),))
    text = TEXT[: TEXT.index("      encounter_types")] + "      forms: [Vitals]\n      columns: {a: CIEL:5089}\n"
    made = make_lock(spec(text), full)
    try:
        content = lock_bytes(made)
    except ValueError:
        assert any("\ud800" <= letter <= "\udfff" for letter in name + other + units)
        return
    assert same_content(parse_lock(content, FILE, "clinic-a"), made)
    jsonschema.Draft7Validator(load_schema("ozone.lock")).validate(yaml.safe_load(content))


@given(st.data())
def test_any_change_is_noticed(data: st.DataObject) -> None:
    text = lock_bytes(lock()).decode()
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))
    how_many = data.draw(st.integers(0, 3))
    changed = text[:at] + letter + text[at + how_many :]
    if changed == text:
        return
    with pytest.raises(OzoneError) as error:
        parse_lock(changed.encode(), FILE, "clinic-a")
    (finding,) = error.value.diagnostics
    assert finding.code in ("OZ033", "OZ034", "OZ035")
    assert finding.position.line >= 1
    assert finding.hint


def test_line_ends_of_windows_are_no_change() -> None:
    content = lock_bytes(lock()).replace(b"\n", b"\r\n")
    assert same_content(parse_lock(content, FILE, "clinic-a"), lock())


def test_text_that_is_not_utf_8() -> None:
    with pytest.raises(OzoneError) as error:
        parse_lock(lock_bytes(lock()).decode().encode("utf-16"), FILE, "clinic-a")
    assert [each.code for each in error.value.diagnostics] == ["OZ034"]


# --- beside its file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("ozone.yaml").write_text(TEXT)
    Path(FILE).write_bytes(lock_bytes(lock()))
    return tmp_path


def test_each_file_has_a_lock_of_its_own_name() -> None:
    assert lock_path("sites/ozone.yaml") == Path("sites/ozone.lock.yaml")
    assert lock_path("kigali.yml") == Path("kigali.lock.yaml")


@pytest.mark.usefixtures("folder")
def test_a_site_with_a_lock_needs_no_types_and_renders_its_ids() -> None:
    site = load("ozone.yaml")
    assert site.locked
    assert site.warnings == ()
    _, tree = site_tree(site)
    sql = next(file.content for file in tree.values() if file.path.endswith("sql/vitals.sql")).decode()
    assert "5089" in sql
    assert "'CIEL:5089'" not in sql
    assert "wanted_concept" not in sql
    Path(FILE).unlink()
    with pytest.raises(OzoneError) as error:
        load("ozone.yaml")
    assert {each.code for each in error.value.diagnostics} == {"OZ206"}


@pytest.mark.usefixtures("folder")
def test_a_change_of_the_lock_alone_is_another_input() -> None:
    before = load("ozone.yaml").sha256
    other = replace(demo(), person_attribute_types=())
    Path(FILE).write_bytes(lock_bytes(make_lock(spec(), other)))
    assert load("ozone.yaml").sha256 != before


@pytest.mark.usefixtures("folder")
def test_more_in_the_lock_than_the_file_refers_to_does_no_harm() -> None:
    Path("ozone.yaml").write_text(TEXT.replace("    every: {rows: obs, concepts: [CIEL:5090]}\n", ""))
    assert load("ozone.yaml").warnings == ()


@pytest.mark.usefixtures("folder")
def test_what_is_wrong_with_the_lock_and_with_the_file_is_said_at_once() -> None:
    Path("ozone.yaml").write_text(TEXT.replace("name: Clinic A", "name: Clinic A, timezone: Nowhere/Land"))
    Path(FILE).write_bytes(b"")
    with pytest.raises(OzoneError) as error:
        load("ozone.yaml")
    assert sorted(each.code for each in error.value.diagnostics) == ["OZ034", "OZ205"]


def test_a_lock_that_cannot_be_read(folder: Path) -> None:
    (folder / FILE).unlink()
    (folder / FILE).mkdir()
    with pytest.raises(OzoneError) as error:
        read_lock(folder / FILE, "clinic-a")
    assert [each.code for each in error.value.diagnostics] == ["OZ001"]
