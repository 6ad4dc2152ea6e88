"""What the writer does to a folder in peace: what it writes, keeps, refuses and removes. Faults:
test_write_faults."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ozone_gen.compare import Kind, compare
from ozone_gen.diagnostics import OutputError, OzoneError
from ozone_gen.render.manifest import MANIFEST, with_manifest
from ozone_gen.render.tree import File, FileTree
from ozone_gen.write import STAGING, edited_files, read_tree, write_tree


def site(**contents: str) -> FileTree:
    """A tree with a manifest; `__` in a name stands for a slash."""
    files = [File(name.replace("__", "/"), content.encode()) for name, content in contents.items()]
    return with_manifest(FileTree(files), input_sha256="0" * 64)


def snapshot(folder: Path) -> dict[str, object]:
    """Everything in a folder with its type, mode, content and time of change, and the folder itself."""
    seen: dict[str, object] = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.lstat()
        content: object = None
        if stat.S_ISLNK(status.st_mode):
            content = os.readlink(path)
        elif stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        seen[path.relative_to(folder).as_posix()] = (status.st_mode, content, status.st_mtime_ns)
    return seen


def texts(folder: Path) -> dict[str, str]:
    """The files of a folder without its manifest."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


@contextmanager
def refused(out: Path, *codes_and_files: str) -> Iterator[list[str]]:
    """The body raises OzoneError with these findings (`OZ401 path`), and the folder stays wholly as it
    was."""
    before = snapshot(out)
    hints: list[str] = []
    with pytest.raises(OzoneError) as caught:
        yield hints
    found = caught.value.diagnostics
    assert [f"{each.code} {os.path.relpath(each.position.file, out)}" for each in found] == list(
        codes_and_files
    )
    assert all(each.hint for each in found)
    hints += [each.hint for each in found]
    assert not isinstance(caught.value, OutputError)
    assert snapshot(out) == before


def test_a_new_folder(tmp_path: Path) -> None:
    out = tmp_path / "sites" / "a"
    tree = site(b="1", kafka__x__y="2")
    result = write_tree(tree, out)
    assert result.written == ("b", "kafka/x/y", MANIFEST)
    assert (result.removed, result.unchanged) == ((), ())
    assert texts(out) == {"b": "1", "kafka/x/y": "2"}
    assert compare(read_tree(out), tree) == []
    assert not (out / STAGING).exists()


def test_the_second_run_changes_nothing(tmp_path: Path) -> None:
    tree = site(a="1", kafka__b="2")
    write_tree(tree, tmp_path)
    before = snapshot(tmp_path)
    result = write_tree(tree, tmp_path)
    assert (result.written, result.removed) == ((), ())
    assert result.unchanged == ("a", "kafka/b", MANIFEST)
    assert snapshot(tmp_path) == before


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    write_tree(site(same="1", changed="1", gone="1", old__deep__gone="1"), tmp_path)
    same = (tmp_path / "same").stat()
    result = write_tree(site(same="1", changed="2", new="3"), tmp_path)
    assert result.written == ("changed", MANIFEST, "new")
    assert result.removed == ("gone", "old/deep/gone")
    assert result.unchanged == ("same",)
    assert texts(tmp_path) == {"same": "1", "changed": "2", "new": "3"}
    assert not (tmp_path / "old").exists()
    after = (tmp_path / "same").stat()
    assert (same.st_ino, same.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_what_is_not_ours_is_not_touched(tmp_path: Path) -> None:
    write_tree(site(kafka__a="1", drill__b="1"), tmp_path)
    (tmp_path / ".env").write_text("SECRET=1")
    (tmp_path / "drill" / "mine").write_text("x")
    (tmp_path / "parquet").mkdir()
    write_tree(site(kafka__a="2"), tmp_path)
    assert texts(tmp_path) == {".env": "SECRET=1", "drill/mine": "x", "kafka/a": "2"}
    assert (tmp_path / "parquet").is_dir()


def test_a_foreign_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_text("mine")
    (tmp_path / "d").write_text("4")
    tree = site(a="1", b__c="2", b__new="3", d="4")
    with refused(tmp_path, "OZ402 a", "OZ402 b/c"):
        write_tree(tree, tmp_path)
    assert write_tree(tree, tmp_path, force=True).unchanged == ("d",)
    assert texts(tmp_path) == {"a": "1", "b/c": "2", "b/new": "3", "d": "4"}


def test_a_foreign_file_where_a_folder_has_to_stand(tmp_path: Path) -> None:
    (tmp_path / "kafka").write_text("mine")
    with refused(tmp_path, "OZ402 kafka"):
        write_tree(site(kafka__a="1", kafka__b="2"), tmp_path)
    assert write_tree(site(kafka__a="1", kafka__b="2"), tmp_path, force=True).removed == ("kafka",)
    assert texts(tmp_path) == {"kafka/a": "1", "kafka/b": "2"}


@pytest.mark.parametrize("force", [False, True])
def test_a_foreign_folder_where_a_file_has_to_stand(tmp_path: Path, force: bool) -> None:
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "data").write_text("precious")
    with refused(tmp_path, "OZ402 kafka"):
        write_tree(site(kafka="1"), tmp_path, force=force)


def test_our_file_becomes_a_folder_and_back(tmp_path: Path) -> None:
    one, other = site(kafka="1", missing="1"), site(kafka__deep__a="2", missing__b="2")
    write_tree(one, tmp_path)
    assert write_tree(other, tmp_path).removed == ("kafka", "missing")
    assert texts(tmp_path) == {"kafka/deep/a": "2", "missing/b": "2"}
    assert write_tree(one, tmp_path).removed == ("kafka/deep/a", "missing/b")
    assert texts(tmp_path) == {"kafka": "1", "missing": "1"}


def test_an_edited_file_is_kept(tmp_path: Path) -> None:
    write_tree(site(a="1", b="1", c="1", d="1"), tmp_path)
    for name in ("a", "b", "c", "d"):
        (tmp_path / name).write_text("mine" if name != "d" else "2")
    assert edited_files(tmp_path) == ("a", "b", "c", "d")
    (tmp_path / "c").write_text("1")
    new = site(a="1", c="2", d="2")  # a: would be put back, b: removed, d: already as wanted
    with refused(tmp_path, "OZ401 a", "OZ401 b") as hints:
        write_tree(new, tmp_path)
    assert all("--force" in hint for hint in hints)
    result = write_tree(new, tmp_path, force=True)
    assert result.written == ("a", "c", MANIFEST)
    assert result.removed == ("b",)
    assert texts(tmp_path) == {"a": "1", "c": "2", "d": "2"}
    assert edited_files(tmp_path) == ()


def test_a_deleted_file_comes_back(tmp_path: Path) -> None:
    write_tree(site(a="1", kafka__b="2"), tmp_path)
    (tmp_path / "kafka" / "b").unlink()
    (tmp_path / "kafka").rmdir()
    assert edited_files(tmp_path) == ()
    assert write_tree(site(a="1", kafka__b="2"), tmp_path).written == ("kafka/b",)
    assert texts(tmp_path) == {"a": "1", "kafka/b": "2"}
    (tmp_path / "a").unlink()
    assert write_tree(site(kafka__b="2"), tmp_path).removed == ()


def test_seeds_are_written_once(tmp_path: Path) -> None:
    def seeded(content: str) -> FileTree:
        tree = FileTree([File(".env", content.encode(), seed=True), File("a", b"1")])
        return with_manifest(tree, input_sha256="0" * 64)

    assert write_tree(seeded("PASSWORD=demo"), tmp_path).written == (".env", "a", MANIFEST)
    (tmp_path / ".env").write_text("PASSWORD=mine")
    before = snapshot(tmp_path)
    assert write_tree(seeded("PASSWORD=other"), tmp_path, force=True).written == ()
    assert snapshot(tmp_path) == before
    assert compare(read_tree(tmp_path, seeded("")), seeded("")) == []
    assert write_tree(site(a="1"), tmp_path).removed == ()
    assert (tmp_path / ".env").read_text() == "PASSWORD=mine"


def test_a_file_that_becomes_a_seed_is_the_readers_from_then_on(tmp_path: Path) -> None:
    write_tree(site(conf="1"), tmp_path)
    seeded = with_manifest(FileTree([File("conf", b"2", seed=True)]), input_sha256="0" * 64)
    assert write_tree(seeded, tmp_path).written == (MANIFEST,)
    assert texts(tmp_path) == {"conf": "1"}


def test_executable_bits(tmp_path: Path) -> None:
    def script(executable: bool) -> FileTree:
        tree = FileTree([File("bin/run", b"#!/bin/sh\n", executable=executable)])
        return with_manifest(tree, input_sha256="0" * 64)

    before = os.umask(0o022)
    try:
        for executable, mode in ((True, 0o755), (False, 0o644), (True, 0o755)):
            assert "bin/run" in write_tree(script(executable), tmp_path).written
            assert stat.S_IMODE((tmp_path / "bin" / "run").stat().st_mode) == mode
            assert compare(read_tree(tmp_path), script(executable)) == []
        assert stat.S_IMODE((tmp_path / "bin").stat().st_mode) == 0o755
        (tmp_path / "bin" / "run").chmod(0o644)
        assert write_tree(script(True), tmp_path).written == ("bin/run",)
        os.umask(0o077)
        write_tree(script(True), tmp_path / "private")
        assert stat.S_IMODE((tmp_path / "private" / "bin" / "run").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "private" / MANIFEST).stat().st_mode) == 0o600
    finally:
        os.umask(before)


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_is_a_link_is_refused(tmp_path: Path, force: bool) -> None:
    out, outside = tmp_path / "out", tmp_path / "outside"
    write_tree(site(a="1", kafka__a="1"), out)
    outside.mkdir()
    (outside / "a").write_text("1")
    (out / "kafka" / "a").unlink()
    (out / "kafka").rmdir()
    (out / "kafka").symlink_to(outside)
    for tree in (site(a="2", kafka__a="2"), site(a="2", kafka__deep__er="2"), site(a="2")):
        with refused(out, "OZ405 kafka"):
            write_tree(tree, out, force=force)
    with refused(out, "OZ405 kafka"):
        read_tree(out)
    assert texts(outside) == {"a": "1"}


def test_a_file_that_is_a_link_is_never_written_through(tmp_path: Path) -> None:
    out, outside = tmp_path / "out", tmp_path / "outside"
    write_tree(site(a="1", b="1"), out)
    outside.write_text("1")
    for name in ("a", "b"):
        (out / name).unlink()
        (out / name).symlink_to(outside)
    assert read_tree(out)["a"].content == os.fsencode(outside)
    with refused(out, "OZ401 a", "OZ401 b"):
        write_tree(site(a="1"), out)
    write_tree(site(a="2"), out, force=True)
    assert outside.read_text() == "1"
    assert not (out / "a").is_symlink()
    assert texts(out) == {"a": "2"}


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")
    write_tree(site(a="1"), tmp_path / "out")
    assert texts(tmp_path / "real") == {"a": "1"}


def test_something_that_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    with refused(tmp_path, "OZ402 a"):
        write_tree(site(a="1"), tmp_path, force=True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b'{"name": "My web app", "icons": []}',
        b'{"ozone_gen": "9", "input_sha256": "", "files": {}, "signature": "x"}',
        json.dumps({"ozone_gen": "1", "input_sha256": "0" * 64, "files": {"../x": None}}).encode(),
    ],
)
def test_a_broken_manifest(tmp_path: Path, content: bytes) -> None:
    write_tree(site(a="1", b="1"), tmp_path)
    (tmp_path / MANIFEST).write_bytes(content)
    for attempt in (lambda: write_tree(site(a="2"), tmp_path), lambda: read_tree(tmp_path)):
        with refused(tmp_path, f"OZ403 {MANIFEST}") as hints:
            attempt()
        assert "--force" in hints[0]
    write_tree(site(a="2"), tmp_path, force=True)
    assert texts(tmp_path) == {"a": "2", "b": "1"}
    assert write_tree(site(a="2"), tmp_path).written == ()


def test_a_manifest_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).mkdir()
    (tmp_path / MANIFEST / "x").write_text("")
    with refused(tmp_path, f"OZ403 {MANIFEST}"):
        write_tree(site(a="2"), tmp_path)
    with refused(tmp_path, f"OZ402 {MANIFEST}"):
        write_tree(site(a="2"), tmp_path, force=True)


def test_a_manifest_never_reaches_outside(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_tree(site(a="1"), out)
    (tmp_path / "victim").write_text("x")
    manifest = json.loads((out / MANIFEST).read_bytes())
    manifest["files"]["../victim"] = manifest["files"]["a"]
    (out / MANIFEST).write_text(json.dumps(manifest))
    with refused(out, f"OZ403 {MANIFEST}"):
        write_tree(site(a="1"), out)
    write_tree(site(a="1"), out, force=True)
    assert (tmp_path / "victim").read_text() == "x"


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    for attempt in (
        lambda: write_tree(site(a="1"), tmp_path / "out"),
        lambda: write_tree(site(a="1"), tmp_path / "out" / "deeper"),
        lambda: read_tree(tmp_path / "out"),
    ):
        with pytest.raises(OutputError) as caught:
            attempt()
        assert caught.value.diagnostics[0].code == "OZ404"
        assert "folder" in caught.value.diagnostics[0].hint
    assert (tmp_path / "out").read_text() == "x"


def test_reading_shows_what_is_there(tmp_path: Path) -> None:
    assert read_tree(tmp_path / "none", ["a"]) == {}
    assert edited_files(tmp_path / "none") == ()
    write_tree(site(a="1", gone="1"), tmp_path)
    (tmp_path / "new").write_text("mine")
    (tmp_path / "other").write_text("never looked at")
    new = site(a="2", new="3")
    before = snapshot(tmp_path)
    differences = compare(read_tree(tmp_path, new), new)
    assert [(each.path, each.kind) for each in differences] == [
        ("a", Kind.CHANGED),
        ("gone", Kind.REMOVED),
        (MANIFEST, Kind.CHANGED),
        ("new", Kind.CHANGED),
    ]
    assert snapshot(tmp_path) == before


def test_two_runs_at_once(tmp_path: Path) -> None:
    write_tree(site(a="1"), tmp_path)
    before = snapshot(tmp_path)
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(OutputError) as caught:
            write_tree(site(a="2"), tmp_path)
        assert caught.value.diagnostics[0].code == "OZ406"
        assert snapshot(tmp_path) == before
    finally:
        os.close(handle)
    assert write_tree(site(a="2"), tmp_path).written == ("a", MANIFEST)


def test_a_tree_without_a_manifest_is_our_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="manifest"):
        write_tree(FileTree([File("a", b"")]), tmp_path)
    with pytest.raises(ValueError, match="may lie in"):
        write_tree(
            with_manifest(FileTree([File(f"{STAGING}/a", b"")]), input_sha256="0" * 64), tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()
