"""Write suggested tables as the text of an ozone.yaml, with what a person should know as comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ozone_gen.render.emit import yaml_inline
from ozone_gen.suggest.tables import Found, SuggestedColumn, SuggestedTable, Suggestion

MOST_IN_MEMORY: Final = 50_000
"""Up to how many observations a task manager of the default size keeps its state in memory, with all core tables.

The demo site's needs 402 MB of its heap of 520 for a start; the core table `observations` alone takes two kilobytes of
heap for each of them (bench/README.md).
"""

LISTED: Final = 40
"""Rare columns of a table that are listed; of the others only the number is told."""

_INDENT: Final = "  "
_PLATFORM: Final = "2.5"
_LONGEST_COMMENT: Final = 140
# What ends a line, is no character of YAML, or turns the direction of writing.
_UNFIT: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]+"
)


@dataclass(frozen=True)
class SiteText:
    """What a whole ozone.yaml says beside its tables.

    Attributes:
        id: of the site.
        locales: of names, best first.
        origin: what the tables were made from.
        engine: of the database server, as ozone.yaml calls it.
        platforms: the platform versions that it may be of; none where that is not known.
        modules: its modules, as ozone.yaml calls them.
        observations: how many were counted; None where none were.
    """

    id: str
    locales: Sequence[str]
    origin: str
    engine: str = "mariadb"
    platforms: Sequence[str] = ()
    modules: Sequence[str] = ()
    observations: int | None = 0


def site_text(suggestion: Suggestion, site: SiteText, min_share: float) -> str:
    """A whole ozone.yaml that validates as it is."""
    openmrs = {
        "type": "openmrs",
        "engine": site.engine,
        "platform": site.platforms[0] if site.platforms else _PLATFORM,
        **({"modules": site.modules} if site.modules else {}),
        "host": "${OPENMRS_DB_HOST}",
        "password": "${OPENMRS_DB_PASSWORD}",
    }
    notes = {"platform": _platform_note(site)}
    much = (site.observations or 0) > MOST_IN_MEMORY
    lines = [
        f"# Suggested by ozone-gen from {_comment(site.origin)}: a start. Rename and remove what you like.",
        *(() if site.observations is not None else ("# A dictionary does not tell what is used: these are its sets.",)),
        "version: 1",
        f"site: {yaml_inline({'id': site.id, 'name': site.id, 'locales': site.locales})}",
        "sources:",
        "  openmrs:",
        *(f"    {key}: {yaml_inline(value)}{notes.get(key, '')}" for key, value in openmrs.items()),
        f"sink: {yaml_inline({'type': 'postgresql', 'password': '${ANALYTICS_DB_PASSWORD}'})}",
        "flattening:",
        "  core: all",
        *(("  state: disk  # for so many observations",) if much else ()),
        *_indented(tables_lines(suggestion, min_share)),
        *(("memory: {taskmanager: 2g}  # RocksDB keeps its caches beside Java's heap",) if much else ()),
    ]
    return "\n".join(lines) + "\n"


def _platform_note(site: SiteText) -> str:
    """How sure the platform version is."""
    if not site.platforms:
        return "  # say which version it is"
    newest = site.platforms[-1]
    return f"  # those up to {newest} have the same tables" if len(site.platforms) > 1 else ""


def tables_text(suggestion: Suggestion, min_share: float) -> str:
    """The tables alone, to be pasted into a file's `flattening`."""
    return "\n".join(tables_lines(suggestion, min_share)) + "\n"


def tables_lines(suggestion: Suggestion, min_share: float) -> Iterator[str]:
    """The lines of `tables:`; all of them comments where no table has a column."""
    whole = any(table.columns for table in suggestion.tables)
    yield "tables:" if whole else "tables: {}"
    for table in suggestion.tables:
        yield from _indented(_table(table, min_share))
    empty = [each for each in suggestion.found if each.table is None]
    for reason in dict.fromkeys(each.why_not for each in empty):
        things = [_name_and_rows(each) for each in empty if each.why_not == reason]
        yield f"{_INDENT}# {_comment(f'{reason}: ' + ', '.join(things), longest=1000)}"


def _name_and_rows(found: Found) -> str:
    return f"{found.by.words} {found.what}" + (f" ({found.usage.rows:,})" if found.usage else "")


def _table(table: SuggestedTable, min_share: float) -> Iterator[str]:
    usage = table.usage
    counted = f", {usage.rows:,} {table.by.rows}, {usage.observations:,} observations" if usage else ""
    yield f"# {_comment(f'{table.by.words} {table.what}{counted}')}"
    head = [f"{table.name}:", *(f"{_INDENT}{key}: {yaml_inline(value)}" for key, value in table.declaration.items())]
    head.append(f"{_INDENT}columns:")
    rarely = f"rare, in fewer than {100 * min_share:g} % of the {table.by.rows}"
    if table.columns:
        yield from head
        yield from _indented(map(_column, table.columns), 2)
        if table.rare:
            yield from _indented((f"# {rarely}:", *_listed(table.rare)), 2)
    else:
        # A table needs a column: this one is a comment as a whole.
        yield f"# each of its concepts is {rarely}:"
        yield from map(_commented, head)
        yield from (_commented(f"{_INDENT * 2}{line[2:]}") for line in _listed(table.rare))
    if table.valueless:
        concepts = "1 concept has" if table.valueless == 1 else f"{table.valueless:,} concepts have"
        yield f"{_INDENT * 2}# {concepts} no value that a column can hold"


def _listed(columns: Sequence[SuggestedColumn]) -> list[str]:
    """Columns as comments, and how many more there are."""
    more = [f"# and {len(columns) - LISTED:,} more"] if len(columns) > LISTED else []
    return [*(_commented(_column(column)) for column in columns[:LISTED]), *more]


def _column(column: SuggestedColumn) -> str:
    return f"{column.name}: {yaml_inline(column.declaration)}  # {_comment(column.comment)}"


def _commented(line: str) -> str:
    return f"# {line}"


def _indented(lines: Iterable[str], times: int = 1) -> Iterator[str]:
    return (f"{_INDENT * times}{line}" for line in lines)


def _comment(text: str, longest: int = _LONGEST_COMMENT) -> str:
    """A text that is one line of a comment, whatever it holds."""
    text = " ".join(_UNFIT.sub(" ", text).split())
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
