"""Named subqueries that several flattened tables stand on, and the record of what a query reads.

Each function of `Subqueries` adds its subquery (with those that it needs) once and returns its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.flink import EVENT_TYPES
from ozone_gen.openmrs.tables import Table, newest_table

CONCEPT_ATTRIBUTE_FORMAT = "org.openmrs.Concept"
CONCEPT_CUSTOM_DATATYPE = "org.openmrs.customdatatype.datatype.ConceptDatatype"


class Subqueries:
    """Collects the subqueries and source tables of one flattened table's query."""

    def __init__(self, source: str, locales: Sequence[str], schema: Mapping[str, Table]) -> None:
        """Begin a query.

        Args:
            source: the Flink database that holds the source tables.
            locales: the site's, best first.
            schema: the source tables by name, as the source's version has them.
        """
        self._source = source
        self._schema = schema
        self._locales = tuple(locales)
        self._named: dict[str, str] = {}
        self._reads: set[str] = set()  # names

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """The subqueries in the order in which they stand on each other."""
        return tuple(self._named.items())

    @property
    def reads(self) -> tuple[Table, ...]:
        """The source tables that were asked for, sorted by name."""
        return tuple(self._schema[name] for name in sorted(self._reads))

    def table(self, name: str) -> str:
        """Return the quoted source table, and remember that the query reads it; KeyError where the source has none."""
        self._reads.add(self._schema[name].name)
        return f"{sql.identifier(self._source)}.{sql.identifier(name)}"

    def column(self, alias: str, table: str, *names: str) -> str:
        """Return the column of a table that one version of OpenMRS calls so and another so.

        The first of `names` that the source's version has; a NULL of the column's type where it has none of them.
        """
        present = {column.name for column in self._schema[table].columns}
        for name in names:
            if name in present:
                return f"{alias}.{sql.identifier(name)}"
        return f"CAST(NULL AS {EVENT_TYPES[newest_table(table).column(names[0]).kind]})"

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
        """Each mapping of a concept to a term of a source, by `concept_map_id`."""
        return self.add(
            "mapping",
            f"""SELECT m.concept_map_id, m.concept_id, s.name AS source,
  t.code, t.name AS term_name, t.retired AS term_retired, y.name AS map_type, y.name = 'SAME-AS' AS same_as
FROM {self.table("concept_reference_map")} m
JOIN {self.table("concept_reference_term")} t ON t.concept_reference_term_id = m.concept_reference_term_id
JOIN {self.table("concept_reference_source")} s ON s.concept_source_id = t.concept_source_id
JOIN {self.table("concept_map_type")} y ON y.concept_map_type_id = m.concept_map_type_id""",
        )

    def named_concept(self) -> str:
        """`concept_id, uuid, label`: a concept with its name in the site's locales."""
        return self.add(
            "named_concept",
            f"""SELECT c.concept_id, c.uuid, l.name AS label
FROM {self.table("concept")} c
LEFT JOIN {self.concept_label()} l ON l.concept_id = c.concept_id""",
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

    def patient_context(self) -> str:
        """`patient_id, uuid, gender, birthdate, voided`: each patient with who it is."""
        return self.add(
            "patient_context",
            f"""SELECT p.patient_id, o.uuid, o.gender, o.birthdate, p.voided
FROM {self.table("patient")} p
JOIN {self.table("person")} o ON o.person_id = p.patient_id""",
        )

    def encounter_context(self, chosen: Sequence[str] = ()) -> str:
        """Each encounter with what it hangs on: type, form, location, visit and its type, patient.

        One subquery for every table that needs any of it, so that Flink plans and runs it once: with
        `table.optimizer.reuse-optimize-block-with-digest-enabled` equal subqueries of a job become one.

        Args:
            chosen: predicates over its aliases. Few encounters as a rule: they are chosen first, in a subquery that
                is the table's own, so that the others do not pass through every join.
        """
        visit = self.add(
            "visit_context",
            f"""SELECT v.visit_id, v.uuid, v.date_started, v.date_stopped, v.voided,
  v.visit_type_id, t.name AS visit_type, t.uuid AS visit_type_uuid
FROM {self.table("visit")} v
JOIN {self.table("visit_type")} t ON t.visit_type_id = v.visit_type_id""",
        )
        kinds = [
            f"JOIN {self.table('encounter_type')} t ON t.encounter_type_id = e.encounter_type",
            f"LEFT JOIN {self.table('form')} f ON f.form_id = e.form_id",
            f"LEFT JOIN {self.table('location')} l ON l.location_id = e.location_id",
        ]
        facts = [
            f"JOIN {self.patient_context()} p ON p.patient_id = e.patient_id",
            f"LEFT JOIN {visit} v ON v.visit_id = e.visit_id",
        ]
        joins = [*kinds, *facts] if chosen else [*facts, *kinds]
        where = ["WHERE " + "\n  AND ".join(chosen)] if chosen else []
        # The ids are the encounter's own, so that a filter on them is one on the encounter itself.
        return self.add(
            "chosen_encounter" if chosen else "encounter_context",
            "\n".join(
                [
                    "SELECT e.encounter_id, e.uuid, e.encounter_datetime, e.voided, e.creator,",
                    "  e.encounter_type AS encounter_type_id, t.name AS encounter_type, t.uuid AS encounter_type_uuid,",
                    "  e.form_id, f.name AS form_name, f.uuid AS form_uuid, f.version AS form_version,",
                    "  e.location_id, l.name AS location, l.uuid AS location_uuid,",
                    "  v.visit_id, v.uuid AS visit_uuid, v.voided AS visit_voided,",
                    "  v.visit_type_id, v.visit_type, v.visit_type_uuid,",
                    "  v.date_started AS visit_date_started, v.date_stopped AS visit_date_stopped,",
                    "  e.patient_id, p.uuid AS patient_uuid, p.gender, p.birthdate, p.voided AS patient_voided",
                    f"FROM {self.table('encounter')} e",
                    *joins,
                    *where,
                ]
            ),
        )
