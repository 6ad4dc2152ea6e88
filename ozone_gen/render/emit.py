"""The one emitter of YAML and JSON files.

Its YAML reads back alike whether the reader follows YAML 1.1 (PyYAML, and many Java and Go programs) or 1.2:
a text is written without quotes only where no reader could take it for a number, a boolean, a date or syntax.
It is our own because general emitters know one version each, and cost more than the rest of a render
together.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring

# Without quotes: starts with a letter, `_`, `/`, `$` or a relative path, so that it is neither a number nor a
# date nor syntax; has `:` only before a visible character, and spaces only between others.
_PLAIN = re.compile(
    r"(?:[^\W\d]|[/$]|\.{1,2}/|\.(?=[A-Za-z]))"
    r"(?:[\w./$@%+=~^;,<>|&!?*'\"\\\[\](){}-]|:(?=[^\s])| +(?=[^\s#]))*"
)
_WORDS_OF_YAML = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", ".inf", ".nan"})

# What YAML does not take as such even inside double quotes, or takes for a line break; JSON escapes C0
# itself.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")

# A literal block holds exactly what it shows, unless a line could be folded, trimmed, or change the
# indentation.
_LITERAL = re.compile(
    "(?:[^\x00-\x20\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]"
    "(?:[^\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]*"
    "[^\x00-\x20\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff])?)"
    "(?:\n+ *[^\x00-\x20\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]"
    "(?:[^\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]*"
    "[^\x00-\x20\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff])?)*\n*"
)
# The same inside of brackets and braces, where they and commas are syntax.
_INLINE = re.compile(r"(?:[^\W\d]|/)(?:[\w./@%+=~^;<>|&()'-]|:(?=\w)| +(?=[\w(]))*")
_LONGEST_KEY = 1000  # YAML looks for the colon of a simple key within 1024 characters.


def yaml_bytes(data: object, *, comment: str = "") -> bytes:
    """`data` as a YAML document in block style, UTF-8, with `comment` (lines without `#`) above it.

    It is made of mappings (which keep their order), sequences, texts, numbers, booleans and None; anything
    else is a TypeError, as is a key that is no text. Infinite numbers, lone surrogates and keys of over 1000
    characters are a ValueError.
    """
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    _node(lines, data, "", "")
    return ("\n".join(lines) + "\n").encode()


def yaml_inline(data: object) -> str:
    """`data` on one line, in the style with brackets and braces; for files that people go on with. As `yaml_bytes`."""
    if isinstance(data, str):
        return data if _INLINE.fullmatch(data) and data.lower() not in _WORDS_OF_YAML else _quoted(data)
    if isinstance(data, Mapping):
        return "{" + ", ".join(f"{yaml_inline(_text(key))}: {yaml_inline(item)}" for key, item in data.items()) + "}"
    if isinstance(data, Sequence) and not isinstance(data, bytes | bytearray):
        return "[" + ", ".join(map(yaml_inline, data)) + "]"
    return _number(data)


def json_bytes(data: object) -> bytes:
    """`data` as JSON, indented by two spaces, UTF-8. Infinite numbers and lone surrogates are a
    ValueError."""
    # json.dumps writes the same, but with an indent in plain Python that takes three times as long.
    parts: list[str] = []
    _json(parts, data, "\n")
    return ("".join(parts) + "\n").encode()


def _json(parts: list[str], value: object, line: str) -> None:
    """Append `value` to `parts`; `line` begins a new line of the same depth."""
    if isinstance(value, str):
        parts.append(encode_basestring(value))
    elif isinstance(value, dict | Mapping):
        inner, between = line + "  ", "{"
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a key is {key!r}, not a text")
            parts.append(f"{between}{inner}{encode_basestring(key)}: ")
            _json(parts, item, inner)
            between = ","
        parts.append(f"{line}}}" if value else "{}")
    elif isinstance(value, list | tuple | Sequence) and not isinstance(value, bytes | bytearray):
        inner, between = line + "  ", "["
        for item in value:
            parts.append(between + inner)
            _json(parts, item, inner)
            between = ","
        parts.append(f"{line}]" if value else "[]")
    elif value is None or isinstance(value, int | float):
        parts.append(json.dumps(value, allow_nan=False))
    else:
        raise TypeError(f"{value!r} of {type(value).__name__} cannot be written as JSON")


def _node(lines: list[str], value: object, lead: str, indent: str) -> None:
    """Append `value` to `lines`. `lead` begins its first line (`  - `, `  key:`), `indent` each further
    line."""
    if isinstance(value, str):
        if "\n" in value and _LITERAL.fullmatch(value):
            _literal(lines, value, _spaced(lead), indent)
        else:
            lines.append(_spaced(lead) + _scalar(value))
    elif isinstance(value, dict | Mapping):  # looked up in this order: Mapping alone takes much longer
        if not value:
            lines.append(_spaced(lead) + "{}")
            return
        if lead.endswith(":"):
            lines.append(lead)
            lead = indent
        lead, deeper = lead or indent, indent + "  "
        for key, item in value.items():
            if type(item) is str and "\n" not in item:  # most of all values
                lines.append(f"{lead}{_key(key)}: {_scalar(item)}")
            else:
                _node(lines, item, f"{lead}{_key(key)}:", deeper)
            lead = indent
    elif isinstance(value, list | tuple | Sequence) and not isinstance(value, bytes | bytearray):
        if not value:
            lines.append(_spaced(lead) + "[]")
            return
        if lead.endswith(":"):
            lines.append(lead)
            lead = indent
        for item in value:
            _node(lines, item, f"{lead or indent}- ", indent + "  ")
            lead = indent
    else:
        lines.append(_spaced(lead) + _number(value))


def _spaced(lead: str) -> str:
    return lead + " " if lead.endswith(":") else lead


def _literal(lines: list[str], text: str, lead: str, indent: str) -> None:
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    lines.append(lead + ("|-", "|")[ends] if ends < 2 else lead + "|+")
    indent = indent or "  "
    lines.extend(f"{indent}{line}" if line else "" for line in body.split("\n"))
    lines.extend("" for _ in range(ends - 1))


@lru_cache(maxsize=20_000)
def _key(key: object) -> str:
    return _scalar(_text(key))


def _text(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key is {key!r}, not a text")
    if len(key) > _LONGEST_KEY:
        raise ValueError(f"a key is longer than {_LONGEST_KEY} characters: {key[:40]}...")
    return key


@lru_cache(maxsize=20_000)
def _scalar(text: str) -> str:
    # Keys are the same few thousand in all files of all sites.
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML else _quoted(text)


def _quoted(text: str) -> str:
    if _SURROGATE.search(text):
        raise ValueError(f"a text has half a surrogate pair in it, which is no character: {text!r}")
    # A JSON string is a double-quoted YAML scalar, but for a few characters that YAML wants escaped.
    return _ESCAPED.sub(lambda match: f"\\u{ord(match.group()):04x}", json.dumps(text, ensure_ascii=False))


def _number(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is no number that every reader takes")
        text = float.__repr__(value)
        # YAML 1.1 takes 1e+16 for a text.
        return text if "." in text else text.replace("e", ".0e")
    raise TypeError(f"{value!r} of {type(value).__name__} cannot be written as YAML")
