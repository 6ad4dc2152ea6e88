"""The three years in which the demo happens, with dates and times as SQL literals.

Nothing reads a clock: the present is always the morning of 2026-01-01. Days are numbered from 2023-01-01, and
texts of days and minutes are made once, because formatting a date for each of a hundred rows of a patient
would take longer than all the rest.
"""

from __future__ import annotations

from datetime import date
from typing import Final

FIRST_DAY: Final = date(2023, 1, 1).toordinal()
LAST_DAY: Final = date(2026, 1, 1).toordinal() - FIRST_DAY
"""The day, counted from FIRST_DAY, on which the demo's present ends."""

_DAYS: Final = tuple(date.fromordinal(FIRST_DAY + day).isoformat() for day in range(LAST_DAY + 400))
# Seconds differ, yet follow from the minute.
_MINUTES: Final = tuple(
    f" {minute // 60:02d}:{minute % 60:02d}:{minute * 37 % 60:02d}'" for minute in range(24 * 60)
)


def stamp(day: int, minute: int) -> str:
    """A DATETIME literal; the minute may lie beyond the day's end."""
    return f"'{_DAYS[day + minute // 1440]}{_MINUTES[minute % 1440]}"


def day_text(day: int) -> str:
    """A day as YYYY-MM-DD, also one before FIRST_DAY."""
    return _DAYS[day] if day >= 0 else date.fromordinal(FIRST_DAY + day).isoformat()
