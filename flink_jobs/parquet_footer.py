"""How many rows a Parquet file holds, read from its footer alone; needs no Parquet library.

The footer is a Thrift structure in the compact protocol (FileMetaData of the format's specification); its third
field is the number of rows.
"""

from __future__ import annotations

import struct
from pathlib import Path

_MAGIC = b"PAR1"
_ROWS_FIELD = 3
_LARGEST_FOOTER = 64 << 20
_I64 = 6


class NotParquetError(ValueError):
    """The file is not a whole Parquet file; the text says why."""


def rows_of(path: Path) -> int:
    """Return the number of rows of a Parquet file; NotParquetError where it is broken or cut off."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if size < 12:
            raise NotParquetError("it is too short")
        file.seek(size - 8)
        length, magic = struct.unpack("<I4s", file.read(8))
        if magic != _MAGIC:
            raise NotParquetError("its end is not that of a Parquet file")
        if not 0 < length <= min(size - 12, _LARGEST_FOOTER):
            raise NotParquetError("its footer has no possible length")
        file.seek(size - 8 - length)
        footer = file.read(length)
        file.seek(0)
        if file.read(4) != _MAGIC:
            raise NotParquetError("its begin is not that of a Parquet file")
    try:
        return _Footer(footer).rows()
    except (IndexError, RecursionError, ValueError) as error:
        raise NotParquetError(f"its footer cannot be read: {error}") from error


class _Footer:
    """Walks over a structure of Thrift's compact protocol."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def rows(self) -> int:
        field = 0
        while header := self._byte():
            kind, delta = header & 15, header >> 4
            field = field + delta if delta else self._zigzag()
            if field == _ROWS_FIELD and kind == _I64:
                rows = self._zigzag()
                if rows < 0:
                    raise ValueError("a negative number of rows")
                return rows
            self._skip(kind)
        raise ValueError("it does not say how many rows there are")

    def _byte(self) -> int:
        self._at += 1
        return self._content[self._at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a number without an end")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _skip(self, kind: int) -> None:
        match kind:
            case 1 | 2:  # true and false stand in the header
                pass
            case 3:
                self._at += 1
            case 4 | 5 | 6:
                self._varint()
            case 7:
                self._at += 8
            case 8:
                length = self._varint()
                self._at += length
            case 9 | 10:
                self._skip_list()
            case 12:
                self._skip_structure()
            case _:
                raise ValueError(f"there is a value of the unknown kind {kind}")

    def _skip_list(self) -> None:
        header = self._byte()
        count, kind = header >> 4, header & 15
        for _ in range(self._varint() if count == 15 else count):
            # Within a list booleans take a byte each.
            self._skip(3 if kind in (1, 2) else kind)

    def _skip_structure(self) -> None:
        while header := self._byte():
            if not header >> 4:
                self._varint()
            self._skip(header & 15)
