SELECT 'demo' AS site, e.encounter_id, e.uuid AS encounter_uuid, e.encounter_datetime, t.name AS encounter_type,
  f.name AS form_name, l.name AS location, l.uuid AS location_uuid, v.visit_id, v.uuid AS visit_uuid,
  vt.name AS visit_type, e.patient_id, o.uuid AS patient_uuid,
  (SELECT x.value_numeric FROM obs x WHERE x.encounter_id = e.encounter_id AND x.voided = 0
     AND x.concept_id = {CIEL:5089} AND x.value_numeric IS NOT NULL
   ORDER BY x.obs_datetime DESC, x.obs_id DESC LIMIT 1) AS weight_kg,
  (SELECT x.value_numeric FROM obs x WHERE x.encounter_id = e.encounter_id AND x.voided = 0
     AND x.concept_id = {CIEL:5090} AND x.value_numeric IS NOT NULL
   ORDER BY x.obs_datetime DESC, x.obs_id DESC LIMIT 1) AS height_cm,
  (SELECT ROUND(CAST(x.value_numeric AS DECIMAL(30, 10))) FROM obs x WHERE x.encounter_id = e.encounter_id AND x.voided = 0
     AND x.concept_id = {CIEL:5085} AND x.value_numeric IS NOT NULL
   ORDER BY x.obs_datetime DESC, x.obs_id DESC LIMIT 1) AS systolic,
  (SELECT ROUND(CAST(x.value_numeric AS DECIMAL(30, 10))) FROM obs x WHERE x.encounter_id = e.encounter_id AND x.voided = 0
     AND x.concept_id = {CIEL:5086} AND x.value_numeric IS NOT NULL
   ORDER BY x.obs_datetime DESC, x.obs_id DESC LIMIT 1) AS diastolic,
  (SELECT ROUND(CAST(x.value_numeric AS DECIMAL(30, 10))) FROM obs x WHERE x.encounter_id = e.encounter_id AND x.voided = 0
     AND x.concept_id = {CIEL:5087} AND x.value_numeric IS NOT NULL
   ORDER BY x.obs_datetime DESC, x.obs_id DESC LIMIT 1) AS pulse,
  (SELECT MAX(x.value_numeric) FROM obs x WHERE x.encounter_id = e.encounter_id AND x.voided = 0
     AND x.concept_id = {CIEL:5088}) AS temperature_c,
  (SELECT ROUND(CAST(x.value_numeric AS DECIMAL(30, 10))) FROM obs x WHERE x.encounter_id = e.encounter_id AND x.voided = 0
     AND x.concept_id = {CIEL:5242} AND x.value_numeric IS NOT NULL
   ORDER BY x.obs_datetime DESC, x.obs_id DESC LIMIT 1) AS respiratory_rate,
  (SELECT x.value_numeric FROM obs x WHERE x.encounter_id = e.encounter_id AND x.voided = 0
     AND x.concept_id = {CIEL:5092} AND x.value_numeric IS NOT NULL
   ORDER BY x.obs_datetime DESC, x.obs_id DESC LIMIT 1) AS oxygen_saturation,
  (SELECT COUNT(x.value_numeric) FROM obs x WHERE x.encounter_id = e.encounter_id AND x.voided = 0
     AND x.concept_id = {CIEL:5089}) AS measurements
FROM encounter e
JOIN encounter_type t ON t.encounter_type_id = e.encounter_type
JOIN patient p ON p.patient_id = e.patient_id AND p.voided = 0
JOIN person o ON o.person_id = e.patient_id
LEFT JOIN visit v ON v.visit_id = e.visit_id AND v.voided = 0
LEFT JOIN visit_type vt ON vt.visit_type_id = v.visit_type_id
LEFT JOIN location l ON l.location_id = e.location_id
LEFT JOIN form f ON f.form_id = e.form_id
WHERE e.voided = 0 AND t.name = 'Vitals'
