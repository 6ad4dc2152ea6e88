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

HISTORIES: Final = {"observations": OBSERVATIONS, "encounters": ENCOUNTERS, "names": NAMES}
