"""OZ2xx: a name refers to something that is not there."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code


class UnknownReference(Code):
    """A name refers to something that the file does not define, such as a table's `source`.

    The hint names what is defined there and close in spelling. Correct the name, or define what it refers to.
    """

    id = "OZ201"
