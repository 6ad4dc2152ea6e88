"""OZ46x: a site that was made by hand."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code
from ozone_gen.diagnostics.model import Severity


class NothingToImport(Code):
    """A folder cannot be read, or is not one of a site after the layout of Ozone Analytics.

    `ozone-gen import` looks for `docker-compose-*.yaml` and `.env` in the folder that it is given, or in a folder
    `docker` inside of it, and for connectors (JSON, or `setup-connect.sh`) and SQL queries below it.
    """

    id = "OZ461"


class NotCarriedOver(Code):
    """Something of a site that was made by hand has no place in ozone.yaml, or is decided in another way.

    The finding names its file and line, and the hint what to do, if anything has to be done. Secrets are among these:
    a value never goes into ozone.yaml, but into `.env` beside the rendered files.
    """

    id = "OZ462"
    severity = Severity.WARNING
