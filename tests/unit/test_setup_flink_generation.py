"""The generation on Flink's volume, and the end of the old job at a server that answers as Flink does."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from templates.setup import flink_generation
from templates.setup.flink_checkpoints import Checkpoints
from templates.setup.flink_generation import Volume, cancel_jobs
from templates.setup.waiting import NotReadyError, RefusedError
from tests.unit.json_server import json_server


@pytest.fixture
def owners(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int]]:
    """Who was given what; changing an owner takes root."""
    given: dict[str, tuple[int, int]] = {}

    def chown(path: Path, user: int, group: int) -> None:
        given[Path(path).name] = (user, group)

    monkeypatch.setattr(os, "chown", chown)
    return given


def test_a_generation_is_kept_until_it_is_forgotten(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    assert (volume.token(), volume.fingerprint()) == (None, None)
    volume.begin("abc", "f1")
    assert (volume.token(), volume.fingerprint()) == ("abc", "f1")
    assert (tmp_path / "generation").read_text(encoding="ascii") == "abc\n"
    assert (tmp_path / "generation").stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in tmp_path.iterdir()) == ["generation", "plan"]
    volume.forget()
    volume.forget()
    assert (volume.token(), volume.fingerprint()) == (None, None)


def test_clearing_leaves_nothing_of_an_earlier_generation(tmp_path: Path) -> None:
    for folder in ("checkpoints/0a", "ha/clinic", "savepoints", "lost+found"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "checkpoints/0a/_metadata").touch()
    (tmp_path / ".generation.new").touch()
    (tmp_path / "elsewhere").symlink_to(tmp_path.parent)
    Volume(tmp_path).clear()
    assert [path.name for path in tmp_path.iterdir()] == ["lost+found"]


def test_new_folders_are_given_to_flink(tmp_path: Path, owners: dict[str, tuple[int, int]]) -> None:
    Volume(tmp_path).prepare()
    Volume(tmp_path).prepare()
    assert owners == {"checkpoints": (9999, 9999), "ha": (9999, 9999)}
    assert (tmp_path / "ha").is_dir()


def test_without_root_a_folder_cannot_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "chown", refuse)
    with pytest.raises(RefusedError, match="cannot be given to Flink's user"):
        Volume(tmp_path).prepare()


def test_a_volume_that_is_not_mounted_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="is missing"):
        Volume(tmp_path / "absent")


class FakeFlink:
    """Jobs by id; each request of their states moves a cancelled one on."""

    def __init__(self) -> None:
        self.jobs: dict[str, list[str]] = {}
        self.cancelled: list[str] = []
        self.in_progress = self.asked = 0
        self.status = 200

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if self.status != 200:
            return self.status, {"errors": ["leader election"]}
        if method == "GET" and path == "/jobs":
            states = {
                job: states.pop(0) if len(states) > 1 else states[0] for job, states in self.jobs.items()
            }
            return 200, {"jobs": [{"id": job, "status": status} for job, status in states.items()]}
        if method == "PATCH" and path.endswith("?mode=cancel"):
            job = path.removeprefix("/jobs/").removesuffix("?mode=cancel")
            self.cancelled.append(job)
            return 202, {}
        if method == "GET" and path.endswith("/checkpoints") and self.jobs:
            return 200, {
                "counts": {"in_progress": self.in_progress},
                "latest": {"completed": {"end_to_end_duration": 3_000} if self.cancelled else None},
            }
        if method == "POST" and path.endswith("/checkpoints"):
            self.asked += 1
            return 202, {"request-id": "1"}
        return 404, {"errors": ["not found"]}


@pytest.fixture
def flink() -> Iterator[tuple[FakeFlink, str]]:
    fake = FakeFlink()
    with json_server(fake.answer) as address:
        yield fake, address


def test_a_running_job_is_cancelled_once_and_awaited(flink: tuple[FakeFlink, str]) -> None:
    fake, url = flink
    fake.jobs = {"old": ["FINISHED"], "now": ["RUNNING", "RUNNING", "CANCELLING", "CANCELED"]}
    pauses: list[float] = []
    cancel_jobs(url, sleep=pauses.append)
    assert fake.cancelled == ["now"]
    assert len(pauses) == 3


def test_no_cluster_is_fine() -> None:
    cancel_jobs("http://127.0.0.1:9")


def test_a_cluster_without_a_leader_is_waited_for(flink: tuple[FakeFlink, str]) -> None:
    fake, url = flink
    fake.status = 503
    with pytest.raises(NotReadyError, match="status 503"):
        cancel_jobs(url)


def test_a_job_that_does_not_end_is_waited_for(
    flink: tuple[FakeFlink, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flink_generation, "CANCEL_TRIES", 3)
    fake, url = flink
    fake.jobs = {"now": ["RUNNING"]}
    with pytest.raises(NotReadyError, match="does not end"):
        cancel_jobs(url, sleep=lambda _: None)
    assert fake.cancelled == ["now"]


def test_checkpoints_are_asked_for_with_pauses(flink: tuple[FakeFlink, str]) -> None:
    fake, url = flink
    now = 0.0
    checkpoints = Checkpoints(url, clock=lambda: now)
    now = 9.0
    checkpoints.hurry()
    assert fake.asked == 0, "there is no job"
    fake.jobs = {"now": ["RUNNING"]}
    checkpoints.hurry()
    checkpoints.hurry()
    assert fake.asked == 1
    now, fake.in_progress = 15.0, 1
    checkpoints.hurry()
    now, fake.in_progress = 19.0, 0
    checkpoints.hurry()
    assert fake.asked == 1
    now = 20.0
    checkpoints.hurry()
    assert fake.asked == 2
    fake.cancelled = ["one that took three seconds"]
    now = 31.0
    checkpoints.hurry()
    assert fake.asked == 2
    now = 32.0
    checkpoints.hurry()
    assert fake.asked == 3
    fake.status = 503
    now = 60.0
    checkpoints.hurry()
    Checkpoints("http://127.0.0.1:9").hurry()
