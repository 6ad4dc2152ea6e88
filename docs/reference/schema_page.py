"""A page of tables out of a JSON Schema: a section for each mapping, a row for each of its keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from ozone_gen.values import FORMS

Node: TypeAlias = Mapping[str, Any]


class SchemaPage:
    """The sections of one schema. What a definition holds is told once, where it is met first."""

    def __init__(self, schema: Node, of: str = "") -> None:
        """`of` tells the headings of several schemas on one page apart."""
        self._definitions: Node = schema.get("definitions", {})
        self._of = of
        self._told: dict[str, str] = {}

    def sections(self, node: Node, path: str, level: int) -> Iterator[str]:
        """Markdown of a mapping and of those inside it; `path` is what its heading says, none for the file itself."""
        about = node.get("description", "") if path else ""
        if path:
            yield f"{'#' * level} {self._heading(path)}\n\n"
        if about:
            yield f"{about}\n\n"
        properties: Node = node.get("properties", {})
        if properties:
            required = node.get("required", ())
            inner = list(self._inner(properties, path))
            links = {key: (place, known) for key, place, _, known in inner}
            yield "| key | value | default | |\n|---|---|---|---|\n"
            for key, value in properties.items():
                yield self._row(key, value, key in required, links.get(key))
            yield "\n"
            for _, place, value, known in inner:
                if not known:
                    yield from self.sections(value, place, level if not path else min(level + 1, 4))

    def _heading(self, path: str) -> str:
        return f"{code(path)} {self._of}".strip()

    def _row(self, key: str, value: Node, required: bool, link: tuple[str, str] | None) -> str:
        whole = self._resolved(value)
        target = anchor(self._heading(link[1] or link[0])) if link else ""
        words = self.words(value, f"[a mapping](#{target})" if target else "a mapping")
        default = "(required)" if required else code(plain(whole["default"])) if shown(whole) else ""
        cells = (code(key), words, default, whole.get("description", ""))
        return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"

    def _inner(self, properties: Node, path: str) -> Iterator[tuple[str, str, Node, str]]:
        """The mappings that stand in these keys: key, path, definition, and where it is told already."""
        for key, value in properties.items():
            place = f"{path}.{key}" if path else key
            for name, suffix, inner in self._mappings(value):
                known = self._told.get(name, "")
                if name and not known:
                    self._told[name] = place + suffix
                yield key, place + suffix, inner, known

    def _mappings(self, value: Node) -> Iterator[tuple[str, str, Node]]:
        """Definitions with keys of their own in a value: their name, if any, and how the path goes on to them."""
        name = reference(value)
        whole = self._resolved(value)
        if whole.get("properties"):
            yield name, "", whole
        elif isinstance(whole.get("additionalProperties"), Mapping):
            for name, suffix, inner in self._mappings(whole["additionalProperties"]):
                yield name, f".NAME{suffix}", inner
        elif "items" in whole:
            for name, suffix, inner in self._mappings(whole["items"]):
                yield name, f"[]{suffix}", inner
        for each in whole.get("anyOf", ()):
            yield from self._mappings(each)

    def _resolved(self, value: Node) -> Node:
        """The value with what it refers to; its own words win."""
        name = reference(value)
        if not name:
            return value
        own = {key: each for key, each in value.items() if key not in ("$ref", "allOf")}
        return {**self._resolved(self._definitions[name]), **own}

    def words(self, value: Node, mapping: str) -> str:
        """What may stand there, in words; `mapping` is what a mapping with known keys is called."""
        whole = self._resolved(value)
        if "anyOf" in whole:
            return ", or ".join(dict.fromkeys(self.words(each, mapping) for each in whole["anyOf"]))
        if "const" in whole:
            return code(plain(whole["const"]))
        if "enum" in whole:
            return ", ".join(code(plain(each)) for each in whole["enum"])
        kind = whole.get("type")
        if isinstance(kind, list):
            return ", or ".join(self.words({**whole, "type": each}, mapping) for each in kind)
        if kind == "object":
            inner = whole.get("additionalProperties")
            return f"by name: {self.words(inner, mapping)}" if isinstance(inner, Mapping) else mapping
        if kind == "array":
            return f"a list{amount(whole)}: {self.words(whole['items'], mapping)}"
        if kind == "integer":
            return f"a whole number{between(whole)}"
        if kind == "boolean":
            return "`true`, `false`"
        return "`null`" if kind == "null" else FORMS.get(whole.get("pattern", ""), "text")


def reference(value: Node) -> str:
    """The name of the definition that a value is of; empty for none."""
    found = value.get("$ref") or next((each["$ref"] for each in value.get("allOf", ()) if "$ref" in each), "")
    return str(found).removeprefix("#/definitions/")


def shown(whole: Node) -> bool:
    """Whether a default says anything: that a list is empty does not."""
    return whole.get("default") not in (None, [], "", {})


def plain(value: Any) -> str:
    """A value as it is written in YAML."""
    return value if isinstance(value, str) else json.dumps(value)


def code(text: str) -> str:
    """A text as code."""
    return f"`{text}`"


def amount(whole: Node) -> str:
    """How many items a list takes."""
    least, most = whole.get("minItems", 0), whole.get("maxItems")
    return f" of {least or 1} to {most}" if most else " of at least one" if least else ""


def between(whole: Node) -> str:
    """The range of a number."""
    least, most = whole.get("minimum"), whole.get("maximum")
    if most is None:
        return "" if least is None else f" from {least}"
    return f", {least} to {most}"


def anchor(heading: str) -> str:
    """The anchor of a heading, as MkDocs and GitHub make it."""
    return re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
