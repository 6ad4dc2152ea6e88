"""Two rendered trees of one site -> what the change means."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ozone_gen.compare import Difference, compare
from ozone_gen.evolution import TABLES, TOPICS, Cost, UnknownFormerName, evolution
from ozone_gen.render.manifest import MANIFEST
from ozone_gen.render.tree import File
from ozone_gen.review import compose, impact
from ozone_gen.review.assets import asset_changes
from ozone_gen.review.compose import Project
from ozone_gen.review.model import (
    FileChange,
    ServiceChange,
    ServiceFate,
    SettingChange,
    SiteReview,
    Status,
    Tables,
    Verdict,
)

_CONNECTORS: Final = "connect/connectors/"
_INTERRUPTS: Final = (ServiceFate.RESTARTED, ServiceFate.REMOVED)


def review_site(site: str, file: str, old: Mapping[str, File], new: Mapping[str, File]) -> SiteReview:
    """Say what it means to go from one rendered tree of a site to another."""
    differences = [each for each in compare(old, new) if each.path != MANIFEST]
    if not differences:
        return SiteReview(site, file, Status.UNCHANGED)
    before, after = compose.project(old), compose.project(new)
    services = tuple(compose.service_changes(before, after, frozenset(each.path for each in differences)))
    tables = _tables(old, new)
    risks = tuple(impact.risks(before, after))
    sink, source = impact.moved_sink(before, after), impact.moved_source(before, after)
    topics = [_topics(tree) for tree in (old, new)]
    variables = compose.variable_changes(before, after)
    return SiteReview(
        site=site,
        file=file,
        status=Status.CHANGED,
        verdict=_verdict(services, tables, risks, rebuilds=bool(sink), asks=any(each.needed for each in variables)),
        risks=risks,
        notes=tuple(filter(None, (sink, source, *_notes(before, services)))),
        noticed=impact.interruptions(services),
        services=services,
        images=compose.image_changes(before, after),
        ports=compose.port_changes(before, after),
        tables=tables,
        topics_added=tuple(topic for topic in topics[1] if topic not in topics[0]),
        topics_removed=tuple(topic for topic in topics[0] if topic not in topics[1]),
        settings=tuple(_settings(old, new)),
        variables=variables,
        assets=asset_changes(differences),
        files=_files(differences),
    )


def added_site(site: str, file: str, tree: Mapping[str, File]) -> SiteReview:
    """Say what a new site brings: nothing that runs is touched."""
    project = compose.project(tree)
    empty = compose.project({})
    return SiteReview(
        site=site,
        file=file,
        status=Status.ADDED,
        verdict=Verdict.SAFE,
        notes=("A new site: nothing that runs is touched.",),
        services=tuple(compose.service_changes(empty, project, frozenset())),
        ports=compose.port_changes(empty, project),
        variables=compose.variable_changes(empty, project),
        topics_added=_topics(tree),
    )


def removed_site(site: str, file: str) -> SiteReview:
    """Say what it means that a site is described nowhere any longer."""
    note = (
        "The site is described nowhere any longer. What runs goes on until somebody takes it down, and is then lost"
        " with its bundled databases; nobody upgrades it until then."
    )
    return SiteReview(site=site, file=file, status=Status.REMOVED, verdict=Verdict.DATA_LOSS, risks=(note,))


def _verdict(
    services: Iterable[ServiceChange], tables: Tables, risks: tuple[str, ...], *, rebuilds: bool, asks: bool
) -> Verdict:
    if risks or any(change.drops for change in tables.changes):
        return Verdict.DATA_LOSS
    if rebuilds or tables.cost >= Cost.REFILL:
        return Verdict.REBUILD
    # Without a value of a variable Compose starts nothing at all, so that a person has to be there.
    stops = asks or any(each.fate in _INTERRUPTS for each in services)
    return Verdict.RESTART if stops else Verdict.SAFE


def _tables(old: Mapping[str, File], new: Mapping[str, File]) -> Tables:
    found = evolution(old, new)
    if found is None:
        return Tables()
    rebuilt = tuple(table["name"] for table in _document(new, TABLES)["tables"]) if found.cost >= Cost.REFILL else ()
    return Tables(found.cost, found.meaning, found.reason, found.changes, rebuilt, _unknown(found.unknown))


def _unknown(names: Iterable[UnknownFormerName]) -> tuple[str, ...]:
    return tuple(
        f"{'.'.join(name.path)}: there was no {name.what} {name.former}, so this is a new one" for name in names
    )


def _document(tree: Mapping[str, File], path: str) -> Any:
    try:
        return json.loads(tree[path].content) if path in tree else {}
    except ValueError:
        return {}


def _topics(tree: Mapping[str, File]) -> tuple[str, ...]:
    found = _document(tree, TOPICS)
    return tuple(topic["name"] for topic in found.get("topics", ())) if isinstance(found, dict) else ()


def _settings(old: Mapping[str, File], new: Mapping[str, File]) -> Iterator[SettingChange]:
    for path in sorted({*old, *new}):
        if not path.startswith(_CONNECTORS) or (path in old and path in new and old[path] == new[path]):
            continue
        name = path.removeprefix(_CONNECTORS).removesuffix(".json")
        before, after = (_document(tree, path).get("config", {}) for tree in (old, new))
        for key in dict.fromkeys((*before, *after)):
            if before.get(key) != after.get(key):
                yield SettingChange(name, key, str(before.get(key, "")), str(after.get(key, "")))


def _notes(before: Project, services: tuple[ServiceChange, ...]) -> Iterator[str]:
    removed = [each for each in services if each.fate is ServiceFate.REMOVED]
    if removed:
        names = ", ".join(each.name for each in removed)
        yield f"No longer part of the site: {names}. `docker compose up` stops them with `--remove-orphans`."
    volumes = [f"{before.name}_{volume}" for each in removed for volume in each.volumes]
    if volumes:
        yield f"Their data stay in the volumes {', '.join(volumes)} until somebody removes these."


def _files(differences: Iterable[Difference]) -> tuple[FileChange, ...]:
    return tuple(FileChange(str(each.path), each.kind) for each in differences)
