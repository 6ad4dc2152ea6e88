"""`validate --format sarif` and `junit`, read by what reads them."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sarif_pydantic import Sarif

from ozone_gen.cli import main
from ozone_gen.diagnostics import Position, codes
from ozone_gen.diagnostics.ci_formats import render_junit, render_sarif

INVALID = Path(__file__).parents[1] / "invalid"
FILES = sorted(path for path in INVALID.glob("*.yaml") if not path.name.endswith(".lock.yaml"))


def test_every_invalid_file_is_told_in_sarif(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(INVALID)
    names = [path.name for path in FILES]
    assert main(["validate", "--format", "json", *names]) == 1
    expected = json.loads(capsys.readouterr().out)
    assert main(["validate", "--format", "sarif", *names]) == 1
    (run,) = Sarif.model_validate(json.loads(capsys.readouterr().out)).runs
    rules = run.tool.driver.rules or []
    found = []
    for result in run.results or []:
        (place,) = result.locations or []
        assert place.physical_location is not None
        region = place.physical_location.region
        assert result.rule_index is not None
        assert rules[result.rule_index].id == result.rule_id
        where = (region.start_line, region.start_column) if region else (None, None)
        found.append((result.rule_id, str(result.level.value if result.level else ""), *where))
    assert found == [
        (each["code"], each["severity"], each["line"], each["line"] and max(each["column"], 1)) for each in expected
    ]


def test_a_path_is_a_uri() -> None:
    places = ["sites/a b/ozone.yaml", "/srv/é.yaml", "sites\\a\\ozone.yaml"]
    document = json.loads(render_sarif(codes.UnreadableFile.at(Position(place), "no") for place in places))
    uris = {
        each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in document["runs"][0]["results"]
    }
    assert uris == {"sites/a%20b/ozone.yaml", "file:///srv/%C3%A9.yaml", "sites/a/ozone.yaml"}


def test_no_finding_is_a_whole_document() -> None:
    (run,) = Sarif.model_validate(json.loads(render_sarif([]))).runs
    assert run.results == []
    suite = ElementTree.fromstring(render_junit([], ["a.yaml", "b.yaml"]))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "0")


def test_junit_has_a_case_for_each_file_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(INVALID)
    names = [path.name for path in FILES]
    main(["validate", "--format", "json", *names])
    expected = json.loads(capsys.readouterr().out)
    assert main(["validate", "--format", "junit", *names]) == 1
    suite = ElementTree.fromstring(capsys.readouterr().out)
    cases = {case.get("name", ""): case for case in suite}
    assert set(names) <= set(cases)
    failed = {name for name, case in cases.items() if case.find("failure") is not None}
    assert failed == {each["file"] for each in expected if each["severity"] == "error"}
    text = "".join(suite.itertext())
    assert all(f"[{each['code']}]" in text for each in expected)
    assert suite.get("failures") == str(len(failed))


def test_a_control_character_is_no_broken_xml() -> None:
    finding = codes.UnreadableFile.at(Position("a\x1b.yaml"), "it has \x00 in it", hint="<&>")
    suite = ElementTree.fromstring(render_junit([finding], ["a\x1b.yaml"]))
    assert "\\x00" in "".join(suite.itertext())
