"""Random declarations of own tables: every grain, filter and form of a column, in all combinations that are allowed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from ozone_gen.flattening.declared import REPEATS, ColumnType
from ozone_gen.flattening.grains import GRAINS
from tests.property.dictionary import ANSWERS, GROUPS, NAMED, QUESTIONS, uuid_of

Declaration = dict[str, Any]

_FILTERS: Final = {"encounter_types": "encounter_type", "visit_types": "visit_type", "forms": "form",
                   "locations": "location"}  # fmt: skip
_DAYS: Final = ("1960-01-01", "1970-01-01", "2024-02-29")
_READ_AS: Final[Mapping[str, Sequence[str]]] = {
    "Numeric": ("numeric", "numeric", "integer"),
    "Text": ("text",),
    "Date": ("date", "datetime"),
    "Datetime": ("datetime", "date", "time"),
    "Time": ("time",),
    "Coded": ("coded", "coded", "boolean"),
    "Boolean": ("boolean", "boolean", "coded"),
    "Complex": ("complex",),
}


def reference(concept: int, chance: random.Random) -> str:
    """Refer to a concept by its uuid or by its mapping."""
    return chance.choice((f"REF:{concept}", uuid_of("concept", concept)))


def random_tables(chance: random.Random, asked: Sequence[int] = tuple(QUESTIONS)) -> dict[str, Declaration]:
    """Declare a few tables over the questions that are asked; some are twins, which read the same observations."""
    tables: dict[str, Declaration] = {}
    for _ in range(chance.randint(2, 3)):
        table = random_table(chance, asked)
        tables[f"t{len(tables)}"] = table
        if chance.random() < 0.4:
            tables[f"t{len(tables)}"] = _twin(table, chance, asked)
    return tables


def _twin(table: Declaration, chance: random.Random, asked: Sequence[int]) -> Declaration:
    """The same table, or one that differs in a column or in its context."""
    twin = deepcopy(table)
    luck = chance.random()
    if luck < 0.4 and twin.get("columns"):
        twin["columns"]["c0"] = random_column(chance, asked)
    elif luck < 0.7:
        twin.pop("context", None)
    return twin


def random_table(chance: random.Random, asked: Sequence[int]) -> Declaration:
    """Declare one table."""
    grain = chance.choice(list(GRAINS))
    table: Declaration = {"rows": grain.value}
    if grain == "obs_group":
        table["group"] = reference(chance.choice(GROUPS), chance)
    if grain == "obs" and chance.random() < 0.7:
        concepts = chance.sample((*asked, *GROUPS), chance.randint(1, 4))
        table["concepts"] = [reference(concept, chance) for concept in concepts]
    for name, kind in _FILTERS.items():
        if chance.random() < 0.2:
            chosen = chance.sample(NAMED[kind], chance.choice((1, 1, 2)))
            # Form 3 is called as form 2 is.
            texts = (f"{kind} {2 if (kind, id) == ('form', 3) else id}" for id in chosen)
            table[name] = [chance.choice((text, uuid_of(kind, id))) for text, id in zip(texts, chosen, strict=True)]
    if chance.random() < 0.2:
        table["from"] = chance.choice(_DAYS)
    context = [column.name for column in GRAINS[grain].context]
    if chance.random() < 0.6:
        table["context"] = chance.sample(context, chance.randint(1, len(context)))
    columns = {f"c{place}": random_column(chance, asked) for place in range(chance.choice((1, 1, 2, 3, 4, 5)))}
    if grain != "obs" or chance.random() < 0.8:
        table["columns"] = columns
    return table


def random_column(chance: random.Random, asked: Sequence[int]) -> Any:
    """Declare one column."""
    first = chance.choice(asked)
    kind = "drug" if first == 45 else chance.choice(_READ_AS[QUESTIONS[first]])
    alike = [first, *(other for other in (*asked, *QUESTIONS) if other != first and _reads(QUESTIONS[other], kind))]
    concepts = list(dict.fromkeys(alike))[: chance.choice((1, 1, 1, 2))]
    if chance.random() < 0.1 and kind == ColumnType.NUMERIC and len(concepts) == 1 and QUESTIONS[first] == "Numeric":
        return reference(first, chance)
    references = [reference(concept, chance) for concept in concepts]
    column: Declaration = {"concept": references if len(references) > 1 else references[0]}
    if chance.random() < 0.2:
        column["group"] = reference(chance.choice(GROUPS), chance)
    form = chance.random()
    if kind == "coded" and form < 0.3:
        answers = [reference(concept, chance) for concept in chance.sample(ANSWERS, chance.randint(1, 2))]
        column["answer"] = answers if len(answers) > 1 else answers[0]
        return column
    column["type"] = kind
    if kind in ("coded", "drug"):
        ways: list[Any] = [None, "name", "uuid", *([{"code": "ICD"}, {"code": "REF"}] if kind == "coded" else [])]
        value = chance.choice(ways)
        if value:
            column["value"] = value
        if form < 0.5:
            column["answers"] = "list"
            return column
    if chance.random() < 0.7:
        column["repeat"] = chance.choice(sorted(REPEATS[ColumnType(kind)])).value
    return column


def _reads(datatype: str, kind: str) -> bool:
    return kind in _READ_AS[datatype] or (kind == "drug" and datatype == "Coded")
