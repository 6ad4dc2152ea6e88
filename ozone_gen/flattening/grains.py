"""What a row of an own table is: its key, the columns that say what it hangs on, and the observations in its reach.

A visit, an encounter or a patient that is voided counts as absent: a row of its own disappears, and a row that hangs
on it has it no more (an encounter of a voided visit is an encounter without a visit).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.declared import Filters, Grain
from ozone_gen.flattening.names import NamedColumns, Names
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import SqlType
from ozone_gen.openmrs.dictionary import NamedKind

_BIGINT, _VARCHAR, _TIMESTAMP = SqlType.BIGINT, SqlType.VARCHAR, SqlType.TIMESTAMP


@dataclass(frozen=True)
class ContextColumn:
    """A column that says what a row is or hangs on.

    Attributes:
        name, type: in the sink.
        expression: Flink SQL over the aliases of the grain's rows; empty for the site's id.
        description: its comment in the sink.
        usual: whether a table has it that does not choose its context.
    """

    name: str
    type: SqlType
    expression: str
    description: str = ""
    usual: bool = True


@dataclass(frozen=True)
class GrainRows:
    """The rows of a grain.

    Attributes:
        key: the name of the key column.
        key_expression: what the cells of a row are joined by.
        time_column: the column that says when a row happened.
        context: the columns that a table may have, in their usual order.
        what: in words, one of the rows.
    """

    key: str
    key_expression: str
    time_column: str
    context: tuple[ContextColumn, ...]
    what: str


def _big(name: str, column: str, description: str = "", *, usual: bool = True) -> ContextColumn:
    return ContextColumn(name, _BIGINT, f"CAST({column} AS BIGINT)", description, usual)


def _text(name: str, column: str, description: str = "", *, usual: bool = True) -> ContextColumn:
    return ContextColumn(name, _VARCHAR, column, description, usual)


def _moment(name: str, column: str, description: str = "", *, usual: bool = True) -> ContextColumn:
    return ContextColumn(name, _TIMESTAMP, sql.wall_clock(column), description, usual)


def _of_visit(expression: str) -> str:
    """A voided visit counts as absent."""
    return f"CASE WHEN {sql.is_false('e.visit_voided')} THEN {expression} END"


_SITE: Final = ContextColumn("site", _VARCHAR, "", "Id of the site.")
_NO_VISIT: Final = "Empty where the encounter has no visit, or a voided one."


def _of_person(person: str, moment: str) -> tuple[ContextColumn, ...]:
    """Who the patient is, for charts by age and sex."""
    born = sql.date_of_days(f"{person}birthdate")
    age = sql.whole_years(born, sql.day_of_moment(moment))
    return (
        _text("patient_gender", f"{person}gender", usual=False),
        ContextColumn("patient_birthdate", SqlType.DATE, born, usual=False),
        ContextColumn(
            "patient_age", SqlType.INTEGER, f"CAST({age} AS INT)", "Whole years at the row's date.", usual=False
        ),
    )


def _of_encounter(*, itself: bool) -> tuple[ContextColumn, ...]:
    """What an encounter is and hangs on; `itself` where it is the row."""
    own = () if itself else (_big("encounter_id", "e.encounter_id"), _text("encounter_uuid", "e.uuid"))
    return (
        *own,
        _moment("encounter_datetime", "e.encounter_datetime"),
        _text("encounter_type", "e.encounter_type"),
        _text("encounter_type_uuid", "e.encounter_type_uuid", usual=False),
        _text("form_name", "e.form_name"),
        _text("form_uuid", "e.form_uuid", usual=False),
        _text("form_version", "e.form_version", usual=False),
        _text("location", "e.location"),
        _text("location_uuid", "e.location_uuid"),
        _big("visit_id", _of_visit("e.visit_id"), _NO_VISIT),
        _text("visit_uuid", _of_visit("e.visit_uuid")),
        _text("visit_type", _of_visit("e.visit_type")),
        _text("visit_type_uuid", _of_visit("e.visit_type_uuid"), usual=False),
        _moment("visit_date_started", _of_visit("e.visit_date_started"), usual=False),
        _moment("visit_date_stopped", _of_visit("e.visit_date_stopped"), usual=False),
    )


_OF_OBSERVATION: Final = (
    *_of_encounter(itself=False),
    _big("patient_id", "r.person_id"),
    _text("patient_uuid", "o.uuid"),
    *_of_person("o.", "r.obs_datetime"),
)

GRAINS: Final[Mapping[Grain, GrainRows]] = MappingProxyType(
    {
        Grain.PATIENT: GrainRows(
            "patient_id",
            "p.patient_id",
            "date_created",
            (
                _SITE,
                _big("patient_id", "p.patient_id"),
                _text("patient_uuid", "o.uuid"),
                _text("gender", "o.gender"),
                ContextColumn("birthdate", SqlType.DATE, sql.date_of_days("o.birthdate")),
                ContextColumn("birthdate_estimated", SqlType.BOOLEAN, sql.is_true("o.birthdate_estimated")),
                ContextColumn("dead", SqlType.BOOLEAN, sql.is_true("o.dead")),
                _moment("death_date", "o.death_date"),
                _moment("date_created", "p.date_created", "When the patient was registered."),
            ),
            "patient",
        ),
        Grain.VISIT: GrainRows(
            "visit_id",
            "v.visit_id",
            "date_started",
            (
                _SITE,
                _big("visit_id", "v.visit_id"),
                _text("visit_uuid", "v.uuid"),
                _moment("date_started", "v.date_started"),
                _moment("date_stopped", "v.date_stopped"),
                _text("visit_type", "v.visit_type"),
                _text("visit_type_uuid", "v.visit_type_uuid", usual=False),
                _text("location", "v.location"),
                _text("location_uuid", "v.location_uuid"),
                _big("patient_id", "v.patient_id"),
                _text("patient_uuid", "v.patient_uuid"),
                *_of_person("v.", "v.date_started"),
            ),
            "visit",
        ),
        Grain.ENCOUNTER: GrainRows(
            "encounter_id",
            "e.encounter_id",
            "encounter_datetime",
            (
                _SITE,
                _big("encounter_id", "e.encounter_id"),
                _text("encounter_uuid", "e.uuid"),
                *_of_encounter(itself=True),
                _big("patient_id", "e.patient_id"),
                _text("patient_uuid", "e.patient_uuid"),
                *_of_person("e.", "e.encounter_datetime"),
            ),
            "encounter",
        ),
        Grain.OBS_GROUP: GrainRows(
            "obs_group_id",
            "r.obs_id",
            "obs_datetime",
            (
                _SITE,
                _big("obs_group_id", "r.obs_id"),
                _text("obs_group_uuid", "r.uuid"),
                _moment("obs_datetime", "r.obs_datetime"),
                *_OF_OBSERVATION,
            ),
            "group of observations",
        ),
        Grain.OBS: GrainRows(
            "obs_id",
            "r.obs_id",
            "obs_datetime",
            (
                _SITE,
                _big("obs_id", "r.obs_id"),
                _text("obs_uuid", "r.uuid"),
                _moment("obs_datetime", "r.obs_datetime"),
                _text("question_label", "l.name", "The concept's name in the site's locales."),
                _text("question_uuid", "q.uuid"),
                _big("obs_group_id", "r.obs_group_id"),
                *_OF_OBSERVATION,
            ),
            "observation",
        ),
    }
)
"""The rows of each grain. The aliases: p patient, o person, v visit, e encounter, r observation."""


def usual_context(grain: Grain) -> tuple[str, ...]:
    """The names of the columns of a table that does not choose its context."""
    return tuple(column.name for column in GRAINS[grain].context if column.usual)


def rows(grain: Grain, filters: Filters, names: Names, subqueries: Subqueries) -> tuple[list[str], list[str]]:
    """Return FROM with its joins, and the predicates: the rows of a table."""
    match grain:
        case Grain.PATIENT:
            return [
                f"FROM {subqueries.table('patient')} p",
                f"JOIN {subqueries.table('person')} o ON o.person_id = p.patient_id",
            ], [sql.is_false("p.voided")]
        case Grain.VISIT:
            return [f"FROM {_visit_row(subqueries)} v"], _present(
                [
                    sql.is_false("v.voided"),
                    sql.is_false("v.patient_voided"),
                    *_one_of(names, _VISIT_ROW, filters),
                    _since(filters, "v.date_started"),
                ]
            )
        case Grain.ENCOUNTER:
            encounters = subqueries.encounter_context(_chosen(filters, names, "e.encounter_datetime"))
            return [f"FROM {encounters} e"], [sql.is_false("e.voided"), sql.is_false("e.patient_voided")]
        case Grain.OBS_GROUP | Grain.OBS:
            return _observed_rows(grain, filters, names, subqueries)


def _observed_rows(
    grain: Grain, filters: Filters, names: Names, subqueries: Subqueries
) -> tuple[list[str], list[str]]:
    """Rows that are observations themselves."""
    joins = [
        f"FROM {subqueries.table('obs')} r",
        f"JOIN {subqueries.table('person')} o ON o.person_id = r.person_id",
        f"LEFT JOIN {subqueries.table('patient')} p ON p.patient_id = r.person_id",
        f"LEFT JOIN {subqueries.encounter_context()} e ON e.encounter_id = r.encounter_id",
    ]
    if grain is Grain.OBS:
        joins += [
            f"JOIN {subqueries.table('concept')} q ON q.concept_id = r.concept_id",
            f"LEFT JOIN {subqueries.concept_label()} l ON l.concept_id = r.concept_id",
        ]
    concepts = (filters.group,) if grain is Grain.OBS_GROUP else filters.concepts
    return joins, _present(
        [
            sql.is_false("r.voided"),
            names.concept_in("r.concept_id", concepts) if concepts else "",
            f"(r.encounter_id IS NULL OR {sql.is_false('e.voided')})",
            # An observation may be of a person who is no patient.
            f"COALESCE({sql.is_false('p.voided')}, TRUE)",
            *_of_context(filters, names),
            _since(filters, "r.obs_datetime"),
        ]
    )


def possible_rows(grain: Grain, filters: Filters, names: Names, subqueries: Subqueries) -> str:
    """Add `row_id` of every row of a table, and perhaps of more, out of the one source table that the grain is about.

    Returns:
        The subquery's name; an empty text for rows that are observations, of which there are too many.
    """
    match grain:
        case Grain.PATIENT:
            alias, predicates = "p", []
        case Grain.VISIT:
            alias = "v"
            predicates = [*_one_of(names, _VISIT_ROW, filters)] if names.literal else []
            predicates.append(_since(filters, "v.date_started"))
        case Grain.ENCOUNTER:
            alias = "e"
            predicates = [*_one_of(names, _ENCOUNTER, filters)] if names.literal else []
            predicates.append(_since(filters, "e.encounter_datetime"))
        case Grain.OBS_GROUP | Grain.OBS:
            return ""
    key = GRAINS[grain].key_expression
    where = "\n  AND ".join(_present([*predicates, sql.is_false(f"{alias}.voided")]))
    return subqueries.add(
        "possible_row", f"SELECT {key} AS row_id\nFROM {subqueries.table(grain.value)} {alias}\nWHERE {where}"
    )


def _visit_row(subqueries: Subqueries) -> str:
    """Add each visit with what it hangs on: type, location, patient."""
    return subqueries.add(
        "visit_row",
        f"""SELECT v.visit_id, v.uuid, v.date_started, v.date_stopped, v.voided,
  v.visit_type_id, t.name AS visit_type, t.uuid AS visit_type_uuid,
  v.location_id, l.name AS location, l.uuid AS location_uuid,
  v.patient_id, p.uuid AS patient_uuid, p.gender, p.birthdate, p.voided AS patient_voided
FROM {subqueries.table("visit")} v
JOIN {subqueries.patient_context()} p ON p.patient_id = v.patient_id
JOIN {subqueries.table("visit_type")} t ON t.visit_type_id = v.visit_type_id
LEFT JOIN {subqueries.table("location")} l ON l.location_id = v.location_id""",
    )


def reach(grain: Grain, filters: Filters, names: Names, subqueries: Subqueries) -> tuple[str, list[str], list[str]]:
    """Say which row an observation (alias o) belongs to.

    Returns:
        The expression of the row's key, further joins, and predicates.
    """
    match grain:
        case Grain.OBS:
            return "o.obs_id", [], []
        case Grain.OBS_GROUP:
            return "o.obs_group_id", [], ["o.obs_group_id IS NOT NULL"]
        case Grain.ENCOUNTER:
            return "o.encounter_id", [], ["o.encounter_id IS NOT NULL"]
        case Grain.VISIT:
            below = Filters(encounter_types=filters.encounter_types, forms=filters.forms)
            reached = _reached_encounter(below, names, subqueries)
            return "e.visit_id", [f"JOIN {reached} e ON e.encounter_id = o.encounter_id"], ["e.visit_id IS NOT NULL"]
        case Grain.PATIENT:
            reached = _reached_encounter(filters, names, subqueries)
            since = _present([_since(filters, "o.obs_datetime")])
            joined = f"JOIN {reached} e ON e.encounter_id = o.encounter_id"
            if _chosen(filters, names):
                return "o.person_id", [joined], since
            return (
                "o.person_id",
                [f"LEFT {joined}"],
                ["(o.encounter_id IS NULL OR e.encounter_id IS NOT NULL)", *since],
            )


def _reached_encounter(filters: Filters, names: Names, subqueries: Subqueries) -> str:
    """Add `encounter_id, visit_id` of the not voided encounters that the filters on encounters let through."""
    chosen = _chosen(filters, names)
    encounters = subqueries.encounter_context(chosen) if chosen else subqueries.table("encounter")
    return subqueries.add(
        "reached_encounter",
        f"SELECT e.encounter_id, e.visit_id\nFROM {encounters} e\nWHERE {sql.is_false('e.voided')}",
    )


_ENCOUNTER: Final = {
    NamedKind.ENCOUNTER_TYPE: NamedColumns("e.encounter_type", "", ""),
    NamedKind.FORM: NamedColumns("e.form_id", "", ""),
    NamedKind.LOCATION: NamedColumns("e.location_id", "", ""),
}
"""Columns of the source table `encounter`, which has ids alone."""

_ENCOUNTER_CONTEXT: Final = {
    NamedKind.ENCOUNTER_TYPE: NamedColumns("e.encounter_type_id", "e.encounter_type", "e.encounter_type_uuid"),
    NamedKind.VISIT_TYPE: NamedColumns("e.visit_type_id", "e.visit_type", "e.visit_type_uuid"),
    NamedKind.FORM: NamedColumns("e.form_id", "e.form_name", "e.form_uuid"),
    NamedKind.LOCATION: NamedColumns("e.location_id", "e.location", "e.location_uuid"),
}
"""Columns of `encounter_context`, from outside."""

_INSIDE_CONTEXT: Final = {
    NamedKind.ENCOUNTER_TYPE: NamedColumns("e.encounter_type", "t.name", "t.uuid"),
    NamedKind.VISIT_TYPE: NamedColumns("v.visit_type_id", "v.visit_type", "v.visit_type_uuid"),
    NamedKind.FORM: NamedColumns("e.form_id", "f.name", "f.uuid"),
    NamedKind.LOCATION: NamedColumns("e.location_id", "l.name", "l.uuid"),
}
"""The same in its own query."""

_VISIT_ROW: Final = {
    NamedKind.VISIT_TYPE: NamedColumns("v.visit_type_id", "v.visit_type", "v.visit_type_uuid"),
    NamedKind.LOCATION: NamedColumns("v.location_id", "v.location", "v.location_uuid"),
}


def _chosen(filters: Filters, names: Names, moment: str = "") -> list[str]:
    """Predicates that choose encounters inside the query of `encounter_context`; none where nothing is filtered."""
    found = _one_of(names, _INSIDE_CONTEXT, filters)
    if moment and filters.since:
        found.append(_since(filters, moment))
    if filters.visit_types:
        found.append(sql.is_false("v.voided"))
    return [sql.is_false("e.voided"), *found] if found else []


def _of_context(filters: Filters, names: Names) -> list[str]:
    """Predicates on what an observation's encounter is; a voided visit has no type."""
    found = _one_of(names, _ENCOUNTER_CONTEXT, filters)
    return [*found, sql.is_false("e.visit_voided")] if filters.visit_types else found


def _one_of(names: Names, columns: Mapping[NamedKind, NamedColumns], filters: Filters) -> list[str]:
    wanted = {
        NamedKind.ENCOUNTER_TYPE: filters.encounter_types,
        NamedKind.VISIT_TYPE: filters.visit_types,
        NamedKind.FORM: filters.forms,
        NamedKind.LOCATION: filters.locations,
    }
    return [names.one_of(kind, columns[kind], wanted[kind]) for kind in columns if wanted[kind]]


def _since(filters: Filters, moment: str) -> str:
    if not filters.since:
        return ""
    first = datetime.fromisoformat(filters.since).replace(tzinfo=UTC)
    return f"{moment} >= {int(first.timestamp() * 1000)}"


def _present(predicates: Sequence[str]) -> list[str]:
    return [each for each in predicates if each]
