"""Which columns of the source tables the SQL of flattened tables reads.

`upsert-kafka` decodes every column that its table declares, read or not: declaring only what is read saves the time.
The SQL's text is looked at by subquery. A column counts as read where its name stands behind an alias of its table,
or without any alias; where a subquery has a `*`, wherever the name stands at all. So too much may be found, as is
harmless, but never too little: what is named nowhere cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.openmrs.tables import Table

_TEXT: Final = re.compile(r"'(?:[^']|'')*'")


def columns_read(source: str, tables: Iterable[Table], flattened: Sequence[FlattenedTable]) -> tuple[Table, ...]:
    """Return the source tables with the columns that `flattened` reads; the primary key always is.

    `source` is the Flink database of the source tables.
    """
    # Sites of a fleet have the same tables, and each asks twice.
    texts = tuple(tuple(_TEXT.sub("''", unit) for unit in _units(table)) for table in flattened)
    return _columns_read(source, tuple(tables), texts)


@lru_cache(maxsize=16)
def _columns_read(source: str, tables: tuple[Table, ...], flattened: tuple[tuple[str, ...], ...]) -> tuple[Table, ...]:
    read: dict[str, set[str]] = {table.name: set(table.primary_key) for table in tables}
    columns = {table.name: "|".join(re.escape(column.name) for column in table.columns) for table in tables}
    reference = re.compile(rf"`?\b{re.escape(source)}\b`?\.`?\b(\w+)\b`?(?:\s+(?:AS\s+)?([a-z]\w*))?")
    for units in flattened:
        for unit in units:
            aliases: dict[str, list[str]] = {}
            for name, alias in reference.findall(unit):
                if name in read:
                    aliases.setdefault(name, []).append(alias)
            for name, known in aliases.items():
                # What stands behind a * may be named further out.
                where = "\n".join(units) if "*" in unit else unit
                before = "|".join([r"(?<![\w.`])", *(rf"\b{alias}\." for alias in known if alias)])
                if "*" in unit:
                    before = r"(?<!\w)"
                read[name].update(re.findall(rf"(?:{before})`?({columns[name]})\b", where))
    return tuple(
        replace(table, columns=tuple(each for each in table.columns if each.name in read[table.name]))
        for table in tables
    )


def _units(table: FlattenedTable) -> Iterator[str]:
    """The subqueries, in each of which an alias means one thing: those with names, and the query itself."""
    yield from (query for _, query in table.common)
    yield "\n".join([*(column.expression for column in table.columns), table.body])

