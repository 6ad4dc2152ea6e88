"""The demo database holds a case of everything that reading it could get wrong."""

from __future__ import annotations

import sqlite3

import pytest

from ozone_gen.openmrs.demo.dictionary import concept_id

VARIETY = {
    "newborn": "person WHERE birthdate > '2025-10-01'",
    "born before 1970": "person WHERE birthdate < '1970-01-01'",
    "over ninety": "person WHERE birthdate < '1936-01-01'",
    "unknown birthdate": "person JOIN patient ON patient_id = person_id WHERE birthdate IS NULL",
    "estimated birthdate": "person WHERE birthdate_estimated = 1",
    "unknown gender": "person JOIN patient ON patient_id = person_id WHERE gender = 'U'",
    "dead, cause coded": "person WHERE dead = 1 AND cause_of_death IS NOT NULL",
    "dead, cause in words": "person WHERE dead = 1 AND cause_of_death_non_coded IS NOT NULL",
    "voided patient": "patient WHERE voided = 1",
    "merged patient": "person_merge_log JOIN person ON person_id = loser_person_id WHERE person.voided = 1",
    "voided patient whose encounters stand": "patient p JOIN encounter e USING (patient_id)"
    " WHERE p.voided = 1 AND e.voided = 0",
    "two names": "(SELECT 1 FROM person_name WHERE voided = 0 GROUP BY person_id HAVING COUNT(*) > 1)",
    "voided preferred name": "person_name WHERE voided = 1 AND preferred = 1",
    "no preferred name": "(SELECT 1 FROM person_name WHERE voided = 0 GROUP BY person_id HAVING "
    "MAX(preferred) = 0)",
    "no address": "patient WHERE patient_id NOT IN (SELECT person_id FROM person_address)",
    "several identifiers": "(SELECT 1 FROM patient_identifier WHERE voided = 0 GROUP BY patient_id HAVING "
    "COUNT(*) > 2)",
    "voided visit": "visit WHERE voided = 1",
    "voided visit whose encounters stand": "visit v JOIN encounter e USING (visit_id)"
    " JOIN patient p ON p.patient_id = v.patient_id WHERE v.voided = 1 AND e.voided = 0 AND p.voided = 0",
    "voided encounter whose observations stand": "encounter e JOIN obs o USING (encounter_id)"
    " WHERE e.voided = 1 AND o.voided = 0",
    "voided group whose members stand": "obs g JOIN obs m ON m.obs_group_id = g.obs_id"
    " WHERE g.voided = 1 AND m.voided = 0",
    "voided observation": "obs JOIN encounter e USING (encounter_id) WHERE obs.voided = 1 AND e.voided = 0",
    "edited observation": "obs n JOIN obs o ON o.obs_id = n.previous_version"
    " WHERE o.voided = 1 AND n.status = 'AMENDED' AND n.value_numeric <> o.value_numeric",
    "open visit": "visit WHERE date_stopped IS NULL",
    "retired visit type in use": "visit JOIN visit_type t USING (visit_type_id) WHERE t.retired = 1",
    "retired encounter type in use": "encounter e JOIN encounter_type t"
    " ON t.encounter_type_id = e.encounter_type WHERE t.retired = 1",
    "retired concept in use": "obs JOIN concept c USING (concept_id) WHERE c.retired = 1",
    "encounter without observations": "encounter WHERE encounter_id NOT IN"
    " (SELECT encounter_id FROM obs WHERE encounter_id IS NOT NULL)",
    "encounter without a visit": "encounter WHERE visit_id IS NULL",
    "encounter without a form": "encounter WHERE form_id IS NULL",
    "encounter without a provider": "encounter WHERE encounter_id NOT IN (SELECT encounter_id FROM "
    "encounter_provider)",
    "observation without an encounter": "obs WHERE encounter_id IS NULL",
    "measured twice at once": "(SELECT 1 FROM obs WHERE voided = 0 AND value_numeric IS NOT NULL AND "
    "obs_group_id IS NULL"
    " GROUP BY encounter_id, concept_id, obs_datetime HAVING COUNT(*) > 1)",
    "entered later, measured earlier": "obs a JOIN obs b USING (encounter_id, concept_id)"
    " WHERE a.voided = 0 AND b.voided = 0 AND a.obs_id > b.obs_id AND a.obs_datetime < b.obs_datetime",
    "several complaints": "(SELECT 1 FROM obs WHERE concept_id = :complaint AND voided = 0"
    " GROUP BY encounter_id HAVING COUNT(DISTINCT value_coded) > 2)",
    "diagnosis in words": "obs WHERE concept_id = :non_coded",
    "answer's name recorded": "obs WHERE value_coded_name_id IS NOT NULL",
    "drug as an answer": "obs WHERE value_drug IS NOT NULL",
    "less than": "obs WHERE value_modifier = '<'",
    "comment": "obs WHERE comments IS NOT NULL",
    "result of an order": "obs JOIN orders USING (order_id)",
    "discontinued order": "orders WHERE order_action = 'DISCONTINUE' AND previous_order_id IS NOT NULL",
    "order's reason is not its concept": "orders WHERE order_reason <> concept_id",
    "drug order in words": "drug_order WHERE drug_non_coded IS NOT NULL",
    "order voided on its own": "orders o JOIN encounter e USING (encounter_id) WHERE o.voided = 1 AND e.voided = 0",
    "order of a retired type": "orders JOIN order_type t USING (order_type_id) WHERE t.retired = 1",
    "scheduled order": "orders WHERE scheduled_date IS NOT NULL",
    "order with a comment": "orders WHERE comment_to_fulfiller IS NOT NULL",
    "coded name of a condition": "conditions WHERE condition_coded_name IS NOT NULL",
    "voided diagnosis": "encounter_diagnosis WHERE voided = 1",
    "diagnosis in words beside observations": "encounter_diagnosis WHERE diagnosis_non_coded IS NOT NULL",
    "retired program without outcomes": "patient_program JOIN program p USING (program_id)"
    " WHERE p.retired = 1 AND p.outcomes_concept_id IS NULL",
    "appointment whose service has several types": "patient_appointment a WHERE 1 < (SELECT COUNT(*)"
    " FROM appointment_service_type t WHERE t.appointment_service_id = a.appointment_service_id)",
    "appointment without a service type": "patient_appointment WHERE appointment_service_type_id IS NULL",
    "appointment of a voided service": "patient_appointment JOIN appointment_service s USING (appointment_service_id)"
    " WHERE s.voided = 1",
    "appointment of a voided service type": "patient_appointment"
    " JOIN appointment_service_type t USING (appointment_service_type_id) WHERE t.voided = 1",
    "appointment that does not say whether it is voided": "patient_appointment WHERE voided IS NULL",
    "voided appointment": "patient_appointment WHERE voided = 1",
    "appointment without a date": "patient_appointment WHERE start_date_time IS NULL",
    "appointment that follows another": "patient_appointment a JOIN patient_appointment b"
    " ON b.patient_appointment_id = a.related_appointment_id AND b.patient_id = a.patient_id",
    "appointment with two providers": "(SELECT 1 FROM patient_appointment_provider WHERE COALESCE(voided, 0) = 0"
    " GROUP BY patient_appointment_id HAVING COUNT(*) > 1)",
    "appointment whose first provider is voided": "patient_appointment_provider p WHERE p.voided = 1 AND EXISTS"
    " (SELECT 1 FROM patient_appointment_provider q WHERE q.patient_appointment_id = p.patient_appointment_id"
    " AND q.patient_appointment_provider_id > p.patient_appointment_provider_id AND q.voided = 0)",
    "provider who is no person": "provider WHERE person_id IS NULL",
    "retired provider": "provider WHERE retired = 1",
    "provider with two names": "provider v WHERE 1 < (SELECT COUNT(*) FROM person_name n"
    " WHERE n.person_id = v.person_id)",
    "provider with two users": "provider v WHERE 1 < (SELECT COUNT(*) FROM users u"
    " WHERE u.person_id = v.person_id AND u.retired = 0)",
    "provider with a retired user": "provider JOIN users u USING (person_id) WHERE u.retired = 1",
    "retired location": "location WHERE retired = 1",
    "location with several tags": "(SELECT 1 FROM location_tag_map GROUP BY location_id HAVING COUNT(*) > 1)",
    "location without tags": "location WHERE location_id NOT IN (SELECT location_id FROM location_tag_map)",
    "retired term": "concept_reference_map JOIN concept_reference_term t USING (concept_reference_term_id)"
    " WHERE t.retired = 1",
    "named term": "concept_reference_term WHERE name IS NOT NULL",
    "corrected condition": "conditions WHERE previous_version IS NOT NULL",
    "program left": "patient_program WHERE date_completed IS NOT NULL",
    "program left without an outcome": "patient_program WHERE date_completed IS NOT NULL AND "
    "outcome_concept_id IS NULL",
    "appointment to come": "patient_appointment WHERE start_date_time >= '2026-01-01'",
    "voided visit attribute": "visit_attribute a JOIN visit v USING (visit_id) WHERE a.voided = 1 AND "
    "v.voided = 0",
    "creator who is another person": "obs o JOIN users u ON u.user_id = o.creator"
    " WHERE u.user_id <> u.person_id",
    "name without a type": "concept_name WHERE concept_name_type IS NULL AND voided = 0",
    "preferred synonym": "concept_name WHERE concept_name_type IS NULL AND locale_preferred = 1",
    "short name": "concept_name WHERE concept_name_type = 'SHORT'",
    "voided name": "concept_name WHERE voided = 1",
    "concept without English": "concept WHERE concept_id NOT IN (SELECT concept_id FROM concept_name WHERE "
    "locale = 'en')",
    "concept without Swahili": "concept WHERE concept_id NOT IN (SELECT concept_id FROM concept_name WHERE "
    "locale = 'sw')",
    "shared term": "(SELECT 1 FROM concept_reference_map GROUP BY concept_reference_term_id HAVING COUNT(*) "
    "> 1)",
}


@pytest.mark.parametrize("what", VARIETY)
def test_variety(database: sqlite3.Connection, what: str) -> None:
    keys = {"complaint": concept_id("5219"), "non_coded": concept_id("161602")}
    found = database.execute(f"SELECT COUNT(*) FROM {VARIETY[what]}", keys).fetchone()[0]
    assert found > 0
