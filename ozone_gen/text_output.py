"""Files that are there as a whole or not at all; texts in UTF-8 with plain line ends whatever the machine.

A site's files are not written here: they are few and small, and go through write.py.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from ozone_gen.diagnostics import OutputError, Position, codes


@contextmanager
def text_file(path: Path) -> Iterator[TextIO]:
    """Write a file that is there as a whole or not at all: what was there stays until the end.

    Raises:
        OutputError: the system refuses.
    """
    with bytes_file(path) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="\n") as stream:
        yield stream


@contextmanager
def bytes_file(path: Path) -> Iterator[BinaryIO]:
    """Do as `text_file` with bytes."""
    draft = path.with_name(f"{path.name}.part")
    try:
        try:
            with open(draft, "wb") as stream:
                yield stream
            os.replace(draft, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(draft)
            raise
    except OSError as error:
        raise OutputError(
            codes.CannotWrite.at(Position(str(path)), (error.strerror or str(error)).lower())
        ) from error


@contextmanager
def standard_output() -> Iterator[TextIO]:
    """Write to standard output, whatever its own encoding."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    yield sys.stdout
    sys.stdout.flush()
