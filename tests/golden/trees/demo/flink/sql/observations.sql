CREATE TABLE `sink`.`observations` (
  `obs_id` BIGINT,
  `obs_voided` BOOLEAN,
  `location` STRING,
  `obs_date_time` TIMESTAMP(3),
  `question_label` STRING,
  `question_mapping` STRING,
  `answer_coded` STRING,
  `answer_datetime` TIMESTAMP(3),
  `answer_drug` BIGINT,
  `answer_numeric` DOUBLE,
  `answer_text` STRING,
  `answer_complex` STRING,
  `answer_modifier` STRING,
  `comments` STRING,
  `date_created` TIMESTAMP(3),
  `accession_number` STRING,
  `encounter_type` STRING,
  `form_namespace_and_path` STRING,
  `visit_type` STRING,
  `visit_date_started` TIMESTAMP(3),
  `visit_date_stopped` TIMESTAMP(3),
  `obs_void_reason` STRING,
  `previous_version_obs_id` BIGINT,
  `parent_obs_id` BIGINT,
  `answer_coded_uuid` STRING,
  `creator_uuid` STRING,
  `encounter_uuid` STRING,
  `visit_uuid` STRING,
  `location_uuid` STRING,
  `obs_uuid` STRING,
  `obs_group_uuid` STRING,
  `obs_group_concept_uuid` STRING,
  `patient_uuid` STRING,
  `question_uuid` STRING,
  PRIMARY KEY (`obs_id`) NOT ENFORCED
) WITH (
  'connector' = 'jdbc',
  'url' = 'jdbc:postgresql://${ANALYTICS_DB_HOST}:${ANALYTICS_DB_PORT}/${ANALYTICS_DB_NAME}?reWriteBatchedInserts=true&currentSchema=ozone_next_${OZONE_GENERATION},public',
  'table-name' = '"observations"',
  'username' = '${ANALYTICS_DB_USER}',
  'password' = '${ANALYTICS_DB_PASSWORD}',
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '200ms',
  'sink.max-retries' = '10'
);

INSERT INTO `sink`.`observations`
WITH every_sitting AS (
  SELECT person_id, creator, encounter_id, location_id, obs_group_id
  FROM `openmrs`.`obs`
  GROUP BY person_id, creator, encounter_id, location_id, obs_group_id
),
user_uuid AS (
  SELECT u.user_id, p.uuid
  FROM `openmrs`.`users` u
  JOIN `openmrs`.`person` p ON p.person_id = u.person_id
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
),
sitting AS (
  SELECT s.person_id, s.creator, s.encounter_id, s.location_id, s.obs_group_id,
    p.uuid AS patient_uuid, u.uuid AS creator_uuid, l.name AS location, l.uuid AS location_uuid,
    e.uuid AS encounter_uuid, e.encounter_type,
    e.visit_uuid, e.visit_type, e.visit_date_started, e.visit_date_stopped,
    g.uuid AS group_uuid, c.uuid AS group_concept_uuid
  FROM every_sitting s
  JOIN `openmrs`.`person` p ON p.person_id = s.person_id
  JOIN user_uuid u ON u.user_id = s.creator
  LEFT JOIN `openmrs`.`obs` g ON g.obs_id = s.obs_group_id
  LEFT JOIN `openmrs`.`concept` c ON c.concept_id = g.concept_id
  LEFT JOIN encounter_context e ON e.encounter_id = s.encounter_id
  LEFT JOIN `openmrs`.`location` l ON l.location_id = s.location_id
),
concept_label AS (
  SELECT concept_id, name, locale, COALESCE(locale_preferred NOT IN ('0', 'false'), FALSE) AS locale_preferred
  FROM (
    SELECT *, ROW_NUMBER() OVER (
      PARTITION BY concept_id
      ORDER BY CASE WHEN locale = 'en' THEN 0 WHEN locale LIKE 'en!_%' ESCAPE '!' THEN 1 WHEN locale = 'fr' THEN 2 WHEN locale LIKE 'fr!_%' ESCAPE '!' THEN 3 ELSE 4 END,
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
first_mapping AS (
  SELECT concept_id, SUBSTRING(ARRAY_SORT(ARRAY_AGG(CONCAT(CASE WHEN same_as THEN '0' ELSE '1' END, source, ':', code)))[1] FROM 2) AS mapping
  FROM mapping
  GROUP BY concept_id
),
described_concept AS (
  SELECT c.concept_id, c.uuid, l.name AS label, f.mapping
  FROM `openmrs`.`concept` c
  LEFT JOIN concept_label l ON l.concept_id = c.concept_id
  LEFT JOIN first_mapping f ON f.concept_id = c.concept_id
),
every_coding AS (
  SELECT concept_id, value_coded
  FROM `openmrs`.`obs`
  GROUP BY concept_id, value_coded
),
coding AS (
  SELECT c.concept_id, c.value_coded,
    q.label AS question_label, q.mapping AS question_mapping, q.uuid AS question_uuid,
    w.label AS answer_label, w.uuid AS answer_uuid
  FROM every_coding c
  JOIN described_concept q ON q.concept_id = c.concept_id
  LEFT JOIN described_concept w ON w.concept_id = c.value_coded
)
SELECT
  ABS(CAST(o.obs_id AS BIGINT)) AS `obs_id`,
  o.voided NOT IN ('0', 'false') AS `obs_voided`,
  s.location AS `location`,
  CAST(TO_TIMESTAMP_LTZ(o.obs_datetime, 3) AS TIMESTAMP(3)) AS `obs_date_time`,
  c.question_label AS `question_label`,
  c.question_mapping AS `question_mapping`,
  c.answer_label AS `answer_coded`,
  CAST(TO_TIMESTAMP_LTZ(o.value_datetime, 3) AS TIMESTAMP(3)) AS `answer_datetime`,
  CAST(o.value_drug AS BIGINT) AS `answer_drug`,
  o.value_numeric AS `answer_numeric`,
  o.value_text AS `answer_text`,
  o.value_complex AS `answer_complex`,
  o.value_modifier AS `answer_modifier`,
  o.comments AS `comments`,
  CAST(TO_TIMESTAMP_LTZ(o.date_created, 3) AS TIMESTAMP(3)) AS `date_created`,
  o.accession_number AS `accession_number`,
  s.encounter_type AS `encounter_type`,
  o.form_namespace_and_path AS `form_namespace_and_path`,
  s.visit_type AS `visit_type`,
  CAST(TO_TIMESTAMP_LTZ(s.visit_date_started, 3) AS TIMESTAMP(3)) AS `visit_date_started`,
  CAST(TO_TIMESTAMP_LTZ(s.visit_date_stopped, 3) AS TIMESTAMP(3)) AS `visit_date_stopped`,
  o.void_reason AS `obs_void_reason`,
  CAST(o.previous_version AS BIGINT) AS `previous_version_obs_id`,
  CAST(o.obs_group_id AS BIGINT) AS `parent_obs_id`,
  c.answer_uuid AS `answer_coded_uuid`,
  s.creator_uuid AS `creator_uuid`,
  s.encounter_uuid AS `encounter_uuid`,
  s.visit_uuid AS `visit_uuid`,
  s.location_uuid AS `location_uuid`,
  o.uuid AS `obs_uuid`,
  s.group_uuid AS `obs_group_uuid`,
  s.group_concept_uuid AS `obs_group_concept_uuid`,
  s.patient_uuid AS `patient_uuid`,
  c.question_uuid AS `question_uuid`
FROM `openmrs`.`obs` o
JOIN coding c ON c.concept_id IS NOT DISTINCT FROM o.concept_id AND c.value_coded IS NOT DISTINCT FROM o.value_coded
JOIN sitting s ON s.person_id IS NOT DISTINCT FROM o.person_id AND s.creator IS NOT DISTINCT FROM o.creator AND s.encounter_id IS NOT DISTINCT FROM o.encounter_id AND s.location_id IS NOT DISTINCT FROM o.location_id AND s.obs_group_id IS NOT DISTINCT FROM o.obs_group_id;
