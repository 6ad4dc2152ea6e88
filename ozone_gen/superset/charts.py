"""What a site's tables can show, decided from the plan: a chart is there where its tables give it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ozone_gen.flattening.declared import ColumnPlan, ColumnType, Grain, TablePlan
from ozone_gen.superset.datasets import AGE_GROUP, SEX, SHARE, categories, may_lack, measures
from ozone_gen.superset.forms import by_group, by_month, number, ranking, table_by_groups
from ozone_gen.superset.labels import label
from ozone_gen.superset.model import Chart, Dataset, Section

MOST_TABLES: Final = 8
"""Own tables that have charts; all have datasets."""
_MOST_MEASURES: Final = 4
_MOST_CATEGORIES: Final = 3
_MOST_NUMBERS: Final = 4


@dataclass(frozen=True)
class Tables:
    """What charts are made of.

    Attributes:
        core: datasets of the core tables, by name.
        own: what was declared about each own table, with its dataset.
        people: for own tables that say their patients' sex and age, the dataset that does.
        completeness: the dataset that says which cells have a value; None where there are no own tables.
    """

    core: Mapping[str, Dataset]
    own: Sequence[tuple[TablePlan, Dataset]]
    people: Mapping[str, Dataset]
    completeness: Dataset | None


def sections(tables: Tables) -> tuple[Section, ...]:
    """The parts of the start dashboard, those without a chart left out."""
    own = tables.own[:MOST_TABLES]
    found = [
        Section("At a glance", tuple(_numbers(tables))),
        Section("Patients and visits", tuple(_patients_and_visits(tables))),
        *(Section(label(plan.name), tuple(_own_table(tables, plan, data))) for plan, data in own),
        Section("Care", tuple(_care(tables))),
        Section("Completeness of the data", tuple(_completeness(tables))),
    ]
    return tuple(section for section in found if section.charts)


_COUNTED: Final = ("patients", "visits", "encounters")


def _numbers(tables: Tables) -> Iterator[Chart]:
    counted = [tables.core[name] for name in _COUNTED if name in tables.core]
    counted += (data for _, data in tables.own)
    shown = counted[:_MOST_NUMBERS]
    for data in shown:
        title = data.metrics[0].label
        yield number(f"{data.name}-number", title, data, "count", width=12 // len(shown))


def _patients_and_visits(tables: Tables) -> Iterator[Chart]:
    patients = tables.core.get("patients") or _of_grain(tables, Grain.PATIENT, "date_created")
    if patients:
        series = SEX if patients.has(SEX) else ""
        yield by_month("patients-by-month", "New patients by month", patients, "count", series)
    visits, kind = tables.core.get("visits"), "type"
    if not visits:
        visits, kind = _of_grain(tables, Grain.VISIT, "date_started"), "visit_type"
    if visits:
        series = kind if visits.has(kind) else ""
        yield by_month("visits-by-month", "Visits by month and type", visits, "count", series)
        if visits.has("location"):
            yield ranking("visits-by-location", "Visits by location", visits, "count", "location")
    encounters = tables.core.get("encounters")
    if encounters:
        yield by_month(
            "encounters-by-month", "Encounters by month and type", encounters, "count", "encounter_type"
        )


def _of_grain(tables: Tables, grain: Grain, time_column: str) -> Dataset | None:
    """An own table that has all things of a kind as its rows."""
    for plan, data in tables.own:
        filters = plan.filters
        chosen = (filters.visit_types, filters.locations, filters.since)
        if plan.rows is grain and data.time_column == time_column and not any(chosen):
            return data
    return None


def _own_table(tables: Tables, plan: TablePlan, data: Dataset) -> Iterator[Chart]:
    title = label(plan.name)
    ranked = categories(plan)
    main = _of_diagnoses(ranked)
    for column in sorted(ranked, key=lambda column: column is not main)[:_MOST_CATEGORIES]:
        what = "Top diagnoses" if column is main else f"{label(column.name)}: most frequent"
        name = f"{plan.name}-{column.name}-top"
        yield ranking(name, f"{what} ({title.lower()})", data, "count", column.name)
    if data.time_column:
        series = next((name for name in ("location", "encounter_type", "visit_type") if data.has(name)), "")
        words = f"{title} by month" + (f" and {label(series).lower()}" if series else "")
        # Beside the last ranking, or else across the page.
        width = 6 if len(ranked[:_MOST_CATEGORIES]) % 2 else 12
        height = 50 if width == 6 else 36
        yield by_month(f"{plan.name}-by-month", words, data, "count", series, width=width, height=height)
    people = tables.people.get(plan.name)
    measured = measures(plan)
    if people and measured:
        yield from _by_age_and_sex(plan, people, measured)


def _by_age_and_sex(plan: TablePlan, people: Dataset, measured: Sequence[ColumnPlan]) -> Iterator[Chart]:
    for column in measured[:_MOST_MEASURES]:
        name = f"{plan.name}-{column.name}-by-age-and-sex"
        words = f"{label(column.name)} by age and sex, average"
        whole = column.type is ColumnType.INTEGER
        yield by_group(
            name, words, people, f"average_{column.name}", AGE_GROUP, SEX, number_format=",.0f" if whole else ",.1f"
        )
    if len(measured) > 1:
        metrics = ["count", *(f"average_{column.name}" for column in measured)]
        title = f"{label(plan.name)} by age and sex, averages"
        yield table_by_groups(f"{plan.name}-by-age-and-sex", title, people, metrics, [AGE_GROUP, SEX])


_DIAGNOSIS: Final = "diagnos"


def _of_diagnoses(columns: Sequence[ColumnPlan]) -> ColumnPlan | None:
    """The column that is called so; else the first whose concept is, which its description says."""
    named = (column for column in columns if _DIAGNOSIS in column.name)
    described = (column for column in columns if _DIAGNOSIS in column.description.lower())
    return next(named, None) or next(described, None)


_CARE: Final = (
    ("orders", "Orders by month and type", "order_type_name"),
    ("appointments", "Appointments by month and status", "status"),
    ("patient_programs", "Enrolments by month and program", "program_name"),
    ("conditions", "Conditions by month of onset and status", "clinical_status"),
)
"""Core tables of things that happen, and the column that says of which kind they are."""


def _care(tables: Tables) -> Iterator[Chart]:
    for name, title, kind in _CARE:
        data = tables.core.get(name)
        if data:
            yield by_month(f"{name}-by-month", title, data, "count", kind)
    observations = tables.core.get("observations")
    if observations:
        yield ranking(
            "observations-by-question", "What is recorded most", observations, "count", "question_label", most=12
        )


def _completeness(tables: Tables) -> Iterator[Chart]:
    if tables.completeness is None:
        return
    for plan in [plan for plan, _ in tables.own if may_lack(plan)][:MOST_TABLES]:
        yield ranking(
            f"{plan.name}-completeness",
            f"{label(plan.name)}: rows with a value",
            tables.completeness,
            SHARE,
            "column_label",
            filters=[("table_name", "==", plan.name)],
            most=50,
            number_format=".0%",
            bounds=(0, 1),
        )


def filters(tables: Tables) -> tuple[tuple[str, str, str], ...]:
    """The columns that people choose values of on the dashboard; each holds for all charts that have it."""
    everything = [*tables.core.values(), *(data for _, data in tables.own)]
    found = []
    for name in ("location", SEX):
        data = next((each for each in everything if each.has(name)), None)
        if data:
            found.append((data.name, name, label(name)))
    return tuple(found)

