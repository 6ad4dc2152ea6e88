from __future__ import annotations

import datetime
from dataclasses import replace

from ozone_gen.preview.profile import (
    HIDDEN,
    Answer,
    ColumnProfile,
    Histogram,
    Kind,
    Quartiles,
    TableProfile,
    TimeAxis,
    Unit,
)
from ozone_gen.preview.suppression import FEW, suppressed

D = datetime.date
AXIS = TimeAxis(
    "at", Unit.YEAR, (D(2023, 1, 1), D(2024, 1, 1), D(2025, 1, 1)), (4, 100), 1, 7, 3, D(2023, 2, 5), D(2024, 12, 24)
)
NUMBER = ColumnProfile(
    "weight", Kind.NUMBER, 104, 100, 50, 30, 2.8, 49.2, 100.8, 2,
    Histogram((0.0, 50.0, 100.0, 150.0), (60, 4, 36), 1, 9), (), 0, None, (4, 96),
    (Quartiles(1.0, 2.0, 3.0), Quartiles(40.0, 50.0, 60.0)),
)  # fmt: skip
TEXT = ColumnProfile(
    "diagnosis", Kind.TEXT, 104, 100, 9, 30,
    answers=(Answer("Malaria", 60, 20), Answer("Rare disease", 12, 4), Answer("Kala-azar", 1, 1)),
    other_rows=27, filled_over_time=(4, 96),
)  # fmt: skip


def one(column: ColumnProfile) -> ColumnProfile:
    (made,) = suppressed(TableProfile("t", 104, (column,), AXIS)).columns
    return made


def test_extremes_and_small_counts_of_numbers_go() -> None:
    made = one(NUMBER)
    assert (made.least, made.greatest, made.odd) == (None, None, 0)
    assert (made.median, made.filled, made.distinct) == (49.2, 100, 50)
    assert made.histogram == Histogram((0.0, 50.0, 100.0, 150.0), (60, 0, 36), 0, 9)
    assert made.over_time == (None, Quartiles(40.0, 50.0, 60.0))
    assert made.filled_over_time == (HIDDEN, 96)


def test_answers_of_few_patients_go_however_many_rows_they_are_in() -> None:
    made = one(TEXT)
    assert made.answers == (Answer("Malaria", 60, 20),)
    assert made.other_rows == 27 + 12 + 1


def test_dates_of_somebody_go() -> None:
    made = one(replace(NUMBER, kind=Kind.DATE, least=D(1931, 2, 4), median=D(2004, 7, 25), greatest=D(2025, 1, 1)))
    assert (made.least, made.median, made.greatest) == (None, None, None)


def test_of_a_column_of_few_patients_only_the_kind_stays() -> None:
    for column in (NUMBER, TEXT):
        few = replace(column, patients=FEW - 1)
        assert one(few) == ColumnProfile(column.name, column.kind, 104, 100, 0, FEW - 1)


def test_lengths_of_texts_go() -> None:
    assert one(replace(TEXT, answers=(), lengths=(1, 30, 4000))).lengths is None


def test_the_time_axis_says_periods_and_no_days() -> None:
    made = suppressed(TableProfile("t", 104, (), AXIS)).time
    assert made is not None
    assert (made.rows, made.before, made.after) == ((0, 100), 0, 7)
    assert (made.first, made.last) == (D(2023, 1, 1), D(2024, 12, 31))
    assert suppressed(TableProfile("t", FEW - 1, (), AXIS)).time is None
