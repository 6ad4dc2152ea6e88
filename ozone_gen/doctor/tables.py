"""Whether the flattened tables have as many rows as the source says they should."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, Final

from ozone_gen.doctor.databases import NotAskedError, connect_sink, connect_source, refused, sink_login, source_login
from ozone_gen.doctor.findings import Finding, State
from ozone_gen.doctor.reach import Surroundings

_PATIENCE_S: Final = 5.0
"""A row takes a second or two from one database to the other; only a difference that stays is one."""

def examine(site: Surroundings, queries: Mapping[str, str]) -> Iterator[Finding]:
    """Count the rows of each table on both sides; `queries` count them in the source."""
    try:
        source, sink = connect_source(source_login(site)), connect_sink(sink_login(site))
    except NotAskedError as error:
        yield error.finding
        return
    with closing(source), closing(sink):
        filling = being_filled(sink, site.plan.site.id)
        if filling:
            yield filling
        try:
            for table, query in queries.items():
                yield _compared(site, source, sink, table, query)
        except NotAskedError as error:
            yield error.finding


def being_filled(sink: Any, site: str) -> Finding | None:
    """Say so where the tables are filled anew beside those that are counted; None where they are not."""
    import psycopg

    try:
        row = sink.execute("SELECT staging FROM ozone_gen.state WHERE site = %s", (site,)).fetchone()
    except psycopg.Error:
        return None  # another version's records, or none: the counts tell
    if not row or not row[0]:
        return None
    what = f"they are being filled anew in the schema {row[0]}; those that are counted here stand still until then"
    return Finding("Tables", State.WARNING, what, "docker compose logs swap: it says how far that is")


def _compared(site: Surroundings, source: Any, sink: Any, table: str, query: str) -> Finding:
    end = time.monotonic() + _PATIENCE_S
    while True:
        wanted = _count_source(source, query)
        found = _count_sink(sink, site.plan.sink.schema, table)
        if wanted == found or time.monotonic() >= end:
            break
        time.sleep(0.5)
    part = f"Table {table}"
    if found is None:
        return Finding(part, State.ILL, "it is not in the sink", "docker compose logs migrate")
    if wanted == found:
        return Finding(part, State.WELL, f"{found:,} rows, as many as the source has")
    what = f"{found:,} rows, the source has {wanted:,}"
    return Finding(part, State.WARNING, what, "after a start or a change of ozone.yaml that is usual: look at the lag")


def _count_source(connection: Any, query: str) -> int:
    import pymysql

    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return int(cursor.fetchone()[0])
    except pymysql.MySQLError as error:
        raise NotAskedError(refused("Source", "it cannot be counted", error)) from error


def _count_sink(connection: Any, schema: str, table: str) -> int | None:
    """None where there is no such table."""
    import psycopg
    from psycopg import sql

    try:
        row = connection.execute(sql.SQL("SELECT COUNT(*) FROM {}").format(sql.Identifier(schema, table))).fetchone()
        return int(row[0])
    except psycopg.errors.UndefinedTable:
        return None
    except psycopg.Error as error:
        raise NotAskedError(refused("Sink", table, error)) from error
