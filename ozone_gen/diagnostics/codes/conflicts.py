"""OZ3xx: two values are each right, but not together."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code


class DuplicateName(Code):
    """Two things that need different names have one and the same.

    Two tables of one name would write into each other, as would two columns, or a column and one of the key
    columns that every table of its grain has by itself. Names that differ only in case count as the same.
    Rename one of the two.
    """

    id = "OZ301"


class PortConflict(Code):
    """Two services would publish the same port of the machine.

    The second one could not start. Give one of them another port, or close it.
    """

    id = "OZ302"
