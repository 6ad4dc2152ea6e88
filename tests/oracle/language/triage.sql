WITH seen AS (SELECT * FROM obs WHERE voided = 0)
SELECT e.encounter_id, e.encounter_datetime, f.name AS form_name, f.uuid AS form_uuid,
  v.date_started AS visit_date_started, o.birthdate AS patient_birthdate,
  TIMESTAMPDIFF(YEAR, o.birthdate, e.encounter_datetime) AS patient_age,
  COALESCE(
    (SELECT GROUP_CONCAT(s.value_numeric ORDER BY obs_datetime, obs_id SEPARATOR '; ') FROM seen s
       WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:5089}),
    (SELECT GROUP_CONCAT(s.value_numeric ORDER BY obs_datetime, obs_id SEPARATOR '; ') FROM seen s
       WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:5090})) AS weight_or_height,
  COALESCE(
    NULLIF((SELECT COUNT(value_numeric) FROM seen s WHERE s.encounter_id = e.encounter_id
      AND s.concept_id = {CIEL:5242}), 0),
    (SELECT COUNT(value_numeric) FROM seen s WHERE s.encounter_id = e.encounter_id
      AND s.concept_id = {CIEL:5087})) AS measurements,
  COALESCE(
    (SELECT MAX(value_numeric) FROM seen s WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:1343}),
    (SELECT MAX(value_numeric) FROM seen s WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:5088}))
    AS highest,
  COALESCE(
    (SELECT SUM(CAST(value_numeric AS DECIMAL(38, 10))) FROM seen s WHERE s.encounter_id = e.encounter_id
      AND s.concept_id = {CIEL:1343}),
    (SELECT SUM(CAST(value_numeric AS DECIMAL(38, 10))) FROM seen s WHERE s.encounter_id = e.encounter_id
      AND s.concept_id = {CIEL:5087})) AS total,
  (SELECT value_numeric FROM seen s WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:5087}
     AND value_numeric IS NOT NULL ORDER BY obs_datetime, obs_id LIMIT 1) AS earliest
FROM encounter e
JOIN form f ON f.form_id = e.form_id AND f.name IN ('Vitals', 'Triage')
JOIN visit v ON v.visit_id = e.visit_id AND v.voided = 0
JOIN visit_type y ON y.visit_type_id = v.visit_type_id AND y.name IN ('Outpatient', 'Emergency')
JOIN patient p ON p.patient_id = e.patient_id AND p.voided = 0
JOIN person o ON o.person_id = e.patient_id
WHERE e.voided = 0
