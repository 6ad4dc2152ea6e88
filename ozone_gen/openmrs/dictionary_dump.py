"""Read the dictionary out of a SQL dump of an OpenMRS database."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ozone_gen.diagnostics import Diagnostic
from ozone_gen.openmrs.dictionary import Dictionary
from ozone_gen.openmrs.dump import PART, read_dump
from ozone_gen.openmrs.tables import DICTIONARY_TABLES
from ozone_gen.openmrs.vocabulary import Row, Vocabulary, vocabulary, without_collection


def dictionary_of_dump(
    path: Path,
    locales: Sequence[str],
    advance: Callable[[int], None] | None = None,
    *,
    database: str | None = None,
) -> tuple[Dictionary, tuple[Diagnostic, ...]]:
    """The dictionary of a dump as a site with these locales sees it, and warnings; else as `vocabulary_of_dump`."""
    found, warnings = vocabulary_of_dump(path, advance, database=database)
    return found.seen_in(locales), warnings


def vocabulary_of_dump(
    path: Path, advance: Callable[[int], None] | None = None, *, database: str | None = None
) -> tuple[Vocabulary, tuple[Diagnostic, ...]]:
    """Read the dictionary of a dump, plain or compressed by gzip. Also returns warnings about damaged text.

    `advance` is told the number of bytes read from the file since the last call. `database` is taken where the
    dump holds several OpenMRS databases.

    Raises OzoneError where the file is no dump, ends too early, or lacks a table or a column that the dictionary
    needs; OutputError where its rows cannot be put aside.
    """
    with tempfile.TemporaryDirectory(prefix="ozone-gen-") as folder, without_collection():
        out = Path(folder)
        summary = read_dump(path, DICTIONARY_TABLES.values(), out, advance, database=database)
        tables = {name: _rows(out / name / PART) for name in DICTIONARY_TABLES}
        found = vocabulary(tables, f"the dump {path.name}")
    return found, summary.warnings


def _rows(path: Path) -> list[Row]:
    """Every event of a file, parsed in one go: a call for each line would take twice as long."""
    lines = path.read_text(encoding="utf-8").split("\n")
    rows: list[Row] = json.loads(f"[{','.join(lines[:-1])}]")
    return rows
