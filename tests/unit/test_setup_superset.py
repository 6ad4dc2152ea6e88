"""What superset-init does with each asset: people's edits stay, and what did not change is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from templates.setup.superset_assets import (
    Asset,
    Fate,
    Record,
    digest,
    dropped,
    fate,
    read_bundle,
    with_own_parts,
    without_charts,
)
from templates.setup.waiting import RefusedError

CHART = Asset("charts/visits.yaml", "u1", "Visits", {"slice_name": "Visits"})
DATASET = Asset(
    "datasets/analytics/visits.yaml",
    "u2",
    "visits",
    {"columns": [{"column_name": "visit_id"}], "metrics": [{"metric_name": "count", "expression": "COUNT(*)"}]},
)
OLD = "digest of an older bundle"


def record(asset: Asset, bundle: str | None = None, made: str = "m") -> Record:
    return Record(asset.kind, asset.name, bundle or asset.digest, made, asset.parts)


@pytest.mark.parametrize(
    ("asset", "known", "present", "expected"),
    [
        (CHART, None, None, Fate.IMPORTED),
        (CHART, None, "m", Fate.EDITED),
        (CHART, record(CHART), "m", Fate.UNCHANGED),
        (CHART, record(CHART), "edited", Fate.UNCHANGED),
        (CHART, record(CHART), None, Fate.UNCHANGED),
        (CHART, record(CHART, OLD), "m", Fate.IMPORTED),
        (CHART, record(CHART, OLD), "edited", Fate.EDITED),
        (CHART, record(CHART, OLD), None, Fate.DELETED),
        (DATASET, None, None, Fate.IMPORTED),
        (DATASET, record(DATASET), "m", Fate.UNCHANGED),
        (DATASET, record(DATASET), None, Fate.IMPORTED),
        (DATASET, record(DATASET), "edited", Fate.IMPORTED),
        (DATASET, record(DATASET, OLD), "edited", Fate.IMPORTED),
    ],
)
def test_what_becomes_of_an_asset(asset: Asset, known: Record | None, present: str | None, expected: Fate) -> None:
    assert fate(asset, known, present) is expected


def test_a_digest_does_not_tell_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest([1, 2]) != digest([2, 1])


def test_metrics_and_computed_columns_of_a_person_stay() -> None:
    columns: list[dict[str, Any]] = [
        {"column_name": "visit_id", "expression": None},
        {"column_name": "gone", "expression": None},
        {"column_name": "weekday", "expression": "to_char(date_started, 'Day')"},
        {"column_name": "our_computed", "expression": "1"},
    ]
    metrics: list[dict[str, Any]] = [
        {"metric_name": "count", "expression": "COUNT(*)"},
        {"metric_name": "longest", "expression": "MAX(date_stopped - date_started)"},
        {"metric_name": "our_former", "expression": "1"},
    ]
    earlier = Record("datasets", "visits", OLD, "m", ("our_computed", "our_former"))
    made = with_own_parts(DATASET, earlier, columns, metrics).config
    assert [column["column_name"] for column in made["columns"]] == ["visit_id", "weekday"]
    assert [metric["metric_name"] for metric in made["metrics"]] == ["count", "longest"]
    assert with_own_parts(DATASET, earlier, columns[:1], metrics[:1]) is DATASET


def test_what_is_no_longer_rendered_goes_before_what_it_stands_on() -> None:
    records = {
        "db": Record("databases", "d", "", ""),
        "data": Record("datasets", "t", "", ""),
        "chart": Record("charts", "c", "", ""),
        "board": Record("dashboards", "b", "", ""),
        "u1": Record("charts", "kept", "", ""),
    }
    assert dropped([CHART], records) == ["board", "chart", "data", "db"]


def test_a_dashboard_goes_without_charts_that_were_deleted() -> None:
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROW-0": {"type": "ROW", "children": ["CHART-a", "CHART-b"]},
        "CHART-a": {"type": "CHART", "children": [], "meta": {"uuid": "ua"}},
        "CHART-b": {"type": "CHART", "children": [], "meta": {"uuid": "ub"}},
    }
    board = Asset("dashboards/start.yaml", "u3", "Start", {"position": position})
    left = without_charts(board, ["ub"]).config["position"]
    assert set(left) == {"DASHBOARD_VERSION_KEY", "ROW-0", "CHART-a"}
    assert left["ROW-0"]["children"] == ["CHART-a"]
    assert without_charts(board, ["other"]) is board


def test_a_broken_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no rendered assets"):
        read_bundle(tmp_path)
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "a.yaml").write_text("slice_name: x\n")
    with pytest.raises(RefusedError, match="cannot be used"):
        read_bundle(tmp_path)
