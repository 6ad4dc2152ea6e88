"""Bursts of random changes of any row of a running site's source, of the same kind as the property tests' histories."""

from __future__ import annotations

import datetime
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import pymysql
import pymysql.cursors

from ozone_gen.openmrs.demo.schema import tables as schema
from tests.e2e.running_site import RunningSite
from tests.property.histories import Event, Rows, Source, key_of
from tests.property.records import change_records

_MIDNIGHT: Final = datetime.datetime(2000, 1, 1)


def random_burst(site: RunningSite, tables: Sequence[str], seed: int, changes: int) -> int:
    """Change rows of these tables, several in a transaction; return how many statements that took."""
    chance = random.Random(seed)
    with site.source() as connection:
        source = Source(_read(connection))
        change_records(source, chance, changes, tables)
        rest = list(source.log)
        while rest:
            size = chance.choice((1, 1, 2, 5, 20))
            for event in rest[:size]:
                _write(connection, event)
            connection.commit()
            del rest[:size]
    return len(source.log)


def _read(connection: pymysql.Connection[Any]) -> Rows:
    rows: Rows = defaultdict(dict)
    with connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()")
        present = {row["name"] for row in cursor.fetchall()}
        for table in schema():
            if table in present:
                cursor.execute(f"SELECT * FROM `{table}`")
                rows[table] = {key_of(table, row): _plain(row) for row in cursor.fetchall()}
    return rows


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """The client reads a time of day as a duration."""
    return {
        name: (_MIDNIGHT + value).time() if isinstance(value, datetime.timedelta) else value
        for name, value in row.items()
    }


def _write(connection: pymysql.Connection[Any], event: Event) -> None:
    table = f"`{event.table}`"
    with connection.cursor() as cursor:
        if event.row is None:
            where = " AND ".join(f"`{name}` = %s" for name in schema()[event.table].primary_key)
            cursor.execute(f"DELETE FROM {table} WHERE {where}", event.key)
            return
        names = [f"`{name}`" for name in event.row]
        marks, values = ", ".join(["%s"] * len(names)), ", ".join(f"{name} = VALUES({name})" for name in names)
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks}) ON DUPLICATE KEY UPDATE {values}",
            list(event.row.values()),
        )
