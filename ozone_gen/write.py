"""The only writer: brings an output folder from one tree of files to the next, wholly or not at all.

How: everything new is first written to `.ozone-gen/new` in the output folder (the same file system, so that a
move is a rename), and everything that will go gets a second name in `.ozone-gen/old`. Then a journal says how
to put it all back, then files are moved into place, then the journal goes: that is the moment when the new
tree counts. An error before it is undone on the spot; after a crash the next run undoes it first. (A power
cut is not guarded against: syncing hundreds of files costs more than rendering them again.)

What belongs to whom is known from the manifest of the last run. Files that it does not list are never
touched, and those that no longer look as it says were edited by a person and are kept, both unless forced.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ozone_gen.diagnostics import Diagnostic, OutputError, OzoneError, Position, codes
from ozone_gen.render.manifest import MANIFEST, Manifest, parse_manifest
from ozone_gen.render.tree import File, path_problem

STAGING = ".ozone-gen"
"""The folder in the output folder that exists while something is written, and after a crash."""

_JOURNAL = "undo.json"
_MISSING = "/"  # No path of a file in the folder is this one.


@dataclass(frozen=True)
class WriteResult:
    """The paths written, removed, and left as they were, each in order. Seeds that were there are in none."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]


def write_tree(tree: Mapping[str, File], out: Path, *, force: bool = False) -> WriteResult:
    """Make `out` hold `tree`, which includes its manifest; files of the last manifest not in `tree` are
    removed.

    Raises OzoneError, with one finding for each, where files were edited or are not ours (unless `force`),
    where the manifest is broken (unless `force`), or where a symbolic link leads out of the folder;
    OutputError where the system refuses or another run is at work. In every case the folder is as it was
    before.
    """
    if MANIFEST not in tree:
        raise ValueError("a tree to be written has a manifest")
    if any(path == STAGING or path.startswith(STAGING + "/") for path in tree):
        raise ValueError(f"no file of a tree may lie in {STAGING}")
    with telling_what_failed(out):
        made: list[Path] = []
        try:
            _make_folders(out, made)
            with _locked(out):
                _recover(out)
                plan = _plan(tree, out, force)
                if plan.placed or plan.removed:
                    _carry_out(plan, out)
        except BaseException:
            for folder in reversed(made):
                with suppress(OSError):
                    os.rmdir(folder)
            raise
    placed = tuple(sorted(file.path for file in plan.placed))
    return WriteResult(placed, tuple(sorted(plan.removed)), tuple(plan.unchanged))


def read_tree(out: Path, expected: Iterable[str] = ()) -> dict[str, File]:
    """The files in `out` that its manifest lists or that are `expected` there, and the manifest, as they are
    now.

    Nothing is there where the folder does not exist. Raises OzoneError like `write_tree`, and writes nothing.
    """
    with telling_what_failed(out):
        folder = _Folder(out)
        manifest = folder.manifest()
        owned = manifest.files if manifest else {}
        found = {path: folder.look(path) for path in sorted({MANIFEST, *owned, *expected})}
        folder.raise_problems()
    return {path: file for path, file in found.items() if file}


def edited_files(out: Path) -> tuple[str, ...]:
    """The paths in `out` that a person changed since they were written, in order. Raises like `read_tree`."""
    with telling_what_failed(out):
        folder = _Folder(out)
        manifest = folder.manifest()
        owned = manifest.files if manifest else {}
        found = [path for path in owned if _edited(folder.look(path), path, manifest)]
        folder.raise_problems()
    return tuple(sorted(found))


class _Folder:
    """What stands in the output folder now. Problems are collected, to be told all at once."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.problems: list[Diagnostic] = []
        self._folders: dict[str, str] = {"": ""}  # the states below, by path of the folder

    def look(self, path: str) -> File | None:
        """The file at `path`; None if there is none, or something that is no file (then a problem is noted).

        A symbolic link is not followed: it is a file that holds where it leads to, as for git. So it never
        looks like what was written.
        """
        if self.parent_state(path):
            return None
        place = os.path.join(self.out, path)
        try:
            status = os.lstat(place)
        except FileNotFoundError:
            return None
        if stat.S_ISLNK(status.st_mode):
            return File(path, os.fsencode(os.readlink(place)))
        if stat.S_ISREG(status.st_mode):
            with open(place, "rb", buffering=0) as stream:
                content = stream.readall()
            return File(path, content, executable=bool(status.st_mode & stat.S_IXUSR))
        if not stat.S_ISDIR(status.st_mode):
            self.problem(codes.ForeignFile, path, "this is neither a file nor a folder", "move it away")
        return None

    def parent_state(self, path: str) -> str:
        """Empty if the folder of `path` exists, _MISSING if not, or the path of the file that is in its
        place."""
        folder = path.rpartition("/")[0]
        known = self._folders.get(folder)
        if known is None:
            known = self.parent_state(folder) or self._folder_state(folder)
            self._folders[folder] = known
        return known

    def _folder_state(self, folder: str) -> str:
        try:
            mode = os.lstat(self.out / folder).st_mode
        except FileNotFoundError:
            return _MISSING
        if stat.S_ISLNK(mode):
            hint = "replace the link by a folder"
            self.problem(codes.OutsideFolder, folder, "this folder is a symbolic link", hint)
            return _MISSING
        return "" if stat.S_ISDIR(mode) else folder

    def is_folder(self, path: str) -> bool:
        """Whether a folder stands at `path` itself."""
        place = self.out / path
        return not self.parent_state(path) and place.is_dir() and not place.is_symlink()

    def manifest(self) -> Manifest | None:
        """The manifest of the last run; None if there is none, or one that cannot be read (a problem is
        noted)."""
        file = self.look(MANIFEST)
        if file is None:
            if self.is_folder(MANIFEST):
                self.problem(codes.BrokenManifest, MANIFEST, "this is a folder", "move it away")
            return None
        try:
            return parse_manifest(file.content)
        except ValueError as error:
            hint = (
                "restore it or choose another output folder; --force overwrites it and all of the same name"
            )
            self.problem(codes.BrokenManifest, MANIFEST, f"this is no manifest of ozone-gen: {error}", hint)
            return None

    def problem(self, code: type[codes.Code], path: str, message: str, hint: str) -> None:
        """Note a problem with the file or folder at `path`."""
        self.problems.append(code.at(Position(str(self.out / path)), message, hint=hint))

    def raise_problems(self) -> None:
        """End here if there were any."""
        if self.problems:
            raise OzoneError(self.problems)


@dataclass
class _Plan:
    """What is to be done, and what has to be known to undo it. All paths are relative to the folder."""

    placed: list[File] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)  # those of `placed` that were not there
    kept: list[str] = field(default_factory=list)  # what is replaced or removed, and so goes to `old`
    folders: list[str] = field(default_factory=list)  # to be made, outer ones first
    needed: set[str] = field(default_factory=set)  # folders that the new tree has files in

    def place(self, file: File, before: File | None) -> None:
        self.placed.append(file)
        (self.created if before is None else self.kept).append(file.path)

    def remove(self, path: str) -> None:
        self.removed.append(path)
        self.kept.append(path)


def _plan(tree: Mapping[str, File], out: Path, force: bool) -> _Plan:
    folder, plan = _Folder(out), _Plan()
    manifest = folder.manifest()
    if force:
        folder.problems.clear()
    folder.raise_problems()  # Without a manifest all that is there would look like another's.
    owned = manifest.files if manifest else {}
    for path in sorted(owned.keys() - tree.keys()):
        before = folder.look(path)
        if before is None:
            continue
        if force or not _edited(before, path, manifest):
            plan.remove(path)
        else:
            message = "this file was edited by hand, and is no longer part of the site"
            folder.problem(codes.EditedFile, path, message, "remove it yourself, or let it go with --force")
    for path, file in tree.items():
        before = folder.look(path)
        plan.needed.update(_parents(path))
        if before is None:
            if _can_be_made(folder, plan, path, force):
                plan.place(file, None)
        elif file.seed:
            continue
        elif (before.content, before.executable) == (file.content, file.executable):
            plan.unchanged.append(path)
        elif force or path == MANIFEST:
            plan.place(file, before)
        elif path not in owned and before.content != file.content:
            hint = "move it away or choose another output folder, or overwrite it with --force"
            folder.problem(codes.ForeignFile, path, "this file is not one that ozone-gen wrote", hint)
        elif _edited(before, path, manifest) and before.content != file.content:
            hint = "make the change in ozone.yaml and undo it here (see --diff), or let it go with --force"
            folder.problem(codes.EditedFile, path, "this file was edited by hand", hint)
        else:
            plan.place(file, before)
    folder.raise_problems()
    plan.folders = sorted(each for each in plan.needed if not folder.is_folder(each))
    return plan


def _can_be_made(folder: _Folder, plan: _Plan, path: str, force: bool) -> bool:
    """Whether nothing that is not ours stands in the way of a file that is not there yet."""
    in_the_way = folder.parent_state(path)
    if in_the_way and in_the_way != _MISSING and in_the_way not in plan.removed:
        if not force:
            hint = "move it away or choose another output folder, or overwrite it with --force"
            folder.problem(codes.ForeignFile, in_the_way, "a folder has to stand where this file is", hint)
            return False
        plan.remove(in_the_way)
    if folder.is_folder(path) and not all(each in plan.removed for each in _files_under(folder.out, path)):
        hint = "move it away or choose another output folder"
        folder.problem(codes.ForeignFile, path, "a file has to stand where this folder is", hint)
        return False
    return True


def _edited(file: File | None, path: str, manifest: Manifest | None) -> bool:
    """Whether the file differs from what the manifest says was written. A missing one was not edited."""
    if file is None or manifest is None or path not in manifest.files:
        return False
    return hashlib.sha256(file.content).hexdigest() != manifest.files[path].sha256


def _files_under(out: Path, folder: str) -> Iterator[str]:
    for place, folders, files in os.walk(out / folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in files + links:
            yield (Path(place) / name).relative_to(out).as_posix()


def _parents(path: str) -> Iterator[str]:
    """The folders of a path, innermost first, without the output folder itself."""
    folder = path.rpartition("/")[0]
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]


def _carry_out(plan: _Plan, out: Path) -> None:
    staging = out / STAGING
    try:
        os.mkdir(staging, 0o700)
        _make_parents(staging / "new", (file.path for file in plan.placed))
        for file in plan.placed:
            _stage(file, os.path.join(staging, "new", file.path))
        _make_parents(staging / "old", plan.kept)
        for path in plan.kept:
            _keep(out / path, staging / "old" / path)
        _write_journal(plan, staging)
        for path in plan.removed:
            os.unlink(out / path)
        emptied = {folder for path in plan.removed for folder in _parents(path)} - plan.needed
        for path in sorted(emptied, reverse=True):
            _remove_if_empty(out / path)
        moved = _move_new_folders(plan.folders, staging / "new", out)
        for file in plan.placed:
            if not moved.intersection(_parents(file.path)):
                os.replace(staging / "new" / file.path, out / file.path)
        os.unlink(staging / _JOURNAL)
    except BaseException as error:
        try:
            _undo(out)
        except OSError as second:
            raise _cannot_write(
                second, out, "putting the old files back failed too; the next run does it"
            ) from error
        shutil.rmtree(staging, ignore_errors=True)
        raise
    # The new tree counts from here on: what cannot be cleared away now, the next run clears.
    shutil.rmtree(staging, ignore_errors=True)


def _move_new_folders(folders: Iterable[str], new: Path, out: Path) -> set[str]:
    """Move the outermost folders that are not there yet, each with all that is in it; return them."""
    moved: set[str] = set()
    for path in folders:  # outer ones come first
        if not moved.intersection(_parents(path)):
            os.rename(new / path, out / path)
            moved.add(path)
    return moved


def _make_parents(top: Path, paths: Iterable[str]) -> None:
    for folder in dict.fromkeys(path.rpartition("/")[0] for path in paths):
        os.makedirs(top / folder, exist_ok=True)


def _stage(file: File, place: str) -> None:
    # The mode is a request that the umask narrows, as for any new file.
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o777 if file.executable else 0o666)
    with open(handle, "wb", buffering=0) as stream:
        rest = memoryview(file.content)
        while rest:
            rest = rest[stream.write(rest) :]
        if os.fstat(handle).st_size != len(file.content):
            raise OSError(errno.EIO, "not all of a file was written", place)


def _keep(place: Path, backup: Path) -> None:
    """Give a file a second name, so that it can be put back as it is, times and all."""
    try:
        os.link(place, backup, follow_symlinks=False)
    except OSError:
        # Some file systems have no hard links, and Linux may refuse one to another user's file.
        with suppress(FileNotFoundError):
            os.unlink(backup)
        shutil.copy2(place, backup, follow_symlinks=False)


def _write_journal(plan: _Plan, staging: Path) -> None:
    draft = staging / (_JOURNAL + ".draft")
    with open(draft, "x", encoding="utf-8") as stream:
        json.dump({"created": plan.created, "folders": plan.folders, "kept": plan.kept}, stream)
    os.replace(draft, staging / _JOURNAL)


def _recover(out: Path) -> None:
    """Undo what a run that died had begun."""
    staging = out / STAGING
    if not os.path.lexists(staging):
        return
    if staging.is_symlink() or not staging.is_dir():
        raise OzoneError(
            codes.ForeignFile.at(
                Position(str(staging)), "a folder of ozone-gen has to stand here", hint="move it away"
            )
        )
    _undo(out)
    shutil.rmtree(staging)


def _undo(out: Path) -> None:
    """Put everything back as the journal says; can be done again if it is interrupted."""
    staging = out / STAGING
    try:
        content = (staging / _JOURNAL).read_bytes()
    except FileNotFoundError:
        return
    created, folders, kept = _parse_journal(content, out)
    for path in created:
        if not (out / path).is_dir() or (out / path).is_symlink():
            with suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(out / path)
    for path in reversed(folders):
        _remove_if_empty(out / path)
    for path in kept:
        backup = staging / "old" / path
        if os.path.lexists(backup):
            os.makedirs((out / path).parent, exist_ok=True)
            os.replace(backup, out / path)
    os.unlink(staging / _JOURNAL)


def _parse_journal(content: bytes, out: Path) -> tuple[list[str], list[str], list[str]]:
    """The journal's lists of paths. It steers what is removed, so it is trusted no more than a manifest."""
    folder = _Folder(out)
    try:
        data = json.loads(content)
        created, folders, kept = ([*data[key]] for key in ("created", "folders", "kept"))
        if any(not isinstance(path, str) or path_problem(path) for path in created + folders + kept):
            raise ValueError("a path in it leads out of the folder")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        message = "an interrupted run left a journal that cannot be read"
        hint = f"remove the folder {STAGING} and render with --force"
        where = Position(str(out / STAGING / _JOURNAL))
        raise OzoneError(codes.BrokenManifest.at(where, message, hint=hint)) from error
    for path in created + folders + kept:
        folder.parent_state(path)
    folder.raise_problems()
    return created, folders, kept


def _remove_if_empty(folder: Path) -> None:
    try:
        os.rmdir(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR):
            raise


def _make_folders(out: Path, made: list[Path]) -> None:
    """Make `out` and the folders above it that are missing, and add each to `made`, outer ones first."""
    missing: list[Path] = []
    place = out
    while not place.exists() and place != place.parent:
        missing.append(place)
        place = place.parent
    for folder in reversed(missing):
        with suppress(FileExistsError):  # Another run may make it at the same time.
            os.mkdir(folder)
            made.append(folder)


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with this process, or raise OutputError where another run holds
    it."""
    handle = os.open(out, os.O_RDONLY | os.O_DIRECTORY)
    try:
        in_use = codes.FolderInUse.at(
            Position(str(out)),
            "another ozone-gen is writing to this folder",
            hint="try again when it has ended",
        )
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(in_use) from None
        except OSError as error:
            # Some network file systems have no locks: then it is for the user not to run two at once.
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EBADF, errno.ENOSYS, errno.EINVAL):
                raise
        if not os.path.samestat(os.fstat(handle), os.stat(out)):
            raise OutputError(in_use)
        yield
    finally:
        os.close(handle)


@contextmanager
def telling_what_failed(out: Path) -> Iterator[None]:
    """Turn errors of the operating system about a folder into an OutputError."""
    try:
        yield
    except OSError as error:
        raise _cannot_write(error, out) from error


def _cannot_write(error: OSError, out: Path, more: str = "") -> OutputError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "free some space"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        hint = "check its owner and permissions, or choose another output folder"
    elif error.errno in (errno.ENOTDIR, errno.EEXIST):
        hint = "an output folder has to be a folder"
    else:
        hint = ""
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(out)
    message = (error.strerror or str(error)) + (f"; {more}" if more else "")
    return OutputError(codes.CannotWrite.at(Position(place), message[:1].lower() + message[1:], hint=hint))
