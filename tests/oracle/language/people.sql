-- Of each person who is a patient: observations whose encounter, if there is one, is not voided.
WITH seen AS (
  SELECT o.* FROM obs o LEFT JOIN encounter e ON e.encounter_id = o.encounter_id
  WHERE o.voided = 0 AND (o.encounter_id IS NULL OR e.voided = 0)
)
SELECT 'clinic' AS site, p.patient_id, o.uuid AS patient_uuid, o.gender, o.birthdate, o.birthdate_estimated,
  o.dead, o.death_date, p.date_created,
  (SELECT value_numeric FROM seen s WHERE s.person_id = p.patient_id AND s.concept_id = {CIEL:5089}
     AND s.value_numeric IS NOT NULL ORDER BY obs_datetime DESC, obs_id DESC LIMIT 1) AS last_weight,
  (SELECT MAX(value_numeric) FROM seen s WHERE s.person_id = p.patient_id AND s.concept_id = {CIEL:5089}) AS heaviest,
  (SELECT COUNT(value_numeric) FROM seen s WHERE s.person_id = p.patient_id AND s.concept_id = {CIEL:5089})
    AS weighings,
  COALESCE(
    (SELECT value_numeric FROM seen s WHERE s.person_id = p.patient_id AND s.concept_id = {CIEL:21}
       AND s.value_numeric IS NOT NULL ORDER BY obs_datetime DESC, obs_id DESC LIMIT 1),
    (SELECT value_numeric FROM seen s WHERE s.person_id = p.patient_id AND s.concept_id = {CIEL:887}
       AND s.value_numeric IS NOT NULL ORDER BY obs_datetime DESC, obs_id DESC LIMIT 1)) AS hemoglobin_or_glucose,
  (SELECT s.value_coded = (SELECT property_value FROM global_property WHERE property = 'concept.true') FROM seen s
     WHERE s.person_id = p.patient_id AND s.concept_id = {08596dcd-8944-4acc-87a6-3929409da80f}
     AND s.value_coded IN (SELECT property_value FROM global_property WHERE property IN ('concept.true', 'concept.false'))
     ORDER BY obs_datetime DESC, obs_id DESC LIMIT 1) AS consent
FROM patient p JOIN person o ON o.person_id = p.patient_id
WHERE p.voided = 0
