"""Reading a text as YAML, for the tests of it: its data, or what is found wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from ozone_gen.diagnostics import OzoneError
from ozone_gen.source import Source, parse_source


def parse(text: str) -> Source:
    return parse_source(text.encode(), "f.yaml")


def data(text: str) -> Any:
    return parse(text).data


def found(text: str | bytes) -> list[str]:
    """The findings as `code line:column message`."""
    with pytest.raises(OzoneError) as caught:
        parse_source(text.encode() if isinstance(text, str) else text, "f.yaml")
    assert {each.position.file for each in caught.value.diagnostics} == {"f.yaml"}
    return [
        f"{each.code} {each.position.line}:{each.position.column} {each.message}"
        for each in caught.value.diagnostics
    ]
