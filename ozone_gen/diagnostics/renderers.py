"""Findings as text for people, as JSON for programs, and as GitHub Actions annotations.

Each renderer takes findings in any order and returns text that ends with a newline, or "" for no findings in
the line-based formats.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

from ozone_gen.diagnostics.codes.base import find
from ozone_gen.diagnostics.model import Diagnostic, Position, Severity, in_order

# Text of an input file reaches messages; control and direction characters could rewrite what a terminal
# shows.
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def render_text(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """One line `file:line:column: error[OZ101] path: message` for each finding, and one for its hint if it
    has one.

    `colour` adds ANSI escapes; the caller knows whether a terminal reads it.
    """
    lines: list[str] = []
    for finding in in_order(diagnostics):
        severity = f"{finding.severity}[{finding.code}]"
        where, hint = place(finding.position), "hint:"
        if colour:
            from click import style

            shade = "red" if finding.severity is Severity.ERROR else "yellow"
            severity = style(severity, fg=shade, bold=True)
            where, hint = style(where, bold=True), style(hint, fg="cyan")
        lines.append(f"{where}: {severity} {one_line(subject(finding))}")
        if finding.hint:
            lines.append(f"  {hint} {one_line(finding.hint)}")
    return "".join(f"{line}\n" for line in lines)


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A list of objects, each with the same keys; `line` and `column` are null for a finding about a whole
    file."""
    found = [
        {
            "file": finding.position.file,
            "line": finding.position.line or None,
            "column": finding.position.column or None,
            "code": finding.code,
            "name": _name(finding.code),
            "severity": str(finding.severity),
            "path": finding.path,
            "message": finding.message,
            "hint": finding.hint,
        }
        for finding in in_order(diagnostics)
    ]
    return json.dumps(found, indent=2) + "\n"


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Workflow commands (`::error file=...::message`), which GitHub shows at the line in a pull request."""
    lines: list[str] = []
    for finding in in_order(diagnostics):
        position = finding.position
        properties = {"file": one_line(position.file)}
        if position.line:
            properties |= {"line": str(position.line), "col": str(position.column)}
        properties["title"] = f"{finding.code} {_name(finding.code)}".rstrip()
        listed = ",".join(f"{key}={_github_property(value)}" for key, value in properties.items())
        message = one_line(subject(finding))
        if finding.hint:
            message += f"\nhint: {one_line(finding.hint)}"
        lines.append(f"::{finding.severity} {listed}::{_github_message(message)}\n")
    return "".join(lines)


FORMATS: dict[str, Callable[[Iterable[Diagnostic]], str]] = {
    "text": render_text,
    "json": render_json,
    "github": render_github,
}
"""The renderers by the name that `--format` takes."""


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning in 3 files`, the files being those with findings; without a newline."""
    findings = in_order(diagnostics)
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    counts = [
        _counted(number, word)
        for number, word in ((errors, "error"), (len(findings) - errors, "warning"))
        if number
    ]
    if not counts:
        return "no problems found"
    return f"{', '.join(counts)} in {_counted(len({finding.position.file for finding in findings}), 'file')}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _name(code: str) -> str:
    known = find(code)
    return known.name if known else ""


def subject(finding: Diagnostic) -> str:
    """What is said, behind the path of what it is about."""
    return f"{finding.path}: {finding.message}" if finding.path else finding.message


def place(position: Position) -> str:
    """`file:line:column`, or the file alone."""
    file = one_line(position.file)
    return f"{file}:{position.line}:{position.column}" if position.line else file


def one_line(text: str) -> str:
    """A text of an input file with what a terminal would not show, or obey, escaped."""
    return _UNSHOWABLE.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)


def _github_message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github_message(text).replace(":", "%3A").replace(",", "%2C")
