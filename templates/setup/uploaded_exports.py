"""What sites have uploaded: their manifests, whether the files are there and whole, and which export is the newest."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from minio import Minio
from minio.error import S3Error

from .store_session import FILES
from .waiting import Problem

MANIFESTS = f"{FILES}_exports/"
_TAG = r"[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?"
_MANIFEST = re.compile(rf"{MANIFESTS}site=({_TAG})/date=(\d{{4}}-\d{{2}}-\d{{2}}/\d{{6}})\.json")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DIRECTORY = r"date=\d{4}-\d{2}-\d{2}/part-[0-9-]{5,20}-[0-9a-f]{12}"
_LARGEST_MANIFEST = 16 << 20


@dataclass(frozen=True)
class StoredFile:
    """A file of an export. `directory` is its folder below that of the table."""

    key: str
    directory: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class SiteExport:
    """One export of one site.

    Attributes:
        site: the location tag.
        moment: the day and the time of the export, as they stand in the manifest's key: 2026-01-31/235959.
        columns: for each table its columns, with their types in PostgreSQL's words.
        files: for each table its files.
    """

    site: str
    moment: str
    columns: Mapping[str, Mapping[str, str]]
    files: Mapping[str, tuple[StoredFile, ...]]

    @property
    def date(self) -> str:
        """The day of the export."""
        return self.moment[:10]

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all its files."""
        return frozenset(file.key for files in self.files.values() for file in files)


@dataclass(frozen=True)
class Listed:
    """An object as the store lists it."""

    key: str
    bytes: int
    etag: str


class BrokenExportError(Exception):
    """An export cannot be shown; the text says why."""


def parse_manifest(site: str, moment: str, document: Any) -> SiteExport:
    """Read a manifest. Raises BrokenExportError where it is none, or speaks of files of another site."""
    try:
        if document["version"] != 1 or (document["site"], document["date"]) != (site, moment[:10]):
            raise ValueError(f"it is of the site {document['site']!r} and of {document['date']!r}")
        columns, files = {}, {}
        for table in document["tables"]:
            name = _name(table["name"])
            columns[name] = {_name(column["name"]): str(column["type"]) for column in table["columns"]}
            files[name] = tuple(_file(site, name, part) for part in table["parts"])
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenExportError(f"its manifest cannot be used: {error!r}") from None
    return SiteExport(site, moment, columns, files)


def _name(text: Any) -> str:
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no name")
    return text


def _file(site: str, table: str, part: Mapping[str, Any]) -> StoredFile:
    path = part["path"]
    found = re.fullmatch(rf"{table}/(site={site}/{_DIRECTORY})/part-[0-9-]{{5,20}}\.parquet", path)
    if not found:
        raise ValueError(f"{path!r} is no path of the site {site}")
    return StoredFile(FILES + path, found[1], int(part["bytes"]), str(part["sha256"]))


class UploadedExports:
    """The exports in a bucket. Files that were found whole are not read again while the program runs."""

    def __init__(self, client: Minio, bucket: str) -> None:
        """`client` may read the bucket."""
        self._client = client
        self._bucket = bucket
        self._whole: set[tuple[str, str]] = set()
        self._read: dict[tuple[str, str], SiteExport | str] = {}

    def manifests(self) -> dict[str, dict[str, Listed]]:
        """The manifests by site and moment; what has another name is none."""
        found: dict[str, dict[str, Listed]] = {}
        for listed in self.listed(MANIFESTS):
            if match := _MANIFEST.fullmatch(listed.key):
                found.setdefault(match[1], {})[match[2]] = listed
        return found

    def listed(self, prefix: str) -> list[Listed]:
        """The objects whose keys begin so."""
        objects = self._client.list_objects(self._bucket, prefix, recursive=True)
        return [Listed(each.object_name or "", each.size or 0, each.etag or "") for each in objects]

    def newest(self, site: str, manifests: Mapping[str, Listed]) -> tuple[SiteExport | None, list[Problem]]:
        """The newest export of a site that is complete and whole, and what is wrong with those after it."""
        problems = []
        for moment in sorted(manifests, reverse=True):
            try:
                export = self.read(site, moment, manifests[moment])
                self._verify(export)
            except BrokenExportError as error:
                problems.append(
                    Problem(
                        f"The export of {site} of {moment} is not shown: {error}.",
                        "Upload it again; until then the one before it is shown.",
                    )
                )
            else:
                return export, problems
        return None, problems

    def read(self, site: str, moment: str, listed: Listed) -> SiteExport:
        """Read a manifest. Raises BrokenExportError where it cannot be used."""
        known = self._read.get((listed.key, listed.etag))
        if known is None:
            try:
                known = parse_manifest(site, moment, json.loads(self._content(listed)))
            except BrokenExportError as error:
                known = str(error)
            except ValueError:
                known = "its manifest is no JSON"
            self._read[listed.key, listed.etag] = known
        if isinstance(known, str):
            raise BrokenExportError(known)
        return known

    def _content(self, listed: Listed) -> bytes:
        if listed.bytes > _LARGEST_MANIFEST:
            raise BrokenExportError("its manifest is larger than any")
        answer = self._client.get_object(self._bucket, listed.key)
        try:
            return answer.read()
        finally:
            answer.close()
            answer.release_conn()

    def _verify(self, export: SiteExport) -> None:
        for table, files in export.files.items():
            missing = [file for file in files if (file.key, file.sha256) not in self._whole]
            if not missing:
                continue
            sizes = {listed.key: listed.bytes for listed in self.listed(f"{FILES}{table}/site={export.site}/")}
            for file in missing:
                if file.key not in sizes:
                    raise BrokenExportError(f"{file.key} is missing")
                if sizes[file.key] != file.bytes or self._sha256(file.key) != file.sha256:
                    raise BrokenExportError(f"{file.key} is damaged: its content is not what the site exported")
                self._whole.add((file.key, file.sha256))

    def _sha256(self, key: str) -> str:
        digest = hashlib.sha256()
        try:
            answer = self._client.get_object(self._bucket, key)
        except S3Error as error:
            if error.code == "NoSuchKey":
                raise BrokenExportError(f"{key} is missing") from None
            raise
        try:
            for block in answer.stream(1 << 20):
                digest.update(block)
        finally:
            answer.close()
            answer.release_conn()
        return digest.hexdigest()


def unneeded(
    objects: Iterable[tuple[str, float]], kept: Iterable[SiteExport], sites: Iterable[str], older_than: float
) -> list[str]:
    """The keys that no kept export of these sites has, of objects that came before a moment."""
    needed = {key for export in kept for key in export.keys}
    owned = tuple(f"/site={site}/" for site in sites)
    return [
        key
        for key, moment in objects
        if moment < older_than and key not in needed and not key.startswith(MANIFESTS) and any(o in key for o in owned)
    ]
