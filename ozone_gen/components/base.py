"""What a component is: a part of a site that contributes services and files to the output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from ozone_gen.plan import SitePlan, Variable
from ozone_gen.render.tree import File


class ComposeFile(StrEnum):
    """The compose files of a site; people know them by these names."""

    DATABASES = "docker-compose-db.yaml"
    PIPELINES = "docker-compose-data-pipelines.yaml"
    SUPERSET = "docker-compose-superset.yaml"
    EXPORT = "docker-compose-export.yaml"
    OBJECT_STORE = "docker-compose-minio.yaml"
    DRILL = "docker-compose-drill.yaml"

    @property
    def runs_on_demand(self) -> bool:
        """Whether its services are commands that end, rather than parts of the site that go on."""
        return self is ComposeFile.EXPORT


Service = Mapping[str, Any]
"""A service as the compose specification describes it."""


@dataclass(frozen=True)
class Address:
    """Where people find a part of the site, for the site's README.

    Attributes:
        what: what is there, in words.
        part: the part whose published port it is; where that is closed, there is no address.
        before, after: what stands around host and port.
    """

    what: str
    part: str
    before: str = "http://"
    after: str = ""


@dataclass(frozen=True)
class Contribution:
    """What a component adds to the output.

    Attributes:
        services: for each compose file its services by name; a name may be used once in a site.
        volumes: for each compose file the named volumes that its services mount.
        files: files beside the compose files.
        variables: what its services read from the environment beside the variables of the plan.
        addresses: where people find it.
        notes: sections of the site's README, as Markdown.
        packages: what its programs need in the setup image beside what all sites have there, as pip's requirements.
    """

    services: Mapping[ComposeFile, Mapping[str, Service]] = field(default_factory=dict)
    volumes: Mapping[ComposeFile, tuple[str, ...]] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    variables: tuple[Variable, ...] = ()
    addresses: tuple[Address, ...] = ()
    notes: tuple[str, ...] = ()
    packages: bytes = b""


class Options(BaseModel):
    """The base of what ozone.yaml can say about a component; components without a choice use it as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class Component(Protocol):
    """One part of a site. Each is an object in a module of its own, listed in the registry."""

    @property
    def name(self) -> str:
        """Its key under `components` in ozone.yaml, or the name of a part that every site has."""
        ...

    @property
    def options(self) -> type[Options] | None:
        """What ozone.yaml can say about it; None for a part that every site has."""
        ...

    def contribute(self, plan: SitePlan) -> Contribution:
        """Say what the component adds to a site; nothing when the plan does not ask for it."""
        ...
