"""The core tables: the same for every site, with the names and types that existing dashboards know.

They hold voided rows, too, and say so in a column. A foreign key that cannot be NULL is joined by an inner join: the
database holds the other row for certain, and no half-filled row is sent on before it has come. Where the public
project's table was known to be wrong, ours is right and its description says how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ozone_gen.flattening.core.appointments import appointments
from ozone_gen.flattening.core.concepts import concept_mappings, concepts
from ozone_gen.flattening.core.conditions import conditions, encounter_diagnoses
from ozone_gen.flattening.core.encounters import encounters
from ozone_gen.flattening.core.locations import locations
from ozone_gen.flattening.core.observations import observations
from ozone_gen.flattening.core.orders import orders
from ozone_gen.flattening.core.patients import patients
from ozone_gen.flattening.core.programs import patient_programs
from ozone_gen.flattening.core.providers import providers
from ozone_gen.flattening.core.visits import visits
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.openmrs.tables import Table


@dataclass(frozen=True)
class CoreTable:
    """A core table: how it is built, and the source table whose rows its rows are.

    A source that has that table has all else that the core table reads.
    """

    build: Callable[[Subqueries], FlattenedTable]
    rows_of: str


CORE_TABLES: Final[Mapping[str, CoreTable]] = MappingProxyType(
    {
        "patients": CoreTable(patients, "patient"),
        "visits": CoreTable(visits, "visit"),
        "encounters": CoreTable(encounters, "encounter"),
        "observations": CoreTable(observations, "obs"),
        "concepts": CoreTable(concepts, "concept"),
        "concept_mappings": CoreTable(concept_mappings, "concept_reference_map"),
        "orders": CoreTable(orders, "orders"),
        "conditions": CoreTable(conditions, "conditions"),
        "encounter_diagnoses": CoreTable(encounter_diagnoses, "encounter_diagnosis"),
        "patient_programs": CoreTable(patient_programs, "patient_program"),
        "appointments": CoreTable(appointments, "patient_appointment"),
        "locations": CoreTable(locations, "location"),
        "providers": CoreTable(providers, "provider"),
    }
)
"""The core tables by name, in the order in which `core: all` makes them."""


def core_tables_of(schema: Mapping[str, Table]) -> tuple[str, ...]:
    """Name the core tables that a source with these tables can have."""
    return tuple(name for name, table in CORE_TABLES.items() if table.rows_of in schema)
