"""drill-setup merges the exports of many sites: what is merged when, and what views show meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from typing import Any, cast

import pytest

pytest.importorskip("minio", reason="the extra `upload` brings the client of the store")
pytest.importorskip("pyarrow", reason="the extra `flink` brings it")

import pyarrow
import pyarrow.parquet

from templates.setup import merged_exports
from templates.setup.drill_setup import LATEST_S, QUIET_S, Views
from templates.setup.merged_exports import INDEX, RETIRED_S, arrange
from tests.unit.test_setup_drill import TABLES, Bucket

FIELDS = [("visit_id", pyarrow.int64()), ("type", pyarrow.string()), ("started", pyarrow.timestamp("ms"))]


def parquet(*numbers: int, fields: list[tuple[str, Any]] = FIELDS) -> bytes:
    """A site's file with these visits."""
    values = {
        "visit_id": list(numbers),
        "type": [f"type {number % 3}" if number % 2 else None for number in numbers],
        "started": [datetime(2026, 1, 1, 12, number % 60, 0, 123000) for number in numbers],
    }
    content = BytesIO()
    table = pyarrow.table({name: values[name] for name, _ in fields}, pyarrow.schema(fields))
    pyarrow.parquet.write_table(table, content, compression="zstd")
    return content.getvalue()


class Program:
    """drill-setup, with a clock that is moved by hand."""

    def __init__(self, bucket: Bucket, now: float = 1e9, **options: Any) -> None:
        self.bucket = bucket
        self.now = now
        self._views = Views(cast(Any, bucket), "b", frozenset(), options.get("tables", TABLES), lambda: self.now)

    def look(self) -> list[str]:
        """Look once, and merge what is due; what is said."""
        found = self._views.look()
        while self._views.merge(lambda: None):
            pass
        return [problem.message for problem in found]

    def rest(self) -> list[str]:
        """Let so much time pass that what was uploaded is merged."""
        self.look()
        self.now += QUIET_S
        self.look()
        return self.look()

    @property
    def branches(self) -> list[str]:
        """The folders that the view reads from: `merged`, `files`."""
        return [part.split("`")[1] for part in self.bucket.view().split("FROM `s3`.")[1:]]

    def merged(self) -> list[list[dict[str, Any]]]:
        """The rows of each merged file that the view names."""
        found = []
        for key, content in sorted(self.bucket.objects.items()):
            if key.endswith("/rows.parquet") and key.split("/")[2] in self.bucket.view():
                found.append(pyarrow.parquet.read_table(BytesIO(content)).to_pylist())
        return found


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


def merged_files(bucket: Bucket) -> list[str]:
    return [key for key in bucket.objects if key.endswith("/rows.parquet")]


def test_a_view_reads_the_merged_files_alone(bucket: Bucket) -> None:
    bucket.upload("a", "2026-01-01", parquet(1, 2))
    bucket.upload("b", "2026-01-02", parquet(1, 3))
    program = Program(bucket)
    assert program.look() == []
    assert program.branches == ["merged"]
    (rows,) = program.merged()
    assert [(row["location_tag"], row["visit_id"]) for row in rows] == [("a", 1), ("a", 2), ("b", 1), ("b", 3)]
    assert rows[0]["started"] == datetime(2026, 1, 1, 12, 1, 0, 123000)
    assert "WHEN 'a' THEN '2026-01-01' WHEN 'b' THEN '2026-01-02'" in bucket.view()


def test_a_new_export_is_shown_at_once_and_merged_when_uploads_rest(bucket: Bucket) -> None:
    for site in "ab":
        bucket.upload(site, "2026-01-01", parquet(1))
    program = Program(bucket)
    program.look()
    new = bucket.upload("b", "2026-01-02", parquet(1, 2))
    program.look()
    assert program.branches == ["files"], "the merged file holds what b has no more"
    assert new.split("/")[4] in bucket.view()
    program.now += QUIET_S
    program.look()
    assert program.branches == ["merged"]
    assert [len(rows) for rows in program.merged()] == [3]


def test_uploads_that_never_rest_are_merged_all_the_same(bucket: Bucket) -> None:
    program = Program(bucket)
    program.look()
    for number in range(int(LATEST_S / QUIET_S) * 2 + 1):
        assert not merged_files(bucket)
        bucket.upload(f"s{number}", "2026-01-01", parquet(1))
        program.look()
        program.now += QUIET_S / 2
    assert merged_files(bucket)


def test_a_table_that_is_as_it_was_is_not_merged_anew(bucket: Bucket) -> None:
    bucket.upload("a", "2026-01-01", parquet(1))
    program = Program(bucket)
    program.rest()
    before = merged_files(bucket)
    bucket.upload("a", "2026-01-02", parquet(1))
    program.rest()
    assert merged_files(bucket) == before
    assert program.branches == ["merged"]
    assert "'2026-01-02'" in bucket.view(), "but its day is the new one"


def test_a_merged_file_is_removed_some_time_after_no_view_names_it(bucket: Bucket) -> None:
    bucket.upload("a", "2026-01-01", parquet(1))
    program = Program(bucket)
    program.rest()
    (old,) = merged_files(bucket)
    bucket.upload("a", "2026-01-02", parquet(2))
    program.rest()
    assert old in bucket.objects, "queries may still read it"
    program = Program(bucket, program.now + RETIRED_S + 1)
    program.look()
    assert old not in bucket.objects
    assert len(merged_files(bucket)) == 1


def test_a_restart_merges_nothing_anew(bucket: Bucket) -> None:
    bucket.upload("a", "2026-01-01", parquet(1))
    Program(bucket).rest()
    before = dict(bucket.objects)
    Program(bucket).rest()
    assert bucket.objects == before


@pytest.mark.parametrize("index", [None, b"{", b"[]", b'{"segments": [{}], "retired": {}}'])
def test_without_its_index_all_is_merged_anew(bucket: Bucket, index: bytes | None) -> None:
    bucket.upload("a", "2026-01-01", parquet(1))
    Program(bucket).rest()
    if index is None:
        del bucket.objects[INDEX]
    else:
        bucket.objects[INDEX] = index
    program = Program(bucket)
    program.rest()
    assert program.branches == ["merged"]
    assert [len(rows) for rows in program.merged()] == [1]


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("after", ["the file", "the index"])
def test_a_program_that_is_stopped_leaves_views_that_are_right(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    bucket.upload("a", "2026-01-01", parquet(1))
    program = Program(bucket)
    program.rest()
    bucket.upload("a", "2026-01-02", parquet(1, 2))
    program.look()
    program.now += QUIET_S
    before = bucket.view()
    whole: Callable[..., None] = Bucket.put_object

    def stopped(self: Bucket, where: str, key: str, *content: Any) -> None:
        if after == "the index" and key == INDEX:
            whole(self, where, key, *content)
        raise StoppedError

    with monkeypatch.context() as patched:
        patched.setattr(Bucket, "put_object", stopped)
        with pytest.raises(StoppedError):
            program.look()
    assert bucket.view() == before
    again = Program(bucket, program.now)
    again.rest()
    assert [len(rows) for rows in again.merged()] == [2]
    again.now += RETIRED_S + 1
    again.look()
    assert len(merged_files(bucket)) == 1


def test_what_cannot_be_read_is_named_and_keeps_no_other_site_back(bucket: Bucket) -> None:
    bucket.upload("a", "2026-01-01", parquet(1))
    bad = bucket.upload("b", "2026-01-01", b"no Parquet file")
    bucket.upload("c", "2026-01-01", parquet(3))
    program = Program(bucket)
    program.look()
    (said,) = program.look()
    assert f"not merged with those of other sites: {bad}" in said
    assert program.branches == ["merged", "files"]
    assert [[row["location_tag"] for row in rows] for rows in program.merged()] == [["a", "c"]]
    assert "site=b" in bucket.view()
    bucket.upload("b", "2026-01-02", parquet(2))
    assert program.rest() == []
    assert program.branches == ["merged"]


def test_a_file_that_vanishes_while_it_is_merged_keeps_no_other_site_back(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.upload("a", "2026-01-01", parquet(1))
    bucket.upload("b", "2026-01-01", parquet(2))
    program = Program(bucket)
    rows = merged_exports.MergedExports._rows

    def broken(self: Any, group: Any) -> Any:
        if "b" in group:
            raise merged_exports.UnmergeableError("b", group["b"][0], "it is missing")
        return rows(self, group)

    monkeypatch.setattr(merged_exports.MergedExports, "_rows", broken)
    program.look()
    assert "it is missing" in program.look()[0]
    assert [[row["location_tag"] for row in rows] for rows in program.merged()] == [["a"]]


def test_files_of_other_columns_are_merged_apart(bucket: Bucket) -> None:
    bucket.upload("a", "2026-01-01", parquet(1))
    bucket.upload("b", "2026-01-01", parquet(2, fields=FIELDS[:2]))
    bucket.upload("c", "2026-01-01", parquet(3, fields=[("visit_id", pyarrow.string()), *FIELDS[1:]][1:]))
    bucket.upload("d", "2026-01-01", parquet(4))
    program = Program(bucket)
    program.rest()
    found = sorted([row["location_tag"] for row in rows] for rows in program.merged())
    assert found == [["a", "d"], ["b"], ["c"]]


def test_types_that_would_change_are_not_merged(bucket: Bucket) -> None:
    content = BytesIO()
    table = pyarrow.table({"started": pyarrow.array([datetime(2026, 1, 1)], pyarrow.timestamp("ns"))})
    pyarrow.parquet.write_table(table, content, use_deprecated_int96_timestamps=True)
    bucket.upload("a", "2026-01-01", content.getvalue())
    program = Program(bucket)
    program.look()
    assert "the type of its column started would change" in program.look()[0]
    assert program.branches == ["files"]


def test_a_table_without_rows_is_merged_too(bucket: Bucket) -> None:
    bucket.upload("a", "2026-01-01", parquet())
    program = Program(bucket)
    program.rest()
    assert program.branches == ["merged"]
    assert program.merged() == [[]]


def test_a_row_group_ends_with_a_site(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merged_exports, "GROUP_ROWS", 3)
    for site, count in (("a", 4), ("b", 1), ("c", 2), ("d", 1)):
        bucket.upload(site, "2026-01-01", parquet(*range(count)))
    Program(bucket).rest()
    (key,) = merged_files(bucket)
    metadata = pyarrow.parquet.ParquetFile(BytesIO(bucket.objects[key])).metadata
    statistics = [metadata.row_group(number).column(3).statistics for number in range(metadata.num_row_groups)]
    assert [(each.min, each.max) for each in statistics] == [("a", "a"), ("b", "c"), ("d", "d")]


def test_a_column_without_a_value_has_no_empty_dictionary(bucket: Bucket) -> None:
    """Drill fails at one, in some of its queries."""
    bucket.upload("a", "2026-01-01", parquet(2, 4))
    Program(bucket).rest()
    (key,) = merged_files(bucket)
    group = pyarrow.parquet.ParquetFile(BytesIO(bucket.objects[key])).metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    assert [each.path_in_schema for each in columns if each.statistics.null_count == group.num_rows] == ["type"]
    assert [each.path_in_schema for each in columns if each.has_dictionary_page] == ["location_tag"]


def test_sites_stay_with_those_they_are_with() -> None:
    sizes = dict.fromkeys("abcde", 40)
    assert arrange([], sizes, 100) == [["a", "b"], ["c", "d"], ["e"]]
    assert arrange([["b", "d"], ["a"]], sizes, 100) == [["b", "d"], ["a", "c"], ["e"]]
    assert arrange([["b", "gone"], ["gone"]], {"b": 40, "large": 1000}, 100) == [["b"], ["large"]]
