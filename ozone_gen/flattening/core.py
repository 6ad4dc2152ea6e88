"""The core tables: the same for every site, with the names and types that existing dashboards know.

They hold voided rows, too, and say so in a column. A foreign key that cannot be NULL is joined by an inner join: the
database holds the other row for certain, and no half-filled row is sent on before it has come. Where the public
project's table was known to be wrong, ours is right and its description says how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.subqueries import (
    CONCEPT_ATTRIBUTE_FORMAT,
    CONCEPT_CUSTOM_DATATYPE,
    Subqueries,
)
from ozone_gen.flattening.table import FlattenedTable, SinkColumn, SqlType

Column = SinkColumn
BIGINT, TEXT, VARCHAR = SqlType.BIGINT, SqlType.TEXT, SqlType.VARCHAR
BOOLEAN, TIMESTAMP, DATE = SqlType.BOOLEAN, SqlType.TIMESTAMP, SqlType.DATE


def _big(name: str, column: str, description: str = "") -> SinkColumn:
    return Column(name, BIGINT, f"CAST({column} AS BIGINT)", description)


def _true(name: str, column: str, description: str = "") -> SinkColumn:
    return Column(name, BOOLEAN, sql.is_true(column), description)


def _moment(name: str, column: str, description: str = "") -> SinkColumn:
    return Column(name, TIMESTAMP, sql.wall_clock(column), description)


def _name(name: str, column: str, description: str = "") -> SinkColumn:
    return Column(name, VARCHAR, column, description)


def _finish(
    name: str,
    description: str,
    columns: Sequence[SinkColumn],
    primary_key: str,
    time_column: str,
    subqueries: Subqueries,
    body: str,
) -> FlattenedTable:
    return FlattenedTable(
        name,
        description,
        tuple(columns),
        primary_key,
        time_column,
        subqueries.named,
        body,
        subqueries.reads,
    )


def _attribute_list(
    subqueries: Subqueries,
    name: str,
    *,
    owner: str,
    attribute: str,
    attribute_id: str,
    attribute_type: str,
    type_key: tuple[str, str],
    value: str,
    concept_test: str,
) -> str:
    """Add `owner, attributes`: "Type: value" of the not voided attributes, oldest first; concepts by name."""
    own_key, foreign_key = type_key
    concepts = subqueries.concept_text()
    element = sql.list_element(
        sql.id_key(f"a.{attribute_id}"),
        f"t.name, ': ', COALESCE(c.label, a.{value})",
    )
    return subqueries.add(
        name,
        f"""SELECT a.{owner}, {sql.ordered_list(f"ARRAY_AGG({element})", 11, " / ")} AS attributes
FROM {subqueries.table(attribute)} a
JOIN {subqueries.table(attribute_type)} t ON t.{own_key} = a.{foreign_key}
LEFT JOIN {concepts} c ON {concept_test} AND c.reference = a.{value}
WHERE {sql.is_false("a.voided")} AND a.{value} IS NOT NULL
GROUP BY a.{owner}""",
    )


def _best_of_person(subqueries: Subqueries, table: str, key: str) -> str:
    """Add each person's one row of `table`: the preferred not voided one, else the oldest not voided."""
    return subqueries.add(
        f"best_{table}",
        f"""SELECT * FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY person_id
    ORDER BY CASE WHEN {sql.is_true("preferred")} THEN 0 ELSE 1 END, date_created, {key}
  ) AS place
  FROM {subqueries.table(table)}
  WHERE {sql.is_false("voided")}
)
WHERE place = 1""",
    )


def patients(subqueries: Subqueries) -> FlattenedTable:
    """One row for each patient, with the preferred name and address and all identifiers."""
    name = _best_of_person(subqueries, "person_name", "person_name_id")
    address = _best_of_person(subqueries, "person_address", "person_address_id")
    attributes = _attribute_list(
        subqueries,
        "person_attributes",
        owner="person_id",
        attribute="person_attribute",
        attribute_id="person_attribute_id",
        attribute_type="person_attribute_type",
        type_key=("person_attribute_type_id", "person_attribute_type_id"),
        value="`value`",
        concept_test=f"t.format = {sql.literal(CONCEPT_ATTRIBUTE_FORMAT)}",
    )
    preferred_first = f"CASE WHEN {sql.is_true('i.preferred')} THEN '0' ELSE '1' END"
    element = sql.list_element(
        f"{preferred_first}, {sql.order_key('i.date_created', 'i.patient_identifier_id')}",
        "t.name, ': ', i.identifier",
    )
    identifiers = subqueries.add(
        "identifiers",
        f"""SELECT i.patient_id, {sql.ordered_list(f"ARRAY_AGG({element})", 1 + sql.ORDER_WIDTH, ", ")} AS identifiers
FROM {subqueries.table("patient_identifier")} i
JOIN {subqueries.table("patient_identifier_type")} t ON t.patient_identifier_type_id = i.identifier_type
WHERE {sql.is_false("i.voided")}
GROUP BY i.patient_id""",
    )
    columns = [
        _big("patient_id", "p.patient_id"),
        _name("given_name", "n.given_name", "Of the preferred name, else of the oldest that is not voided."),
        _name("middle_name", "n.middle_name"),
        _name("family_name", "n.family_name"),
        Column("identifiers", TEXT, "i.identifiers", "Not voided ones as 'Type: identifier', preferred first."),
        _name("gender", "o.gender"),
        Column("birthdate", DATE, sql.date_of_days("o.birthdate")),
        _true("birthdate_estimated", "o.birthdate_estimated"),
        _name("patient_uuid", "o.uuid"),
        _name("address_city", "a.city_village", "Of the preferred address, else of the oldest not voided."),
        _name("address_county_district", "a.county_district"),
        _name("address_state_province", "a.state_province"),
        _name("address_country", "a.country"),
        *(_name(f"address_{n}", f"a.address{n}") for n in range(1, 16)),
        _name("address_latitude", "a.latitude"),
        _name("address_longitude", "a.longitude"),
        Column("attributes", TEXT, "t.attributes", "Not voided ones as 'Type: value', oldest first."),
        _true("dead", "o.dead"),
        _moment("death_date", "o.death_date"),
        Column("cause_of_death", SqlType.INTEGER, "o.cause_of_death", "Id of the concept."),
        _big("creator", "o.creator", "Id of the user, not of a person."),
        _moment("date_created", "o.date_created"),
        _true("person_voided", "o.voided"),
        _name("person_void_reason", "o.void_reason"),
    ]
    body = f"""FROM {subqueries.table("patient")} p
JOIN {subqueries.table("person")} o ON o.person_id = p.patient_id
LEFT JOIN {name} n ON n.person_id = p.patient_id
LEFT JOIN {address} a ON a.person_id = p.patient_id
LEFT JOIN {identifiers} i ON i.patient_id = p.patient_id
LEFT JOIN {attributes} t ON t.person_id = p.patient_id"""
    return _finish(
        "patients",
        "One row for each patient; voided ones are marked by person_voided.",
        columns,
        "patient_id",
        "date_created",
        subqueries,
        body,
    )


def visits(subqueries: Subqueries) -> FlattenedTable:
    """One row for each visit, with the patient's age at its start."""
    attributes = _attribute_list(
        subqueries,
        "visit_attributes",
        owner="visit_id",
        attribute="visit_attribute",
        attribute_id="visit_attribute_id",
        attribute_type="visit_attribute_type",
        type_key=("visit_attribute_type_id", "attribute_type_id"),
        value="value_reference",
        concept_test=f"t.datatype = {sql.literal(CONCEPT_CUSTOM_DATATYPE)}",
    )
    started = f"CAST({sql.wall_clock('v.date_started')} AS DATE)"
    age = sql.whole_years(sql.date_of_days("p.birthdate"), started)
    columns = [
        _big("visit_id", "v.visit_id"),
        _true("visit_voided", "v.voided"),
        _name("location", "l.name"),
        _moment("date_started", "v.date_started"),
        _moment("date_stopped", "v.date_stopped"),
        _name("type", "y.name"),
        Column("visit_attributes", TEXT, "a.attributes", "Not voided ones as 'Type: value', oldest first."),
        _name("patient_gender", "p.gender"),
        Column("patient_birthdate", DATE, sql.date_of_days("p.birthdate")),
        _true("patient_birthdate_estimated", "p.birthdate_estimated"),
        Column(
            "patient_age_at_visit",
            SqlType.WHOLE_NUMBER,
            f"CAST({age} AS DECIMAL(24, 0))",
            "Whole years at the visit's start.",
        ),
        _true("patient_dead", "p.dead"),
        _moment("patient_death_date", "p.death_date"),
        Column("patient_cause_of_death", SqlType.INTEGER, "p.cause_of_death", "Id of the concept."),
        _name("visit_uuid", "v.uuid"),
        _name("visit_type_uuid", "y.uuid"),
        _name("location_uuid", "l.uuid"),
        _name("patient_uuid", "p.uuid"),
        _name("creator_uuid", "u.uuid", "Of the person who is the creating user."),
    ]
    body = f"""FROM {subqueries.table("visit")} v
JOIN {subqueries.table("person")} p ON p.person_id = v.patient_id
JOIN {subqueries.table("visit_type")} y ON y.visit_type_id = v.visit_type_id
LEFT JOIN {subqueries.table("location")} l ON l.location_id = v.location_id
JOIN {subqueries.user_uuid()} u ON u.user_id = v.creator
LEFT JOIN {attributes} a ON a.visit_id = v.visit_id"""
    return _finish(
        "visits",
        "One row for each visit; voided ones are marked by visit_voided.",
        columns,
        "visit_id",
        "date_started",
        subqueries,
        body,
    )


def encounters(subqueries: Subqueries) -> FlattenedTable:
    """One row for each encounter, with its type, form, visit and location."""
    columns = [
        _big("encounter_id", "e.encounter_id"),
        _true("encounter_voided", "e.voided"),
        _name("location", "e.location"),
        _moment("encounter_datetime", "e.encounter_datetime"),
        _name("encounter_type", "e.encounter_type"),
        _name("visit_type", "e.visit_type"),
        _moment("visit_date_started", "e.visit_date_started"),
        _moment("visit_date_stopped", "e.visit_date_stopped"),
        _name("form_name", "e.form_name"),
        _name("form_uuid", "e.form_uuid"),
        _name("form_version", "e.form_version"),
        _name("encounter_uuid", "e.uuid"),
        _name("encounter_type_uuid", "e.encounter_type_uuid"),
        _name("visit_uuid", "e.visit_uuid"),
        _name("patient_uuid", "e.patient_uuid"),
        _name("location_uuid", "e.location_uuid"),
        _name("creator_uuid", "u.uuid", "Of the person who is the creating user."),
    ]
    body = f"""FROM {subqueries.encounter_context()} e
JOIN {subqueries.user_uuid()} u ON u.user_id = e.creator"""
    return _finish(
        "encounters",
        "One row for each encounter; voided ones are marked by encounter_voided.",
        columns,
        "encounter_id",
        "encounter_datetime",
        subqueries,
        body,
    )


def observations(subqueries: Subqueries) -> FlattenedTable:
    """One row for each observation, with its question's and answer's names."""
    concept = subqueries.described_concept()
    context = subqueries.encounter_context()
    group = subqueries.add(
        "obs_group",
        f"""SELECT g.obs_id, g.uuid, c.uuid AS concept_uuid
FROM {subqueries.table("obs")} g
JOIN {subqueries.table("concept")} c ON c.concept_id = g.concept_id""",
    )
    columns = [
        _big("obs_id", "o.obs_id"),
        _true("obs_voided", "o.voided"),
        _name("location", "l.name"),
        _moment("obs_date_time", "o.obs_datetime"),
        _name("question_label", "q.label", "The concept's name in the site's locales."),
        _name("question_mapping", "q.mapping", "The first SOURCE:CODE of the concept, SAME-AS ones first."),
        _name("answer_coded", "w.label", "The answer's name in the site's locales."),
        _moment("answer_datetime", "o.value_datetime"),
        _big("answer_drug", "o.value_drug", "Id of the drug."),
        Column("answer_numeric", SqlType.DOUBLE, "o.value_numeric"),
        Column("answer_text", TEXT, "o.value_text"),
        _name("answer_complex", "o.value_complex"),
        _name("answer_modifier", "o.value_modifier"),
        _name("comments", "o.comments"),
        _moment("date_created", "o.date_created"),
        _name("accession_number", "o.accession_number"),
        _name("encounter_type", "e.encounter_type"),
        _name("form_namespace_and_path", "o.form_namespace_and_path"),
        _name("visit_type", "e.visit_type"),
        _moment("visit_date_started", "e.visit_date_started"),
        _moment("visit_date_stopped", "e.visit_date_stopped"),
        _name("obs_void_reason", "o.void_reason"),
        _big("previous_version_obs_id", "o.previous_version"),
        _big("parent_obs_id", "o.obs_group_id"),
        _name("answer_coded_uuid", "w.uuid"),
        _name("creator_uuid", "u.uuid", "Of the person who is the creating user."),
        _name("encounter_uuid", "e.uuid"),
        _name("visit_uuid", "e.visit_uuid"),
        _name("location_uuid", "l.uuid"),
        _name("obs_uuid", "o.uuid"),
        _name("obs_group_uuid", "g.uuid"),
        _name("obs_group_concept_uuid", "g.concept_uuid"),
        _name("patient_uuid", "p.uuid"),
        _name("question_uuid", "q.uuid"),
    ]
    # What changes for many observations at once (a concept's name) comes last: no further join repeats it.
    body = f"""FROM {subqueries.table("obs")} o
JOIN {subqueries.table("person")} p ON p.person_id = o.person_id
JOIN {subqueries.user_uuid()} u ON u.user_id = o.creator
LEFT JOIN {group} g ON g.obs_id = o.obs_group_id
LEFT JOIN {context} e ON e.encounter_id = o.encounter_id
LEFT JOIN {subqueries.table("location")} l ON l.location_id = o.location_id
JOIN {concept} q ON q.concept_id = o.concept_id
LEFT JOIN {concept} w ON w.concept_id = o.value_coded"""
    return _finish(
        "observations",
        "One row for each observation; voided ones are marked by obs_voided.",
        columns,
        "obs_id",
        "obs_date_time",
        subqueries,
        body,
    )


def _weighted(subqueries: Subqueries, name: str, link: str, key: str, owner: str, linked: str) -> str:
    """Add `owner, uuids` of linked concepts in the order of their weights, unweighted ones last."""
    # 13 digits for any weight up to 10^9, to a thousandth.
    number = "CAST(CAST(x.sort_weight * 1000 + 1000000000000 AS BIGINT) AS STRING)"
    weight = f"CASE WHEN x.sort_weight IS NULL THEN '9999999999999' ELSE {number} END"
    element = sql.list_element(f"{weight}, {sql.id_key(f'x.{key}')}", "c.uuid")
    return subqueries.add(
        name,
        f"""SELECT x.{owner} AS owner_id, {sql.ordered_list(f"ARRAY_AGG({element})", 13 + 11, ", ")} AS uuids
FROM {subqueries.table(link)} x
JOIN {subqueries.table("concept")} c ON c.concept_id = x.{linked}
GROUP BY x.{owner}""",
    )


def concepts(subqueries: Subqueries) -> FlattenedTable:
    """One row for each concept: its best name, mappings, answers and set members."""
    label = subqueries.concept_label()
    codes = subqueries.add(
        "mapping_list",
        f"""SELECT concept_id, {sql.joined("ARRAY_AGG(CONCAT(source, ': ', code))", ", ")} AS codes
FROM {subqueries.mapping()}
GROUP BY concept_id""",
    )
    answers = _weighted(
        subqueries, "answer_list", "concept_answer", "concept_answer_id", "concept_id", "answer_concept"
    )
    members = _weighted(
        subqueries, "member_list", "concept_set", "concept_set_id", "concept_set", "concept_id"
    )
    columns = [
        _big("concept_id", "c.concept_id"),
        Column("concept_mappings_source_codes", TEXT, "m.codes", "All mappings as 'SOURCE: CODE', sorted."),
        Column("name", TEXT, "l.name", "In the site's locales: the preferred name, else the fully specified."),
        Column("locale", TEXT, "l.locale", "Of that name."),
        Column("locale_preferred", BOOLEAN, "l.locale_preferred"),
        _true("retired", "c.retired"),
        _name("uuid", "c.uuid"),
        Column("answer_concepts_uuids", TEXT, "a.uuids", "Uuids of the possible answers, in their order."),
        Column("member_concepts_uuids", TEXT, "s.uuids", "Uuids of the set's members, in their order."),
    ]
    body = f"""FROM {subqueries.table("concept")} c
LEFT JOIN {label} l ON l.concept_id = c.concept_id
LEFT JOIN {codes} m ON m.concept_id = c.concept_id
LEFT JOIN {answers} a ON a.owner_id = c.concept_id
LEFT JOIN {members} s ON s.owner_id = c.concept_id"""
    return _finish(
        "concepts",
        "One row for each concept of the dictionary.",
        columns,
        "concept_id",
        "",
        subqueries,
        body,
    )


CORE_TABLES: Final[Mapping[str, Callable[[Subqueries], FlattenedTable]]] = MappingProxyType(
    {
        "patients": patients,
        "visits": visits,
        "encounters": encounters,
        "observations": observations,
        "concepts": concepts,
    }
)
"""The core tables by name, in the order in which `core: all` makes them."""
