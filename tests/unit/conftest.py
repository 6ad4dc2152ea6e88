"""How hypothesis searches: the same examples at every run, and never against the clock of a busy machine.

Beside that, what several tests of the demo data share.

`pytest --hypothesis-profile=search` looks further, with new examples each time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from ozone_gen.openmrs.demo.schema import tables
from tests.oracle.demo_rows import demo

settings.register_profile(
    "repeatable", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile("repeatable")


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    """The demo database in SQLite, where content is easily asked for."""
    connection = sqlite3.connect(":memory:")
    for name, rows in demo().items():
        columns = [column.name for column in tables()[name].columns]
        connection.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        connection.executemany(
            f"INSERT INTO {name} VALUES ({','.join('?' * len(columns))})",
            [[row.get(column) for column in columns] for row in rows],
        )
    yield connection
    connection.close()
