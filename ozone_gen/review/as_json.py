"""A review for programs; `schemas/diff.schema.json` is its form, and its keys stay."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from ozone_gen.review.model import SiteReview, Status, Verdict

VERSION: Final = 1


def as_json(reviews: Sequence[SiteReview]) -> str:
    """All sites, those that do not change among them; ends with a newline."""
    worst = max((review.verdict for review in reviews), default=Verdict.NONE)
    document = {"version": VERSION, "verdict": worst.word, "sites": [_site(review) for review in reviews]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _site(review: SiteReview) -> dict[str, Any]:
    tables = review.tables
    return {
        "site": review.site,
        "file": review.file,
        "status": review.status.value,
        "verdict": "unknown" if review.status is Status.BROKEN else review.verdict.word,
        "risks": list(review.risks),
        "notes": list(review.notes),
        "noticed": list(review.noticed),
        "services": [
            {"name": each.name, "fate": each.fate.value, "reasons": list(each.reasons), "volumes": list(each.volumes)}
            for each in review.services
        ],
        "images": [
            {"before": each.before or None, "after": each.after or None, "services": list(each.services)}
            for each in review.images
        ],
        "ports": [
            {"service": each.service, "change": each.word, "before": each.before or None, "after": each.after or None}
            for each in review.ports
        ],
        "tables": {
            "cost": tables.cost.name.lower().replace("_", "-"),
            "snapshot_reason": tables.reason or None,
            "rebuilt": list(tables.rebuilt),
            "changes": [
                {
                    "table": each.table,
                    "column": each.column or None,
                    "change": each.kind.value,
                    "loses": each.loses,
                    "words": each.words,
                }
                for each in tables.changes
            ],
        },
        "topics": {"added": list(review.topics_added), "removed": list(review.topics_removed)},
        "connectors": [
            {
                "connector": each.connector,
                "setting": each.key,
                "before": each.before or None,
                "after": each.after or None,
            }
            for each in review.settings
        ],
        "variables": [
            {"name": each.name, "meaning": each.meaning, "change": each.kind.value} for each in review.variables
        ],
        "dashboards": [{"what": each.what, "name": each.name, "change": each.kind.value} for each in review.assets],
        "files": [{"path": each.path, "change": each.kind.value} for each in review.files],
    }
