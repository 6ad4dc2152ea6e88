"""How a suggested table refers to concepts and other things, so that exactly the meant one is found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from ozone_gen.diagnostics import OzoneError, Position, codes, did_you_mean
from ozone_gen.openmrs.dictionary import Concept, Dictionary, Named, NamedKind
from ozone_gen.values import CONCEPT_PATTERN, LINE_PATTERN

PREFERRED_SOURCE: Final = "CIEL"
"""The dictionary that most OpenMRS sites share: what is written in its codes can be used elsewhere."""

_LONGEST_LINE: Final = 255  # characters; see spec.Line
_DIGITS: Final = re.compile(r"(\d+)")


class References:
    """Chooses references; `source` is the concept source to write codes of, where a concept has one.

    Raises OzoneError where the dictionary has no such source.
    """

    def __init__(self, dictionary: Dictionary, source: str = "") -> None:
        self._dictionary = dictionary
        self.source = self._known(source) if source else ""

    def concept(self, concept: Concept) -> str | None:
        """The concept's best SAME-AS mapping that no other concept has, else its uuid; None where neither will do."""
        ranks = self._ranks
        ordered = sorted(concept.codes, key=lambda code: (ranks[code.rpartition(":")[0]], _in_number_order(code)))
        for reference in (*ordered, concept.uuid):
            # A code with spaces or quotes, or of a source with a colon in its name, cannot be written.
            if _is_written(CONCEPT_PATTERN, reference) and len(self._dictionary.find(reference)) == 1:
                return reference
        return None

    def named(self, kind: NamedKind, things: Sequence[Named]) -> tuple[str, ...]:
        """References to all of `things`, which share their name: that name, where nothing else has it; else uuids."""
        name = things[0].name
        if (
            name.strip()
            and len(name) <= _LONGEST_LINE
            and _is_written(LINE_PATTERN, name)
            and set(self._dictionary.find_named(kind, name)) == set(things)
        ):
            return (name,)
        return tuple(each.uuid for each in things)

    def _known(self, source: str) -> str:
        for each in self._dictionary.sources:
            if each.casefold() == source.casefold():
                return each
        message = f"there is no concept source `{source}` in {self._dictionary.origin}"
        hint = did_you_mean(source, self._dictionary.sources)
        raise OzoneError(codes.UnknownReference.at(Position("--source"), message, hint=hint))

    @cached_property
    def _ranks(self) -> dict[str, tuple[int, int, str]]:
        """The place of each source: the wanted one, CIEL, and the others by how many concepts they have codes for."""
        counts = Counter(
            source
            for concept in self._dictionary.concepts
            for source in {code.rpartition(":")[0] for code in concept.codes}
        )
        first = [self.source, PREFERRED_SOURCE]
        return {
            source: (first.index(source) if source in first else len(first), -number, source)
            for source, number in counts.items()
        }


def _is_written(pattern: str, text: str) -> bool:
    """Whether ozone.yaml can hold a text; half a surrogate pair, as a JSON file may have, is no text at all."""
    return re.fullmatch(pattern, text) is not None and not any("\ud800" <= each <= "\udfff" for each in text)


def _in_number_order(code: str) -> list[tuple[int, str]]:
    """CIEL:5 before CIEL:10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in _DIGITS.split(code)]
