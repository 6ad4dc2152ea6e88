"""What several tables say of a person, and of attributes."""

from __future__ import annotations

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.subqueries import Subqueries


def attribute_list(
    subqueries: Subqueries,
    name: str,
    *,
    owner: str,
    attribute: str,
    attribute_id: str,
    attribute_type: str,
    type_key: tuple[str, str],
    value: str,
    concept_test: str,
) -> str:
    """Add `owner, attributes`: "Type: value" of the not voided attributes, oldest first; concepts by name."""
    own_key, foreign_key = type_key
    concepts = subqueries.concept_text()
    element = sql.list_element(
        sql.id_key(f"a.{attribute_id}"),
        f"t.name, ': ', COALESCE(c.label, a.{value})",
    )
    return subqueries.add(
        name,
        f"""SELECT a.{owner}, {sql.ordered_list(f"ARRAY_AGG({element})", 11, " / ")} AS attributes
FROM {subqueries.table(attribute)} a
JOIN {subqueries.table(attribute_type)} t ON t.{own_key} = a.{foreign_key}
LEFT JOIN {concepts} c ON {concept_test} AND c.reference = a.{value}
WHERE {sql.is_false("a.voided")} AND a.{value} IS NOT NULL
GROUP BY a.{owner}""",
    )


def best_of_person(subqueries: Subqueries, table: str, key: str) -> str:
    """Add each person's one row of `table`: the preferred not voided one, else the oldest not voided."""
    return subqueries.add(
        f"best_{table}",
        f"""SELECT * FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY person_id
    ORDER BY CASE WHEN {sql.is_true("preferred")} THEN 0 ELSE 1 END, date_created, {key}
  ) AS place
  FROM {subqueries.table(table)}
  WHERE {sql.is_false("voided")}
)
WHERE place = 1""",
    )
