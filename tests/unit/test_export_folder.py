"""flink_jobs/export_folder.py: an export takes its place as a whole, whenever the program dies."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from flink_jobs.export_folder import BusyError, ExportFolder


def manifest(date: str, **tables: str) -> dict[str, Any]:
    return {"version": 1, "date": date, "tables": [{"name": name, "parts": []} for name in tables]}


def publish(place: ExportFolder, date: str, /, keep: int = 2, **tables: str) -> None:
    stage = place.begin() / "tables"
    for name, content in tables.items():
        (stage / name).mkdir(parents=True)
        (stage / name / "part-00000.parquet").write_text(content)
    place.publish(stage, manifest(date, **tables), keep)


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*.parquet"))
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


@pytest.fixture
def place(tmp_path: Path) -> ExportFolder:
    return ExportFolder(tmp_path / "parquet", "a")


def test_the_same_day_is_replaced_and_old_days_go(place: ExportFolder) -> None:
    with place.locked():
        publish(place, "2026-01-01", visits="one", gone="x")
        publish(place, "2026-01-02", visits="two")
        publish(place, "2026-01-02", visits="three")
        newest = place.newest()
        assert newest is not None
        assert newest["date"] == "2026-01-02"
        publish(place, "2026-01-03", visits="four")
    assert contents(place.folder) == {
        "visits/site=a/date=2026-01-02/part-00000.parquet": "three",
        "visits/site=a/date=2026-01-03/part-00000.parquet": "four",
    }


def test_other_sites_and_files_of_people_are_left_alone(place: ExportFolder) -> None:
    other = ExportFolder(place.folder, "b")
    with other.locked():
        publish(other, "2026-01-01", keep=1, visits="other site")
    note = place.folder / "visits" / "site=a" / "notes.txt"
    note.parent.mkdir(parents=True)
    note.write_text("mine")
    with place.locked():
        publish(place, "2026-01-02", keep=1, visits="one")
        publish(place, "2026-01-03", keep=1, visits="two")
    assert note.read_text() == "mine"
    assert contents(place.folder)["visits/site=b/date=2026-01-01/part-00000.parquet"] == "other site"


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("renames", range(8))
def test_whenever_it_dies_there_is_one_whole_export(
    place: ExportFolder, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    before = {"patients": "old", "visits": "old"}
    with place.locked():
        publish(place, "2026-01-01", patients="old", visits="old")
    left = renames
    rename = Path.rename

    def dying(self: Path, target: Path) -> Path:
        nonlocal left
        if not left:
            raise Killed
        left -= 1
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", dying)
    # A process that is killed cleans nothing up.
    recover = ExportFolder.recover
    monkeypatch.setattr(ExportFolder, "recover", lambda self: None)
    done = True
    try:
        publish(place, "2026-01-01", patients="new", visits="new", added="new")
    except Killed:
        done = False
    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(ExportFolder, "recover", recover)
    with place.locked():
        newest = place.newest()
    assert newest is not None
    names = [table["name"] for table in newest["tables"]]
    found = {path.split("/")[0]: text for path, text in contents(place.folder).items()}
    if done:
        assert found == {"patients": "new", "visits": "new", "added": "new"}
    else:
        assert found == before
    assert names == list(found) or sorted(names) == sorted(found)
    assert not place.staging.exists()
    assert not list(place.folder.glob("*/*/.replaced-*"))


def test_a_folder_in_use_is_refused(place: ExportFolder) -> None:
    with place.locked():
        other = ExportFolder(place.folder, "b")
        with pytest.raises(BusyError), other.locked():
            pass
    with place.locked():
        pass


def test_unchanged_files_are_stored_once(place: ExportFolder) -> None:
    with place.locked():
        publish(place, "2026-01-01", visits="one")
        stage = place.begin() / "tables" / "visits"
        stage.mkdir(parents=True)
        first = place.path_of("visits", "2026-01-01") / "part-00000.parquet"
        os.link(first, stage / first.name)
        place.publish(stage.parent, manifest("2026-01-02", visits=""), keep=1)
    second = place.path_of("visits", "2026-01-02") / first.name
    assert not first.exists()
    assert second.read_text() == "one"


def test_a_manifest_that_cannot_be_read_is_not_the_newest(place: ExportFolder) -> None:
    with place.locked():
        publish(place, "2026-01-01", visits="one")
        broken = place.folder / "_exports" / "site=a" / "date=2026-01-02.json"
        broken.write_text(json.dumps({"version": 2}))
        newest = place.newest()
    assert newest is not None
    assert newest["date"] == "2026-01-01"
