"""OZ9xx: our fault."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code


class InternalError(Code):
    """ozone-gen itself went wrong. This is a bug of ours, whatever the input was.

    Please report it with the command, `ozone-gen --version`, and the ozone.yaml (without passwords) that
    brings it about. The output folder is as it was before.
    """

    id = "OZ901"
