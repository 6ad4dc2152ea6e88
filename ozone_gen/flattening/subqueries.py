"""Named subqueries that several flattened tables stand on, and the record of what a query reads.

Each function of `Subqueries` adds its subquery (with those that it needs) once and returns its name.
"""

from __future__ import annotations

from collections.abc import Sequence

from ozone_gen.flattening import expressions as sql
from ozone_gen.openmrs.tables import TABLES

CONCEPT_ATTRIBUTE_FORMAT = "org.openmrs.Concept"
CONCEPT_CUSTOM_DATATYPE = "org.openmrs.customdatatype.datatype.ConceptDatatype"


class Subqueries:
    """Collects the subqueries and source tables of one flattened table's query."""

    def __init__(self, source: str, locales: Sequence[str]) -> None:
        """`source` is the Flink database that holds the source tables; `locales` the site's, best first."""
        self._source = source
        self._locales = tuple(locales)
        self._named: dict[str, str] = {}
        self._reads: set[str] = set()

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """The subqueries in the order in which they stand on each other."""
        return tuple(self._named.items())

    @property
    def reads(self) -> tuple[str, ...]:
        """The source tables that were asked for, sorted."""
        return tuple(sorted(self._reads))

    def table(self, name: str) -> str:
        """Return the quoted source table, and remember that the query reads it."""
        self._reads.add(TABLES[name].name)
        return f"{sql.identifier(self._source)}.{sql.identifier(name)}"

    def add(self, name: str, query: str) -> str:
        """Add a subquery under a name; a second one of that name must be the same."""
        if self._named.setdefault(name, query) != query:
            raise ValueError(f"two different subqueries are called {name}")
        return name

    def concept_label(self) -> str:
        """`concept_id, name, locale, locale_preferred`: the best not voided name of each concept.

        The site's locales in their order (a locale before its regional variants); in a locale the preferred
        name, then the fully specified one, then any other; names in other locales only when there is none.
        """
        ranks = []
        for place, locale in enumerate(self._locales):
            variant = sql.literal(locale.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "!_%")
            ranks.append(f"WHEN locale = {sql.literal(locale)} THEN {place * 2}")
            ranks.append(f"WHEN locale LIKE {variant} ESCAPE '!' THEN {place * 2 + 1}")
        others = len(self._locales) * 2
        locale_rank = f"CASE {' '.join(ranks)} ELSE {others} END"
        kind_rank = (
            f"CASE WHEN {sql.is_true('locale_preferred')} THEN 0 ELSE 2 END"
            " + CASE WHEN concept_name_type = 'FULLY_SPECIFIED' THEN 0 ELSE 1 END"
        )
        return self.add(
            "concept_label",
            f"""SELECT concept_id, name, locale, COALESCE({sql.is_true("locale_preferred")}, FALSE) AS locale_preferred
FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY concept_id
    ORDER BY {locale_rank},
      {kind_rank},
      CASE WHEN locale IS NULL THEN '' ELSE locale END,
      concept_name_id
  ) AS place
  FROM {self.table("concept_name")}
  WHERE {sql.is_false("voided")}
)
WHERE place = 1""",
        )

    def mapping(self) -> str:
        """`concept_id, source, code, same_as`: each mapping of a concept to a code of a source."""
        return self.add(
            "mapping",
            f"""SELECT m.concept_id, s.name AS source, t.code, y.name = 'SAME-AS' AS same_as
FROM {self.table("concept_reference_map")} m
JOIN {self.table("concept_reference_term")} t ON t.concept_reference_term_id = m.concept_reference_term_id
JOIN {self.table("concept_reference_source")} s ON s.concept_source_id = t.concept_source_id
JOIN {self.table("concept_map_type")} y ON y.concept_map_type_id = m.concept_map_type_id""",
        )

    def described_concept(self) -> str:
        """`concept_id, uuid, label, mapping`: a concept with its name and its first SOURCE:CODE (SAME-AS first)."""
        label, mapping = self.concept_label(), self.mapping()
        ranked = "CONCAT(CASE WHEN same_as THEN '0' ELSE '1' END, source, ':', code)"
        first = self.add(
            "first_mapping",
            f"""SELECT concept_id, {sql.after(sql.least(ranked), 1)} AS mapping
FROM {mapping}
GROUP BY concept_id""",
        )
        return self.add(
            "described_concept",
            f"""SELECT c.concept_id, c.uuid, l.name AS label, f.mapping
FROM {self.table("concept")} c
LEFT JOIN {label} l ON l.concept_id = c.concept_id
LEFT JOIN {first} f ON f.concept_id = c.concept_id""",
        )

    def concept_reference(self) -> str:
        """`reference, concept_id`: every concept by its id and by its uuid, as attribute values write them."""
        concept = self.table("concept")
        return self.add(
            "concept_reference",
            f"""SELECT CAST(concept_id AS STRING) AS reference, concept_id FROM {concept}
UNION ALL
SELECT uuid AS reference, concept_id FROM {concept}""",
        )

    def concept_text(self) -> str:
        """`reference, label`: the name of a concept by its id or uuid."""
        references = self.concept_reference()
        return self.add(
            "concept_text",
            f"""SELECT r.reference, l.name AS label
FROM {references} r
JOIN {self.concept_label()} l ON l.concept_id = r.concept_id""",
        )

    def user_uuid(self) -> str:
        """`user_id, uuid`: the person's uuid of a user (a creator is a user id, not a person id)."""
        return self.add(
            "user_uuid",
            f"""SELECT u.user_id, p.uuid
FROM {self.table("users")} u
JOIN {self.table("person")} p ON p.person_id = u.person_id""",
        )

    def encounter_context(self) -> str:
        """Each encounter with what it hangs on: type, form, location, visit and its type, patient.

        One subquery for every table that needs any of it, so that Flink plans and runs it once: with
        `table.optimizer.reuse-optimize-block-with-digest-enabled` equal subqueries of a job become one.
        """
        visit = self.add(
            "visit_context",
            f"""SELECT v.visit_id, v.uuid, v.date_started, v.date_stopped, v.voided, t.name AS visit_type
FROM {self.table("visit")} v
JOIN {self.table("visit_type")} t ON t.visit_type_id = v.visit_type_id""",
        )
        return self.add(
            "encounter_context",
            f"""SELECT e.encounter_id, e.uuid, e.encounter_datetime, e.voided, e.creator,
  t.name AS encounter_type, t.uuid AS encounter_type_uuid,
  f.name AS form_name, f.uuid AS form_uuid, f.version AS form_version,
  l.name AS location, l.uuid AS location_uuid,
  v.visit_id, v.uuid AS visit_uuid, v.voided AS visit_voided, v.visit_type,
  v.date_started AS visit_date_started, v.date_stopped AS visit_date_stopped,
  e.patient_id, o.uuid AS patient_uuid, p.voided AS patient_voided
FROM {self.table("encounter")} e
JOIN {self.table("patient")} p ON p.patient_id = e.patient_id
JOIN {self.table("person")} o ON o.person_id = e.patient_id
JOIN {self.table("encounter_type")} t ON t.encounter_type_id = e.encounter_type
LEFT JOIN {visit} v ON v.visit_id = e.visit_id
LEFT JOIN {self.table("form")} f ON f.form_id = e.form_id
LEFT JOIN {self.table("location")} l ON l.location_id = e.location_id""",
        )
