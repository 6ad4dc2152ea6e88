"""The core table of patients in programs."""

from __future__ import annotations

from ozone_gen.flattening.core.columns import big, changed, finish, made, moment, true, varchar, voided
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable


def patient_programs(subqueries: Subqueries) -> FlattenedTable:
    """One row for each time that a patient is or was in a program."""
    concept = subqueries.named_concept()
    program = subqueries.add(
        "named_program",
        f"""SELECT p.program_id, p.name, p.description, p.uuid, p.retired, p.concept_id, p.outcomes_concept_id,
  c.label AS concept, c.uuid AS concept_uuid, o.label AS outcomes, o.uuid AS outcomes_uuid
FROM {subqueries.table("program")} p
JOIN {concept} c ON c.concept_id = p.concept_id
LEFT JOIN {concept} o ON o.concept_id = p.outcomes_concept_id""",
    )
    columns = [
        big("patient_program_id", "e.patient_program_id"),
        big("patient_id", "e.patient_id"),
        big("program_id", "e.program_id"),
        moment("date_enrolled", "e.date_enrolled"),
        moment("date_completed", "e.date_completed"),
        big("location_id", "e.location_id"),
        big("outcome_concept_id", "e.outcome_concept_id", "How it ended: id of the concept."),
        *made("e"),
        *changed("e"),
        *voided("e"),
        varchar("uuid", "e.uuid"),
        true("program_retired", "p.retired"),
        varchar("program_name", "p.name"),
        varchar("program_description", "p.description"),
        varchar("program_uuid", "p.uuid"),
        big("program_concept_id", "p.concept_id"),
        varchar("concept_name", "p.concept", "Of the program's concept, in the site's locales."),
        varchar("concept_uuid", "p.concept_uuid", "Of the program's concept."),
        big("program_outcomes_concept_id", "p.outcomes_concept_id", "The set of possible outcomes."),
        varchar("outcomes_concept_name", "p.outcomes", "Of the set of possible outcomes, in the site's locales."),
        varchar("outcomes_concept_uuid", "p.outcomes_uuid", "Of the set of possible outcomes."),
    ]
    body = f"""FROM {subqueries.table("patient_program")} e
JOIN {program} p ON p.program_id = e.program_id"""
    return finish(
        "patient_programs",
        "One row for each enrolment of a patient in a program; voided ones are marked by voided.",
        columns,
        "patient_program_id",
        "date_enrolled",
        subqueries,
        body,
    )
