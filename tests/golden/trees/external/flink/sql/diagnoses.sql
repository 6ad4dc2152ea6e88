CREATE TABLE `sink`.`diagnoses` (
  `site` STRING,
  `obs_group_id` BIGINT,
  `obs_group_uuid` STRING,
  `obs_datetime` TIMESTAMP(3),
  `encounter_id` BIGINT,
  `encounter_uuid` STRING,
  `encounter_datetime` TIMESTAMP(3),
  `encounter_type` STRING,
  `form_name` STRING,
  `location` STRING,
  `location_uuid` STRING,
  `visit_id` BIGINT,
  `visit_uuid` STRING,
  `visit_type` STRING,
  `patient_id` BIGINT,
  `patient_uuid` STRING,
  `diagnosis` STRING,
  `diagnosis_icd10` STRING,
  `certainty` STRING,
  PRIMARY KEY (`obs_group_id`) NOT ENFORCED
) WITH (
  'connector' = 'jdbc',
  'url' = 'jdbc:postgresql://${ANALYTICS_DB_HOST}:${ANALYTICS_DB_PORT}/${ANALYTICS_DB_NAME}?reWriteBatchedInserts=true&currentSchema=ozone_next_${OZONE_GENERATION},public',
  'table-name' = '"diagnoses"',
  'username' = '${ANALYTICS_DB_USER}',
  'password' = '${ANALYTICS_DB_PASSWORD}',
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '200ms',
  'sink.max-retries' = '10'
);

INSERT INTO `sink`.`diagnoses`
WITH observation AS (
  SELECT o.obs_group_id AS row_id, o.concept_id AS question, 
    CONCAT(CAST(o.obs_datetime + 2000000000000000 AS STRING), CAST(o.obs_id + 10000000000 AS STRING)) AS order_key,
    o.value_coded
  FROM `openmrs`.`obs` o
  WHERE o.voided IN ('0', 'false')
    AND (o.value_coded IS NOT NULL)
    AND o.concept_id IN (1884, 159394)
    AND o.obs_group_id IS NOT NULL
),
picked_answer AS (
  SELECT row_id, question, 0 AS of_group, 'last coded' AS channel, '' AS order_key, CAST(SUBSTRING(MAX(CONCAT(order_key, CAST(value_coded AS STRING))) FROM 28) AS INT) AS answer
  FROM observation
  WHERE value_coded IS NOT NULL AND question IN (1884, 159394)
  GROUP BY row_id, question
),
concept_label AS (
  SELECT concept_id, name, locale, COALESCE(locale_preferred NOT IN ('0', 'false'), FALSE) AS locale_preferred
  FROM (
    SELECT *, ROW_NUMBER() OVER (
      PARTITION BY concept_id
      ORDER BY CASE WHEN locale = 'fr' THEN 0 WHEN locale LIKE 'fr!_%' ESCAPE '!' THEN 1 WHEN locale = 'en' THEN 2 WHEN locale LIKE 'en!_%' ESCAPE '!' THEN 3 ELSE 4 END,
        CASE WHEN locale_preferred NOT IN ('0', 'false') THEN 0 ELSE 2 END + CASE WHEN concept_name_type = 'FULLY_SPECIFIED' THEN 0 ELSE 1 END,
        CASE WHEN locale IS NULL THEN '' ELSE locale END,
        concept_name_id
    ) AS place
    FROM `openmrs`.`concept_name`
    WHERE voided IN ('0', 'false')
  )
  WHERE place = 1
),
mapping AS (
  SELECT m.concept_map_id, m.concept_id, s.name AS source,
    t.code, t.name AS term_name, t.retired AS term_retired, y.name AS map_type, y.name = 'SAME-AS' AS same_as
  FROM `openmrs`.`concept_reference_map` m
  JOIN `openmrs`.`concept_reference_term` t ON t.concept_reference_term_id = m.concept_reference_term_id
  JOIN `openmrs`.`concept_reference_source` s ON s.concept_source_id = t.concept_source_id
  JOIN `openmrs`.`concept_map_type` y ON y.concept_map_type_id = m.concept_map_type_id
),
concept_code AS (
  SELECT concept_id, source, SUBSTRING(ARRAY_SORT(ARRAY_AGG(CONCAT(CASE WHEN same_as THEN '0' ELSE '1' END, code)))[1] FROM 2) AS code
  FROM mapping
  GROUP BY concept_id, source
),
answer AS (
  SELECT p.row_id, p.question, p.of_group, p.channel, p.order_key, p.answer, l.name, k1.code AS code_1
  FROM picked_answer p
  LEFT JOIN concept_label l ON l.concept_id = p.answer
  LEFT JOIN concept_code k1 ON k1.concept_id = p.answer AND k1.source = 'ICD-10-WHO'
),
answer_cells AS (
  SELECT row_id,
    MAX(name) FILTER (WHERE question = 1884 AND channel = 'last coded') AS `diagnosis`,
    MAX(code_1) FILTER (WHERE question = 1884 AND channel = 'last coded') AS `diagnosis_icd10`,
    MAX(name) FILTER (WHERE question = 159394 AND channel = 'last coded') AS `certainty`
  FROM answer
  GROUP BY row_id
),
visit_context AS (
  SELECT v.visit_id, v.uuid, v.date_started, v.date_stopped, v.voided,
    v.visit_type_id, t.name AS visit_type, t.uuid AS visit_type_uuid
  FROM `openmrs`.`visit` v
  JOIN `openmrs`.`visit_type` t ON t.visit_type_id = v.visit_type_id
),
patient_context AS (
  SELECT p.patient_id, o.uuid, o.gender, o.birthdate, p.voided
  FROM `openmrs`.`patient` p
  JOIN `openmrs`.`person` o ON o.person_id = p.patient_id
),
encounter_context AS (
  SELECT e.encounter_id, e.uuid, e.encounter_datetime, e.voided, e.creator,
    e.encounter_type AS encounter_type_id, t.name AS encounter_type, t.uuid AS encounter_type_uuid,
    e.form_id, f.name AS form_name, f.uuid AS form_uuid, f.version AS form_version,
    e.location_id, l.name AS location, l.uuid AS location_uuid,
    v.visit_id, v.uuid AS visit_uuid, v.voided AS visit_voided,
    v.visit_type_id, v.visit_type, v.visit_type_uuid,
    v.date_started AS visit_date_started, v.date_stopped AS visit_date_stopped,
    e.patient_id, p.uuid AS patient_uuid, p.gender, p.birthdate, p.voided AS patient_voided
  FROM `openmrs`.`encounter` e
  JOIN patient_context p ON p.patient_id = e.patient_id
  LEFT JOIN visit_context v ON v.visit_id = e.visit_id
  JOIN `openmrs`.`encounter_type` t ON t.encounter_type_id = e.encounter_type
  LEFT JOIN `openmrs`.`form` f ON f.form_id = e.form_id
  LEFT JOIN `openmrs`.`location` l ON l.location_id = e.location_id
)
SELECT
  'kigali-health-centre' AS `site`,
  ABS(CAST(r.obs_id AS BIGINT)) AS `obs_group_id`,
  r.uuid AS `obs_group_uuid`,
  CAST(TO_TIMESTAMP_LTZ(r.obs_datetime, 3) AS TIMESTAMP(3)) AS `obs_datetime`,
  CAST(e.encounter_id AS BIGINT) AS `encounter_id`,
  e.uuid AS `encounter_uuid`,
  CAST(TO_TIMESTAMP_LTZ(e.encounter_datetime, 3) AS TIMESTAMP(3)) AS `encounter_datetime`,
  e.encounter_type AS `encounter_type`,
  e.form_name AS `form_name`,
  e.location AS `location`,
  e.location_uuid AS `location_uuid`,
  CAST(CASE WHEN e.visit_voided IN ('0', 'false') THEN e.visit_id END AS BIGINT) AS `visit_id`,
  CASE WHEN e.visit_voided IN ('0', 'false') THEN e.visit_uuid END AS `visit_uuid`,
  CASE WHEN e.visit_voided IN ('0', 'false') THEN e.visit_type END AS `visit_type`,
  CAST(r.person_id AS BIGINT) AS `patient_id`,
  o.uuid AS `patient_uuid`,
  a.`diagnosis` AS `diagnosis`,
  a.`diagnosis_icd10` AS `diagnosis_icd10`,
  a.`certainty` AS `certainty`
FROM `openmrs`.`obs` r
JOIN `openmrs`.`person` o ON o.person_id = r.person_id
LEFT JOIN `openmrs`.`patient` p ON p.patient_id = r.person_id
LEFT JOIN encounter_context e ON e.encounter_id = r.encounter_id
LEFT JOIN answer_cells a ON a.row_id = r.obs_id
WHERE r.voided IN ('0', 'false')
  AND r.concept_id = 159947
  AND (r.encounter_id IS NULL OR e.voided IN ('0', 'false'))
  AND COALESCE(p.voided IN ('0', 'false'), TRUE);
