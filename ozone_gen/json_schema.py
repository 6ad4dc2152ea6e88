"""The JSON Schemas (draft-07) of ozone.yaml, of its lock and of an exported dictionary, generated from their models.

They are for editors and for CI without the tool.

pydantic writes draft 2020-12. Editors' YAML support reads draft-07 best, so what differs is rewritten here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel

from ozone_gen.lock import Lock
from ozone_gen.openmrs.dictionary_file import DictionaryFile
from ozone_gen.render.emit import json_bytes
from ozone_gen.spec import OzoneSpec

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
SCHEMAS: Final = MappingProxyType(
    {
        "ozone": ("ozone.yaml", OzoneSpec),
        "ozone.base": ("A file that ozone.yaml files extend", OzoneSpec),
        "ozone.lock": ("ozone.lock.yaml", Lock),
        "dictionary": ("dictionary.json", DictionaryFile),
    }
)
"""What is described by schemas/NAME.schema.json, and its model."""


def json_schema(name: str = "ozone") -> dict[str, Any]:
    """Make one of SCHEMAS; the same models give the same text."""
    title, model = SCHEMAS[name]
    assert issubclass(model, BaseModel)
    schema = _draft_07(model.model_json_schema(ref_template="#/definitions/{model}"))
    definitions = schema.pop("definitions")
    if name in ("ozone", "ozone.base"):
        schema, definitions = _also_in_parts(schema, definitions)
    if name == "ozone.base":
        schema = {"$ref": schema["then"]["$ref"]}
        definitions = {key: value for key, value in definitions.items() if key.endswith(_PART)}
    return {"$schema": DRAFT, "title": title, **schema, "definitions": dict(sorted(definitions.items()))}


def _also_in_parts(
    whole: Mapping[str, Any], definitions: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Let a file that extends another lack what that one says, at every level.

    `required` is all that differs, so such a file is of the same definitions without it, under names of their own.
    """
    parts = {f"{name}{_PART}": _part(definition) for name, definition in definitions.items()}
    part = _part(whole)
    part["properties"] = {**_EXTENDS, **part["properties"]}
    description = whole.get("description")
    schema = {
        **({"description": description} if description else {}),
        "type": "object",
        "if": {"anyOf": [{"required": [key]} for key in _EXTENDS]},
        "then": {"$ref": f"#/definitions/{_FILE}{_PART}"},
        "else": {"$ref": f"#/definitions/{_FILE}"},
    }
    return schema, {**definitions, **parts, _FILE: dict(whole), f"{_FILE}{_PART}": part}


_FILE: Final = "File"
_PART: Final = "Part"
_EXTENDS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "extends": {
            "description": "A file that this one extends, or several: their paths, seen from the folder of this file.",
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ],
        },
        "without": {
            "description": "What the extended files have and this one does not, such as flattening.tables.anc.",
            "type": "array",
            "items": {"type": "string", "minLength": 1},
        },
    }
)


def _part(node: Any) -> Any:
    """The same definition with nothing required, standing on definitions of the same kind."""
    if isinstance(node, list):
        return [_part(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    made: dict[str, Any] = {}
    for key, value in node.items():
        if key == "$ref":
            made[key] = f"{value}{_PART}"
        elif key in ("properties", "definitions"):
            made[key] = {name: _part(each) for name, each in value.items()}
        elif key in ("default", "enum", "const"):
            made[key] = value
        elif key == "allOf":
            # What is not a reference is a rule about keys that go together, and the others may be in another file.
            references = [_part(item) for item in value if "$ref" in item]
            if references:
                made[key] = references
        elif key not in ("required", "minProperties", "if", "then", "else", "not"):
            made[key] = _part(value)
    return made


def schema_text(name: str = "ozone") -> str:
    """A schema as it is printed, and committed as schemas/NAME.schema.json."""
    return json_bytes(json_schema(name)).decode()


def _draft_07(node: Any) -> Any:
    if isinstance(node, list):
        return [_draft_07(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    schema = {key: _draft_07(value) for key, value in node.items() if key not in _BY_NAME}
    for key in _BY_NAME & node.keys():
        # Their keys are names of properties and definitions, not words of JSON Schema.
        schema[key.lstrip("$").replace("defs", "definitions")] = {
            name: _draft_07(value) for name, value in node[key].items()
        }
    schema.pop("title", None)  # pydantic's are the names of classes and fields.
    if schema.get("default", ...) is None:
        del schema["default"]
    if "oneOf" in schema:
        schema["anyOf"] = schema.pop("oneOf")
        schema.pop("discriminator", None)
    if "patternProperties" in schema:
        # Otherwise a key of another form would be allowed anything.
        ((pattern, value),) = schema.pop("patternProperties").items()
        schema |= {"propertyNames": {"pattern": pattern}, "additionalProperties": value}
    if "$ref" in schema and len(schema) > 1:
        # Draft-07 ignores what stands beside a reference.
        schema["allOf"] = [{"$ref": schema.pop("$ref")}]
    return schema


_BY_NAME: Final = frozenset({"$defs", "properties", "patternProperties"})
