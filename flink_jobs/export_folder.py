"""The folder of exports: who may write into it, and how a complete export takes its place.

    TABLE/site=TAG/date=YYYY-MM-DD/part-NNNNN.parquet    every date holds all rows as they were then
    _exports/site=TAG/date=YYYY-MM-DD.json               what belongs to an export, with row counts and hashes

The manifest is written last. An export without one did not happen, and what it left is removed by the next.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

MANIFESTS = "_exports"
_DATE = re.compile(r"date=(\d{4}-\d{2}-\d{2})")
_STAGED_MANIFEST = "manifest.json"


class BusyError(Exception):
    """Another program writes into the folder or reads an export out of it."""


def sha256_of(path: Path) -> str:
    """Return the hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _sha256(file)


def _sha256(file: Any) -> str:
    digest = hashlib.sha256()  # file_digest came with Python 3.11, and Flink's image may have an older one
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


class ExportFolder:
    """The exports of one site in a folder that may hold those of others."""

    def __init__(self, folder: Path, location_tag: str) -> None:
        """Nothing is touched before `locked`."""
        self.folder = folder
        self._site = f"site={location_tag}"
        self.staging = folder / ".staging"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder; BusyError where somebody else does. A process that dies lets go of it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                    raise BusyError(f"another export or upload uses {self.folder}") from None
                raise
            self.recover()
            try:
                yield
            finally:
                self.recover()

    def begin(self) -> Path:
        """Make an empty folder for what is not complete yet, on the same file system."""
        shutil.rmtree(self.staging, ignore_errors=True)
        self.staging.mkdir()
        return self.staging

    def path_of(self, table: str, date: str) -> Path:
        """Return the folder of a table's files in the export of a date."""
        return self.folder / table / self._site / f"date={date}"

    def newest(self) -> Mapping[str, Any] | None:
        """Return the manifest of the newest export, where there is one that can be read."""
        for date in sorted(self._dates(), reverse=True):
            manifest = self._manifest(date)
            if manifest is not None:
                return manifest
        return None

    def publish(self, staged: Path, manifest: Mapping[str, Any], keep: int) -> None:
        """Let an export take its place: its tables stand in `staged`, by their names.

        All that needs room on the disk is written before anything moves.
        """
        date = manifest["date"]
        manifests = self.folder / MANIFESTS / self._site
        manifests.mkdir(parents=True, exist_ok=True)
        noted = self.staging / _STAGED_MANIFEST
        noted.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        for table in manifest["tables"]:
            self.path_of(table["name"], date).parent.mkdir(parents=True, exist_ok=True)
            _flush_tree(staged / table["name"])
        _flush(noted)
        _flush(self.staging)
        for table in manifest["tables"]:
            target = self.path_of(table["name"], date)
            if target.exists():
                target.rename(self._replaced(target))
            (staged / table["name"]).rename(target)
            _flush(target.parent)
        noted.rename(manifests / f"date={date}.json")
        _flush(manifests)
        self.recover()
        self._prune(keep)

    def recover(self) -> None:
        """Finish or take back what was begun, and remove what is not complete."""
        noted = self.staging / _STAGED_MANIFEST
        if noted.exists():
            with contextlib.suppress(ValueError, KeyError):  # cut off: then nothing was moved yet
                self._take_back(json.loads(noted.read_text(encoding="utf-8")))
        for replaced in self.folder.glob(f"*/{self._site}/.replaced-date=*"):
            shutil.rmtree(replaced)
        shutil.rmtree(self.staging, ignore_errors=True)

    def _take_back(self, manifest: Mapping[str, Any]) -> None:
        before = self._manifest(manifest["date"])
        owned = {table["name"] for table in before["tables"]} if before else set()
        for table in manifest["tables"]:
            target = self.path_of(table["name"], manifest["date"])
            replaced = self._replaced(target)
            if replaced.exists():
                shutil.rmtree(target, ignore_errors=True)
                replaced.rename(target)
            elif table["name"] not in owned:
                shutil.rmtree(target, ignore_errors=True)

    @staticmethod
    def _replaced(target: Path) -> Path:
        return target.with_name(f".replaced-{target.name}")

    # --- manifests

    def _dates(self) -> list[str]:
        names = (path.name for path in (self.folder / MANIFESTS / self._site).glob("date=*.json"))
        return [found[1] for name in names if (found := _DATE.fullmatch(name.removesuffix(".json")))]

    def _manifest(self, date: str) -> Mapping[str, Any] | None:
        path = self.folder / MANIFESTS / self._site / f"date={date}.json"
        try:
            manifest: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return manifest if manifest.get("version") == 1 else None

    def _prune(self, keep: int) -> None:
        """Remove the oldest exports, and files that belong to no export."""
        for date in sorted(self._dates(), reverse=True)[keep:]:
            (self.folder / MANIFESTS / self._site / f"date={date}.json").unlink()
        owned = set()
        for date in self._dates():
            manifest = self._manifest(date)
            if manifest is None:
                return  # one that cannot be read is a person's to look at, with its files
            owned |= {self.path_of(table["name"], date) for table in manifest["tables"]}
        for path in self.folder.glob(f"*/{self._site}/date=*"):
            if _DATE.fullmatch(path.name) and path.is_dir() and path not in owned:
                shutil.rmtree(path)


def _flush_tree(folder: Path) -> None:
    for path in folder.iterdir():
        _flush(path)
    _flush(folder)


def _flush(path: Path) -> None:
    """Make sure that a file's content, or a folder's list of files, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
