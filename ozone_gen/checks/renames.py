"""Rules about `renamed_from`: a former name is free now, and only one thing comes from it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ozone_gen.checks.site import CheckedSite
from ozone_gen.diagnostics import Diagnostic, Path, codes
from ozone_gen.spec import long_form


def former_names_are_free(site: CheckedSite, core: Collection[str]) -> Iterator[Diagnostic]:
    """Each `renamed_from` can be followed; `core` are the site's core tables."""
    tables = site.spec.flattening.tables
    former = {name: table.renamed_from for name, table in tables.items()}
    yield from _renames(site, ("flattening", "tables"), "table", former, {*tables, *core})


def former_columns_are_free(site: CheckedSite, context: Mapping[str, Collection[str]]) -> Iterator[Diagnostic]:
    """Each `renamed_from` of a column can be followed; `context` has the columns that tables have by themselves."""
    for path, name, table in site.tables:
        former = {column: long_form(declared).renamed_from for column, declared in table.columns.items()}
        yield from _renames(site, (*path, "columns"), "column", former, {*table.columns, *context[name]})


def _renames(
    site: CheckedSite, place: Path, what: str, former: Mapping[str, str | None], present: Collection[str]
) -> Iterator[Diagnostic]:
    taken: dict[str, str] = {}
    for name, before in former.items():
        path = (*place, name, "renamed_from")
        if before is None:
            continue
        if before in present:
            still = f"the {what} is called" if before == name else f"there is a {what}"
            message = f"{still} `{before}` {'already' if before == name else 'still'}"
            hint = f"name what the {what} was called before, or remove `renamed_from`"
            yield site.value(codes.RenameNotPossible, path, message, hint)
        elif before in taken:
            message = f"the {what} `{taken[before]}` was renamed from `{before}`, too"
            hint = "keep it in the one that holds what the old one held"
            yield site.value(codes.RenameNotPossible, path, message, hint)
        else:
            taken[before] = name
