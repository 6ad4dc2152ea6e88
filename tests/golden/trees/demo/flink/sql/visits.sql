CREATE TABLE `sink`.`visits` (
  `visit_id` BIGINT,
  `visit_voided` BOOLEAN,
  `location` STRING,
  `date_started` TIMESTAMP(3),
  `date_stopped` TIMESTAMP(3),
  `type` STRING,
  `visit_attributes` STRING,
  `patient_gender` STRING,
  `patient_birthdate` DATE,
  `patient_birthdate_estimated` BOOLEAN,
  `patient_age_at_visit` DECIMAL(24, 0),
  `patient_dead` BOOLEAN,
  `patient_death_date` TIMESTAMP(3),
  `patient_cause_of_death` INT,
  `visit_uuid` STRING,
  `visit_type_uuid` STRING,
  `location_uuid` STRING,
  `patient_uuid` STRING,
  `creator_uuid` STRING,
  PRIMARY KEY (`visit_id`) NOT ENFORCED
) WITH (
  'connector' = 'jdbc',
  'url' = 'jdbc:postgresql://${ANALYTICS_DB_HOST}:${ANALYTICS_DB_PORT}/${ANALYTICS_DB_NAME}?reWriteBatchedInserts=true&currentSchema=ozone_next_${OZONE_GENERATION},public',
  'table-name' = '"visits"',
  'username' = '${ANALYTICS_DB_USER}',
  'password' = '${ANALYTICS_DB_PASSWORD}',
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '200ms',
  'sink.max-retries' = '10'
);

INSERT INTO `sink`.`visits`
WITH concept_reference AS (
  SELECT CAST(concept_id AS STRING) AS reference, concept_id FROM `openmrs`.`concept`
  UNION ALL
  SELECT uuid AS reference, concept_id FROM `openmrs`.`concept`
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
concept_text AS (
  SELECT r.reference, l.name AS label
  FROM concept_reference r
  JOIN concept_label l ON l.concept_id = r.concept_id
),
visit_attributes AS (
  SELECT a.visit_id, SUBSTRING(REGEXP_REPLACE(ARRAY_JOIN(ARRAY_SORT(ARRAY_AGG(CONCAT(CHR(30), CAST(a.visit_attribute_id + 10000000000 AS STRING), t.name, ': ', COALESCE(c.label, a.value_reference)))), ''), '\x1E[0-9]{11}', ' / ') FROM 4) AS attributes
  FROM `openmrs`.`visit_attribute` a
  JOIN `openmrs`.`visit_attribute_type` t ON t.visit_attribute_type_id = a.attribute_type_id
  LEFT JOIN concept_text c ON t.datatype = 'org.openmrs.customdatatype.datatype.ConceptDatatype' AND c.reference = a.value_reference
  WHERE a.voided IN ('0', 'false') AND a.value_reference IS NOT NULL
  GROUP BY a.visit_id
),
user_uuid AS (
  SELECT u.user_id, p.uuid
  FROM `openmrs`.`users` u
  JOIN `openmrs`.`person` p ON p.person_id = u.person_id
)
SELECT
  ABS(CAST(v.visit_id AS BIGINT)) AS `visit_id`,
  v.voided NOT IN ('0', 'false') AS `visit_voided`,
  l.name AS `location`,
  CAST(TO_TIMESTAMP_LTZ(v.date_started, 3) AS TIMESTAMP(3)) AS `date_started`,
  CAST(TO_TIMESTAMP_LTZ(v.date_stopped, 3) AS TIMESTAMP(3)) AS `date_stopped`,
  y.name AS `type`,
  a.attributes AS `visit_attributes`,
  p.gender AS `patient_gender`,
  CAST(TO_TIMESTAMP_LTZ(CAST(p.birthdate AS BIGINT) * 86400000, 3) AS DATE) AS `patient_birthdate`,
  p.birthdate_estimated NOT IN ('0', 'false') AS `patient_birthdate_estimated`,
  CAST(CASE WHEN CAST(TO_TIMESTAMP_LTZ(v.date_started - (MOD(MOD(v.date_started, 86400000) + 86400000, 86400000)), 3) AS DATE) < CAST(TO_TIMESTAMP_LTZ(CAST(p.birthdate AS BIGINT) * 86400000, 3) AS DATE) THEN -(EXTRACT(YEAR FROM CAST(TO_TIMESTAMP_LTZ(CAST(p.birthdate AS BIGINT) * 86400000, 3) AS DATE)) - EXTRACT(YEAR FROM CAST(TO_TIMESTAMP_LTZ(v.date_started - (MOD(MOD(v.date_started, 86400000) + 86400000, 86400000)), 3) AS DATE)) - CASE WHEN EXTRACT(MONTH FROM CAST(TO_TIMESTAMP_LTZ(CAST(p.birthdate AS BIGINT) * 86400000, 3) AS DATE)) * 100 + EXTRACT(DAY FROM CAST(TO_TIMESTAMP_LTZ(CAST(p.birthdate AS BIGINT) * 86400000, 3) AS DATE)) < EXTRACT(MONTH FROM CAST(TO_TIMESTAMP_LTZ(v.date_started - (MOD(MOD(v.date_started, 86400000) + 86400000, 86400000)), 3) AS DATE)) * 100 + EXTRACT(DAY FROM CAST(TO_TIMESTAMP_LTZ(v.date_started - (MOD(MOD(v.date_started, 86400000) + 86400000, 86400000)), 3) AS DATE)) THEN 1 ELSE 0 END) ELSE EXTRACT(YEAR FROM CAST(TO_TIMESTAMP_LTZ(v.date_started - (MOD(MOD(v.date_started, 86400000) + 86400000, 86400000)), 3) AS DATE)) - EXTRACT(YEAR FROM CAST(TO_TIMESTAMP_LTZ(CAST(p.birthdate AS BIGINT) * 86400000, 3) AS DATE)) - CASE WHEN EXTRACT(MONTH FROM CAST(TO_TIMESTAMP_LTZ(v.date_started - (MOD(MOD(v.date_started, 86400000) + 86400000, 86400000)), 3) AS DATE)) * 100 + EXTRACT(DAY FROM CAST(TO_TIMESTAMP_LTZ(v.date_started - (MOD(MOD(v.date_started, 86400000) + 86400000, 86400000)), 3) AS DATE)) < EXTRACT(MONTH FROM CAST(TO_TIMESTAMP_LTZ(CAST(p.birthdate AS BIGINT) * 86400000, 3) AS DATE)) * 100 + EXTRACT(DAY FROM CAST(TO_TIMESTAMP_LTZ(CAST(p.birthdate AS BIGINT) * 86400000, 3) AS DATE)) THEN 1 ELSE 0 END END AS DECIMAL(24, 0)) AS `patient_age_at_visit`,
  p.dead NOT IN ('0', 'false') AS `patient_dead`,
  CAST(TO_TIMESTAMP_LTZ(p.death_date, 3) AS TIMESTAMP(3)) AS `patient_death_date`,
  p.cause_of_death AS `patient_cause_of_death`,
  v.uuid AS `visit_uuid`,
  y.uuid AS `visit_type_uuid`,
  l.uuid AS `location_uuid`,
  p.uuid AS `patient_uuid`,
  u.uuid AS `creator_uuid`
FROM `openmrs`.`visit` v
JOIN `openmrs`.`person` p ON p.person_id = v.patient_id
JOIN `openmrs`.`visit_type` y ON y.visit_type_id = v.visit_type_id
LEFT JOIN `openmrs`.`location` l ON l.location_id = v.location_id
JOIN user_uuid u ON u.user_id = v.creator
LEFT JOIN visit_attributes a ON a.visit_id = v.visit_id;
