CREATE TABLE `sink`.`patients` (
  `patient_id` BIGINT,
  `given_name` STRING,
  `middle_name` STRING,
  `family_name` STRING,
  `identifiers` STRING,
  `gender` STRING,
  `birthdate` DATE,
  `birthdate_estimated` BOOLEAN,
  `patient_uuid` STRING,
  `address_city` STRING,
  `address_county_district` STRING,
  `address_state_province` STRING,
  `address_country` STRING,
  `address_1` STRING,
  `address_2` STRING,
  `address_3` STRING,
  `address_4` STRING,
  `address_5` STRING,
  `address_6` STRING,
  `address_7` STRING,
  `address_8` STRING,
  `address_9` STRING,
  `address_10` STRING,
  `address_11` STRING,
  `address_12` STRING,
  `address_13` STRING,
  `address_14` STRING,
  `address_15` STRING,
  `address_latitude` STRING,
  `address_longitude` STRING,
  `attributes` STRING,
  `dead` BOOLEAN,
  `death_date` TIMESTAMP(3),
  `cause_of_death` INT,
  `creator` BIGINT,
  `date_created` TIMESTAMP(3),
  `person_voided` BOOLEAN,
  `person_void_reason` STRING,
  PRIMARY KEY (`patient_id`) NOT ENFORCED
) WITH (
  'connector' = 'jdbc',
  'url' = 'jdbc:postgresql://${ANALYTICS_DB_HOST}:${ANALYTICS_DB_PORT}/${ANALYTICS_DB_NAME}?reWriteBatchedInserts=true&currentSchema=ozone_next_${OZONE_GENERATION},public',
  'table-name' = '"patients"',
  'username' = '${ANALYTICS_DB_USER}',
  'password' = '${ANALYTICS_DB_PASSWORD}',
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '200ms',
  'sink.max-retries' = '10'
);

INSERT INTO `sink`.`patients`
WITH best_person_name AS (
  SELECT * FROM (
    SELECT *, ROW_NUMBER() OVER (
      PARTITION BY person_id
      ORDER BY CASE WHEN preferred NOT IN ('0', 'false') THEN 0 ELSE 1 END, date_created, person_name_id
    ) AS place
    FROM `openmrs`.`person_name`
    WHERE voided IN ('0', 'false')
  )
  WHERE place = 1
),
best_person_address AS (
  SELECT * FROM (
    SELECT *, ROW_NUMBER() OVER (
      PARTITION BY person_id
      ORDER BY CASE WHEN preferred NOT IN ('0', 'false') THEN 0 ELSE 1 END, date_created, person_address_id
    ) AS place
    FROM `openmrs`.`person_address`
    WHERE voided IN ('0', 'false')
  )
  WHERE place = 1
),
concept_reference AS (
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
person_attributes AS (
  SELECT a.person_id, SUBSTRING(REGEXP_REPLACE(ARRAY_JOIN(ARRAY_SORT(ARRAY_AGG(CONCAT(CHR(30), CAST(a.person_attribute_id + 10000000000 AS STRING), t.name, ': ', COALESCE(c.label, a.`value`)))), ''), '\x1E[0-9]{11}', ' / ') FROM 4) AS attributes
  FROM `openmrs`.`person_attribute` a
  JOIN `openmrs`.`person_attribute_type` t ON t.person_attribute_type_id = a.person_attribute_type_id
  LEFT JOIN concept_text c ON t.format = 'org.openmrs.Concept' AND c.reference = a.`value`
  WHERE a.voided IN ('0', 'false') AND a.`value` IS NOT NULL
  GROUP BY a.person_id
),
identifiers AS (
  SELECT i.patient_id, SUBSTRING(REGEXP_REPLACE(ARRAY_JOIN(ARRAY_SORT(ARRAY_AGG(CONCAT(CHR(30), CASE WHEN i.preferred NOT IN ('0', 'false') THEN '0' ELSE '1' END, CONCAT(CAST(i.date_created + 2000000000000000 AS STRING), CAST(i.patient_identifier_id + 10000000000 AS STRING)), t.name, ': ', i.identifier))), ''), '\x1E[0-9]{28}', ', ') FROM 3) AS identifiers
  FROM `openmrs`.`patient_identifier` i
  JOIN `openmrs`.`patient_identifier_type` t ON t.patient_identifier_type_id = i.identifier_type
  WHERE i.voided IN ('0', 'false')
  GROUP BY i.patient_id
)
SELECT
  ABS(CAST(p.patient_id AS BIGINT)) AS `patient_id`,
  n.given_name AS `given_name`,
  n.middle_name AS `middle_name`,
  n.family_name AS `family_name`,
  i.identifiers AS `identifiers`,
  o.gender AS `gender`,
  CAST(TO_TIMESTAMP_LTZ(CAST(o.birthdate AS BIGINT) * 86400000, 3) AS DATE) AS `birthdate`,
  o.birthdate_estimated NOT IN ('0', 'false') AS `birthdate_estimated`,
  o.uuid AS `patient_uuid`,
  a.city_village AS `address_city`,
  a.county_district AS `address_county_district`,
  a.state_province AS `address_state_province`,
  a.country AS `address_country`,
  a.address1 AS `address_1`,
  a.address2 AS `address_2`,
  a.address3 AS `address_3`,
  a.address4 AS `address_4`,
  a.address5 AS `address_5`,
  a.address6 AS `address_6`,
  a.address7 AS `address_7`,
  a.address8 AS `address_8`,
  a.address9 AS `address_9`,
  a.address10 AS `address_10`,
  a.address11 AS `address_11`,
  a.address12 AS `address_12`,
  a.address13 AS `address_13`,
  a.address14 AS `address_14`,
  a.address15 AS `address_15`,
  a.latitude AS `address_latitude`,
  a.longitude AS `address_longitude`,
  t.attributes AS `attributes`,
  o.dead NOT IN ('0', 'false') AS `dead`,
  CAST(TO_TIMESTAMP_LTZ(o.death_date, 3) AS TIMESTAMP(3)) AS `death_date`,
  o.cause_of_death AS `cause_of_death`,
  CAST(o.creator AS BIGINT) AS `creator`,
  CAST(TO_TIMESTAMP_LTZ(o.date_created, 3) AS TIMESTAMP(3)) AS `date_created`,
  o.voided NOT IN ('0', 'false') AS `person_voided`,
  o.void_reason AS `person_void_reason`
FROM `openmrs`.`patient` p
JOIN `openmrs`.`person` o ON o.person_id = p.patient_id
LEFT JOIN best_person_name n ON n.person_id = p.patient_id
LEFT JOIN best_person_address a ON a.person_id = p.patient_id
LEFT JOIN identifiers i ON i.patient_id = p.patient_id
LEFT JOIN person_attributes t ON t.person_id = p.patient_id;
