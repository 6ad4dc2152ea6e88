"""A history of changes to an OpenMRS database, as SQL that a clinic's server would run."""

from __future__ import annotations

from typing import Final

# A leaf: nothing refers to it, so that it may be deleted.
_LEAF: Final = (
    "obs_id NOT IN (SELECT * FROM (SELECT obs_group_id FROM obs WHERE obs_group_id IS NOT NULL) g)"
    " AND obs_id NOT IN (SELECT * FROM (SELECT previous_version FROM obs WHERE previous_version IS NOT NULL) p)"
)
_VITALS: Final = "(SELECT encounter_type_id FROM encounter_type WHERE name = 'Vitals')"
_NOTES: Final = "(SELECT encounter_type_id FROM encounter_type WHERE name = 'Visit Note')"

OBSERVATIONS: Final = (
    "UPDATE obs SET value_numeric = value_numeric + 1.5 WHERE value_numeric IS NOT NULL AND obs_id % 7 = 0",
    "UPDATE obs SET voided = 1, void_reason = 'entered in error' WHERE obs_id % 11 = 0",
    "UPDATE obs SET voided = 0, void_reason = NULL WHERE obs_id % 33 = 0",
    f"DELETE FROM obs WHERE obs_id % 13 = 0 AND {_LEAF} LIMIT 200",
    # Moved to another encounter; measured at another time; of another concept.
    "UPDATE obs o JOIN encounter e ON e.encounter_id = o.encounter_id + 1"
    " SET o.encounter_id = e.encounter_id WHERE o.obs_id % 17 = 0",
    "UPDATE obs SET obs_datetime = obs_datetime - INTERVAL 90 MINUTE WHERE obs_id % 19 = 0",
    "UPDATE obs o JOIN obs x ON x.obs_id = o.obs_id - 1 AND x.value_numeric IS NOT NULL"
    " SET o.concept_id = x.concept_id WHERE o.value_numeric IS NOT NULL AND o.obs_id % 23 = 0",
    # Measured again within the same encounter, once at the very same moment.
    "INSERT INTO obs (person_id, concept_id, encounter_id, obs_datetime, location_id, value_numeric, creator,"
    " date_created, voided, uuid, status)"
    " SELECT person_id, concept_id, encounter_id, obs_datetime + INTERVAL (obs_id % 2) HOUR, location_id,"
    " value_numeric + 0.25, creator, date_created, 0, CONCAT('again-', obs_id), 'FINAL'"
    " FROM obs WHERE value_numeric IS NOT NULL AND voided = 0 AND obs_id % 29 = 0",
)

ENCOUNTERS: Final = (
    f"UPDATE encounter SET voided = 1 WHERE encounter_type = {_VITALS} AND encounter_id % 10 = 1",
    f"UPDATE encounter SET voided = 0 WHERE encounter_type = {_VITALS} AND encounter_id % 20 = 1",
    f"UPDATE encounter SET encounter_type = {_NOTES} WHERE encounter_type = {_VITALS} AND encounter_id % 10 = 2",
    "UPDATE encounter SET location_id = NULL WHERE encounter_id % 10 = 3",
    "UPDATE encounter SET visit_id = NULL WHERE encounter_id % 10 = 4",
    # A new encounter without observations, before 1970.
    "INSERT INTO encounter (encounter_type, patient_id, location_id, form_id, encounter_datetime, creator,"
    " date_created, voided, visit_id, uuid)"
    " SELECT encounter_type, patient_id, location_id, form_id, '1969-12-31 23:59:59', creator, date_created, 0,"
    f" visit_id, CONCAT('new-', encounter_id) FROM encounter WHERE encounter_type = {_VITALS} LIMIT 5",
    "UPDATE visit SET voided = 1 WHERE visit_id % 9 = 0",
    "UPDATE patient SET voided = 1 WHERE patient_id % 8 = 0",
    "UPDATE patient SET voided = 0 WHERE patient_id % 16 = 0",
)

NAMES: Final = (
    "UPDATE concept_name SET name = CONCAT(name, ' (renamed)') WHERE concept_name_id % 5 = 0",
    "UPDATE concept_name SET voided = 1 WHERE concept_name_id % 7 = 0",
    # NULL in a column that has another default.
    "UPDATE person SET gender = NULL WHERE person_id % 7 = 0",
    "UPDATE concept_name SET locale_preferred = NULL WHERE concept_name_id % 13 = 0",
    "UPDATE concept_name SET locale_preferred = 1 - COALESCE(locale_preferred, 0) WHERE concept_name_id % 11 = 0",
    "UPDATE location SET name = CONCAT('New ', name) WHERE location_id % 2 = 0",
    "UPDATE encounter_type SET name = 'Check-in desk' WHERE name = 'Check In'",
    "UPDATE person_name SET family_name = CONCAT(family_name, '-Ō') WHERE person_id % 3 = 0",
    "UPDATE person_name SET preferred = 0 WHERE person_name_id % 4 = 0",
    "UPDATE person SET birthdate = '1924-02-29', dead = 1, death_date = '2025-06-01 10:00:00' WHERE person_id % 6 = 0",
    "UPDATE patient_identifier SET voided = 1 WHERE patient_identifier_id % 5 = 0",
    "UPDATE concept SET retired = 1 WHERE concept_id % 9 = 0",
    "UPDATE concept_reference_term SET code = CONCAT(code, 'x') WHERE concept_reference_term_id % 40 = 0",
)

ORDERS: Final = (
    "UPDATE orders SET voided = 1, voided_by = 5, date_voided = '2025-12-30 10:00:00', void_reason = 'never given'"
    " WHERE order_id % 7 = 0",
    "UPDATE orders SET voided = 0, voided_by = NULL, date_voided = NULL, void_reason = NULL WHERE order_id % 14 = 0",
    "UPDATE orders SET order_reason = NULL, order_reason_non_coded = 'another' WHERE order_id % 5 = 1",
    "UPDATE orders SET order_reason = concept_id, order_reason_non_coded = NULL WHERE order_id % 11 = 2",
    "UPDATE orders o JOIN encounter e ON e.encounter_id = o.encounter_id + 1 AND e.patient_id = o.patient_id"
    " SET o.encounter_id = e.encounter_id WHERE o.order_id % 6 = 0",
    "UPDATE drug_order SET drug_inventory_id = NULL, drug_non_coded = 'as written' WHERE order_id % 9 = 0",
    "UPDATE drug_order SET frequency = 1 + frequency % 4, dose = dose * 2, dose_units = NULL WHERE order_id % 10 = 3",
    "DELETE FROM drug_order WHERE order_id % 13 = 0",
    "DELETE d FROM drug_order d JOIN orders o ON o.order_id = d.order_id WHERE o.order_action = 'DISCONTINUE'",
    "DELETE FROM orders WHERE order_action = 'DISCONTINUE' AND order_id % 2 = 0",
    "UPDATE drug SET name = CONCAT(name, ' (new box)') WHERE drug_id % 2 = 0",
    "UPDATE order_type SET name = 'Prescription', retired = 1 WHERE name = 'Drug Order'",
    "UPDATE care_setting SET name = 'Ward', retired = 1 WHERE name = 'Inpatient'",
    "UPDATE patient_program SET program_id = 1 + program_id % 4, date_completed = NULL"
    " WHERE patient_program_id % 3 = 0",
    "UPDATE patient_program SET voided = 1 - voided WHERE patient_program_id % 5 = 0",
    "DELETE FROM patient_program WHERE patient_program_id % 7 = 0",
    "UPDATE program SET name = 'Tuberculosis', outcomes_concept_id = NULL WHERE program_id = 2",
    "UPDATE program SET concept_id = 1541, retired = 1 - retired WHERE program_id > 2",
    "UPDATE conditions SET clinical_status = 'INACTIVE', end_date = '2025-12-30 00:00:00' WHERE condition_id % 2 = 0",
    "UPDATE conditions SET voided = 1 - voided WHERE condition_id % 3 = 0",
    "UPDATE encounter_diagnosis SET dx_rank = dx_rank + 1, certainty = 'CONFIRMED' WHERE diagnosis_id % 3 = 0",
    "UPDATE encounter_diagnosis SET dx_rank = NULL, voided = 1 WHERE diagnosis_id % 8 = 0",
    "DELETE FROM encounter_diagnosis WHERE diagnosis_id % 11 = 0",
)

PLACES: Final = (
    "UPDATE appointment_service_type SET name = CONCAT(name, ' (changed)'), voided = NULL"
    " WHERE appointment_service_type_id % 2 = 0",
    "UPDATE appointment_service SET start_time = '07:45:00', end_time = NULL, voided = 1"
    " WHERE appointment_service_id = 1",
    "UPDATE appointment_service SET start_time = '00:00:00', voided = NULL WHERE appointment_service_id = 3",
    "UPDATE patient_appointment SET appointment_service_type_id = NULL WHERE patient_appointment_id % 5 = 0",
    "UPDATE patient_appointment SET appointment_service_id = 2, appointment_service_type_id = 3"
    " WHERE patient_appointment_id % 7 = 0",
    "UPDATE patient_appointment SET appointment_service_id = NULL WHERE patient_appointment_id % 11 = 0",
    "UPDATE patient_appointment SET voided = 1 WHERE patient_appointment_id % 6 = 0",
    "UPDATE patient_appointment SET start_date_time = NULL, status = 'WaitList' WHERE patient_appointment_id % 9 = 0",
    # Another provider becomes the first one, and back; one is invited to another appointment.
    "UPDATE patient_appointment_provider SET voided = 1 - COALESCE(voided, 0)"
    " WHERE patient_appointment_provider_id % 3 = 0",
    "DELETE FROM patient_appointment_provider WHERE patient_appointment_provider_id % 10 = 0",
    "UPDATE patient_appointment_provider SET response = 'REJECTED', voided = NULL"
    " WHERE patient_appointment_provider_id % 7 = 1",
    # A changed key is a delete and an insert.
    "UPDATE location_tag_map SET location_tag_id = 6 WHERE location_tag_id = 5 AND location_id % 2 = 0",
    "DELETE FROM location_tag_map WHERE location_tag_id = 2 AND location_id > 5",
    "INSERT INTO location_tag_map (location_id, location_tag_id) VALUES (1, 4), (1, 1)",
    "UPDATE location_tag SET name = CONCAT('z ', name) WHERE location_tag_id = 4",
    "UPDATE location SET address1 = 'Nyumba ya pili', longitude = NULL, retired = 1 WHERE location_id % 3 = 0",
    "UPDATE users SET retired = 1 - retired WHERE user_id IN (5, 10)",
    "UPDATE users SET username = 'doctor2' WHERE user_id = 9",
    "DELETE FROM user_role WHERE user_id = 4",
    "INSERT INTO user_role (user_id, role) VALUES (7, 'Clerk'), (9, 'Clerk')",
    "UPDATE provider SET person_id = NULL, name = 'Left us', retired = 1 WHERE provider_id = 5",
    "UPDATE provider SET person_id = 5 WHERE provider_id = 7",
    "UPDATE person_name SET preferred = 1 WHERE person_id = 2",
    "UPDATE concept_reference_map SET concept_map_type_id = 2 WHERE concept_map_id % 6 = 0",
    "DELETE FROM concept_reference_map WHERE concept_map_id % 15 = 0",
    "UPDATE concept_reference_term SET name = 'A term', retired = 1 - retired WHERE concept_reference_term_id % 7 = 0",
    "UPDATE concept_map_type SET name = 'NARROWER' WHERE name = 'NARROWER-THAN'",
)

HISTORIES: Final = {"observations": OBSERVATIONS, "encounters": ENCOUNTERS, "names": NAMES}
"""Changes of the tables that most sites flatten."""

CORE_HISTORIES: Final = {"orders": ORDERS, "places": PLACES}
"""Changes of what core tables alone are made of; some name rows of the made-up data."""
