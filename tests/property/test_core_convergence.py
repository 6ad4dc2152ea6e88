"""Core tables under random histories of all that they read equal the batch queries over the final rows in MariaDB."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest

from ozone_gen.flattening.core import CORE_TABLES
from ozone_gen.flattening.flink import source_tables
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.load import load
from ozone_gen.openmrs.demo.schema import create_table
from ozone_gen.openmrs.demo.schema import tables as schema
from ozone_gen.plan.build import build_plan
from tests.contract.conftest import Server
from tests.oracle.comparing import batch_rows, by_key, difference, queries
from tests.property.cluster import Cluster
from tests.property.convergence import random_interruptions
from tests.property.histories import Rows, Source, delivered, final_rows, interleaved
from tests.property.records import change_records, demo_rows
from tests.property.seeds import for_seeds

EXAMPLE = Path(__file__).parents[2] / "examples" / "demo" / "ozone.yaml"
PATIENTS = 5
CHANGES = 1500


@pytest.fixture(scope="session")
def database(start_mariadb: Callable[..., Any]) -> Iterator[pymysql.Connection[Any]]:
    """The demo database's tables, empty."""
    with start_mariadb("--character-set-server=utf8mb4") as server:
        assert isinstance(server, Server)
        connection = pymysql.connect(
            host=server.host,
            port=server.port,
            user=server.user,
            charset="utf8mb4",
            client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS,
        )
        with closing(connection), connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE openmrs")
            cursor.execute("USE openmrs")
            cursor.execute("SET foreign_key_checks = 0")
            for table in schema().values():
                cursor.execute(create_table(table))
                while cursor.nextset():
                    pass
            yield connection


@pytest.fixture(scope="session")
def site_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo site with every core table and no own one."""
    text = EXAMPLE.read_text()
    start, end = text.index("  core: "), text.index("components:")
    file = tmp_path_factory.mktemp("core") / "ozone.yaml"
    file.write_text(f"{text[:start]}  core: all\n{text[end:]}")
    return file


@for_seeds(1)
def test_core_tables_follow_random_histories(
    cluster: Cluster, database: pymysql.Connection[Any], site_file: Path, seed: int
) -> None:
    chance = random.Random(seed)
    site = load(str(site_file))
    tables = build_plan(site.spec, site.dictionary).tables
    assert {table.name for table in tables} == set(CORE_TABLES)
    before = demo_rows(PATIENTS)
    after, events = _history(before, tables, chance)
    interruptions = random_interruptions(len(events), chance)
    found = cluster.flatten(
        tables, events, chance, parallelism=1, interruptions=interruptions, forgetting=True
    )
    _fill(database, after)
    batch = queries(site_file)
    wrong = {}
    for table in tables:
        expected = by_key(batch_rows(database, batch[table.name]), table.primary_key)
        assert expected, f"{table.name} is empty, so nothing was compared"
        if problem := difference(expected, found[table.name]):
            wrong[table.name] = problem
    assert wrong == {}, f"seed {seed}"


def _history(before: Rows, tables: Sequence[FlattenedTable], chance: random.Random) -> tuple[Rows, Any]:
    """The snapshot of a database and the changes that follow, of which some come before the snapshot is complete."""
    source = Source(before)
    read = [table.name for table in source_tables(tables)]
    change_records(source, chance, CHANGES, read)
    snapshot = Source()
    for table in read:
        for row in before[table].values():
            snapshot.put(table, row)
    chance.shuffle(snapshot.log)
    late = len(snapshot.log) // 3
    # A row's own events keep their order.
    changed = {(event.table, event.key) for event in source.log}
    tail = [event for event in snapshot.log[-late:] if (event.table, event.key) not in changed]
    head = [event for event in snapshot.log if not any(event is each for each in tail)]
    events = [*head, *interleaved([tail, delivered(source.log, chance)], chance)]
    streamed = final_rows(events)
    assert all(streamed[table] == source.rows[table] for table in read)
    return source.rows, events


def _fill(database: pymysql.Connection[Any], rows: Rows) -> None:
    with database.cursor() as cursor:
        for table in schema():
            cursor.execute(f"DELETE FROM `{table}`")
            if known := list(rows.get(table, {}).values()):
                names = [column.name for column in schema()[table].columns if column.name in known[0]]
                marks = ", ".join(["%s"] * len(names))
                statement = f"INSERT INTO `{table}` ({', '.join(f'`{name}`' for name in names)}) VALUES ({marks})"
                cursor.executemany(statement, [[row.get(name) for name in names] for row in known])
    database.commit()
