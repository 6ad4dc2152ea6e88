"""What a person declares about an own table, in the types that the plan and the queries share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ozone_gen.flattening.table import SqlType


class Grain(StrEnum):
    """What a row of an own table is."""

    PATIENT = "patient"
    VISIT = "visit"
    ENCOUNTER = "encounter"
    OBS_GROUP = "obs_group"
    OBS = "obs"


class ColumnType(StrEnum):
    """What a column holds."""

    NUMERIC = "numeric"
    INTEGER = "integer"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    CODED = "coded"
    DRUG = "drug"
    COMPLEX = "complex"


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
    """How an answer is written."""

    NAME = "name"
    UUID = "uuid"


class Answers(StrEnum):
    """What becomes of the answers to a question that takes several."""

    LIST = "list"


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
        ColumnType.TIME: _COMPARED | {Repeat.LIST},
        ColumnType.CODED: _ORDERED | {Repeat.LIST},
        ColumnType.DRUG: _ORDERED | {Repeat.LIST},
        ColumnType.COMPLEX: _ORDERED | {Repeat.LIST},
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
        "Time": ColumnType.TIME,
        "Boolean": ColumnType.BOOLEAN,
        "Complex": ColumnType.COMPLEX,
    }
)
"""The column type of each datatype of OpenMRS's dictionary that an observation of can be flattened."""

READABLE: Final = MappingProxyType(
    {
        "Numeric": frozenset({ColumnType.NUMERIC, ColumnType.INTEGER}),
        "Coded": frozenset({ColumnType.CODED, ColumnType.BOOLEAN, ColumnType.DRUG}),
        "Text": frozenset({ColumnType.TEXT}),
        "Date": frozenset({ColumnType.DATE, ColumnType.DATETIME}),
        "Datetime": frozenset({ColumnType.DATE, ColumnType.DATETIME, ColumnType.TIME}),
        "Time": frozenset({ColumnType.TIME}),
        "Boolean": frozenset({ColumnType.BOOLEAN, ColumnType.CODED}),
        "Complex": frozenset({ColumnType.COMPLEX}),
    }
)
"""The column types that observations of a datatype can give."""

NAMED_TYPES: Final = frozenset({ColumnType.CODED, ColumnType.DRUG})
"""The types whose values are things with a name and a uuid."""


@dataclass(frozen=True)
class ColumnPlan:
    """An own column, decided.

    Attributes:
        name: its name in the sink.
        concepts: the concepts as referred to, each a uuid or SOURCE:CODE; the first that has a value in a row wins.
        type: what it holds.
        repeat: what becomes of several observations.
        value: how an answer is written; nothing else reads it.
        code_source: the concept source whose code is written for an answer, in place of `value`; else empty.
        distinct: whether a list has each answer once, sorted by its text rather than by time.
        answers: the answers, as referred to, that make a boolean of a question that takes several; else empty.
        group: the concept of the obs group that an observation has to be in, as referred to; else empty.
        description: its comment in the sink.
        renamed_from: its former name; empty where it has none.
    """

    name: str
    concepts: tuple[str, ...]
    type: ColumnType
    repeat: Repeat = Repeat.LAST
    value: CodedValue = CodedValue.NAME
    code_source: str = ""
    distinct: bool = False
    answers: tuple[str, ...] = ()
    group: str = ""
    description: str = ""
    renamed_from: str = ""

    @property
    def sql_type(self) -> SqlType:
        """The type of the column in the sink."""
        if self.repeat is Repeat.COUNT:
            return SqlType.BIGINT
        if self.repeat is Repeat.LIST:
            return SqlType.TEXT
        return SqlType.BOOLEAN if self.answers else _SQL_TYPES[self.type]


_SQL_TYPES: Final = {
    ColumnType.NUMERIC: SqlType.DOUBLE,
    ColumnType.INTEGER: SqlType.BIGINT,
    ColumnType.TEXT: SqlType.TEXT,
    ColumnType.BOOLEAN: SqlType.BOOLEAN,
    ColumnType.DATE: SqlType.DATE,
    ColumnType.DATETIME: SqlType.TIMESTAMP,
    ColumnType.TIME: SqlType.TIME,
    ColumnType.CODED: SqlType.TEXT,
    ColumnType.DRUG: SqlType.TEXT,
    ColumnType.COMPLEX: SqlType.TEXT,
}


@dataclass(frozen=True)
class Filters:
    """Which rows an own table has, and which observations its columns read.

    A filter on what a row is or hangs on chooses the rows. One on what lies below a row, such as the encounter types
    of `rows: visit`, chooses the observations that the columns read. An empty one chooses everything.

    Attributes:
        encounter_types, visit_types, forms, locations: names or uuids.
        since: the first day, as YYYY-MM-DD.
        group: the concept of the obs groups that are the rows, as referred to; for `rows: obs_group` alone.
        concepts: the concepts whose observations are the rows, as referred to; for `rows: obs` alone.
    """

    encounter_types: tuple[str, ...] = ()
    visit_types: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    since: str = ""
    group: str = ""
    concepts: tuple[str, ...] = ()


@dataclass(frozen=True)
class TablePlan:
    """An own table, decided.

    Attributes:
        name: its name in the sink.
        site: the site's id, which every row carries.
        rows: what a row is.
        filters: which rows and observations.
        context: names of the columns that say what a row is and hangs on, the key first.
        columns: the declared columns in order.
        description: its comment in the sink.
        renamed_from: its former name; empty where it has none.
    """

    name: str
    site: str
    rows: Grain
    filters: Filters
    context: tuple[str, ...]
    columns: tuple[ColumnPlan, ...]
    description: str = ""
    renamed_from: str = ""


LIST_SEPARATOR: Final = "; "
"""Between the values of a `list` cell."""
