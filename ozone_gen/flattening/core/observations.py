"""The core table of observations."""

from __future__ import annotations

from ozone_gen.flattening.core.columns import big, double, finish, moment, text, true, varchar
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable


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
        big("obs_id", "o.obs_id"),
        true("obs_voided", "o.voided"),
        varchar("location", "l.name"),
        moment("obs_date_time", "o.obs_datetime"),
        varchar("question_label", "q.label", "The concept's name in the site's locales."),
        varchar("question_mapping", "q.mapping", "The first SOURCE:CODE of the concept, SAME-AS ones first."),
        varchar("answer_coded", "w.label", "The answer's name in the site's locales."),
        moment("answer_datetime", "o.value_datetime"),
        big("answer_drug", "o.value_drug", "Id of the drug."),
        double("answer_numeric", "o.value_numeric"),
        text("answer_text", "o.value_text"),
        varchar("answer_complex", "o.value_complex"),
        varchar("answer_modifier", "o.value_modifier"),
        varchar("comments", "o.comments"),
        moment("date_created", "o.date_created"),
        varchar("accession_number", "o.accession_number"),
        varchar("encounter_type", "e.encounter_type"),
        varchar("form_namespace_and_path", "o.form_namespace_and_path"),
        varchar("visit_type", "e.visit_type"),
        moment("visit_date_started", "e.visit_date_started"),
        moment("visit_date_stopped", "e.visit_date_stopped"),
        varchar("obs_void_reason", "o.void_reason"),
        big("previous_version_obs_id", "o.previous_version"),
        big("parent_obs_id", "o.obs_group_id"),
        varchar("answer_coded_uuid", "w.uuid"),
        varchar("creator_uuid", "u.uuid", "Of the person who is the creating user."),
        varchar("encounter_uuid", "e.uuid"),
        varchar("visit_uuid", "e.visit_uuid"),
        varchar("location_uuid", "l.uuid"),
        varchar("obs_uuid", "o.uuid"),
        varchar("obs_group_uuid", "g.uuid"),
        varchar("obs_group_concept_uuid", "g.concept_uuid"),
        varchar("patient_uuid", "p.uuid"),
        varchar("question_uuid", "q.uuid"),
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
    return finish(
        "observations",
        "One row for each observation; voided ones are marked by obs_voided.",
        columns,
        "obs_id",
        "obs_date_time",
        subqueries,
        body,
    )
