"""Take out of a profile what tells of few patients, so that a report can be shared.

Small counts, extremes and rare values go; what is left are counts of rows, medians, and answers that at least FEW
patients gave. That is less than anonymous: who knows much already may still learn something from totals.
"""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Final

from ozone_gen.preview.profile import HIDDEN, ColumnProfile, Histogram, Kind, TableProfile, TimeAxis

FEW: Final = 5
"""Counts from one to below this are not shown."""


def suppressed(profile: TableProfile) -> TableProfile:
    """Return a profile without what tells of few."""
    return replace(
        profile,
        columns=tuple(_column(column) for column in profile.columns),
        time=_axis(profile.time) if profile.time and profile.rows >= FEW else None,
    )


def _axis(axis: TimeAxis) -> TimeAxis:
    """Keep the periods and not the days on which something first and last happened."""
    return replace(
        axis,
        rows=tuple(map(_many, axis.rows)),
        before=_many(axis.before),
        after=_many(axis.after),
        first=axis.starts[0],
        last=axis.starts[-1] - datetime.timedelta(days=1),
    )


def _column(column: ColumnProfile) -> ColumnProfile:
    if column.patients < FEW:
        return ColumnProfile(
            column.name, column.kind, column.rows, column.filled, 0, column.patients
        )
    answers = tuple(answer for answer in column.answers if answer.patients >= FEW)
    hidden = sum(answer.rows for answer in column.answers) - sum(answer.rows for answer in answers)
    return replace(
        column,
        least=None,
        greatest=None,
        # The median of dates is a day of somebody.
        median=column.median if column.kind in (Kind.NUMBER, Kind.WHOLE) else None,
        odd=_many(column.odd),
        histogram=_histogram(column.histogram) if column.histogram else None,
        answers=answers,
        other_rows=column.other_rows + hidden,
        lengths=None,
        filled_over_time=tuple(count if count == 0 or count >= FEW else HIDDEN for count in column.filled_over_time),
        over_time=tuple(
            each if count >= FEW else None
            for each, count in zip(column.over_time, column.filled_over_time, strict=False)
        ),
    )


def _histogram(histogram: Histogram) -> Histogram:
    counts = tuple(map(_many, histogram.counts))
    return Histogram(histogram.edges, counts, _many(histogram.below), _many(histogram.above))


def _many(count: int) -> int:
    return count if count >= FEW else 0
