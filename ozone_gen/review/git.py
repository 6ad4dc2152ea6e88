"""The files of git revisions that sites are made of, put into folders of their own.

Blobs are read by `git cat-file`, neither checked out nor archived: no filter, attribute or hook of the repository
changes them, and its work tree stays as it is.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from ozone_gen.diagnostics import OutputError, Position, codes, did_you_mean

_READ: Final = frozenset((".yaml", ".yml"))
"""Sites, their locks and nearly all that they extend."""
_HISTORY: Final = "git log shows them; in CI, fetch the history (fetch-depth: 0 on GitHub, GIT_DEPTH: 0 on GitLab)"
_LINK: Final = "120000"


@dataclass(frozen=True)
class Revision:
    """A revision: `name` as it was asked for, `commit` its hash, `blobs` the hash of each file by its path."""

    name: str
    commit: str
    blobs: Mapping[str, str]

    @property
    def yaml(self) -> list[str]:
        """The YAML files."""
        return [path for path in self.blobs if PurePosixPath(path).suffix in _READ]


def top_folder() -> Path:
    """The top folder of the repository in which the command runs."""
    return Path(os.fsdecode(_git(["rev-parse", "--show-toplevel"])).rstrip("\n"))


def ends(span: str, top: Path) -> tuple[Revision, Revision | None]:
    """The revisions of `BASE..HEAD`, `BASE...HEAD` (from where they parted) or `BASE`, whose other side is the work
    tree: None.

    Raises:
        OutputError: git is not there, or does not know a revision.
    """
    base, dots, head = span.partition("...")
    if dots:
        base, head = base or "HEAD", head or "HEAD"
        commits = _commit(base), _commit(head)
        try:
            common = _git(["merge-base", *commits]).decode().strip()
        except OutputError:
            message = f"{base} and {head} have no common history here"
            raise OutputError(codes.GitRefused.at(Position(span), message, hint=_HISTORY)) from None
        return _revision(base, common, top), _revision(head, commits[1], top)
    base, dots, head = span.partition("..")
    first = _revision(base or "HEAD", _commit(base or "HEAD"), top)
    return first, _revision(head or "HEAD", _commit(head or "HEAD"), top) if dots and head else None


def _commit(name: str) -> str:
    try:
        found = _git(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"])
    except OutputError as error:
        if error.diagnostics[0].hint != "":
            raise
        known = _git(["for-each-ref", "--format=%(refname:short)"]).decode(errors="replace").split()
        shallow = _git(["rev-parse", "--is-shallow-repository"]).startswith(b"true")
        hint = _HISTORY if shallow else did_you_mean(name, known) or _HISTORY
        message = f"`{name}` is no revision of this repository"
        raise OutputError(codes.GitRefused.at(Position(name), message, hint=hint)) from None
    return found.decode().strip()


def _revision(name: str, commit: str, top: Path) -> Revision:
    listed = _git(["ls-tree", "-r", "-z", "--full-tree", commit], top).split(b"\0")
    blobs = {}
    for line in listed:
        about, _, path = line.partition(b"\t")
        kind = about.split()
        place = PurePosixPath(os.fsdecode(path))
        is_file = len(kind) == 3 and kind[1] == b"blob" and kind[0].decode() != _LINK
        if is_file and ".." not in place.parts:
            blobs[str(place)] = kind[2].decode()
    return Revision(name, commit, blobs)


def put(revision: Revision, paths: Sequence[str], folder: Path, top: Path) -> None:
    """Write the files of a revision that have these paths into a folder."""
    wanted = [path for path in paths if path in revision.blobs]
    asked = "".join(f"{revision.blobs[path]}\n" for path in wanted).encode()
    answer = memoryview(_git(["cat-file", "--batch"], top, asked)) if wanted else memoryview(b"")
    at = 0
    for path in wanted:
        # `<hash> blob <size>`, a line end, the content, a line end.
        end = at + bytes(answer[at : at + 200]).index(b"\n")
        size = int(bytes(answer[at:end]).split()[2])
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(answer[end + 1 : end + 1 + size])
        at = end + 1 + size + 1


def work_tree(top: Path) -> list[str]:
    """The YAML files of the work tree: tracked and new ones, not the ignored."""
    listed = _git(["ls-files", "-z", "--cached", "--others", "--exclude-standard"], top).split(b"\0")
    paths = dict.fromkeys(os.fsdecode(path) for path in listed if path)
    return [path for path in paths if PurePosixPath(path).suffix in _READ and (top / path).is_file()]


def _git(arguments: Sequence[str], folder: Path | None = None, asked: bytes | None = None) -> bytes:
    command = ["git", *(["-C", str(folder)] if folder else []), *arguments]
    try:
        done = subprocess.run(command, input=asked, capture_output=True, check=False)
    except FileNotFoundError:
        message, hint = "git is not installed", "install it, or compare two files or folders"
        raise OutputError(codes.GitRefused.at(Position("git"), message, hint=hint)) from None
    except ValueError as error:  # a NUL in a name
        raise OutputError(codes.GitRefused.at(Position("git"), "no revision can have this name")) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        message, hint = f"git {arguments[0]}: {said[-1] if said else 'it failed'}", ""
        if any("not a git repository" in line for line in said):
            message, hint = "this folder is in no git repository", "run it in one, or compare two files or folders"
        elif any("dubious ownership" in line for line in said):
            message = "git does not trust this repository, as it belongs to somebody else"
            hint = "git config --global --add safe.directory FOLDER"
        raise OutputError(codes.GitRefused.at(Position("git"), message, hint=hint))
    return done.stdout
