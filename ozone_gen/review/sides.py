"""The two sides of a review: files, rendered folders, folders of sites, or two revisions of a git repository."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ozone_gen.diagnostics import OutputError, OzoneError, Position, codes
from ozone_gen.extends import bases_of
from ozone_gen.lock_file import lock_path
from ozone_gen.render.manifest import MANIFEST
from ozone_gen.render.tree import File
from ozone_gen.review import git

if TYPE_CHECKING:
    from ozone_gen.load import Site

FILE: Final = "ozone.yaml"
_LOCK: Final = ".lock.yaml"
_ID: Final = re.compile(rb"^site\s*:(?:\s*\{[^}\n]*?|(?:\n\s+.*)*?\n\s+)\bid\s*:\s*[\"']?([a-z0-9-]+)", re.MULTILINE)


@dataclass(frozen=True)
class Side:
    """Where a site's files come from: an ozone.yaml to be rendered, or a folder that was rendered.

    Attributes:
        path: the file or the folder.
        root: the folder that stands for `revision`, where it does.
        revision: the name of a git revision, for findings.
    """

    path: Path
    root: Path | None = None
    revision: str = ""

    @property
    def shown(self) -> str:
        """How people know it."""
        if self.root is None:
            return str(self.path)
        place = self.path.relative_to(self.root).as_posix()
        return f"{self.revision}:{place}" if self.revision else place

    def identity(self) -> str:
        """The id that the site has, as far as that is seen at a glance; else empty."""
        found = _ID.search(_content(self.path) or b"") if self.path.is_file() else None
        return found[1].decode() if found else ""

    def read(self) -> Site | Mapping[str, File]:
        """The site of a file, or the files of a folder. Raises OzoneError where it cannot be read, or is wrong."""
        try:
            return self._read()
        except OzoneError as error:
            if self.root is None:
                raise
            found = [replace(each, position=self._known(each.position)) for each in error.diagnostics]
            raise type(error)(found) from None

    def _read(self) -> Site | Mapping[str, File]:
        if self.path.is_dir():
            from ozone_gen.write import read_tree

            return read_tree(self.path)
        from ozone_gen.load import load

        return load(str(self.path))

    def _known(self, position: Position) -> Position:
        try:
            return replace(position, file=replace(self, path=Path(position.file)).shown)
        except ValueError:  # not below the root
            return position

    def same_input(self, other: Side) -> bool:
        """Whether both are made from the same bytes, and so need not be rendered to know that they are equal."""
        if self.path.is_dir() or other.path.is_dir():
            return False
        own = _inputs(self.path)
        return own is not None and own == _inputs(other.path)


def _inputs(path: Path) -> dict[str, bytes | None] | None:
    """The content of a site's file, its lock and what it extends, by path from its folder; None: not to be told."""
    found = {"lock": _content(lock_path(str(path)))}
    waiting = [str(path)]
    while waiting:
        file = waiting.pop()
        name = os.path.relpath(file, path.parent)
        if name in found:
            continue
        content = found[name] = _content(Path(file))
        bases = None if content is None else _bases(file, content)
        if bases is None:
            return None  # whoever renders it says what is wrong
        waiting += bases
    return found


def _bases(file: str, content: bytes) -> list[str] | None:
    """The files that a file extends; None: not to be told."""
    named = _named(content)
    return None if named is None else [os.path.normpath(os.path.join(os.path.dirname(file), name)) for name in named]


@lru_cache(maxsize=64)
def _named(content: bytes) -> tuple[str, ...] | None:
    """The same, seen from its folder: both sides of most sites, and their bases, are equal and looked at once."""
    try:
        return bases_of(content, "")
    except OzoneError:
        return None


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (OSError, ValueError):  # ValueError: no file can have this name
        return None


@dataclass(frozen=True)
class Pair:
    """One site by a name that both sides share; None for a side that does not have it.

    `same` where it is known already that nothing differs; `notes` are sentences about where it is found.
    """

    name: str
    old: Side | None
    new: Side | None
    same: bool = False
    notes: tuple[str, ...] = ()


def pair(old: Path, new: Path) -> list[Pair]:
    """Pair two files, two rendered folders, a file and a rendered folder, or two folders that hold sites.

    Raises:
        OutputError: a side is not there, or holds no site.
    """
    for path in (old, new):
        if not path.exists():
            raise OutputError(codes.NothingToCompare.at(Position(str(path)), "there is no such file or folder"))
    if not (_holds_sites(old) or _holds_sites(new)):
        return [_pair(str(new), Side(old), Side(new))]
    before, after = _sites_below(old), _sites_below(new)
    return [_pair(name, before.get(name), after.get(name)) for name in sorted({*before, *after})]


def _pair(name: str, old: Side | None, new: Side | None) -> Pair:
    return Pair(name, old, new, same=old is not None and new is not None and old.same_input(new))


def _holds_sites(path: Path) -> bool:
    return path.is_dir() and not (path / MANIFEST).exists()


def _sites_below(folder: Path) -> dict[str, Side]:
    if not folder.is_dir():
        message, hint = "one side is a single site and the other a folder of sites", "name two of a kind"
        raise OutputError(codes.NothingToCompare.at(Position(str(folder)), message, hint=hint))
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.yaml"))
    found = {name: Side(folder / name) for name in _sites_of(paths)}
    folders = {side.path.parent for side in found.values()}
    for path in sorted(folder.rglob(MANIFEST)):
        if path.parent not in folders:
            found[path.parent.relative_to(folder).as_posix()] = Side(path.parent)
    if not found:
        message, hint = "there is no site in this folder", f"a site is an {FILE} or a rendered folder"
        raise OutputError(codes.NothingToCompare.at(Position(str(folder)), message, hint=hint))
    return found


def _sites_of(paths: Collection[str]) -> list[str]:
    """The sites among files: each ozone.yaml, and whatever else has a lock beside it."""
    present = set(paths)
    return [
        path
        for path in paths
        if path.rpartition("/")[2] == FILE
        or (not path.endswith(_LOCK) and path.endswith(".yaml") and _lock_of(path) in present)
    ]


def _lock_of(path: str) -> str:
    return f"{path.removesuffix('.yaml')}{_LOCK}"


@contextmanager
def revisions(span: str, paths: Sequence[Path]) -> Iterator[list[Pair]]:
    """The sites of two revisions, `BASE..HEAD`, `BASE...HEAD` (from where they parted) or `BASE` (to the work tree).

    `paths` are files of sites or folders; none stands for the whole repository.

    Raises:
        OutputError: git is not there, this is no repository, a revision is not known, a path holds no site.
    """
    top = git.top_folder()
    wanted = [_inside(path, top) for path in paths] or ["."]
    base, head = git.ends(span, top)
    listed = [base.yaml, head.yaml if head else git.work_tree(top)]
    chosen = [_chosen(names, wanted) for names in listed]
    for place, path in zip(wanted, paths, strict=False):
        if not any(_below(name, place) for names in chosen for name in names):
            message = "there is no site here, in neither revision"
            hint = f"a site is an {FILE}, or a file that you name"
            raise OutputError(codes.NothingToCompare.at(Position(str(path)), message, hint=hint))
    with tempfile.TemporaryDirectory(prefix="ozone-gen-") as scratch:
        roots = [Path(scratch, "old"), Path(scratch, "new") if head else top]
        for revision, names, below, root in zip((base, head), listed, chosen, roots, strict=True):
            if revision:
                git.put(revision, names, root, top)
                _put_bases(revision, below, root, top)
        sides = [
            {name: Side(root / name, root, revision) for name in names}
            for names, root, revision in zip(chosen, roots, (base.name, head.name if head else ""), strict=True)
        ]
        yield [_pair(name, sides[0].get(name), sides[1].get(name)) for name in sorted({*chosen[0], *chosen[1]})]


def _put_bases(revision: git.Revision, names: Sequence[str], root: Path, top: Path) -> None:
    """Write the files, too, that sites extend and whose names do not end as those of YAML files do."""
    waiting = {str(root / name) for name in names}
    known: set[str] = set()
    while waiting:
        known |= waiting
        files = [(file, _content(Path(file))) for file in waiting]
        waiting = {base for file, content in files if content for base in _bases(file, content) or ()} - known
        missing = sorted(file for file in waiting if not os.path.exists(file))
        git.put(revision, [os.path.relpath(file, root) for file in missing], root, top)


def _chosen(names: Collection[str], wanted: Sequence[str]) -> list[str]:
    below = [name for name in _sites_of(names) if any(_below(name, place) for place in wanted)]
    # A file that is named is a site, whatever it is called.
    return list(dict.fromkeys((*below, *(name for name in wanted if name in set(names)))))


def _below(name: str, place: str) -> bool:
    return place == "." or name == place or name.startswith(f"{place}/")


def _inside(path: Path, top: Path) -> str:
    place = Path(os.path.realpath(path.parent if path.parent != path else path), path.name)
    try:
        return place.relative_to(os.path.realpath(top)).as_posix()
    except ValueError:
        message = f"it is not in the repository {top}"
        raise OutputError(codes.NothingToCompare.at(Position(str(path)), message)) from None
