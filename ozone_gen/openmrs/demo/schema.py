"""The tables of the demo database, and their DDL for MariaDB and MySQL.

Columns, types, nullability, defaults, unique keys and foreign keys are those of OpenMRS platform 2.5 as it
stands in a running Reference Application, and of the appointments module's change sets. Left out are columns
that point to tables no analysis reads (privileges, order groups), and that differ from site to site.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

_TYPES: Final = {"bool": "tinyint(1)"}
# Groups of columns that stand in many tables.
_SHORT: Final = {
    "@created": "creator int! >users, date_created datetime!",
    "@created0": "creator int!=0 >users, date_created datetime!",
    "@changed": "changed_by int >users, date_changed datetime",
    "@voided": "voided bool!=0, voided_by int >users, date_voided datetime, void_reason v255",
    "@retired": "retired bool!=0, retired_by int >users, date_retired datetime, retire_reason v255",
    # The appointments module lets `voided` be NULL and has no foreign keys to users.
    "@loose_created": "date_created datetime!, creator int!",
    "@loose_voided": "voided tinyint, voided_by int, date_voided datetime, void_reason v255",
    "@loose_changed": "date_changed datetime, changed_by int",
    "@uuid": "uuid c38! unique",
    "@typed_value": "datatype v255, datatype_config text, preferred_handler v255, handler_config text",
    "@lines": ", ".join(f"address{n} v255" for n in range(3, 16)),
    "@address": "address1 v255, address2 v255, city_village v255, state_province v255, postal_code v50, "
    "country v50, latitude v50, longitude v50, county_district v255, @lines",
}

# `name type[!][=default][ >table][ unique][ key][ pk]`: `!` is NOT NULL, `vN` varchar, `cN` char, `>` a
# foreign key to that table's primary key. The first column is the primary key unless others are marked `pk`.
_TABLES: Final = {
    "person": "person_id int, gender v50='', birthdate date key, birthdate_estimated bool!=0, dead bool!=0, "
    "death_date datetime key, cause_of_death int >concept, creator int >users, date_created datetime!, "
    "deathdate_estimated bool!=0, birthtime time, cause_of_death_non_coded v255, @changed, @voided, @uuid",
    "person_name": "person_name_id int, preferred bool!=0, person_id int! >person, prefix v50, "
    "given_name v50 key, middle_name v50 key, family_name_prefix v50, family_name v50 key, "
    "family_name2 v50 key, family_name_suffix v50, degree v50, @created0, @changed, @voided, @uuid",
    "person_address": "person_address_id int, person_id int >person, preferred bool!=0, @address, "
    "start_date datetime, end_date datetime, @created0, @changed, @voided, @uuid",
    "person_attribute_type": "person_attribute_type_id int, name v50!='' key, description text, format v50, "
    "foreign_key int, searchable bool!=0 key, sort_weight double, @created0, @changed, @retired, @uuid",
    "person_attribute": "person_attribute_id int, person_id int!=0 >person, value v50!='', "
    "person_attribute_type_id int!=0 >person_attribute_type, @created0, @changed, @voided, @uuid",
    "person_merge_log": "person_merge_log_id int, winner_person_id int! >person, "
    "loser_person_id int! >person, merged_data longtext!, @created, @changed, @voided, @uuid",
    "users": "user_id int, system_id v50!='', username v50, password v128, salt v128, secret_question v255, "
    "secret_answer v255, person_id int! >person, activation_key v255, email v255 unique, @created0, "
    "@changed, @retired, @uuid",
    "role": "role v50!='', description v255, @uuid",
    "user_role": "user_id int!=0 >users pk, role v50!='' >role pk",
    "provider": "provider_id int, person_id int >person, name v255, identifier v255, role_id int >concept, "
    "speciality_id int >concept, @created, @changed, @retired, @uuid",
    "provider_attribute_type": "provider_attribute_type_id int, name v255!, description v1024, "
    "@typed_value, min_occurs int!, max_occurs int, @created, @changed, @retired, @uuid",
    "provider_attribute": "provider_attribute_id int, provider_id int! >provider, "
    "attribute_type_id int! >provider_attribute_type, value_reference text!, @created, @changed, @voided, "
    "@uuid",
    "location": "location_id int, name v255!='' key, description v255, @address, "
    "parent_location int >location, @created0, @changed, @retired, @uuid",
    "location_tag": "location_tag_id int, name v50!, description v255, @created, @changed, @retired, @uuid",
    "location_tag_map": "location_id int! >location pk, location_tag_id int! >location_tag pk",
    "patient": "patient_id int >person, allergy_status v50!='Unknown', @created0, @changed, @voided",
    "patient_identifier_type": "patient_identifier_type_id int, name v50!='', description text, "
    "format v255, check_digit bool!=0, required bool!=0, format_description v255, validator v200, "
    "location_behavior v50, uniqueness_behavior v50, @created0, @changed, @retired, @uuid",
    "patient_identifier": "patient_identifier_id int, patient_id int!=0 >patient, identifier v50!='' key, "
    "identifier_type int!=0 >patient_identifier_type, preferred bool!=0, location_id int=0 >location, "
    "@created0, @changed, @voided, @uuid",
    "program": "program_id int, concept_id int!=0 >concept, outcomes_concept_id int >concept, "
    "retired bool!=0, name v50!, description text, @created0, @changed, @uuid",
    "patient_program": "patient_program_id int, patient_id int!=0 >patient, program_id int!=0 >program, "
    "date_enrolled datetime, date_completed datetime, location_id int >location, "
    "outcome_concept_id int >concept, @created0, @changed, @voided, @uuid",
    "visit_type": "visit_type_id int, name v255!, description v1024, @created, @changed, @retired, @uuid",
    "visit": "visit_id int, patient_id int! >patient, visit_type_id int! >visit_type, "
    "date_started datetime!, date_stopped datetime, indication_concept_id int >concept, "
    "location_id int >location, @created, @changed, @voided, @uuid",
    "visit_attribute_type": "visit_attribute_type_id int, name v255!, description v1024, @typed_value, "
    "min_occurs int!, max_occurs int, @created, @changed, @retired, @uuid",
    "visit_attribute": "visit_attribute_id int, visit_id int! >visit, "
    "attribute_type_id int! >visit_attribute_type, value_reference text!, @created, @changed, @voided, @uuid",
    "encounter_type": "encounter_type_id int, name v50!='' unique, description text, @created0, @changed, "
    "@retired, @uuid",
    "form": "form_id int, name v255!='', version v50!='', build int, published bool!=0 key, xslt text, "
    "template text, description text, encounter_type int >encounter_type, retired bool!=0 key, "
    "retired_by int >users, date_retired datetime, retired_reason v255, @created0, @changed, @uuid",
    "encounter": "encounter_id int, encounter_type int! >encounter_type, patient_id int!=0 >patient, "
    "location_id int >location, form_id int >form, encounter_datetime datetime! key, visit_id int >visit, "
    "@created0, @changed, @voided, @uuid",
    "encounter_role": "encounter_role_id int, name v255! unique, description v1024, @created, @changed, "
    "@retired, @uuid",
    "encounter_provider": "encounter_provider_id int, encounter_id int! >encounter, "
    "provider_id int! >provider, encounter_role_id int! >encounter_role, @created0, @changed, @voided, @uuid",
    "conditions": "condition_id int, additional_detail v255, previous_version int >conditions, "
    "condition_coded int >concept, condition_non_coded v255, condition_coded_name int >concept_name, "
    "clinical_status v50!, verification_status v50, onset_date datetime, patient_id int! >patient, "
    "end_date datetime, encounter_id int >encounter, form_namespace_and_path v255, @created, @changed, "
    "@voided, uuid v38 unique",
    "encounter_diagnosis": "diagnosis_id int, diagnosis_coded int >concept, diagnosis_non_coded v255, "
    "diagnosis_coded_name int >concept_name, encounter_id int! >encounter, patient_id int! >patient, "
    "condition_id int >conditions, certainty v255!, dx_rank int, @created, @changed, @voided, @uuid",
    "order_type": "order_type_id int, name v255!='' unique, description text, java_class_name v255!, "
    "parent int >order_type, @created0, @changed, @retired, @uuid",
    "care_setting": "care_setting_id int, name v255! unique, description v255, care_setting_type v50!, "
    "@created, @changed, @retired, @uuid",
    "order_frequency": "order_frequency_id int, concept_id int! >concept unique, frequency_per_day double, "
    "@created, @changed, @retired, @uuid",
    # OpenMRS itself has no foreign key on the ordered concept.
    "orders": "order_id int, order_type_id int!=0 >order_type, concept_id int!=0, orderer int! >provider, "
    "encounter_id int! >encounter, instructions text, date_activated datetime, auto_expire_date datetime, "
    "date_stopped datetime, order_reason int >concept, order_reason_non_coded v255, "
    "patient_id int! >patient, accession_number v255 key, urgency v50!='ROUTINE', order_number v50! key, "
    "previous_order_id int >orders, order_action v50!, comment_to_fulfiller v1024, "
    "care_setting int! >care_setting, scheduled_date datetime, order_group_id int, sort_weight double, "
    "fulfiller_comment v1024, fulfiller_status v50, @created0, @voided, @uuid",
    "drug": "drug_id int, concept_id int!=0 >concept, name v255, combination bool!=0, "
    "dosage_form int >concept, maximum_daily_dose double, minimum_daily_dose double, route int >concept, "
    "strength v255, dose_limit_units int >concept, @created0, @changed, @retired, @uuid",
    "drug_order": "order_id int!=0 >orders, drug_inventory_id int >drug, dose double, as_needed bool, "
    "dosing_type v255, quantity double, as_needed_condition v255, num_refills int, "
    "dosing_instructions text, duration int, duration_units int >concept, quantity_units int >concept, "
    "route int >concept, dose_units int >concept, frequency int >order_frequency, brand_name v255, "
    "dispense_as_written bool!=0, drug_non_coded v255",
    "test_order": "order_id int >orders, specimen_source int >concept, laterality v20, "
    "clinical_history text, frequency int >order_frequency, number_of_repeats int",
    "obs": "obs_id int, person_id int! >person, concept_id int!=0 >concept, encounter_id int >encounter, "
    "order_id int >orders, obs_datetime datetime! key, location_id int >location, obs_group_id int >obs, "
    "accession_number v255, value_group_id int, value_coded int >concept, "
    "value_coded_name_id int >concept_name, value_drug int >drug, value_datetime datetime, "
    "value_numeric double, value_modifier v2, value_text text, value_complex v1000, comments v255, "
    "previous_version int >obs, form_namespace_and_path v255, status v16!='FINAL', interpretation v32, "
    "@created0, @voided, @uuid",
    "concept_datatype": "concept_datatype_id int, name v255!='' key, hl7_abbreviation v3, description v255, "
    "@created0, @retired, @uuid",
    "concept_class": "concept_class_id int, name v255!='' key, description v255, @created0, @changed, "
    "@retired, @uuid",
    "concept": "concept_id int, short_name v255, description text, form_text text, "
    "datatype_id int!=0 >concept_datatype, class_id int!=0 >concept_class, is_set bool!=0, version v50, "
    "@created0, @changed, @retired, @uuid",
    "concept_name": "concept_name_id int, concept_id int >concept, name v255!='' key, locale v50!='', "
    "locale_preferred bool=0, concept_name_type v50, @created0, @changed, @voided, @uuid",
    "concept_description": "concept_description_id int, concept_id int!=0 >concept, description text!, "
    "locale v50!='', @created0, @changed, @uuid",
    "concept_answer": "concept_answer_id int, concept_id int!=0 >concept, answer_concept int >concept, "
    "answer_drug int >drug, sort_weight double, @created0, @uuid",
    "concept_set": "concept_set_id int, concept_id int!=0 key, concept_set int!=0 >concept, "
    "sort_weight double, @created0, @uuid",
    "concept_numeric": "concept_id int!=0 >concept, hi_absolute double, hi_critical double, "
    "hi_normal double, low_absolute double, low_critical double, low_normal double, units v50, "
    "allow_decimal bool, display_precision int",
    "concept_complex": "concept_id int >concept, handler v255",
    "concept_map_type": "concept_map_type_id int, name v255! unique, description v255, is_hidden bool!=0, "
    "@created, @changed, @retired, @uuid",
    "concept_reference_source": "concept_source_id int, name v50!='', description text!, "
    "hl7_code v50='' unique, unique_id v250 unique, @created0, @changed, @retired, @uuid",
    "concept_reference_term": "concept_reference_term_id int, "
    "concept_source_id int! >concept_reference_source, name v255, code v255! key, version v255, "
    "description v255, @created, @changed, @retired, @uuid",
    "concept_reference_map": "concept_map_id int, concept_reference_term_id int! >concept_reference_term, "
    "concept_map_type_id int!=1 >concept_map_type, concept_id int!=0 >concept, @created0, @changed, @uuid",
    "global_property": "property v255!='', property_value text, description text, @typed_value, @changed, "
    "@uuid",
    "appointment_speciality": "speciality_id int, name v50! unique, @loose_created, @loose_changed, "
    "voided tinyint, uuid v38! unique",
    "appointment_service": "appointment_service_id int, name v50!, description text, start_time time, "
    "end_time time, location_id int >location, speciality_id int >appointment_speciality, "
    "max_appointments_limit int, duration_mins int, color v8, initial_appointment_status v45, "
    "@loose_created, @loose_changed, @loose_voided, uuid v38! unique",
    "appointment_service_type": "appointment_service_type_id int, "
    "appointment_service_id int! >appointment_service, name v50!, duration_mins int, @loose_created, "
    "@loose_changed, @loose_voided, uuid v38! unique",
    "patient_appointment": "patient_appointment_id int, provider_id int >provider, appointment_number v50!, "
    "patient_id int! >patient, start_date_time datetime, end_date_time datetime, appointment_service_id "
    "int >appointment_service, appointment_service_type_id int >appointment_service_type, status v45!, "
    "location_id int >location, appointment_kind v45!, comments v255, related_appointment_id int "
    ">patient_appointment, @loose_created, @loose_changed, @loose_voided, uuid v38! unique",
    "patient_appointment_provider": "patient_appointment_provider_id int, "
    "patient_appointment_id int! >patient_appointment, provider_id int! >provider, response v32, "
    "comments v1000, @loose_created, @loose_changed, @loose_voided, uuid v38! unique",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its SQL type, its default as a SQL literal (None: NULL or nothing) and what it points to."""

    name: str
    sql_type: str
    nullable: bool
    default: str | None
    references: str | None
    unique: bool
    indexed: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the demo database."""

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]


def _words(spec: str) -> list[str]:
    """The column words of a table's text, audit abbreviations written out."""
    words = []
    for word in spec.split(", "):
        words += _words(_SHORT[word]) if word.startswith("@") else [word]
    return words


def _column(word: str) -> tuple[Column, bool]:
    """A column, and whether it is marked as part of the primary key."""
    name, kind, *marks = word.split(" ")
    kind, equals, default = kind.partition("=")
    base = kind.rstrip("!")
    if base[0] in "vc" and base[1:].isdigit():
        base = f"{'varchar' if base[0] == 'v' else 'char'}({base[1:]})"
    references = next((mark[1:] for mark in marks if mark[0] == ">"), None)
    return (
        Column(
            name,
            _TYPES.get(base, base),
            not kind.endswith("!"),
            default if equals else None,
            references,
            "unique" in marks,
            "key" in marks,
        ),
        "pk" in marks,
    )


@cache
def tables() -> Mapping[str, Table]:
    """Every table of the demo database by name."""
    parsed = {}
    for name, spec in _TABLES.items():
        columns = [_column(word) for word in _words(spec)]
        key = tuple(column.name for column, in_key in columns if in_key) or (columns[0][0].name,)
        parsed[name] = Table(name, tuple(column for column, _ in columns), key)
    return MappingProxyType(parsed)


def create_table(table: Table) -> str:
    """The CREATE TABLE statement, as mysqldump lays it out.

    Both servers take it; MySQL only remarks that the width in tinyint(1) is deprecated.
    """
    lines = []
    keys = []
    for column in table.columns:
        in_key = column.name in table.primary_key
        name, kind = column.name, column.sql_type
        if column.default is not None:
            tail = f"{'' if column.nullable else ' NOT NULL'} DEFAULT {_literal(column.default)}"
        elif in_key or not column.nullable:
            alone = in_key and len(table.primary_key) == 1 and column.references is None and kind == "int"
            tail = " NOT NULL AUTO_INCREMENT" if alone else " NOT NULL"
        else:
            # MySQL refuses a default on TEXT.
            tail = "" if kind in ("text", "longtext") else " DEFAULT NULL"
        lines.append(f"  `{name}` {kind}{tail}")
        if column.unique:
            keys.append(f"  UNIQUE KEY `{name}` (`{name}`)")
        elif column.indexed:
            keys.append(f"  KEY `{name}` (`{name}`)")
    lines.append(f"  PRIMARY KEY ({', '.join(f'`{name}`' for name in table.primary_key)})")
    lines += keys
    lines += (
        f"  CONSTRAINT `{table.name}_{column.name}_fk` FOREIGN KEY (`{column.name}`)"
        f" REFERENCES `{column.references}` (`{tables()[column.references].primary_key[0]}`)"
        for column in table.columns
        if column.references
    )
    body = ",\n".join(lines)
    # The collation is named because the servers' defaults for utf8mb4 differ.
    return (
        f"DROP TABLE IF EXISTS `{table.name}`;\nCREATE TABLE `{table.name}` (\n{body}\n"
        ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;\n"
    )


def _literal(default: str) -> str:
    return default if default.startswith("'") else f"'{default}'"
