"""Findings in the formats that CI systems read: SARIF 2.1.0 and JUnit's XML.

SARIF is OASIS's (docs.oasis-open.org/sarif/sarif/v2.1.0); GitHub's code scanning and many editors take it. JUnit's XML
has no standard; this is what GitLab and Jenkins read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import quote
from xml.etree import ElementTree

from ozone_gen import __version__
from ozone_gen.diagnostics.codes.base import explain, find
from ozone_gen.diagnostics.model import Diagnostic, Severity, in_order
from ozone_gen.diagnostics.renderers import one_line, place, subject


def render_sarif(diagnostics: Iterable[Diagnostic]) -> str:
    """One run with a result for each finding, and a rule, with its explanation, for each code among them."""
    findings = in_order(diagnostics)
    codes = sorted({finding.code for finding in findings})
    driver = {
        "name": "ozone-gen",
        "version": __version__,
        "rules": [_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, codes.index(finding.code)) for finding in findings],
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str) -> dict[str, object]:
    known = find(code)
    rule: dict[str, object] = {"id": code}
    if known:
        first, _, _ = (known.__doc__ or "").strip().partition("\n")
        rule |= {
            "name": known.name,
            "shortDescription": {"text": first},
            "help": {"text": explain(known)},
            "defaultConfiguration": {"level": str(known.severity)},
        }
    return rule


def _result(finding: Diagnostic, rule: int) -> dict[str, object]:
    text = subject(finding) + (f"\nhint: {finding.hint}" if finding.hint else "")
    position = finding.position
    physical: dict[str, object] = {"artifactLocation": {"uri": _uri(position.file)}}
    if position.line:
        physical["region"] = {"startLine": position.line, "startColumn": max(position.column, 1)}
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": str(finding.severity),
        "message": {"text": text},
        "locations": [{"physicalLocation": physical}],
    }


def _uri(file: str) -> str:
    """A file as a reference relative to where the command ran, which is what the readers expect."""
    path = PureWindowsPath(file).as_posix() if "\\" in file else file
    return quote(PurePosixPath(path).as_posix()) if not path.startswith("/") else f"file://{quote(path)}"


def render_junit(diagnostics: Iterable[Diagnostic], files: Sequence[str]) -> str:
    """A test case for each file: it fails with its errors, and its warnings are its output."""
    findings = in_order(diagnostics)
    by_file: dict[str, list[Diagnostic]] = {file: [] for file in files}
    # What is said of another file (a lock) is a case of its own, so that nothing is lost.
    for finding in findings:
        by_file.setdefault(finding.position.file, []).append(finding)
    suite = ElementTree.Element("testsuite", name="ozone-gen validate")
    failed = 0
    for file, found in by_file.items():
        name = one_line(file)
        case = ElementTree.SubElement(suite, "testcase", classname="ozone-gen", name=name, file=name)
        errors = [each for each in found if each.severity is Severity.ERROR]
        if errors:
            failed += 1
            count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
            failure = ElementTree.SubElement(case, "failure", message=count, type=errors[0].code)
            failure.text = "\n".join(map(_line, errors))
        warnings = [each for each in found if each.severity is not Severity.ERROR]
        if warnings:
            ElementTree.SubElement(case, "system-out").text = "\n".join(map(_line, warnings))
    suite.set("tests", str(len(by_file)))
    suite.set("failures", str(failed))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=False) + "\n"


def _line(finding: Diagnostic) -> str:
    hint = f"\n  hint: {one_line(finding.hint)}" if finding.hint else ""
    return f"{place(finding.position)}: {finding.severity}[{finding.code}] {one_line(subject(finding))}{hint}"
