"""What an examination of a running site finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a part is."""

    WELL = "well"
    WARNING = "warning"
    ILL = "ill"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One row of the doctor's table.

    Attributes:
        part: what was looked at.
        state: how it is.
        what: what was seen, in one line.
        cure: what to do; empty where nothing is to be done.
    """

    part: str
    state: State
    what: str
    cure: str = ""
