"""What was resolved, as tables on the terminal."""

from __future__ import annotations

import re
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ozone_gen.lock import Lock, LockedConcept
from ozone_gen.openmrs.dictionary import NamedKind

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def show_lock(lock: Lock, console: Console) -> None:
    """Print what the file refers to, and what that is in the dictionary."""
    if lock.concepts:
        table = _table("concept", "name", "datatype", "", "id")
        for reference, concept in lock.concepts.items():
            name = _name(concept.name, concept.retired)
            table.add_row(_text(reference), name, concept.datatype, _detail(concept), str(concept.id))
        console.print(table)
    named = [(kind, each) for kind in NamedKind for each in lock.named(kind).items()]
    if named:
        table = _table("", "reference", "name", "", "id")
        for kind, (reference, found) in named:
            for each in found:
                version = f"version {each.version}" if each.version else ""
                table.add_row(kind, _text(reference), _name(each.name, each.retired), _text(version), str(each.id))
        console.print(table)


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading == "id" else "left", overflow="fold")
    return table


def _detail(concept: LockedConcept) -> Text:
    parts = [concept.units] if concept.units else []
    for words, number in (("answer", len(concept.answers)), ("member", len(concept.members))):
        if number:
            parts.append(f"{number} {words}{'' if number == 1 else 's'}")
    return _text(", ".join(parts))


def _name(name: str, retired: bool) -> Text:
    return Text.assemble(_text(name), (" retired", "yellow") if retired else "")


def _text(text: str) -> Text:
    return Text(_CONTROL.sub(" ", text))
