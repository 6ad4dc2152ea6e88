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
# are -3.1e13 to 2.5e14 milliseconds (16 digits once 2e15 is added), and an INT id has 11 digits with 1e10 added.
_MOMENT_OFFSET: Final = 2 * 10**15
_ID_OFFSET: Final = 10**10
_DAY: Final = 86_400_000
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


def is_false(column: str, mark: str = "") -> str:
    """Say that a boolean is false; NULL stays NULL.

    A `mark`, a text that no boolean is, makes a join on the predicate differ from every other join of the job: equal
    ones become one subquery that is shared, and what may stand on a shared one is said at `least`.
    """
    return f"{column} IN {FALSE_TEXTS}" if not mark else f"{column} IN {literals(('0', 'false', mark))}"


def wall_clock(column: str) -> str:
    """Read a DATETIME as it stands in the source; the session's time zone has to be UTC."""
    return f"CAST(TO_TIMESTAMP_LTZ({column}, 3) AS TIMESTAMP(3))"


def date_of_days(column: str) -> str:
    """Read a DATE, which an event carries as days since 1970-01-01."""
    return f"CAST(TO_TIMESTAMP_LTZ(CAST({column} AS BIGINT) * 86400000, 3) AS DATE)"


def day_of_moment(column: str) -> str:
    """Read the day of a DATETIME.

    It is cut down to midnight first: Flink 2.2's cast to DATE cuts towards 1970, so that the days before came out as
    their morrow.
    """
    return f"CAST(TO_TIMESTAMP_LTZ({column} - ({time_of_moment(column)}), 3) AS DATE)"


def time_of_moment(column: str) -> str:
    """Read the time of day of a DATETIME, in milliseconds. MOD has the sign of what is divided."""
    return f"MOD(MOD({column}, {_DAY}) + {_DAY}, {_DAY})"


def plain_number(column: str) -> str:
    """Write a number without an exponent and without trailing zeros, to ten decimals."""
    decimal = f"CAST(CAST({column} AS DECIMAL(38, 10)) AS STRING)"
    # What no decimal can hold is written as it comes.
    return f"COALESCE(REGEXP_REPLACE({decimal}, '\\.?0+$', ''), CAST({column} AS STRING))"


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
    """Count the whole years between two dates; on the birthday itself the year is complete. Negative before birth."""

    def month_and_day(date: str) -> str:
        return f"EXTRACT(MONTH FROM {date}) * 100 + EXTRACT(DAY FROM {date})"

    def years(first: str, last: str) -> str:
        return (
            f"EXTRACT(YEAR FROM {last}) - EXTRACT(YEAR FROM {first})"
            f" - CASE WHEN {month_and_day(last)} < {month_and_day(first)} THEN 1 ELSE 0 END"
        )

    return f"CASE WHEN {at} < {born} THEN -({years(at, born)}) ELSE {years(born, at)} END"


def joined(array: str, separator: str) -> str:
    """Sort the elements of an array and join them."""
    return f"ARRAY_JOIN(ARRAY_SORT({array}), {literal(separator)})"


def least(value: str) -> str:
    """Aggregate the least of values, safely where a subquery that several tables share is aggregated.

    Flink 2.2 takes the columns of a shared subquery for unchanging and then plans a MIN or MAX right above it
    without retraction: an updated row would never be taken back. ARRAY_AGG always retracts.
    """
    return f"ARRAY_SORT(ARRAY_AGG({value}))[1]"


def row_key(number: str) -> str:
    """The key of a sink's row, so that Flink does not see it is one.

    Where the query's own key is the sink's, Flink 2.2 leaves out of its changes what was there before. Its outer joins
    then count a changed row as one more, and lose the row that should be back, with empty cells, when the last of the
    others goes (FLINK-40681). Ids are not negative, so that ABS changes none.
    """
    return f"ABS({number})"


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
