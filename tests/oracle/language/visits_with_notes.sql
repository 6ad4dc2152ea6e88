WITH seen AS (
  SELECT o.*, e.visit_id FROM obs o
  JOIN encounter e ON e.encounter_id = o.encounter_id AND e.voided = 0
  JOIN encounter_type t ON t.encounter_type_id = e.encounter_type AND t.name = 'Visit Note'
  WHERE o.voided = 0
)
SELECT 'clinic' AS site, v.visit_id, v.uuid AS visit_uuid, v.date_started, v.date_stopped, y.name AS visit_type,
  l.name AS location, l.uuid AS location_uuid, v.patient_id, o.uuid AS patient_uuid,
  (SELECT value_text FROM seen s WHERE s.visit_id = v.visit_id AND s.concept_id = {CIEL:162169}
     AND s.value_text IS NOT NULL ORDER BY obs_datetime DESC, obs_id DESC LIMIT 1) AS note,
  (SELECT value_numeric FROM seen s WHERE s.visit_id = v.visit_id AND s.concept_id = {CIEL:5089}
     AND s.value_numeric IS NOT NULL ORDER BY obs_datetime DESC, obs_id DESC LIMIT 1) AS weight_in_note
FROM visit v
JOIN visit_type y ON y.visit_type_id = v.visit_type_id
JOIN patient p ON p.patient_id = v.patient_id AND p.voided = 0
JOIN person o ON o.person_id = v.patient_id
JOIN location l ON l.location_id = v.location_id AND l.name = 'Outpatient Clinic'
WHERE v.voided = 0 AND v.date_started >= '2024-06-01'
