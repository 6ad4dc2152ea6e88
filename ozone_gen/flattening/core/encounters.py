"""The core table of encounters."""

from __future__ import annotations

from ozone_gen.flattening.core.columns import big, finish, moment, true, varchar
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable


def encounters(subqueries: Subqueries) -> FlattenedTable:
    """One row for each encounter, with its type, form, visit and location."""
    columns = [
        big("encounter_id", "e.encounter_id"),
        true("encounter_voided", "e.voided"),
        varchar("location", "e.location"),
        moment("encounter_datetime", "e.encounter_datetime"),
        varchar("encounter_type", "e.encounter_type"),
        varchar("visit_type", "e.visit_type"),
        moment("visit_date_started", "e.visit_date_started"),
        moment("visit_date_stopped", "e.visit_date_stopped"),
        varchar("form_name", "e.form_name"),
        varchar("form_uuid", "e.form_uuid"),
        varchar("form_version", "e.form_version"),
        varchar("encounter_uuid", "e.uuid"),
        varchar("encounter_type_uuid", "e.encounter_type_uuid"),
        varchar("visit_uuid", "e.visit_uuid"),
        varchar("patient_uuid", "e.patient_uuid"),
        varchar("location_uuid", "e.location_uuid"),
        varchar("creator_uuid", "u.uuid", "Of the person who is the creating user."),
    ]
    body = f"""FROM {subqueries.encounter_context()} e
JOIN {subqueries.user_uuid()} u ON u.user_id = e.creator"""
    return finish(
        "encounters",
        "One row for each encounter; voided ones are marked by encounter_voided.",
        columns,
        "encounter_id",
        "encounter_datetime",
        subqueries,
        body,
    )
