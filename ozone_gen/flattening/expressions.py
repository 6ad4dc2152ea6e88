"""Flink SQL expressions over the columns of source events.

An event carries a DATETIME as epoch milliseconds of its wall clock, a DATE as epoch days, and a boolean as 0/1
(TINYINT) or true/false (BIT), by the version of OpenMRS that made the column. Flink's JSON format would turn a
numeric 1 into FALSE without an error, so booleans are read as text and compared here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

FALSE_TEXTS: Final = "('0', 'false')"

# A moment and an id of one fixed width each, so that their texts sort as the numbers do: years 1000 to 9999
# are -3.1e13 to 2.5e14 milliseconds (16 digits once 1e15 is added), and an INT id has 11 digits with 1e10 added.
_MOMENT_OFFSET: Final = 10**15
_ID_OFFSET: Final = 10**10
ORDER_WIDTH: Final = 16 + 11
"""Characters of `order_key`."""


def identifier(name: str) -> str:
    """Quote a name for Flink SQL."""
    return "`" + name.replace("`", "``") + "`"


def literal(value: str) -> str:
    """Quote a text for Flink SQL."""
    return "'" + value.replace("'", "''") + "'"


def literals(values: Sequence[str]) -> str:
    """Quote texts as the list of an IN predicate."""
    return "(" + ", ".join(literal(value) for value in values) + ")"


def is_true(column: str) -> str:
    """Read a boolean; NULL stays NULL."""
    return f"{column} NOT IN {FALSE_TEXTS}"


def is_false(column: str) -> str:
    """Say that a boolean is false; NULL stays NULL."""
    return f"{column} IN {FALSE_TEXTS}"


def wall_clock(column: str) -> str:
    """Read a DATETIME as it stands in the source; the session's time zone has to be UTC."""
    return f"CAST(TO_TIMESTAMP_LTZ({column}, 3) AS TIMESTAMP(3))"


def date_of_days(column: str) -> str:
    """Read a DATE, which an event carries as days since 1970-01-01."""
    return f"CAST(TO_TIMESTAMP_LTZ(CAST({column} AS BIGINT) * 86400000, 3) AS DATE)"


def order_key(moment: str, row_id: str) -> str:
    """Build a text that sorts by moment, then by id: the greatest one is the last, whatever came when."""
    return f"CONCAT(CAST({moment} + {_MOMENT_OFFSET} AS STRING), CAST({row_id} + {_ID_OFFSET} AS STRING))"


def id_key(row_id: str) -> str:
    """Build a text that sorts as the INT id does (11 characters)."""
    return f"CAST({row_id} + {_ID_OFFSET} AS STRING)"


def after(text: str, width: int) -> str:
    """Cut a sort key of that width off the front of a text."""
    return f"SUBSTRING({text} FROM {width + 1})"


def whole_years(born: str, at: str) -> str:
    """Count the whole years between two dates; on the birthday itself the year is complete."""

    def month_and_day(date: str) -> str:
        return f"EXTRACT(MONTH FROM {date}) * 100 + EXTRACT(DAY FROM {date})"

    return (
        f"EXTRACT(YEAR FROM {at}) - EXTRACT(YEAR FROM {born})"
        f" - CASE WHEN {month_and_day(at)} < {month_and_day(born)} THEN 1 ELSE 0 END"
    )


def joined(array: str, separator: str) -> str:
    """Sort the elements of an array and join them."""
    return f"ARRAY_JOIN(ARRAY_SORT({array}), {literal(separator)})"


def least(value: str) -> str:
    """Aggregate the least of values, safely where a subquery that several tables share is aggregated.

    Flink 2.2 takes the columns of a shared subquery for unchanging and then plans a MIN or MAX right above it
    without retraction: an updated row would never be taken back. ARRAY_AGG always retracts.
    """
    return f"ARRAY_SORT(ARRAY_AGG({value}))[1]"


def list_element(key: str, text: str) -> str:
    """Build an element for `ordered_list`: a sort key of digits in front of the text."""
    return f"CONCAT(CHR(30), {key}, {text})"


def ordered_list(elements: str, key_width: int, separator: str) -> str:
    """Join aggregated elements by their keys' order; the keys themselves are cut out again.

    Flink has no ordered LISTAGG. Elements are `list_element`s; `elements` is an ARRAY_AGG of them.
    """
    replacement = separator.replace("\\", "\\\\").replace("$", "\\$")
    keyed = f"ARRAY_JOIN(ARRAY_SORT({elements}), '')"
    cut = f"REGEXP_REPLACE({keyed}, '\\x1E[0-9]{{{key_width}}}', {literal(replacement)})"
    return after(cut, len(separator))
