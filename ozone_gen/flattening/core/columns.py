"""Columns of core tables by what they hold, and the putting together of a table."""

from __future__ import annotations

from collections.abc import Sequence

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable, SinkColumn, SqlType


def big(name: str, column: str, description: str = "") -> SinkColumn:
    """A whole number, most often an id."""
    return SinkColumn(name, SqlType.BIGINT, f"CAST({column} AS BIGINT)", description)


def double(name: str, column: str, description: str = "") -> SinkColumn:
    """A number."""
    return SinkColumn(name, SqlType.DOUBLE, column, description)


def true(name: str, column: str, description: str = "") -> SinkColumn:
    """A boolean."""
    return SinkColumn(name, SqlType.BOOLEAN, sql.is_true(column), description)


def moment(name: str, column: str, description: str = "") -> SinkColumn:
    """A date and time, as it stands in the source."""
    return SinkColumn(name, SqlType.TIMESTAMP, sql.wall_clock(column), description)


def date(name: str, column: str, description: str = "") -> SinkColumn:
    """A date."""
    return SinkColumn(name, SqlType.DATE, sql.date_of_days(column), description)


def varchar(name: str, column: str, description: str = "") -> SinkColumn:
    """A short text."""
    return SinkColumn(name, SqlType.VARCHAR, column, description)


def text(name: str, column: str, description: str = "") -> SinkColumn:
    """A text of any length."""
    return SinkColumn(name, SqlType.TEXT, column, description)


def voided(alias: str) -> tuple[SinkColumn, ...]:
    """Whether a row is voided, by which user, when and why."""
    return (
        true("voided", f"{alias}.voided"),
        big("voided_by", f"{alias}.voided_by", "Id of the user."),
        moment("date_voided", f"{alias}.date_voided"),
        varchar("void_reason", f"{alias}.void_reason"),
    )


def retired(alias: str) -> tuple[SinkColumn, ...]:
    """Whether a thing is retired, by which user, when and why."""
    return (
        true("retired", f"{alias}.retired"),
        big("retired_by", f"{alias}.retired_by", "Id of the user."),
        moment("date_retired", f"{alias}.date_retired"),
        varchar("retire_reason", f"{alias}.retire_reason"),
    )


def creator(alias: str) -> SinkColumn:
    """Who made a row."""
    return big("creator", f"{alias}.creator", "Id of the user, not of a person.")


def made(alias: str) -> tuple[SinkColumn, ...]:
    """Who made a row, and when."""
    return creator(alias), moment("date_created", f"{alias}.date_created")


def changed(alias: str) -> tuple[SinkColumn, ...]:
    """Who changed a row last, and when."""
    return (
        big("changed_by", f"{alias}.changed_by", "Id of the user."),
        moment("date_changed", f"{alias}.date_changed"),
    )


def finish(
    name: str,
    description: str,
    columns: Sequence[SinkColumn],
    primary_key: str,
    time_column: str,
    subqueries: Subqueries,
    body: str,
) -> FlattenedTable:
    """Put a table together; `body` is its query after the select list."""
    return FlattenedTable(
        name,
        description,
        tuple(columns),
        primary_key,
        time_column,
        subqueries.named,
        body,
        subqueries.reads,
    )
