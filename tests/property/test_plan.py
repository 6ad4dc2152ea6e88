"""What Flink makes of the SQL: each topic is read once and normalised, and no aggregate keeps what was taken back.

Flink 2.2 takes the columns of a subquery that several tables share for unchanging, and plans a MIN or MAX right above
it without retraction; see docs/architecture.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from ozone_gen.components.flink import SETTINGS
from ozone_gen.flattening.flink import source_tables
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.load import load
from ozone_gen.plan.build import build_plan
from tests.property.cluster import Cluster, scripted
from tests.property.convergence import planned
from tests.property.examples import EXAMPLES, read_example

ROOT = Path(__file__).parents[2]


def _twins(*, locked: bool) -> Sequence[FlattenedTable]:
    (example,) = (read_example(path) for path in EXAMPLES if path.stem == "twins")
    return planned(example.tables, locked=locked)


def _site(file: str) -> Sequence[FlattenedTable]:
    site = load(str(ROOT / file))
    return build_plan(site.spec, site.dictionary, locked=site.locked).tables


def _lone_references() -> Sequence[FlattenedTable]:
    (example,) = (read_example(path) for path in EXAMPLES if path.stem == "lone_references")
    return planned(example.tables, locked=False)


TABLES: Final[Mapping[str, Callable[[], Sequence[FlattenedTable]]]] = {
    "the demo site": lambda: _site("examples/demo/ozone.yaml"),
    "every form of a column": lambda: _site("tests/oracle/language/ozone.yaml"),
    "one reference in each table": _lone_references,
    "twins, looked up": lambda: _twins(locked=False),
    "twins, locked": lambda: _twins(locked=True),
}


@pytest.mark.parametrize("what", TABLES)
def test_what_is_taken_back_leaves_every_aggregate(cluster: Cluster, what: str) -> None:
    tables = TABLES[what]()
    plan = cluster.plan(tables, scripted(), SETTINGS)
    executed = plan[plan.index("== Optimized Execution Plan ==") : plan.index("== Physical Execution Plan ==")]
    # A topic of which Flink takes the wanted rows for none is not even read.
    assert len(re.findall(r"TableSourceScan\(", executed)) == len(source_tables(tables))
    # A topic of which tables read different rows is normalised for each.
    assert len(re.findall(r"ChangelogNormalize\(", executed)) >= len(source_tables(tables))
    aggregates = re.findall(r"\b(MIN|MAX|SUM|FIRST_VALUE|LAST_VALUE)(\w*)\(", executed)
    assert aggregates
    assert {suffix for _, suffix in aggregates} == {"_RETRACT"}, aggregates
    # Changes that make up for each other are never sent on by a batch: a job that reads them again after a failure
    # would leave its sink with what the failed run made of the first one (test_restarts.py).
    assert "MiniBatch" not in plan
    assert set(re.findall(r"Rank\(strategy=\[(\w+)", executed)) <= {"RetractStrategy"}
