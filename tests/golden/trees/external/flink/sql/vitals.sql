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
  'url' = 'jdbc:postgresql://${ANALYTICS_DB_HOST}:${ANALYTICS_DB_PORT}/${ANALYTICS_DB_NAME}?reWriteBatchedInserts=true&currentSchema=ozone_next_${OZONE_GENERATION},public',
  'table-name' = '"vitals"',
  'username' = '${ANALYTICS_DB_USER}',
  'password' = '${ANALYTICS_DB_PASSWORD}',
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '200ms',
  'sink.max-retries' = '10'
);

INSERT INTO `sink`.`vitals`
WITH possible_row AS (
  SELECT e.encounter_id AS row_id
  FROM `openmrs`.`encounter` e
  WHERE e.encounter_type = 7
    AND e.voided IN ('0', 'false')
),
observation AS (
  SELECT o.encounter_id AS row_id, o.concept_id AS question, 
    CONCAT(CAST(o.obs_datetime + 2000000000000000 AS STRING), CAST(o.obs_id + 10000000000 AS STRING)) AS order_key,
    o.value_numeric
  FROM `openmrs`.`obs` o
  WHERE o.voided IN ('0', 'false')
    AND (o.value_numeric IS NOT NULL)
    AND o.concept_id IN (1885, 1888, 5089)
    AND o.encounter_id IS NOT NULL
),
observation_or_row AS (
  SELECT row_id, question, order_key, value_numeric FROM observation
  UNION ALL
  SELECT row_id, 0 AS question, '' AS order_key, CAST(NULL AS DOUBLE) AS value_numeric FROM possible_row
),
fact_cells AS (
  SELECT row_id,
    MAX(CONCAT(order_key, CAST(value_numeric AS STRING))) FILTER (WHERE question = 5089 AND value_numeric IS NOT NULL) AS `weight_kg`,
    MAX(CONCAT(order_key, CAST(CAST(ROUND(value_numeric, 0) AS BIGINT) AS STRING))) FILTER (WHERE question = 1885 AND value_numeric IS NOT NULL) AS `systolic`,
    MAX(value_numeric) FILTER (WHERE question = 1888 AND value_numeric IS NOT NULL) AS `temperature_c`
  FROM observation_or_row
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
chosen_encounter AS (
  SELECT e.encounter_id, e.uuid, e.encounter_datetime, e.voided, e.creator,
    e.encounter_type AS encounter_type_id, t.name AS encounter_type, t.uuid AS encounter_type_uuid,
    e.form_id, f.name AS form_name, f.uuid AS form_uuid, f.version AS form_version,
    e.location_id, l.name AS location, l.uuid AS location_uuid,
    v.visit_id, v.uuid AS visit_uuid, v.voided AS visit_voided,
    v.visit_type_id, v.visit_type, v.visit_type_uuid,
    v.date_started AS visit_date_started, v.date_stopped AS visit_date_stopped,
    e.patient_id, p.uuid AS patient_uuid, p.gender, p.birthdate, p.voided AS patient_voided
  FROM `openmrs`.`encounter` e
  JOIN `openmrs`.`encounter_type` t ON t.encounter_type_id = e.encounter_type
  LEFT JOIN `openmrs`.`form` f ON f.form_id = e.form_id
  LEFT JOIN `openmrs`.`location` l ON l.location_id = e.location_id
  JOIN patient_context p ON p.patient_id = e.patient_id
  LEFT JOIN visit_context v ON v.visit_id = e.visit_id
  WHERE e.voided IN ('0', 'false')
    AND e.encounter_type = 7
),
every_row AS (
  SELECT e.encounter_id AS row_id,
    e.uuid AS `encounter_uuid`,
    CAST(TO_TIMESTAMP_LTZ(e.encounter_datetime, 3) AS TIMESTAMP(3)) AS `encounter_datetime`,
    e.encounter_type AS `encounter_type`,
    e.form_name AS `form_name`,
    e.location AS `location`,
    e.location_uuid AS `location_uuid`,
    CAST(CASE WHEN e.visit_voided IN ('0', 'false') THEN e.visit_id END AS BIGINT) AS `visit_id`,
    CASE WHEN e.visit_voided IN ('0', 'false') THEN e.visit_uuid END AS `visit_uuid`,
    CASE WHEN e.visit_voided IN ('0', 'false') THEN e.visit_type END AS `visit_type`,
    CAST(e.patient_id AS BIGINT) AS `patient_id`,
    e.patient_uuid AS `patient_uuid`
  FROM chosen_encounter e
  WHERE e.voided IN ('0', 'false')
    AND e.patient_voided IN ('0', 'false')
),
ranked_row AS (
  SELECT *
  FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY row_id ORDER BY row_id) AS place FROM every_row)
  WHERE place = 1
)
SELECT
  'kigali-health-centre' AS `site`,
  CAST(r.row_id AS BIGINT) AS `encounter_id`,
  r.`encounter_uuid` AS `encounter_uuid`,
  r.`encounter_datetime` AS `encounter_datetime`,
  r.`encounter_type` AS `encounter_type`,
  r.`form_name` AS `form_name`,
  r.`location` AS `location`,
  r.`location_uuid` AS `location_uuid`,
  r.`visit_id` AS `visit_id`,
  r.`visit_uuid` AS `visit_uuid`,
  r.`visit_type` AS `visit_type`,
  r.`patient_id` AS `patient_id`,
  r.`patient_uuid` AS `patient_uuid`,
  CAST(SUBSTRING(f.`weight_kg` FROM 28) AS DOUBLE) AS `weight_kg`,
  CAST(SUBSTRING(f.`systolic` FROM 28) AS BIGINT) AS `systolic`,
  CAST(f.`temperature_c` AS DOUBLE) AS `temperature_c`
FROM ranked_row r
JOIN fact_cells f ON f.row_id = r.row_id;
