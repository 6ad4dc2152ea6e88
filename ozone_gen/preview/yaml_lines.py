"""The lines of an ozone.yaml that made something, cut into coloured pieces."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ozone_gen.diagnostics import Path
from ozone_gen.source import Source

_PIECES: Final = re.compile(
    r"(?P<comment>(?:(?<=\s)|^)\#.*)"
    r"|(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*')"
    r"|(?P<key>[A-Za-z_][\w.-]*(?=:(?:\s|$)))"
    r"|(?P<mark>[\[\]{},:])"
    r"|(?P<plain>[^\s\[\]{},:\"'\#]+(?:[:\#][^\s,\]}]+)*|.)"
)


@dataclass(frozen=True)
class Line:
    """A line: its number, and its pieces, each a kind and a text. The texts together are the line."""

    number: int
    pieces: tuple[tuple[str, str], ...]


def excerpt(source: Source, path: Path) -> tuple[Line, ...]:
    """The lines of the value at `path` with its key; of a value in block style until the indentation ends."""
    first = source.position(path, key=True)
    lines = source.texts[first.file].splitlines()
    if not 1 <= first.line <= len(lines):
        return ()
    indent = first.column - 1
    last = first.line
    for number in range(first.line + 1, len(lines) + 1):
        text = lines[number - 1]
        if not text.strip():
            continue
        closing = text.lstrip()[0] in "}]"
        if len(text) - len(text.lstrip()) <= indent and not (closing and last == number - 1):
            break
        last = number
    return tuple(Line(number, _pieces(lines[number - 1])) for number in range(first.line, last + 1))


def _pieces(text: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for match in _PIECES.finditer(text):
        kind = match.lastgroup or "plain"
        if found and found[-1][0] == kind == "plain":
            found[-1] = kind, found[-1][1] + match.group()
        else:
            found.append((kind, match.group()))
    return tuple(found)
