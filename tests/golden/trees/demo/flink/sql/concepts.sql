CREATE TABLE `sink`.`concepts` (
  `concept_id` BIGINT,
  `concept_mappings_source_codes` STRING,
  `name` STRING,
  `locale` STRING,
  `locale_preferred` BOOLEAN,
  `retired` BOOLEAN,
  `uuid` STRING,
  `answer_concepts_uuids` STRING,
  `member_concepts_uuids` STRING,
  PRIMARY KEY (`concept_id`) NOT ENFORCED
) WITH (
  'connector' = 'jdbc',
  'url' = 'jdbc:postgresql://${ANALYTICS_DB_HOST}:${ANALYTICS_DB_PORT}/${ANALYTICS_DB_NAME}?reWriteBatchedInserts=true&currentSchema=ozone_next_${OZONE_GENERATION},public',
  'table-name' = '"concepts"',
  'username' = '${ANALYTICS_DB_USER}',
  'password' = '${ANALYTICS_DB_PASSWORD}',
  'sink.buffer-flush.max-rows' = '5000',
  'sink.buffer-flush.interval' = '200ms',
  'sink.max-retries' = '10'
);

INSERT INTO `sink`.`concepts`
WITH concept_label AS (
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
mapping_list AS (
  SELECT concept_id, ARRAY_JOIN(ARRAY_SORT(ARRAY_AGG(CONCAT(source, ': ', code))), ', ') AS codes
  FROM mapping
  GROUP BY concept_id
),
answer_list AS (
  SELECT x.concept_id AS owner_id, SUBSTRING(REGEXP_REPLACE(ARRAY_JOIN(ARRAY_SORT(ARRAY_AGG(CONCAT(CHR(30), CASE WHEN x.sort_weight IS NULL THEN '9999999999999' ELSE CAST(CAST(x.sort_weight * 1000 + 1000000000000 AS BIGINT) AS STRING) END, CAST(x.concept_answer_id + 10000000000 AS STRING), c.uuid))), ''), '\x1E[0-9]{24}', ', ') FROM 3) AS uuids
  FROM `openmrs`.`concept_answer` x
  JOIN `openmrs`.`concept` c ON c.concept_id = x.answer_concept
  GROUP BY x.concept_id
),
member_list AS (
  SELECT x.concept_set AS owner_id, SUBSTRING(REGEXP_REPLACE(ARRAY_JOIN(ARRAY_SORT(ARRAY_AGG(CONCAT(CHR(30), CASE WHEN x.sort_weight IS NULL THEN '9999999999999' ELSE CAST(CAST(x.sort_weight * 1000 + 1000000000000 AS BIGINT) AS STRING) END, CAST(x.concept_set_id + 10000000000 AS STRING), c.uuid))), ''), '\x1E[0-9]{24}', ', ') FROM 3) AS uuids
  FROM `openmrs`.`concept_set` x
  JOIN `openmrs`.`concept` c ON c.concept_id = x.concept_id
  GROUP BY x.concept_set
)
SELECT
  ABS(CAST(c.concept_id AS BIGINT)) AS `concept_id`,
  m.codes AS `concept_mappings_source_codes`,
  l.name AS `name`,
  l.locale AS `locale`,
  l.locale_preferred AS `locale_preferred`,
  c.retired NOT IN ('0', 'false') AS `retired`,
  c.uuid AS `uuid`,
  a.uuids AS `answer_concepts_uuids`,
  s.uuids AS `member_concepts_uuids`
FROM `openmrs`.`concept` c
LEFT JOIN concept_label l ON l.concept_id = c.concept_id
LEFT JOIN mapping_list m ON m.concept_id = c.concept_id
LEFT JOIN answer_list a ON a.owner_id = c.concept_id
LEFT JOIN member_list s ON s.owner_id = c.concept_id;
