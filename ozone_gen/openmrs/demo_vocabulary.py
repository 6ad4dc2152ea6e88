"""The dictionary of the demo data, without making the data."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from types import MappingProxyType

from ozone_gen.openmrs.demo import metadata
from ozone_gen.openmrs.demo.dictionary import Concept as DemoConcept
from ozone_gen.openmrs.demo.dictionary import concept_id, concepts
from ozone_gen.openmrs.dictionary import AttributeType, Concept, Dictionary, Named, NamedKind
from ozone_gen.openmrs.vocabulary import SAME_AS, LocaleName, Vocabulary


@cache
def demo_vocabulary() -> Vocabulary:
    """What `vocabulary` makes of the demo data's own rows; a test compares the two."""
    every = sorted(concepts().values(), key=lambda each: each.id)
    dictionary = Dictionary(
        "the demo data",
        tuple(
            Concept(
                each.id,
                each.uuid,
                each.datatype,
                "",
                tuple(sorted(f"{code.source}:{code.code}" for code in each.mappings if code.map_type == SAME_AS)),
                units=each.numeric.units if each.numeric else "",
                answers=each.answers,
                members=each.members,
                retired=each.retired,
            )
            for each in every
        ),
        MappingProxyType(
            {
                NamedKind.ENCOUNTER_TYPE: _named(metadata.ENCOUNTER_TYPES),
                NamedKind.VISIT_TYPE: _named(metadata.VISIT_TYPES),
                NamedKind.FORM: _named(metadata.FORMS),
                NamedKind.LOCATION: _named(metadata.LOCATIONS),
            }
        ),
        tuple(sorted(name for _, name, *_ in metadata.CONCEPT_SOURCES)),
        true_concept=concept_id("TRUE"),
        false_concept=concept_id("FALSE"),
        person_attribute_types=_attribute_types(metadata.PERSON_ATTRIBUTE_TYPES),
        visit_attribute_types=_attribute_types(metadata.VISIT_ATTRIBUTE_TYPES),
    )
    return Vocabulary(dictionary, MappingProxyType({each.id: _names(each) for each in every if each.names}))


@cache
def demo_dictionary(locales: tuple[str, ...] = ("en",)) -> Dictionary:
    """The dictionary of the demo data, as a site with these locales sees it."""
    return demo_vocabulary().seen_in(locales)


def _named(rows: Iterable[metadata.Named]) -> tuple[Named, ...]:
    return tuple(
        Named(each.id, each.uuid, each.name, each.retired, each.version if isinstance(each, metadata.Form) else "")
        for each in sorted(rows, key=lambda each: each.id)
    )


def _attribute_types(types: Iterable[tuple[metadata.Named, str]]) -> tuple[AttributeType, ...]:
    made = (AttributeType(each.id, each.uuid, each.name, datatype or "", each.retired) for each, datatype in types)
    return tuple(sorted(made, key=lambda each: each.id))


def _names(concept: DemoConcept) -> tuple[LocaleName, ...]:
    best: dict[str, tuple[int, int, str]] = {}
    for each in concept.names:
        rank = (0 if each.preferred else 2) + (each.kind != "FULLY_SPECIFIED")
        candidate = (rank, each.id, each.name)
        if not each.voided and (each.locale not in best or candidate < best[each.locale]):
            best[each.locale] = candidate
    return tuple(LocaleName(locale, name, rank) for locale, (rank, _, name) in sorted(best.items()))
