"""Whether the sink lets the site write into it: the very check that the site's migrate makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Final

from ozone_gen.doctor.databases import NotAskedError, connect_sink, refused, sink_login
from ozone_gen.doctor.findings import Finding, State
from ozone_gen.doctor.reach import Surroundings
from ozone_gen.doctor.setup_programs import setup_module

_PART: Final = "Sink"


def examine(site: Surroundings) -> Iterator[Finding]:
    """Look at the privileges of the user that writes the tables."""
    import psycopg

    check, records = setup_module("sink_check"), setup_module("sink_records")
    try:
        login = sink_login(site)
        with closing(connect_sink(login)) as connection:
            problems = [
                *check.missing_privileges(connection, (site.plan.sink.schema, records.RECORDS)),
                *check.missing_staging_privilege(connection),
            ]
    except NotAskedError as error:
        yield error.finding
        return
    except psycopg.Error as error:
        yield refused(_PART, f"{login.host}:{login.port}", error)
        return
    for problem in problems:
        yield Finding(_PART, State.ILL, problem.message, problem.cure)
    if not problems:
        yield Finding(_PART, State.WELL, f"{login.host}:{login.port} lets tables be made and filled")
