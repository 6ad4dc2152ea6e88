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

from ozone_gen.checks import dictionary_of
from ozone_gen.components.flink import job_settings
from ozone_gen.flattening.flink import source_tables
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.load import load
from ozone_gen.plan.build import build_plan
from ozone_gen.shape import parse_spec
from ozone_gen.source import parse_source
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


def _upserts_into_outer_joins(plan: str) -> list[str]:
    """The outer joins of a plan that get new values without the old ones."""
    start, end = (plan.index(f"== Optimized {which} Plan ==") for which in ("Physical", "Execution"))
    found = []
    above: list[tuple[int, str]] = []
    for line in plan[start:end].splitlines():
        depth = len(line) - len(line.lstrip(" :+-"))
        above = [each for each in above if each[0] < depth]
        mode = re.search(r"changelogMode=\[([\w,]*)\]", line)
        if mode and above and re.search(r"Join\(joinType=\[(Left|Right|Full)Outer", above[-1][1]):
            kinds = mode[1].split(",")
            if "UA" in kinds and "UB" not in kinds:
                found.append(above[-1][1].strip())
        above.append((depth, line))
    return found


@pytest.mark.parametrize("what", TABLES)
def test_what_is_taken_back_leaves_every_aggregate(cluster: Cluster, what: str) -> None:
    tables = TABLES[what]()
    plan = cluster.plan(tables, scripted(), job_settings(1))
    executed = plan[plan.index("== Optimized Execution Plan ==") : plan.index("== Physical Execution Plan ==")]
    # A topic of which Flink takes the wanted rows for none is not even read.
    assert len(re.findall(r"TableSourceScan\(", executed)) == len(source_tables(tables))
    # A topic of which tables read different rows is normalised for each.
    assert len(re.findall(r"ChangelogNormalize\(", executed)) >= len(source_tables(tables))
    aggregates = re.findall(r"\b(MIN|MAX|SUM|FIRST_VALUE|LAST_VALUE)(\w*)\(", executed)
    assert aggregates
    assert {suffix for _, suffix in aggregates} == {"_RETRACT"}, aggregates
    assert _upserts_into_outer_joins(plan) == []
    # Changes that make up for each other are never sent on by a batch: a job that reads them again after a failure
    # would leave its sink with what the failed run made of the first one (test_restarts.py).
    assert "MiniBatch" not in plan
    assert set(re.findall(r"Rank\(strategy=\[(\w+)", executed)) <= {"RetractStrategy"}


def _demo_with_every_core_table() -> Sequence[FlattenedTable]:
    text = re.sub(r"  core: .*", "  core: all", (ROOT / "examples/demo/ozone.yaml").read_text())
    spec = parse_spec(parse_source(text.encode(), "ozone.yaml"))
    return build_plan(spec, dictionary_of(spec)).tables


ALONE: Final = [*_demo_with_every_core_table(), *_site("tests/oracle/language/ozone.yaml"), *_twins(locked=True)]


@pytest.mark.parametrize("table", ALONE, ids=[table.name for table in ALONE])
def test_an_outer_join_is_told_what_was_before(cluster: Cluster, table: FlattenedTable) -> None:
    """Flink 2.2 loses the row of an outer join whose other side changes without its old value, then goes (FLINK-40681).

    Each table alone: what several share is planned to say both.
    """
    plan = cluster.plan([table], scripted(), job_settings(1))
    assert _upserts_into_outer_joins(plan) == []
    # What only passes rows on keeps no state.
    assert ("Join(" in plan) == ("ChangelogNormalize(" in plan)
    assert "upsertMaterialize" not in plan


def test_what_several_subtasks_make_is_put_in_order_before_a_sink(cluster: Cluster) -> None:
    assert "upsertMaterialize=[true]" in cluster.plan(ALONE[:1], scripted(), job_settings(2))


RANKED: Final = [table for table in ALONE if table.ranked]


@pytest.mark.parametrize("table", RANKED, ids=[table.name for table in RANKED])
@pytest.mark.parametrize("parallelism", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_changed_cell_never_takes_its_row_away(cluster: Cluster, table: FlattenedTable, parallelism: int) -> None:
    """The JDBC connector deletes a row for what was before it; a flush in between would show it gone."""
    plan = cluster.plan([table], scripted(), job_settings(parallelism))
    physical = plan[plan.index("== Optimized Physical Plan ==") :].splitlines()
    assert physical[1].startswith("Sink(")
    assert "changelogMode=[I,UA,D]" in physical[2]
    assert "upsertMaterialize" not in plan
