"""The core table of visits."""

from __future__ import annotations

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.core.columns import big, date, finish, moment, text, true, varchar
from ozone_gen.flattening.core.people import attribute_list
from ozone_gen.flattening.subqueries import CONCEPT_CUSTOM_DATATYPE, Subqueries
from ozone_gen.flattening.table import FlattenedTable, SinkColumn, SqlType


def visits(subqueries: Subqueries) -> FlattenedTable:
    """One row for each visit, with the patient's age at its start."""
    attributes = attribute_list(
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
    started = sql.day_of_moment("v.date_started")
    age = sql.whole_years(sql.date_of_days("p.birthdate"), started)
    columns = [
        big("visit_id", "v.visit_id"),
        true("visit_voided", "v.voided"),
        varchar("location", "l.name"),
        moment("date_started", "v.date_started"),
        moment("date_stopped", "v.date_stopped"),
        varchar("type", "y.name"),
        text("visit_attributes", "a.attributes", "Not voided ones as 'Type: value', oldest first."),
        varchar("patient_gender", "p.gender"),
        date("patient_birthdate", "p.birthdate"),
        true("patient_birthdate_estimated", "p.birthdate_estimated"),
        SinkColumn(
            "patient_age_at_visit",
            SqlType.WHOLE_NUMBER,
            f"CAST({age} AS DECIMAL(24, 0))",
            "Whole years at the visit's start.",
        ),
        true("patient_dead", "p.dead"),
        moment("patient_death_date", "p.death_date"),
        SinkColumn("patient_cause_of_death", SqlType.INTEGER, "p.cause_of_death", "Id of the concept."),
        varchar("visit_uuid", "v.uuid"),
        varchar("visit_type_uuid", "y.uuid"),
        varchar("location_uuid", "l.uuid"),
        varchar("patient_uuid", "p.uuid"),
        varchar("creator_uuid", "u.uuid", "Of the person who is the creating user."),
    ]
    body = f"""FROM {subqueries.table("visit")} v
JOIN {subqueries.table("person")} p ON p.person_id = v.patient_id
JOIN {subqueries.table("visit_type")} y ON y.visit_type_id = v.visit_type_id
LEFT JOIN {subqueries.table("location")} l ON l.location_id = v.location_id
JOIN {subqueries.user_uuid()} u ON u.user_id = v.creator
LEFT JOIN {attributes} a ON a.visit_id = v.visit_id"""
    return finish(
        "visits",
        "One row for each visit; voided ones are marked by visit_voided.",
        columns,
        "visit_id",
        "date_started",
        subqueries,
        body,
    )
