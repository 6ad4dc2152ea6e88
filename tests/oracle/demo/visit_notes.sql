SELECT 'demo' AS site, e.encounter_id, e.uuid AS encounter_uuid, e.encounter_datetime, t.name AS encounter_type,
  f.name AS form_name, l.name AS location, l.uuid AS location_uuid, v.visit_id, v.uuid AS visit_uuid,
  vt.name AS visit_type, e.patient_id, o.uuid AS patient_uuid,
  (SELECT n.name FROM obs x LEFT JOIN concept_label n ON n.concept_id = x.value_coded
   WHERE x.encounter_id = e.encounter_id AND x.voided = 0
     AND x.concept_id = {CIEL:1284} AND x.value_coded IS NOT NULL
   ORDER BY x.obs_datetime DESC, x.obs_id DESC LIMIT 1) AS diagnosis,
  (SELECT c.uuid FROM obs x JOIN concept c ON c.concept_id = x.value_coded
   WHERE x.encounter_id = e.encounter_id AND x.voided = 0
     AND x.concept_id = {CIEL:1284} AND x.value_coded IS NOT NULL
   ORDER BY x.obs_datetime DESC, x.obs_id DESC LIMIT 1) AS diagnosis_uuid,
  (SELECT GROUP_CONCAT(n.name ORDER BY x.obs_datetime, x.obs_id SEPARATOR '; ')
   FROM obs x JOIN concept_label n ON n.concept_id = x.value_coded
   WHERE x.encounter_id = e.encounter_id AND x.voided = 0 AND x.concept_id = {CIEL:1284}) AS diagnoses,
  (SELECT GROUP_CONCAT(n.name ORDER BY x.obs_datetime, x.obs_id SEPARATOR '; ')
   FROM obs x JOIN concept_label n ON n.concept_id = x.value_coded
   WHERE x.encounter_id = e.encounter_id AND x.voided = 0 AND x.concept_id = {CIEL:5219}) AS complaints,
  (SELECT x.value_text FROM obs x WHERE x.encounter_id = e.encounter_id AND x.voided = 0
     AND x.concept_id = {CIEL:162169} AND x.value_text IS NOT NULL
   ORDER BY x.obs_datetime DESC, x.obs_id DESC LIMIT 1) AS note,
  (SELECT DATE(x.value_datetime) FROM obs x WHERE x.encounter_id = e.encounter_id AND x.voided = 0
     AND x.concept_id = {CIEL:5096} AND x.value_datetime IS NOT NULL
   ORDER BY x.obs_datetime DESC, x.obs_id DESC LIMIT 1) AS return_date
FROM encounter e
JOIN encounter_type t ON t.encounter_type_id = e.encounter_type
JOIN patient p ON p.patient_id = e.patient_id AND p.voided = 0
JOIN person o ON o.person_id = e.patient_id
LEFT JOIN visit v ON v.visit_id = e.visit_id AND v.voided = 0
LEFT JOIN visit_type vt ON vt.visit_type_id = v.visit_type_id
LEFT JOIN location l ON l.location_id = e.location_id
LEFT JOIN form f ON f.form_id = e.form_id
WHERE e.voided = 0 AND t.name = 'Visit Note'
