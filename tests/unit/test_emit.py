"""What is emitted reads back alike in YAML 1.1 (PyYAML) and YAML 1.2 (ruamel.yaml), and looks like a
person's."""

from __future__ import annotations

import json
import math
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from ozone_gen.render.emit import json_bytes, yaml_bytes, yaml_inline


def read_1_1(content: bytes) -> Any:
    return yaml.safe_load(content)


def read_1_2(content: bytes) -> Any:
    return YAML(typ="safe", pure=True).load(content)


TRAPS = [
    # booleans and nulls of YAML 1.1 and 1.2
    *[
        "y",
        "Y",
        "n",
        "N",
        "yes",
        "Yes",
        "YES",
        "no",
        "No",
        "NO",
        "on",
        "On",
        "ON",
        "off",
        "Off",
        "OFF",
        "true",
        "True",
        "TRUE",
        "false",
        "False",
        "FALSE",
        "yEs",
        "nO",
        "tRUE",
    ],
    *["null", "Null", "NULL", "~", "none", "None", "=", "<<", "nuLL"],
    "",
    # numbers: octal, hexadecimal, binary, sexagesimal, underscores, exponents, infinities
    *[
        "0",
        "1",
        "-1",
        "+1",
        "007",
        "0o7",
        "0O7",
        "08",
        "0x1F",
        "0b101",
        "1_000",
        "_1",
        "1_",
        "1__0",
        "12:30",
        "12:30:45",
        "1:2",
        "190:20:30",
        "-12:30",
        "12:30.5",
    ],
    *[
        "1.5",
        "1.",
        ".5",
        "-.5",
        "+.5",
        "._",
        ".",
        "..",
        "...",
        "1e3",
        "1E3",
        "1e+3",
        "1.0e3",
        "1.0E+3",
        "e3",
        "1e",
        ".inf",
        ".Inf",
        ".INF",
        "-.inf",
        "+.inf",
        ".nan",
        ".NaN",
        ".NAN",
    ],
    *["inf", "nan", "Infinity", "NaN", "1.2.3", "1,000", "1,5", "٣", "１"],
    # dates
    *["2001-12-14", "2001-1-1", "2001-12-14T21:59:43.10-05:00", "2001-12-14t21:59:43Z"],
    "2001-12-14 21:59:43.10 -5",
    # syntax
    *[
        "-",
        "-a",
        "--",
        "---",
        "---a",
        "?",
        "?a",
        ":",
        ":a",
        "a:",
        "a:b",
        "a::b",
        "#",
        "#a",
        "a#b",
        "&",
        "&a",
        "*",
        "*a",
        "!",
        "!a",
        "!!str",
        "|",
        ">",
        "|-",
        ">-",
        "%",
        "%a",
        "@",
        "@a",
        "`",
        "`a",
    ],
    *[
        "{",
        "}",
        "{}",
        "[",
        "]",
        "[]",
        "[a]",
        "{a}",
        ",",
        ",a",
        "'",
        "''",
        "'''",
        '"',
        '""',
        "'a'",
        '"a"',
        "\\",
        "\\n",
        "a\\",
    ],
    "a: b",
    "a :b",
    "a #b",
    "a # b",
    "- a",
    "? a",
    "--- a",
    " a",
    "a ",
    "a  b",
    "a\tb",
    "\ta",
    "a\t",
    "%YAML 1.1",
    "a\rb",
    "a\r\nb",
    "\r",
    "\n",
    "\n\n",
    "a\n",
    "\na",
    "a\n\n",
    "a\nb",
    "a\n b",
    " a\nb",
    "a\n\nb\n\n\n",
    "a \nb",
    "a\n\tb",
    "a\n  \nb",
    "a\n ",
    "# a\n# b",
    "---\na",
    "...\n",
    "a: b\n- c",
    "\0",
    "\x07",
    "\x1b[0m",
    "\x7f",
    "\x80",
    "\x85",
    "a\x85b",
    "\xa0",
    "a\xa0",
    "\u2028",
    "a\n\u2029b",
    "\ufeff",
    "\ufeffa",
    "a\n\ufeff",
    "\ufffd",
    "\ufffe",
    "\uffff",
    "\U0001f600",
    "é",
    "Ω: ω",
    "日本語",
    "हिन्दी",
    "${VAR:?what it is}",
    "$${VAR}",
    "${VAR}",
    "CIEL:5089",
    "127.0.0.1:8084:8081",
    "8282:8080",
    "22:22",
    "./a:/b:ro",
    "../a",
    ".env",
    ".e",
    "/opt/flink",
    "~/a",
    "a" * 5000,
    "a " * 2000 + "b",
]


@pytest.mark.parametrize("text", TRAPS)
def test_a_text_is_never_taken_for_something_else(text: str) -> None:
    for data in (
        text,
        [text],
        [[text], text],
        {"key": text, "next": "x"},
        {"a": {"b": text}},
        {"a": [{"b": text, "c": [text, text]}]},
    ):
        content = yaml_bytes(data)
        assert read_1_1(content) == data, content
        assert read_1_2(content) == data, content
        line = f"a: {yaml_inline(data)}  # comment".encode()
        assert b"\n" not in line
        assert read_1_1(line) == read_1_2(line) == {"a": data}, line
    if len(text) < 1000:
        keyed = {"x": 1, text: {text: text}}
        content = yaml_bytes(keyed)
        assert read_1_1(content) == keyed, content
        assert read_1_2(content) == keyed, content


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(TRAPS)
WORDS = st.text(st.sampled_from("ab01:#-?.,_ \n\t'\"{}[]&*!|>%@`~=<+eExXoO/$\\"), max_size=12)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | WORDS
)
KEYS = (TEXTS | WORDS).filter(lambda key: len(key) <= 1000)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def same(one: object, other: object) -> bool:
    """Equal, of equal types, in equal order."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


@given(DATA)
@example({"a": 1e16, "b": 1e-7, "c": -0.0, "d": 5e-324, "e": 1.7976931348623157e308, "f": 10**30})
@example({"a": {}, "b": [], "c": [{}], "d": [[]], "e": {"f": []}})
def test_yaml_reads_back_alike(data: Any) -> None:
    content = yaml_bytes(data)
    assert same(read_1_1(content), data)
    assert same(read_1_2(content), data)
    line = yaml_inline(data).encode()
    assert same(read_1_1(line), data)
    assert same(read_1_2(line), data)


@given(DATA)
def test_json_reads_back(data: Any) -> None:
    assert same(json.loads(json_bytes(data)), data)
    assert json_bytes(data) == (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()


def test_yaml_looks_like_a_persons() -> None:
    data = {
        "name": "clinic-a",
        "services": {
            "kafka": {
                "image": "apache/kafka:4.1.1",
                "ports": ["127.0.0.1:8282:8080"],
                "command": ["sh", "-c", "echo a\nsleep 1\n"],
                "environment": {
                    "PASSWORD": "${DB_PASSWORD:?the database's password}",
                    "DEBUG": "no",
                    "A": True,
                },
                "depends_on": {"db": {"condition": "service_healthy"}},
                "volumes": [{"type": "bind", "source": "./kafka"}, {"type": "volume"}],
                "healthcheck": {"test": ["CMD-SHELL", "kafka.sh --list | grep -q x"], "retries": 3},
            }
        },
        "volumes": {"data": None, "other": {}},
        "matrix": [[1, 2], [], [3.5]],
    }
    assert yaml_bytes(data, comment="Written by ozone-gen.\n\nEdit ozone.yaml.").decode() == (
        """\
# Written by ozone-gen.
#
# Edit ozone.yaml.
name: clinic-a
services:
  kafka:
    image: apache/kafka:4.1.1
    ports:
      - "127.0.0.1:8282:8080"
    command:
      - sh
      - "-c"
      - |
        echo a
        sleep 1
    environment:
      PASSWORD: ${DB_PASSWORD:?the database's password}
      DEBUG: "no"
      A: true
    depends_on:
      db:
        condition: service_healthy
    volumes:
      - type: bind
        source: ./kafka
      - type: volume
    healthcheck:
      test:
        - CMD-SHELL
        - kafka.sh --list | grep -q x
      retries: 3
volumes:
  data: null
  other: {}
matrix:
  - - 1
    - 2
  - []
  - - 3.5
"""
    )


def test_a_text_of_several_lines_is_a_literal_block_where_that_is_exact() -> None:
    data = {"a": "x\n  y\n\nz\n", "b": "x\ny", "c": "x\n\n\n", "d": "x \ny"}
    assert yaml_bytes(data).decode() == (
        'a: |\n  x\n    y\n\n  z\nb: |-\n  x\n  y\nc: |+\n  x\n\n\nd: "x \\ny"\n'
    )
    assert read_1_1(yaml_bytes(data)) == read_1_2(yaml_bytes(data)) == data


class Colour(StrEnum):
    RED = "red"
    NO = "no"


class Level(IntEnum):
    HIGH = 3


def test_subclasses_are_what_they_stand_for() -> None:
    data: Any = MappingProxyType(
        {"a": Colour.RED, "b": (Colour.NO, Level.HIGH), Colour.RED: MappingProxyType({})}
    )
    assert yaml_bytes(data) == b'a: red\nb:\n  - "no"\n  - 3\nred: {}\n'
    assert json.loads(json_bytes(data)) == {"a": "red", "b": ["no", 3], "red": {}}


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({1: "a"}, TypeError),
        ({None: "a"}, TypeError),
        ({"a": object()}, TypeError),
        ({"a": b"bytes"}, TypeError),
        ({"a": {1, 2}}, TypeError),
        ({"a": math.inf}, ValueError),
        ({"a": math.nan}, ValueError),
        ({"a": "\ud800"}, ValueError),
        ({"a": "x\n\ud800"}, ValueError),
        ({"a" * 1001: 1}, ValueError),
    ],
)
def test_what_cannot_be_written_is_an_error(data: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        yaml_bytes(data)
    with pytest.raises(error):
        yaml_inline(data)
    if not isinstance(next(iter(data)), int | None) and len(next(iter(data))) < 1000:
        with pytest.raises(error):
            json_bytes(data)


def test_a_line_looks_like_a_persons() -> None:
    data = {"concept": "CIEL:5089", "types": ["Visit Note", "a, b", "x: y"], "rows": 1, "no": None, "e": {}}
    assert yaml_inline(data) == (
        '{concept: CIEL:5089, types: [Visit Note, "a, b", "x: y"], rows: 1, "no": null, e: {}}'
    )


def test_json_is_indented_and_keeps_order_and_letters() -> None:
    assert (
        json_bytes({"b": [1, "é"], "a": {}}).decode() == '{\n  "b": [\n    1,\n    "é"\n  ],\n  "a": {}\n}\n'
    )
