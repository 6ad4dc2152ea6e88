"""What Flink wrote becomes Parquet, with the types that the columns have in PostgreSQL.

pyarrow, which PyFlink brings along, is imported here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ozone_gen.flattening.table import FlattenedTable

_BLOCK: Final = 1 << 26  # bytes; a row has to fit into one
_NUMERIC: Final = re.compile(r"numeric\(([0-9]+),\s*([0-9]+)\)")


@dataclass(frozen=True)
class PreviewTable:
    """A flattened table as it was filled.

    Attributes:
        name: its name.
        columns: the names of its columns.
        types: their types in PostgreSQL.
        primary_key: the name of the column by whose values the rows are sorted.
        rows: how many rows there are.
        filled: for each column how many of its cells are not null.
        sample: the first rows, as Python values.
        file: the Parquet file of all rows.
        time_column: the column that says when a row happened; empty where none does.
    """

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    primary_key: str
    rows: int
    filled: tuple[int, ...]
    sample: tuple[tuple[object, ...], ...]
    file: Path
    time_column: str = ""


@dataclass(frozen=True)
class CellCounts:
    """How many observations stand behind the cells of a column.

    Attributes:
        rows: how many cells there are.
        observations: of all cells together.
        several: how many cells have more than one.
        most: of one cell.
    """

    rows: int
    observations: int
    several: int
    most: int


def read_counts(table: FlattenedTable, columns: Iterable[str], result: Path) -> dict[str, CellCounts]:
    """Sum up the companion of an own table (see flattening.counting) from the JSON lines of the folder `result`."""
    import pyarrow.compute as pc

    rows = _read(table, result)
    found = {}
    for name in columns:
        several = pc.sum(pc.greater(rows[name], 1)).as_py() or 0
        found[name] = CellCounts(
            rows.num_rows, pc.sum(rows[name]).as_py() or 0, several, pc.max(rows[name]).as_py() or 0
        )
    return found


def write_parquet(table: FlattenedTable, result: Path, file: Path, *, sample: int) -> PreviewTable:
    """Write the rows in the JSON lines of the folder `result` to `file`, sorted by primary key.

    Hidden files (`.` or `_` before the name) are not Flink's last word and are left out. The file appears
    whole or not at all. `sample` is how many rows to return.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = _read(table, result).sort_by(table.primary_key)
    part = file.with_name(f".{file.name}.part")
    try:
        pq.write_table(rows, part, compression="zstd")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    first = rows.slice(0, sample)
    values: Iterable[Sequence[object]] = [column.to_pylist() for column in first.columns]
    columns: Sequence[pa.ChunkedArray] = rows.columns
    return PreviewTable(
        table.name,
        tuple(column.name for column in table.columns),
        tuple(str(column.type) for column in table.columns),
        table.primary_key,
        rows.num_rows,
        tuple(len(column) - column.null_count for column in columns),
        tuple(zip(*values, strict=True)),
        file,
        table.time_column,
    )


def _read(table: FlattenedTable, result: Path) -> Any:
    import pyarrow as pa
    from pyarrow import json

    schema = pa.schema([(column.name, arrow_type(str(column.type))) for column in table.columns])
    # The reader takes dates and times as numbers only, so they are read as texts and cast.
    read_as = pa.schema(
        [
            (field.name, pa.string() if pa.types.is_date(field.type) or pa.types.is_time(field.type) else field.type)
            for field in schema
        ]
    )
    options = json.ParseOptions(explicit_schema=read_as, unexpected_field_behavior="error")
    parts = [
        _typed(json.read_json(file, json.ReadOptions(block_size=_BLOCK), options).select(schema.names), schema)
        for file in result_files(result)
    ]
    return pa.concat_tables([schema.empty_table(), *parts]).combine_chunks()


def _typed(rows: Any, schema: Any) -> Any:
    """Cast what was read as text; Arrow knows no cast of a text to a time."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, field in enumerate(schema):
        if pa.types.is_time(field.type):
            moments = pc.strptime(rows.column(place), format="%H:%M:%S", unit="s")
            rows = rows.set_column(place, field, moments.cast(field.type))
    return rows.cast(schema)


def result_files(result: Path) -> list[Path]:
    """The files that a sink of Flink has committed to its folder, sorted; there may be none."""
    return sorted(
        path
        for path in result.rglob("*")
        if path.is_file()
        and path.stat().st_size
        and not any(part.startswith((".", "_")) for part in path.relative_to(result).parts)
    )


def arrow_type(postgres: str) -> Any:
    """The Arrow type that holds what a PostgreSQL type holds."""
    import pyarrow as pa

    if numeric := _NUMERIC.fullmatch(postgres):
        return pa.decimal128(int(numeric[1]), int(numeric[2]))
    match postgres:
        case "bigint":
            return pa.int64()
        case "integer":
            return pa.int32()
        case "double precision":
            return pa.float64()
        case "boolean":
            return pa.bool_()
        case "date":
            return pa.date32()
        case "timestamp without time zone":
            return pa.timestamp("ms")
        case "time without time zone":
            return pa.time32("s")
        case "text" | "character varying":
            return pa.string()
    raise ValueError(f"no Parquet type for {postgres}")
