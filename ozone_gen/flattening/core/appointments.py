"""The core table of appointments, of Bahmni's appointments module."""

from __future__ import annotations

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.core.columns import big, changed, finish, made, moment, varchar
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable, SinkColumn, SqlType

_TIME_OF_DAY = "A time of the day, written on 1970-01-01."


def _voided(name: str, alias: str, key: str) -> SinkColumn:
    """Whether a row is voided: the module lets that be NULL, which means no. NULL where there is no row."""
    known = f"COALESCE({sql.is_true(f'{alias}.voided')}, FALSE)"
    return SinkColumn(name, SqlType.BOOLEAN, f"CASE WHEN {alias}.{key} IS NOT NULL THEN {known} END")


def appointments(subqueries: Subqueries) -> FlattenedTable:
    """One row for each appointment, with its one service, service type and first provider."""
    provider = subqueries.add(
        "first_appointment_provider",
        f"""SELECT patient_appointment_id, provider_id, response FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY patient_appointment_id ORDER BY patient_appointment_provider_id
  ) AS place
  FROM {subqueries.table("patient_appointment_provider")}
  WHERE voided IS NULL OR {sql.is_false("voided")}
)
WHERE place = 1""",
    )
    columns = [
        big("patient_appointment_id", "a.patient_appointment_id"),
        big("patient_id", "a.patient_id"),
        varchar("appointment_number", "a.appointment_number"),
        moment("start_date_time", "a.start_date_time"),
        big("location_id", "a.location_id"),
        moment("end_date_time", "a.end_date_time"),
        big("appointment_service_id", "a.appointment_service_id"),
        big("appointment_service_type_id", "a.appointment_service_type_id"),
        varchar("status", "a.status"),
        varchar("appointment_kind", "a.appointment_kind"),
        varchar("comments", "a.comments"),
        big("related_appointment_id", "a.related_appointment_id"),
        *made("a"),
        *changed("a"),
        _voided("voided", "a", "patient_appointment_id"),
        big("voided_by", "a.voided_by", "Id of the user."),
        moment("date_voided", "a.date_voided"),
        varchar("void_reason", "a.void_reason"),
        varchar("uuid", "a.uuid"),
        varchar("appointment_service_name", "s.name"),
        varchar("appointment_service_description", "s.description"),
        _voided("appointment_service_voided", "s", "appointment_service_id"),
        varchar("appointment_service_uuid", "s.uuid"),
        varchar("appointment_service_color", "s.color"),
        moment("appointment_service_start_time", "s.start_time", _TIME_OF_DAY),
        moment("appointment_service_end_time", "s.end_time", _TIME_OF_DAY),
        big("appointment_service_speciality_id", "s.speciality_id"),
        big("appointment_service_max_appointments_limit", "s.max_appointments_limit"),
        big("appointment_service_duration_mins", "s.duration_mins"),
        varchar("appointment_service_initial_appointment_status", "s.initial_appointment_status"),
        varchar("appointment_service_type_name", "t.name", "Of the appointment's one service type."),
        big("appointment_service_type_duration_mins", "t.duration_mins"),
        _voided("appointment_service_type_voided", "t", "appointment_service_type_id"),
        varchar("appointment_service_type_uuid", "t.uuid"),
        big("patient_appointment_provider", "p.provider_id", "Id of the first provider that is not voided."),
        varchar("patient_appointment_provider_response", "p.response", "Of that provider."),
    ]
    body = f"""FROM {subqueries.table("patient_appointment")} a
LEFT JOIN {provider} p ON p.patient_appointment_id = a.patient_appointment_id
LEFT JOIN {subqueries.table("appointment_service")} s ON s.appointment_service_id = a.appointment_service_id
LEFT JOIN {subqueries.table("appointment_service_type")} t
  ON t.appointment_service_type_id = a.appointment_service_type_id"""
    return finish(
        "appointments",
        "One row for each appointment; voided ones are marked by voided.",
        columns,
        "patient_appointment_id",
        "start_date_time",
        subqueries,
        body,
    )
