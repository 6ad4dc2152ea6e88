"""How many rows each flattened table should have, as one query over the source, in MariaDB's and MySQL's SQL.

Written from what a row means (docs/language.md), not from the SQL that fills the tables: what checks must not share
the faults of what is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ozone_gen.flattening.core import CORE_TABLES
from ozone_gen.flattening.declared import Filters, Grain, TablePlan
from ozone_gen.plan import SitePlan

_ENCOUNTER = (
    "LEFT JOIN visit v ON v.visit_id = e.visit_id AND v.voided = 0"
    " LEFT JOIN visit_type vt ON vt.visit_type_id = v.visit_type_id"
    " LEFT JOIN encounter_type et ON et.encounter_type_id = e.encounter_type"
    " LEFT JOIN form f ON f.form_id = e.form_id"
    " LEFT JOIN location l ON l.location_id = e.location_id"
)


def count_queries(plan: SitePlan) -> dict[str, str]:
    """The query for each table of a site, by its name in the sink."""
    return {
        table.name: _own(plan.declared[table.name])
        if table.name in plan.declared
        else f"SELECT COUNT(*) FROM `{CORE_TABLES[table.name].rows_of}`"
        for table in plan.tables
    }


def _own(table: TablePlan) -> str:
    filters = table.filters
    match table.rows:
        case Grain.PATIENT:
            source, where = "patient p", ["p.voided = 0"]
        case Grain.VISIT:
            source = (
                "visit v JOIN patient p ON p.patient_id = v.patient_id"
                " LEFT JOIN visit_type vt ON vt.visit_type_id = v.visit_type_id"
                " LEFT JOIN location l ON l.location_id = v.location_id"
            )
            where = ["v.voided = 0", "p.voided = 0", *_since(filters, "v.date_started")]
            where += [*_named("vt", filters.visit_types), *_named("l", filters.locations)]
        case Grain.ENCOUNTER:
            source = f"encounter e JOIN patient p ON p.patient_id = e.patient_id {_ENCOUNTER}"
            where = ["e.voided = 0", "p.voided = 0", *_of_encounter(filters), *_since(filters, "e.encounter_datetime")]
        case Grain.OBS_GROUP | Grain.OBS:
            source = (
                "obs r LEFT JOIN patient p ON p.patient_id = r.person_id"
                f" LEFT JOIN encounter e ON e.encounter_id = r.encounter_id {_ENCOUNTER}"
            )
            where = ["r.voided = 0", "COALESCE(p.voided, 0) = 0", "COALESCE(e.voided, 0) = 0"]
            concepts = (filters.group,) if table.rows is Grain.OBS_GROUP else filters.concepts
            if concepts:
                chosen = " OR ".join(f"r.concept_id = {_concept(each)}" for each in concepts)
                where.append(f"({chosen})")
            where += [*_of_encounter(filters), *_since(filters, "r.obs_datetime")]
    return f"SELECT COUNT(*) FROM {source} WHERE {' AND '.join(where)}"


def _of_encounter(filters: Filters) -> Iterator[str]:
    yield from _named("et", filters.encounter_types)
    yield from _named("vt", filters.visit_types)
    yield from _named("f", filters.forms)
    yield from _named("l", filters.locations)


def _named(alias: str, references: Sequence[str]) -> Iterator[str]:
    if references:
        texts = ", ".join(map(_text, references))
        yield f"({alias}.name IN ({texts}) OR {alias}.uuid IN ({texts}))"


def _since(filters: Filters, moment: str) -> Iterator[str]:
    if filters.since:
        yield f"{moment} >= {_text(filters.since)}"


def _concept(reference: str) -> str:
    if ":" not in reference:
        return f"(SELECT concept_id FROM concept WHERE uuid = {_text(reference)})"
    source, code = reference.split(":", 1)
    return (
        "(SELECT MIN(m.concept_id) FROM concept_reference_map m"
        " JOIN concept_reference_term t ON t.concept_reference_term_id = m.concept_reference_term_id"
        " JOIN concept_reference_source s ON s.concept_source_id = t.concept_source_id"
        " JOIN concept_map_type y ON y.concept_map_type_id = m.concept_map_type_id"
        f" WHERE y.name = 'SAME-AS' AND s.name = {_text(source)} AND t.code = {_text(code)})"
    )


def _text(value: str) -> str:
    """A literal whose comparison tells case and accents apart, as Flink's does."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"CAST('{escaped}' AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_bin"
