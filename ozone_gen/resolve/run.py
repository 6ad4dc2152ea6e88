"""From a dictionary to the lock of a file, and how it differs from the one that is there."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from ozone_gen.diagnostics import Diagnostic, OzoneError, Position, codes
from ozone_gen.load import site_of
from ozone_gen.lock import Lock, make_lock, same_content
from ozone_gen.lock_file import lock_bytes, lock_path, parse_lock
from ozone_gen.openmrs.dictionary import Dictionary
from ozone_gen.source import Source


@dataclass(frozen=True)
class Resolution:
    """What became of the references of a file.

    Attributes:
        lock: what was found.
        path: where the lock belongs.
        content: the bytes that the lock's file is to have.
        before: the bytes that it has; None where there is none.
        warnings: findings that do not stop a command.
    """

    lock: Lock
    path: Path
    content: bytes
    before: bytes | None
    warnings: tuple[Diagnostic, ...]

    @property
    def changed(self) -> bool:
        """Whether the file has to be written."""
        return self.content != self.before

    def diff(self) -> str:
        """What would change in the file, as a unified diff."""
        before = (self.before or b"").decode("utf-8", "replace").splitlines()
        after = self.content.decode().splitlines()
        names = (str(self.path) if self.before is not None else "/dev/null", str(self.path))
        return "".join(f"{line}\n" for line in difflib.unified_diff(before, after, *names, lineterm=""))


def resolve(source: Source, dictionary: Dictionary) -> Resolution:
    """Look everything up that a file refers to.

    Raises:
        OzoneError: with every finding about the file, when at least one is an error; the lock's file is unreadable.
    """
    site = site_of(source, dictionary)
    lock = make_lock(site.spec, dictionary)
    path = lock_path(source.file)
    try:
        before = path.read_bytes() if path.exists() else None
    except OSError as error:
        message = f"the lock cannot be read: {error.strerror or error}"
        raise OzoneError(codes.UnreadableFile.at(Position(str(path)), message)) from None
    content = lock_bytes(lock)
    if before is not None and _says_the_same(before, lock, path):
        # Another version of the tool alone is no reason for a change to review.
        content = before
    return Resolution(lock, path, content, before, site.warnings)


def _says_the_same(content: bytes, lock: Lock, path: Path) -> bool:
    try:
        return same_content(parse_lock(content, str(path), lock.site), lock)
    except OzoneError:
        return False


def stale_lock(resolution: Resolution) -> tuple[Diagnostic, ...]:
    """The findings that the lock's file is not what it should be: what is wrong with it, or that it differs."""
    if not resolution.changed:
        return ()
    file, hint = str(resolution.path), "run `ozone-gen resolve`, look at what it changes, and commit it"
    if resolution.before is None:
        return (codes.StaleLock.at(Position(file), "there is no lock", hint=hint),)
    try:
        parse_lock(resolution.before, file, resolution.lock.site)
    except OzoneError as error:
        return error.diagnostics
    message = "the lock differs from what the dictionary says now"
    return (codes.StaleLock.at(Position(file, 1, 1), message, hint=hint),)
