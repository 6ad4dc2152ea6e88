"""Findings, the registry of codes, and the three renderers."""

from __future__ import annotations

import json
import pickle

import pytest

from ozone_gen.diagnostics import (
    Diagnostic,
    OutputError,
    OzoneError,
    Position,
    codes,
    did_you_mean,
    dotted,
    in_order,
)
from ozone_gen.diagnostics.renderers import FORMATS, render_github, render_json, render_text, summary

FILE = "sites/a/ozone.yaml"
UNKNOWN = codes.UnknownKey.at(
    Position(FILE, 12, 9), "unknown key", path=("sources", "openmr"), hint="did you mean x?"
)
WARNING = codes.LiteralPassword.at(Position(FILE, 3, 1), "a password", path="sink.password")
WHOLE = codes.UnreadableFile.at(Position("b.yaml"), "there is no such file")


def test_every_code_explains_itself() -> None:
    for code in codes.all_codes():
        text = codes.explain(code)
        headline, _, rest = text.partition("\n\n")
        assert headline == f"# {code.id} {code.name} ({code.severity})"
        first, _, cure = rest.partition("\n\n")
        assert first.endswith((".", ".)")), code
        assert "\n" not in first, f"{code.__name__}: the docstring's first paragraph is one line"
        assert len(cure) > 60, f"{code.__name__}: say why, and how to mend it"
        assert text.endswith("\n")


def test_codes_are_found_by_id_and_name() -> None:
    assert codes.find("oz101") is codes.find("unknown-key") is codes.find(" OZ101 ") is codes.UnknownKey
    assert codes.find("OZ999") is None
    assert codes.find("NotUtf8") is None
    assert codes.NotUtf8.name == "not-utf8"


def test_every_code_can_be_imported_from_the_registry() -> None:
    for code in codes.all_codes():
        assert getattr(codes, code.__name__) is code
        assert code.__name__ in codes.__all__


def test_a_code_is_never_given_twice() -> None:
    with pytest.raises(ValueError, match="Again and UnknownKey both have the code OZ101"):
        type("Again", (codes.Code,), {"id": "OZ101"})
    with pytest.raises(ValueError, match="no code like"):
        type("Wrong", (codes.Code,), {"id": "X1"})


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ((), ""),
        (("flattening", "tables", "vitals"), "flattening.tables.vitals"),
        (("answers", 0, "code"), "answers[0].code"),
        ((0, 1), "[0][1]"),
        (("a.b", "c d", 'say "x"', ""), '"a.b"."c d"."say \\"x\\"".""'),
    ],
)
def test_paths_are_dotted(path: tuple[str | int, ...], shown: str) -> None:
    assert dotted(path) == shown


def test_findings_come_in_order_and_once() -> None:
    other = codes.MissingKey.at(Position(FILE, 2, 30), "missing")
    assert in_order([WHOLE, UNKNOWN, WARNING, other, UNKNOWN]) == (WHOLE, other, WARNING, UNKNOWN)
    assert OzoneError([UNKNOWN, WHOLE]).diagnostics == (WHOLE, UNKNOWN)
    assert OzoneError(WHOLE).diagnostics == (WHOLE,)
    assert issubclass(OutputError, OzoneError)


def test_errors_say_what_they_carry() -> None:
    assert str(OzoneError([UNKNOWN, WHOLE])) == "b.yaml:0: OZ001 there is no such file; " + (
        f"{FILE}:12: OZ101 unknown key"
    )
    assert pickle.loads(pickle.dumps(OzoneError(WHOLE))).diagnostics == (WHOLE,)


def test_text() -> None:
    assert render_text([UNKNOWN, WARNING, WHOLE]) == (
        "b.yaml: error[OZ001] there is no such file\n"
        "sites/a/ozone.yaml:3:1: warning[OZ109] sink.password: a password\n"
        "sites/a/ozone.yaml:12:9: error[OZ101] sources.openmr: unknown key\n"
        "  hint: did you mean x?\n"
    )
    assert render_text([]) == ""


def test_text_in_colour_differs_only_in_escapes() -> None:
    from click import unstyle

    coloured = render_text([UNKNOWN, WARNING], colour=True)
    assert "\x1b[31m" in coloured
    assert "\x1b[33m" in coloured
    assert unstyle(coloured) == render_text([UNKNOWN, WARNING])


def test_text_of_the_input_cannot_steer_a_terminal() -> None:
    sly = codes.BadName.at(
        Position("a\nb.yaml", 1, 1), "bad \x1b[2Jname\n\u202e", path=("x\ty",), hint="a\rb"
    )
    assert render_text([sly]) == (
        'a\\nb.yaml:1:1: error[OZ105] "x\\ty": bad \\x1b[2Jname\\n\\u202e\n  hint: a\\rb\n'
    )


def test_json() -> None:
    assert json.loads(render_json([])) == []
    whole, unknown = json.loads(render_json([UNKNOWN, WHOLE]))
    assert list(unknown.items()) == [
        ("file", FILE),
        ("line", 12),
        ("column", 9),
        ("code", "OZ101"),
        ("name", "unknown-key"),
        ("severity", "error"),
        ("path", "sources.openmr"),
        ("message", "unknown key"),
        ("hint", "did you mean x?"),
    ]
    assert list(whole) == list(unknown)
    assert (whole["line"], whole["column"], whole["hint"]) == (None, None, "")


def test_github() -> None:
    assert render_github([UNKNOWN, WHOLE]) == (
        "::error file=b.yaml,title=OZ001 unreadable-file::there is no such file\n"
        "::error file=sites/a/ozone.yaml,line=12,col=9,title=OZ101 unknown-key::"
        "sources.openmr: unknown key%0Ahint: did you mean x?\n"
    )
    assert render_github([]) == ""


def test_github_escapes() -> None:
    sly = codes.LiteralPassword.at(Position("a,b:c%.yaml", 1, 2), "100%: a,b\r\n::set-output::\ud800")
    assert render_github([sly]) == (
        "::warning file=a%2Cb%3Ac%25.yaml,line=1,col=2,title=OZ109 literal-password::"
        "100%25: a,b\\r\\n::set-output::\\ud800\n"
    )


def test_formats_are_named() -> None:
    assert sorted(FORMATS) == ["github", "json", "text"]


@pytest.mark.parametrize(
    ("findings", "text"),
    [
        ([], "no problems found"),
        ([WHOLE], "1 error in 1 file"),
        ([WARNING], "1 warning in 1 file"),
        ([UNKNOWN, WARNING, WHOLE], "2 errors, 1 warning in 2 files"),
    ],
)
def test_summary(findings: list[Diagnostic], text: str) -> None:
    assert summary(findings) == text


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("openmr", ["openmrs", "other"], "did you mean openmrs?"),
        ("OpenMRS", ["openmrs"], "did you mean openmrs?"),
        ("zzz", ["a", "b"], "known here: a, b"),
        ("zzz", [], ""),
        (
            "9",
            [f"t{n:02}" for n in range(14)],
            f"known here: {', '.join(f't{n:02}' for n in range(12))} and 2 more",
        ),
    ],
)
def test_close_matches(name: str, known: list[str], hint: str) -> None:
    assert did_you_mean(name, known) == hint
