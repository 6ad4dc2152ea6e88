"""Files to be written, as data: a `File` is a path and its bytes, a `FileTree` is all that one site gets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

# Control characters; and what Windows, Drill or shells refuse or misread in a file's name.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f\\:*?"<>|\ud800-\udfff]')
_LONGEST_PART = 255  # bytes, on all common file systems


@dataclass(frozen=True)
class File:
    """One file of the output.

    `path` is relative to the output folder and has `/` between its parts. Anything that could lead out of the
    folder, or that some file system refuses, is a ValueError.

    A `seed` is written only where there is none: it is the reader's from then on, and is never compared,
    overwritten, listed in the manifest, or removed.
    """

    path: str
    content: bytes
    executable: bool = False
    seed: bool = False

    def __post_init__(self) -> None:
        problem = path_problem(self.path)
        if problem:
            raise ValueError(f"{self.path!r} cannot be the path of an output file: {problem}")


class FileTree(Mapping[str, File]):
    """Files by path, in the order of their paths. Two files of one path are a ValueError.

    So are two paths that differ only in case (one file on macOS and Windows), and a path that is another's
    folder.
    """

    def __init__(self, files: Iterable[File] = ()) -> None:
        self._files = _by_path([("", files)])

    @classmethod
    def merge(cls, parts: Iterable[tuple[str, Iterable[File]]]) -> FileTree:
        """One tree of several parts, each with the name of what made it, which an error about a clash
        tells."""
        tree = cls()
        tree._files = _by_path(parts)
        return tree

    def __getitem__(self, path: str) -> File:
        return self._files[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __repr__(self) -> str:
        return f"FileTree({', '.join(self._files)})"


def _by_path(parts: Iterable[tuple[str, Iterable[File]]]) -> dict[str, File]:
    files: dict[str, File] = {}
    makers: dict[str, tuple[str, str]] = {}  # folded path -> path, maker
    for maker, made in parts:
        for file in made:
            folded = file.path.casefold()
            if folded in makers:
                raise ValueError(_clash(makers[folded], (file.path, maker)))
            makers[folded] = (file.path, maker)
            files[file.path] = file
    for folded, own in makers.items():
        folder = folded.rpartition("/")[0]
        while folder:
            if folder in makers:
                raise ValueError(_clash(makers[folder], own))
            folder = folder.rpartition("/")[0]
    return dict(sorted(files.items()))


def _clash(first: tuple[str, str], second: tuple[str, str]) -> str:
    def shown(path_and_maker: tuple[str, str]) -> str:
        path, maker = path_and_maker
        return f"{path} of {maker}" if maker else path

    return f"two output files cannot exist together: {shown(first)} and {shown(second)}"


@lru_cache(maxsize=4096)
def path_problem(path: str) -> str:
    """Why a path is refused, or ""; the same few dozen paths come back for each of hundreds of sites."""
    if not path:
        return "it is empty"
    if path.startswith("/"):
        return "it is absolute"
    found = _FORBIDDEN.search(path)
    if found:
        return f"it contains {found.group()!r}"
    for part in path.split("/"):
        if part in ("", ".", ".."):
            return f"it has {part!r} between its slashes"
        if part.endswith((" ", ".")) or part.startswith(" "):
            return "a name in it starts or ends with a space, or ends with a dot"
        if len(part.encode()) > _LONGEST_PART:
            return f"a name in it is longer than {_LONGEST_PART} bytes"
    return ""
