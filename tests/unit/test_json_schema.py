"""The JSON Schema of ozone.yaml: fresh, of draft-07, usable by editors, and of one mind with the models."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import StringConstraints, TypeAdapter, ValidationError

from ozone_gen import values
from ozone_gen.json_schema import SCHEMAS, json_schema, schema_text
from ozone_gen.resources import load_schema, schemas

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/ozone.yaml"))
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_committed_schema_is_fresh(name: str, golden: Callable[[Path, str], None]) -> None:
    golden(schemas() / f"{name}.schema.json", schema_text(name))


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_a_schema_of_draft_07(name: str) -> None:
    schema = load_schema(name)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema.Draft7Validator.check_schema(schema)
    words = {word for node in nodes(schema) for word in node}
    assert words.isdisjoint({"$defs", "prefixItems", "unevaluatedProperties", "dependentRequired", "oneOf"})


def test_nothing_stands_beside_a_reference() -> None:
    # Draft-07 ignores it, and with it a description.
    for node in nodes(SCHEMA):
        if "$ref" in node:
            assert list(node) == ["$ref"]
            assert node["$ref"].removeprefix("#/definitions/") in SCHEMA["definitions"]


def test_every_key_tells_editors_what_it_is_for() -> None:
    silent = []
    for name, model in {"ozone.yaml": SCHEMA, **SCHEMA["definitions"]}.items():
        if name.removesuffix("Part") in ("ImagesSpec", "MemorySpec"):
            continue  # Their keys say all there is: the part, and its image or memory.
        for key, value in model.get("properties", {}).items():
            target = value.get("$ref", "").removeprefix("#/definitions/")
            if "description" not in value and "description" not in SCHEMA["definitions"].get(target, {}):
                silent.append(f"{name}.{key}")
    assert silent == []


def test_patterns_are_understood_by_every_engine() -> None:
    # Editors compile patterns with JavaScript's flag u, which refuses needless escapes.
    for node in nodes(SCHEMA):
        if isinstance(node.get("pattern"), str):
            pattern = node["pattern"]
            escapes = set(re.findall(r"\\(.)", pattern))
            assert escapes <= set("$.(){}[]*+?|/\\^sxu"), pattern
            assert "(?" not in pattern
            assert pattern in values.FORMS


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_examples_are_valid(path: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_examples_name_the_schema_for_editors(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    reference = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / reference).resolve() == schemas().resolve() / "ozone.schema.json"


ADAPTERS = {
    pattern: TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)]) for pattern in values.FORMS
}


# Of the two only Python lets a newline follow the end.
@given(st.sampled_from(sorted(values.FORMS)), st.text(max_size=12).map(lambda text: text.rstrip("\n")))
def test_patterns_mean_the_same_to_pydantic_and_to_python(pattern: str, text: str) -> None:
    try:
        ADAPTERS[pattern].validate_python(text)
        accepted = True
    except ValidationError:
        accepted = False
    assert accepted == bool(re.search(pattern, text))
