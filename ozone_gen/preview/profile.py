"""What is to be known about the columns of a flattened table, in figures: the words of the profile of a table."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

Value = float | datetime.date | datetime.datetime
"""What has an order and a distance."""


HIDDEN: Final = -1


class Kind(StrEnum):
    """How a column is looked at."""

    NUMBER = "number"
    WHOLE = "whole number"
    TRUTH = "true or false"
    DATE = "date"
    TIME = "date and time"
    TEXT = "text"
    ID = "identifier"


class Unit(StrEnum):
    """How long the periods of a time axis are."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    DECADE = "decade"


@dataclass(frozen=True)
class Histogram:
    """How many values fall between two neighbouring edges (the lower one belongs to it).

    Attributes:
        edges: one more than there are counts, in order.
        counts: values by bin.
        below: values under the first edge, which are so far off that a chart of them all would show nothing.
        above: values over the last edge, likewise.
    """

    edges: tuple[Value, ...]
    counts: tuple[int, ...]
    below: int = 0
    above: int = 0


@dataclass(frozen=True)
class Answer:
    """A value, in how many rows it is, and of how many patients these are."""

    text: str
    rows: int
    patients: int


@dataclass(frozen=True)
class Quartiles:
    """Of the values of a period; a quarter lies under `low`, a quarter over `high`."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class ColumnProfile:
    """A column.

    Attributes:
        name: its name.
        kind: how it is looked at.
        rows: how many cells it has.
        filled: how many of them have a value.
        distinct: how many different values there are.
        patients: of how many patients the rows with a value are.
        least, median, greatest: of numbers and times; None where there is none.
        odd: numbers that are infinite or not a number; no other figure but `filled` counts them.
        histogram: of numbers and times with two values at least.
        answers: the most frequent values of texts and truths, most first; empty for texts that hardly repeat.
        other_rows: in how many rows there is another value than these.
        lengths: least, median and greatest number of characters of texts that hardly repeat.
        filled_over_time: rows with a value by period of the table's time axis; HIDDEN where that is not told.
        over_time: quartiles of numbers by period, None for one without a number.
    """

    name: str
    kind: Kind
    rows: int
    filled: int
    distinct: int
    patients: int
    least: Value | None = None
    median: Value | None = None
    greatest: Value | None = None
    odd: int = 0
    histogram: Histogram | None = None
    answers: tuple[Answer, ...] = ()
    other_rows: int = 0
    lengths: tuple[int, int, int] | None = None
    filled_over_time: tuple[int, ...] = ()
    over_time: tuple[Quartiles | None, ...] = ()

    @property
    def share(self) -> float | None:
        """The share of cells with a value; None where there are no cells."""
        return self.filled / self.rows if self.rows else None


@dataclass(frozen=True)
class TimeAxis:
    """The periods of a table's time column.

    Attributes:
        column: its name.
        unit: how long a period is.
        starts: the first day of each period, and after them the day after the last.
        rows: rows by period.
        before: rows so long before the others that they are left out.
        after: rows so long after the others, likewise.
        without: rows without a time.
        first, last: the first and last of all times.
    """

    column: str
    unit: Unit
    starts: tuple[datetime.date, ...]
    rows: tuple[int, ...]
    before: int
    after: int
    without: int
    first: datetime.date
    last: datetime.date


@dataclass(frozen=True)
class TableProfile:
    """A table: its columns in order, and its time axis where it has a time column with a time in it."""

    name: str
    rows: int
    columns: tuple[ColumnProfile, ...]
    time: TimeAxis | None = None

    def column(self, name: str) -> ColumnProfile:
        """Return the column of that name; KeyError where the table has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name}.{name}")


_MOST_PERIODS = 60
_DAYS = {
    Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: 30.44, Unit.QUARTER: 91.3, Unit.YEAR: 365.25, Unit.DECADE: 3652.5
}  # fmt: skip


def periods(first: datetime.date, last: datetime.date, most: int = _MOST_PERIODS) -> tuple[Unit, list[datetime.date]]:
    """Cut the days from `first` to `last` into periods: their unit, and their first days and the day after them.

    The unit is the shortest with at most `most` periods, or a decade. Weeks begin on Mondays.
    """
    days = (last - first).days + 1
    unit = next((unit for unit, length in _DAYS.items() if days / length <= most - 1), Unit.DECADE)
    starts = [period_start(first, unit)]
    while starts[-1] <= last:
        following = _after(starts[-1], unit)
        if following is None:
            starts.append(datetime.date.max)
            break
        starts.append(following)
    return unit, starts


def period_start(day: datetime.date, unit: Unit) -> datetime.date:
    """Return the first day of the period in which a day is."""
    match unit:
        case Unit.DAY:
            return day
        case Unit.WEEK:
            return datetime.date.fromordinal(max(1, day.toordinal() - day.weekday()))
        case Unit.MONTH:
            return day.replace(day=1)
        case Unit.QUARTER:
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case Unit.YEAR:
            return day.replace(month=1, day=1)
        case Unit.DECADE:
            return datetime.date(max(1, day.year // 10 * 10), 1, 1)


def _after(start: datetime.date, unit: Unit) -> datetime.date | None:
    """Return the first day of the next period; None where the calendar ends before."""
    months = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12, Unit.DECADE: 120}.get(unit)
    try:
        if months is None:
            return start + datetime.timedelta(days=_DAYS[unit])
        year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
        return datetime.date(year, month + 1, 1)
    except (ValueError, OverflowError):
        return None


def nice_step(span: float, most: int) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that cuts `span` into at most `most` steps."""
    if not 0 < span < math.inf:
        return 1.0
    least = max(span / most, 1e-300)
    power = 10.0 ** math.floor(math.log10(least))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= least), 10 * power)
