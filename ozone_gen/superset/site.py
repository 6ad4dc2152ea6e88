"""The assets of one site: its analytics database, a dataset for each table, and the start dashboard."""

from __future__ import annotations

from typing import Final

from ozone_gen.plan import Setting, SitePlan
from ozone_gen.superset.charts import Tables, filters, sections
from ozone_gen.superset.datasets import (
    AGE_GROUP,
    PATIENT,
    SEX,
    completeness,
    dataset,
    may_lack,
    measures,
    with_patients,
)
from ozone_gen.superset.model import Bundle, Dashboard, Database, Dataset
from ozone_gen.superset.names import DATABASE, READER

DASHBOARD: Final = "start"

_LATER: Final = "set-at-import"
_MASK: Final = "XXXXXXXXXX"  # What Superset's format has in place of a password.


def site_bundle(plan: SitePlan) -> Bundle:
    """Decide the assets of a site; import puts in what the site's environment says of the database."""
    schema = plan.sink.schema
    patients = next((each for each in plan.tables if each.name == "patients" and each.name not in plan.declared), None)
    core: dict[str, Dataset] = {}
    own: dict[str, Dataset] = {}
    people: dict[str, Dataset] = {}
    for table in plan.tables:
        declared = plan.declared.get(table.name)
        made = dataset(table, declared)
        if declared is None:
            core[table.name] = made
            continue
        own[table.name] = made
        if made.has(SEX, AGE_GROUP):
            people[table.name] = made
        elif patients and made.has(PATIENT) and made.time_column and measures(declared):
            people[table.name] = with_patients(made, patients, schema)
    pairs = [(plan.declared[name], data) for name, data in own.items()]
    lacking = [pair for pair in pairs if may_lack(pair[0])]
    complete = completeness(lacking, schema) if lacking else None
    tables = Tables(core, pairs, people, complete)
    datasets = [*core.values(), *own.values(), *(each for name, each in people.items() if each is not own[name])]
    if complete:
        datasets.append(complete)
    dashboard = Dashboard(DASHBOARD, plan.site.name, sections(tables), filters(tables))
    return Bundle(plan.site.id, {_analytics(plan): tuple(datasets)}, (dashboard,))


def _analytics(plan: SitePlan) -> Database:
    sink = plan.sink
    host, database = (_known(setting) for setting in (sink.host, sink.database))
    uri = f"postgresql+psycopg2://{READER}:{_MASK}@{host}:{sink.port.value}/{database}"
    return Database(DATABASE, f"{plan.site.name}: analytics", uri, sink.schema)


def _known(setting: Setting) -> str:
    return setting.value if setting.variable is None else _LATER
