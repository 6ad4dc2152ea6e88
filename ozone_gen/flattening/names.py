"""How a query knows the concepts and types that ozone.yaml refers to.

With a lock they are literals of the site's own ids: nothing is looked up while rows flow. Without one the query
joins the tables that hold them. Both give the same rows as long as the dictionary stays as it was locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.openmrs.dictionary import Dictionary, NamedKind


class Names(Protocol):
    """How the references of one table become SQL."""

    literal: bool
    """Whether references are known ids; else they are looked up while rows flow."""

    none: str
    """A literal of the type of `named` that names nothing."""

    truth: tuple[int, int] | None
    """Ids of the concepts that mean true and false, where they are known."""

    def naming(self, alias: str, concept_id: str) -> tuple[str, str]:
        """Return a join that finds out which reference names a concept, and the expression of it.

        Args:
            alias: the joined table's alias, where there is a join.
            concept_id: the column that holds the concept's id.
        """

    def named(self, column: str, references: Iterable[str]) -> str:
        """Say that a `naming` expression is one of the references."""

    def concept_in(self, concept_id: str, references: Iterable[str]) -> str:
        """Say that a column holds the id of one of the referenced concepts; each row is kept once."""

    def one_of(self, kind: NamedKind, columns: NamedColumns, references: Sequence[str]) -> str:
        """Say that a thing is one of these types, forms or locations."""


class NamedColumns(NamedTuple):
    """The columns that hold the id, the name and the uuid of a type, a form or a location."""

    id: str
    name: str
    uuid: str


class LiteralNames:
    """References as ids of a dictionary in which each was found."""

    literal = True
    none = "0"

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self.truth: tuple[int, int] | None = None
        if dictionary.true_concept is not None and dictionary.false_concept is not None:
            self.truth = dictionary.true_concept, dictionary.false_concept

    def _ids(self, references: Iterable[str]) -> list[int]:
        return sorted({concept.id for each in references for concept in self._dictionary.find(each)})

    def naming(self, alias: str, concept_id: str) -> tuple[str, str]:
        """See Names."""
        return "", concept_id

    def named(self, column: str, references: Iterable[str]) -> str:
        """See Names."""
        return _among(column, [str(each) for each in self._ids(references)])

    def concept_in(self, concept_id: str, references: Iterable[str]) -> str:
        """See Names."""
        return self.named(concept_id, references)

    def one_of(self, kind: NamedKind, columns: NamedColumns, references: Sequence[str]) -> str:
        """See Names."""
        found = {each.id for reference in references for each in self._dictionary.find_named(kind, reference)}
        return _among(columns.id, [str(each) for each in sorted(found)])


class StreamedNames:
    """References that are looked up while rows flow."""

    literal = False
    none = "''"
    truth: tuple[int, int] | None = None

    def __init__(self, subqueries: Subqueries, references: Iterable[str]) -> None:
        """`references` are all concepts that the table refers to."""
        self._subqueries = subqueries
        self._references = sorted(set(references))

    def _wanted(self) -> str:
        """Add `reference, concept_id`: the concept of each reference, once."""
        subqueries = self._subqueries
        mapped = [reference for reference in self._references if ":" in reference]
        uuids = [reference for reference in self._references if ":" not in reference]
        ways = []
        # With one reference alone Flink 2.2 takes the column for a constant, and where another table's lookup is of
        # the same shape (table.optimizer.reuse-optimize-block-with-digest-enabled) concludes that nothing is found:
        # all cells are empty. So each list has a text, too, that nothing has.
        if uuids:
            ways.append(
                f"SELECT uuid AS reference, concept_id FROM {subqueries.table('concept')}"
                f" WHERE uuid IN {sql.literals([*uuids, ''])}"
            )
        if mapped:
            ways.append(
                f"SELECT CONCAT(source, ':', code) AS reference, concept_id FROM {subqueries.mapping()}"
                f" WHERE same_as AND CONCAT(source, ':', code) IN {sql.literals([*mapped, ''])}"
            )
        union = "\n  UNION ALL\n  ".join(ways)
        # A concept of several mappings to one code, or a code of several concepts, must not multiply cells.
        return subqueries.add(
            "wanted_concept",
            f"SELECT reference, {sql.least('concept_id')} AS concept_id\nFROM (\n  {union}\n)\nGROUP BY reference",
        )

    def naming(self, alias: str, concept_id: str) -> tuple[str, str]:
        """See Names."""
        return f"JOIN {self._wanted()} {alias} ON {alias}.concept_id = {concept_id}", f"{alias}.reference"

    def named(self, column: str, references: Iterable[str]) -> str:
        """See Names."""
        return _among(column, [sql.literal(each) for each in sorted(set(references))])

    def concept_in(self, concept_id: str, references: Iterable[str]) -> str:
        """See Names."""
        wanted = f"SELECT concept_id FROM {self._wanted()} WHERE {self.named('reference', references)}"
        return f"{concept_id} IN ({wanted})"

    def one_of(self, kind: NamedKind, columns: NamedColumns, references: Sequence[str]) -> str:
        """See Names."""
        texts = [sql.literal(each) for each in references]
        return f"({_among(columns.name, texts)} OR {_among(columns.uuid, texts)})"


def _among(column: str, literals: Sequence[str]) -> str:
    if len(literals) == 1:
        return f"{column} = {literals[0]}"
    # A reference that nothing has (a filter of an older dictionary) chooses nothing, as it does while streaming.
    return f"{column} IN ({', '.join(literals)})" if literals else "FALSE"
