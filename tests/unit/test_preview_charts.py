from __future__ import annotations

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozone_gen.preview.charts import (
    Chart,
    date_ticks,
    day,
    filled_strip,
    histogram,
    period,
    quartiles_over_time,
    rows_over_time,
    small_bars,
)
from ozone_gen.preview.profile import HIDDEN, ColumnProfile, Histogram, Kind, Quartiles, TimeAxis, Unit, periods

D = datetime.date
AXIS = TimeAxis(
    "at", Unit.MONTH, (D(2024, 1, 1), D(2024, 2, 1), D(2024, 3, 1), D(2024, 4, 1)), (10, 0, 30), 2, 1, 0,
    D(1999, 1, 1), D(2024, 3, 9),
)  # fmt: skip


def column(kind: Kind = Kind.NUMBER, **more: object) -> ColumnProfile:
    return ColumnProfile("c", kind, 50, 40, 9, 9, **more)  # type: ignore[arg-type]


def within(chart: Chart) -> None:
    """Whatever is drawn stays in the plot, and every axis is labelled."""
    for tick in (*chart.x, *chart.y):
        assert -0.01 <= tick.at <= 100.01
        assert tick.label
    assert chart.x
    assert chart.y
    for bar in chart.bars:
        assert bar.x >= -0.1
        assert bar.x + bar.width <= 1000.1
        assert bar.width > 0
        assert 0 <= bar.y <= 99
        assert bar.y + bar.height == pytest.approx(100, abs=0.15)
    for x, y in re.findall(r"(-?[0-9.]+) (-?[0-9.]+)", chart.area + chart.line):
        assert -0.5 <= float(x) <= 1000.5
        assert -0.1 <= float(y) <= 100.1


def test_a_histogram() -> None:
    given = Histogram((36.0, 36.5, 37.0, 37.5), (10, 0, 26), 0, 4)
    made = histogram(column(least=36.0, median=37.0, greatest=99.0, histogram=given), "°C")
    assert made is not None
    within(made)
    assert [(bar.x, bar.height, bar.title) for bar in made.bars] == [
        (20.0, 33.3, "36 to under 36.5: 10 rows"), (686.7, 86.7, "37 to under 37.5: 26 rows")
    ]  # fmt: skip
    assert [(tick.at, tick.label) for tick in made.y] == [
        (0.0, "0"), (pytest.approx(33.33, abs=0.01), "10"), (pytest.approx(66.67, abs=0.01), "20"), (100.0, "30")
    ]  # fmt: skip
    assert [tick.label for tick in made.x] == ["36", "36.5", "37", "37.5"]
    assert (made.x_title, made.y_title) == ("°C", "rows")
    assert made.note == "Not shown: 4 values from 37.5 on."
    assert made.summary == "Histogram of c: 40 values between 36 and 99 °C, median 37 °C."


def test_whole_numbers_stand_in_the_middle_of_their_bars() -> None:
    made = histogram(column(Kind.WHOLE, histogram=Histogram((0.0, 1.0, 2.0), (5, 35))), "")
    assert made is not None
    assert [(tick.at, tick.label) for tick in made.x] == [(25.0, "0"), (75.0, "1")]
    assert [bar.title for bar in made.bars] == ["0: 5 rows", "1: 35 rows"]
    assert made.x_title == "value"


def test_a_histogram_of_dates() -> None:
    _, starts = periods(D(1931, 2, 4), D(2025, 12, 2))
    counts = tuple(range(len(starts) - 1))
    made = histogram(column(Kind.DATE, histogram=Histogram(tuple(starts), counts, 1, 0)), "", few=5)
    assert made is not None
    within(made)
    assert [tick.label for tick in made.x] == ["1940", "1960", "1980", "2000", "2020"]
    assert made.bars[0].title.endswith(": 1 row")
    assert made.note == "Not shown: 1 value below 1 Jan 1930, bars of fewer than 5 rows."


def test_nothing_to_draw() -> None:
    assert histogram(column(), "") is None
    assert histogram(column(histogram=Histogram((0.0, 1.0), (0,))), "") is None
    assert rows_over_time(AXIS, (0, 0, 0)) is None
    assert rows_over_time(AXIS, (HIDDEN, 0, 0)) is None
    assert quartiles_over_time(AXIS, column(over_time=(None, Quartiles(1, 2, 3), None)), "") is None
    assert small_bars([]) == small_bars([3]) == small_bars([0, 0]) == ""


def test_rows_over_time() -> None:
    made = rows_over_time(AXIS, AXIS.rows)
    assert made is not None
    within(made)
    assert [bar.title for bar in made.bars] == ["Jan 2024: 10 rows", "Mar 2024: 30 rows"]
    assert made.y_title == "rows per month"
    assert made.note == "Not shown: 2 rows before 1 Jan 2024 and 1 row from 1 Apr 2024 on."
    filled = rows_over_time(AXIS, (HIDDEN, 0, 1), "rows with a value")
    assert filled is not None
    assert ([bar.title for bar in filled.bars], filled.note) == (["Mar 2024: 1 row"], "")


def test_quartiles_over_time() -> None:
    made = quartiles_over_time(AXIS, column(over_time=(Quartiles(10, 20, 30), None, Quartiles(15, 15, 15))), "kg")
    assert made is not None
    within(made)
    # Neither is joined with the other: there is nothing in February.
    assert made.line.count("M") == made.area.count("M") == 2
    assert [tick.label for tick in made.y] == ["10", "20", "30"]
    assert made.y_title == "kg: median and middle half per month"
    same = quartiles_over_time(AXIS, column(over_time=(Quartiles(7, 7, 7),) * 3), "")
    assert same is not None
    within(same)
    assert same.line.count("M") == 1
    huge = column(over_time=(Quartiles(-1.7e308, 0, 1.7e308),) * 3)
    assert quartiles_over_time(AXIS, huge, "") is None


@given(
    st.lists(
        st.one_of(st.none(), st.tuples(*[st.floats(min_value=-1e12, max_value=1e12)] * 3)), min_size=3, max_size=3
    )
)
def test_quartiles_stay_in_their_plot(values: list[tuple[float, float, float] | None]) -> None:
    made = quartiles_over_time(
        AXIS, column(over_time=tuple(Quartiles(*sorted(each)) if each else None for each in values)), ""
    )
    if made:
        within(made)


def test_the_strip_of_what_is_missing() -> None:
    cells = filled_strip(AXIS, (10, 0, 3))
    assert [(cell.level, cell.title) for cell in cells] == [
        (4, "Jan 2024: 100 % of 10 rows"), (-1, "Feb 2024: no rows"), (1, "Mar 2024: 10 % of 30 rows")
    ]  # fmt: skip
    assert cells[0].x == 0.0
    assert cells[-1].x + cells[-1].width == pytest.approx(1001, abs=0.2)
    assert filled_strip(AXIS, (0, 0, 0))[0].level == 0
    hidden = filled_strip(AXIS, (HIDDEN, 0, 30))
    assert [(cell.level, cell.title) for cell in hidden[:2]] == [(-1, "Jan 2024: few rows"), (-1, "Feb 2024: no rows")]


@given(st.dates(), st.dates())
def test_ticks_of_dates(one: datetime.date, other: datetime.date) -> None:
    _, starts = periods(min(one, other), max(one, other))
    ticks = date_ticks(starts)
    assert 1 <= len(ticks) <= 6
    assert [tick.at for tick in ticks] == sorted(tick.at for tick in ticks)
    assert all(0 <= tick.at <= 100 for tick in ticks)


def test_dates_in_words() -> None:
    start = D(2024, 4, 1)
    assert day(start) == "1 Apr 2024"
    assert [period(start, unit) for unit in Unit] == [
        "1 Apr 2024", "week of 1 Apr 2024", "Apr 2024", "Apr to Jun 2024", "2024", "2024s"
    ]  # fmt: skip
    assert period(D(2020, 1, 1), Unit.DECADE) == "2020s"


def test_small_bars() -> None:
    assert small_bars([1, 0, 40]) == "M0.0 20v-1.0h28.3v1.0zM66.7 20v-20.0h28.3v20.0z"
