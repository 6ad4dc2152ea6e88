"""Bring an export into the store: what is there already stays, the manifest comes last.

    parquet/TABLE/site=TAG/date=DAY/part-NNNNN-HASH/part-NNNNN.parquet
    parquet/_exports/site=TAG/date=DAY/TIME.json

A file never changes once it is there: its folder has its hash in its name, and DAY is that of the export that brought
it. So a part that has not changed since an earlier export is not sent again, a broken upload goes on where it stopped,
and an export under way is never half seen.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, TypeVar

from ozone_gen.diagnostics import OutputError, Position, codes
from ozone_gen.upload.exports import MANIFESTS, Export, Part

_Result = TypeVar("_Result")

PREFIX: Final = "parquet/"
PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds between tries of one request; a line that breaks for a minute does not end an upload."""


class StoreError(Exception):
    """A request failed; `lasting` where another try would fail in the same way."""

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class Store(Protocol):
    """A bucket, as a key that may list it and add files sees it. Every method may raise StoreError."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def sums(self, prefix: str) -> Mapping[str, tuple[int, str]]:
        """The size and the ETag of every object whose key begins so."""
        ...

    def put(self, key: str, content: bytes) -> str:
        """Write an object, and return its ETag."""
        ...


@dataclass(frozen=True)
class Sent:
    """What was done for an export: files and bytes that were sent, and files that were there."""

    files: int
    bytes: int
    present: int


def upload(
    export: Export,
    sums: Mapping[Part, str],
    store: Store,
    advance: Callable[[int], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Sent:
    """Upload an export whose files were verified; `sums` are their MD5 sums. Raises OutputError."""
    attempt = _Attempts(store, sleep)
    keys: dict[Part, str] = {}
    sent = size = 0
    for table in dict.fromkeys(part.table for part in export.parts):
        prefix = f"{PREFIX}{table}/site={export.site}/"
        present = attempt(partial(store.sums, prefix))
        places = {key.split("/", 4)[-1]: key for key in present}
        for part in (part for part in export.parts if part.table == table):
            place = f"part-{part.number:05}-{part.sha256[:12]}/part-{part.number:05}.parquet"
            known = places.get(place)
            if known is not None and _is_same(present[known], part.bytes, sums[part]):
                keys[part] = known
            else:
                keys[part] = f"{prefix}date={export.date}/{place}"
                _put(store, attempt, keys[part], (export.folder / part.path).read_bytes(), sums[part])
                sent, size = sent + 1, size + part.bytes
            advance(part.bytes)
    content = _manifest(export, keys)
    _put(
        store,
        attempt,
        f"{PREFIX}{MANIFESTS}/site={export.site}/date={export.date}/{export.time}.json",
        content,
        hashlib.md5(content, usedforsecurity=False).hexdigest(),
    )
    return Sent(sent, size, len(export.parts) - sent)


def _manifest(export: Export, keys: Mapping[Part, str]) -> bytes:
    """The manifest with the places of the files in the store."""
    places = {(part.table, part.number): key.removeprefix(PREFIX) for part, key in keys.items()}
    tables = [
        {
            **table,
            "parts": [{**part, "path": places[table["name"], part["number"]]} for part in table["parts"]],
        }
        for table in export.document["tables"]
    ]
    return (json.dumps({**export.document, "tables": tables}, indent=1) + "\n").encode()


def _put(store: Store, attempt: _Attempts, key: str, content: bytes, md5: str) -> None:
    def put() -> None:
        if not _is_same((len(content), store.put(key, content)), len(content), md5):
            raise StoreError(f"{key} arrived damaged")

    attempt(put)


def _is_same(stored: tuple[int, str], size: int, md5: str) -> bool:
    """Compare by size, and by the ETag where it is a plain MD5 sum: an encrypting store has others."""
    stored_size, etag = stored
    plain = len(etag) == 32 and set(etag) <= set("0123456789abcdef")
    return stored_size == size and (not plain or etag == md5)


class _Attempts:
    """Tries a request until it succeeds, with growing pauses; OutputError when it never does."""

    def __init__(self, store: Store, sleep: Callable[[float], None]) -> None:
        self._store = store
        self._sleep = sleep

    def __call__(self, request: Callable[[], _Result]) -> _Result:
        for pause in (*PAUSES, None):
            try:
                return request()
            except StoreError as error:
                if error.lasting or pause is None:
                    hint = "nothing is lost: the same command goes on where this one stopped"
                    raise OutputError(
                        codes.StoreUnreachable.at(Position(self._store.name), str(error), hint=hint)
                    ) from error
                self._sleep(pause)
        raise AssertionError("the last try returns or raises")
