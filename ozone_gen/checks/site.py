"""What the rules look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ozone_gen.diagnostics import Diagnostic, Path, codes
from ozone_gen.openmrs.dictionary import Dictionary
from ozone_gen.source import Source
from ozone_gen.spec import OpenmrsSpec, OzoneSpec, TableSpec


@dataclass(frozen=True)
class CheckedSite:
    """A file, with what is known about its places and about the site's dictionary."""

    spec: OzoneSpec
    source: Source
    dictionary: Dictionary | None

    def value(self, code: type[codes.Code], path: Path, message: str, hint: str = "") -> Diagnostic:
        """A finding about a value; about the mapping that lacks it where it has its default."""
        return code.at(self.source.position(path), message, path=path, hint=hint)

    def key(self, code: type[codes.Code], path: Path, message: str, hint: str = "") -> Diagnostic:
        """A finding about a key, which is a name."""
        return code.at(self.source.position(path, key=True), message, path=path, hint=hint)

    def given(self, path: Path) -> bool:
        """Say whether the file has a value at a place, rather than its default."""
        value: Any = self.source.data
        for part in path:
            if not isinstance(value, dict) or part not in value:
                return False
            value = value[part]
        return True

    @property
    def tables(self) -> Iterator[tuple[Path, str, TableSpec]]:
        """The own tables: place, name, and what was declared."""
        for name, table in self.spec.flattening.tables.items():
            yield ("flattening", "tables", name), name, table

    @property
    def sources(self) -> Iterator[tuple[Path, str, OpenmrsSpec]]:
        """The sources: place, name, and what was declared."""
        for name, source in self.spec.sources.items():
            yield ("sources", name), name, source


Rule = Callable[[CheckedSite], Iterator[Diagnostic]]
