"""drill-setup: what is shown of the exports that sites have uploaded, and what never is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pytest

pytest.importorskip("minio", reason="the extra `upload` brings the client of the store")
pytest.importorskip("pyarrow", reason="the extra `flink` brings it")

from ozone_gen.flattening.table import SqlType
from templates.setup.drill_setup import Views
from templates.setup.drill_views import TYPES, decoy, view_sql
from templates.setup.uploaded_exports import BrokenExportError, parse_manifest

NOW = datetime.now(UTC)
TABLES = {"visits": {"visit_id": "bigint", "type": "character varying", "started": "timestamp without time zone"}}


@dataclass
class Object:
    object_name: str
    size: int
    etag: str
    last_modified: datetime


class Answer(BytesIO):
    def stream(self, size: int) -> Iterator[bytes]:
        while block := self.read(size):
            yield block

    def release_conn(self) -> None:
        pass


@dataclass
class Bucket:
    """The part of MinIO's client that the program uses."""

    objects: dict[str, bytes] = field(default_factory=dict)
    ages: dict[str, timedelta] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)

    def list_objects(self, bucket: str, prefix: str, recursive: bool) -> list[Object]:
        return [
            Object(key, len(content), hashlib.md5(content).hexdigest(), NOW - self.ages.get(key, timedelta()))
            for key, content in self.objects.items()
            if key.startswith(prefix)
        ]

    def get_object(self, bucket: str, key: str, offset: int = 0, length: int = 0) -> Answer:
        self.reads.append(key)
        return Answer(self.objects[key][offset : offset + length if length else None])

    def put_object(self, bucket: str, key: str, content: BytesIO, length: int) -> None:
        self.objects[key] = content.read()

    def fput_object(self, bucket: str, key: str, path: str) -> None:
        self.objects[key] = Path(path).read_bytes()

    def remove_object(self, bucket: str, key: str) -> None:
        del self.objects[key]

    def upload(
        self, site: str, date: str, content: bytes, table: str = "visits", change: Any = None, time: str = "010203"
    ) -> str:
        """What ozone-gen upload leaves; returns the key of the file."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = f"{table}/site={site}/date={date}/part-00000-{sha256[:12]}/part-00000.parquet"
        self.objects[f"parquet/{path}"] = content
        part = {"path": path, "bytes": len(content), "sha256": sha256, "number": 0}
        columns = [{"name": name, "type": kind} for name, kind in TABLES["visits"].items()]
        document = {"version": 1, "site": site, "date": date}
        tables = [{"name": table, "columns": columns, "parts": [part]}]
        manifest = {**document, "tables": tables, **(change or {})}
        self.objects[f"parquet/_exports/site={site}/date={date}/{time}.json"] = json.dumps(manifest).encode()
        return f"parquet/{path}"

    def view(self, name: str = "visits") -> str:
        sql: str = json.loads(self.objects[f"views/{name}.view.drill"])["sql"]
        return sql


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


def views(bucket: Bucket, *sites: str, tables: dict[str, dict[str, str]] = TABLES) -> Views:
    return Views(cast(Any, bucket), "b", frozenset(sites), tables)


def folder(key: str) -> str:
    return key.removeprefix("parquet/visits/").rpartition("/")[0]


def test_the_newest_export_of_every_site_is_shown(bucket: Bucket) -> None:
    old, new = bucket.upload("a", "2026-01-01", b"old"), bucket.upload("a", "2026-01-02", b"new")
    other = bucket.upload("b", "2025-01-01", b"other")
    assert views(bucket).look() == []
    assert folder(new) in bucket.view()
    assert folder(other) in bucket.view()
    assert folder(old) not in bucket.view()


def test_views_have_their_columns_before_the_first_upload(bucket: Bucket) -> None:
    assert views(bucket).look() == []
    assert "CAST(NULL AS TIMESTAMP) AS `started`" in bucket.view()
    fields = json.loads(bucket.objects["views/visits.view.drill"])["fields"]
    assert [each["name"] for each in fields] == ["location_tag", "exported_on", "visit_id", "type", "started"]


def test_there_is_always_a_folder_to_leave_out(bucket: Bucket) -> None:
    bucket.upload("zzz", "2026-01-01", b"last")
    views(bucket).look()
    key = decoy("visits")
    assert bucket.objects[key][:4] == bucket.objects[key][-4:] == b"PAR1"
    assert key == max(each for each in bucket.objects if each.startswith("parquet/visits/"))
    assert "site=zzz" in bucket.view()
    assert "~" not in bucket.view()


@pytest.mark.parametrize("fault", ["cut off", "other content", "missing"])
def test_a_damaged_export_is_named_and_the_one_before_stays(bucket: Bucket, fault: str) -> None:
    good = bucket.upload("a", "2026-01-01", b"good")
    program = views(bucket)
    program.look()
    bad = bucket.upload("a", "2026-01-02", b"newer")
    if fault == "missing":
        del bucket.objects[bad]
    else:
        bucket.objects[bad] = {"cut off": b"newe", "other content": b"never"}[fault]
    (problem,) = program.look()
    assert bad in problem.message
    assert folder(good) in bucket.view()
    bucket.upload("a", "2026-01-02", b"newer")
    assert program.look() == [problem], "nothing new was uploaded"
    bucket.upload("a", "2026-01-02", b"repaired")
    assert program.look() == []
    assert folder(good) not in bucket.view()


def test_of_two_exports_of_a_day_the_later_is_shown_and_the_earlier_stays(bucket: Bucket) -> None:
    early = bucket.upload("a", "2026-01-01", b"morning", time="080000")
    late = bucket.upload("a", "2026-01-01", b"evening", time="200000")
    views(bucket).look()
    assert folder(late) in bucket.view()
    bucket.objects[late] = b"damaged"
    (problem,) = views(bucket).look()
    assert late in problem.message
    assert folder(early) in bucket.view()


def test_a_file_is_compared_with_its_hash_once(bucket: Bucket) -> None:
    key = bucket.upload("a", "2026-01-01", b"one")
    program = views(bucket)
    program.look()
    bucket.upload("b", "2026-01-01", b"two")
    program.look()
    program.look()
    assert bucket.reads.count(key) == 1


def test_a_site_that_is_not_of_the_server_is_not_shown(bucket: Bucket) -> None:
    bucket.upload("a", "2026-01-01", b"one")
    stranger = bucket.upload("x", "2026-01-01", b"two")
    (problem,) = views(bucket, "a").look()
    assert "x, which is no site of this server" in problem.message
    assert folder(stranger) not in bucket.view()


@pytest.mark.parametrize(
    "change",
    [
        {"site": "b"},
        {"date": "2026-01-03"},
        {"version": 2},
        {"tables": [{"name": "visits'; DROP", "columns": [], "parts": []}]},
        {"tables": [{"name": "visits", "columns": [{"name": "a` b", "type": "text"}], "parts": []}]},
        {"tables": [{"name": "visits", "columns": [], "parts": [{"path": "visits/site=b/date=2026-01-01/x"}]}]},
    ],
)
def test_a_strange_manifest_is_refused(bucket: Bucket, change: dict[str, Any]) -> None:
    bucket.upload("a", "2026-01-01", b"one", change=change)
    (problem,) = views(bucket).look()
    assert "its manifest cannot be used" in problem.message


def test_a_manifest_of_no_shape_is_refused() -> None:
    documents: tuple[Any, ...] = (None, [], {}, {"version": 1}, "text")
    for document in documents:
        with pytest.raises(BrokenExportError):
            parse_manifest("a", "2026-01-01/010203", document)


def test_without_declared_tables_those_of_the_sites_are_shown(bucket: Bucket) -> None:
    bucket.upload("a", "2026-01-01", b"one", table="visits")
    program = views(bucket, tables={})
    program.look()
    assert "views/visits.view.drill" in bucket.objects
    bucket.upload("a", "2026-01-02", b"two", table="patients")
    program.look()
    assert sorted(key for key in bucket.objects if key.startswith("views/")) == ["views/patients.view.drill"]


def test_what_was_replaced_is_removed_after_a_day(bucket: Bucket) -> None:
    keys = [bucket.upload("a", f"2026-01-0{day}", f"content {day}".encode()) for day in (1, 2, 3)]
    stray, other = "parquet/visits/site=a/date=2026-01-04/part-00000-0/part-00000.parquet", "parquet/notes.txt"
    bucket.objects |= {stray: b"of an upload under way", other: b"a person's"}
    bucket.ages = dict.fromkeys([*keys, other], timedelta(days=2))
    views(bucket).look()
    assert keys[0] not in bucket.objects
    assert "parquet/_exports/site=a/date=2026-01-01/010203.json" not in bucket.objects
    assert {keys[1], keys[2], stray, other} <= bucket.objects.keys()


def test_every_type_of_the_sink_has_one_in_drill() -> None:
    assert set(TYPES) == {kind.value for kind in SqlType}
    everything = {f"c{number}": kind for number, kind in enumerate(TYPES)}
    assert "CAST(NULL AS DECIMAL(24, 0)) AS `c3`" in view_sql("visits", everything, [])
