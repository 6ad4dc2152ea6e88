"""The geometry of the charts of a report: everything is decided here, the template only writes it down.

A plot is 1000 wide and 100 high, with y going down, and is stretched to the room that there is. Labels are text of
the page beside it, so that they keep their size; they stand at a share of the width or height, in per cent.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ozone_gen.preview.profile import (
    HIDDEN,
    ColumnProfile,
    Histogram,
    Kind,
    Quartiles,
    TimeAxis,
    Unit,
    Value,
    nice_step,
)
from ozone_gen.preview.wording import counted, moment, number, share

WIDTH: Final = 1000
HEIGHT: Final = 100
# Whatever the machine's locale.
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_GAP: Final = 0.12  # of a bar's room
_LEVELS: Final = 4
_MOST_BARS: Final = 120  # of which each says its figures when pointed at


@dataclass(frozen=True)
class Tick:
    """A label of an axis, at per cent of its length."""

    at: float
    label: str


@dataclass(frozen=True)
class Bar:
    """A bar, and what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Chart:
    """A chart with two axes.

    Attributes:
        summary: what it shows, for those who do not see it.
        x, y: the ticks of the axes, from left to right and from the bottom up.
        x_title, y_title: what the axes measure.
        bars: of a bar chart.
        area: path of the band between the quartiles.
        line: path of the medians.
        note: what is left out of it.
    """

    summary: str
    x: tuple[Tick, ...]
    y: tuple[Tick, ...]
    x_title: str
    y_title: str
    bars: tuple[Bar, ...] = ()
    area: str = ""
    line: str = ""
    note: str = ""


@dataclass(frozen=True)
class Cell:
    """A period in a strip: where it is, how dark (0 to 4, -1 where nothing is told), what it says."""

    x: float
    width: float
    level: int
    title: str


def day(date: datetime.date) -> str:
    """Write a date for people: 3 Feb 2023."""
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


def period(start: datetime.date, unit: Unit) -> str:
    """Write a period for people."""
    match unit:
        case Unit.DAY:
            return day(start)
        case Unit.WEEK:
            return f"week of {day(start)}"
        case Unit.MONTH:
            return f"{_MONTHS[start.month - 1]} {start.year}"
        case Unit.QUARTER:
            return f"{_MONTHS[start.month - 1]} to {_MONTHS[start.month + 1]} {start.year}"
        case Unit.YEAR:
            return str(start.year)
        case Unit.DECADE:
            return f"{start.year}s"


# --- charts


def histogram(column: ColumnProfile, unit: str, *, few: int = 0) -> Chart | None:
    """The chart of how often which values occur; None where there is nothing to show.

    `unit` is what the values are measured in, empty where nobody knows. Bins of fewer than `few` were emptied.
    """
    given = column.histogram
    if given is None or not any(given.counts):
        return None
    low, high = _place(given.edges[0]), _place(given.edges[-1])
    # Whole numbers of one bin each stand in the middle of their bars.
    single = column.kind not in (Kind.DATE, Kind.TIME) and all(
        float(_place(edge)).is_integer() for edge in given.edges[:2]
    ) and _place(given.edges[1]) - low == 1
    top = max(given.counts)
    bars = []
    for (start, end), count in zip(pairwise(given.edges), given.counts, strict=True):
        if count:
            title = f"{_range(start, end, single)}: {counted(count, 'row')}"
            left, right = ((_place(edge) - low) / (high - low) for edge in (start, end))
            bars.append(_bar(left, right, count / top, title))
    if isinstance(given.edges[0], datetime.date):
        x = date_ticks([_date(edge) for edge in given.edges])
    else:
        x = _number_ticks(low, high, single)
    y, scaled = _count_axis(top, bars)
    return Chart(
        _summary(column, unit),
        x,
        y,
        unit or ("date" if column.kind in (Kind.DATE, Kind.TIME) else "value"),
        "rows",
        _thinned(scaled),
        note=_left_out(given, few),
    )


def rows_over_time(axis: TimeAxis, counts: Sequence[int], what: str = "rows") -> Chart | None:
    """The chart of how many rows there are in each period."""
    if max(counts, default=0) <= 0:
        return None
    low, high = axis.starts[0], axis.starts[-1]
    length = (high - low).days
    top = max(counts)
    bars = [
        _bar((start - low).days / length, (end - low).days / length, count / top,
             f"{period(start, axis.unit)}: {counted(count, 'row')}")
        for (start, end), count in zip(pairwise(axis.starts), counts, strict=True)
        if count > 0
    ]  # fmt: skip
    y, scaled = _count_axis(top, bars)
    outside = [
        f"{counted(number, 'row')} {where}"
        for number, where in ((axis.before, f"before {day(low)}"), (axis.after, f"from {day(high)} on"))
        if number and what == "rows"
    ]
    return Chart(
        f"{what.capitalize()} per {axis.unit} from {day(low)} on: at most {top:,}.",
        date_ticks(axis.starts),
        y,
        "",
        f"{what} per {axis.unit}",
        tuple(scaled),
        note=f"Not shown: {' and '.join(outside)}." if outside else "",
    )


def quartiles_over_time(axis: TimeAxis, column: ColumnProfile, unit: str) -> Chart | None:
    """The chart of the median and the quartiles of each period; None where there are fewer than two."""
    known = [each for each in column.over_time if each]
    if len(known) < 2:
        return None
    least, greatest = min(each.low for each in known), max(each.high for each in known)
    if not math.isfinite(greatest - least):
        return None
    step = nice_step((greatest - least) or abs(greatest) or 1.0, 3)
    low, high = math.floor(least / step) * step, math.ceil(greatest / step) * step
    high = high if high > low else low + step

    def height(value: float) -> float:
        return HEIGHT * (1 - (value - low) / (high - low))

    days = (axis.starts[-1] - axis.starts[0]).days
    area, line = [], []
    for first, run in _runs(column.over_time):
        points = []
        for offset, each in enumerate(run):
            start, end = axis.starts[first + offset], axis.starts[first + offset + 1]
            middle = WIDTH * ((start - axis.starts[0]).days + (end - start).days / 2) / days
            points.append((middle, each))
        if len(points) == 1:  # a period by itself is as wide as it lasts
            middle, each = points[0]
            half = WIDTH * (axis.starts[first + 1] - axis.starts[first]).days / days / 2
            points = [(middle - half, each), (middle + half, each)]
        upper = [f"{x:.0f} {height(each.high):.1f}" for x, each in points]
        lower = [f"{x:.0f} {height(each.low):.1f}" for x, each in reversed(points)]
        area.append(f"M{'L'.join([*upper, *lower])}Z")
        line.append(f"M{'L'.join(f'{x:.0f} {height(each.median):.1f}' for x, each in points)}")
    ticks = tuple(
        Tick(100 * (value - low) / (high - low), number(value))
        for value in (low + index * step for index in range(round((high - low) / step) + 1))
    )
    medians = [each.median for each in known]
    return Chart(
        f"Medians per {axis.unit}, from {number(min(medians))} to {number(max(medians))}"
        f"{f' {unit}' if unit else ''}, with the band in which the middle half of the values is.",
        date_ticks(axis.starts),
        ticks,
        "",
        f"{unit or 'value'}: median and middle half per {axis.unit}",
        area="".join(area),
        line="".join(line),
    )


def filled_strip(axis: TimeAxis, filled: Sequence[int]) -> tuple[Cell, ...]:
    """The strip of how many of a column's cells have a value, period by period."""
    length = (axis.starts[-1] - axis.starts[0]).days
    found: list[Cell] = []
    for (start, end), rows, count in zip(pairwise(axis.starts), axis.rows, filled, strict=True):
        told = rows > 0 and count != HIDDEN
        level = (0 if not count else max(1, round(_LEVELS * count / rows))) if told else -1
        x = WIDTH * (start - axis.starts[0]).days / length
        width = WIDTH * (end - start).days / length
        title = f"{share(count, rows)} of {counted(rows, 'row')}" if told else "few rows" if rows else "no rows"
        # A little wider, so that no seam shows.
        found.append(Cell(round(x, 1), round(width + 1, 1), level, f"{period(start, axis.unit)}: {title}"))
    return tuple(found)


def small_bars(counts: Sequence[int]) -> str:
    """The path of a small chart without axes, 100 wide and 20 high."""
    top = max(counts, default=0)
    if not top or len(counts) < 2:
        return ""
    width = 100 / len(counts)
    parts = []
    for index, count in enumerate(counts):
        if count:
            height = max(1.0, 20 * count / top)
            parts.append(f"M{index * width:.1f} 20v-{height:.1f}h{width * 0.85:.1f}v{height:.1f}z")
    return "".join(parts)


def date_ticks(starts: Sequence[datetime.date], most: int = 5) -> tuple[Tick, ...]:
    """Ticks at the beginnings of years, months or days, at most so many."""
    low, high = starts[0], starts[-1]
    length = (high - low).days

    def at(dates: Sequence[datetime.date], label: Callable[[datetime.date], str]) -> tuple[Tick, ...]:
        return tuple(Tick(round(100 * (date - low).days / length, 2), label(date)) for date in dates)

    years = high.year - low.year
    if years >= 2:
        step = max(1, round(nice_step(years, most)))
        first = low.year if (low.month, low.day) == (1, 1) else low.year + 1
        chosen = [datetime.date(year, 1, 1) for year in range(-(-first // step) * step, high.year + 1, step) if year]
        return at(chosen, lambda date: str(date.year))
    months = [
        datetime.date(index // 12, index % 12 + 1, 1)
        for index in range(low.year * 12 + low.month - 1, high.year * 12 + high.month)
    ]
    months = [month for month in months if low <= month <= high]
    if len(months) >= 3:
        step = next(each for each in (1, 2, 3, 6, 12) if len(months) / each <= most)
        months = [month for month in months if (month.month - 1) % step == 0]
        return at(months, lambda date: f"{_MONTHS[date.month - 1]} {date.year}")
    step = max(1, math.ceil(length / (most - 1)))
    days = [low + datetime.timedelta(days=offset) for offset in range(0, length, step)]
    return at(days, lambda date: f"{date.day} {_MONTHS[date.month - 1]}")


# --- parts of charts


def _place(value: Value) -> float:
    return value.toordinal() if isinstance(value, datetime.date) else value


def _date(value: Value) -> datetime.date:
    assert isinstance(value, datetime.date)
    return value


def _bar(start: float, end: float, height: float, title: str) -> Bar:
    room = (end - start) * WIDTH
    drawn = max(HEIGHT * height, 1.0)  # what is there is seen
    return Bar(start * WIDTH + room * _GAP / 2, HEIGHT - drawn, room * (1 - _GAP), drawn, title)


def _count_axis(top: int, bars: Sequence[Bar]) -> tuple[tuple[Tick, ...], list[Bar]]:
    """Ticks of an axis of counts that ends at a round number, and the bars drawn to its scale."""
    step = max(1, round(nice_step(top, 3)))
    end = -(-top // step) * step
    ticks = tuple(Tick(100 * value / end, f"{value:,}") for value in range(0, end + 1, step))
    scaled = []
    for bar in bars:
        height = max(bar.height * top / end, 1.0)
        scaled.append(
            Bar(round(bar.x, 1), round(HEIGHT - height, 1), round(bar.width, 1), round(height, 1), bar.title)
        )
    return ticks, scaled


def _thinned(bars: Sequence[Bar]) -> tuple[Bar, ...]:
    """Many bars keep silent, so that a page of many columns stays small."""
    if len(bars) <= _MOST_BARS:
        return tuple(bars)
    return tuple(Bar(bar.x, bar.y, bar.width, bar.height, "") for bar in bars)


def _number_ticks(low: float, high: float, single: bool) -> tuple[Tick, ...]:
    step = nice_step(high - low, 5)
    if single:
        step, shift = max(1.0, step), 0.5
    else:
        shift = 0.0
    last = high - 1 if single else high
    first = math.ceil(low / step - 1e-9)
    values = [index * step for index in range(first, math.floor(last / step + 1e-9) + 1)]
    return tuple(
        Tick(round(100 * (value + shift - low) / (high - low), 2), number(float(f"{value:.12g}"))) for value in values
    )


def _range(start: Value, end: Value, single: bool) -> str:
    if isinstance(start, datetime.date):
        last = _date(end) - datetime.timedelta(days=1)
        return day(start) if last == start else f"{day(start)} to {day(last)}"
    assert not isinstance(end, datetime.date)
    return number(start) if single else f"{number(start)} to under {number(end)}"


def _left_out(given: Histogram, few: int) -> str:
    parts = []
    if given.below:
        parts.append(f"{counted(given.below, 'value')} below {_edge(given.edges[0])}")
    if given.above:
        parts.append(f"{counted(given.above, 'value')} from {_edge(given.edges[-1])} on")
    if few:
        parts.append(f"bars of fewer than {few} rows")
    return f"Not shown: {', '.join(parts)}." if parts else ""


def _edge(value: Value) -> str:
    return day(value) if isinstance(value, datetime.date) else number(value)


def _summary(column: ColumnProfile, unit: str) -> str:
    measured = f" {unit}" if unit else ""
    between = ""
    if column.least is not None and column.greatest is not None:
        between = f" between {moment(column.least)} and {moment(column.greatest)}{measured}"
    middle = f", median {moment(column.median)}{measured}" if column.median is not None else ""
    return f"Histogram of {column.name}: {counted(column.filled, 'value')}{between}{middle}."


def _runs(values: Sequence[Quartiles | None]) -> list[tuple[int, list[Quartiles]]]:
    """Neighbouring periods with values: the index of the first, and the values."""
    found: list[tuple[int, list[Quartiles]]] = []
    before = False
    for index, value in enumerate(values):
        if value is None:
            before = False
            continue
        if not before:
            found.append((index, []))
        found[-1][1].append(value)
        before = True
    return found
