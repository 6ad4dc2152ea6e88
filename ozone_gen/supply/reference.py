"""References to container images, as Docker reads them: registry, repository, tag and digest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

DOCKER_HUB: Final = "docker.io"
"""The registry of an image whose name begins with none."""

_PART: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(rf"{_PART}(?:/{_PART})*")
_REGISTRY: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Reference:
    """An image.

    Attributes:
        name: its name as people write it, without tag and digest, such as `postgres`.
        registry: the registry's host, with its port where it has one.
        repository: its name at the registry, such as `library/postgres`.
        tag: its tag; empty where there is only a digest.
        digest: `sha256:` and 64 digits; empty where there is none.
    """

    name: str
    registry: str
    repository: str
    tag: str
    digest: str

    @property
    def tagged(self) -> str:
        """Name and tag, without the digest."""
        return f"{self.name}:{self.tag}" if self.tag else self.name

    @property
    def written(self) -> str:
        """All of it, as it stands in a compose file."""
        return f"{self.tagged}@{self.digest}" if self.digest else self.tagged

    @property
    def short_name(self) -> str:
        """The last part of its name: what stays the same in a mirror."""
        return self.repository.rpartition("/")[2]

    def at(self, digest: str) -> Reference:
        """The same image, with a digest."""
        return Reference(self.name, self.registry, self.repository, self.tag, digest)


def parse_reference(image: str) -> Reference:
    """Read a reference; ValueError, which says what is wrong, where no registry could have such an image."""
    tagged, at, digest = image.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise ValueError("its digest is not `sha256:` and 64 digits")
    name, colon, tag = tagged.rpartition(":")
    if not colon or "/" in tag:
        name, tag = tagged, "" if digest else "latest"
    elif not _TAG.fullmatch(tag):
        raise ValueError(f"`{tag}` is no tag")
    registry, slash, repository = name.partition("/")
    if not slash or not ("." in registry or ":" in registry or registry == "localhost"):
        registry, repository = DOCKER_HUB, name
    if registry in ("index.docker.io", "registry-1.docker.io"):
        registry = DOCKER_HUB
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    if not _REGISTRY.fullmatch(registry):
        raise ValueError(f"`{registry}` is no registry")
    if not _REPOSITORY.fullmatch(repository):
        raise ValueError(f"`{repository}` is no name of an image: lower-case letters, digits, and . _ - between them")
    return Reference(name, registry, repository, tag, digest)
