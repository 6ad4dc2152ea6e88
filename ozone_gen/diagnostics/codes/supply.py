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


class RegistryUnreachable(Code):
    """A registry of container images does not answer.

    `lock-images` asks every registry for the digests of its images, by HTTPS (a registry on this machine by HTTP, too).
    Run it where the registry can be reached: behind a proxy with `HTTPS_PROXY` set, with an authority of your own with
    `SSL_CERT_FILE`. The lock that is there stays as it is.
    """

    id = "OZ502"


class RegistryRefused(Code):
    """A registry answers, but does not say what the digest of an image is.

    It may want a login (`lock-images` asks without one), have been asked too often in a while (Docker Hub counts by
    address: wait, or use a mirror), or something in between answers in its place, such as the login page of a network.
    The lock that is there stays as it is.
    """

    id = "OZ503"


class ImageNotFound(Code):
    """A registry does not have an image of that name and tag.

    Look at `images` in ozone.yaml: the name, the tag, and whether the mirror has it. The lock that is there stays as it
    is.
    """

    id = "OZ504"


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
