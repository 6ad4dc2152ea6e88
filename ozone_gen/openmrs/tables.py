"""The OpenMRS tables and columns that a flattened table can read, by platform version.

Names, types and versions follow the Liquibase change sets of openmrs-core (the model of platform 2.x), and those of
the modules that have tables here. Every column of a table listed here is captured, whether a declared table reads
it or not: mapping one more concept then never needs a new snapshot of the source.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final

PLATFORMS: Final = ("2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8")
"""OpenMRS platform versions whose schema is known here, oldest first."""

MODULES: Final = ("appointments",)
"""Modules of OpenMRS that bring tables which are known here: Bahmni's appointments module."""


class Kind(StrEnum):
    """What a source column holds, apart from how a database or an event encodes it."""

    INTEGER = "integer"  # INT(11)
    DOUBLE = "double"
    TEXT = "text"  # CHAR, VARCHAR, TEXT
    BOOLEAN = "boolean"  # TINYINT(1) or BIT(1), by the version that created the column
    DATETIME = "datetime"  # wall clock without a zone
    DATE = "date"
    TIME = "time"  # of the day


@dataclass(frozen=True)
class Column:
    """One captured column of a source table, and the first and last platform version that have it."""

    name: str
    kind: Kind
    since: str = PLATFORMS[0]
    until: str = PLATFORMS[-1]


@dataclass(frozen=True)
class Table:
    """One source table.

    Attributes:
        name: its name.
        primary_key: the names of its key columns.
        columns: those that are captured.
        since: the first platform version that has it.
        module: the module that it comes from; None for OpenMRS itself.
    """

    name: str
    primary_key: tuple[str, ...]
    columns: tuple[Column, ...]
    since: str = PLATFORMS[0]
    module: str | None = None

    def column(self, name: str) -> Column:
        """Return the column of that name; KeyError when the table has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name}.{name}")


def tables_of(platform: str, modules: Iterable[str] = ()) -> Mapping[str, Table]:
    """The tables, by name, that a source of that platform version and with those modules has, each with its columns.

    ValueError where the version or a module is not known here.
    """
    return _tables_of(platform, frozenset(modules))


@cache  # of a fleet every site asks
def _tables_of(platform: str, present: frozenset[str]) -> Mapping[str, Table]:
    if platform not in PLATFORMS or not present <= frozenset(MODULES):
        raise ValueError(f"OpenMRS {platform} with {', '.join(present) or 'no modules'} is not known here")
    version = PLATFORMS.index(platform)
    return MappingProxyType(
        {
            table.name: replace(
                table,
                columns=tuple(
                    column
                    for column in table.columns
                    if PLATFORMS.index(column.since) <= version <= PLATFORMS.index(column.until)
                ),
            )
            for table in _TABLES
            if PLATFORMS.index(table.since) <= version and (table.module is None or table.module in present)
        }
    )


def releases_of(columns: Mapping[str, Collection[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The platform versions that a database may be of, oldest first, and its modules, going by its columns by table.

    Versions with the same tables cannot be told apart. There is none where the database lacks something of each
    version that is known here.
    """

    def has(table: Table) -> bool:
        return all(column.name in columns.get(table.name, ()) for column in table.columns)

    fitting = [version for version in PLATFORMS if all(map(has, tables_of(version).values()))]
    alike = tuple(version for version in fitting if tables_of(version) == tables_of(fitting[-1]))
    modules = tuple(
        module for module in MODULES if all(table.name in columns for table in _TABLES if table.module == module)
    )
    return alike, modules


def newest_table(name: str) -> Table:
    """The table of that name with the columns of every version, from whichever module; KeyError where none has it."""
    return _BY_NAME[name]


_KINDS: Final = {
    "i": Kind.INTEGER,
    "f": Kind.DOUBLE,
    "t": Kind.TEXT,
    "b": Kind.BOOLEAN,
    "dt": Kind.DATETIME,
    "d": Kind.DATE,
    "time": Kind.TIME,
}
# Groups of columns that stand in many tables.
_SHORT: Final = {
    "@made": "creator:i date_created:dt",
    "@changed": "changed_by:i date_changed:dt",
    "@voided": "voided:b voided_by:i date_voided:dt void_reason:t",
    "@retired": "retired:b retired_by:i date_retired:dt retire_reason:t",
}


def _table(
    name: str, primary_key: str, columns: str, since: str = PLATFORMS[0], module: str | None = None
) -> Table:
    """Build a table from `column:kind` words; the kind letters are those of _KINDS.

    `column:kind@2.5` is there since that version, `column:kind@2.2-2.4` from the one to the other.
    """
    parsed = []
    for word in " ".join(_SHORT.get(word, word) for word in columns.split()).split():
        column, _, rest = word.partition(":")
        kind, _, versions = rest.partition("@")
        first, _, last = versions.partition("-")
        parsed.append(Column(column, _KINDS[kind], first or since, last or PLATFORMS[-1]))
    return Table(name, tuple(primary_key.split()), tuple(parsed), since, module)


_MORE_LINES: Final = " ".join(f"address{n}:t" for n in range(3, 16))
_ADDRESS_LINES: Final = f"address1:t address2:t {_MORE_LINES}"

_TABLES: Final = (
    _table(
        "obs",
        "obs_id",
        "obs_id:i person_id:i concept_id:i encounter_id:i obs_datetime:dt location_id:i obs_group_id:i"
        " accession_number:t value_coded:i value_drug:i value_datetime:dt value_numeric:f value_modifier:t"
        " value_text:t value_complex:t comments:t creator:i date_created:dt voided:b void_reason:t uuid:t"
        " previous_version:i form_namespace_and_path:t",
    ),
    _table(
        "encounter",
        "encounter_id",
        "encounter_id:i encounter_type:i patient_id:i location_id:i form_id:i encounter_datetime:dt creator:i"
        " date_created:dt voided:b visit_id:i uuid:t",
    ),
    _table("encounter_type", "encounter_type_id", "encounter_type_id:i name:t retired:b uuid:t"),
    _table("form", "form_id", "form_id:i name:t version:t retired:b uuid:t"),
    _table(
        "location",
        "location_id",
        f"location_id:i name:t description:t address1:t address2:t {_MORE_LINES} city_village:t county_district:t"
        " state_province:t postal_code:t country:t latitude:t longitude:t parent_location:i @made @changed @retired"
        " uuid:t",
    ),
    _table("location_tag", "location_tag_id", "location_tag_id:i name:t"),
    _table("location_tag_map", "location_id location_tag_id", "location_id:i location_tag_id:i"),
    _table(
        "visit",
        "visit_id",
        "visit_id:i patient_id:i visit_type_id:i date_started:dt date_stopped:dt location_id:i creator:i"
        " date_created:dt voided:b uuid:t",
    ),
    _table("visit_type", "visit_type_id", "visit_type_id:i name:t retired:b uuid:t"),
    _table(
        "visit_attribute",
        "visit_attribute_id",
        "visit_attribute_id:i visit_id:i attribute_type_id:i value_reference:t voided:b",
    ),
    _table("visit_attribute_type", "visit_attribute_type_id", "visit_attribute_type_id:i name:t datatype:t"),
    _table("patient", "patient_id", "patient_id:i creator:i date_created:dt voided:b"),
    _table(
        "person",
        "person_id",
        "person_id:i gender:t birthdate:d birthdate_estimated:b dead:b death_date:dt cause_of_death:i creator:i"
        " date_created:dt voided:b void_reason:t uuid:t",
    ),
    _table(
        "person_name",
        "person_name_id",
        "person_name_id:i person_id:i preferred:b given_name:t middle_name:t family_name:t date_created:dt voided:b",
    ),
    _table(
        "person_address",
        "person_address_id",
        "person_address_id:i person_id:i preferred:b city_village:t county_district:t state_province:t country:t"
        f" latitude:t longitude:t {_ADDRESS_LINES} date_created:dt voided:b",
    ),
    _table(
        "person_attribute",
        "person_attribute_id",
        "person_attribute_id:i person_id:i value:t person_attribute_type_id:i voided:b",
    ),
    _table("person_attribute_type", "person_attribute_type_id", "person_attribute_type_id:i name:t format:t"),
    _table(
        "patient_identifier",
        "patient_identifier_id",
        "patient_identifier_id:i patient_id:i identifier:t identifier_type:i preferred:b date_created:dt voided:b",
    ),
    _table("patient_identifier_type", "patient_identifier_type_id", "patient_identifier_type_id:i name:t"),
    _table("users", "user_id", "user_id:i person_id:i username:t retired:b"),
    _table("user_role", "user_id role", "user_id:i role:t"),
    _table(
        "provider",
        "provider_id",
        "provider_id:i person_id:i name:t identifier:t @made @changed @retired uuid:t",
    ),
    _table("concept", "concept_id", "concept_id:i retired:b uuid:t"),
    _table(
        "concept_name",
        "concept_name_id",
        "concept_name_id:i concept_id:i name:t locale:t locale_preferred:b concept_name_type:t voided:b",
    ),
    _table(
        "concept_answer",
        "concept_answer_id",
        "concept_answer_id:i concept_id:i answer_concept:i sort_weight:f",
    ),
    _table("concept_set", "concept_set_id", "concept_set_id:i concept_id:i concept_set:i sort_weight:f"),
    _table(
        "concept_reference_map",
        "concept_map_id",
        "concept_map_id:i concept_reference_term_id:i concept_map_type_id:i concept_id:i",
    ),
    _table(
        "concept_reference_term",
        "concept_reference_term_id",
        "concept_reference_term_id:i concept_source_id:i code:t name:t retired:b",
    ),
    _table("concept_reference_source", "concept_source_id", "concept_source_id:i name:t retired:b"),
    _table("concept_map_type", "concept_map_type_id", "concept_map_type_id:i name:t"),
    _table("global_property", "property", "property:t property_value:t"),
    _table(
        "orders",
        "order_id",
        "order_id:i order_type_id:i concept_id:i orderer:i encounter_id:i patient_id:i care_setting:i instructions:t"
        " date_activated:dt auto_expire_date:dt date_stopped:dt order_reason:i order_reason_non_coded:t"
        " accession_number:t urgency:t order_number:t previous_order_id:i order_action:t comment_to_fulfiller:t"
        " scheduled_date:dt order_group_id:i sort_weight:f @made @voided uuid:t",
    ),
    _table("order_type", "order_type_id", "order_type_id:i name:t java_class_name:t retired:b uuid:t"),
    _table("care_setting", "care_setting_id", "care_setting_id:i name:t care_setting_type:t retired:b uuid:t"),
    _table(
        "drug_order",
        "order_id",
        "order_id:i drug_inventory_id:i drug_non_coded:t dose:f dose_units:i frequency:i route:i quantity:f"
        " quantity_units:i duration:i duration_units:i",
    ),
    _table("order_frequency", "order_frequency_id", "order_frequency_id:i concept_id:i"),
    _table("drug", "drug_id", "drug_id:i concept_id:i name:t retired:b uuid:t"),
    _table(
        "patient_program",
        "patient_program_id",
        "patient_program_id:i patient_id:i program_id:i date_enrolled:dt date_completed:dt location_id:i"
        " outcome_concept_id:i @made @changed @voided uuid:t",
    ),
    _table(
        "program",
        "program_id",
        "program_id:i concept_id:i outcomes_concept_id:i name:t description:t retired:b uuid:t",
    ),
    # Change set 20180508-1001. Before, conditions were a table of the emrapi module.
    _table(
        "conditions",
        "condition_id",
        "condition_id:i additional_detail:t previous_version:i condition_coded:i condition_non_coded:t"
        " condition_coded_name:i clinical_status:t verification_status:t onset_date:dt end_date:dt patient_id:i"
        " @made changed_by:i @voided uuid:t",
        since="2.2",
    ),
    # Change set 20181402-TRUNK-5339; `rank`, a word of SQL, was renamed by 2021-17-11-0222-TRUNK-6044.
    _table(
        "encounter_diagnosis",
        "diagnosis_id",
        "diagnosis_id:i diagnosis_coded:i diagnosis_non_coded:t diagnosis_coded_name:i encounter_id:i patient_id:i"
        " certainty:t rank:i@2.2-2.4 dx_rank:i@2.5 @made @voided uuid:t",
        since="2.2",
    ),
    # Bahmni's appointments module (openmrs-module-appointments), 1.2 or newer, by its liquibase.xml.
    _table(
        "patient_appointment",
        "patient_appointment_id",
        "patient_appointment_id:i appointment_number:t patient_id:i start_date_time:dt end_date_time:dt"
        " appointment_service_id:i appointment_service_type_id:i status:t location_id:i appointment_kind:t comments:t"
        " related_appointment_id:i @made @changed @voided uuid:t",
        module="appointments",
    ),
    _table(
        "patient_appointment_provider",
        "patient_appointment_provider_id",
        "patient_appointment_provider_id:i patient_appointment_id:i provider_id:i response:t voided:b",
        module="appointments",
    ),
    _table(
        "appointment_service",
        "appointment_service_id",
        "appointment_service_id:i name:t description:t start_time:time end_time:time speciality_id:i"
        " max_appointments_limit:i duration_mins:i color:t initial_appointment_status:t voided:b uuid:t",
        module="appointments",
    ),
    _table(
        "appointment_service_type",
        "appointment_service_type_id",
        "appointment_service_type_id:i appointment_service_id:i name:t duration_mins:i voided:b uuid:t",
        module="appointments",
    ),
)

_BY_NAME: Final = {table.name: table for table in _TABLES}
_DICTIONARY_TABLES: Final = (
    _table("concept", "concept_id", "concept_id:i datatype_id:i retired:b uuid:t"),
    _table("concept_datatype", "concept_datatype_id", "concept_datatype_id:i name:t"),
    _table("concept_numeric", "concept_id", "concept_id:i units:t"),
    *(
        _BY_NAME[name]
        for name in (
            *("concept_name", "concept_answer", "concept_set", "concept_reference_map", "concept_reference_source"),
            *("concept_map_type", "encounter_type", "visit_type", "form", "global_property"),
        )
    ),
    _table(
        "concept_reference_term",
        "concept_reference_term_id",
        "concept_reference_term_id:i concept_source_id:i code:t retired:b",
    ),
    _table("location", "location_id", "location_id:i name:t retired:b uuid:t"),
    _table(
        "person_attribute_type",
        "person_attribute_type_id",
        "person_attribute_type_id:i name:t format:t retired:b uuid:t",
    ),
    _table(
        "visit_attribute_type",
        "visit_attribute_type_id",
        "visit_attribute_type_id:i name:t datatype:t retired:b uuid:t",
    ),
)

DICTIONARY_TABLES: Final = MappingProxyType({table.name: table for table in _DICTIONARY_TABLES})
"""The tables of the dictionary, with the columns that describe it. What is read here is not captured by that."""
