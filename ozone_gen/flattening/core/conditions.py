"""The core tables of what is wrong with patients: conditions, and the diagnoses of encounters."""

from __future__ import annotations

from ozone_gen.flattening.core.columns import big, creator, finish, made, moment, varchar, voided
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable


def conditions(subqueries: Subqueries) -> FlattenedTable:
    """One row for each version of a condition."""
    columns = [
        big("condition_id", "c.condition_id"),
        varchar("additional_detail", "c.additional_detail"),
        big("previous_version", "c.previous_version", "Id of the condition that this one replaced."),
        big("condition_coded", "c.condition_coded", "Id of the concept."),
        varchar("condition_non_coded", "c.condition_non_coded"),
        big("condition_coded_name", "c.condition_coded_name", "Id of the concept's name that was chosen."),
        varchar("clinical_status", "c.clinical_status"),
        varchar("verification_status", "c.verification_status"),
        moment("onset_date", "c.onset_date"),
        moment("date_created", "c.date_created"),
        *(column for column in voided("c") if column.name != "voided_by"),
        varchar("uuid", "c.uuid"),
        creator("c"),
        big("voided_by", "c.voided_by", "Id of the user."),
        big("changed_by", "c.changed_by", "Id of the user."),
        big("patient_id", "c.patient_id"),
        moment("end_date", "c.end_date"),
    ]
    return finish(
        "conditions",
        "One row for each version of a patient's condition; voided ones are marked by voided.",
        columns,
        "condition_id",
        "onset_date",
        subqueries,
        f"FROM {subqueries.table('conditions')} c",
    )


def encounter_diagnoses(subqueries: Subqueries) -> FlattenedTable:
    """One row for each diagnosis that OpenMRS keeps in its own table, rather than in observations."""
    columns = [
        big("diagnosis_id", "d.diagnosis_id"),
        big("diagnosis_coded", "d.diagnosis_coded", "Id of the concept."),
        varchar("diagnosis_non_coded", "d.diagnosis_non_coded"),
        big("diagnosis_coded_name", "d.diagnosis_coded_name", "Id of the concept's name that was chosen."),
        big("encounter_id", "d.encounter_id"),
        big("patient_id", "d.patient_id"),
        varchar("certainty", "d.certainty"),
        big("rank", subqueries.column("d", "encounter_diagnosis", "dx_rank", "rank"), "1 is the primary one."),
        varchar("uuid", "d.uuid"),
        *made("d"),
        *voided("d"),
    ]
    return finish(
        "encounter_diagnoses",
        "One row for each diagnosis of an encounter; voided ones are marked by voided.",
        columns,
        "diagnosis_id",
        "date_created",
        subqueries,
        f"FROM {subqueries.table('encounter_diagnosis')} d",
    )
