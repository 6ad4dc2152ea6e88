"""What the tool has to say about its input and output: one finding is a `Diagnostic`.

This package depends on nothing else of the project. Nothing here prints: `renderers` turns findings into text
and the command line prints it.
"""

from ozone_gen.diagnostics.close_matches import did_you_mean
from ozone_gen.diagnostics.model import (
    Diagnostic,
    OutputError,
    OzoneError,
    Path,
    Position,
    Severity,
    dotted,
    in_order,
)

__all__ = [
    "Diagnostic",
    "OutputError",
    "OzoneError",
    "Path",
    "Position",
    "Severity",
    "did_you_mean",
    "dotted",
    "in_order",
]
