"""Reading YAML: the data, the place of every value, and only OzoneError raised."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozone_gen.diagnostics import OzoneError, Position
from ozone_gen.render.emit import yaml_bytes
from ozone_gen.source import Source, parse_source, read_source
from tests.unit.parsing import data, found, parse

SITE = """\
# A site
version: 1
site: {id: clinic-a, locales: [en, fr]}
sources:
  openmrs:
    platform: 2.10   # a comment
    password: ${OPENMRS_DB_PASSWORD}
    note: |
      two
      lines
tables:
  - name: "vitals"
    columns:
      weight: &weight {concept: CIEL:5089, repeat: max}
      "last weight": *weight
  - 'second'
"""


def test_the_data() -> None:
    weight = {"concept": "CIEL:5089", "repeat": "max"}
    assert data(SITE) == {
        "version": 1,
        "site": {"id": "clinic-a", "locales": ["en", "fr"]},
        "sources": {
            "openmrs": {"platform": 2.1, "password": "${OPENMRS_DB_PASSWORD}", "note": "two\nlines\n"}
        },
        "tables": [{"name": "vitals", "columns": {"weight": weight, "last weight": weight}}, "second"],
    }
    assert parse(SITE).sha256 == hashlib.sha256(SITE.encode()).hexdigest()


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ((), (2, 1), (2, 1)),
        (("version",), (2, 10), (2, 1)),
        (("site",), (3, 7), (3, 1)),
        (("site", "id"), (3, 12), (3, 8)),
        (("site", "locales", 1), (3, 36), (3, 36)),
        (("sources", "openmrs"), (6, 5), (5, 3)),
        (("sources", "openmrs", "note"), (8, 11), (8, 5)),
        (("tables", 0), (12, 5), (12, 5)),
        (("tables", 0, "name"), (12, 11), (12, 5)),
        (("tables", 0, "columns", "weight", "repeat"), (14, 52), (14, 44)),
        (("tables", 0, "columns", "last weight"), (15, 22), (15, 7)),
        (("tables", 0, "columns", "last weight", "repeat"), (14, 52), (14, 44)),
        (("tables", 1), (16, 5), (16, 5)),
        # What is not there is missing in the nearest thing above it.
        (("sink",), (2, 1), (2, 1)),
        (("sources", "openmrs", "host"), (5, 3), (5, 3)),
        (("sources", "other", "host"), (4, 1), (4, 1)),
        (("site", "locales", 7), (3, 22), (3, 22)),
        (("tables", 0, "rows"), (12, 5), (12, 5)),
        (("version", "deeper", 1), (2, 1), (2, 1)),
    ],
)
def test_places(path: tuple[str | int, ...], value: tuple[int, int], key: tuple[int, int]) -> None:
    read = parse(SITE)
    assert read.position(path) == Position("f.yaml", *value)
    assert read.position(path, key=True) == Position("f.yaml", *key)


def test_how_a_value_is_written() -> None:
    read = parse(SITE)
    assert read.written(("sources", "openmrs", "platform")) == "2.10"
    assert read.written(("tables", 0, "name")) == "vitals"
    assert read.written(("tables",)) is None
    assert read.written(("none", 1)) is None


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("nULL", "nULL"),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("On", "On"),
        ("n", "n"),
        ("0", 0),
        ("-12", -12),
        ("+12", 12),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("1.5", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5e-3", -0.0015),
        ("1e3", 1000.0),
        ("1e", "1e"),
        (".", "."),
        ("-", "-"),
        ("+", "+"),
        ("2.5.1", "2.5.1"),
        ("2001-12-14", "2001-12-14"),
        ("5088AAAA", "5088AAAA"),
        ("CIEL:5089", "CIEL:5089"),
        ("${A}", "${A}"),
        ('"1"', "1"),
        ("'true'", "true"),
        ('"\\u00e9\\t"', "é\t"),
        ("|-\n  1", "1"),
        (">\n  a\n  b\n", "a b\n"),
        ("é", "é"),
        ("日本", "日本"),
        ("a\n  b", "a b"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(written: str, value: object) -> None:
    if written == "-":
        written = "'-'"
    read = data(f"a: {written}\n")["a"]
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    "text", ["\ufeffa: 1\n", "a: 1\r\n", "---\na: 1\n", "---\na: 1\n...\n", "%YAML 1.2\n---\na: 1\n"]
)
def test_what_is_harmless(text: str) -> None:
    assert data(text) == {"a": 1}


def test_a_byte_order_mark_shifts_nothing() -> None:
    assert parse("\ufeffa: 1\nb: 2").position(("a",), key=True) == Position("f.yaml", 1, 1)
    assert found("\ufeffa: é\n".encode() + b"b: \xff") == ["OZ002 2:4 the byte 0xff is not UTF-8"]


def test_depth_and_aliases_within_the_limits() -> None:
    deep = "a: " + "[" * 39 + "]" * 39
    value = data(deep)["a"]
    for _ in range(38):
        [value] = value
    assert value == []
    assert data("a: &x 1\nb: *x\nc: &x 2\nd: *x\n") == {"a": 1, "b": 1, "c": 2, "d": 2}
    assert data("a: &k word\n*k : 1\n") == {"a": "word", "word": 1}


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "ozone.yaml"
    file.write_text("a: 1\n", encoding="utf-8")
    assert read_source(file).data == {"a": 1}
    assert read_source(str(file)).file == str(file)
    unreadable: list[tuple[Path | str, str]] = [
        (tmp_path / "none.yaml", "there is no such file"),
        (tmp_path, "this is a folder"),
        (file / "x", "the file cannot be read: Not a directory"),
        ("a\0b", "no file can have this name"),
        ("\ud800", "no file can have this name"),
    ]
    for path, message in unreadable:
        with pytest.raises(OzoneError) as caught:
            read_source(path)
        [finding] = caught.value.diagnostics
        assert (finding.code, finding.message, finding.position) == ("OZ001", message, Position(str(path)))


def check(content: bytes) -> None:
    """Reading gives plain data whose places are in the file, or located findings."""
    try:
        read = parse_source(content, "f.yaml")
    except OzoneError as error:
        findings = error.diagnostics
    else:
        check_places(read, content)
        return
    assert findings
    for finding in findings:
        assert finding.code < "OZ100"
        assert finding.message
        assert "\n" not in finding.message + finding.hint
        assert finding.position.line >= 0


def check_places(read: Source, content: bytes) -> None:
    lines = content.count(b"\n") + content.count(b"\r") + 1
    extra = sum(content.count(each.encode()) for each in "\x85\u2028\u2029")
    walk(read, read.data, (), lines + extra)


def walk(read: Source, value: object, path: tuple[str | int, ...], lines: int) -> None:
    for key in (False, True):
        position = read.position(path, key)
        assert 1 <= position.line <= lines
        assert position.column >= 1
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        assert all(isinstance(key, str) for key in value)
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        assert value is None or type(value) in (str, int, float, bool)
        assert not isinstance(value, float) or math.isfinite(value)
        if isinstance(value, str):
            value.encode()
    for part, each in inner:
        walk(read, each, (*path, part), lines)


@given(st.binary(max_size=60))
def test_any_bytes(content: bytes) -> None:
    check(content)


PIECES = st.sampled_from(
    [
        "a",
        "b:",
        "c:\n",
        "",
        "\n-",
        "\n,",
        "[",
        "]",
        "{",
        "}",
        "'",
        '"',
        "#",
        "&",
        "*",
        "&a",
        "*a",
        "!",
        "!!str",
        "|",
        ">",
        "|-",
        "%",
        "%YAML",
        "@",
        "`",
        "?",
        ":",
        "::",
        "<<:",
        "---",
        "...",
        "\t",
        "\\",
        "\\x",
        "\\U0",
        "~",
        "1",
        "1.5",
        ".inf",
        "0x",
        "true",
        "é",
        "\u2028",
        "\x85",
        "\ufeff",
        "${A}",
        "==",
        "2001-01-01",
        " ",
        "  ",
        "\n",
        "\n\n",
        ": ",
        " #",
        "\r\n",
        "\0",
        "\x1b",
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join))
@settings(max_examples=300)
def test_any_mixture_of_yaml(text: str) -> None:
    check(text.encode())


@given(st.data())
@settings(max_examples=150)
def test_any_damage_to_a_good_file(draw: st.DataObject) -> None:
    text = SITE
    for _ in range(draw.draw(st.integers(1, 3))):
        start = draw.draw(st.integers(0, len(text)))
        end = draw.draw(st.integers(start, min(len(text), start + 12)))
        text = text[:start] + draw.draw(PIECES | st.text(max_size=3)) + text[end:]
    check(text.encode(errors="surrogatepass"))


NAMES = st.text("abc é-_.1", min_size=1, max_size=5)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4))
def test_what_is_emitted_is_read_back(value: dict[str, Any]) -> None:
    content = yaml_bytes(value)
    assert parse_source(content, "f.yaml").data == value
    check(content)
