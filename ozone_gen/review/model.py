"""What a change of a site means, as data: all that the three formats say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from ozone_gen.compare import Kind
from ozone_gen.evolution import Change, Cost


class Verdict(IntEnum):
    """What a change does to a running site, the worst last."""

    NONE = 0
    SAFE = 1
    RESTART = 2
    REBUILD = 3
    DATA_LOSS = 4

    @property
    def word(self) -> str:
        """Its name as people and programs write it: `data-loss`."""
        return self.name.lower().replace("_", "-")

    @property
    def meaning(self) -> str:
        """What a reviewer has to know."""
        return _MEANINGS[self]


_MEANINGS: Final = {
    Verdict.NONE: "Nothing that runs changes.",
    Verdict.SAFE: "Nothing that runs is interrupted.",
    Verdict.RESTART: "Parts of the site stop and start again within minutes; no data are lost.",
    Verdict.REBUILD: "Tables are filled anew; dashboards show the old rows until the new ones are complete.",
    Verdict.DATA_LOSS: "Something that people have now is gone or out of reach afterwards.",
}


class Status(StrEnum):
    """What becomes of a site as a whole."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    BROKEN = "broken"


class ServiceFate(StrEnum):
    """What becomes of a service at the next `docker compose up`."""

    ADDED = "added"
    REMOVED = "removed"
    RESTARTED = "restarted"
    RUN_AGAIN = "run-again"
    """A step that ends, such as `migrate`: it runs once more and interrupts nothing."""
    ON_DEMAND = "on-demand"
    """Another command the next time that somebody starts it."""


@dataclass(frozen=True)
class ServiceChange:
    """One service; `reasons` says in words what is other about it (none where it comes or goes)."""

    name: str
    fate: ServiceFate
    reasons: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    """Its named volumes, in which it keeps data."""


@dataclass(frozen=True)
class ImageChange:
    """An image that is replaced: empty where there was none, or is none; `services` run it or are built on it."""

    before: str
    after: str
    services: tuple[str, ...]


@dataclass(frozen=True)
class PortChange:
    """A port of the host, as `127.0.0.1:8088`: opened where `before` is empty, closed where `after` is."""

    service: str
    before: str
    after: str

    @property
    def word(self) -> str:
        """What becomes of it."""
        return "opened" if not self.before else "closed" if not self.after else "moved"


@dataclass(frozen=True)
class SettingChange:
    """A setting of a connector; empty where it comes or goes."""

    connector: str
    key: str
    before: str
    after: str


@dataclass(frozen=True)
class VariableChange:
    """An environment variable that a site newly needs, or no longer; without a value Compose starts nothing."""

    name: str
    meaning: str
    kind: Kind

    @property
    def needed(self) -> bool:
        """Whether somebody has to give it a value."""
        return self.kind is Kind.ADDED


@dataclass(frozen=True)
class AssetChange:
    """A dashboard, chart, dataset or database connection of Superset, by the name that people see."""

    what: str
    name: str
    kind: Kind


@dataclass(frozen=True)
class FileChange:
    """A rendered file that differs."""

    path: str
    kind: Kind


@dataclass(frozen=True)
class Tables:
    """What becomes of the tables, and what that costs.

    Attributes:
        cost: what it takes.
        meaning: what is done, in one sentence; empty where nothing is.
        reason: why the source is read anew; empty where it is not.
        changes: what becomes of single tables and columns.
        rebuilt: the tables that are filled anew.
        unknown: former names that nothing had, in sentences.
    """

    cost: Cost = Cost.NOTHING
    meaning: str = ""
    reason: str = ""
    changes: tuple[Change, ...] = ()
    rebuilt: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class SiteReview:
    """What a change means for one site.

    Attributes:
        site: its id; of a file that cannot be read, its path.
        file: where it is described on the new side, or the old one where it is gone.
        status: what becomes of the site as a whole.
        verdict: the worst that happens to what runs.
        risks: what may be lost, in sentences.
        notes: what a person should know or do, in sentences.
        noticed: what people notice while services start anew.
        topics_added, topics_removed: Kafka topics.
    """

    site: str
    file: str
    status: Status
    verdict: Verdict = Verdict.NONE
    risks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    noticed: tuple[str, ...] = ()
    services: tuple[ServiceChange, ...] = ()
    images: tuple[ImageChange, ...] = ()
    ports: tuple[PortChange, ...] = ()
    tables: Tables = Tables()
    topics_added: tuple[str, ...] = ()
    topics_removed: tuple[str, ...] = ()
    settings: tuple[SettingChange, ...] = ()
    variables: tuple[VariableChange, ...] = ()
    assets: tuple[AssetChange, ...] = ()
    files: tuple[FileChange, ...] = ()

    def services_that(self, fate: ServiceFate) -> tuple[ServiceChange, ...]:
        """The services of one fate."""
        return tuple(each for each in self.services if each.fate is fate)
