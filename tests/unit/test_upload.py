"""ozone-gen upload: damaged exports are refused by name, a broken line costs nothing that has arrived."""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ozone_gen.cli import main
from ozone_gen.diagnostics import OutputError, OzoneError
from ozone_gen.upload import exports_of, upload, verify
from ozone_gen.upload.run import PAUSES, StoreError

FILES = {"visits": [b"PAR1 first part PAR1", b"PAR1 second PAR1"], "patients": [b"PAR1 patients PAR1"], "empty": []}


def make_export(
    folder: Path, site: str = "a", date: str = "2026-01-02", files: Mapping[str, list[bytes]] = FILES
) -> None:
    """What flink_jobs/export.py leaves."""
    tables = []
    for table, contents in files.items():
        parts = []
        for number, content in enumerate(contents):
            path = Path(table) / f"site={site}" / f"date={date}" / f"part-{number:05}.parquet"
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
            sha256 = hashlib.sha256(content).hexdigest()
            parts.append({"number": number, "path": path.as_posix(), "rows": 1, "bytes": len(content)}
                         | {"sha256": sha256, "fingerprint": "1:1"})  # fmt: skip
        columns = [{"name": "visit_id", "type": "bigint"}]
        tables.append({"name": table, "primary_key": "visit_id", "definition": "d", "columns": columns}
                      | {"rows": len(parts), "parts": parts})  # fmt: skip
    document = {"version": 1, "site": site, "date": date, "exported_at": f"{date}T01:02:03Z", "generation": "g"}
    manifest = folder / "_exports" / f"site={site}" / f"date={date}.json"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps({**document, "tables": tables}))


class Bucket:
    """A store in memory whose line breaks where it is told to."""

    name = "memory"

    def __init__(self, *faults: str | None) -> None:
        self.objects: dict[str, bytes] = {}
        self.order: list[str] = []
        self.faults = list(faults)

    def _fail(self) -> None:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise StoreError(fault, lasting=fault == "denied")

    def sums(self, prefix: str) -> Mapping[str, tuple[int, str]]:
        self._fail()
        return {
            key: (len(content), hashlib.md5(content).hexdigest())
            for key, content in self.objects.items()
            if key.startswith(prefix)
        }

    def put(self, key: str, content: bytes) -> str:
        self._fail()
        self.objects[key] = content
        self.order.append(key)
        return hashlib.md5(content).hexdigest()

    def manifest(self, site: str = "a", date: str = "2026-01-02") -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.objects[f"parquet/_exports/site={site}/date={date}/010203.json"])
        return document


def ship(folder: Path, bucket: Bucket, slept: list[float] | None = None) -> tuple[int, int]:
    (export,) = exports_of(folder)
    done = upload(export, verify(export, nothing), bucket, nothing, sleep=(slept if slept is not None else []).append)
    return done.files, done.present


def nothing(_: int) -> None:
    pass


def test_files_come_first_and_the_manifest_names_them(tmp_path: Path) -> None:
    make_export(tmp_path)
    bucket = Bucket()
    assert ship(tmp_path, bucket) == (3, 0)
    assert bucket.order[-1] == "parquet/_exports/site=a/date=2026-01-02/010203.json"
    for table in bucket.manifest()["tables"]:
        for part in table["parts"]:
            assert hashlib.sha256(bucket.objects[f"parquet/{part['path']}"]).hexdigest() == part["sha256"]
            assert part["sha256"][:12] in part["path"]


def test_what_is_there_is_not_sent_again(tmp_path: Path) -> None:
    make_export(tmp_path)
    bucket = Bucket()
    ship(tmp_path, bucket)
    make_export(tmp_path, date="2026-01-03", files={**FILES, "visits": [FILES["visits"][0], b"PAR1 changed PAR1"]})
    assert ship(tmp_path, bucket) == (1, 2)
    paths = [part["path"] for table in bucket.manifest(date="2026-01-03")["tables"] for part in table["parts"]]
    assert [path.split("/")[2] for path in paths] == ["date=2026-01-02", "date=2026-01-03", "date=2026-01-02"]
    assert all(f"parquet/{path}" in bucket.objects for path in paths)


def test_an_object_that_is_cut_off_is_sent_again(tmp_path: Path) -> None:
    make_export(tmp_path)
    bucket = Bucket()
    ship(tmp_path, bucket)
    key = bucket.order[0]
    bucket.objects[key] = bucket.objects[key][:-1]
    assert ship(tmp_path, bucket) == (1, 2)
    bucket.objects[key] = b"x" * len(bucket.objects[key])
    assert ship(tmp_path, bucket) == (1, 2)


def test_a_line_that_breaks_is_waited_for(tmp_path: Path) -> None:
    make_export(tmp_path)
    bucket = Bucket("gone", None, "gone", "gone")
    slept: list[float] = []
    assert ship(tmp_path, bucket, slept) == (3, 0)
    assert slept == [PAUSES[0], PAUSES[0], PAUSES[1]]


def test_an_upload_that_was_broken_off_goes_on(tmp_path: Path) -> None:
    make_export(tmp_path)
    bucket = Bucket(None, None, *["gone"] * (len(PAUSES) + 1))
    with pytest.raises(OutputError) as failure:
        ship(tmp_path, bucket)
    assert "gone" in str(failure.value.diagnostics[0])
    assert len(bucket.objects) == 1
    assert not any("_exports" in key for key in bucket.objects), "half an export must not look like one"
    assert ship(tmp_path, bucket) == (2, 1)


def test_a_refused_key_is_not_tried_again(tmp_path: Path) -> None:
    make_export(tmp_path)
    slept: list[float] = []
    with pytest.raises(OutputError, match="denied"):
        ship(tmp_path, Bucket("denied"), slept)
    assert not slept


def test_what_arrives_damaged_is_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_export(tmp_path)
    bucket = Bucket()
    put, first = bucket.put, [True]

    def damaging(key: str, content: bytes) -> str:
        etag = put(key, content)
        return hashlib.md5(b"other").hexdigest() if first and first.pop() else etag

    monkeypatch.setattr(bucket, "put", damaging)
    assert ship(tmp_path, bucket) == (3, 0)


def test_every_damaged_file_is_named_and_nothing_is_sent(tmp_path: Path) -> None:
    make_export(tmp_path)
    first, second = sorted((tmp_path / "visits" / "site=a" / "date=2026-01-02").iterdir())
    first.write_bytes(b"x" * first.stat().st_size)
    second.unlink()
    bucket = Bucket()
    with pytest.raises(OzoneError) as failure:
        ship(tmp_path, bucket)
    messages = [str(finding) for finding in failure.value.diagnostics]
    assert len(messages) == 2
    assert first.name in messages[0]
    assert second.name in messages[1]
    assert not bucket.objects


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"site": "b"}, "that of b"),
        ({"site": "../x"}, "none of an export"),
        ({"version": 2}, "none of an export"),
        ({"tables": [{}]}, "none of an export"),
    ],
)
def test_a_strange_manifest_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    make_export(tmp_path)
    manifest = tmp_path / "_exports" / "site=a" / "date=2026-01-02.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))
    with pytest.raises(OzoneError, match=said):
        exports_of(tmp_path)
    manifest.write_text("{")
    with pytest.raises(OzoneError, match="cannot be read"):
        exports_of(tmp_path)


def test_a_manifest_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    make_export(tmp_path)
    manifest = tmp_path / "_exports" / "site=a" / "date=2026-01-02.json"
    for path in ("/etc/passwd", "visits/../../x.parquet", "visits/site=b/date=2026-01-02/part-00000.parquet"):
        document = json.loads(manifest.read_text())
        document["tables"][0]["parts"][0]["path"] = path
        (tmp_path / "other").mkdir(exist_ok=True)
        manifest.write_text(json.dumps(document))
        with pytest.raises(OzoneError):
            exports_of(tmp_path)
        make_export(tmp_path)


def test_the_newest_export_of_each_site_is_taken(tmp_path: Path) -> None:
    for site, date in (("a", "2026-01-02"), ("a", "2026-02-01"), ("b", "2025-12-31")):
        make_export(tmp_path, site, date)
    assert [(export.site, export.date) for export in exports_of(tmp_path)] == [("a", "2026-02-01"), ("b", "2025-12-31")]


# --- the command


def test_check_says_whether_a_carried_folder_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_export(tmp_path)
    make_export(tmp_path, "b")
    assert main(["upload", str(tmp_path), "--check"]) == 0
    assert "a: the export of 2026-01-02 is whole, 3 files" in capsys.readouterr().out
    file = tmp_path / "visits" / "site=a" / "date=2026-01-02" / "part-00000.parquet"
    file.write_bytes(b"x")
    assert main(["upload", str(tmp_path), "--check"]) == 1
    said = capsys.readouterr()
    assert f"{file}: error[OZ442]" in said.err
    assert "b: the export of 2026-01-02 is whole" in said.out


def test_an_empty_folder_has_no_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["upload", str(tmp_path), "--check"]) == 2
    assert "OZ441" in capsys.readouterr().err


def test_a_folder_in_use_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_export(tmp_path)
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(["upload", str(tmp_path), "--check"]) == 2
    assert "OZ406" in capsys.readouterr().err
    assert main(["upload", str(tmp_path), "--check"]) == 0


def test_address_and_secret_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_export(tmp_path)
    monkeypatch.delenv("OBJECT_STORE_WRITE_SECRET", raising=False)
    assert main(["upload", str(tmp_path)]) == 2
    assert main(["upload", str(tmp_path), "--to", "store.example.org"]) == 2
    assert main(["upload", str(tmp_path), "--to", "http://store.example.org"]) == 2
    assert "OBJECT_STORE_WRITE_SECRET" in capsys.readouterr().err


def test_a_store_that_is_down_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("minio")
    make_export(tmp_path)
    monkeypatch.setenv("OBJECT_STORE_WRITE_SECRET", "secret")
    monkeypatch.setattr("ozone_gen.upload.run.PAUSES", ())
    assert main(["upload", str(tmp_path), "--to", "http://127.0.0.1:1"]) == 2
    assert "OZ443" in capsys.readouterr().err


def test_the_extra_is_named_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_export(tmp_path)
    monkeypatch.setenv("OBJECT_STORE_WRITE_SECRET", "secret")
    monkeypatch.setattr("ozone_gen.upload.s3.find_spec", lambda name: None)
    assert main(["upload", str(tmp_path), "--to", "http://127.0.0.1:1"]) == 2
    assert "OZ444" in capsys.readouterr().err
