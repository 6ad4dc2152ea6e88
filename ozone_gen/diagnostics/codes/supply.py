"""OZ5xx: what a site's containers are made of."""

from __future__ import annotations

from ozone_gen.diagnostics.codes.base import Code
from ozone_gen.diagnostics.model import Severity


class NotARenderedFolder(Code):
    """A folder holds no site that ozone-gen rendered.

    `sbom`, `outdated` and `lock-images` read an ozone.yaml, or a folder that `ozone-gen render` wrote: one with a
    manifest.json and compose files.
    """

    id = "OZ501"


class BrokenImageLock(Code):
    """A lock of images cannot be read, or is not one that `lock-images` wrote.

    It is written anew by `ozone-gen lock-images`, and is not to be edited.
    """

    id = "OZ505"


class StaleImageLock(Code):
    """A lock of images names other images than the site does.

    Compose takes the lock's, so the site goes on with what it had: run `ozone-gen lock-images` again after a change of
    `images`, and after an upgrade of ozone-gen.
    """

    id = "OZ506"
    severity = Severity.WARNING
