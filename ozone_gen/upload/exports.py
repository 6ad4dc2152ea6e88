"""The exports in a folder, as the site's export or a disk brought them, and whether they are whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from ozone_gen.diagnostics import Diagnostic, OutputError, OzoneError, Position, codes
from ozone_gen.resources import load_schema

MANIFESTS: Final = "_exports"
_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class Part:
    """A Parquet file of an export.

    Attributes:
        table: the flattened table.
        number: which of its ranges of keys.
        path: the file in the folder, with slashes.
        bytes: its size.
        sha256: its hash.
    """

    table: str
    number: int
    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Export:
    """The newest export of one site in a folder; `document` is its manifest as it stands."""

    folder: Path
    manifest: Path
    site: str
    date: str
    parts: tuple[Part, ...]
    document: Mapping[str, Any]

    @property
    def time(self) -> str:
        """When it was made on that day: two exports of one day are two in the store."""
        moment: str = self.document["exported_at"]
        return moment[11:19].replace(":", "")

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(part.bytes for part in self.parts)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep an export from replacing the files while they are read. Raises OutputError where one is running."""
    with _lock_file(folder) as file:
        if file is not None and not _locked(file):
            message = "an export or another upload is using the folder"
            raise OutputError(codes.FolderInUse.at(Position(str(folder)), message, hint="try again when it has ended"))
        yield


@contextmanager
def _lock_file(folder: Path) -> Iterator[IO[str] | None]:
    try:
        file = (folder / ".lock").open(encoding="utf-8")
    except OSError:  # carried by disk: nobody exports into it
        yield None
        return
    with file:
        yield file


def _locked(file: IO[str]) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows, where no export runs
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def exports_of(folder: Path) -> list[Export]:
    """Read the newest manifest of each site in a folder.

    Raises:
        OutputError: there is none.
        OzoneError: one cannot be used; the files of the others are not touched either.
    """
    newest: dict[str, Path] = {}
    for manifest in sorted(folder.glob(f"{MANIFESTS}/site=*/date=*.json")):
        newest[manifest.parent.name] = manifest  # in the order of dates
    if not newest:
        message = "there is no complete export: no manifest is below _exports"
        hint = "name the folder `parquet` of a site, and look whether its export ended well"
        raise OutputError(codes.NoExport.at(Position(str(folder)), message, hint=hint))
    return [_read(folder, manifest) for manifest in newest.values()]


def _read(folder: Path, manifest: Path) -> Export:
    from jsonschema import Draft7Validator

    try:
        document = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(manifest, f"the manifest cannot be read: {error}") from error
    for wrong in Draft7Validator(load_schema("export-manifest")).iter_errors(document):
        raise _damaged(manifest, f"the manifest is none of an export: {wrong.message[:200]}")
    place = (manifest.parent.name, manifest.stem)
    if place != (f"site={document['site']}", f"date={document['date']}"):
        raise _damaged(manifest, f"the manifest is that of {document['site']} of {document['date']}")
    parts = tuple(
        Part(table["name"], part["number"], part["path"], part["bytes"], part["sha256"])
        for table in document["tables"]
        for part in table["parts"]
    )
    for part in parts:
        if not part.path.startswith(f"{part.table}/site={document['site']}/date="):
            raise _damaged(manifest, f"the manifest names {part.path}, which is of another table or site")
    return Export(folder, manifest, document["site"], document["date"], parts, document)


def _damaged(file: Path, message: str) -> OzoneError:
    return OzoneError([codes.DamagedExport.at(Position(str(file)), message)])


def verify(export: Export, advance: Callable[[int], None]) -> dict[Part, str]:
    """Compare every file with the manifest; return their MD5 sums, by which stores name contents.

    Raises OzoneError with a finding for each file that is missing or damaged.
    """
    sums: dict[Part, str] = {}
    findings: list[Diagnostic] = []
    hint = "export again, or copy the folder again; nothing of this export was uploaded"
    for part in export.parts:
        file = export.folder / part.path
        try:
            sha256, md5 = _sums(file, advance)
        except OSError as error:
            message = f"the file cannot be read: {error.strerror or error}"
            findings.append(codes.DamagedExport.at(Position(str(file)), message, hint=hint))
            continue
        if sha256 != part.sha256:
            message = f"the file is damaged: its content is not what {export.site} exported on {export.date}"
            findings.append(codes.DamagedExport.at(Position(str(file)), message, hint=hint))
        sums[part] = md5
    if findings:
        raise OzoneError(findings)
    return sums


def _sums(file: Path, advance: Callable[[int], None]) -> tuple[str, str]:
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            sha256.update(block)
            md5.update(block)
            advance(len(block))
    return sha256.hexdigest(), md5.hexdigest()
