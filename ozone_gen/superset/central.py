"""The assets of a central server: Drill with a dataset for each view, and a dashboard that compares sites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ozone_gen.flattening.declared import TablePlan
from ozone_gen.flattening.table import FlattenedTable, SqlType
from ozone_gen.plan import SitePlan
from ozone_gen.superset.charts import MOST_TABLES
from ozone_gen.superset.datasets import DRILL, dataset, may_lack, measures
from ozone_gen.superset.forms import by_month, number, ranking, table_by_groups, table_of_rows
from ozone_gen.superset.labels import label
from ozone_gen.superset.model import Bundle, Chart, Column, Dashboard, Database, Dataset, Metric, Section

DATABASE: Final = "drill"
DASHBOARD: Final = "sites"
SCHEMA: Final = "s3.root"
"""The workspace that holds the views (components/drill.py)."""

SITE: Final = "location_tag"
DAY: Final = "exported_on"
"""What every view has besides the columns of its table (templates/setup/drill_views.py)."""

_URI: Final = "drill+sadrill://drill:8047/s3.root?use_ssl=False"
"""Drill's service on the server's own network; it asks nobody for a password."""

_SITES: Final = "sites"
_COUNTED: Final = ("patients", "visits", "encounters")
_MOST_SITES: Final = 50
_MOST_NUMBERS: Final = 5


@dataclass(frozen=True)
class _Compared:
    """A table of all sites; `declared` is what was said about it where it is an own one."""

    data: Dataset
    declared: TablePlan | None


def central_bundle(plan: SitePlan) -> Bundle:
    """Decide the assets of a central server; without declared tables it is the database alone."""
    tables = [_compared(table, plan.declared.get(table.name)) for table in plan.tables]
    database = Database(DATABASE, f"{plan.site.name}: all sites", _URI, SCHEMA)
    if not tables:
        return Bundle(plan.site.id, {database: ()})
    dashboard = Dashboard(
        DASHBOARD, f"{plan.site.name}: sites compared", _sections(tables), ((tables[0].data.name, SITE, "Site"),)
    )
    return Bundle(plan.site.id, {database: tuple(table.data for table in tables)}, (dashboard,))


def _compared(table: FlattenedTable, declared: TablePlan | None) -> _Compared:
    made = dataset(table, declared, DRILL)
    added = (
        Column(SITE, DRILL.types[SqlType.VARCHAR], "Site", "The location tag of the site that the row comes from."),
        Column(DAY, DRILL.types[SqlType.DATE], "Exported on", "The day of the site's newest export.", is_time=True),
    )
    metrics = (
        *made.metrics,
        Metric(_SITES, "Sites", f"COUNT(DISTINCT {SITE})", description="Different sites."),
        *(_share(column.name) for column in (may_lack(declared) if declared else ())),
    )
    columns = (*added, *(column for column in made.columns if column.name not in (SITE, DAY)))
    return _Compared(replace(made, columns=columns, metrics=metrics), declared)


def _share(column: str) -> Metric:
    has_value = f"CASE WHEN {DRILL.quoted(column)} IS NULL THEN 0.0 ELSE 1.0 END"
    return Metric(f"share_{column}", label(column), f"AVG({has_value})", ".0%", "Share of the rows that have a value.")


def _sections(tables: Sequence[_Compared]) -> tuple[Section, ...]:
    core = {table.data.name: table.data for table in tables if table.declared is None}
    own = [(table.declared, table.data) for table in tables if table.declared is not None][:MOST_TABLES]
    found = [
        Section("At a glance", tuple(_glance(core, own, tables[0].data))),
        Section("Patients and visits", tuple(_people(core))),
        *(Section(label(plan.name), tuple(_own_table(plan, data))) for plan, data in own),
    ]
    return tuple(section for section in found if section.charts)


def _glance(
    core: Mapping[str, Dataset], own: Sequence[tuple[TablePlan, Dataset]], first: Dataset
) -> Iterator[Chart]:
    counted = [core[name] for name in _COUNTED if name in core]
    counted += (data for _, data in own)
    shown = counted[: _MOST_NUMBERS - 1]
    width = 12 // (len(shown) + 1)
    yield number("sites-number", "Sites", first, _SITES, width=width)
    for data in shown:
        yield number(f"{data.name}-number", data.metrics[0].label, data, "count", width=width)
    main = shown[0] if shown else first
    title = f"Newest export of each site ({main.metrics[0].label.lower()})"
    yield table_of_rows("newest-exports", title, main, [SITE, DAY], ["count"], width=6)
    yield ranking(f"{main.name}-by-site", f"{main.metrics[0].label} by site", main, "count", SITE, most=_MOST_SITES)


def _people(core: Mapping[str, Dataset]) -> Iterator[Chart]:
    patients, visits, encounters = (core.get(name) for name in _COUNTED)
    if patients:
        yield by_month("patients-by-month", "New patients by month and site", patients, "count", SITE)
    if visits:
        yield by_month("visits-by-month", "Visits by month and site", visits, "count", SITE)
        if visits.has("type"):
            title = "Visits by site and type"
            yield ranking("visits-by-type", title, visits, "count", SITE, series="type", most=_MOST_SITES * 10)
    if encounters:
        yield by_month("encounters-by-month", "Encounters by month and site", encounters, "count", SITE)


def _own_table(plan: TablePlan, data: Dataset) -> Iterator[Chart]:
    title = label(plan.name)
    if data.time_column:
        yield by_month(f"{plan.name}-by-month", f"{title} by month and site", data, "count", SITE)
    measured = [f"average_{column.name}" for column in measures(plan)]
    if measured:
        name = f"{plan.name}-averages"
        yield table_by_groups(name, f"{title} by site, averages", data, ["count", *measured], [SITE], width=6)
    lacking = [f"share_{column.name}" for column in may_lack(plan)]
    if lacking:
        name, words = f"{plan.name}-completeness", f"{title} by site, share of the rows with a value"
        yield table_by_groups(name, words, data, lacking, [SITE], number_format=".0%", width=12)
