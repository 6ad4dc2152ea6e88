"""Decide the tables: which there are, their columns, and what is said about each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ozone_gen.flattening.core import CORE_TABLES
from ozone_gen.flattening.declared import DATATYPES, Answers, ColumnType, Grain, Repeat
from ozone_gen.flattening.grains import GRAINS
from ozone_gen.flattening.sink_names import SYSTEM_COLUMNS
from ozone_gen.openmrs.dictionary import Concept, Dictionary, Named, NamedKind
from ozone_gen.suggest.names import Names
from ozone_gen.suggest.references import References
from ozone_gen.suggest.usage import ConceptUsage, RowUsage, Usage, together

MOST_COLUMNS: Final = 250
"""Columns of a suggested table: more are only listed. PostgreSQL takes 1600, people far fewer."""

OFTEN_SEVERAL: Final = 0.01
"""From this share of rows with several observations on, the column says what becomes of them."""


class By(StrEnum):
    """What a table is made for."""

    ENCOUNTER_TYPE = "encounter-type"
    FORM = "form"
    GROUP = "group"

    @property
    def words(self) -> str:
        """What people call it."""
        return {By.ENCOUNTER_TYPE: "encounter type", By.FORM: "form", By.GROUP: "obs group"}[self]

    @property
    def prefix(self) -> str:
        """What tells its table from one of the same name."""
        return self.value.partition("-")[0]

    @property
    def grain(self) -> Grain:
        """What a row of such a table is."""
        return Grain.OBS_GROUP if self is By.GROUP else Grain.ENCOUNTER

    @property
    def rows(self) -> str:
        """What people call several rows of such a table."""
        return "groups" if self is By.GROUP else "encounters"


@dataclass(frozen=True, slots=True)
class SuggestedColumn:
    """A column, ready to be declared.

    Attributes:
        name: unique in its table.
        declaration: its value in ozone.yaml.
        usage: how often its concept occurs; None where nothing was counted.
        comment: what a person should know.
    """

    name: str
    declaration: Mapping[str, str]
    usage: ConceptUsage | None
    comment: str


@dataclass(frozen=True)
class SuggestedTable:
    """A table, ready to be declared.

    Attributes:
        by: what it is made for.
        what: the name of that.
        name: unique in the schema.
        declaration: its keys in ozone.yaml, apart from the columns.
        columns: the columns, the most used first.
        rare: columns that so few rows have that they are only listed.
        valueless: how many concepts that occur have no value that a column can hold, apart from groups.
        usage: its rows; None where nothing was counted.
    """

    by: By
    what: str
    name: str
    declaration: Mapping[str, str | tuple[str, ...]]
    columns: tuple[SuggestedColumn, ...]
    rare: tuple[SuggestedColumn, ...]
    valueless: int
    usage: RowUsage | None


@dataclass(frozen=True)
class Found:
    """Something that a table could be made for, how it is used where that is known, and why it has no table."""

    by: By
    what: str
    usage: RowUsage | None
    table: SuggestedTable | None = None
    why_not: str = ""


@dataclass(frozen=True)
class Suggestion:
    """What was found, each with its table: encounter types, forms, obs groups; of each the most used first."""

    found: tuple[Found, ...]

    @property
    def tables(self) -> tuple[SuggestedTable, ...]:
        """The tables."""
        return tuple(each.table for each in self.found if each.table is not None)


def suggest(
    dictionary: Dictionary,
    usage: Usage,
    references: References,
    *,
    by: Collection[By] = (),
    min_share: float = 0.0,
) -> Suggestion:
    """Suggest tables for what was counted.

    `by`: what to make tables for; empty for all that makes sense, which leaves out tables that would say again what
    another says. `min_share`: a concept that a smaller share of the rows has becomes no column.
    """
    maker = _Maker(dictionary, references, usage, min_share)
    found: list[Found] = []
    if not by or By.ENCOUNTER_TYPE in by:
        found += maker.encounter_types()
    if not by or By.FORM in by:
        found += maker.forms(again=bool(by))
    if not by or By.GROUP in by:
        found += maker.groups(again=bool(by))
    return Suggestion(tuple(found))


class _Maker:
    """Makes tables, each with a name of its own."""

    def __init__(
        self, dictionary: Dictionary, references: References, usage: Usage, min_share: float
    ) -> None:
        self._references = references
        self._dictionary = dictionary
        self._usage = usage
        self._min_share = min_share
        self._concepts = {concept.id: concept for concept in dictionary.concepts}
        self._names = Names(CORE_TABLES)

    def encounter_types(self) -> Iterator[Found]:
        """Each encounter type that occurs."""
        for types, rows in self._named(NamedKind.ENCOUNTER_TYPE, self._usage.of_types()):
            chosen = self._references.named(NamedKind.ENCOUNTER_TYPE, types)
            yield self._found_named(By.ENCOUNTER_TYPE, types[0], rows, {"encounter_types": chosen})

    def forms(self, *, again: bool) -> Iterator[Found]:
        """Each form that occurs; `again` also where its encounters are just those of an encounter type."""
        types = self._usage.of_types()
        for forms, rows in self._named(NamedKind.FORM, self._usage.of_forms()):
            ids = {form.id for form in forms}
            of_types = {kind for kind, form in self._usage.encounters if form in ids}
            if not again and len(of_types) == 1 and types[of_types.pop()].rows == rows.rows:
                yield Found(By.FORM, forms[0].name, rows, why_not="same rows as its encounter type")
            else:
                chosen = self._references.named(NamedKind.FORM, forms)
                yield self._found_named(By.FORM, forms[0], rows, {"forms": chosen})

    def groups(self, *, again: bool) -> Iterator[Found]:
        """Each obs group that occurs; `again` also where it is never twice in an encounter."""
        repeated = {
            each.concept for rows in self._usage.encounters.values() for each in rows.concepts if each.several
        }
        for group, rows in sorted(self._usage.groups.items(), key=lambda item: (-item[1].observations, item[0])):
            concept = self._concepts.get(group)
            reference = self._references.concept(concept) if concept else None
            if concept is None or reference is None:
                continue
            if not again and group not in repeated:
                yield Found(By.GROUP, concept.name or reference, rows, why_not="never twice in an encounter")
            else:
                names = tuple(filter(None, (concept.name, *concept.names.values())))
                yield self._found(By.GROUP, names, name_of_code(reference), rows, {"group": reference})

    def _named(
        self, kind: NamedKind, usages: Mapping[int, RowUsage]
    ) -> Iterator[tuple[tuple[Named, ...], RowUsage]]:
        """The things of a kind that occur, those of one name together where they are forms; the most used first."""
        by_name: dict[str, list[Named]] = defaultdict(list)
        for thing in self._dictionary.named.get(kind, ()):
            if thing.id in usages:
                # The versions of a form share their name, and a table is of them all.
                by_name[thing.name if kind is NamedKind.FORM else thing.uuid].append(thing)
        pairs = [(tuple(things), together(usages[each.id] for each in things)) for things in by_name.values()]
        return iter(sorted(pairs, key=lambda pair: (-pair[1].observations, -pair[1].rows, pair[0][0].id)))

    def _found_named(self, by: By, thing: Named, usage: RowUsage, chosen: Mapping[str, tuple[str, ...]]) -> Found:
        return self._found(by, (thing.name,), name_of_code(thing.uuid, by.prefix), usage, chosen)

    def _found(
        self,
        by: By,
        names: tuple[str, ...],
        last_resort: str,
        usage: RowUsage,
        chosen: Mapping[str, str | tuple[str, ...]],
    ) -> Found:
        """What was found of something, the best of its names first, with its table where it has columns."""
        what = next(filter(None, names), last_resort)
        if not usage.observations:
            return Found(by, what, usage, why_not="no observations")
        columns = Columns(by, self._references)
        enough: list[SuggestedColumn] = []
        rare: list[SuggestedColumn] = []
        for each in usage.concepts:
            column = columns.column(self._concepts.get(each.concept), usage.rows, each)
            if column is not None:
                wanted = each.rows >= self._min_share * usage.rows and len(enough) < MOST_COLUMNS
                (enough if wanted else rare).append(column)
        if not enough and not rare:
            return Found(by, what, usage, why_not="no values that a column can hold")
        name = self._names.name(names, by.prefix, last_resort, numbered=False)
        groups = sum(each.concept in self._usage.groups for each in usage.concepts)
        valueless = len(usage.concepts) - len(enough) - len(rare) - groups
        declaration = {"rows": by.grain.value, **chosen}
        table = SuggestedTable(by, what, name, declaration, tuple(enough), tuple(rare), valueless, usage)
        return Found(by, what, usage, table)


class Columns:
    """Makes the columns of one table."""

    def __init__(self, by: By, references: References) -> None:
        self._by = by
        self._references = references
        self._names = Names({*SYSTEM_COLUMNS, *(column.name for column in GRAINS[by.grain].context)})

    def column(
        self, concept: Concept | None, rows: int = 0, usage: ConceptUsage | None = None
    ) -> SuggestedColumn | None:
        """The column of a concept, `usage` of it in so many rows; None where no column can hold its observations."""
        kind = DATATYPES.get(concept.datatype) if concept else None
        reference = self._references.concept(concept) if concept else None
        if concept is None or kind is None or reference is None:
            return None
        declaration = {"concept": reference, "type": str(kind)}
        if kind is ColumnType.CODED:
            declaration["value"] = "name"
        if usage is not None and usage.several >= OFTEN_SEVERAL * usage.rows and usage.several:
            declaration |= _several(kind)
        names = (concept.name, *concept.names.values())
        name = self._names.name(names, "obs", name_of_code(reference))
        return SuggestedColumn(name, declaration, usage, _comment(concept, kind, self._by, rows, usage))


def _several(kind: ColumnType) -> dict[str, str]:
    """What becomes of several observations in a row: of measurements the last stays, and nothing said is lost."""
    if kind is ColumnType.CODED:
        return {"answers": Answers.LIST.value}
    if kind is ColumnType.TEXT:
        return {"repeat": Repeat.LIST.value}
    return {"repeat": Repeat.LAST.value}


def name_of_code(reference: str, word: str = "concept") -> str:
    """A name for a concept without a readable one: its code with its source, else the start of its uuid."""
    words = "".join(each.lower() if each.isascii() and each.isalnum() else "_" for each in reference)
    name = "_".join(filter(None, words.split("_")))
    return name if ":" in reference and name else f"{word}_{name[:8]}"


def _comment(concept: Concept, kind: ColumnType, by: By, rows: int, usage: ConceptUsage | None) -> str:
    label = concept.name or concept.uuid
    if concept.units and not label.endswith(")") and concept.units.casefold() not in label.casefold():
        label += f" ({concept.units})"
    parts = [label]
    if usage is not None:
        parts.append(f"{usage.rows:,} of {rows:,} {by.rows}")
        if usage.several:
            parts.append(f"{usage.observations:,} observations")
            parts.append(f"several in {percent(usage.several, usage.rows)}, at most {usage.most:,}")
        if kind is ColumnType.CODED and usage.answers:
            parts.append(f"{len(usage.answers):,} different answer{'' if len(usage.answers) == 1 else 's'}")
    elif concept.answers:
        parts.append(f"{len(concept.answers):,} answer{'' if len(concept.answers) == 1 else 's'} offered")
    return ", ".join(parts)


def percent(part: int, whole: int) -> str:
    """A share in words: never 0 % of something, never 100 % of less than all."""
    share = 100 * part / whole
    if 0 < share < 1:
        return "less than 1 %"
    return f"{min(round(share), 99) if part < whole else 100} %"

