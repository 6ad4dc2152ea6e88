"""The random cases have in them what the property is about; no Flink is needed to see that."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

import pytest
import yaml

from ozone_gen.flattening.declared import REPEATS, ColumnType
from ozone_gen.flattening.grains import GRAINS
from tests.oracle.comparing import by_key
from tests.oracle.reference import KEYS, Reference
from tests.property.convergence import SITE, Case, planned, random_case
from tests.property.declarations import random_tables
from tests.property.dictionary import LOCALES, datatype_rows
from tests.property.examples import EXAMPLES, read_example, write_example
from tests.property.histories import Event, delivered, final_rows, loose_ends

SEEDS = range(40)


@pytest.fixture(scope="module")
def made() -> list[Case]:
    return [random_case(seed, 3) for seed in SEEDS]


def test_every_grain_filter_and_form_of_a_column_is_declared() -> None:
    tables = [table for seed in range(400) for table in random_tables(random.Random(seed)).values()]
    assert {table["rows"] for table in tables} == {grain.value for grain in GRAINS}
    filters = {"encounter_types", "visit_types", "forms", "locations", "from", "group", "concepts", "context"}
    assert all(any(name in table for table in tables) for name in filters)
    columns = [column for table in tables for column in table.get("columns", {}).values()]
    longs = [column for column in columns if isinstance(column, Mapping)]
    assert len(longs) < len(columns)
    reduced = {(column["type"], column["repeat"]) for column in longs if "repeat" in column}
    assert reduced == {(kind.value, repeat.value) for kind in ColumnType for repeat in REPEATS[kind]}
    for key in ("answer", "answers", "group", "value"):
        assert any(key in column for column in longs), key
    assert any(isinstance(column["concept"], list) for column in longs)


def test_each_declaration_can_be_planned(made: list[Case]) -> None:
    for case in made[:20]:
        assert [table.name for table in planned(case.tables, locked=case.locked)] == list(case.tables)


def test_histories_end_in_a_whole_source_of_which_something_is_flattened(made: list[Case]) -> None:
    cells: Counter[str] = Counter()
    for case in made:
        rows = final_rows(case.dictionary, *case.clinics)
        assert loose_ends(rows) == []
        source = {table: list(known.values()) for table, known in rows.items()}
        reference = Reference({**source, "concept_datatype": datatype_rows()}, SITE, LOCALES)
        for table in case.tables.values():
            found = by_key(reference.table(table), KEYS[table["rows"]])
            names = table.get("columns", {})
            cells["rows"] += len(found)
            cells["cells"] += len(found) * len(names)
            cells["filled"] += sum(row[name] not in (None, 0) for row in found.values() for name in names)
    assert cells["filled"] > cells["cells"] / 12, cells


def test_a_delivery_is_a_possible_reading_of_its_topics(made: list[Case]) -> None:
    log = [event for case in made for event in case.clinics[0]]
    kinds: Counter[str] = Counter()
    for seed in SEEDS:
        read = delivered(log[:200], random.Random(seed))
        assert final_rows(read) == final_rows(log[:200])
        kinds["twice"] += len(read) > len({id(event) for event in read})
        kinds["gone"] += len({id(event) for event in read}) < 200
        kinds["out of order"] += [e.table for e in read] != [e.table for e in log[:200]]
    assert all(kinds[kind] > len(SEEDS) / 2 for kind in ("twice", "gone", "out of order")), kinds


def test_an_example_reads_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, made: list[Case]) -> None:
    file = tmp_path_factory.mktemp("examples") / "again.yaml"
    for case in made[:20]:
        one = Case(case.tables, case.locked, (), case.clinics[:1])
        file.write_text(write_example("as it was", one), encoding="utf-8")
        again = read_example(file)
        assert again.tables == case.tables
        assert [_told(event) for event in again.clinic] == [_told(event) for event in case.clinics[0]]


def _told(event: Event) -> tuple[object, ...]:
    return event.table, event.key, event.row


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_say_what_they_are_about(path: object) -> None:
    example = read_example(next(each for each in EXAMPLES if each == path))
    assert example.about
    assert yaml.safe_load(example.about) is not None
    assert loose_ends(final_rows([*random_case(0, 0).dictionary, *example.dictionary], example.clinic)) == []
