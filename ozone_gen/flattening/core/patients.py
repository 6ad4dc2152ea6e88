"""The core table of patients."""

from __future__ import annotations

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.core.columns import big, creator, date, finish, moment, text, true, varchar
from ozone_gen.flattening.core.people import attribute_list, best_of_person
from ozone_gen.flattening.subqueries import CONCEPT_ATTRIBUTE_FORMAT, Subqueries
from ozone_gen.flattening.table import FlattenedTable, SinkColumn, SqlType


def patients(subqueries: Subqueries) -> FlattenedTable:
    """One row for each patient, with the preferred name and address and all identifiers."""
    name = best_of_person(subqueries, "person_name", "person_name_id")
    address = best_of_person(subqueries, "person_address", "person_address_id")
    attributes = attribute_list(
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
        big("patient_id", "p.patient_id"),
        varchar("given_name", "n.given_name", "Of the preferred name, else of the oldest that is not voided."),
        varchar("middle_name", "n.middle_name"),
        varchar("family_name", "n.family_name"),
        text("identifiers", "i.identifiers", "Not voided ones as 'Type: identifier', preferred first."),
        varchar("gender", "o.gender"),
        date("birthdate", "o.birthdate"),
        true("birthdate_estimated", "o.birthdate_estimated"),
        varchar("patient_uuid", "o.uuid"),
        varchar("address_city", "a.city_village", "Of the preferred address, else of the oldest not voided."),
        varchar("address_county_district", "a.county_district"),
        varchar("address_state_province", "a.state_province"),
        varchar("address_country", "a.country"),
        *(varchar(f"address_{n}", f"a.address{n}") for n in range(1, 16)),
        varchar("address_latitude", "a.latitude"),
        varchar("address_longitude", "a.longitude"),
        text("attributes", "t.attributes", "Not voided ones as 'Type: value', oldest first."),
        true("dead", "o.dead"),
        moment("death_date", "o.death_date"),
        SinkColumn("cause_of_death", SqlType.INTEGER, "o.cause_of_death", "Id of the concept."),
        creator("o"),
        moment("date_created", "o.date_created"),
        true("person_voided", "o.voided"),
        varchar("person_void_reason", "o.void_reason"),
    ]
    body = f"""FROM {subqueries.table("patient")} p
JOIN {subqueries.table("person")} o ON o.person_id = p.patient_id
LEFT JOIN {name} n ON n.person_id = p.patient_id
LEFT JOIN {address} a ON a.person_id = p.patient_id
LEFT JOIN {identifiers} i ON i.patient_id = p.patient_id
LEFT JOIN {attributes} t ON t.person_id = p.patient_id"""
    return finish(
        "patients",
        "One row for each patient; voided ones are marked by person_voided.",
        columns,
        "patient_id",
        "date_created",
        subqueries,
        body,
    )
