from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozone_gen.preview.profile import Answer, ColumnProfile, Kind, Unit, nice_step, period_start, periods
from ozone_gen.preview.wording import counted, moment, number, one_line, share, spread

D = datetime.date


@pytest.mark.parametrize(
    ("first", "last", "unit", "starts"),
    [
        (D(2024, 2, 28), D(2024, 3, 1), Unit.DAY, [D(2024, 2, 28), D(2024, 2, 29), D(2024, 3, 1), D(2024, 3, 2)]),
        (D(1969, 12, 31), D(1969, 12, 31), Unit.DAY, [D(1969, 12, 31), D(1970, 1, 1)]),
    ],
)
def test_periods(first: datetime.date, last: datetime.date, unit: Unit, starts: list[datetime.date]) -> None:
    assert periods(first, last) == (unit, starts)


@pytest.mark.parametrize(
    ("days", "unit"),
    [(59, Unit.DAY), (60, Unit.WEEK), (413, Unit.WEEK), (414, Unit.MONTH), (5000, Unit.QUARTER), (20_000, Unit.YEAR)],
)
def test_the_unit_follows_the_span(days: int, unit: Unit) -> None:
    assert periods(D(2000, 1, 1), D(2000, 1, 1) + datetime.timedelta(days - 1))[0] is unit


def test_periods_begin_where_people_expect_it() -> None:
    day = D(2024, 5, 16)  # a Thursday
    assert [period_start(day, unit) for unit in Unit] == [
        day, D(2024, 5, 13), D(2024, 5, 1), D(2024, 4, 1), D(2024, 1, 1), D(2020, 1, 1)
    ]  # fmt: skip


@given(st.dates(), st.dates())
def test_periods_cover_every_day_once(one: datetime.date, other: datetime.date) -> None:
    first, last = sorted((one, other))
    _, starts = periods(first, last)
    assert starts == sorted(set(starts))
    assert starts[0] <= first
    assert starts[-1] > last or starts[-1] == D.max
    assert len(starts) <= 1001


@given(st.floats(min_value=5e-324, max_value=1e300), st.integers(min_value=1, max_value=100))
def test_a_nice_step_is_the_least_that_suffices(span: float, most: int) -> None:
    step = nice_step(span, most)
    assert step > 0
    assert span / step <= most * (1 + 1e-9)
    if step > 1e-299:
        assert span / step > most / 2.6


def test_nice_steps() -> None:
    assert [nice_step(span, 24) for span in (0, 24, 25, 98, 0.5, float("inf"))] == [1.0, 1.0, 2.0, 5.0, 0.05, 1.0]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"), (7.0, "7"), (17224.0, "17,224"), (-3.5, "-3.5"), (49.25, "49.2"), (0.1 + 0.2, "0.3"),
        (0.00214, "0.00214"), (1e-9, "1e-09"), (1.8e30, "1.8e+30"), (1234.56, "1,234.6"), (1e11, "100,000,000,000"),
    ],
)  # fmt: skip
def test_numbers(value: float, shown: str) -> None:
    assert number(value) == shown


def test_other_values() -> None:
    assert moment(None) == "–"
    assert moment(D(1931, 2, 4)) == "1931-02-04"
    assert moment(datetime.datetime(2020, 1, 2, 3, 4, 59)) == "2020-01-02 03:04"
    assert [share(*each) for each in ((0, 0), (0, 9), (1, 1000), (1, 2), (999, 1000), (9, 9))] == [
        "–", "0 %", "<1 %", "50 %", ">99 %", "100 %"
    ]  # fmt: skip
    assert [counted(count, "row") for count in (0, 1, 1234)] == ["0 rows", "1 row", "1,234 rows"]
    assert one_line("a\x1b[31m\nb\u202ec") == "a [31m b c"


def column(**more: object) -> ColumnProfile:
    return ColumnProfile("c", Kind.NUMBER, 3, 3, 2, 3, **more)  # type: ignore[arg-type]


def test_the_spread_of_a_column() -> None:
    assert spread(ColumnProfile("c", Kind.TEXT, 3, 0, 0, 0)) == ""
    assert spread(column()) == ""
    assert spread(column(least=1.0, median=2.0, greatest=9.0)) == "1 … 2 … 9"
    assert spread(column(least=1.0, median=1.0, greatest=1.0)) == "always 1"
    assert spread(column(answers=(Answer("a\nb", 1200, 3), Answer("c", 1, 1)))) == "a b (1,200), c (1)"
    assert spread(column(lengths=(0, 9, 1234))) == "texts of 0 … 9 … 1,234 characters"
