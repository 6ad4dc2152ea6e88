"""Every NAME.yaml here has something wrong with it; NAME.expected is what is said about it.

NAME.lock.yaml is its lock, NAME.dictionary.json the dictionary that it is resolved against, where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from ozone_gen.diagnostics import Diagnostic, OzoneError, Severity, codes
from ozone_gen.diagnostics.renderers import render_text
from ozone_gen.load import load, site_of
from ozone_gen.openmrs.dictionary_file import read_dictionary
from ozone_gen.resources import load_schema
from ozone_gen.shape import parse_spec
from ozone_gen.source import read_source

HERE = Path(__file__).parent
TESTS = HERE.parent
LOCK = ".lock.yaml"
CASES = sorted(path for path in HERE.glob("*.yaml") if not path.name.endswith(LOCK))

# Codes that no ozone.yaml brings about, by the beginnings of their ids, and the tests that do.
ELSEWHERE = {
    "OZ001": "test_source*.py",
    "OZ028": "test_suggest*.py",
    "OZ02": "test_dump*.py",
    "OZ209": "test_evolution.py",
    "OZ407": "test_evolution.py",
    "OZ044": "test_resolve.py",
    "OZ04": "test_dictionary_origins.py",
    "OZ312": "test_cli.py",
    "OZ319": "test_fleet.py",
    "OZ42": "test_preview*.py",
    "OZ43": "test_preview*.py",
    "OZ44": "test_upload.py",
    "OZ45": "test_review.py",
    "OZ46": "test_import.py",
    "OZ47": "test_new_site.py",
    "OZ4": "test_write.py",
    "OZ5": "test_supply_*.py",
    "OZ901": "test_cli.py",
}


def findings(path: Path) -> tuple[Diagnostic, ...]:
    dictionary = path.with_suffix(".dictionary.json")
    try:
        if dictionary.exists():
            source = read_source(path.name)
            known = read_dictionary(dictionary).seen_in(parse_spec(source).site.locales)
            return site_of(source, known).warnings
        return load(path.name).warnings
    except OzoneError as error:
        return error.diagnostics


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_is_said(path: Path, golden: Callable[[Path, str], None]) -> None:
    found = findings(path)
    assert found, "nothing is wrong with this file"
    golden(path.with_suffix(".expected"), render_text(found))
    for finding in found:
        assert finding.position.line >= 1, "every finding is located"
        assert finding.hint, "every finding has a cure"


def test_every_expectation_has_its_case() -> None:
    assert {path.stem for path in HERE.glob("*.expected")} == {path.stem for path in CASES}


def test_every_lock_and_dictionary_belongs_to_a_case() -> None:
    stems = {path.name.removesuffix(LOCK) for path in HERE.glob(f"*{LOCK}")}
    stems |= {path.name.removesuffix(".dictionary.json") for path in HERE.glob("*.json")}
    assert stems <= {path.stem for path in CASES}


@pytest.mark.parametrize("code", codes.all_codes(), ids=lambda code: code.id)
def test_every_code_has_a_case(code: type[codes.Code]) -> None:
    elsewhere = next((file for start, file in ELSEWHERE.items() if code.id.startswith(start)), None)
    if elsewhere:
        text = "".join(path.read_text(encoding="utf-8") for path in TESTS.glob(f"*/{elsewhere}"))
        assert code.id in text or code.__name__ in text
    else:
        expected = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("*.expected"))
        assert f"{code.severity}[{code.id}]" in expected


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_schema_refuses_what_has_not_the_shape(path: Path) -> None:
    found = findings(path)
    shape = [each for each in found if re.match("OZ1", each.code) and each.severity is Severity.ERROR]
    # A reference without braces looks like a password: only a rule across fields knows better.
    if not shape or path.stem == "variable-without-braces":
        return
    assert list(jsonschema.Draft7Validator(load_schema("ozone")).iter_errors(read_source(path).data))
