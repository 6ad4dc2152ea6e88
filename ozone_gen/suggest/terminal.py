"""What was found in a database, as a table on the terminal."""

from __future__ import annotations

import re
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ozone_gen.suggest.tables import Found, Suggestion
from ozone_gen.suggest.usage import Usage

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def show_found(suggestion: Suggestion, usage: Usage | None, console: Console) -> None:
    """Print a line for each encounter type, form and obs group that was looked at, and the table made for it."""
    if usage is None:
        sets = len(suggestion.found)
        console.print(Text(f"{sets:,} set{'' if sets == 1 else 's'}: a dictionary does not tell what is used"))
        return
    made = Table(box=box.SIMPLE_HEAD, header_style="bold")
    made.add_column("found")
    made.add_column("name", overflow="fold")
    for number in ("rows", "observations", "concepts"):
        made.add_column(number, justify="right", no_wrap=True)
    made.add_column("table", overflow="fold")
    for each in suggestion.found:
        counts = (each.usage.rows, each.usage.observations, len(each.usage.concepts)) if each.usage else ()
        made.add_row(
            each.by.words,
            # A name of a database may hold what moves a terminal's cursor.
            Text(_CONTROL.sub(" ", each.what)),
            *(f"{count:,}" for count in counts),
            _table(each),
        )
    console.print(made)
    outside = f", {usage.outside:,} of them outside of encounters" if usage.outside else ""
    console.print(Text(f"{usage.observations:,} observations{outside}", style="dim"))


def _table(found: Found) -> Text:
    if found.table is None:
        return Text(found.why_not, style="dim")
    columns, rare = len(found.table.columns), len(found.table.rare)
    counted = f" {columns} column{'' if columns == 1 else 's'}" + (f", {rare} rare" if rare else "")
    return Text.assemble((found.table.name, "bold" if columns else "dim"), (counted, "dim"))
