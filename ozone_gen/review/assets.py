"""What differs in Superset's dashboards, charts, datasets and connections, by the names that people see."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from ozone_gen.compare import Difference
from ozone_gen.review.model import AssetChange

_FOLDER: Final = "superset/assets/"
_WHAT: Final = {"dashboards": "dashboard", "charts": "chart", "datasets": "dataset", "databases": "connection"}
_NAME: Final = re.compile(rb"^(?:dashboard_title|slice_name|table_name|database_name): (.+)$", re.MULTILINE)


def asset_changes(differences: Iterable[Difference]) -> tuple[AssetChange, ...]:
    """The assets among the files that differ."""
    found = []
    for difference in differences:
        folder = difference.path.removeprefix(_FOLDER).split("/")[0]
        if difference.path.startswith(_FOLDER) and folder in _WHAT:
            name = _named(difference.new or difference.old or b"") or difference.path.rpartition("/")[2]
            found.append(AssetChange(_WHAT[folder], name, difference.kind))
    order = list(_WHAT.values())
    return tuple(sorted(found, key=lambda each: (order.index(each.what), each.kind, each.name)))


def _named(content: bytes) -> str:
    found = _NAME.search(content)
    if not found:
        return ""
    written = found[1].decode("utf-8", errors="replace")
    try:
        return str(json.loads(written)) if written.startswith('"') else written
    except ValueError:
        return written
