"""The models themselves: nothing is converted, nothing changes, and every form is described."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from ozone_gen import spec, values
from ozone_gen.components import COMPONENTS
from ozone_gen.flattening.declared import Repeat
from ozone_gen.spec import IMAGES, MEMORY, PUBLISHED_PORTS, OzoneSpec
from ozone_gen.values import referenced_variable

MINIMAL: dict[str, Any] = {
    "version": 1,
    "site": {"id": "a", "name": "A"},
    "sources": {"openmrs": {"type": "openmrs", "password": "${P}"}},
    "sink": {"type": "postgresql", "password": "${Q}"},
    "flattening": {"tables": {"vitals": {"rows": "encounter", "columns": {"weight": {"concept": "CIEL:5089"}}}}},
}


def test_what_is_left_out_has_its_default() -> None:
    site = OzoneSpec.model_validate(MINIMAL)
    assert (site.site.timezone, site.site.locales) == ("UTC", ("en",))
    source = site.sources["openmrs"]
    assert (source.engine, source.platform, source.host, source.port) == ("mariadb", "2.5", "mysql", 3306)
    assert source.demo is None
    assert (site.sink.host, site.sink.schema_name) == ("postgresql", "public")
    column = site.flattening.tables["vitals"].columns["weight"]
    assert isinstance(column, spec.ColumnSpec)
    assert (column.type, column.repeat, column.value) == (None, Repeat.LAST, None)


def test_parts_are_known_by_the_tables_they_come_from() -> None:
    site = OzoneSpec.model_validate(MINIMAL)
    optional = {component.name for component in COMPONENTS if component.options is not None}
    assert set(dict(site.components)) == optional
    assert all(value is None for value in dict(site.components).values())
    assert dict(site.ports) == {"bind_address": "127.0.0.1", **PUBLISHED_PORTS}
    assert dict(site.images) == IMAGES
    assert site.memory.model_dump(by_alias=True) == {name: f"{size}m" for name, size in MEMORY.items()}


def test_what_was_read_never_changes() -> None:
    site = OzoneSpec.model_validate(MINIMAL)
    with pytest.raises(ValidationError, match="frozen"):
        site.site.id = "b"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("host", None),
        ("demo", None),
        ("server_id", None),
        ("port", "3306"),
        ("port", 3306.0),
        ("port", True),
        ("platform", 2.5),
        ("database", 1),
        ("demo", {"patients": "20"}),
    ],
)
def test_values_are_never_converted(place: str, value: object) -> None:
    source = {**MINIMAL["sources"]["openmrs"], place: value}
    with pytest.raises(ValidationError):
        OzoneSpec.model_validate({**MINIMAL, "sources": {"openmrs": source}})


def test_null_closes_a_port() -> None:
    site = OzoneSpec.model_validate({**MINIMAL, "ports": {"flink": None}})
    assert dict(site.ports)["flink"] is None


def models(model: type[BaseModel]) -> list[type[BaseModel]]:
    found = [model]
    for each in model.__subclasses__():
        found += models(each)
    return found


def test_every_model_refuses_unknown_keys_and_conversions() -> None:
    for model in models(spec._Model)[1:]:
        assert model.model_config.get("extra") == "forbid"
        assert model.model_config.get("frozen")
        assert model.model_config.get("strict")


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (values.NAME_PATTERN, ["a", "a_1", "a" * 63], ["", "A", "1a", "a-b", "a b", 'a"', "a" * 64, "é"]),
        (values.SITE_ID_PATTERN, ["a", "1", "a-b", "a" * 42], ["", "-a", "a-", "A", "a_b", "..", "a/b", "a" * 43]),
        (
            values.CONCEPT_PATTERN,
            ["CIEL:5089", "SNOMED CT:27113001", "LOINC:3141-9", "5089" + "A" * 32, "0" * 36, "1" * 38],
            ["5089", "CIEL:", ":5089", "CIEL: 5089", "CIEL :5089", "A:'1'", "A:`", "A:b:c", "0" * 35, "0" * 39],
        ),
        (values.DATABASE_PATTERN, ["openmrs", "OpenMRS_2"], ["", "2x", "a-b", "a.b", "a`"]),
        (values.HOST_PATTERN, ["db", "db-1.example.org", "10.0.0.1", "${DB_HOST}"], ["", "-x", "a b", "a:1", "${x}"]),
        (values.USERNAME_PATTERN, ["a", "ab@c", "${DB_USER}"], ["", "a b", "a'b", 'a"b', "a\\b", "$a", "${a}"]),
        (values.PASSWORD_PATTERN, ["${P}", "p", "p$w", "$", "p{}", "é ü"], ["${p}", "${P}x", "x${P}", "${", "a\nb"]),
        (values.TIMEZONE_PATTERN, ["UTC", "Africa/Nairobi", "Etc/GMT+3"], ["", "/etc", "../x", "a/b/c/d", "a b"]),
        (values.LOCALE_PATTERN, ["en", "en_GB", "swa"], ["", "EN", "en-GB", "en_gb", "english"]),
        (values.LINE_PATTERN, ["a", "é 'x'"], ["", "a\nb", "a\tb", "\x7f"]),
        (values.TEXT_PATTERN, ["a\nb\tc"], ["", "a\rb", "\x00"]),
        (values.ADDRESS_PATTERN, ["127.0.0.1", "0.0.0.0"], ["256.0.0.1", "1.2.3", "1.2.3.4.", "::1", "localhost"]),
        (values.MEMORY_PATTERN, ["1m", "2g", "768m"], ["0m", "2", "2G", "1.5g", "-1m"]),
        (
            values.IMAGE_PATTERN,
            ["postgres:16", "r.example:5000/x/y:1", "x@sha256:" + "a" * 64],
            ["", "X", "a b", "a\n"],
        ),
        (values.VARIABLE_PATTERN, ["${A}", "${_A1}"], ["$A", "${a}", "${A:-b}", "${1}", "${}"]),
    ],
)
def test_forms(pattern: str, good: list[str], bad: list[str]) -> None:
    for text in good:
        assert re.fullmatch(pattern, text), text
    for text in bad:
        assert not re.fullmatch(pattern, text), text


def test_every_form_has_its_words() -> None:
    assert all(values.FORMS.values())
    patterns = {value for name, value in vars(values).items() if name.endswith("_PATTERN") and name[0] != "_"}
    assert patterns - values.FORMS.keys() == {values.VARIABLE_PATTERN}


@pytest.mark.parametrize(("value", "name"), [("${P}", "P"), ("p", None), ("${P", None), ("$P", None)])
def test_references_to_variables(value: str, name: str | None) -> None:
    assert referenced_variable(value) == name
