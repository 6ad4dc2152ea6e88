"""The rows of the demo database, read by other means than the project's own reader of dumps."""

from __future__ import annotations

import re
from functools import cache

from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.openmrs.demo.schema import tables

Value = str | int | float | None
Rows = dict[str, list[dict[str, Value]]]

PATIENTS = 155

_ESCAPED = re.compile(r"\\(.)")
_PLAIN = {"n": "\n", "r": "\r", "0": "\0", "Z": "\x1a"}
_INSERT = re.compile(r"INSERT INTO `(\w+)` \(([^)]*)\) VALUES$")
VALUE = re.compile(r"'(?:[^'\\]|\\.)*'|[^,()]+")


def unquote(escaped: str) -> str:
    return _ESCAPED.sub(lambda match: _PLAIN.get(match[1], match[1]), escaped)


def value(text: str) -> Value:
    """The value of a literal."""
    if text == "NULL":
        return None
    if text[0] == "'":
        return unquote(text[1:-1]) if "\\" in text else text[1:-1]
    return float(text) if "." in text else int(text)


def read_rows(sql: str) -> Rows:
    """Read every INSERT, by other means than the project's own reader of dumps."""
    rows: Rows = {name: [] for name in tables()}
    columns: list[str] = []
    into: list[dict[str, Value]] = []
    for line in sql.split("\n"):
        if start := _INSERT.match(line):
            into = rows[start[1]]
            columns = [column.strip("` ") for column in start[2].split(",")]
        elif line.startswith("("):
            values = [value(text) for text in VALUE.findall(line.rstrip(",;")[1:-1])]
            into.append(dict(zip(columns, values, strict=True)))
    return rows


@cache
def demo(patients: int = PATIENTS, seed: int = 1) -> Rows:
    return read_rows(demo_sql(patients, seed).decode())
