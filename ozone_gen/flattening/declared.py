"""What a person declares about an own table, in the types that the plan and the queries share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ozone_gen.flattening.table import SqlType


class ColumnType(StrEnum):
    """What a column holds."""

    NUMERIC = "numeric"
    INTEGER = "integer"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CODED = "coded"


class Repeat(StrEnum):
    """What becomes of several observations of one concept in a row."""

    LAST = "last"
    FIRST = "first"
    MIN = "min"
    MAX = "max"
    SUM = "sum"
    COUNT = "count"
    LIST = "list"


class CodedValue(StrEnum):
    """How a coded answer is written."""

    NAME = "name"
    UUID = "uuid"


_ORDERED: Final = frozenset({Repeat.LAST, Repeat.FIRST, Repeat.COUNT})
_COMPARED: Final = _ORDERED | {Repeat.MIN, Repeat.MAX}

REPEATS: Final = MappingProxyType(
    {
        ColumnType.NUMERIC: _COMPARED | {Repeat.SUM, Repeat.LIST},
        ColumnType.INTEGER: _COMPARED | {Repeat.SUM, Repeat.LIST},
        ColumnType.TEXT: _COMPARED | {Repeat.LIST},
        ColumnType.BOOLEAN: _COMPARED,
        ColumnType.DATE: _COMPARED | {Repeat.LIST},
        ColumnType.DATETIME: _COMPARED | {Repeat.LIST},
        ColumnType.CODED: _ORDERED | {Repeat.LIST},
    }
)
"""The ways to reduce several observations that make sense for each type."""

DATATYPES: Final = MappingProxyType(
    {
        "Numeric": ColumnType.NUMERIC,
        "Coded": ColumnType.CODED,
        "Text": ColumnType.TEXT,
        "Date": ColumnType.DATE,
        "Datetime": ColumnType.DATETIME,
        "Boolean": ColumnType.BOOLEAN,
    }
)
"""The column type of each datatype of OpenMRS's dictionary that an observation of can be flattened."""

READABLE: Final = MappingProxyType(
    {
        "Numeric": frozenset({ColumnType.NUMERIC, ColumnType.INTEGER}),
        "Coded": frozenset({ColumnType.CODED, ColumnType.BOOLEAN}),
        "Text": frozenset({ColumnType.TEXT}),
        "Date": frozenset({ColumnType.DATE, ColumnType.DATETIME}),
        "Datetime": frozenset({ColumnType.DATE, ColumnType.DATETIME}),
        "Boolean": frozenset({ColumnType.BOOLEAN, ColumnType.CODED}),
    }
)
"""The column types that observations of a datatype can give."""


@dataclass(frozen=True)
class ColumnPlan:
    """An own column, decided.

    Attributes:
        name: its name in the sink.
        concept: the concept as referred to: a uuid, or SOURCE:CODE.
        type: what it holds.
        repeat: what becomes of several observations.
        value: how a coded answer is written; nothing else reads it.
        description: its comment in the sink.
    """

    name: str
    concept: str
    type: ColumnType
    repeat: Repeat = Repeat.LAST
    value: CodedValue = CodedValue.NAME
    description: str = ""

    @property
    def sql_type(self) -> SqlType:
        """The type of the column in the sink."""
        if self.repeat is Repeat.COUNT:
            return SqlType.BIGINT
        if self.repeat is Repeat.LIST:
            return SqlType.TEXT
        return _SQL_TYPES[self.type]


_SQL_TYPES: Final = {
    ColumnType.NUMERIC: SqlType.DOUBLE,
    ColumnType.INTEGER: SqlType.BIGINT,
    ColumnType.TEXT: SqlType.TEXT,
    ColumnType.BOOLEAN: SqlType.BOOLEAN,
    ColumnType.DATE: SqlType.DATE,
    ColumnType.DATETIME: SqlType.TIMESTAMP,
    ColumnType.CODED: SqlType.TEXT,
}


@dataclass(frozen=True)
class TablePlan:
    """An own table with `rows: encounter`, decided.

    Attributes:
        name: its name in the sink.
        site: the site's id, which every row carries.
        encounter_types: names or uuids; empty means every type.
        columns: the declared columns in order.
        description: its comment in the sink.
    """

    name: str
    site: str
    encounter_types: tuple[str, ...]
    columns: tuple[ColumnPlan, ...]
    description: str = ""


LIST_SEPARATOR: Final = "; "
"""Between the values of a `list` cell."""
