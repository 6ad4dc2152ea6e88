"""Puts the exports of many sites together: few large Parquet files for each table, which Drill reads much sooner.

What a query over a hundred sites costs depends on the number of files. So the newest exports of the sites are copied
into files of many sites each, with the site as a column. A merged file is written once and never changed; the index
says which files there are and what each was made of. It is written after the file and before the views, so whatever
stops this program leaves views that are right, and files that the next start finds and removes.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO, RawIOBase
from typing import Any

import pyarrow
import pyarrow.parquet
from minio import Minio
from minio.error import S3Error

from .store_session import MERGED
from .uploaded_exports import SiteExport, StoredFile
from .waiting import Problem, log

INDEX = f"{MERGED}index.json"
SITE = "location_tag"
"""The column of a merged file that says which site a row is of."""

SEGMENT_BYTES = 96 << 20
"""How much of the sites' files goes into one merged file: what a changed site costs is to write one of them anew."""

GROUP_ROWS = 500_000
GROUP_BYTES = 64 << 20
"""A row group ends with the site that brings it to so many rows, so that a query for one site reads little else; and
at so many bytes in memory. Every column of a row group is a request to the store, which costs it 5 ms of processor."""

BATCH_ROWS = 16_384
READ_BYTES = 1 << 20
"""How many rows, and bytes of a file, are in memory at once while a file is read."""

RETIRED_S = 15 * 60.0
"""How long a file stays that no view names any more: queries that were planned before still read it."""

_MERGEABLE = (
    pyarrow.types.is_integer, pyarrow.types.is_floating, pyarrow.types.is_string, pyarrow.types.is_boolean,
    pyarrow.types.is_decimal, pyarrow.types.is_date32, pyarrow.types.is_time32, pyarrow.types.is_timestamp,
)  # fmt: skip
"""Types that are written as they are read, so that Drill finds the same in a merged file."""


@dataclass(frozen=True)
class Segment:
    """A merged file.

    Attributes:
        table: the table.
        directory: its folder below that of the table; named by its content.
        files: for each site the hashes of the files that are in it.
    """

    table: str
    directory: str
    files: Mapping[str, tuple[str, ...]]

    @property
    def key(self) -> str:
        """The key of the file in the bucket."""
        return f"{MERGED}{self.table}/{self.directory}/rows.parquet"


class UnmergeableError(Exception):
    """A site's file cannot be read; the text says why."""

    def __init__(self, site: str, file: StoredFile, reason: object) -> None:
        super().__init__(f"{file.key}: {reason}")
        self.site = site
        self.file = file


def arrange(held: Iterable[Iterable[str]], sizes: Mapping[str, int], limit: int = SEGMENT_BYTES) -> list[list[str]]:
    """Say which sites share a file: each stays with those it is with, new ones go where there is room.

    `held` are the sites of the present files, `sizes` the bytes of each site that there is now. A group has more than
    `limit` bytes only where a single site or sites that grew have.
    """
    groups = [[site for site in sorted(sites) if site in sizes] for sites in held]
    groups = [group for group in groups if group]
    placed = {site for group in groups for site in group}
    for site in sorted(sizes.keys() - placed):
        room = (each for each in groups if sum(sizes[one] for one in each) + sizes[site] <= limit)
        group = next(room, None)
        if group is None:
            groups.append(group := [])
        group.append(site)
    return [sorted(group) for group in groups]


class _Stored(RawIOBase):
    """An object of the store as a file that is read here and there; each read is a request."""

    def __init__(self, client: Minio, bucket: str, file: StoredFile) -> None:
        super().__init__()
        self._client, self._bucket, self._file = client, bucket, file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._file.bytes)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = max(self._file.bytes - self._at, 0)
        size = left if size < 0 else min(size, left)
        if not size:
            return b""
        answer = self._client.get_object(self._bucket, self._file.key, offset=self._at, length=size)
        try:
            content = bytes(answer.read())
        finally:
            answer.close()
            answer.release_conn()
        self._at += len(content)
        return content


class MergedExports:
    """The merged files of the bucket."""

    def __init__(self, client: Minio, bucket: str, clock: Callable[[], float] = time.time) -> None:
        """`client` may read and write the whole bucket; `clock` gives seconds since 1970."""
        self._client = client
        self._bucket = bucket
        self._clock = clock
        self._segments: tuple[Segment, ...] = ()
        self._retired: dict[str, float] = {}
        self._schemas: dict[str, str] = {}
        self._unreadable: dict[str, Problem] = {}
        self._read_index()

    def current(self, exports: Sequence[SiteExport]) -> list[Segment]:
        """The merged files that hold nothing but what these exports have now."""
        wanted = {(table, export.site): hashes for export in exports for table, hashes in _hashes(export).items()}
        return [
            segment
            for segment in self._segments
            if all(wanted.get((segment.table, site)) == hashes for site, hashes in segment.files.items())
        ]

    def problems(self, exports: Sequence[SiteExport]) -> list[Problem]:
        """What keeps files of these exports from being merged; they are shown all the same."""
        present = _present(exports)
        return [problem for found, problem in self._unreadable.items() if found in present]

    def merge_next(self, exports: Sequence[SiteExport], tables: Iterable[str], alive: Callable[[], None]) -> bool:
        """Write one merged file that is missing; return whether there was one to write.

        `alive` is called while it goes on. A file that cannot be read is left out from then on, with its site's table.
        """
        missing = self._missing(exports, tables)
        if missing is None:
            self._forget(exports)
            return False
        table, group, replaced = missing
        try:
            segment = self._write(table, group, alive)
        except UnmergeableError as error:
            self._leave_out(error)
            return True
        now = self._clock()
        gone = {old.directory for old in replaced}
        keep = [old for old in self._segments if old.table != table or old.directory not in gone]
        self._retired |= {old.key: now for old in replaced if old.key != segment.key}
        self._retired.pop(segment.key, None)
        self._write_index((*keep, segment))
        log.info("Merged %s of %d sites: %s.", table, len(group), ", ".join(group))
        return True

    def clean(self, exports: Sequence[SiteExport]) -> None:
        """Remove merged files that no view has named for a while; the views must be those of these exports."""
        shown = {(table, export.site) for export in exports for table in export.files}
        kept = tuple(each for each in self._segments if any((each.table, site) in shown for site in each.files))
        now = self._clock()
        if kept != self._segments:
            self._retired |= {each.key: now for each in self._segments if each not in kept}
            self._write_index(kept)
        old = [key for key, moment in self._retired.items() if now - moment > RETIRED_S]
        for key in old:
            self._client.remove_object(self._bucket, key)
            del self._retired[key]
        if old:
            self._write_index(self._segments)

    def _forget(self, exports: Sequence[SiteExport]) -> None:
        """Forget what was found in files that no export has any more."""
        present = _present(exports)
        self._schemas = {found: schema for found, schema in self._schemas.items() if found in present}
        self._unreadable = {found: problem for found, problem in self._unreadable.items() if found in present}

    def _leave_out(self, error: UnmergeableError) -> None:
        message = f"The export of {error.site} is shown, but not merged with those of other sites: {error}."
        self._unreadable[error.file.sha256] = Problem(message, "Queries are slower until its next export.")

    def _missing(
        self, exports: Sequence[SiteExport], tables: Iterable[str]
    ) -> tuple[str, dict[str, tuple[StoredFile, ...]], list[Segment]] | None:
        """The next table and sites to write, and the merged files that the new one replaces."""
        current = {segment.directory for segment in self.current(exports)}
        for table in sorted(tables):
            files = {export.site: export.files[table] for export in exports if export.files.get(table)}
            by_schema: dict[str, list[str]] = {}
            for site, found in files.items():
                schema = self._schema(site, found)
                if schema is not None:
                    by_schema.setdefault(schema, []).append(site)
            held = [segment for segment in self._segments if segment.table == table]
            for _, sites in sorted(by_schema.items()):
                of_schema = [[site for site in segment.files if site in sites] for segment in held]
                sizes = {site: sum(file.bytes for file in files[site]) for site in sites}
                for group in arrange(of_schema, sizes):
                    wanted = {site: tuple(file.sha256 for file in files[site]) for site in group}
                    if not any(each.directory in current and each.files == wanted for each in held):
                        replaced = [each for each in held if not each.files.keys().isdisjoint(group)]
                        return table, {site: files[site] for site in group}, replaced
        return None

    def _schema(self, site: str, files: Sequence[StoredFile]) -> str | None:
        """The schema that all files of a site's table have, as text; None where they have no one that can be merged."""
        found = set()
        for file in files:
            if file.sha256 in self._unreadable:
                return None
            if file.sha256 not in self._schemas:
                try:
                    with _problems_of(site, file):
                        self._schemas[file.sha256] = self._read_schema(file)
                except UnmergeableError as error:
                    self._leave_out(error)
                    return None
            found.add(self._schemas[file.sha256])
        return found.pop() if len(found) == 1 else None

    def _read_schema(self, file: StoredFile) -> str:
        with self._open(file) as parquet:
            schema: Any = parquet.schema_arrow
            if len(parquet.schema) != len(schema.names):
                raise ValueError("it has columns within columns")
            for number, field in enumerate(schema):
                plain = parquet.schema.column(number).physical_type != "INT96"
                if not plain or not any(fits(field.type) for fits in _MERGEABLE):
                    raise ValueError(f"the type of its column {field.name} would change")
            return str(_without_site(schema).remove_metadata())

    def _open(self, file: StoredFile) -> Any:
        stored = pyarrow.PythonFile(_Stored(self._client, self._bucket, file), mode="r")
        return pyarrow.parquet.ParquetFile(stored, buffer_size=READ_BYTES, pre_buffer=False)

    def _write(self, table: str, group: Mapping[str, tuple[StoredFile, ...]], alive: Callable[[], None]) -> Segment:
        hashes = {site: tuple(file.sha256 for file in files) for site, files in group.items()}
        name = sha256(json.dumps([table, hashes], sort_keys=True).encode()).hexdigest()[:24]
        segment = Segment(table, name, hashes)
        with tempfile.NamedTemporaryFile(suffix=".parquet") as place:
            writer: Any = None
            for rows in _row_groups(self._rows(group)):
                alive()
                writer = writer or _writer(place.name, rows.schema)
                writer.write_table(rows, row_group_size=len(rows))
            if writer is None:
                writer = _writer(place.name, self._empty(group))
            writer.close()
            self._client.fput_object(self._bucket, segment.key, place.name)
        return segment

    def _empty(self, group: Mapping[str, tuple[StoredFile, ...]]) -> Any:
        with self._open(next(iter(group.values()))[0]) as parquet:
            return _with_site(_without_site(parquet.schema_arrow))

    def _rows(self, group: Mapping[str, tuple[StoredFile, ...]]) -> Iterator[tuple[str, Any]]:
        for site, files in group.items():
            for file in files:
                with _problems_of(site, file), self._open(file) as parquet:
                    columns = _without_site(parquet.schema_arrow).names
                    for batch in parquet.iter_batches(BATCH_ROWS, columns=columns, use_threads=False):
                        tags = pyarrow.repeat(pyarrow.scalar(site, pyarrow.string()), len(batch))
                        schema = _with_site(batch.schema)
                        yield site, pyarrow.RecordBatch.from_arrays([*batch.columns, tags], schema=schema)

    def _read_index(self) -> None:
        present = {each.object_name for each in self._client.list_objects(self._bucket, MERGED, recursive=True)}
        if INDEX in present:
            answer = self._client.get_object(self._bucket, INDEX)
            try:
                document = json.loads(answer.read())
                found = [_segment(each) for each in document["segments"]]
                self._segments = tuple(each for each in found if each.key in present)
                self._retired = {str(key): float(moment) for key, moment in document["retired"].items()}
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                log.warning("%s cannot be used, so all is merged anew: %r.", INDEX, error)
            finally:
                answer.close()
                answer.release_conn()
        named = {INDEX, *(each.key for each in self._segments), *self._retired}
        now = self._clock()
        self._retired |= {key: now for key in present - named if key and key.endswith("/rows.parquet")}

    def _write_index(self, segments: tuple[Segment, ...]) -> None:
        document = {
            "segments": [{"table": each.table, "directory": each.directory, "files": each.files} for each in segments],
            "retired": self._retired,
        }
        content = json.dumps(document, indent=1).encode()
        self._client.put_object(self._bucket, INDEX, BytesIO(content), len(content))
        self._segments = segments


@contextmanager
def _problems_of(site: str, file: StoredFile) -> Iterator[None]:
    """Turn what a file that is no usable Parquet file raises into UnmergeableError; failures of the store pass."""
    try:
        yield
    except S3Error as error:
        if error.code != "NoSuchKey":
            raise
        raise UnmergeableError(site, file, "it is missing") from None
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UnmergeableError(site, file, (str(error).splitlines() or [type(error).__name__])[0]) from None


def _present(exports: Sequence[SiteExport]) -> set[str]:
    return {file.sha256 for export in exports for files in export.files.values() for file in files}


def _segment(document: Mapping[str, Any]) -> Segment:
    files = {site: tuple(hashes) for site, hashes in document["files"].items()}
    return Segment(document["table"], document["directory"], files)


def _hashes(export: SiteExport) -> dict[str, tuple[str, ...]]:
    return {table: tuple(file.sha256 for file in files) for table, files in export.files.items()}


def _without_site(schema: Any) -> Any:
    return pyarrow.schema([field for field in schema if field.name != SITE])


def _with_site(schema: Any) -> Any:
    return schema.remove_metadata().append(pyarrow.field(SITE, pyarrow.string()))


def _row_groups(batches: Iterable[tuple[str, Any]]) -> Iterator[Any]:
    """Collect batches of rows, each with its site, until there are enough for a row group."""
    held: list[Any] = []
    last = ""
    for site, batch in batches:
        rows, size = sum(map(len, held)), sum(each.nbytes for each in held)
        if held and (size + batch.nbytes > GROUP_BYTES or (site != last and rows >= GROUP_ROWS)):
            yield pyarrow.Table.from_batches(held)
            held = []
        held.append(batch)
        last = site
    if held:
        yield pyarrow.Table.from_batches(held)


def _writer(path: str, schema: Any) -> Any:
    """Numbers are stored as they are and packed by Snappy: Drill, in Java, is quick with both, and slow with zstd.

    Only the site, which every row has, gets a dictionary: of a column without any value in a row group Arrow writes an
    empty one, at which a third of Drill's queries fail ("Required field 'uncompressed_page_size' was not found").
    """
    return pyarrow.parquet.ParquetWriter(
        path, schema, compression="snappy", use_dictionary=[SITE], store_schema=False, write_statistics=True
    )
