"""The doctor's table on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ozone_gen.doctor.findings import Finding, State

_MARKS = {
    State.WELL: ("\u2713", "green"),
    State.WARNING: ("!", "yellow"),
    State.ILL: ("\u2717", "red"),
    State.UNKNOWN: ("?", "dim"),
}


def show_findings(findings: Sequence[Finding], console: Console) -> None:
    """Print what was found, one row for each, and the sum of it."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    table.add_column("")
    table.add_column("part", no_wrap=True)
    table.add_column("what was seen, and what to do", overflow="fold")
    for finding in findings:
        mark, style = _MARKS[finding.state]
        table.add_row(Text(mark, style=style), Text(finding.part), _words(finding))
    console.print(table)
    counted = {state: sum(finding.state is state for finding in findings) for state in State}
    console.print(Text(", ".join(f"{count} {state}" for state, count in counted.items() if count), style="bold"))


def _words(finding: Finding) -> Text:
    return Text(finding.what) if not finding.cure else Text.assemble(finding.what, ("\n\u2192 " + finding.cure, "bold"))
