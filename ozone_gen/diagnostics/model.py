"""The types of findings and of the exceptions that carry them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

Path = tuple[str | int, ...]
"""Where a value stands in a document: keys of mappings and 0-based indexes of lists, from the root."""

_PLAIN_KEY = re.compile(r"[^\s.\[\]\"]+")


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file. `line` and `column` are 1-based; line 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0


class Severity(StrEnum):
    """An error stops the command; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Diagnostic:
    """One finding: `message` names the problem on one line, `hint` its cure (empty where there is none to
    name).

    `path` is the place in the document in dotted form, empty where the finding is not about a value.
    Make one with `codes.SomeCode.at(...)`, so that its code and severity come from the registry.
    """

    code: str
    severity: Severity
    message: str
    position: Position
    path: str = ""
    hint: str = ""


class OzoneError(Exception):
    """The findings that end a command: it prints them all and exits with status 1."""

    diagnostics: tuple[Diagnostic, ...]

    def __init__(self, diagnostics: Diagnostic | Iterable[Diagnostic]) -> None:
        if isinstance(diagnostics, Diagnostic):
            diagnostics = (diagnostics,)
        self.diagnostics = in_order(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return "; ".join(
            f"{finding.position.file}:{finding.position.line}: {finding.code} {finding.message}"
            for finding in self.diagnostics
        )


class OutputError(OzoneError):
    """The command could not do its work (a full disk, no permission, ...): it exits with status 2."""


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings by file and place, each once."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=lambda finding: (finding.position, finding.code)))


def dotted(path: Path) -> str:
    """A path as it is shown and searched for: `flattening.tables.vitals.columns[0]`.

    A key with a dot, bracket, quote or space in it is quoted, so that two paths never look alike.
    """
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
            continue
        key = (
            part if _PLAIN_KEY.fullmatch(part) else '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
        )
        shown += f".{key}" if shown else key
    return shown
