"""Rules about own tables: their grain, filters and context."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ozone_gen.checks.columns import columns_can_be_read
from ozone_gen.checks.references import check_references
from ozone_gen.checks.site import CheckedSite, Rule
from ozone_gen.diagnostics import Diagnostic, codes, did_you_mean
from ozone_gen.flattening.declared import Grain
from ozone_gen.flattening.grains import GRAINS, usual_context
from ozone_gen.references import references
from ozone_gen.spec import TableSpec

_FILTERS_OF_ONE_GRAIN: Final = {"group": Grain.OBS_GROUP, "concepts": Grain.OBS}


def context_of(table: TableSpec) -> tuple[str, ...]:
    """The columns that say what a row is and hangs on; the key is always among them."""
    if table.context is None:
        return usual_context(table.rows)
    key = GRAINS[table.rows].key
    return table.context if key in table.context else (key, *table.context)


def _filters_fit(site: CheckedSite) -> Iterator[Diagnostic]:
    for path, _, table in site.tables:
        for name, grain in _FILTERS_OF_ONE_GRAIN.items():
            if getattr(table, name) and table.rows is not grain:
                message = f"`{name}` chooses the rows of `rows: {grain}`, and these are `rows: {table.rows}`"
                hint = "remove it"
                if name == "group":
                    hint += ", or say `group` in a column to read observations of that group only"
                yield site.value(codes.FilterNotPossible, (*path, name), message, hint)
        if table.rows is Grain.OBS_GROUP and table.group is None:
            message = "the key `group` is missing"
            hint = "add `group: ...` (the concept of the groups that are the rows)"
            yield site.key(codes.MissingKey, path, message, hint)
        if not table.columns and table.rows is not Grain.OBS:
            message = "the key `columns` is missing"
            yield site.key(codes.MissingKey, path, message, "add `columns: ...` (each a concept such as CIEL:5089)")


def _context_is_known(site: CheckedSite) -> Iterator[Diagnostic]:
    for path, _, table in site.tables:
        known = [column.name for column in GRAINS[table.rows].context]
        for place, name in enumerate(table.context or ()):
            if name not in known:
                message = f"a row of `rows: {table.rows}` has no `{name}` by itself"
                hint = did_you_mean(name, known) or f"it has {', '.join(known)}"
                yield site.value(codes.ValueNotAllowed, (*path, "context", place), message, hint)


def _references_are_found(site: CheckedSite) -> Iterator[Diagnostic]:
    if site.dictionary is not None:
        yield from check_references(references(site.spec), site.dictionary, site.source.position)


TABLE_RULES: Final[tuple[Rule, ...]] = (
    _filters_fit,
    _context_is_known,
    _references_are_found,
    columns_can_be_read,
)
