"""The OpenMRS tables and columns that a flattened table can read, by platform version.

Names and types follow the Liquibase change sets of openmrs-core (the model of platform 2.x). Every column of
a table listed here is captured, whether a declared table reads it or not: mapping one more concept then never
needs a new snapshot of the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

PLATFORMS: Final = ("2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8")
"""OpenMRS platform versions whose schema is known here, oldest first."""


class Kind(StrEnum):
    """What a source column holds, apart from how a database or an event encodes it."""

    INTEGER = "integer"  # INT(11)
    DOUBLE = "double"
    TEXT = "text"  # CHAR, VARCHAR, TEXT
    BOOLEAN = "boolean"  # TINYINT(1) or BIT(1), by the version that created the column
    DATETIME = "datetime"  # wall clock without a zone
    DATE = "date"


@dataclass(frozen=True)
class Column:
    """One captured column of a source table."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Table:
    """One source table: its primary key and the columns that are captured."""

    name: str
    primary_key: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """Return the column of that name; KeyError when the table has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name}.{name}")


_KINDS: Final = {
    "i": Kind.INTEGER,
    "f": Kind.DOUBLE,
    "t": Kind.TEXT,
    "b": Kind.BOOLEAN,
    "dt": Kind.DATETIME,
    "d": Kind.DATE,
}


def _table(name: str, primary_key: str, columns: str) -> Table:
    """Build a table from `column:kind` words; the kind letters are those of _KINDS."""
    parsed = (word.split(":") for word in columns.split())
    return Table(name, primary_key, tuple(Column(column, _KINDS[kind]) for column, kind in parsed))


_ADDRESS_LINES: Final = " ".join(f"address{n}:t" for n in range(1, 16))

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
    _table("location", "location_id", "location_id:i name:t retired:b uuid:t"),
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
    _table("users", "user_id", "user_id:i person_id:i"),
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
        "concept_reference_term_id:i concept_source_id:i code:t retired:b",
    ),
    _table("concept_reference_source", "concept_source_id", "concept_source_id:i name:t retired:b"),
    _table("concept_map_type", "concept_map_type_id", "concept_map_type_id:i name:t"),
    _table("global_property", "property", "property:t property_value:t"),
)

TABLES: Final = MappingProxyType({table.name: table for table in _TABLES})
"""Every known table by name. They exist, with these columns, in each version of PLATFORMS."""
