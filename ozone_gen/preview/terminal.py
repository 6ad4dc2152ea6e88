"""A preview on the terminal: progress while it runs, tables afterwards."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from rich import box
from rich.console import Console, Group
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ozone_gen.preview.profile import ColumnProfile, TableProfile
from ozone_gen.preview.results import PreviewTable
from ozone_gen.preview.run import Preview, Stage
from ozone_gen.preview.wording import counted, one_line, share, spread

_WIDEST: Final = 32  # characters of a cell
_BORDER: Final = 3  # a line and a space on both sides, for each column
_NUMBERS: Final = ("bigint", "integer", "double", "numeric")
_WIDE: Final = 100  # characters; from then on there is room for all that is said of a column
_NARROWEST: Final = 8  # characters of what is said last
_VALUES: Final = "least … median … greatest, or the most frequent"
_BAR: Final = 10  # characters
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


class ProgressStages:
    """Shows each stage as a line: a bar where its length is known, and the time that it takes."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def stage(self, stage: Stage, total: int | None) -> Iterator[Callable[[int], None]]:
        """Show a stage for as long as it lasts."""
        if not self._console.is_terminal:  # a log: lines that stay, without what moves
            self._console.print(f"{stage.value} ...", markup=False, highlight=False)
            yield lambda steps: None
            return
        columns = [SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()]
        if total is not None:
            columns.insert(2, BarColumn(bar_width=30))
        # `transient`: the finished lines would stand between the person and the tables.
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task(stage.value, total=total)
            yield lambda steps: progress.update(task, advance=steps)


def show_preview(
    preview: Preview,
    console: Console,
    foremost: Mapping[str, Collection[str]] | None = None,
    profiles: Mapping[str, TableProfile] | None = None,
) -> None:
    """Print the first rows of each table, then how full they all are, where they are and how long it took.

    `foremost` names for a table the columns that its reader wants to see most, if not all fit. What their
    profile among `profiles` says is printed, too; of a table without either the empty columns are named.
    """
    for table in preview.tables:
        rows = counted(table.rows, "row")
        first = f", the first {len(table.sample)}:" if len(table.sample) < table.rows else ""
        console.print()
        console.print(Text.assemble((table.name, "bold"), f"  {rows}{first}"))
        if table.sample:
            console.print(_sample(table, console.width, (foremost or {}).get(table.name, ())))
        profile = (profiles or {}).get(table.name)
        declared = (foremost or {}).get(table.name, ())
        columns = [column for column in profile.columns if column.name in declared] if profile else []
        if columns:
            console.print(_columns(columns, console.width))
        elif table.rows and (empty := _empty(table)):
            console.print(Text(f"empty: {', '.join(empty)}", style="dim"))
    console.print()
    console.print(_summary(preview.tables))
    console.print(Text(_times(preview), style="dim"))


def _sample(table: PreviewTable, width: int, foremost: Collection[str]) -> Group:
    """The first rows of a table in as many columns as fit, and a line that says what does not."""
    cells = [[_cell(value) for value in row] for row in table.sample]
    widths = [
        min(_WIDEST, max([len(name), *(text.cell_len for text in column)]))
        for name, column in zip(table.columns, zip(*cells, strict=True), strict=True)
    ]
    shown = fitting(table, widths, width, foremost)
    made = Table(box=box.SQUARE, header_style="bold")
    for index in shown:
        numeric = table.types[index].startswith(_NUMBERS)
        made.add_column(
            Text(table.columns[index]),
            justify="right" if numeric else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=_WIDEST,
        )
    for row in cells:
        made.add_row(*(row[index] for index in shown))
    left_out = [index for index in range(len(table.columns)) if index not in shown]
    if not left_out:
        return Group(made)
    empty = sum(not table.filled[index] for index in left_out)
    note = f"and {len(left_out)} more column{'' if len(left_out) == 1 else 's'}"
    return Group(made, Text(f"{note}, {empty} of them empty" if empty else note, style="dim"))


def _columns(columns: Sequence[ColumnProfile], width: int) -> Table:
    """The columns of a table, one a line, in so many of the figures as fit."""
    wide = width >= _WIDE
    head = ["column", "holds", "with a value", "", "", "different", _VALUES if wide else "values"]
    rows = [
        [
            Text(column.name),
            Text(column.kind.value, style="dim"),
            Text(f"{column.filled:,}"),
            Text(_bar(column.share or 0.0), style="green" if column.filled else "yellow"),
            Text(share(column.filled, column.rows)),
            Text(f"{column.distinct:,}"),
            Text(spread(column)),
        ]
        for column in columns
    ]
    chosen = range(len(head)) if wide else (0, 2, 4, 6)
    left = width
    made = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for index in chosen:
        needed = max(len(head[index]), *(row[index].cell_len for row in rows))
        last = index == len(head) - 1
        needed = max(_NARROWEST, min(needed, left - 1)) if last else min(needed, _WIDEST)
        left -= needed + _BORDER
        made.add_column(
            head[index],
            justify="right" if index in (2, 4, 5) else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=0 if last else needed,
            max_width=needed,
        )
    for row in rows:
        made.add_row(*(row[index] for index in chosen))
    return made


def _bar(part: float) -> str:
    whole, eighths = divmod(round(part * _BAR * 8), 8)
    if part and not whole and not eighths:
        eighths = 1  # what is there is seen
    return ("█" * whole + _EIGHTHS[eighths].strip()).ljust(_BAR, "·")


def _empty(table: PreviewTable) -> list[str]:
    return [name for name, filled in zip(table.columns, table.filled, strict=True) if not filled]


def fitting(
    table: PreviewTable, widths: Sequence[int], width: int, foremost: Collection[str] = ()
) -> list[int]:
    """Choose the columns to show in `width` characters, in the table's own order.

    The key is always shown. Then come the foremost columns, the others, uuids, and last those without any
    value.
    """

    def usefulness(index: int) -> tuple[int, int]:
        name = table.columns[index]
        if name == table.primary_key:
            return 0, index
        if name in foremost:
            return 1, index
        if not table.filled[index]:
            return 4, index
        return 3 if name.endswith("uuid") else 2, index

    shown: list[int] = []
    left = width - 1
    crowded_out = None
    for kind, index in sorted(usefulness(index) for index in range(len(table.columns))):
        if crowded_out is not None and kind > crowded_out:
            break  # what is less useful does not take the room that is left
        needed = widths[index] + _BORDER
        if needed <= left or not shown:
            shown.append(index)
            left -= needed
        else:
            crowded_out = kind
    return sorted(shown)


def _cell(value: object) -> Text:
    if value is None:
        return Text("∅", style="dim")
    if isinstance(value, bool):
        return Text("true" if value else "false")
    if isinstance(value, datetime.datetime):
        return Text(value.isoformat(sep=" ", timespec="seconds"))
    # Texts of a database may hold what moves a terminal's cursor or turns the direction of writing.
    return Text(one_line(str(value)))


def _summary(tables: Sequence[PreviewTable]) -> Table:
    made = Table(box=box.SIMPLE_HEAD, header_style="bold")
    made.add_column("table", no_wrap=True)
    for name in ("rows", "columns", "filled"):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("file", overflow="fold")
    for table in tables:
        cells = table.rows * len(table.columns)
        filled = f"{100 * sum(table.filled) / cells:.0f} %" if cells else "-"
        made.add_row(
            Text(table.name), f"{table.rows:,}", str(len(table.columns)), filled, Text(str(table.file))
        )
    return made


def _times(preview: Preview) -> str:
    parts = [f"{stage.value} {preview.seconds[stage]:.1f} s" for stage in Stage if stage in preview.seconds]
    return f"{sum(preview.seconds.values()):.1f} s: {', '.join(parts)}"
