"""The JSON Schema (draft-07) of ozone.yaml, for editors and for CI without the tool.

pydantic writes draft 2020-12. Editors' YAML support reads draft-07 best, so what differs is rewritten here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ozone_gen.render.emit import json_bytes
from ozone_gen.spec import OzoneSpec

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_TITLE: Final = "ozone.yaml"


def json_schema() -> dict[str, Any]:
    """Make the schema; the same models give the same text."""
    schema = _draft_07(OzoneSpec.model_json_schema(ref_template="#/definitions/{model}"))
    definitions = schema.pop("definitions")
    return {"$schema": DRAFT, "title": _TITLE, **schema, "definitions": dict(sorted(definitions.items()))}


def schema_text() -> str:
    """The schema as it is printed, and committed as schemas/ozone.schema.json."""
    return json_bytes(json_schema()).decode()


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
