CREATE DATABASE `openmrs`;

CREATE TABLE `openmrs`.`concept` (
  `concept_id` INT,
  `uuid` STRING,
  PRIMARY KEY (`concept_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.concept',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`concept_map_type` (
  `concept_map_type_id` INT,
  `name` STRING,
  PRIMARY KEY (`concept_map_type_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.concept_map_type',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`concept_name` (
  `concept_name_id` INT,
  `concept_id` INT,
  `name` STRING,
  `locale` STRING,
  `locale_preferred` STRING,
  `concept_name_type` STRING,
  `voided` STRING,
  PRIMARY KEY (`concept_name_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.concept_name',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`concept_reference_map` (
  `concept_map_id` INT,
  `concept_reference_term_id` INT,
  `concept_map_type_id` INT,
  `concept_id` INT,
  PRIMARY KEY (`concept_map_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.concept_reference_map',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`concept_reference_source` (
  `concept_source_id` INT,
  `name` STRING,
  PRIMARY KEY (`concept_source_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.concept_reference_source',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`concept_reference_term` (
  `concept_reference_term_id` INT,
  `concept_source_id` INT,
  `code` STRING,
  `name` STRING,
  `retired` STRING,
  PRIMARY KEY (`concept_reference_term_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.concept_reference_term',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`encounter` (
  `encounter_id` INT,
  `encounter_type` INT,
  `patient_id` INT,
  `location_id` INT,
  `form_id` INT,
  `encounter_datetime` BIGINT,
  `creator` INT,
  `voided` STRING,
  `visit_id` INT,
  `uuid` STRING,
  PRIMARY KEY (`encounter_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.encounter',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`encounter_type` (
  `encounter_type_id` INT,
  `name` STRING,
  `uuid` STRING,
  PRIMARY KEY (`encounter_type_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.encounter_type',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`form` (
  `form_id` INT,
  `name` STRING,
  `version` STRING,
  `uuid` STRING,
  PRIMARY KEY (`form_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.form',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`location` (
  `location_id` INT,
  `name` STRING,
  `creator` INT,
  `uuid` STRING,
  PRIMARY KEY (`location_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.location',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`obs` (
  `obs_id` INT,
  `person_id` INT,
  `concept_id` INT,
  `encounter_id` INT,
  `obs_datetime` BIGINT,
  `location_id` INT,
  `obs_group_id` INT,
  `accession_number` STRING,
  `value_coded` INT,
  `value_drug` INT,
  `value_datetime` BIGINT,
  `value_numeric` DOUBLE,
  `value_modifier` STRING,
  `value_text` STRING,
  `value_complex` STRING,
  `comments` STRING,
  `creator` INT,
  `date_created` BIGINT,
  `voided` STRING,
  `void_reason` STRING,
  `uuid` STRING,
  `previous_version` INT,
  `form_namespace_and_path` STRING,
  PRIMARY KEY (`obs_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.obs',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`patient` (
  `patient_id` INT,
  `creator` INT,
  `date_created` BIGINT,
  `voided` STRING,
  PRIMARY KEY (`patient_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.patient',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`patient_identifier` (
  `patient_identifier_id` INT,
  `patient_id` INT,
  `identifier` STRING,
  `identifier_type` INT,
  `preferred` STRING,
  `date_created` BIGINT,
  `voided` STRING,
  PRIMARY KEY (`patient_identifier_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.patient_identifier',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`patient_identifier_type` (
  `patient_identifier_type_id` INT,
  `name` STRING,
  PRIMARY KEY (`patient_identifier_type_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.patient_identifier_type',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`person` (
  `person_id` INT,
  `gender` STRING,
  `birthdate` INT,
  `birthdate_estimated` STRING,
  `dead` STRING,
  `death_date` BIGINT,
  `cause_of_death` INT,
  `creator` INT,
  `date_created` BIGINT,
  `voided` STRING,
  `void_reason` STRING,
  `uuid` STRING,
  PRIMARY KEY (`person_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.person',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`person_address` (
  `person_address_id` INT,
  `person_id` INT,
  `preferred` STRING,
  `city_village` STRING,
  `county_district` STRING,
  `state_province` STRING,
  `country` STRING,
  `latitude` STRING,
  `longitude` STRING,
  `address1` STRING,
  `address2` STRING,
  `address3` STRING,
  `address4` STRING,
  `address5` STRING,
  `address6` STRING,
  `address7` STRING,
  `address8` STRING,
  `address9` STRING,
  `address10` STRING,
  `address11` STRING,
  `address12` STRING,
  `address13` STRING,
  `address14` STRING,
  `address15` STRING,
  `date_created` BIGINT,
  `voided` STRING,
  PRIMARY KEY (`person_address_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.person_address',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`person_attribute` (
  `person_attribute_id` INT,
  `person_id` INT,
  `value` STRING,
  `person_attribute_type_id` INT,
  `voided` STRING,
  PRIMARY KEY (`person_attribute_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.person_attribute',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`person_attribute_type` (
  `person_attribute_type_id` INT,
  `name` STRING,
  `format` STRING,
  PRIMARY KEY (`person_attribute_type_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.person_attribute_type',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`person_name` (
  `person_name_id` INT,
  `person_id` INT,
  `preferred` STRING,
  `given_name` STRING,
  `middle_name` STRING,
  `family_name` STRING,
  `date_created` BIGINT,
  `voided` STRING,
  PRIMARY KEY (`person_name_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.person_name',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`users` (
  `user_id` INT,
  `person_id` INT,
  PRIMARY KEY (`user_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.users',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`visit` (
  `visit_id` INT,
  `patient_id` INT,
  `visit_type_id` INT,
  `date_started` BIGINT,
  `date_stopped` BIGINT,
  `location_id` INT,
  `creator` INT,
  `voided` STRING,
  `uuid` STRING,
  PRIMARY KEY (`visit_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.visit',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`visit_attribute` (
  `visit_attribute_id` INT,
  `visit_id` INT,
  `attribute_type_id` INT,
  `value_reference` STRING,
  `voided` STRING,
  PRIMARY KEY (`visit_attribute_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.visit_attribute',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`visit_attribute_type` (
  `visit_attribute_type_id` INT,
  `name` STRING,
  `datatype` STRING,
  PRIMARY KEY (`visit_attribute_type_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.visit_attribute_type',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);

CREATE TABLE `openmrs`.`visit_type` (
  `visit_type_id` INT,
  `name` STRING,
  `uuid` STRING,
  PRIMARY KEY (`visit_type_id`) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'openmrs-5274cd11.openmrs.visit_type',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'ozone-${OZONE_GENERATION}',
  'key.format' = 'json',
  'value.format' = 'json'
);
