"""A table about many sites."""

from __future__ import annotations

from collections.abc import Sequence

from ozone_gen.cli.outcome import console


def show_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table to standard output; nothing where there are no rows. Texts may have colours in them."""
    if not rows:
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(Text.from_ansi, row))
    console().print(table)
