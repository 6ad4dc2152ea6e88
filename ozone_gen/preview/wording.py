"""How figures are written for people, on the terminal and on a page."""

from __future__ import annotations

import datetime
import math
import re
from typing import Final

from ozone_gen.preview.profile import ColumnProfile, Value

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
"""What moves a cursor or turns the direction of writing; texts of a database may hold it."""


def number(value: float) -> str:
    """Write a number with as many digits as are of use: 17,224, 60.5, 0.0021, 1.8e+30."""
    size = abs(value)
    if size and not 1e-4 <= size < 1e12:
        return f"{value:.3g}"
    if float(value).is_integer():
        return f"{int(value):,}"
    places = max(0, 2 - math.floor(math.log10(size))) if size < 100 else 1
    shown = f"{value:,.{places}f}"
    return shown.rstrip("0").rstrip(".")


def moment(value: Value | None) -> str:
    """Write a number or a time; a time to the minute."""
    if value is None:
        return "–"
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return number(value)


def share(part: int, whole: int) -> str:
    """Write a share in per cent: none and all are said only where they are so."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "<1 %"
    if 99 < percent < 100:
        return ">99 %"
    return f"{percent:.0f} %"


def counted(count: int, word: str) -> str:
    """Write a number of things: 1 row, 2 rows."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def one_line(text: str) -> str:
    """Take out of a text what would break a line or turn the direction of what follows."""
    return CONTROL.sub(" ", text)


def spread(column: ColumnProfile, answers: int = 3) -> str:
    """Say what values a column has, in a few words."""
    if not column.filled:
        return ""
    if column.least is not None:
        if column.least == column.greatest:
            return f"always {moment(column.least)}"
        return f"{moment(column.least)} … {moment(column.median)} … {moment(column.greatest)}"
    if column.answers:
        return ", ".join(f"{one_line(each.text)} ({each.rows:,})" for each in column.answers[:answers])
    if column.lengths:
        least, median, greatest = column.lengths
        return f"texts of {least:,} … {median:,} … {greatest:,} characters"
    return ""
