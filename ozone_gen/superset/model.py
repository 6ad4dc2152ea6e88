"""Superset's assets as decided, apart from how its import format writes them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_NAMESPACE: Final = uuid.UUID("6f7a6f6e-652d-5867-a56e-737570657273")
"""Begins every uuid; never to be changed, or a next import would make everything a second time."""


def identity(site: str, kind: str, name: str) -> str:
    """The uuid of an asset: the same at every render, so that an import finds what an earlier one made."""
    return str(uuid.uuid5(_NAMESPACE, f"{site}/{kind}/{name}"))


@dataclass(frozen=True)
class Column:
    """A column of a dataset.

    Attributes:
        name: its name in the database.
        type: its type as Superset reads it from the database.
        label: what charts call it.
        description: what a reader should know.
        is_time: whether charts can have it as their time axis.
        expression: SQL that computes it; empty where the database has it.
    """

    name: str
    type: str
    label: str
    description: str = ""
    is_time: bool = False
    expression: str = ""


@dataclass(frozen=True)
class Metric:
    """A number that is computed over rows of a dataset; `format` is a d3 number format."""

    name: str
    label: str
    expression: str
    format: str = ",d"
    description: str = ""


@dataclass(frozen=True)
class Database:
    """A database that Superset reads.

    Attributes:
        name: of its files, and of what identifies it.
        label: what Superset calls it.
        uri: its SQLAlchemy address, with a masked password where it has one. What a site overrides when it starts
            is put in at import.
        schema: the schema of its tables, or None.
    """

    name: str
    label: str
    uri: str
    schema: str | None


@dataclass(frozen=True)
class Dataset:
    """A table, or a query, with what charts can make of it.

    Attributes:
        name: the table's name, or that of the query.
        description: what a row is.
        columns: in the table's order, those that are computed last.
        metrics: what can be computed over rows; the first is the count of what a person would count.
        time_column: the main one; empty where there is none.
        sql: the query; empty for a table.
        former_name: what it was called before; empty where it has no other name.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    metrics: tuple[Metric, ...]
    time_column: str = ""
    sql: str = ""
    former_name: str = ""

    def has(self, *names: str) -> bool:
        """Say whether it has all of these columns."""
        return set(names) <= {column.name for column in self.columns}

    def label(self, name: str) -> str:
        """What charts call a column."""
        return next(column.label for column in self.columns if column.name == name)


@dataclass(frozen=True)
class Chart:
    """A chart.

    Attributes:
        name: of its file, and of what identifies it.
        title: what it shows.
        dataset: the name of its dataset.
        kind: Superset's name for the kind of chart.
        form: its settings, as Superset's editor keeps them.
        query: the query that its settings ask for, as Superset's API takes it.
        description: what a reader should know.
        width, height: on the dashboard; twelve columns are the whole width, a unit of height is 8 pixels.
    """

    name: str
    title: str
    dataset: str
    kind: str
    form: Mapping[str, Any]
    query: Mapping[str, Any]
    description: str = ""
    width: int = 6
    height: int = 50


@dataclass(frozen=True)
class Section:
    """A part of a dashboard under one heading."""

    title: str
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class Dashboard:
    """A dashboard; `filters` are the columns, as (dataset, column, title), that people choose values of."""

    name: str
    title: str
    sections: tuple[Section, ...]
    filters: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Bundle:
    """Everything that is imported together: each database with its datasets, and the dashboards over them."""

    site: str
    datasets: Mapping[Database, tuple[Dataset, ...]]
    dashboards: tuple[Dashboard, ...] = field(default=())
