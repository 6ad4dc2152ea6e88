CREATE TABLE `sink`.`encounters` (
  `encounter_id` BIGINT,
  `encounter_voided` BOOLEAN,
  `location` STRING,
  `encounter_datetime` TIMESTAMP(3),
  `encounter_type` STRING,
  `visit_type` STRING,
  `visit_date_started` TIMESTAMP(3),
  `visit_date_stopped` TIMESTAMP(3),
  `form_name` STRING,
  `form_uuid` STRING,
  `form_version` STRING,
  `encounter_uuid` STRING,
  `encounter_type_uuid` STRING,
  `visit_uuid` STRING,
  `patient_uuid` STRING,
  `location_uuid` STRING,
  `creator_uuid` STRING,
  PRIMARY KEY (`encounter_id`) NOT ENFORCED
) WITH (
  'connector' = 'jdbc',
  'url' = 'jdbc:postgresql://${ANALYTICS_DB_HOST}:${ANALYTICS_DB_PORT}/${ANALYTICS_DB_NAME}?reWriteBatchedInserts=true&currentSchema=ozone_next_${OZONE_GENERATION},public',
  'table-name' = '"encounters"',
  'username' = '${ANALYTICS_DB_USER}',
  'password' = '${ANALYTICS_DB_PASSWORD}',
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '200ms',
  'sink.max-retries' = '10'
);

INSERT INTO `sink`.`encounters`
WITH visit_context AS (
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
),
user_uuid AS (
  SELECT u.user_id, p.uuid
  FROM `openmrs`.`users` u
  JOIN `openmrs`.`person` p ON p.person_id = u.person_id
)
SELECT
  ABS(CAST(e.encounter_id AS BIGINT)) AS `encounter_id`,
  e.voided NOT IN ('0', 'false') AS `encounter_voided`,
  e.location AS `location`,
  CAST(TO_TIMESTAMP_LTZ(e.encounter_datetime, 3) AS TIMESTAMP(3)) AS `encounter_datetime`,
  e.encounter_type AS `encounter_type`,
  e.visit_type AS `visit_type`,
  CAST(TO_TIMESTAMP_LTZ(e.visit_date_started, 3) AS TIMESTAMP(3)) AS `visit_date_started`,
  CAST(TO_TIMESTAMP_LTZ(e.visit_date_stopped, 3) AS TIMESTAMP(3)) AS `visit_date_stopped`,
  e.form_name AS `form_name`,
  e.form_uuid AS `form_uuid`,
  e.form_version AS `form_version`,
  e.uuid AS `encounter_uuid`,
  e.encounter_type_uuid AS `encounter_type_uuid`,
  e.visit_uuid AS `visit_uuid`,
  e.patient_uuid AS `patient_uuid`,
  e.location_uuid AS `location_uuid`,
  u.uuid AS `creator_uuid`
FROM encounter_context e
JOIN user_uuid u ON u.user_id = e.creator;
