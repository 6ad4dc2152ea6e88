"""How many observations stand behind each cell of an own table: the same rows, every column reduced by `count`.

A preview fills such a companion beside the table. It is planned like the table itself, so that it is right for
every grain and filter that the table may have.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ozone_gen.flattening.declared import Repeat, TablePlan

SUFFIX: Final = ".counts"
"""Behind the table's name; no own table can be called so."""


def counting(plan: TablePlan) -> TablePlan:
    """Plan the companion of an own table."""
    columns = tuple(
        replace(column, repeat=Repeat.COUNT, code_source="", distinct=False, answers=()) for column in plan.columns
    )
    return replace(plan, name=plan.name + SUFFIX, columns=columns)
