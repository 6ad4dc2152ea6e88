"""A dictionary as it is in the database, with the names of every locale, and how a site with its locales sees it.

Every origin of a dictionary (a dump, a server, an exported file) makes a Vocabulary, so that none of them
chooses names by rules of its own.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from ozone_gen.openmrs.dictionary import AttributeType, Concept, Dictionary, Named, NamedKind

Row = Mapping[str, Any]
"""A row of a table: the columns of `tables.DICTIONARY_TABLES`; numbers, texts and None, booleans as 0 and 1."""

NAMED_TABLES: Final = MappingProxyType(
    {
        NamedKind.ENCOUNTER_TYPE: "encounter_type",
        NamedKind.VISIT_TYPE: "visit_type",
        NamedKind.FORM: "form",
        NamedKind.LOCATION: "location",
    }
)
"""The table of each kind of things."""

SAME_AS: Final = "SAME-AS"
_TRUE: Final = "concept.true"
_FALSE: Final = "concept.false"


@dataclass(frozen=True, slots=True)
class LocaleName:
    """The best name of a concept in one locale.

    Attributes:
        locale: such as en or en_GB, as the database writes it.
        name: what people call it there.
        rank: how good a name it is, 0 being the best: 2 where it is not preferred, and 1 more where it is not
            the fully specified one.
    """

    locale: str
    name: str
    rank: int


@dataclass(frozen=True)
class Vocabulary:
    """A dictionary apart from any site.

    Attributes:
        nameless: the dictionary, whose concepts have no names yet.
        names: by concept id, the best name in each locale, sorted by locale.
    """

    nameless: Dictionary
    names: Mapping[int, tuple[LocaleName, ...]]

    def seen_in(self, locales: Sequence[str]) -> Dictionary:
        """The dictionary of a site with these locales, best first.

        Names are chosen as `flattening.subqueries.concept_label` does: the locales in their order, a locale
        before its regional variants, in each the preferred and the fully specified name first, and names in
        other locales only where there is none.
        """
        ranks, names = _Ranks(locales), self.names
        with without_collection():
            concepts = tuple(_named_concept(each, names.get(each.id, ()), ranks) for each in self.nameless.concepts)
        return replace(self.nameless, concepts=concepts)


class _Ranks(dict[str, int]):
    """The place of every locale in a site's order: two for each of the site's, then one for all others."""

    def __init__(self, locales: Sequence[str]) -> None:
        super().__init__()
        self.locales = tuple(locales)

    def __missing__(self, locale: str) -> int:
        rank = len(self.locales) * 2
        for place, wanted in enumerate(self.locales):
            if locale == wanted or locale.startswith(f"{wanted}_"):
                rank = place * 2 + (locale != wanted)
                break
        self[locale] = rank
        return rank


def _named_concept(concept: Concept, names: Sequence[LocaleName], ranks: _Ranks) -> Concept:
    if not names:
        return concept
    ordered = sorted(names, key=lambda each: (ranks[each.locale], each.rank, each.locale))
    by_locale: dict[str, str] = {}
    for each in ordered:
        place = ranks[each.locale] // 2
        if place < len(ranks.locales):
            by_locale.setdefault(ranks.locales[place], each.name)
    return replace(concept, name=ordered[0].name, names=by_locale)


def vocabulary(tables: Mapping[str, Iterable[Row]], origin: str) -> Vocabulary:
    """Put the rows of `tables.DICTIONARY_TABLES` together; `origin` says in messages whose they are.

    The order of the rows does not matter: the same rows give the same vocabulary.
    """
    concepts = _concepts(tables)
    properties = {row["property"].casefold(): row["property_value"] for row in tables["global_property"]}
    by_reference = {reference: each.id for each in concepts for reference in (str(each.id), each.uuid)}
    named = {kind: _named_things(tables[table], f"{table}_id") for kind, table in NAMED_TABLES.items()}
    dictionary = Dictionary(
        origin,
        concepts,
        MappingProxyType(named),
        tuple(sorted(row["name"] for row in tables["concept_reference_source"])),
        true_concept=by_reference.get((properties.get(_TRUE) or "").strip()),
        false_concept=by_reference.get((properties.get(_FALSE) or "").strip()),
        person_attribute_types=_attribute_types(tables["person_attribute_type"], "person", "format"),
        visit_attribute_types=_attribute_types(tables["visit_attribute_type"], "visit", "datatype"),
    )
    return Vocabulary(dictionary, _names(tables["concept_name"]))


def _concepts(tables: Mapping[str, Iterable[Row]]) -> tuple[Concept, ...]:
    datatypes = {row["concept_datatype_id"]: row["name"] for row in tables["concept_datatype"]}
    units = {row["concept_id"]: row["units"] or "" for row in tables["concept_numeric"]}
    answers = _ordered(tables["concept_answer"], "concept_id", "answer_concept", "concept_answer_id")
    members = _ordered(tables["concept_set"], "concept_set", "concept_id", "concept_set_id")
    codes = _codes(tables)
    rows = sorted(tables["concept"], key=lambda row: int(row["concept_id"]))
    return tuple(
        Concept(
            id=(own := row["concept_id"]),
            uuid=row["uuid"],
            datatype=datatypes.get(row["datatype_id"], ""),
            name="",
            codes=tuple(sorted(codes.get(own, ()))),
            units=units.get(own, ""),
            answers=answers.get(own, ()),
            members=members.get(own, ()),
            retired=bool(row["retired"]),
        )
        for row in rows
    )


def _codes(tables: Mapping[str, Iterable[Row]]) -> dict[int, set[str]]:
    """SOURCE:CODE of the SAME-AS mappings by concept, of retired terms too: the streaming SQL takes them as well."""
    sources = {row["concept_source_id"]: row["name"] for row in tables["concept_reference_source"]}
    terms = {
        row["concept_reference_term_id"]: f"{sources[row['concept_source_id']]}:{row['code']}"
        for row in tables["concept_reference_term"]
        if row["concept_source_id"] in sources
    }
    same = {row["concept_map_type_id"] for row in tables["concept_map_type"] if row["name"] == SAME_AS}
    codes: dict[int, set[str]] = defaultdict(set)
    for row in tables["concept_reference_map"]:
        if row["concept_map_type_id"] in same and row["concept_reference_term_id"] in terms:
            codes[row["concept_id"]].add(terms[row["concept_reference_term_id"]])
    return codes


def _ordered(rows: Iterable[Row], owner: str, owned: str, key: str) -> dict[int, tuple[int, ...]]:
    """Ids by the concept that they belong to, by weight (none first, as a database sorts it), then by age; once."""
    found: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
    for row in rows:
        if row[owned] is not None:
            weight = row["sort_weight"]
            found[row[owner]].append((float("-inf") if weight is None else weight, row[key], row[owned]))
    return {own: tuple(dict.fromkeys(each for *_, each in sorted(entries))) for own, entries in found.items()}


def _named_things(rows: Iterable[Row], key: str) -> tuple[Named, ...]:
    return tuple(
        Named(row[key], row["uuid"], row["name"], bool(row["retired"]), row.get("version") or "")
        for row in sorted(rows, key=lambda row: int(row[key]))
    )


def _attribute_types(rows: Iterable[Row], of: str, datatype: str) -> tuple[AttributeType, ...]:
    key = f"{of}_attribute_type_id"
    return tuple(
        AttributeType(row[key], row["uuid"], row["name"], row[datatype] or "", bool(row["retired"]))
        for row in sorted(rows, key=lambda row: int(row[key]))
    )


def _names(rows: Iterable[Row]) -> Mapping[int, tuple[LocaleName, ...]]:
    best: dict[tuple[int, str], tuple[int, int, str]] = {}
    for row in rows:
        if row["voided"] or row["concept_id"] is None:
            continue
        rank = (0 if row["locale_preferred"] else 2) + (row["concept_name_type"] != "FULLY_SPECIFIED")
        place = (row["concept_id"], row["locale"] or "")
        candidate = (rank, row["concept_name_id"], row["name"])
        if place not in best or candidate < best[place]:
            best[place] = candidate
    names: dict[int, list[LocaleName]] = defaultdict(list)
    for (concept, locale), (rank, _, name) in sorted(best.items()):
        names[concept].append(LocaleName(locale, name, rank))
    return MappingProxyType({concept: tuple(found) for concept, found in names.items()})


@contextmanager
def without_collection() -> Iterator[None]:
    """Make millions of small objects without cycles: Python's collector would look at them again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
