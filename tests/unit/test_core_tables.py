"""The core tables by the version and the modules of the source."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ozone_gen.flattening.core import CORE_TABLES, core_tables_of
from ozone_gen.flattening.flink import insert_sql
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.openmrs.demo import schema
from ozone_gen.openmrs.tables import MODULES, PLATFORMS, Kind, tables_of

SQL_TYPES = {
    Kind.INTEGER: r"int",
    Kind.DOUBLE: r"double",
    Kind.TEXT: r"(var)?char\(\d+\)|text|longtext",
    Kind.BOOLEAN: r"tinyint(\(1\))?",
    Kind.DATETIME: r"datetime",
    Kind.DATE: r"date",
    Kind.TIME: r"time",
}


def built(name: str, platform: str) -> FlattenedTable:
    return CORE_TABLES[name].build(Subqueries("openmrs", ["en"], tables_of(platform, MODULES)))


def test_what_a_version_has() -> None:
    assert set(CORE_TABLES) - set(core_tables_of(tables_of("2.1", MODULES))) == {"conditions", "encounter_diagnoses"}
    assert core_tables_of(tables_of("2.2", MODULES)) == tuple(CORE_TABLES)
    assert set(CORE_TABLES) - set(core_tables_of(tables_of("2.8"))) == {"appointments"}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_core_tables_read_what_their_version_has(platform: str) -> None:
    known = tables_of(platform, MODULES)
    for name in core_tables_of(known):
        table = built(name, platform)
        assert table.name == name
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names)
        assert table.primary_key in names
        assert table.time_column in ("", *names)
        assert CORE_TABLES[name].rows_of in {read.name for read in table.reads}
        for read in table.reads:
            assert read == known[read.name]


@pytest.mark.parametrize(("platform", "column"), [("2.2", "`rank`"), ("2.4", "`rank`"), ("2.5", "`dx_rank`")])
def test_a_renamed_column_is_read_by_its_name_in_the_version(platform: str, column: str) -> None:
    assert f"CAST(d.{column} AS BIGINT) AS `rank`" in insert_sql(built("encounter_diagnoses", platform))
    read = {each.name for each in tables_of(platform)["encounter_diagnosis"].columns}
    assert read & {"rank", "dx_rank"} == {column.strip("`")}


def test_a_column_that_the_version_lacks_is_empty_and_of_its_type() -> None:
    known = dict(tables_of("2.5"))
    table = known["encounter_diagnosis"]
    known[table.name] = replace(table, columns=tuple(each for each in table.columns if each.name != "dx_rank"))
    subqueries = Subqueries("openmrs", ["en"], known)
    assert subqueries.column("d", "encounter_diagnosis", "dx_rank", "rank") == "CAST(NULL AS INT)"


def test_versions_and_modules_are_known_ones() -> None:
    with pytest.raises(ValueError, match=r"1\.9"):
        tables_of("1.9")
    with pytest.raises(ValueError, match="billing"):
        tables_of("2.5", ["billing"])


def test_the_demo_database_is_what_version_2_5_has() -> None:
    there = schema.tables()
    for table in tables_of("2.5", MODULES).values():
        columns = {column.name: column for column in there[table.name].columns}
        assert set(there[table.name].primary_key) == set(table.primary_key)
        for column in table.columns:
            kind, found = SQL_TYPES[column.kind], columns[column.name].sql_type
            assert re.fullmatch(kind, found), f"{table.name}.{column.name} is {found}"
