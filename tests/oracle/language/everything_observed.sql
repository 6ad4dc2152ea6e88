SELECT r.obs_id, r.uuid AS obs_uuid, c.name AS question_label, r.person_id AS patient_id
FROM obs r
LEFT JOIN concept_label c ON c.concept_id = r.concept_id
LEFT JOIN patient p ON p.patient_id = r.person_id
LEFT JOIN encounter e ON e.encounter_id = r.encounter_id
WHERE r.voided = 0 AND (r.encounter_id IS NULL OR e.voided = 0) AND (p.patient_id IS NULL OR p.voided = 0)
