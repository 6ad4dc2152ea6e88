"""What becomes of each asset of the rendered bundle: brought in, left as it is, or left to the person who edited it.

Knows nothing of Superset itself: superset_store reads and writes there.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from .waiting import Problem, RefusedError

KINDS = ("databases", "datasets", "charts", "dashboards")
"""In the order in which they stand on each other."""

EDITED_BY_PEOPLE = frozenset({"charts", "dashboards"})
"""What people change in Superset; databases and datasets follow ozone.yaml."""


@dataclass(frozen=True)
class Asset:
    """An asset of the bundle.

    Attributes:
        path: of its file in the bundle; the first folder is its kind.
        uuid: what Superset knows it by.
        name: what people call it.
        config: its content.
    """

    path: str
    uuid: str
    name: str
    config: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """One of KINDS."""
        return self.path.split("/")[0]

    @property
    def digest(self) -> str:
        """Changes with its content."""
        return digest(self.config)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of a dataset's columns and metrics."""
        return tuple(
            sorted(
                [column["column_name"] for column in self.config.get("columns", ())]
                + [metric["metric_name"] for metric in self.config.get("metrics", ())]
            )
        )


@dataclass(frozen=True)
class Record:
    """What is remembered about an asset that was brought in.

    Attributes:
        kind, name: as of the asset.
        bundle: the digest of its content in the bundle.
        made: the digest of what Superset then had, by which an edit is noticed.
        parts: a dataset's columns and metrics that came out of the bundle; others are a person's own.
    """

    kind: str
    name: str
    bundle: str
    made: str
    parts: tuple[str, ...] = ()


class Fate(Enum):
    """What becomes of an asset; the value is what is said about it."""

    IMPORTED = "brought in"
    UNCHANGED = "unchanged"
    EDITED = "left as a person has edited it"
    DELETED = "left away, as a person has deleted it"


def digest(value: object) -> str:
    """A hash of data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:32]


_NAMES = {
    "databases": "database_name",
    "datasets": "table_name",
    "charts": "slice_name",
    "dashboards": "dashboard_title",
}


def read_bundle(folder: Path) -> tuple[Asset, ...]:
    """The rendered assets, databases first. Raises RefusedError where the folder is broken."""
    assets = []
    try:
        for kind in KINDS:
            for path in sorted((folder / kind).rglob("*.yaml")):
                config = yaml.safe_load(path.read_text(encoding="utf-8"))
                name = config[_NAMES[kind]]
                assets.append(Asset(path.relative_to(folder).as_posix(), config["uuid"], name, config))
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise RefusedError(
            Problem(f"The rendered assets in {folder} cannot be used: {error!r}.", "Render the site again.")
        ) from None
    if not assets:
        raise RefusedError(Problem(f"There are no rendered assets in {folder}.", "Render the site again."))
    return tuple(assets)


def fate(asset: Asset, record: Record | None, present: str | None) -> Fate:
    """Decide.

    Args:
        asset: as it was rendered.
        record: what is remembered of an earlier import; None where there was none.
        present: the digest of what Superset has now; None where it does not have it.
    """
    if asset.kind not in EDITED_BY_PEOPLE:
        same = record is not None and record.bundle == asset.digest and record.made == present
        return Fate.UNCHANGED if same else Fate.IMPORTED
    if record is None:
        # Somebody imported it by hand: what became of it since is not known.
        return Fate.IMPORTED if present is None else Fate.EDITED
    if record.bundle == asset.digest:
        return Fate.UNCHANGED
    if present is None:
        return Fate.DELETED
    return Fate.IMPORTED if present == record.made else Fate.EDITED


def dropped(assets: Iterable[Asset], records: Mapping[str, Record]) -> list[str]:
    """The uuids of assets of an earlier bundle that this one lacks, dashboards first and databases last."""
    kept = {asset.uuid for asset in assets}
    gone = [uuid for uuid in records if uuid not in kept]
    return sorted(gone, key=lambda uuid: (-KINDS.index(records[uuid].kind), records[uuid].name))


def with_own_parts(
    asset: Asset, record: Record | None, columns: Sequence[Mapping[str, Any]], metrics: Sequence[Mapping[str, Any]]
) -> Asset:
    """A dataset with the computed columns and the metrics that a person added to it in Superset.

    Args:
        asset: as it was rendered; an import would remove from Superset what it lacks.
        record: of its last import; what came with that, and is gone from the bundle, goes.
        columns, metrics: what Superset has now, in the form of the bundle.
    """
    ours = {*asset.parts, *(record.parts if record else ())}
    more_columns = [each for each in columns if each.get("expression") and each["column_name"] not in ours]
    more_metrics = [each for each in metrics if each["metric_name"] not in ours]
    if not more_columns and not more_metrics:
        return asset
    config = {
        **asset.config,
        "columns": [*asset.config["columns"], *more_columns],
        "metrics": [*asset.config["metrics"], *more_metrics],
    }
    return replace(asset, config=config)


def without_charts(asset: Asset, missing: Iterable[str]) -> Asset:
    """A dashboard without the charts of these uuids, which a person has deleted."""
    gone = set(missing)
    position = asset.config["position"]
    keys = {
        key
        for key, node in position.items()
        if isinstance(node, dict) and node.get("type") == "CHART" and node["meta"]["uuid"] in gone
    }
    if not keys:
        return asset
    kept = {
        key: {**node, "children": [child for child in node["children"] if child not in keys]}
        if isinstance(node, dict) and "children" in node
        else node
        for key, node in position.items()
        if key not in keys
    }
    return replace(asset, config={**asset.config, "position": kept})
