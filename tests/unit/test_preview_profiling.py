from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ozone_gen.flattening.declared import ColumnPlan, ColumnType, Filters, Grain, Repeat, TablePlan
from ozone_gen.preview.profile import Answer, ColumnProfile, Histogram, Kind, Quartiles, TableProfile, Unit
from ozone_gen.preview.profiling import profile_table, profiles_of
from ozone_gen.preview.results import PreviewTable, arrow_type

pytestmark = pytest.mark.flink  # for pyarrow, which comes with PyFlink

D, DT = datetime.date, datetime.datetime
TIMESTAMP, TIME = "timestamp without time zone", "time without time zone"


@pytest.fixture
def table(tmp_path: Path) -> Any:
    """Make a table of columns: name -> (type in PostgreSQL, values)."""
    import pyarrow as pa
    from pyarrow import parquet

    def make(columns: Mapping[str, tuple[str, list[Any]]], time_column: str = "") -> PreviewTable:
        arrays = {name: pa.array(values, arrow_type(kind)) for name, (kind, values) in columns.items()}
        rows = pa.table(arrays)
        parquet.write_table(rows, tmp_path / "t.parquet")
        return PreviewTable(
            "t",
            tuple(columns),
            tuple(kind for kind, _ in columns.values()),
            "id",
            rows.num_rows,
            tuple(len(each) - each.null_count for each in rows.columns),
            (),
            tmp_path / "t.parquet",
            time_column,
        )

    return make


def only(profile: TableProfile) -> ColumnProfile:
    (column,) = profile.columns
    return column


EVERY_TYPE = ("bigint", "integer", "double precision", "numeric(24,0)", "text", "boolean", "date", TIMESTAMP, TIME)


@pytest.mark.parametrize("kind", EVERY_TYPE)
@pytest.mark.parametrize("rows", [0, 3])
def test_a_column_without_a_value(kind: str, rows: int, table: Any) -> None:
    made = table({"c": (kind, [None] * rows), "at": (TIMESTAMP, [DT(2024, 1, 1)] * rows)}, "at")
    profile = profile_table(made, ["c"])
    column = only(profile)
    assert (profile.rows, column.rows, column.filled, column.distinct, column.patients) == (rows, rows, 0, 0, 0)
    assert (column.least, column.histogram, column.answers, column.lengths, column.odd) == (None, None, (), None, 0)
    assert column.share == (0.0 if rows else None)
    assert (profile.time is None) == (rows == 0)
    assert column.filled_over_time == ((0,) if rows else ())


def test_one_value(table: Any) -> None:
    number = only(profile_table(table({"c": ("double precision", [None, 36.6])})))
    assert (number.least, number.median, number.greatest, number.histogram) == (36.6, 36.6, 36.6, None)
    day = only(profile_table(table({"c": ("date", [D(1969, 12, 31)])})))
    assert (day.least, day.greatest, day.histogram) == (D(1969, 12, 31), D(1969, 12, 31), None)
    text = only(profile_table(table({"c": ("text", ["a"])})))
    assert text.answers == (Answer("a", 1, 1),)


def test_numbers(table: Any) -> None:
    column = only(profile_table(table({"c": ("double precision", [36.6, 36.8, 37.0, 37.0, 38.2, None])})))
    assert column.kind is Kind.NUMBER
    assert (column.least, column.median, column.greatest) == (36.6, 37.0, 38.2)
    assert column.histogram is not None
    edges = column.histogram.edges
    assert (edges[0], edges[2], edges[-1]) == (36.6, 36.8, 38.3)  # without the noise of binary fractions
    counts = dict(zip(edges, column.histogram.counts, strict=False))
    assert {edge: count for edge, count in counts.items() if count} == {36.6: 1, 36.8: 1, 37.0: 2, 38.2: 1}


def test_whole_numbers_have_whole_bins(table: Any) -> None:
    for kind in ("bigint", "double precision", "numeric(24,0)"):
        column = only(profile_table(table({"c": (kind, [1, 2, 2, 5])})))
        assert column.histogram == Histogram((1.0, 2.0, 3.0, 4.0, 5.0, 6.0), (1, 2, 0, 0, 1))


def test_what_is_no_number_is_counted_apart(table: Any) -> None:
    column = only(profile_table(table({"c": ("double precision", [math.nan, math.inf, -math.inf, 1.0, 3.0, None])})))
    assert (column.filled, column.odd, column.least, column.greatest) == (5, 3, 1.0, 3.0)
    column = only(profile_table(table({"c": ("double precision", [math.nan, None])})))
    assert (column.filled, column.odd, column.least) == (1, 1, None)


def test_huge_numbers(table: Any) -> None:
    column = only(profile_table(table({"c": ("double precision", [-1.7e308, 1.7e308, 0.0])})))
    assert (column.least, column.greatest, column.histogram) == (-1.7e308, 1.7e308, None)
    column = only(profile_table(table({"c": ("double precision", [5e-324, 0.0, 1e300])})))
    assert column.histogram is not None
    assert sum(column.histogram.counts) == 3
    column = only(profile_table(table({"c": ("bigint", [-(2**63), 2**63 - 1])})))
    assert column.histogram is not None
    assert sum(column.histogram.counts) == 2


def test_a_few_that_are_far_off_do_not_spoil_the_chart(table: Any) -> None:
    usual = [50.0 + each % 40 for each in range(1000)]
    column = only(profile_table(table({"c": ("double precision", [-999.0, *usual, 9999.0, 1e18])})))
    assert column.histogram is not None
    assert (column.histogram.edges[0], column.histogram.edges[-1]) == (50.0, 90.0)
    assert (column.histogram.below, sum(column.histogram.counts), column.histogram.above) == (1, 1000, 2)
    assert (column.least, column.greatest) == (-999.0, 1e18)


def test_times_before_1970_and_at_the_calendars_ends(table: Any) -> None:
    values = [DT(1000, 1, 1), DT(1969, 12, 31, 23, 59, 59), DT(1970, 1, 1), DT(9999, 12, 31, 23, 59), None]
    made = table({"id": ("bigint", [1, 2, 3, 4, 5]), "c": (TIMESTAMP, values)}, "c")
    profile = profile_table(made, ["c"])
    column = only(profile)
    assert (column.least, column.median, column.greatest) == (values[0], values[1], values[3])
    assert column.histogram is not None
    assert sum(column.histogram.counts) == 4
    assert profile.time is not None
    assert (profile.time.unit, profile.time.without, sum(profile.time.rows)) == (Unit.DECADE, 1, 4)
    assert (profile.time.first, profile.time.last) == (D(1000, 1, 1), D(9999, 12, 31))
    # The last moment of 1969 is not in 1970.
    days = only(profile_table(table({"c": (TIMESTAMP, values[1:3])})))
    assert days.histogram == Histogram((D(1969, 12, 31), D(1970, 1, 1), D(1970, 1, 2)), (1, 1))


def test_values_over_time(table: Any) -> None:
    at = [DT(2024, 1, 2), DT(2024, 1, 1, 12), DT(2024, 1, 1), None, DT(2024, 1, 4)]
    columns = {
        "at": (TIMESTAMP, at),
        "c": ("double precision", [9.0, 1.0, 3.0, 77.0, None]),
        "t": ("text", ["x", None, "y", "z", "x"]),
    }
    profile = profile_table(table(columns, "at"))
    assert profile.time is not None
    assert (profile.time.unit, profile.time.rows, profile.time.without) == (Unit.DAY, (2, 1, 0, 1), 1)
    assert profile.time.starts == tuple(D(2024, 1, day) for day in range(1, 6))
    column = profile.column("c")
    assert column.filled_over_time == (2, 1, 0, 0)
    assert column.over_time == (Quartiles(1.5, 2.0, 2.5), Quartiles(9.0, 9.0, 9.0), None, None)
    assert profile.column("t").filled_over_time == (1, 1, 0, 1)


def test_a_typing_error_in_a_year_does_not_spoil_the_time_axis(table: Any) -> None:
    at = [DT(1924, 5, 1), *(DT(2024, 1, 1) + datetime.timedelta(days=day % 90) for day in range(500)), DT(2204, 1, 1)]
    profile = profile_table(table({"at": (TIMESTAMP, at), "c": ("bigint", [*range(502)])}, "at"), ["c"])
    assert profile.time is not None
    assert (profile.time.before, sum(profile.time.rows), profile.time.after) == (1, 500, 1)
    assert profile.time.unit is Unit.WEEK
    assert sum(profile.columns[0].filled_over_time) == 500


def test_answers(table: Any) -> None:
    values = ["b", "a", "b", None, "ש\u202eלום", "a", "c", "", "x" * 500]
    columns = {"c": ("text", values), "patient_id": ("bigint", [1, 2, 1, 1, 3, 3, None, 4, 5])}
    column = only(profile_table(table(columns), ["c"]))
    assert column.answers[:3] == (Answer("a", 2, 2), Answer("b", 2, 1), Answer("", 1, 1))
    assert column.answers[3] == Answer("c", 1, 0)
    assert column.answers[4].text == "x" * 159 + "…"
    assert column.answers[5].text == "ש\u202eלום"
    assert (column.filled, column.distinct, column.patients, column.other_rows) == (8, 6, 5, 0)
    clock = only(profile_table(table({"c": (TIME, [datetime.time(7, 5), None])})))
    assert (clock.kind, clock.answers) == (Kind.TEXT, (Answer("07:05:00", 1, 1),))
    truth = only(profile_table(table({"c": ("boolean", [True, None, False, True])})))
    assert truth.answers == (Answer("true", 2, 2), Answer("false", 1, 1))


def test_rare_answers_are_counted_together(table: Any) -> None:
    values = [str(each % 12) for each in range(120)]
    column = only(profile_table(table({"c": ("text", values)})))
    assert [each.rows for each in column.answers] == [10] * 8
    assert column.other_rows == 40


def test_texts_that_hardly_repeat(table: Any) -> None:
    column = only(profile_table(table({"c": ("text", ["é" * each for each in range(30)])})))
    assert (column.answers, column.lengths) == ((), (0, 14, 29))
    column = only(profile_table(table({"c": ("text", list("abcdefgh"))})))
    assert (column.answers, column.lengths) == ((), (1, 1, 1))


def test_the_values_of_lists_are_counted_one_by_one(table: Any) -> None:
    columns = {"c": ("text", ["a; b", "b", None, "b; b", "c; a"]), "patient_uuid": ("text", ["p", "p", "q", "q", "r"])}
    column = only(profile_table(table(columns), ["c"], lists=["c"]))
    assert column.answers == (Answer("b", 3, 2), Answer("a", 2, 2), Answer("c", 1, 1))
    assert (column.filled, column.other_rows) == (4, 0)


def test_identifiers_are_only_counted(table: Any) -> None:
    columns = {
        "id": ("bigint", [1, 2, 3]), "visit_id": ("bigint", [1, 1, None]), "patient_uuid": ("text", ["a", "a", "b"])
    }  # fmt: skip
    profile = profile_table(table(columns))
    assert [(each.kind, each.distinct, each.answers, each.least) for each in profile.columns] == [
        (Kind.ID, 3, (), None), (Kind.ID, 1, (), None), (Kind.ID, 2, (), None)
    ]  # fmt: skip
    assert profile.column("visit_id").patients == 1


def test_the_same_table_gives_the_same_profile(table: Any) -> None:
    columns = {
        "at": (TIMESTAMP, [DT(2020, 1, 1 + each % 28) for each in range(999)]),
        "c": ("text", [str(each % 9) for each in range(999)]),
        "n": ("double precision", [each * 1.1 for each in range(999)]),
    }
    made = table(columns, "at")
    assert profile_table(made) == profile_table(made)


def test_profiles_of_own_tables(table: Any) -> None:
    made = table({"id": ("bigint", [1]), "c": ("text", ["a; b"]), "site": ("text", ["s"])})
    plan = TablePlan("t", "s", Grain.OBS, Filters(), (), (ColumnPlan("c", ("X:1",), ColumnType.CODED, Repeat.LIST),))
    (profile,) = profiles_of([made], [plan]).values()
    assert [answer.text for answer in only(profile).answers] == ["a", "b"]
    assert profiles_of([made], []) == {}
    assert len(profiles_of([made], [plan], whole=True)["t"].columns) == 3
