"""Whatever fails, and whenever: the folder holds the old tree or the new one, and the next run leaves no
trace.

Every call of the writer to the system is made to fail in turn: once (an error that the writer has to undo),
by an interrupt, and for ever (the process died, so the next run has to undo it).
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from ozone_gen import write
from ozone_gen.diagnostics import OutputError, OzoneError
from ozone_gen.render.manifest import with_manifest
from ozone_gen.render.tree import File, FileTree
from ozone_gen.write import STAGING, write_tree


def site(*files: File) -> FileTree:
    return with_manifest(FileTree(files), input_sha256="0" * 64)


OLD = site(
    File("same", b"1"),
    File("kafka/changed", b"1"),
    File("gone/deep/a", b"1"),
    File("folder-later", b"1"),
    File("file-later/a", b"1"),
    File("run", b"1"),
    File("mixed/ours", b"1"),
)
NEW = site(
    File("same", b"1"),
    File("kafka/changed", b"2"),
    File("new/deep/a", b"2"),
    File("folder-later/a", b"2"),
    File("file-later", b"2"),
    File("run", b"1", executable=True),
    File(".env", b"2", seed=True),
)

View = dict[str, tuple[int, bytes, int]]


def view(folder: Path) -> View:
    """Type and mode, content, and time of change of files, of all but the staging folder."""
    seen: View = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.split("/")[0] != STAGING:
            status = path.lstat()
            is_file = stat.S_ISREG(status.st_mode)
            seen[name] = (
                status.st_mode,
                path.read_bytes() if is_file else b"",
                status.st_mtime_ns if is_file else 0,
            )
    return seen


def without_times(seen: View) -> dict[str, tuple[int, bytes]]:
    return {name: entry[:2] for name, entry in seen.items()}


class Died(BaseException):
    """Stands for the end of the process: nothing that the code does afterwards has an effect."""


@contextmanager
def failing(at: int, error: BaseException, *, for_ever: bool = False) -> Iterator[Callable[[], bool]]:
    """Let the `at`-th of the calls that change something fail; yields whether it came to that."""
    calls = 0

    def faulty(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == at or (for_ever and calls > at):
                raise error
            return real(*args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("mkdir", "link", "replace", "unlink", "rmdir", "open"):
            patch.setattr(os, name, faulty(getattr(os, name)))
        patch.setattr(write, "open", faulty(open), raising=False)
        yield lambda: calls >= at


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A folder with the old tree and things that are not ours, to be copied."""
    folder = tmp_path / "before"
    write_tree(OLD, folder)
    (folder / "mine").write_text("x")
    (folder / "mixed" / "mine").write_text("x")
    (folder / "data").mkdir()
    return folder


def fresh(before: Path) -> tuple[Path, View]:
    out = before.parent / "out"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(before, out)
    return out, view(out)


@pytest.fixture
def after(before: Path) -> dict[str, tuple[int, bytes]]:
    """What the folder looks like once the new tree is written in peace."""
    out, _ = fresh(before)
    write_tree(NEW, out)
    assert not (out / STAGING).exists()
    return without_times(view(out))


def assert_old_or_new(out: Path, old: View, new: dict[str, tuple[int, bytes]]) -> bool:
    """Whether it is the new tree; it must be one of them, and the old one with its times."""
    now = view(out)
    if without_times(now) == new:
        return True
    assert now == old
    return False


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_one_failure_is_undone(
    before: Path, after: dict[str, tuple[int, bytes]], error: BaseException
) -> None:
    outcomes: list[bool] = []
    out, old = fresh(before)
    for at in range(1, 500):
        with failing(at, error) as came_to_it:
            try:
                write_tree(NEW, out)
                completed = True
            except (OutputError, KeyboardInterrupt):
                completed = False
        outcomes.append(assert_old_or_new(out, old, after))
        assert outcomes[-1] or not completed
        if (out / STAGING).exists():
            # Only clearing up failed, which the next run does.
            assert not (out / STAGING / "undo.json").exists()
        if outcomes[-1] or (out / STAGING).exists():
            write_tree(NEW, out)
            assert without_times(view(out)) == after
            assert not (out / STAGING).exists()
            out, old = fresh(before)
        if not came_to_it():
            break
    assert at < 499
    assert outcomes.count(False) > 40
    assert outcomes.count(True) > 1


def test_after_a_death_the_next_run_starts_from_the_old_tree_or_the_new(
    before: Path, after: dict[str, tuple[int, bytes]]
) -> None:
    outcomes: list[bool] = []
    out, old = fresh(before)
    for at in range(1, 500):
        with failing(at, Died(), for_ever=True) as came_to_it, suppress(Died):
            write_tree(NEW, out)
        write._recover(out)
        assert not (out / STAGING).exists()
        outcomes.append(assert_old_or_new(out, old, after))
        if outcomes[-1]:
            out, old = fresh(before)
        if not came_to_it():
            break
    assert at < 499
    assert outcomes == sorted(outcomes)
    assert outcomes.count(False) > 40
    assert outcomes.count(True) > 1


def test_recovery_may_die_too(before: Path, after: dict[str, tuple[int, bytes]]) -> None:
    deaths = 0
    out, old = fresh(before)
    for at in range(25, 500, 6):
        for second in range(1, 500, 3):
            with failing(at, Died(), for_ever=True) as died, suppress(Died):
                write_tree(NEW, out)
            with failing(second, Died(), for_ever=True) as died_again, suppress(Died):
                write._recover(out)
            deaths += died_again()
            write._recover(out)
            assert not (out / STAGING).exists()
            if assert_old_or_new(out, old, after):
                out, old = fresh(before)
            if not died_again():
                break
        if not died():
            break
    assert at < 499
    assert deaths > 60


def test_a_first_run_that_fails_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "sites" / "a"
    for at in range(1, 500):
        with failing(at, OSError(errno.EROFS, "Read-only file system")) as came_to_it:
            try:
                write_tree(NEW, out)
            except OutputError:
                assert not (tmp_path / "sites").exists()
        if (tmp_path / "sites").exists():
            write_tree(NEW, out)
            assert not (out / STAGING).exists()
            shutil.rmtree(tmp_path / "sites")
        if not came_to_it():
            break
    assert at < 499


def test_a_first_run_that_died_is_completed(tmp_path: Path) -> None:
    out = tmp_path / "sites" / "a"
    for at in range(1, 500):
        with failing(at, Died(), for_ever=True) as came_to_it, suppress(Died):
            write_tree(NEW, out)
        write_tree(NEW, out)
        assert {path for path in view(out) if (out / path).is_file()} == set(NEW)
        assert not (out / STAGING).exists()
        shutil.rmtree(out)
        if not came_to_it():
            break
    assert at < 499


@pytest.mark.parametrize(
    ("number", "message", "hint"),
    [
        (errno.ENOSPC, "no space left on device", "free some space"),
        (errno.EROFS, "read-only file system", "permissions"),
        (errno.EACCES, "permission denied", "permissions"),
        (errno.EIO, "input/output error", ""),
    ],
)
def test_a_failure_is_told_in_words(before: Path, number: int, message: str, hint: str) -> None:
    out, old = fresh(before)
    with (
        failing(1, OSError(number, os.strerror(number), str(out / "x"))),
        pytest.raises(OutputError) as caught,
    ):
        write_tree(NEW, out)
    [finding] = caught.value.diagnostics
    assert (finding.code, finding.message, finding.position.file) == ("OZ404", message, str(out / "x"))
    assert hint in finding.hint
    assert view(out) == old


def test_a_disk_that_stays_broken_is_mended_by_the_next_run(
    before: Path, after: dict[str, tuple[int, bytes]]
) -> None:
    told = 0
    out, old = fresh(before)
    for at in range(1, 500, 2):
        with failing(at, OSError(errno.EIO, "Input/output error"), for_ever=True) as came_to_it:
            try:
                write_tree(NEW, out)
            except OutputError as error:
                told += "the next run does it" in error.diagnostics[0].message
        write._recover(out)
        assert not (out / STAGING).exists()
        if assert_old_or_new(out, old, after):
            out, old = fresh(before)
        if not came_to_it():
            break
    assert at < 499
    assert told > 5


def test_where_there_are_no_hard_links_files_are_copied(
    before: Path, after: dict[str, tuple[int, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    out, old = fresh(before)
    with failing(50, KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
        write_tree(NEW, out)
    assert view(out) == old
    write_tree(NEW, out)
    assert without_times(view(out)) == after


@pytest.mark.parametrize(
    "journal",
    [
        b"",
        b"[]",
        b'{"created": ["../victim"], "folders": [], "kept": []}',
        b'{"created": [], "folders": ["/"], "kept": []}',
        b'{"created": [1], "folders": [], "kept": []}',
        b'{"created": null, "folders": [], "kept": []}',
        b'{"created": ["link/victim"], "folders": [], "kept": []}',
    ],
)
def test_a_journal_never_reaches_outside(tmp_path: Path, journal: bytes) -> None:
    out = tmp_path / "out"
    write_tree(OLD, out)
    (tmp_path / "victim").write_text("x")
    (out / "link").symlink_to(tmp_path)
    (out / STAGING).mkdir()
    (out / STAGING / "undo.json").write_bytes(journal)
    old = view(out)
    with pytest.raises(OzoneError) as caught:
        write_tree(NEW, out)
    assert caught.value.diagnostics[0].code in ("OZ403", "OZ405")
    assert view(out) == old
    assert (tmp_path / "victim").read_text() == "x"


@pytest.mark.parametrize("as_link", [False, True])
def test_a_staging_folder_that_is_none(tmp_path: Path, as_link: bool) -> None:
    out = tmp_path / "out"
    write_tree(OLD, out)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a").write_text("x")
    if as_link:
        (out / STAGING).symlink_to(tmp_path / "other")
    else:
        (out / STAGING).write_text("mine")
    with pytest.raises(OzoneError) as caught:
        write_tree(NEW, out)
    assert caught.value.diagnostics[0].code == "OZ402"
    assert (tmp_path / "other" / "a").read_text() == "x"
