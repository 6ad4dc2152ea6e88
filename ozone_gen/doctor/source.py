"""Whether the source lets Debezium read it: the very check that the site's connect-setup makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ozone_gen.doctor.databases import NotAskedError, source_login
from ozone_gen.doctor.findings import Finding, State
from ozone_gen.doctor.reach import Surroundings
from ozone_gen.doctor.setup_programs import setup_module

_PART: Final = "Source"


def examine(site: Surroundings) -> Iterator[Finding]:
    """Look at the source's settings, tables and privileges, as the user that reads it."""
    try:
        login = source_login(site)
    except NotAskedError as error:
        yield error.finding
        return
    check = setup_module("source_check")
    plan = site.plan.source
    tables = {table.name: tuple(column.name for column in table.columns) for table in plan.tables}
    state = check.check_source(
        check.Source(plan.engine, plan.database, tables, plan.server_id),
        setup_module("source_session").Login(login.host, login.port, login.user, login.password),
    )
    for problem in state.problems:
        yield Finding(_PART, State.ILL, problem.message, problem.cure)
    for problem in state.warnings:
        yield Finding(_PART, State.WARNING, problem.message, problem.cure)
    if not state.problems and not state.warnings:
        yield Finding(_PART, State.WELL, f"{login.host}:{login.port} lets its changes be followed")

