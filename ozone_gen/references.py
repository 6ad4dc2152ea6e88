"""What an ozone.yaml refers to in the dictionary of its source: the one list of it.

Checks look each of these up, `resolve` writes them into the lock, and a lock without one of them is stale. What
can refer to something in the dictionary is said here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ozone_gen.diagnostics import Path
from ozone_gen.openmrs.dictionary import NamedKind
from ozone_gen.spec import CodeSpec, OzoneSpec


@dataclass(frozen=True, slots=True)
class Reference:
    """A uuid, a SOURCE:CODE or a name, and where in the file it stands.

    Attributes:
        path: its place.
        text: how it is written.
        column: the name of the column that it stands in, which tells what was meant; empty elsewhere.
    """

    path: Path
    text: str
    column: str = ""


@dataclass(frozen=True)
class References:
    """Everything that a file refers to, in the order of the file; what it refers to twice is there twice.

    Attributes:
        concepts: by uuid or SOURCE:CODE.
        named: encounter types and the like, by name or uuid.
        sources: concept sources (terminologies), by name.
    """

    concepts: tuple[Reference, ...]
    named: Mapping[NamedKind, tuple[Reference, ...]]
    sources: tuple[Reference, ...]


NAMED_FILTERS = MappingProxyType(
    {
        "encounter_types": NamedKind.ENCOUNTER_TYPE,
        "visit_types": NamedKind.VISIT_TYPE,
        "forms": NamedKind.FORM,
        "locations": NamedKind.LOCATION,
    }
)
"""The keys of a table that list named things."""


def references(spec: OzoneSpec) -> References:
    """Gather what a file refers to."""
    named: dict[NamedKind, list[Reference]] = {kind: [] for kind in NamedKind}
    concepts: list[Reference] = []
    sources: list[Reference] = []
    for table_name, table in spec.flattening.tables.items():
        path: Path = ("flattening", "tables", table_name)
        for key, kind in NAMED_FILTERS.items():
            named[kind] += _each(getattr(table, key), (*path, key))
        concepts += _each(table.group, (*path, "group"))
        concepts += _each(table.concepts, (*path, "concepts"))
        for name, declared in table.columns.items():
            column_path = (*path, "columns", name)
            if isinstance(declared, str):
                concepts += _each(declared, column_path, name)
                continue
            concepts += _each(declared.concept, (*column_path, "concept"), name)
            concepts += _each(declared.answer, (*column_path, "answer"), name)
            concepts += _each(declared.group, (*column_path, "group"))
            if isinstance(declared.value, CodeSpec):
                sources += _each(declared.value.code, (*column_path, "value", "code"))
    return References(
        tuple(concepts), MappingProxyType({kind: tuple(found) for kind, found in named.items()}), tuple(sources)
    )


def _each(written: str | Sequence[str] | None, path: Path, column: str = "") -> Iterator[Reference]:
    """One reference, a list of them, or none."""
    if isinstance(written, str):
        yield Reference(path, written, column)
    else:
        for place, text in enumerate(written or ()):
            yield Reference((*path, place), text, column)
