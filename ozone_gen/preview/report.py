"""The report of a preview: one self-contained page, decided here and written down by templates/preview."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ozone_gen.diagnostics import Diagnostic, dotted, in_order
from ozone_gen.flattening.declared import ColumnPlan, Repeat, TablePlan
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.openmrs.dictionary import Concept, Dictionary
from ozone_gen.preview.charts import (
    Cell,
    Chart,
    day,
    filled_strip,
    histogram,
    quartiles_over_time,
    rows_over_time,
    small_bars,
)
from ozone_gen.preview.findings import column_path
from ozone_gen.preview.profile import ColumnProfile, Kind, TableProfile
from ozone_gen.preview.results import PreviewTable
from ozone_gen.preview.suppression import FEW, suppressed
from ozone_gen.preview.wording import CONTROL, counted, moment, number, share, spread
from ozone_gen.preview.yaml_lines import Line, excerpt
from ozone_gen.render.text import render_html
from ozone_gen.source import Source

_MOST_CARDS: Final = 120  # of a page; further columns are listed only, which keeps the page small
_MOST_ROWS: Final = 20
_LONGEST: Final = 120  # characters of a cell
_FIGURES: Final = ("bigint", "integer", "double", "numeric")


@dataclass(frozen=True)
class Report:
    """What a report is made of.

    Attributes:
        site: the site's name.
        origin: where the data come from, as the end of a sentence.
        made_up: whether the patients are made up.
        source: the ozone.yaml.
        dictionary: the concepts, where they are at hand.
        flattened: the tables as planned, in their order.
        plans: what was declared of the own tables.
        tables: the tables as filled, with their first rows.
        profiles: of each table, of all its columns.
        warnings: what to warn about.
        shared: whether to leave out what tells of single patients.
    """

    site: str
    origin: str
    made_up: bool
    source: Source
    dictionary: Dictionary | None
    flattened: Sequence[FlattenedTable]
    plans: Sequence[TablePlan]
    tables: Sequence[PreviewTable]
    profiles: Mapping[str, TableProfile]
    warnings: Sequence[Diagnostic]
    shared: bool = False


@dataclass(frozen=True)
class _Answer:
    text: str
    rows: str
    share: str
    width: float


@dataclass(frozen=True)
class _Column:
    """A column, whether as a card or as a line of a list."""

    name: str
    anchor: str
    kind: str
    concept: str
    references: str
    unit: str
    description: str
    filled: str
    share: str
    width: float
    distinct: str
    spread: str
    empty: bool
    line: int
    warnings: tuple[Diagnostic, ...]
    small: str = ""
    chart: Chart | None = None
    answers: tuple[_Answer, ...] = ()
    others: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    over_time: Chart | None = None
    note: str = ""
    strip: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class _Table:
    name: str
    anchor: str
    own: bool
    description: str
    rows: str
    count: str
    columns: int
    share: str
    width: float
    dates: str
    small: str
    chart: Chart | None
    cards: tuple[_Column, ...]
    others: tuple[_Column, ...]
    strips: tuple[_Column, ...]
    head: tuple[tuple[str, str], ...]
    sample: tuple[tuple[tuple[str, str], ...], ...]
    lines: tuple[Line, ...]
    marked: frozenset[int]
    warnings: tuple[Diagnostic, ...]


def report_html(report: Report) -> str:
    """Write the page. The same report gives the same text; nothing in it leads out of the page."""
    cards = _MOST_CARDS
    tables = []
    for planned in report.flattened:
        made = _table(report, planned, cards)
        cards -= len(made.cards)
        tables.append(made)
    dates = [
        (profile.time.first, profile.time.last)
        for profile in (_profile(report, table.name) for table in report.flattened)
        if profile.time and profile.rows and _is_of_patients(report, profile.name)
    ]
    between = f"{day(min(each[0] for each in dates))} to {day(max(each[1] for each in dates))}" if dates else ""
    total = sum(table.rows for table in report.tables)
    return render_html(
        "preview/report.html.j2",
        site=report.site,
        origin=report.origin,
        made_up=report.made_up,
        shared=report.shared,
        few=FEW,
        dates=between,
        file=Path(report.source.file).name,
        path=report.source.file,
        total=f"{total:,}",
        tables=tables,
        warnings=in_order(report.warnings),
        own_tables=sum(table.own for table in tables),
    )


def _is_of_patients(report: Report, table: str) -> bool:
    (found,) = (each for each in report.tables if each.name == table)
    return any(name in ("patient_id", "patient_uuid") for name in found.columns)


def _profile(report: Report, table: str) -> TableProfile:
    profile = report.profiles[table]
    return suppressed(profile) if report.shared else profile


def _table(report: Report, planned: FlattenedTable, most_cards: int) -> _Table:
    (table,) = (each for each in report.tables if each.name == planned.name)
    plan = next((each for each in report.plans if each.name == planned.name), None)
    profile = _profile(report, planned.name)
    declared = {column.name: column for column in plan.columns} if plan else {}
    descriptions = {column.name: column.description for column in planned.columns}
    columns = {
        column.name: _column(report, profile, column, declared.get(column.name), descriptions[column.name])
        for column in profile.columns
    }
    cards = tuple(columns[name] for name in list(declared)[:most_cards])
    shown = {card.name for card in cards}
    cells = profile.rows * len(profile.columns)
    filled = sum(column.filled for column in profile.columns)
    axis = profile.time
    own_path = ("flattening", "tables", planned.name)
    lines = excerpt(report.source, own_path if plan else ("flattening", "core"))
    warnings = tuple(
        each for each in in_order(report.warnings) if each.path.startswith(f"flattening.tables.{planned.name}.")
    )
    head, sample = ((), ()) if report.shared else _sample(table, list(declared))
    return _Table(
        planned.name,
        f"table-{planned.name}",
        plan is not None,
        planned.description,
        counted(profile.rows, "row"),
        f"{profile.rows:,}",
        len(profile.columns),
        share(filled, cells),
        round(100 * filled / cells, 1) if cells else 0.0,
        f"{day(axis.first)} to {day(axis.last)}" if axis else "",
        small_bars(axis.rows) if axis else "",
        rows_over_time(axis, axis.rows) if axis else None,
        cards,
        tuple(column for name, column in columns.items() if name not in shown),
        tuple(card for card in cards if card.strip),
        head,
        sample,
        lines,
        frozenset(each.position.line for each in warnings if each.position.file == report.source.file),
        warnings,
    )


def _column(
    report: Report, profile: TableProfile, column: ColumnProfile, plan: ColumnPlan | None, description: str
) -> _Column:
    concept = _concept(report.dictionary, plan)
    unit = concept.units if concept and plan and plan.repeat is not Repeat.COUNT else ""
    few = FEW if report.shared else 0
    path = column_path(profile.name, column.name)
    axis = profile.time
    common = _Column(
        name=column.name,
        anchor=f"column-{profile.name}-{column.name}",
        kind=f"list of {column.kind}s" if plan and plan.repeat is Repeat.LIST else str(column.kind),
        concept=concept.name if concept else "",
        references=" or ".join(plan.concepts) if plan else "",
        unit=unit,
        description=description,
        filled=f"fewer than {few}" if 0 < column.filled < few else f"{column.filled:,}",
        share="–" if 0 < column.filled < few else share(column.filled, column.rows),
        width=0.0 if 0 < column.filled < few else round(100 * (column.share or 0.0), 1),
        distinct=f"{column.distinct:,}" if column.distinct else "–",
        spread="" if report.shared and not column.answers else spread(column),
        empty=not column.filled,
        line=report.source.position(path, key=True).line if plan else 0,
        warnings=tuple(each for each in report.warnings if each.path == dotted(path)) if plan else (),
        small=_small(column),
    )
    if plan is None:
        return common
    over_time = quartiles_over_time(axis, column, unit) if axis else None
    if over_time is None and axis and column.filled_over_time:
        over_time = rows_over_time(axis, column.filled_over_time, "rows with a value")
    return replace(
        common,
        chart=histogram(column, unit, few=few),
        answers=_answers(column),
        others=_others(column, few),
        facts=_facts(column),
        over_time=over_time,
        note=_note(column, few),
        strip=filled_strip(axis, column.filled_over_time) if axis and column.filled_over_time else (),
    )


def _concept(dictionary: Dictionary | None, plan: ColumnPlan | None) -> Concept | None:
    found = dictionary.find(plan.concepts[0]) if dictionary and plan else ()
    return found[0] if len(found) == 1 else None


def _small(column: ColumnProfile) -> str:
    if column.histogram:
        return small_bars(column.histogram.counts)
    return small_bars([answer.rows for answer in column.answers])


def _answers(column: ColumnProfile) -> tuple[_Answer, ...]:
    most = max((answer.rows for answer in column.answers), default=1)
    return tuple(
        _Answer(
            _shown(answer.text) or "(an empty text)",
            f"{answer.rows:,}",
            share(answer.rows, column.filled),
            round(100 * answer.rows / most, 1),
        )
        for answer in column.answers
    )


def _others(column: ColumnProfile, few: int) -> str:
    if not column.answers or not column.other_rows:
        return ""
    if 0 < column.other_rows < few:
        return "and other answers in a few rows"
    return f"and only other answers in {counted(column.other_rows, 'row')} ({share(column.other_rows, column.filled)})"


def _facts(column: ColumnProfile) -> tuple[tuple[str, str], ...]:
    """Figures by their names; the axes say what they are measured in."""
    found = []
    for name, value in (("least", column.least), ("median", column.median), ("greatest", column.greatest)):
        if value is not None:
            found.append((name, day(value) if isinstance(value, datetime.date) else number(value)))
    return tuple(found)


def _note(column: ColumnProfile, few: int) -> str:
    if not column.filled:
        return "No row has a value."
    if few and column.patients < few:
        return f"Values of fewer than {few} patients are not shown."
    parts = []
    if column.kind is Kind.ID:
        parts.append("Identifiers are only counted.")
    elif column.lengths:
        least, median, greatest = column.lengths
        parts.append(
            f"The texts hardly repeat: they have {least:,} to {greatest:,} characters, {median:,} in the middle."
        )
    elif few and column.kind is Kind.TEXT and not column.answers:
        parts.append("Texts that few patients share are not shown.")
    elif column.least is not None and column.least == column.greatest:
        parts.append(f"Every value is {moment(column.least)}.")
    if column.odd:
        parts.append(f"{counted(column.odd, 'value')} {'is' if column.odd == 1 else 'are'} no finite number.")
    return " ".join(parts)


def _sample(
    table: PreviewTable, declared: Sequence[str]
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[tuple[str, str], ...], ...]]:
    """The head and the first rows, each cell with its classes, declared columns right behind the key."""
    first = [table.primary_key, *([table.time_column] if table.time_column else []), *declared]
    names = [name for name in first if name in table.columns]
    names += [name for name in table.columns if name not in names]
    places = [table.columns.index(name) for name in names]
    classes = ["figure" if table.types[place].startswith(_FIGURES) else "" for place in places]
    rows = tuple(
        tuple((f"{kind} null".strip(), "–") if row[place] is None else (kind, _cell(row[place]))
              for place, kind in zip(places, classes, strict=True))
        for row in table.sample[:_MOST_ROWS]
    )  # fmt: skip
    return tuple(zip(names, classes, strict=True)), rows


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, float):
        return f"{value:.10g}"
    return _shown(str(value))


def _shown(text: str) -> str:
    """A text of the database in one line, not too long, and without what no page can hold."""
    text = CONTROL.sub(" ", text).strip()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
