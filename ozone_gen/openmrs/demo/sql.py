"""SQL text as mysqldump writes it: literals, rows and multi-row INSERT statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TextIO

_ESCAPES: Final = str.maketrans(
    {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\0": "\\0", "\x1a": "\\Z"}
)

VOIDABLE: Final = "creator, date_created, voided, voided_by, date_voided, void_reason"
"""Columns that every table of patients' data ends with."""

Value = str | int | float | bool | None


def quote(text: str) -> str:
    """A string literal, escaped as mysqldump does (so not for the mode NO_BACKSLASH_ESCAPES)."""
    return f"'{text.translate(_ESCAPES)}'"


def literal(value: Value) -> str:
    """A value as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return quote(value)
    return str(int(value)) if isinstance(value, bool) else repr(value)


def row(*values: Value) -> str:
    """A parenthesised row of values."""
    return f"({','.join(map(literal, values))})"


def insert(table: str, columns: str, rows: Iterable[str]) -> str:
    """An INSERT of rows into the columns, named `one, two`; empty when there are no rows."""
    values = ",\n".join(rows)
    names = columns.replace(", ", "`,`")
    return f"INSERT INTO `{table}` (`{names}`) VALUES\n{values};\n" if values else ""


class Buffer:
    """Rows of one growing table, waiting to be written together."""

    __slots__ = ("columns", "rows", "table")

    def __init__(self, table: str, columns: str) -> None:
        self.table = table
        self.columns = columns
        self.rows: list[str] = []

    def flush(self, out: TextIO) -> None:
        """Write what has gathered as one statement and forget it."""
        out.write(insert(self.table, self.columns, self.rows))
        self.rows.clear()


class Buffers:
    """The buffers that are attributes of an object, in the order in which it made them."""

    def buffers(self) -> Iterator[Buffer]:
        """Each of them."""
        return (value for value in vars(self).values() if isinstance(value, Buffer))
