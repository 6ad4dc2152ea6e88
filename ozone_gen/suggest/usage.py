"""What observations a database holds: which concepts occur in which encounters and obs groups, and how often."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ConceptUsage:
    """How often a concept occurs in rows of one sort.

    Attributes:
        concept: its id.
        rows: how many rows have an observation of it.
        observations: how many observations there are.
        several: how many rows have more than one.
        most: how many the row with the most of them has.
        answers: ids of the concepts that were its coded answers.
    """

    concept: int
    rows: int
    observations: int
    several: int = 0
    most: int = 1
    answers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class RowUsage:
    """How many rows of one sort there are, and which concepts occur in them; the most used first."""

    rows: int
    concepts: tuple[ConceptUsage, ...] = ()

    @property
    def observations(self) -> int:
        """How many observations the rows have."""
        return sum(each.observations for each in self.concepts)


@dataclass(frozen=True)
class Usage:
    """What was counted; voided observations and encounters, and those of voided patients, are left out.

    Attributes:
        encounters: by the ids of the encounter type and of the form (None where there is none).
        groups: by the concept of the obs group.
        observations: how many there are in all.
        outside: how many of them belong to no encounter.
    """

    encounters: Mapping[tuple[int, int | None], RowUsage]
    groups: Mapping[int, RowUsage] = field(default_factory=dict)
    observations: int = 0
    outside: int = 0

    def of_types(self) -> dict[int, RowUsage]:
        """The encounters by their type."""
        return _merged((kind, usage) for (kind, _), usage in self.encounters.items())

    def of_forms(self) -> dict[int, RowUsage]:
        """The encounters that have a form by that form."""
        return _merged((form, usage) for (_, form), usage in self.encounters.items() if form is not None)


def together(usages: Iterable[RowUsage]) -> RowUsage:
    """The usage of rows of several sorts, none of which is a row of another."""
    rows = 0
    parts: dict[int, list[ConceptUsage]] = defaultdict(list)
    for usage in usages:
        rows += usage.rows
        for each in usage.concepts:
            parts[each.concept].append(each)
    return RowUsage(rows, most_used_first(_sum(concept, each) for concept, each in parts.items()))


def most_used_first(usages: Iterable[ConceptUsage]) -> tuple[ConceptUsage, ...]:
    """Concepts by the rows that have them, then by observations; the older concept first where they are equal."""
    return tuple(sorted(usages, key=lambda each: (-each.rows, -each.observations, each.concept)))


def _merged(parts: Iterable[tuple[int, RowUsage]]) -> dict[int, RowUsage]:
    by_key: dict[int, list[RowUsage]] = defaultdict(list)
    for key, usage in parts:
        by_key[key].append(usage)
    return {key: together(usages) for key, usages in by_key.items()}


def _sum(concept: int, parts: list[ConceptUsage]) -> ConceptUsage:
    counts: Counter[str] = Counter()
    for each in parts:
        counts.update(rows=each.rows, observations=each.observations, several=each.several)
    return ConceptUsage(
        concept,
        counts["rows"],
        counts["observations"],
        counts["several"],
        max(each.most for each in parts),
        frozenset().union(*(each.answers for each in parts)),
    )
