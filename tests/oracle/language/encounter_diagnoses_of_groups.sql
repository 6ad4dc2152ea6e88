WITH seen AS (
  SELECT o.*, CASE WHEN g.voided = 0 THEN g.concept_id END AS of_group
  FROM obs o LEFT JOIN obs g ON g.obs_id = o.obs_group_id WHERE o.voided = 0
)
SELECT 'clinic' AS site, e.encounter_id, e.uuid AS encounter_uuid, e.encounter_datetime, t.name AS encounter_type,
  f.name AS form_name, l.name AS location, l.uuid AS location_uuid, v.visit_id, v.uuid AS visit_uuid,
  y.name AS visit_type, e.patient_id, o.uuid AS patient_uuid,
  (SELECT GROUP_CONCAT(n.name ORDER BY s.obs_datetime, s.obs_id SEPARATOR '; ')
   FROM seen s JOIN concept_label n ON n.concept_id = s.value_coded
   WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:1284} AND s.of_group = {CIEL:159947})
   AS of_the_group,
  (SELECT GROUP_CONCAT(n.name ORDER BY s.obs_datetime, s.obs_id SEPARATOR '; ')
   FROM seen s JOIN concept_label n ON n.concept_id = s.value_coded
   WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:1284}) AS wherever,
  (SELECT MAX(s.value_coded = {CIEL:159392}) FROM seen s
   WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:159394} AND s.of_group = {CIEL:159947})
   AS certain_in_group,
  (SELECT value_numeric FROM seen s
   WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:21} AND s.of_group = {CIEL:1019}
     AND value_numeric IS NOT NULL ORDER BY s.obs_datetime DESC, s.obs_id DESC LIMIT 1) AS panel_hemoglobin,
  (SELECT value_numeric FROM seen s WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:21}
     AND value_numeric IS NOT NULL ORDER BY s.obs_datetime DESC, s.obs_id DESC LIMIT 1) AS hemoglobin,
  (SELECT GROUP_CONCAT(d.name ORDER BY s.obs_datetime, s.obs_id SEPARATOR '; ')
   FROM seen s JOIN drug d ON d.drug_id = s.value_drug
   WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:1282}) AS drugs,
  (SELECT d.name FROM seen s JOIN drug d ON d.drug_id = s.value_drug
   WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:1282}
   ORDER BY s.obs_datetime DESC, s.obs_id DESC LIMIT 1) AS drug,
  (SELECT d.uuid FROM seen s JOIN drug d ON d.drug_id = s.value_drug
   WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:1282}
   ORDER BY s.obs_datetime DESC, s.obs_id DESC LIMIT 1) AS drug_uuid,
  (SELECT n.name FROM seen s LEFT JOIN concept_label n ON n.concept_id = s.value_coded
   WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:1282} AND s.value_coded IS NOT NULL
   ORDER BY s.obs_datetime DESC, s.obs_id DESC LIMIT 1) AS medication,
  (SELECT s.value_complex FROM seen s
   WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:165173} AND s.value_complex IS NOT NULL
   ORDER BY s.obs_datetime DESC, s.obs_id DESC LIMIT 1) AS image,
  (SELECT s.value_datetime FROM seen s
   WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:159951} AND s.value_datetime IS NOT NULL
   ORDER BY s.obs_datetime DESC, s.obs_id DESC LIMIT 1) AS collected,
  (SELECT CAST(TIME(s.value_datetime) AS CHAR) FROM seen s
   WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:159951} AND s.value_datetime IS NOT NULL
   ORDER BY s.obs_datetime DESC, s.obs_id DESC LIMIT 1) AS collected_time,
  (SELECT GROUP_CONCAT(TIME(s.value_datetime) ORDER BY s.obs_datetime, s.obs_id SEPARATOR '; ') FROM seen s
   WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:159951}) AS collected_times,
  (SELECT CAST(MAX(TIME(s.value_datetime)) AS CHAR) FROM seen s
   WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:1640}) AS latest_time,
  (SELECT MIN(s.value_datetime) FROM seen s
   WHERE s.encounter_id = e.encounter_id AND s.concept_id = {CIEL:1640}) AS admitted
FROM encounter e
JOIN encounter_type t ON t.encounter_type_id = e.encounter_type
JOIN patient p ON p.patient_id = e.patient_id AND p.voided = 0
JOIN person o ON o.person_id = e.patient_id
LEFT JOIN visit v ON v.visit_id = e.visit_id AND v.voided = 0
LEFT JOIN visit_type y ON y.visit_type_id = v.visit_type_id
LEFT JOIN location l ON l.location_id = e.location_id
LEFT JOIN form f ON f.form_id = e.form_id
WHERE e.voided = 0
