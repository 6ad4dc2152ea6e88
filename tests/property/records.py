"""All tables of the demo database, changed at random: any row, any column, within what its schema allows."""

from __future__ import annotations

import datetime
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

from ozone_gen.openmrs.demo.schema import Column as SchemaColumn
from ozone_gen.openmrs.demo.schema import tables as schema
from ozone_gen.openmrs.tables import Column, Kind
from tests.oracle.demo_rows import demo
from tests.property.clinics import MOMENTS
from tests.property.histories import TABLES, Row, Rows, Source, key_of

_READ: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.DATETIME: datetime.datetime.fromisoformat,
    Kind.DATE: datetime.date.fromisoformat,
    Kind.TIME: datetime.time.fromisoformat,
}
_RARE: Final = frozenset({"global_property", "concept_map_type", "concept_reference_source"})
"""A change of one of these changes most of a dictionary: not every time."""


def demo_rows(patients: int) -> Rows:
    """The rows of the demo database, with moments as moments."""
    found: Rows = defaultdict(dict)
    for table, rows in demo(patients).items():
        kinds = {column.name: column.kind for column in TABLES[table].columns} if table in TABLES else {}
        usual = {column.name: _default(column) for column in schema()[table].columns}
        for row in rows:
            made: Row = usual | {
                name: _READ[kinds[name]](value) if value is not None and kinds.get(name) in _READ else value
                for name, value in row.items()
            }
            found[table][key_of(table, made)] = made
    return found


def _default(column: SchemaColumn) -> Any:
    """What a column holds that an INSERT leaves out."""
    if column.default is None:
        return None
    return column.default.strip("'") if column.sql_type.startswith(("varchar", "char")) else int(column.default)


def change_records(source: Source, chance: random.Random, steps: int, tables: Sequence[str]) -> None:
    """Insert, update, void and delete rows of these tables."""
    weights = [0.2 if table in _RARE else len(source.rows[table]) ** 0.3 for table in tables]
    for _ in range(steps):
        (table,) = chance.choices(tables, weights)
        rows = source.all(table)
        if rows:
            row = chance.choice(rows)
            ((way,),) = (chance.choices((_update, _update_one_of_few, _void, _delete, _insert), (50, 20, 15, 10, 10)),)
            way(source, chance, table, row)


def _update_one_of_few(source: Source, chance: random.Random, table: str, row: Row) -> None:
    """The same few rows again, so that changes meet."""
    _update(source, chance, table, chance.choice(source.all(table)[:8]))


def _update(source: Source, chance: random.Random, table: str, row: Row) -> None:
    columns = [column for column in TABLES[table].columns if _may_change(table, column.name)]
    if columns:
        column = chance.choice(columns)
        source.change(table, row, **{column.name: _another(source, chance, table, column, row)})


def _void(source: Source, chance: random.Random, table: str, row: Row) -> None:
    for name in ("voided", "retired"):
        if name in row:
            source.change(table, row, **{name: 0 if row[name] else 1})


def _delete(source: Source, chance: random.Random, table: str, row: Row) -> None:
    # Not the last ones: what is not there cannot change.
    if len(source.rows[table]) > 3:
        source.delete(table, row)


def _insert(source: Source, chance: random.Random, table: str, row: Row) -> None:
    """A row like another one, or one that was deleted before."""
    (first, *others) = schema()[table].primary_key
    unique = [column for column in schema()[table].columns if column.unique and column.name in row]
    if others or _column(table, first).references or not isinstance(row[first], int):
        return
    if any(column.references for column in unique):
        return  # no second one can refer to the same thing
    row = row | {first: max(key[0] for key in source.rows[table]) + 1}
    for column in unique:
        row[column.name] = f"{table[:12]}-{row[first]}-{column.name[:8]}"[:36]
    source.put(table, row)


def _may_change(table: str, name: str) -> bool:
    return name not in schema()[table].primary_key and not _column(table, name).unique


def _column(table: str, name: str) -> SchemaColumn:
    return next(column for column in schema()[table].columns if column.name == name)


def _another(source: Source, chance: random.Random, table: str, column: Column, row: Row) -> Any:
    """Another value of a column; one that others have, as a rule."""
    declared = _column(table, column.name)
    if declared.nullable and chance.random() < 0.2:
        return None
    if declared.references:
        # Rows that are ordered by their ids never refer to a later one: none may contain itself.
        known = sorted(key[0] for key in source.rows[declared.references])
        if declared.references == table:
            known = [each for each in known if each < row[schema()[table].primary_key[0]]]
        return chance.choice(known) if known else row[column.name]
    value = chance.choice(source.all(table))[column.name]
    match column.kind:
        case Kind.BOOLEAN:
            return 0 if row[column.name] else 1
        case Kind.DATETIME:
            return chance.choice(MOMENTS) if chance.random() < 0.5 else value
        case Kind.DATE:
            return chance.choice(MOMENTS).date() if chance.random() < 0.5 else value
        case Kind.TEXT if declared.sql_type.startswith("varchar") and chance.random() < 0.3:
            widest = int(declared.sql_type[8:-1])
            return f"{row[column.name] or ''}{chance.choice((' B', 'é', '2'))}"[-widest:].strip()
    return value if value is not None or declared.nullable else row[column.name]
