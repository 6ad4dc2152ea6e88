"""The dictionary of an OpenMRS database: the concepts and encounter types that it has.

Checks and the plan read it where it is at hand; nothing else in the project asks where it came from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, cached_property
from itertools import islice


@dataclass(frozen=True, slots=True)
class Concept:
    """A concept.

    Attributes:
        id: its id in this database; another database has another one.
        uuid: 36 to 38 characters.
        datatype: the name of its datatype, such as Numeric or Coded.
        name: what people call it, in one locale.
        codes: the SOURCE:CODE of each of its SAME-AS mappings.
    """

    id: int
    uuid: str
    datatype: str
    name: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EncounterType:
    """An encounter type."""

    uuid: str
    name: str


@dataclass(frozen=True)
class Dictionary:
    """Concepts and encounter types; `origin` says in a message what they are those of."""

    origin: str
    concepts: tuple[Concept, ...]
    encounter_types: tuple[EncounterType, ...]

    @cached_property
    def _by_reference(self) -> dict[str, list[Concept]]:
        found: dict[str, list[Concept]] = defaultdict(list)
        for concept in self.concepts:
            for reference in dict.fromkeys((concept.uuid, *concept.codes)):
                found[reference].append(concept)
        return dict(found)

    def find(self, reference: str) -> tuple[Concept, ...]:
        """The concepts of a uuid or SOURCE:CODE: none, one, or several where the reference is ambiguous."""
        return tuple(self._by_reference.get(reference, ()))

    def close(self, reference: str) -> tuple[tuple[str, Concept], ...]:
        """Up to three references that may have been meant, best first, each with its concept.

        A name in place of a code, as in `CIEL:weight`, finds the concepts of that name.
        """
        wanted = reference.casefold()
        source, colon, code = wanted.rpartition(":")
        by_folded: dict[str, str] = {}
        for known in self._by_reference:
            by_folded.setdefault(known.casefold(), known)
        sources = {folded.rpartition(":")[0] for folded in by_folded}
        # A code of another source is never a misspelling of this one, unless this source does not exist.
        usable = [
            folded
            for folded in by_folded
            if (":" in folded) == bool(colon) and (source not in sources or folded.rpartition(":")[0] == source)
        ]
        letters = sorted(wanted)
        # Exchanged digits are the commonest slip in codes, and difflib rates them no better than any other.
        close = [folded for folded in usable if sorted(folded) == letters]
        close = close or get_close_matches(wanted, usable, n=3, cutoff=0.8)
        if close:
            return tuple((by_folded[each], self._by_reference[by_folded[each]][0]) for each in close[:3])
        named = (concept for concept in self.concepts if len(code) > 2 and code in concept.name.casefold())
        return tuple(((*concept.codes, concept.uuid)[0], concept) for concept in islice(named, 3))

    def encounter_type(self, reference: str) -> EncounterType | None:
        """The encounter type of a name or uuid."""
        return self._encounter_types.get(reference)

    @cached_property
    def _encounter_types(self) -> dict[str, EncounterType]:
        by_name = {each.name: each for each in reversed(self.encounter_types)}
        return by_name | {each.uuid: each for each in self.encounter_types}


@cache
def demo_dictionary() -> Dictionary:
    """The dictionary of the demo data."""
    from ozone_gen.openmrs.demo.dictionary import Concept as DemoConcept
    from ozone_gen.openmrs.demo.dictionary import concepts
    from ozone_gen.openmrs.demo.metadata import ENCOUNTER_TYPES

    def name(concept: DemoConcept) -> str:
        usable = [each for each in concept.names if not each.voided]
        best = [each for each in usable if each.preferred] or usable
        return best[0].name if best else concept.key

    def codes(concept: DemoConcept) -> Iterable[str]:
        return (f"{each.source}:{each.code}" for each in concept.mappings if each.map_type == "SAME-AS")

    return Dictionary(
        "the demo data",
        tuple(
            Concept(each.id, each.uuid, each.datatype, name(each), tuple(codes(each)))
            for each in concepts().values()
        ),
        tuple(EncounterType(each.uuid, each.name) for each in ENCOUNTER_TYPES),
    )
