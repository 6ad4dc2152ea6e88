WITH seen AS (
  SELECT o.*, e.visit_id FROM obs o JOIN encounter e ON e.encounter_id = o.encounter_id AND e.voided = 0
  WHERE o.voided = 0
), icd AS (
  SELECT m.concept_id, COALESCE(MIN(CASE WHEN y.name = 'SAME-AS' THEN BINARY t.code END), MIN(BINARY t.code)) AS code
  FROM concept_reference_map m
  JOIN concept_reference_term t USING (concept_reference_term_id)
  JOIN concept_reference_source s ON s.concept_source_id = t.concept_source_id AND s.name = 'ICD-10-WHO'
  JOIN concept_map_type y USING (concept_map_type_id)
  GROUP BY m.concept_id
), truth AS (
  SELECT property = 'concept.true' AS truth, property_value AS concept_id FROM global_property
  WHERE property IN ('concept.true', 'concept.false')
)
SELECT 'clinic' AS site, v.visit_id, v.uuid AS visit_uuid, v.date_started, y.name AS visit_type, l.name AS location,
  v.patient_id, o.gender AS patient_gender, TIMESTAMPDIFF(YEAR, o.birthdate, v.date_started) AS patient_age,
  (SELECT GROUP_CONCAT(DISTINCT n.name ORDER BY BINARY n.name SEPARATOR '; ') FROM seen s
     JOIN concept_label n ON n.concept_id = s.value_coded
     WHERE s.visit_id = v.visit_id AND s.concept_id = {CIEL:5219}) AS complaints,
  (SELECT MAX(s.value_coded = {CIEL:140238}) FROM seen s
     WHERE s.visit_id = v.visit_id AND s.concept_id = {CIEL:5219}) AS has_fever,
  (SELECT MAX(s.value_coded IN ({CIEL:140238}, {CIEL:122983})) FROM seen s
     WHERE s.visit_id = v.visit_id AND s.concept_id = {CIEL:5219}) AS fever_or_vomiting,
  (SELECT value_numeric FROM seen s WHERE s.visit_id = v.visit_id AND s.concept_id = {CIEL:5089}
     AND s.value_numeric IS NOT NULL ORDER BY obs_datetime DESC, obs_id DESC LIMIT 1) AS last_weight,
  (SELECT icd.code FROM seen s LEFT JOIN icd ON icd.concept_id = s.value_coded
     WHERE s.visit_id = v.visit_id AND s.concept_id = {CIEL:1284} AND s.value_coded IS NOT NULL
     ORDER BY obs_datetime DESC, obs_id DESC LIMIT 1) AS problem_icd,
  (SELECT GROUP_CONCAT(DISTINCT icd.code ORDER BY icd.code SEPARATOR '; ') FROM seen s
     JOIN icd ON icd.concept_id = s.value_coded
     WHERE s.visit_id = v.visit_id AND s.concept_id = {CIEL:1284}) AS problem_codes,
  (SELECT truth FROM seen s JOIN truth ON truth.concept_id = s.value_coded
     WHERE s.visit_id = v.visit_id AND s.concept_id = {CIEL:832}
     ORDER BY obs_datetime DESC, obs_id DESC LIMIT 1) AS lost_weight,
  (SELECT MAX(truth) FROM seen s JOIN truth ON truth.concept_id = s.value_coded
     WHERE s.visit_id = v.visit_id AND s.concept_id = {CIEL:832}) AS ever_lost_weight
FROM visit v
JOIN visit_type y ON y.visit_type_id = v.visit_type_id AND y.name IN ('Outpatient', 'Inpatient')
JOIN patient p ON p.patient_id = v.patient_id AND p.voided = 0
JOIN person o ON o.person_id = v.patient_id
LEFT JOIN location l ON l.location_id = v.location_id
WHERE v.voided = 0
