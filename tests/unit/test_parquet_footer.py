"""flink_jobs/parquet_footer.py: counts rows without a Parquet library, and knows a broken file."""

from __future__ import annotations

from pathlib import Path

import pytest

from flink_jobs.parquet_footer import NotParquetError, rows_of


def written(path: Path, rows: int) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {"a": list(range(rows)), "b": [None] * rows, "c": [[1, 2]] * rows, "d": [True] * rows}
    parquet.write_table(pyarrow.table(columns), path, row_group_size=7, compression="zstd")
    return path


@pytest.mark.parametrize("rows", [0, 1, 6, 7, 100, 70_000])
def test_rows_are_counted(tmp_path: Path, rows: int) -> None:
    assert rows_of(written(tmp_path / "a.parquet", rows)) == rows


def test_a_file_that_is_cut_off_or_no_parquet_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "a.parquet", 100)
    whole = file.read_bytes()
    for broken in (b"", b"PAR1", whole[:-1], whole[:-9], whole[4:], b"x" * 100, whole[:100] + whole[-8:]):
        file.write_bytes(broken)
        with pytest.raises(NotParquetError):
            rows_of(file)


def test_no_footer_hangs_or_fails_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    whole = written(file, 100).read_bytes()
    start = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    for place in range(start, len(whole) - 8, 7):
        for value in (0, 0x16, 0x7F, 0xFF):
            file.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
            try:
                assert rows_of(file) >= 0
            except NotParquetError:
                continue
