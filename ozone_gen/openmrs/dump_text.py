"""The text of a dump as it streams by: where one is, what comes next, and how to skip a statement.

Memory is bounded by the pieces that the text comes in and the longest single value that is read.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from ozone_gen.diagnostics import Diagnostic, OzoneError, Position, codes

PIECE: Final = 1 << 20
"""How many bytes are read at once."""
LONGEST: Final = 1 << 26
"""How many bytes one value, or one statement that is kept whole, may have."""

_SKIP: Final = re.compile(
    rb"[^'\"`;]*+(?:(?:'[^'\\]*+(?:\\.[^'\\]*+)*'|\"[^\"\\]*+(?:\\.[^\"\\]*+)*\"|`[^`]*`)[^'\"`;]*+)*",
    re.DOTALL,
)
_INSIDE: Final = {
    b"'": re.compile(rb"[^'\\]*+(?:\\.[^'\\]*+)*", re.DOTALL),
    b'"': re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*', re.DOTALL),
    b"`": re.compile(rb"[^`]*+"),
}
_DELIMITER_BACK: Final = re.compile(rb"^[ \t]*+DELIMITER[ \t]++;[ \t\r]*+\n", re.IGNORECASE | re.MULTILINE)
_OTHER_FORMS: Final = (
    (b"\xff\xfe", "UTF-16 text", "in PowerShell use --result-file instead of >"),
    (b"\xfe\xff", "UTF-16 text", "save it as UTF-8"),
    (b"BZh", "compressed by bzip2", "decompress it first: bunzip2 FILE"),
    (b"\xfd7zXZ", "compressed by xz", "decompress it first: unxz FILE"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "decompress it first: unzstd FILE"),
    (b"PK\x03\x04", "a zip archive", "unpack it first: unzip FILE"),
)


def read_pieces(path: Path, advance: Callable[[int], None] | None) -> Iterator[bytes]:
    """Yield the text of a dump file, decompressed where it is compressed by gzip.

    `advance` is told the number of bytes read from the file since the last call. Raises OzoneError where
    the file cannot be read or is in another form.
    """
    position = Position(str(path))
    try:
        with path.open("rb") as raw:
            yield from _decompressed(raw, position, advance)
    except EOFError:
        raise OzoneError(codes.TruncatedDump.at(position, "the compressed dump ends too early")) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise OzoneError(codes.NotADump.at(position, f"the compressed dump is damaged: {error}")) from None
    except OSError as error:
        message = f"cannot read the dump: {error.strerror or error}"
        raise OzoneError(codes.UnreadableFile.at(position, message)) from None


def _decompressed(
    raw: BinaryIO, position: Position, advance: Callable[[int], None] | None
) -> Iterator[bytes]:
    magic = raw.read(6)
    raw.seek(0)
    for start, what, hint in _OTHER_FORMS:
        if magic.startswith(start):
            raise OzoneError(codes.NotADump.at(position, f"the dump is {what}", hint=hint))
    stream = gzip.GzipFile(fileobj=raw) if magic.startswith(b"\x1f\x8b") else raw
    told = 0
    first = True
    while piece := stream.read(PIECE):
        if advance is not None:
            advance(raw.tell() - told)
            told = raw.tell()
        yield piece.removeprefix(b"\xef\xbb\xbf") if first else piece
        first = False


class DumpText:
    """A window on the text: `data` is what can be seen, and everything in it before `at` has been read."""

    def __init__(self, pieces: Iterator[bytes], name: str) -> None:
        self.data = b""
        self.at = 0
        self._name = name
        self._pieces = pieces
        self._line = 1  # of the byte at _counted
        self._counted = 0
        self._ended = False

    def position(self) -> Position:
        """The line that is being read."""
        # Counted on from the last time: a dump may have a million short statements.
        self._line += self.data.count(b"\n", self._counted, self.at)
        self._counted = self.at
        return Position(self._name, self._line, 1)

    def more(self) -> bool:
        """Make the next piece visible behind what is not read yet; False where there is none.

        `data` and `at` change: offsets from `at` stay valid, positions in `data` do not.
        """
        if self._ended:
            return False
        piece = next(self._pieces, b"")
        if not piece:
            self._ended = True
            return False
        self._line += self.data.count(b"\n", self._counted, self.at)
        self.data = self.data[self.at :] + piece
        self._counted = self.at = 0
        return True

    def look_ahead(self, size: int) -> bool:
        """Make `size` bytes visible, or all that are left; False where nothing is left."""
        while len(self.data) - self.at < size and self.more():
            pass
        return self.at < len(self.data)

    def grow(self, what: str) -> None:
        """Make more of `what` visible, which has not ended yet.

        Raises OzoneError where the text ends within it, or where it is too long to be right.
        """
        if len(self.data) - self.at > LONGEST:
            message = f"{what} is longer than {LONGEST >> 20} MiB"
            raise OzoneError(codes.BadDumpRow.at(self.position(), message, hint="is a quote missing?"))
        if not self.more():
            raise OzoneError(self.truncated(f"within {what}"))

    def truncated(self, where: str) -> Diagnostic:
        """The finding that the text ends too early."""
        return codes.TruncatedDump.at(
            self.position(),
            f"the dump is truncated: it ends {where}",
            hint="dump it again, and look at what the dump program prints",
        )

    def line_end(self) -> int:
        """Make the rest of the line visible and return where it ends in `data`."""
        while (end := self.data.find(b"\n", self.at)) < 0:
            if not self.more():
                return len(self.data)
        return end

    def statement_end(self, what: str) -> int:
        """Make the rest of the statement visible and return where its `;` stands in `data`."""
        while True:
            end = self._run(self.at)
            if self.data[end : end + 1] == b";":
                return end
            self.grow(what)

    def skip_statement(self) -> None:
        """Go on behind the next `;` that is in no string or name."""
        while True:
            self.at = self._run(self.at)
            if self.data[self.at : self.at + 1] == b";":
                self.at += 1
                return
            if len(self.data) - self.at > PIECE:
                self._skip_long_string()
            else:
                self.grow("a statement")

    def _skip_long_string(self) -> None:
        """Go on behind the string that starts here, without keeping it: a file may be stored in one value."""
        quote = self.data[self.at : self.at + 1]
        inside = _INSIDE[quote]
        self.at += 1
        while True:
            run = inside.match(self.data, self.at)
            self.at = run.end() if run else self.at
            if self.data[self.at : self.at + 1] == quote:
                self.at += 1
                return
            self.grow("a string")

    def _run(self, at: int) -> int:
        """Where the text from `at` on stops being whole strings, names and other characters than `;`."""
        run = _SKIP.match(self.data, at)
        return run.end() if run else at

    def skip_routines(self) -> None:
        """Go on where the delimiter is `;` again: triggers and procedures hold statements of their own."""
        while (back := _DELIMITER_BACK.search(self.data, self.at)) is None:
            # The line in which the visible text ends may be the one looked for: it stays.
            self.at = max(self.at, self.data.rfind(b"\n") + 1)
            self.grow("a routine or trigger")
        self.at = back.end()
