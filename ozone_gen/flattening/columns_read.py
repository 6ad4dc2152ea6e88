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
from typing import Final

from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.openmrs.tables import Table

_TEXT: Final = re.compile(r"'(?:[^']|'')*'")


def columns_read(source: str, tables: Iterable[Table], flattened: Sequence[FlattenedTable]) -> tuple[Table, ...]:
    """Return the source tables with the columns that `flattened` reads; the primary key always is.

    `source` is the Flink database of the source tables.
    """
    units = [[_TEXT.sub("''", unit) for unit in _units(table)] for table in flattened]
    return tuple(_narrowed(source, table, units) for table in tables)


def _units(table: FlattenedTable) -> Iterator[str]:
    """The subqueries, in each of which an alias means one thing: those with names, and the query itself."""
    yield from (query for _, query in table.common)
    yield "\n".join([*(column.expression for column in table.columns), table.body])


def _narrowed(source: str, table: Table, flattened: Sequence[Sequence[str]]) -> Table:
    reference = re.compile(rf"`?\b{re.escape(source)}\b`?\.`?\b{re.escape(table.name)}\b`?(?:\s+(?:AS\s+)?([a-z]\w*))?")
    read = set(table.primary_key)
    for units in flattened:
        for unit in units:
            aliases = reference.findall(unit)
            if aliases:
                # What stands behind a * may be named further out.
                where = "\n".join(units) if "*" in unit else unit
                before = "|".join([r"(?<![\w.`])", *(rf"\b{alias}\." for alias in aliases if alias)])
                if "*" in unit:
                    before = r"(?<!\w)"
                names = "|".join(re.escape(column.name) for column in table.columns)
                read.update(re.findall(rf"(?:{before})`?({names})\b", where))
    return replace(table, columns=tuple(column for column in table.columns if column.name in read))
