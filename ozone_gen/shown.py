"""A merged file as YAML again, where each value may say where it comes from."""

from __future__ import annotations

import os
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from ozone_gen.source import Node, Source


def shown(source: Source, *, origins: bool) -> str:
    """Write what a file says, together with what it extends; reading it gives the same data.

    `origins` adds a comment behind each value: file and line, the file seen from the folder of the first one.
    """
    folder = os.path.dirname(source.file) if origins else None
    yaml = YAML()
    yaml.width = 4096  # a comment behind a folded line would say nothing of its beginning
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    yaml.dump(_mapping(source.data, source.root, folder), out)
    return out.getvalue()


def _mapping(data: dict[str, Any], node: Node, folder: str | None) -> CommentedMap:
    made = CommentedMap()
    for key, value in data.items():
        inner = node.inner[key]
        if isinstance(value, dict) and value:
            made[key] = _mapping(value, inner, folder)
            continue
        made[key] = _value(value)
        if folder is not None:
            made.yaml_add_eol_comment(_place(inner, folder), key)
    return made


def _value(value: Any) -> Any:
    """A list, or what is in one, in one line, so that one comment is about all of it."""
    if isinstance(value, list):
        made: Any = CommentedSeq(_value(each) for each in value)
    elif isinstance(value, dict):
        made = CommentedMap((key, _value(each)) for key, each in value.items())
    elif isinstance(value, str) and "\n" in value:
        from ruamel.yaml.scalarstring import DoubleQuotedScalarString

        return DoubleQuotedScalarString(value)
    else:
        return value
    made.fa.set_flow_style()
    return made


def _place(node: Node, folder: str) -> str:
    return f"{os.path.relpath(node.file, folder or '.')}:{node.place[0] + 1}"
