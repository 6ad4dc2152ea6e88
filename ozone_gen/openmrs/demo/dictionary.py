"""The demo dictionary as objects: concepts with names, mappings, answers and members.

The demo data use no other concepts. It is built on first use, so importing this module costs nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from ozone_gen.openmrs.demo import terms

CIEL: Final = "CIEL"
DEMO: Final = "DEMO"
"""Source of the concepts that were made up for the demo."""

LOCALES: Final = ("en", "fr", "sw")
"""Locales in which concepts have names; none has all for certain."""

_MAP_TYPES: Final = {"=": "SAME-AS", "<": "NARROWER-THAN", ">": "BROADER-THAN"}


@dataclass(frozen=True, slots=True)
class ConceptName:
    """One name: `kind` is FULLY_SPECIFIED, SHORT or None (a synonym)."""

    id: int
    uuid: str
    name: str
    locale: str
    kind: str | None
    preferred: bool
    voided: bool


@dataclass(frozen=True, slots=True)
class ConceptMapping:
    """A code in another terminology: `map_type` is SAME-AS, NARROWER-THAN or BROADER-THAN."""

    source: str
    code: str
    map_type: str


@dataclass(frozen=True, slots=True)
class NumericBounds:
    """What a numeric concept takes: absolute bounds, unit, and whether fractions are allowed."""

    low: float | None
    high: float | None
    units: str
    allow_decimal: bool


@dataclass(frozen=True, slots=True)
class Concept:
    """A concept; answers and members are concept ids in their order."""

    key: str
    id: int
    uuid: str
    datatype: str
    concept_class: str
    names: tuple[ConceptName, ...]
    mappings: tuple[ConceptMapping, ...]
    answers: tuple[int, ...]
    members: tuple[int, ...]
    numeric: NumericBounds | None
    handler: str | None
    description: str | None
    retired: bool


def made_up_uuid(of: str) -> str:
    """A uuid that looks random and is always the same for the same words."""
    digest = hashlib.md5(of.encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:]}"


def _names(key: str, by_locale: tuple[str, ...], first_id: int) -> Iterator[ConceptName]:
    for locale, text in zip(LOCALES, by_locale, strict=True):
        words = text.split("|") if text else []
        other_preferred = any(word.startswith("*") for word in words)
        for position, word in enumerate(words):
            mark = word[0] if word[0] in "*~!" else ""
            name = word.removeprefix(mark)
            kind = "SHORT" if mark == "~" else None if position else "FULLY_SPECIFIED"
            preferred = mark == "*" or (position == 0 and not other_preferred)
            yield ConceptName(
                first_id,
                made_up_uuid(f"name {key} {locale} {name}"),
                name,
                locale,
                kind,
                preferred,
                mark == "!",
            )
            first_id += 1


def _mappings(key: str, text: str) -> tuple[ConceptMapping, ...]:
    mappings = [ConceptMapping(CIEL if key.isdigit() else DEMO, key, "SAME-AS")]
    for part in text.split("; ") if text else ():
        at = next(position for position, letter in enumerate(part) if letter in _MAP_TYPES)
        mappings.append(ConceptMapping(part[:at], part[at + 1 :], _MAP_TYPES[part[at]]))
    return tuple(mappings)


def _terms() -> tuple[terms.Term, ...]:
    diagnoses = (
        (key, own_id, "N/A", "Diagnosis", mappings, english, french, swahili)
        for key, own_id, mappings, english, french, swahili in terms.DIAGNOSES
    )
    return (*terms.QUESTIONS, *terms.ANSWERS_ONLY, *diagnoses)


@cache
def concepts() -> Mapping[str, Concept]:
    """Every concept by its key: the CIEL number, or a word for concepts that are not of CIEL."""
    rows = _terms()
    ids = {row[0]: row[1] or int(row[0]) for row in rows}
    found = {}
    next_name = 101
    for key, _, datatype, concept_class, mappings, *by_locale in rows:
        names = tuple(_names(key, tuple(by_locale), next_name))
        next_name += len(names)
        padded = key.isdigit() and key not in terms.OWN_UUIDS
        found[key] = Concept(
            key=key,
            id=ids[key],
            uuid=key.ljust(36, "A") if padded else made_up_uuid(f"concept {key}"),
            datatype=datatype,
            concept_class=concept_class,
            names=names,
            mappings=_mappings(key, mappings),
            answers=tuple(ids[answer] for answer in terms.ANSWERS.get(key, "").split()),
            members=tuple(ids[member] for member in terms.MEMBERS.get(key, "").split()),
            numeric=NumericBounds(*terms.NUMERIC[key]) if key in terms.NUMERIC else None,
            handler=terms.COMPLEX_HANDLERS.get(key),
            description=terms.DESCRIPTIONS.get(key),
            retired=key in terms.RETIRED,
        )
    return MappingProxyType(found)


def concept_id(key: str) -> int:
    """The id of the concept of that key; KeyError when there is none."""
    return concepts()[key].id


def concept_ids(*keys: str) -> tuple[int, ...]:
    """The ids of several concepts, in the order of the keys."""
    return tuple(concepts()[key].id for key in keys)
