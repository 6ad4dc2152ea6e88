from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ozone_gen.flattening.table import FlattenedTable, SinkColumn, SqlType
from ozone_gen.preview.results import arrow_type, result_files, write_parquet

pytestmark = pytest.mark.flink  # for pyarrow, which comes with PyFlink

TABLE = FlattenedTable(
    name="t",
    description="",
    columns=tuple(
        SinkColumn(name, kind, name)
        for name, kind in (
            ("id", SqlType.BIGINT), ("small", SqlType.INTEGER), ("number", SqlType.DOUBLE),
            ("text", SqlType.TEXT), ("word", SqlType.VARCHAR), ("truth", SqlType.BOOLEAN),
            ("day", SqlType.DATE), ("time", SqlType.TIMESTAMP), ("whole", SqlType.WHOLE_NUMBER),
        )
    ),
    primary_key="id",
    time_column="time",
    common=(),
    body="",
    reads=(),
)  # fmt: skip


def write(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_rows_have_the_types_of_their_columns_and_are_sorted(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    result = write(
        tmp_path / "result",
        part_b='{"id":12,"text":"é\\u0000\\n\\"","day":"1912-02-29","time":"1969-12-31 23:59:59.5","truth":false}\n'
        '{"id":3,"small":-1,"number":1.0E-5,"word":"w","truth":true,"time":"2020-01-02 03:04:05",'
        '"whole":123456789012345678901234}\n',
        part_a='{"id":5,"number":null}\n',
        empty="",
        _SUCCESS="done",
    )
    (result / ".staging").mkdir()
    (result / ".staging" / "part").write_text("half a row", encoding="utf-8")
    file = tmp_path / "t.parquet"
    table = write_parquet(TABLE, result, file, sample=2)
    assert pq.read_table(file).to_pylist() == [
        {
            "id": 3, "small": -1, "number": 1e-05, "text": None, "word": "w", "truth": True, "day": None,
            "time": datetime.datetime(2020, 1, 2, 3, 4, 5), "whole": Decimal("123456789012345678901234"),
        },
        {
            "id": 5, "small": None, "number": None, "text": None, "word": None, "truth": None, "day": None,
            "time": None, "whole": None,
        },
        {
            "id": 12, "small": None, "number": None, "text": 'é\0\n"', "word": None, "truth": False,
            "day": datetime.date(1912, 2, 29), "time": datetime.datetime(1969, 12, 31, 23, 59, 59, 500000),
            "whole": None,
        },
    ]  # fmt: skip
    assert str(pq.read_schema(file).field("time").type) == "timestamp[ms]"
    assert pq.ParquetFile(file).metadata.row_group(0).column(0).compression == "ZSTD"
    assert table.rows == 3
    assert table.filled == (3, 1, 1, 1, 1, 2, 1, 2, 1)
    assert [row[0] for row in table.sample] == [3, 5]
    assert (table.columns[0], table.types[2], table.file) == ("id", "double precision", file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["result", "t.parquet"]


@pytest.mark.parametrize("made", [True, False])
def test_a_table_without_rows(made: bool, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    result = tmp_path / "result"
    if made:
        result.mkdir()
    table = write_parquet(TABLE, result, tmp_path / "t.parquet", sample=5)
    assert (table.rows, table.sample, set(table.filled)) == (0, (), {0})
    assert pq.read_table(tmp_path / "t.parquet").num_rows == 0


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    file.write_bytes(b"old")
    for text in ('{"id":1,"other":2}\n', '{"id":"x"}\n', '{"id":'):
        result = write(tmp_path / f"result-{len(text)}", part=text)
        with pytest.raises(ValueError):  # noqa: PT011 - pyarrow's own errors are ValueErrors
            write_parquet(TABLE, result, file, sample=5)
        assert file.read_bytes() == b"old"
    assert not list(tmp_path.glob(".*"))


def test_files_that_flink_committed(tmp_path: Path) -> None:
    for name in ("b/part-1", "part-0", ".part-2", "_tmp/part-3"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x", encoding="utf-8")
    assert result_files(tmp_path) == [tmp_path / "b/part-1", tmp_path / "part-0"]


def test_every_type_of_the_sink_has_one_in_parquet() -> None:
    for kind in SqlType:
        assert arrow_type(str(kind))
    assert str(arrow_type("numeric(24,2)")) == "decimal128(24, 2)"
    with pytest.raises(ValueError, match="no Parquet type for geometry"):
        arrow_type("geometry")
