"""What is wrong with a file as YAML: all at once, located, in plain words, and with a cure."""

from __future__ import annotations

import pytest

from ozone_gen import source as module
from ozone_gen.diagnostics import OzoneError
from tests.unit.parsing import found, parse

SYNTAX = [
    ("a:\n\tb: 1\n", "2:1 a tab stands in the indentation"),
    ("a:\n  b: 1\n\tc: 2\n", "3:1 a tab stands in the indentation"),
    ("a:\n  - b\n \t- c\n", "3:2 a tab stands in the indentation"),
    ("a: b: c\n", "1:5 there is a second colon in the line"),
    ("a: 1\n  b: 2\n", "2:4 there is a second colon in the line, or a key that is not in the column"),
    ("a: 1\nb\nc: 2\n", "2:1 this is neither a key with a colon nor part of a value"),
    ('a: "x\nb: 2\n', "1:4 the quote that opens here is never closed"),
    ("a: 'x\n---\n'", "1:4 the quote that opens here is never closed"),
    ("a: 'it's'\n", "1:8 something follows a value that is complete"),
    ('a: "b" c\n', "1:8 something follows a value that is complete"),
    ("a: {p: 1\nb: 2\n", "2:2 the bracket that opens in line 1 has no } before this"),
    ("a: [1, 2\nb: 2\n", "2:2 the bracket that opens in line 1 has no ] before this"),
    ("a: [1,,2]\n", "1:7 a value is missing before ,"),
    ("a: {", "1:5 the file ends before a bracket is closed"),
    ("a: }\n", "1:4 a value is missing before }"),
    ("a:\n  b: 1\n c: 2\n", "3:2 this does not fit what begins in line 1: wrong indentation"),
    ("a: 1\n- b\n", "2:1 this does not fit what begins in line 1"),
    ("a: - b\n", "1:4 a list cannot begin here"),
    ("a: @b\n", "1:4 a value cannot begin with @"),
    ("a: `b`\n", "1:4 a value cannot begin with `"),
    ('a: "C:\\dir"\n', "1:8 \\d means nothing inside double quotes"),
    ('a: "\\xZZ"\n', "1:7 the number of a character is incomplete"),
    ('a: "\\UFFFFFFFF"\n', "1:1 what follows here is not valid YAML"),
    ('a: "\\ud800"\n', "1:4 this text has a character in it that no file or database takes"),
    ('a: "\\0"\n', "1:4 this text has a character in it that no file or database takes"),
    ("a: *b\n", "1:4 there is no anchor &b before the alias *b"),
    ("{a: *}", "1:5 * and & begin the name of an alias or an anchor"),
    ("a: |xx\n  x\n", "1:5 | and > begin a text of several lines"),
    ("a: !x!y z\n", "1:4 ! begins a tag, and this one is not known"),
    ("%YAML 1.1\n---\na: 1", "1:1 this declares another version than YAML 1.2"),
    ("%YAML 3.0\n---\na: 1", "1:1 a line that begins with % is a directive"),
    ("a: \0\n", "1:4 the character U+0000 cannot stand in a YAML file"),
    ("a: 1\nb: x\x1b[0m\n", "2:5 the character U+001B cannot stand in a YAML file"),
    ("a: {p: ${A}}\n", "1:8 inside { } and [ ] the variable ${A} needs quotes"),
    ("a: [${A}, b]\n", "1:5 inside { } and [ ] the variable ${A} needs quotes"),
]


@pytest.mark.parametrize(("text", "problem"), SYNTAX)
def test_syntax_errors_are_located_and_in_plain_words(text: str, problem: str) -> None:
    first, *others = found(text)
    assert first.startswith(f"OZ003 {problem}")
    assert not others


@pytest.mark.parametrize("text", [text for text, _ in SYNTAX])
def test_syntax_errors_say_what_to_do(text: str) -> None:
    with pytest.raises(OzoneError) as caught:
        parse(text)
    assert all(each.hint for each in caught.value.diagnostics)


def test_a_variable_between_brackets_is_told_how_to_be_quoted() -> None:
    with pytest.raises(OzoneError) as caught:
        parse("sink: {password: ${DB_PASSWORD}, host: x}")
    assert caught.value.diagnostics[0].hint == 'write "${DB_PASSWORD}"'


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["OZ005 1:1 the file is empty"]),
        ("# nothing\n", ["OZ005 1:1 the file is empty"]),
        ("---\n", ["OZ005 1:1 the file is empty"]),
        ("\n- a\n", ["OZ005 2:1 the file is a list and not a mapping of keys"]),
        ("just text", ["OZ005 1:1 the file is a single value and not a mapping of keys"]),
        ("a: 1\n---\nb: 2\n", ["OZ007 2:1 a second document begins here"]),
        ("a: 1\n...\nb: 2\n", ["OZ007 3:1 a second document begins here"]),
        ("a: 9223372036854775808", ["OZ008 1:4 this number needs more than 64 bits"]),
        ("a: " + "9" * 5000, ["OZ008 1:4 this number needs more than 64 bits"]),
        ("a: 0x" + "f" * 5000, ["OZ008 1:4 this number needs more than 64 bits"]),
        ("a: 1e999", ["OZ008 1:4 this number is too large"]),
        (
            "a: [.inf, -.INF, .nan]",
            [
                f"OZ008 1:{column} {text} is no number that can be used"
                for column, text in ((5, ".inf"), (11, "-.INF"), (18, ".nan"))
            ],
        ),
        (
            "a: !!python/object/apply:os.system [x]",
            ["OZ009 1:4 the tag !!python/object/apply:os.system is not supported"],
        ),
        (
            "a: !secret b\nc: !!str 1\nd: !!timestamp 2001-12-14\n!t e: 1",
            [
                "OZ009 1:4 the tag !secret is not supported",
                "OZ009 2:4 the tag !!str is not supported",
                "OZ009 3:4 the tag !!timestamp is not supported",
                "OZ009 4:1 the tag !t is not supported",
            ],
        ),
        (
            "1: a\ntrue: b\n~: c\n: d\n1.5: e\n",
            [
                "OZ010 1:1 the key 1 is not a text",
                "OZ010 2:1 the key true is not a text",
                "OZ010 3:1 the key ~ is not a text",
                "OZ010 4:1 an empty key is not a text",
                "OZ010 5:1 the key 1.5 is not a text",
            ],
        ),
        (
            "? [a, b]\n: {c: 1, c: 2}\nd: {{e: 1}: 2}\n",
            [
                "OZ004 2:10 the key c stands here again, after line 2",
                "OZ010 1:3 this key is not a text",
                "OZ010 3:5 this key is not a text",
            ],
        ),
        ("a: &x [1]\n*x : 2\n", ["OZ010 2:1 this key is not a text"]),
        ("a: &x {b: 1}\nc:\n  <<: *x\n  d: 1\n", ["OZ011 3:3 the merge key << is not supported"]),
        ("a: &x [*x]\n", ["OZ006 1:8 the alias *x stands inside what it stands for"]),
        (
            "a: 1\nb: 2\na: 3\nc: {d: 1, d: 2, d: 3}\n",
            [
                "OZ004 3:1 the key a stands here again, after line 1",
                "OZ004 4:11 the key d stands here again, after line 4",
                "OZ004 4:17 the key d stands here again, after line 4",
            ],
        ),
        (
            "a: {b: 1}\na: {b: 1, b: 2}\nd: : e",
            [
                "OZ003 3:4 there is a second colon",
                "OZ004 2:1 the key a stands here again, after line 1",
                "OZ004 2:11 the key b stands here again, after line 2",
            ],
        ),
        ('"a": 1\na: 2\n', ["OZ004 2:1 the key a stands here again, after line 1"]),
        (b"\xff\xfea\0", ["OZ002 1:1 the file is UTF-16, not UTF-8"]),
        (b"a: 1\nb: caf\xe9\n", ["OZ002 2:7 the byte 0xe9 is not UTF-8"]),
    ],
)
def test_problems_are_found_all_at_once(text: str | bytes, problems: list[str]) -> None:
    shown = found(text)
    assert len(shown) == len(problems)
    assert all(
        each.startswith(problem) for each, problem in zip(sorted(shown), sorted(problems), strict=True)
    ), shown


def test_what_is_too_much() -> None:
    assert found("a: " + "[" * 100_000) == ["OZ006 1:43 there are more than 40 levels of mappings and lists"]
    assert found("{a: " * 100_000)[0].startswith("OZ006 1:")
    assert found("- " * 1000)[0].startswith("OZ006 1:")
    assert found(b"#" * (module.LARGEST_FILE + 1)) == ["OZ006 0:0 the file is larger than 512 KiB"]
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    laughs += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    assert found(laughs) == ["OZ006 5:45 the file holds more than 100,000 values, with its aliases unfolded"]
