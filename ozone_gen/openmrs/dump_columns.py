"""The columns that a CREATE TABLE statement of a dump declares, and the literals of SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# A string is unrolled (plain run, escape, plain run, ...): no two branches can take one byte, so a failing
# match gives up in linear time. `''` needs no branch of its own, it reads as two strings side by side.
# Groups that repeat are not possessive: before Python 3.11.5 those could miss a match.
QUOTED: Final = rb"(?:'[^'\\]*+(?:\\.[^'\\]*+)*'|\"[^\"\\]*+(?:\\.[^\"\\]*+)*\")+"
"""Matches one string, with re.DOTALL."""
LITERAL: Final = (
    rb"(?:NULL\b|TRUE\b|FALSE\b|0[xX][0-9a-fA-F]*+|0b[01]++"
    rb"|[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?"
    rb"|(?:_[a-zA-Z0-9]++\s*+|[nNxXbB])?" + QUOTED + rb")"
)
"""Matches one literal of any kind, with re.DOTALL and re.IGNORECASE."""
NAME: Final = rb"(?:`[^`]++`|\"[^\"]++\"|[\w$]++)"
"""Matches one name of a table, column or database."""

_ESCAPE: Final = {b"'": re.compile(rb"\\(.)|''", re.DOTALL), b'"': re.compile(rb'\\(.)|""', re.DOTALL)}
_ESCAPES: Final = {
    b"0": b"\0",
    b"b": b"\b",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"Z": b"\x1a",
    b"%": b"\\%",  # these two are kept whole outside of LIKE
    b"_": b"\\_",
}
_DEFINITION: Final = re.compile(
    rb"([(),])|'[^'\\]*+(?:\\.[^'\\]*+)*'|\"[^\"\\]*+(?:\\.[^\"\\]*+)*\"|`[^`]*`|[^'\"`(),]++", re.DOTALL
)
_NO_COLUMN: Final = re.compile(
    rb"(?:PRIMARY|UNIQUE|KEY|INDEX|CONSTRAINT|FULLTEXT|SPATIAL|CHECK|FOREIGN|PERIOD)\b", re.IGNORECASE
)
_COMMENT: Final = re.compile(rb"\bCOMMENT\s++" + QUOTED, re.IGNORECASE | re.DOTALL)
_DEFAULT: Final = re.compile(rb"\bDEFAULT\s++(" + LITERAL + rb")", re.IGNORECASE | re.DOTALL)
_NOT_NULL: Final = re.compile(rb"\bNOT\s++NULL\b", re.IGNORECASE)


@dataclass(frozen=True)
class DeclaredColumn:
    """A column of a CREATE TABLE; `default` is its literal, None where there is none or it is computed."""

    name: str
    nullable: bool = True
    default: bytes | None = None


def plain_name(name: bytes) -> str:
    """A name of a table, column or database without the quotes around it."""
    return name.strip().strip(b'`"').decode("utf-8", "replace")


def declared_columns(body: bytes) -> list[DeclaredColumn]:
    """The columns of a CREATE TABLE in their order; `body` starts with the parenthesis around them."""
    columns: list[DeclaredColumn] = []
    depth = 0
    text = b""
    for token in _DEFINITION.finditer(body):
        mark = token[1]
        depth += {b"(": 1, b")": -1}.get(mark, 0)
        if depth == 0 or (depth == 1 and mark == b","):
            columns += _declared(text.strip())
            text = b""
            if depth == 0:
                break
        elif depth > 1 or mark != b"(":
            text += token[0]
    return columns


def _declared(text: bytes) -> list[DeclaredColumn]:
    """The column of one definition, none where it is a key or a constraint."""
    named = re.match(NAME, text)
    if named is None or _NO_COLUMN.match(text):
        return []
    rest = _COMMENT.sub(b"", text[named.end() :])
    default = _DEFAULT.search(rest)
    nullable = _NOT_NULL.search(rest) is None
    return [DeclaredColumn(plain_name(named[0]), nullable, default[1] if default else None)]


def literal_bytes(literal: bytes) -> bytes | None:
    """What a literal stands for, None for NULL: the text of a number, the bytes of any other kind."""
    upper = literal[:5].upper()
    if upper == b"NULL":
        return None
    if upper in (b"TRUE", b"FALSE"):
        return b"1" if upper == b"TRUE" else b"0"
    if upper[:2] in (b"0X", b"X'"):
        digits = literal[2:].rstrip(b"'").decode()
        return bytes.fromhex("0" + digits if len(digits) % 2 else digits)
    if upper[:2] in (b"0B", b"B'"):
        bits = literal[2:].rstrip(b"'")
        return int(bits or b"0", 2).to_bytes(max(1, (len(bits) + 7) // 8), "big")
    if literal.endswith((b"'", b'"')):
        return _unquoted(literal)
    return literal


def holds_bits(literal: bytes) -> bool:
    """Whether it is a hex or a bit literal, which is a number where a number is wanted."""
    return literal[:2].upper() in (b"0X", b"X'", b"0B", b"B'")


def _unquoted(literal: bytes) -> bytes:
    quote = literal[-1:]
    inside = literal[literal.index(quote) + 1 : -1]
    if b"\\" not in inside and quote not in inside:
        return inside
    return _ESCAPE[quote].sub(lambda found: _ESCAPES.get(found[1], found[1]) if found[1] else quote, inside)
