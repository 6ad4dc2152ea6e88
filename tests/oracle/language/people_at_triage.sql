WITH seen AS (
  SELECT o.* FROM obs o
  JOIN encounter e ON e.encounter_id = o.encounter_id AND e.voided = 0
  JOIN encounter_type t ON t.encounter_type_id = e.encounter_type AND t.name = 'Vitals'
  JOIN visit v ON v.visit_id = e.visit_id AND v.voided = 0
  JOIN visit_type y ON y.visit_type_id = v.visit_type_id AND y.name = 'Outpatient'
  WHERE o.voided = 0 AND o.obs_datetime >= '2024-01-01'
)
SELECT p.patient_id, o.uuid AS patient_uuid, o.birthdate,
  (SELECT COUNT(value_numeric) FROM seen s WHERE s.person_id = p.patient_id AND s.concept_id = {CIEL:5089})
    AS weighings,
  (SELECT CAST(ROUND(value_numeric) AS INT) FROM seen s WHERE s.person_id = p.patient_id
     AND s.concept_id = {CIEL:5087} AND s.value_numeric IS NOT NULL
     ORDER BY obs_datetime, obs_id LIMIT 1) AS first_pulse
FROM patient p JOIN person o ON o.person_id = p.patient_id
WHERE p.voided = 0
