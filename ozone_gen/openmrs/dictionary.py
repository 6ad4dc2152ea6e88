"""The dictionary of an OpenMRS database: its concepts, and the other things that a table can be filtered by.

Checks and the plan read it where it is at hand; nothing else in the project asks where it came from.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property
from heapq import nlargest
from typing import Final


@dataclass(frozen=True, slots=True)
class Concept:
    """A concept.

    Attributes:
        id: its id in this database; another database has another one.
        uuid: 36 to 38 characters.
        datatype: the name of its datatype, such as Numeric or Coded.
        name: what people call it, in the best of the site's locales; empty where it has no name at all.
        codes: the SOURCE:CODE of each of its SAME-AS mappings, sorted.
        names: what people call it by locale of the site, where known.
        units: of a numeric concept, such as kg; empty where there are none.
        answers: ids of the concepts that may answer it, in their order.
        members: ids of the concepts of a set, in their order.
        retired: whether nobody should use it any more.
    """

    id: int
    uuid: str
    datatype: str
    name: str
    codes: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    units: str = ""
    answers: tuple[int, ...] = ()
    members: tuple[int, ...] = ()
    retired: bool = False


class NamedKind(StrEnum):
    """Things with a name and a uuid that a table can be filtered by; the value is what people call them."""

    ENCOUNTER_TYPE = "encounter type"
    VISIT_TYPE = "visit type"
    FORM = "form"
    LOCATION = "location"


@dataclass(frozen=True, slots=True)
class Named:
    """An encounter type, a visit type, a form or a location. Forms of several versions share their name.

    Attributes:
        id: its id in this database.
        uuid: 36 to 38 characters.
        name: as people know it.
        retired: whether nobody should use it any more.
        version: of a form, such as 1.2; empty for other things.
    """

    id: int
    uuid: str
    name: str
    retired: bool = False
    version: str = ""


@dataclass(frozen=True, slots=True)
class AttributeType:
    """What persons or visits can have beside their own columns.

    Attributes:
        id: its id in this database.
        uuid: 36 to 38 characters.
        name: as people know it.
        datatype: the Java class of its values, such as java.lang.String; empty where none is said.
        retired: whether nobody should use it any more.
    """

    id: int
    uuid: str
    name: str
    datatype: str = ""
    retired: bool = False


@dataclass(frozen=True)
class Dictionary:
    """What a site's own database calls things.

    Attributes:
        origin: in a message, whose concepts these are.
        concepts: all concepts.
        named: the things that tables can be filtered by.
        sources: names of the concept sources (terminologies), such as CIEL or ICD-10-WHO.
        true_concept: id of the concept that means true in observations of datatype Boolean; None where unknown.
        false_concept: id of the one that means false.
        person_attribute_types: what persons can have.
        visit_attribute_types: what visits can have.
        locked: whether it holds only what one file refers to, as a lock does, and not everything that there is.
    """

    origin: str
    concepts: tuple[Concept, ...]
    named: Mapping[NamedKind, tuple[Named, ...]] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    true_concept: int | None = None
    false_concept: int | None = None
    person_attribute_types: tuple[AttributeType, ...] = ()
    visit_attribute_types: tuple[AttributeType, ...] = ()
    locked: bool = False

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

    def close(self, reference: str, column: str = "") -> tuple[tuple[str, Concept], ...]:
        """Up to three references that may have been meant, best first, each with its concept.

        A slip of one character in a code or uuid is found, as is a name in place of a code (`CIEL:weight`).
        `column` is the name of the column that is to hold the concept's values: of several guesses those whose
        name fits it come first, and where nothing is close in spelling, it is taken for the concept's name.
        """
        guesses = self._spelt_alike(reference)
        if not guesses:
            words = _words(reference.rpartition(":")[2])
            guesses = self._called(words) if all(map(str.isalpha, words)) else []
        guesses = guesses or self._called(_words(column))
        rated = [(_likeness(_words(column), self._by_reference[known][0].name), known) for known in guesses]
        fitting = [known for rate, known in sorted(rated, key=lambda each: -each[0]) if rate] or guesses
        return tuple((known, self._by_reference[known][0]) for known in fitting[:3])

    @cached_property
    def _folded(self) -> dict[str, str]:
        """References by their text without capitals."""
        folded: dict[str, str] = {}
        for known in self._by_reference:
            folded.setdefault(known.casefold(), known)
        return folded

    def _spelt_alike(self, reference: str) -> list[str]:
        wanted = reference.casefold()
        source, colon, code = wanted.rpartition(":")
        sources = {known.rpartition(":")[0] for known in self._folded} if colon else set()
        if colon and source not in sources:
            # A code of another source is never a misspelling of this one, unless this source does not exist.
            others = get_close_matches(source, sorted(sources - {""}), n=3, cutoff=0.6)
            return [self._folded[each] for other in others if (each := f"{other}:{code}") in self._folded]
        close = (f"{source}{colon}{slip}" for slip in _slips(code))
        return [self._folded[each] for each in dict.fromkeys((wanted, *close)) if each in self._folded]

    def _called(self, words: frozenset[str]) -> list[str]:
        """References of the concepts whose names have most of the words; none where only a short one fits."""
        if not any(len(word) > _SHORT_WORD for word in words):
            return []
        rated = ((_likeness(words, each.name), -len(each.name), -each.id, each) for each in self.concepts)
        best = nlargest(3, (entry for entry in rated if entry[0] >= _ALIKE))
        return [(*sorted(each.codes, key=lambda code: not code.startswith("CIEL:")), each.uuid)[0] for *_, each in best]

    def find_named(self, kind: NamedKind, reference: str) -> tuple[Named, ...]:
        """The things of that kind with this name or uuid: none, one, or several of one name."""
        return tuple(each for each in self.named.get(kind, ()) if reference in (each.name, each.uuid))


_ALNUM: Final = "0123456789abcdefghijklmnopqrstuvwxyz-"
_WORD: Final = re.compile(r"[^\W_]+")
_SHORT_WORD: Final = 2  # letters; such as kg, of, id
_ALIKE: Final = 0.5


def _slips(code: str) -> Iterator[str]:
    """What may have been meant by a code with one slip: exchanged characters first, the commonest one in codes."""
    for first in range(len(code)):
        for second in range(first + 1, len(code)):
            swapped = list(code)
            swapped[first], swapped[second] = swapped[second], swapped[first]
            yield "".join(swapped)
    for at in range(len(code) + 1):
        yield code[:at] + code[at + 1 :]
        for letter in _ALNUM:
            yield code[:at] + letter + code[at:]
            yield code[:at] + letter + code[at + 1 :]


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _likeness(words: frozenset[str], name: str) -> float:
    """How many of the words a name has, 0 to 1; short ones count little."""
    if not words or not name:
        return 0.0
    has = _words(name)
    weights = {word: 1.0 if len(word) > _SHORT_WORD else 0.1 for word in words}
    return sum(weight for word, weight in weights.items() if word in has) / sum(weights.values())
