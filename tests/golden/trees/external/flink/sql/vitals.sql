CREATE TABLE `sink`.`vitals` (
  `site` STRING,
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
  `weight_kg` DOUBLE,
  `systolic` BIGINT,
  `temperature_c` DOUBLE,
  PRIMARY KEY (`encounter_id`) NOT ENFORCED
) WITH (
  'connector' = 'jdbc',
  'url' = 'jdbc:postgresql://${ANALYTICS_DB_HOST}:${ANALYTICS_DB_PORT}/${ANALYTICS_DB_NAME}?reWriteBatchedInserts=true',
  'table-name' = 'public.vitals',
  'username' = '${ANALYTICS_DB_USER}',
  'password' = '${ANALYTICS_DB_PASSWORD}',
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '200ms',
  'sink.max-retries' = '10'
);

INSERT INTO `sink`.`vitals`
WITH visit_context AS (
  SELECT v.visit_id, v.uuid, v.date_started, v.date_stopped, v.voided, t.name AS visit_type
  FROM `openmrs`.`visit` v
  JOIN `openmrs`.`visit_type` t ON t.visit_type_id = v.visit_type_id
),
encounter_context AS (
  SELECT e.encounter_id, e.uuid, e.encounter_datetime, e.voided, e.creator,
    t.name AS encounter_type, t.uuid AS encounter_type_uuid,
    f.name AS form_name, f.uuid AS form_uuid, f.version AS form_version,
    l.name AS location, l.uuid AS location_uuid,
    v.visit_id, v.uuid AS visit_uuid, v.voided AS visit_voided, v.visit_type,
    v.date_started AS visit_date_started, v.date_stopped AS visit_date_stopped,
    e.patient_id, o.uuid AS patient_uuid, p.voided AS patient_voided
  FROM `openmrs`.`encounter` e
  JOIN `openmrs`.`patient` p ON p.patient_id = e.patient_id
  JOIN `openmrs`.`person` o ON o.person_id = e.patient_id
  JOIN `openmrs`.`encounter_type` t ON t.encounter_type_id = e.encounter_type
  LEFT JOIN visit_context v ON v.visit_id = e.visit_id
  LEFT JOIN `openmrs`.`form` f ON f.form_id = e.form_id
  LEFT JOIN `openmrs`.`location` l ON l.location_id = e.location_id
),
mapping AS (
  SELECT m.concept_id, s.name AS source, t.code, y.name = 'SAME-AS' AS same_as
  FROM `openmrs`.`concept_reference_map` m
  JOIN `openmrs`.`concept_reference_term` t ON t.concept_reference_term_id = m.concept_reference_term_id
  JOIN `openmrs`.`concept_reference_source` s ON s.concept_source_id = t.concept_source_id
  JOIN `openmrs`.`concept_map_type` y ON y.concept_map_type_id = m.concept_map_type_id
),
wanted_concept AS (
  SELECT reference, ARRAY_SORT(ARRAY_AGG(concept_id))[1] AS concept_id
  FROM (
    SELECT CONCAT(source, ':', code) AS reference, concept_id FROM mapping WHERE same_as AND CONCAT(source, ':', code) IN ('CIEL:5085', 'CIEL:5088', 'CIEL:5089')
  )
  GROUP BY reference
),
observation AS (
  SELECT 'vitals' AS own_table, o.encounter_id, w.reference,
    CONCAT(CAST(o.obs_datetime + 1000000000000000 AS STRING), CAST(o.obs_id + 10000000000 AS STRING)) AS order_key,
    o.value_coded, o.value_numeric, o.value_text, o.value_datetime
  FROM `openmrs`.`obs` o
  JOIN wanted_concept w ON w.concept_id = o.concept_id
  WHERE o.voided IN ('0', 'false') AND o.encounter_id IS NOT NULL
),
fact_cells AS (
  SELECT encounter_id,
    MAX(CONCAT(order_key, CAST(value_numeric AS STRING))) FILTER (WHERE reference = 'CIEL:5089' AND value_numeric IS NOT NULL) AS `weight_kg`,
    MAX(CONCAT(order_key, CAST(CAST(ROUND(value_numeric, 0) AS BIGINT) AS STRING))) FILTER (WHERE reference = 'CIEL:5085' AND value_numeric IS NOT NULL) AS `systolic`,
    MAX(value_numeric) FILTER (WHERE reference = 'CIEL:5088' AND value_numeric IS NOT NULL) AS `temperature_c`
  FROM observation
  GROUP BY encounter_id
)
SELECT
  'kigali-health-centre' AS `site`,
  CAST(e.encounter_id AS BIGINT) AS `encounter_id`,
  e.uuid AS `encounter_uuid`,
  CAST(TO_TIMESTAMP_LTZ(e.encounter_datetime, 3) AS TIMESTAMP(3)) AS `encounter_datetime`,
  e.encounter_type AS `encounter_type`,
  e.form_name AS `form_name`,
  e.location AS `location`,
  e.location_uuid AS `location_uuid`,
  CASE WHEN e.visit_voided IN ('0', 'false') THEN CAST(e.visit_id AS BIGINT) END AS `visit_id`,
  CASE WHEN e.visit_voided IN ('0', 'false') THEN e.visit_uuid END AS `visit_uuid`,
  CASE WHEN e.visit_voided IN ('0', 'false') THEN e.visit_type END AS `visit_type`,
  CAST(e.patient_id AS BIGINT) AS `patient_id`,
  e.patient_uuid AS `patient_uuid`,
  CAST(SUBSTRING(f.`weight_kg` FROM 28) AS DOUBLE) AS `weight_kg`,
  CAST(SUBSTRING(f.`systolic` FROM 28) AS BIGINT) AS `systolic`,
  CAST(f.`temperature_c` AS DOUBLE) AS `temperature_c`
FROM encounter_context e
LEFT JOIN fact_cells f ON f.encounter_id = e.encounter_id
WHERE e.voided IN ('0', 'false') AND e.patient_voided IN ('0', 'false')
  AND (e.encounter_type IN ('Vitals') OR e.encounter_type_uuid IN ('Vitals'));
