"""Work a table's profile out of its Parquet file.

Everything is counted by Arrow and binned, so that what comes out is small however many rows there are.
"""

from __future__ import annotations

import datetime
import math
from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import accumulate, pairwise
from typing import Any, Final

from ozone_gen.flattening.declared import LIST_SEPARATOR, Repeat, TablePlan
from ozone_gen.preview.profile import (
    Answer,
    ColumnProfile,
    Histogram,
    Kind,
    Quartiles,
    TableProfile,
    TimeAxis,
    Value,
    nice_step,
    periods,
)
from ozone_gen.preview.results import PreviewTable

_BINS: Final = 24
_ANSWERS: Final = 8
_LONGEST: Final = 160  # characters of an answer
_ENOUGH: Final = 100  # values from which on a few may be called far off
_FAR: Final = 3.0  # so many times wider than the middle 99 % is what needs cutting
_HARDLY: Final = 20  # different texts up to which their frequencies are always of interest
_NOISE: Final = 1e-9  # 36.6 / 0.2 is a little less than 183
_EPOCH: Final = datetime.date(1970, 1, 1)
_DAY_MS: Final = 86_400_000
_KINDS: Final = {
    "bigint": Kind.WHOLE,
    "integer": Kind.WHOLE,
    "double precision": Kind.NUMBER,
    "boolean": Kind.TRUTH,
    "date": Kind.DATE,
    "timestamp without time zone": Kind.TIME,
}
_PATIENT: Final = ("patient_id", "patient_uuid")


def profile_table(
    table: PreviewTable, columns: Collection[str] | None = None, *, lists: Collection[str] = ()
) -> TableProfile:
    """Work out the profile of a table.

    Args:
        table: as it was written. columns: those to look at; all when left out. lists: the columns whose
        cells hold several values with LIST_SEPARATOR between them; their values are counted one by one.
    """
    from pyarrow import parquet

    wanted = list(table.columns if columns is None else (name for name in table.columns if name in columns))
    needed = {*wanted, *(name for name in (table.time_column, *_PATIENT) if name in table.columns)}
    # An empty list would read no rows at all, and so not say how many there are.
    rows = parquet.read_table(table.file, columns=sorted(needed) or None)
    timing = _Timing(rows, table.time_column) if table.time_column in needed else None
    patient = next((rows[name] for name in _PATIENT if name in needed), None)
    types = dict(zip(table.columns, table.types, strict=True))
    patients = rows.num_rows if patient is None else _distinct(patient)
    profiles = []
    for name in wanted:
        kind = _kind(name, types[name], table.primary_key)
        profiles.append(_Column(name, kind, rows[name], patient, patients, timing, name in lists).profile())
    return TableProfile(table.name, rows.num_rows, tuple(profiles), timing.axis if timing else None)


def profiles_of(
    tables: Sequence[PreviewTable], own: Sequence[TablePlan], *, whole: bool = False
) -> dict[str, TableProfile]:
    """Work out the profiles of own tables, of their declared columns; with `whole` of every table and column."""
    plans = {plan.name: plan for plan in own}
    found = {}
    for table in tables:
        plan = plans.get(table.name)
        if plan is None and not whole:
            continue
        declared = plan.columns if plan else ()
        lists = {column.name for column in declared if column.repeat is Repeat.LIST}
        columns = None if whole else [column.name for column in declared]
        found[table.name] = profile_table(table, columns, lists=lists)
    return found


def _kind(name: str, kind: str, primary_key: str) -> Kind:
    if name == primary_key or name.endswith(("_id", "_uuid")) or name in ("uuid", "site"):
        return Kind.ID
    return _KINDS.get(kind, Kind.WHOLE if kind.startswith("numeric") else Kind.TEXT)


class _Timing:
    """The time axis of a table, and its rows in the order of their time."""

    def __init__(self, rows: Any, column: str) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        days = _days(rows[column])
        by_day = pc.value_counts(days.drop_null()).to_pylist()
        counted = sorted((each["values"], each["counts"]) for each in by_day)
        self.axis: TimeAxis | None = None
        if not counted:
            return
        low, high = _middle([day for day, _ in counted], [number for _, number in counted])
        unit, starts = periods(_date(low), _date(high))
        binned, before, after = _binned(counted, starts)
        self.axis = TimeAxis(
            column,
            unit,
            tuple(starts),
            tuple(binned),
            before,
            after,
            rows.num_rows - sum(number for _, number in counted),
            _date(counted[0][0]),
            _date(counted[-1][0]),
        )
        table = pa.table({"day": days, "row": pa.array(range(rows.num_rows), pa.int64())})
        order = table.sort_by([("day", "ascending"), ("row", "ascending")])["row"]
        self._order = order.slice(before, sum(binned))
        self._slices = list(pairwise(accumulate(binned, initial=0)))

    def filled(self, values: Any) -> tuple[int, ...]:
        """How many values there are in each period."""
        import pyarrow.compute as pc

        if self.axis is None or not values.null_count:
            return self.axis.rows if self.axis else ()
        return tuple(pc.sum(each).as_py() or 0 for each in self.slices(pc.is_valid(values)))

    def slices(self, values: Any) -> list[Any]:
        """The values of each period."""
        ordered = values.take(self._order)
        return [ordered.slice(start, end - start) for start, end in self._slices]


class _Column:
    """A column that is being looked at."""

    def __init__(
        self,
        name: str,
        kind: Kind,
        values: Any,
        patient: Any,
        every_patient: int,
        timing: _Timing | None,
        several: bool,
    ) -> None:
        self._name = name
        self._kind = kind
        self._values = values
        self._patient = patient
        self._every_patient = every_patient
        self._timing = timing if timing and timing.axis else None
        self._several = several

    def profile(self) -> ColumnProfile:
        """Work the profile out."""
        more: dict[str, Any] = {}
        match self._kind:
            case Kind.NUMBER | Kind.WHOLE:
                more = self._numbers()
            case Kind.DATE | Kind.TIME:
                more = self._times()
            case Kind.TEXT | Kind.TRUTH:
                more = self._texts()
        if self._timing:
            more["filled_over_time"] = self._timing.filled(self._values)
        filled = len(self._values) - self._values.null_count
        return ColumnProfile(
            self._name,
            self._kind,
            len(self._values),
            filled,
            _distinct(self._values),
            self._patients() if self._values.null_count else self._every_patient,
            **more,
        )

    def _patients(self) -> int:
        """Of how many patients the rows with a value are; each row counts as one where the table does not say."""
        import pyarrow.compute as pc

        if self._patient is None:
            return int(len(self._values) - self._values.null_count)
        return _distinct(self._patient.filter(pc.is_valid(self._values)))

    def _numbers(self) -> dict[str, Any]:
        import pyarrow as pa
        import pyarrow.compute as pc

        numbers = self._values.cast(pa.float64(), safe=False)
        usable = pc.is_finite(numbers)
        numbers = pc.if_else(usable, numbers, pa.scalar(None, pa.float64()))
        finite = numbers.drop_null()
        if not len(finite):
            return {"odd": len(finite) + int(pc.sum(pc.invert(usable)).as_py() or 0)}
        least, low, median, high, greatest = pc.quantile(finite, [0, 0.005, 0.5, 0.995, 1]).to_pylist()
        if len(finite) < _ENOUGH or greatest - least <= _FAR * (high - low) or high == low:
            low, high = least, greatest
        over_time: tuple[Quartiles | None, ...] = ()
        if self._timing:
            over_time = tuple(_quartiles(each) for each in self._timing.slices(numbers))
        return {
            "least": least,
            "median": median,
            "greatest": greatest,
            "odd": len(self._values) - self._values.null_count - len(finite),
            "histogram": _histogram(finite, low, high, whole=self._kind is Kind.WHOLE),
            "over_time": over_time,
        }

    def _times(self) -> dict[str, Any]:
        import pyarrow.compute as pc

        present = self._values.drop_null()
        if not len(present):
            return {}
        as_number = _integers(present)
        least, median, greatest = pc.quantile(as_number, [0, 0.5, 1], interpolation="lower").to_pylist()
        counted = sorted((row["values"], row["counts"]) for row in pc.value_counts(_days(present)).to_pylist())
        low, high = _middle([day for day, _ in counted], [number for _, number in counted])
        _, starts = periods(_date(low), _date(high), _BINS * 2)
        counts, below, above = _binned(counted, starts)
        return {
            "least": self._moment(least),
            "median": self._moment(median),
            "greatest": self._moment(greatest),
            "histogram": Histogram(tuple(starts), tuple(counts), below, above) if len(counted) > 1 else None,
        }

    def _moment(self, number: int) -> Value:
        if self._kind is Kind.DATE:
            return _date(number)
        return datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=number)

    def _texts(self) -> dict[str, Any]:
        import pyarrow as pa
        import pyarrow.compute as pc

        values, patient, rows = self._values, self._patient, pa.array(range(len(self._values)), pa.int64())
        if self._several:
            parts = pc.split_pattern(values, LIST_SEPARATOR).combine_chunks()
            parents = pc.list_parent_indices(parts)
            values, rows = pc.list_flatten(parts), rows.take(parents)
            patient = patient.take(parents) if patient is not None else None
        elif pa.types.is_time(values.type):  # Parquet has milliseconds at least
            values = values.cast(pa.time32("s"), safe=False).cast(pa.string())
        elif self._kind is Kind.TRUTH:
            values = values.cast(pa.string())
        table = pa.table({"value": values, "row": rows, "patient": rows if patient is None else patient})
        table = table.filter(pc.is_valid(table["value"]))
        # Only a list can have a value twice in one row, and to find that out is dear.
        count = "count_distinct" if self._several else "count"
        counted = table.group_by("value").aggregate([("row", count)]).rename_columns(["value", "rows"])
        filled = len(self._values) - self._values.null_count
        ranked = counted.sort_by([("rows", "descending"), ("value", "ascending")]).slice(0, _ANSWERS)
        once = ranked.num_rows == _ANSWERS and ranked["rows"][0].as_py() == 1
        if once or counted.num_rows > max(_HARDLY, filled // 2):
            lengths = pc.quantile(pc.utf8_length(table["value"]), [0, 0.5, 1], interpolation="lower").to_pylist()
            return {"lengths": tuple(int(each) for each in lengths)}
        chosen = table.filter(pc.is_in(table["value"], ranked["value"].combine_chunks()))
        by_value = chosen.group_by("value").aggregate([("patient", "count_distinct")])
        patients = {row["value"]: row["patient_count_distinct"] for row in by_value.to_pylist()}
        answers = tuple(
            Answer(_shortened(row["value"]), row["rows"], patients[row["value"]])
            for row in ranked.to_pylist()
        )
        return {"answers": answers, "other_rows": filled - _distinct(chosen["row"])}


def _distinct(values: Any) -> int:
    import pyarrow.compute as pc

    return int(pc.count_distinct(values, mode="only_valid").as_py())


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _quartiles(values: Any) -> Quartiles | None:
    import pyarrow.compute as pc

    present = values.drop_null()
    return Quartiles(*pc.quantile(present, [0.25, 0.5, 0.75]).to_pylist()) if len(present) else None


def _histogram(values: Any, low: float, high: float, *, whole: bool) -> Histogram | None:
    """Bin finite numbers between nice edges around `low` and `high`; None where they are all the same."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not 0 < high - low < math.inf:
        return None
    step = nice_step(high - low, _BINS)
    # Bins of halves for what is counted in wholes would be filled and empty in turn.
    whole = whole or pc.all(pc.equal(values, pc.floor(values))).as_py()
    step = max(1.0, step) if whole else step
    first, last = math.floor(low / step + _NOISE), math.floor(high / step + _NOISE)
    # Numbers beyond the edges become those next to them: what is far off has no integer number of steps.
    steps = pc.floor(pc.add(pc.divide(values, step), _NOISE))
    clipped = pc.max_element_wise(pc.min_element_wise(steps, float(last + 1)), float(first - 1))
    places = pc.value_counts(pc.subtract(clipped, float(first - 1)).cast(pa.int64())).to_pylist()
    counts = [0] * (last - first + 3)
    for place in places:
        counts[place["values"]] = place["counts"]
    edges = tuple(_exact(index, step) for index in range(first, last + 2))
    return Histogram(edges, tuple(counts[1:-1]), counts[0], counts[-1])


def _exact(index: int, step: float) -> float:
    """Multiply without the noise of binary fractions, such as 0.30000000000000004."""
    return float(f"{index * step:.12g}")


def _middle(days: Sequence[int], counts: Sequence[int]) -> tuple[int, int]:
    """The first and last of counted days, without the few that are far off."""
    rows = sum(counts)
    whole = days[0], days[-1]
    if rows < _ENOUGH:
        return whole
    summed = list(accumulate(counts))
    low, high = (days[bisect_right(summed, int(rows * share))] for share in (0.005, 0.995))
    # Of what is shorter than two years nothing is too far off to be shown.
    return (low, high) if whole[1] - whole[0] > max(_FAR * (high - low), 730) else whole


def _binned(
    counted: Sequence[tuple[int, int]], starts: Sequence[datetime.date]
) -> tuple[list[int], int, int]:
    """Sum counted days up by period: those of each, those before the first, those after the last."""
    edges = [(start - _EPOCH).days for start in starts]
    if starts[-1] == datetime.date.max:
        edges[-1] += 1  # the day after the calendar's end
    counts = [0] * (len(edges) + 1)
    for day, number in counted:
        counts[bisect_right(edges, day)] += number
    return counts[1:-1], counts[0], counts[-1]


def _integers(values: Any) -> Any:
    """Dates as days, times as milliseconds, since 1970."""
    import pyarrow as pa

    return values.cast(pa.int32() if pa.types.is_date32(values.type) else pa.int64())


def _days(values: Any) -> Any:
    """The days since 1970 of dates or times, also of those before."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = _integers(values)
    if pa.types.is_date32(values.type):
        return numbers
    return pc.floor(pc.divide(numbers.cast(pa.float64()), float(_DAY_MS))).cast(pa.int64())


def _date(day: int) -> datetime.date:
    return _EPOCH + datetime.timedelta(days=day)
