"""Source tables are declared with the columns that the SQL reads: too many are slow, too few are refused by Flink."""

import re
from pathlib import Path

import pytest

from ozone_gen.flattening.columns_read import columns_read
from ozone_gen.flattening.table import FlattenedTable, SinkColumn, SqlType
from ozone_gen.load import load
from ozone_gen.openmrs.tables import Table, newest_table
from ozone_gen.plan.build import build_plan
from tests.oracle.comparing import ORACLE

EXAMPLES = sorted(
    path for path in (ORACLE.parents[1] / "examples").glob("*/ozone.yaml") if "\nsources:" in path.read_text()
)
OBS = newest_table("obs")


def reading(body: str, *expressions: str, common: tuple[tuple[str, str], ...] = ()) -> FlattenedTable:
    columns = tuple(SinkColumn(f"c{n}", SqlType.TEXT, each) for n, each in enumerate(expressions))
    return FlattenedTable("t", "", columns, "c0", "", common, body, (OBS,))


def found(*tables: FlattenedTable, source: Table = OBS) -> list[str]:
    (narrow,) = columns_read("openmrs", [source], tables)
    return [column.name for column in narrow.columns]


def test_what_stands_behind_an_alias_is_read_and_the_key_always() -> None:
    table = reading("FROM `openmrs`.`obs` o JOIN p ON p.uuid = o.person_id WHERE o.`voided` = '0'", "p.comments")
    assert found(table) == ["obs_id", "person_id", "voided"]


def test_what_has_no_alias_is_read() -> None:
    common = (("x", "SELECT encounter_id, MAX(`uuid`) AS u FROM `openmrs`.`obs`\n  GROUP BY encounter_id"),)
    assert found(reading("FROM x", "x.comments", common=common)) == ["obs_id", "encounter_id", "uuid"]


def test_behind_a_star_a_column_may_be_named_further_out() -> None:
    common = (("x", "SELECT * FROM `openmrs`.`obs`"),)
    assert found(reading("FROM x", "x.comments", common=common)) == ["obs_id", "comments"]


def test_a_text_and_another_subquery_name_nothing() -> None:
    common = (("x", "SELECT o.creator FROM `openmrs`.`obs` o"), ("y", "SELECT o.uuid FROM other o"))
    assert found(reading("FROM x JOIN y ON y.u = 'voided'", "x.u", common=common)) == ["obs_id", "creator"]


def test_several_tables_read_what_any_of_them_reads_by_any_alias() -> None:
    one = reading("FROM `openmrs`.`obs` o JOIN `openmrs`.`obs` AS g ON g.obs_id = o.obs_group_id", "g.uuid")
    two = reading("FROM `openmrs`.`obs` z", "z.value_text")
    assert found(one, two) == ["obs_id", "obs_group_id", "value_text", "uuid"]


def test_a_table_of_a_longer_name_is_another_table() -> None:
    assert found(reading("FROM `openmrs`.`obs_more` o", "o.uuid")) == ["obs_id"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_no_column_that_an_example_names_is_left_out(path: Path) -> None:
    """By another way: a qualified name in the whole SQL whose alias stands for one table only."""
    site = load(str(path))
    plan = build_plan(site.spec, site.dictionary)
    narrow = {table.name: table for table in columns_read(plan.source.name, plan.source.tables, plan.tables)}
    checked = 0
    for table in plan.tables:
        for unit in [*(query for _, query in table.common), table.body]:
            aliases = re.findall(rf"`{plan.source.name}`\.`(\w+)` ([a-z]\w*)", unit)
            for name, alias in aliases:
                for column in re.findall(rf"\b{alias}\.`?(\w+)", unit):
                    narrow[name].column(column)
                    checked += 1
    assert checked
