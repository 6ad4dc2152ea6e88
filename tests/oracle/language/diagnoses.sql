WITH member AS (SELECT * FROM obs WHERE voided = 0 AND obs_group_id IS NOT NULL), icd AS (
  SELECT m.concept_id, COALESCE(MIN(CASE WHEN y.name = 'SAME-AS' THEN BINARY t.code END), MIN(BINARY t.code)) AS code
  FROM concept_reference_map m
  JOIN concept_reference_term t USING (concept_reference_term_id)
  JOIN concept_reference_source s ON s.concept_source_id = t.concept_source_id AND s.name = 'ICD-10-WHO'
  JOIN concept_map_type y USING (concept_map_type_id)
  GROUP BY m.concept_id
)
SELECT 'clinic' AS site, r.obs_id AS obs_group_id, r.uuid AS obs_group_uuid, r.obs_datetime, e.encounter_id, e.uuid AS encounter_uuid, e.encounter_datetime, t.name AS encounter_type,
  f.name AS form_name, l.name AS location, l.uuid AS location_uuid, v.visit_id, v.uuid AS visit_uuid,
  y.name AS visit_type,
  r.person_id AS patient_id, n.uuid AS patient_uuid,
  CASE WHEN EXISTS (SELECT 1 FROM member s WHERE s.obs_group_id = r.obs_id AND s.concept_id = {CIEL:1284}
    AND s.value_coded IS NOT NULL)
  THEN (SELECT c.name FROM member s LEFT JOIN concept_label c ON c.concept_id = s.value_coded
    WHERE s.obs_group_id = r.obs_id AND s.concept_id = {CIEL:1284} AND s.value_coded IS NOT NULL
    ORDER BY s.obs_datetime DESC, s.obs_id DESC LIMIT 1)
  ELSE (SELECT c.name FROM member s LEFT JOIN concept_label c ON c.concept_id = s.value_coded
    WHERE s.obs_group_id = r.obs_id AND s.concept_id = {CIEL:159946} AND s.value_coded IS NOT NULL
    ORDER BY s.obs_datetime DESC, s.obs_id DESC LIMIT 1) END AS diagnosis,
  (SELECT s.value_text FROM member s WHERE s.obs_group_id = r.obs_id AND s.concept_id = {CIEL:161602}
    AND s.value_text IS NOT NULL ORDER BY s.obs_datetime DESC, s.obs_id DESC LIMIT 1) AS diagnosis_text,
  (SELECT c.uuid FROM member s JOIN concept c ON c.concept_id = s.value_coded
    WHERE s.obs_group_id = r.obs_id AND s.concept_id = {CIEL:1284}
    ORDER BY s.obs_datetime DESC, s.obs_id DESC LIMIT 1) AS diagnosis_uuid,
  (SELECT icd.code FROM member s LEFT JOIN icd ON icd.concept_id = s.value_coded
    WHERE s.obs_group_id = r.obs_id AND s.concept_id = {CIEL:1284} AND s.value_coded IS NOT NULL
    ORDER BY s.obs_datetime DESC, s.obs_id DESC LIMIT 1) AS diagnosis_icd10,
  (SELECT c.name FROM member s LEFT JOIN concept_label c ON c.concept_id = s.value_coded
    WHERE s.obs_group_id = r.obs_id AND s.concept_id = {CIEL:159394} AND s.value_coded IS NOT NULL
    ORDER BY s.obs_datetime DESC, s.obs_id DESC LIMIT 1) AS certainty,
  (SELECT MAX(s.value_coded = {CIEL:159392}) FROM member s
    WHERE s.obs_group_id = r.obs_id AND s.concept_id = {CIEL:159394}) AS is_certain,
  (SELECT DATE(s.value_datetime) FROM member s WHERE s.obs_group_id = r.obs_id AND s.concept_id = {CIEL:159948}
    AND s.value_datetime IS NOT NULL ORDER BY s.obs_datetime DESC, s.obs_id DESC LIMIT 1) AS dated
FROM obs r
JOIN person n ON n.person_id = r.person_id
LEFT JOIN patient p ON p.patient_id = r.person_id
LEFT JOIN encounter e ON e.encounter_id = r.encounter_id
LEFT JOIN encounter_type t ON t.encounter_type_id = e.encounter_type
LEFT JOIN form f ON f.form_id = e.form_id
LEFT JOIN location l ON l.location_id = e.location_id
LEFT JOIN visit v ON v.visit_id = e.visit_id AND v.voided = 0
LEFT JOIN visit_type y ON y.visit_type_id = v.visit_type_id
WHERE r.concept_id = {CIEL:159947} AND r.voided = 0 AND (r.encounter_id IS NULL OR e.voided = 0) AND (p.patient_id IS NULL OR p.voided = 0)
