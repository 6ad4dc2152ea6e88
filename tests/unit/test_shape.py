"""What pydantic finds becomes findings: located, in words, once for each mistake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ozone_gen.diagnostics import Diagnostic, OzoneError
from ozone_gen.json_schema import json_schema
from ozone_gen.places import choices, closest, described, is_optional_part, known_keys, where_known
from ozone_gen.shape import VERSION, parse_spec
from ozone_gen.source import parse_source

VALID = """\
version: 1
site: {id: a, name: A}
sources:
  openmrs: {type: openmrs, password: "${P}", host: db.example}
sink: {type: postgresql, password: "${Q}"}
flattening:
  tables:
    vitals:
      rows: encounter
      columns: {weight: CIEL:5089}
"""


def findings(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(OzoneError) as caught:
        parse_spec(parse_source(text.encode(), "x.yaml"))
    return caught.value.diagnostics


def one(old: str, new: str) -> tuple[str, str, str]:
    """The place, message and hint of the single finding after an edit of the valid file."""
    assert old in VALID
    (found,) = findings(VALID.replace(old, new))
    return f"{found.position.line}:{found.position.column}", found.message, found.hint


def test_a_valid_file_becomes_models() -> None:
    spec = parse_spec(parse_source(VALID.encode(), "x.yaml"))
    assert spec.version == VERSION
    assert list(spec.flattening.tables["vitals"].columns) == ["weight"]
    assert spec.model_config["frozen"]


def test_everything_is_said_at_once() -> None:
    found = findings(VALID.replace("id: a", "id: A").replace("host", "hots").replace("postgresql", "mysql"))
    assert [each.path for each in found] == ["site.id", "sources.openmrs.hots", "sink.type"]


def test_a_hint_keeps_what_is_written() -> None:
    place, message, hint = one("type: openmrs,", "type: openmrs, platform: 2.5,")
    assert (place, message) == ("4:38", "expected text, found a decimal number")
    assert hint == 'put it in quotes: "2.5"'
    # In the data this is 2.1, which is a version too, but another one.
    assert one("type: openmrs,", "type: openmrs, platform: 2.10,")[2].startswith("allowed are 2.0, ")
    assert one("id: a", "id: 007")[2] == 'put it in quotes: "007"'


def test_a_misspelt_key_is_one_mistake() -> None:
    place, message, hint = one('password: "${P}"', "passwort: x")
    assert (place, message, hint) == ("4:28", "unknown key", "did you mean password or port?")


def test_a_wrong_entry_does_not_make_a_list_too_short() -> None:
    (found,) = findings(VALID.replace("name: A", "name: A, locales: [EN]"))
    assert found.path == "site.locales[0]"


def test_an_empty_value_is_located_at_its_key() -> None:
    (found,) = findings(VALID.replace("flattening:\n", "components:\n  kafka_ui:\n\n\nflattening:\n"))
    assert (found.position.line, found.position.column) == (7, 3)


def test_an_alias_is_located_where_it_stands() -> None:
    (found,) = findings(VALID.replace("id: a, name: A", "name: &n A, id: *n"))
    assert (found.position.line, found.path) == (2, "site.id")


def test_passwords_are_never_shown() -> None:
    passwords = ("${p:-4711}", "${P}4711", "4711${P}", "$$$${4711", "4711\\n", "4711" * 300)
    for password in (*(f'"{each}"' for each in passwords), "4711", "[4711]", "{4711x: 4711}"):
        for each in findings(VALID.replace('"${Q}"', password)):
            assert "4711" not in each.message
            assert "4711" not in each.hint


@pytest.mark.parametrize("version", ["2", "0", "-1", "true", "1.0", '"1"', "[1]", "null"])
def test_another_version_is_the_only_finding(version: str) -> None:
    (found,) = findings(VALID.replace("version: 1", f"version: {version}").replace("site:", "location:"))
    assert found.path == "version"


def test_tags_of_forms_never_reach_a_path() -> None:
    (found,) = findings(VALID.replace("weight: CIEL:5089", "weight: {concept: CIEL:5089, repeat: x}"))
    assert found.path == "flattening.tables.vitals.columns.weight.repeat"


def test_keys_that_look_like_pydantics_words() -> None:
    for key in ("[key]", "[]", "Short", "function-after()"):
        (found,) = findings(VALID.replace("vitals:", f'"{key}":'))
        assert found.path.startswith("flattening.tables.")
        assert found.code == "OZ105"
        found = findings(VALID.replace("id: a", f'id: a, "{key}": 1'))[0]
        assert found.path.startswith("site.")
        assert found.code == "OZ101"
        findings(VALID.replace("{weight: CIEL:5089}", f'{{"{key}": {{"{key}": 1}}}}'))


def types(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("type"), str):
            yield node["type"]
        for value in node.values():
            yield from types(value)
    elif isinstance(node, list):
        for value in node:
            yield from types(value)


def test_every_type_of_the_models_has_its_words() -> None:
    # A new type needs its line in _HANDLERS, and a case in tests/invalid.
    assert set(types(json_schema())) == {"string", "integer", "boolean", "object", "array", "null"}


def test_what_the_models_know_of_a_place() -> None:
    assert known_keys(()) == [
        *("version", "site", "sources", "sink", "flattening", "components", "ports", "images", "memory")
    ]
    assert "schema" in known_keys(("sink",))
    assert known_keys(("sources",)) == []
    assert "concept" in known_keys(("flattening", "tables", "x", "columns", "y"))
    assert known_keys(("no", 1, "such")) == []
    assert choices(("sources", "x", "engine")) == ["mariadb", "mysql"]
    assert choices(("flattening", "core", 0))[0] == "patients"
    assert choices(("flattening", "tables", "x", "columns", "y", "repeat"))[0] == "last"
    assert described(("site",)) == "Who the site is"
    assert described(("site", "nonsense")) == ""
    assert is_optional_part(("components", "kafka_ui"))
    assert not is_optional_part(("site",))
    assert where_known("timezone") == ("site",)
    assert where_known("repeat") == ("flattening.tables.NAME.columns.NAME",)
    assert closest("Timezon", ["timezone", "name"]) == "timezone"
    assert closest("zzz", ["timezone"]) is None
