"""What a preview warns about: columns without any observation, and cells into which several fall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ozone_gen.diagnostics import Diagnostic, Path, codes, in_order
from ozone_gen.flattening.declared import ColumnPlan, TablePlan
from ozone_gen.preview.occurrence import Occurrence
from ozone_gen.preview.results import CellCounts
from ozone_gen.preview.wording import counted
from ozone_gen.source import Source

_MOST_TYPES = 3  # encounter types that a message names

Cells = Mapping[str, Mapping[str, CellCounts]]
"""By table, then by column."""


def findings(
    source: Source, plans: Sequence[TablePlan], cells: Cells, occurring: Mapping[str, Occurrence], *, few: int = 0
) -> tuple[Diagnostic, ...]:
    """What to warn about in the own tables of the file `source`, in its order.

    Counts from one to below `few` are not told.
    """
    return in_order(
        finding
        for plan in plans
        for column in plan.columns
        for finding in _of_column(source, plan, column, cells[plan.name][column.name], occurring, few)
    )


def column_path(table: str, column: str) -> Path:
    """The place of a column in ozone.yaml."""
    return "flattening", "tables", table, "columns", column


def _of_column(
    source: Source,
    plan: TablePlan,
    column: ColumnPlan,
    counts: CellCounts,
    occurring: Mapping[str, Occurrence],
    few: int,
) -> Iterator[Diagnostic]:
    path = column_path(plan.name, column.name)
    position = source.position(path, key=True)
    if counts.observations == 0:
        message, hint = _never(column, [occurring[each] for each in column.concepts], few)
        yield codes.ConceptNeverOccurs.at(position, message, path=path, hint=hint)
    elif counts.several and not _says_what_becomes_of_several(source, path):
        yield codes.SeveralObservations.at(
            position,
            f"several observations of {_named(column)} fall into one cell: in "
            f"{_told(counts.several, 'cell', few)} of {counts.rows:,}, at most {counts.most:,}; the last one is kept",
            path=path,
            hint="say `repeat: last` if that is meant, or another `repeat`",
        )


def _never(column: ColumnPlan, found: Sequence[Occurrence], few: int) -> tuple[str, str]:
    total = sum(each.observations for each in found)
    if not total:
        return (
            f"{_named(column)} never occurs in the data: the column is empty in every row",
            "look up in which concept the clinic records this; a new form may only be in use later",
        )
    types: dict[str, int] = {}
    for each in found:
        for name, number in each.encounter_types:
            types[name] = types.get(name, 0) + number
    ranked = sorted(types.items(), key=lambda each: (-each[1], each[0]))
    where = ", ".join(f"{name} ({_told(number, '', few)})" for name, number in ranked[:_MOST_TYPES])
    more = f" and {len(ranked) - _MOST_TYPES} more" if len(ranked) > _MOST_TYPES else ""
    verbs = ("is", "belongs") if total == 1 else ("are", "belong")
    placed = f"{verbs[0]} in encounters of type {where}{more}" if ranked else f"{verbs[1]} to no encounter that counts"
    group = f", in a group {column.group}" if column.group else ""
    return (
        f"{_named(column)} never occurs in a row of this table{group}: its {_told(total, 'observation', few)} {placed}",
        "change the table's filters, or move the column to another table",
    )


def _told(count: int, word: str, few: int) -> str:
    """Write a count of things, or of what was said before."""
    if 0 < count < few:
        return f"fewer than {few} {word}s" if word else f"fewer than {few}"
    return counted(count, word) if word else f"{count:,}"


def _named(column: ColumnPlan) -> str:
    return " or ".join(column.concepts)


def _says_what_becomes_of_several(source: Source, path: Path) -> bool:
    value: Any = source.data
    for part in path:
        value = value[part]
    return not isinstance(value, str) and not {"repeat", "answers", "answer"}.isdisjoint(value)
