"""The dictionary that random declarations refer to, and what may become of it meanwhile."""

from __future__ import annotations

import random
from typing import Any, Final

from ozone_gen.openmrs.dictionary import Concept, Dictionary, Named, NamedKind
from tests.property.histories import Rows, Source

LOCALES: Final = ("en", "fr")

DATATYPES: Final = {1: "Numeric", 2: "Coded", 3: "Text", 4: "N/A", 6: "Date", 7: "Time", 8: "Datetime", 10: "Boolean",
                    13: "Complex"}  # fmt: skip
_IDS: Final = {name: id for id, name in DATATYPES.items()}

QUESTIONS: Final = {
    11: "Numeric", 12: "Numeric", 21: "Text", 22: "Text", 31: "Date", 32: "Datetime", 33: "Time", 41: "Coded",
    42: "Coded", 43: "Boolean", 44: "Boolean", 45: "Coded", 46: "Complex",
}  # fmt: skip
"""Concepts that are asked, with their datatypes; 45 is answered by drugs."""
ANSWERS: Final = (51, 52, 53, 54)
GROUPS: Final = (61, 62)
TRUE, FALSE = 1, 2
DRUGS: Final = (1, 2, 3)
NAMED: Final = {"encounter_type": (1, 2, 3), "form": (1, 2, 3), "visit_type": (1, 2), "location": (1, 2, 3)}


def uuid_of(table: str, *key: Any) -> str:
    """A uuid that a reader of a failure recognises."""
    return f"{table}-{'-'.join(map(str, key))}".ljust(36, "0")


def dictionary_source() -> Source:
    """A source with a dictionary, and nothing else."""
    source = Source()
    for id, name in ((1, "SAME-AS"), (2, "NARROWER-THAN")):
        source.put("concept_map_type", {"concept_map_type_id": id, "name": name})
    for id, name in ((1, "REF"), (2, "ICD")):
        source.put("concept_reference_source", {"concept_source_id": id, "name": name, "retired": False})
    concepts = {TRUE: "N/A", FALSE: "N/A", **QUESTIONS, **dict.fromkeys((*ANSWERS, *GROUPS), "N/A")}
    for id, datatype in concepts.items():
        _concept(source, id, datatype)
    for place, answer in enumerate((*ANSWERS, TRUE)):
        _mapping(source, 200 + answer, answer, 2, f"A{place}", 1 + place % 2)
    _mapping(source, 299, 52, 2, "A0", 1)
    for property_name, concept in (("concept.true", str(TRUE)), ("concept.false", uuid_of("concept", FALSE))):
        source.put("global_property", {"property": property_name, "property_value": concept})
    for table, ids in NAMED.items():
        for id in ids:
            # Two forms of one name.
            row = {f"{table}_id": id, "name": f"{table} {min(id, 2) if table == 'form' else id}", "retired": False}
            row["uuid"] = uuid_of(table, id)
            source.put(table, row | ({"version": str(id)} if table == "form" else {}))
    for id in DRUGS:
        row = {"drug_id": id, "concept_id": 51, "name": f"drug {id}", "retired": False, "uuid": uuid_of("drug", id)}
        source.put("drug", row)
    return source


def _concept(source: Source, id: int, datatype: str) -> None:
    uuid = uuid_of("concept", id)
    source.put("concept", {"concept_id": id, "uuid": uuid, "retired": False, "datatype_id": _IDS[datatype]})
    _mapping(source, id, id, 1, str(id), 1)
    for place, locale in enumerate(("en", "fr", "en_GB")):
        if place == 0 or id % (place + 1) == 0:
            _name(source, id * 10 + place, id, f"concept {id} {locale}", locale)


def _name(source: Source, id: int, concept: int, name: str, locale: str) -> None:
    row = {"concept_name_id": id, "concept_id": concept, "name": name, "locale": locale, "voided": False}
    source.put("concept_name", row | {"locale_preferred": False, "concept_name_type": "FULLY_SPECIFIED"})


def _mapping(source: Source, id: int, concept: int, of: int, code: str, kind: int) -> None:
    term = {"concept_reference_term_id": id, "concept_source_id": of, "code": code, "name": f"term {id}"}
    source.put("concept_reference_term", term | {"retired": False})
    mapping = {"concept_map_id": id, "concept_reference_term_id": id, "concept_map_type_id": kind}
    source.put("concept_reference_map", mapping | {"concept_id": concept})


def datatype_rows() -> list[dict[str, Any]]:
    """The table of datatypes, which no SQL reads."""
    return [{"concept_datatype_id": id, "name": name} for id, name in DATATYPES.items()]


def dictionary_of(rows: Rows) -> Dictionary:
    """These rows as `ozone-gen resolve` would see them."""
    concepts = tuple(
        Concept(
            id,
            row["uuid"],
            DATATYPES[row["datatype_id"]],
            f"concept {id}",
            (f"REF:{id}",),
            answers=ANSWERS if DATATYPES[row["datatype_id"]] == "Coded" else (),
        )
        for (id,), row in rows["concept"].items()
    )
    kinds = {"encounter_type": NamedKind.ENCOUNTER_TYPE, "form": NamedKind.FORM, "visit_type": NamedKind.VISIT_TYPE,
             "location": NamedKind.LOCATION}  # fmt: skip
    named = {
        kind: tuple(Named(id, row["uuid"], row["name"]) for (id,), row in rows[table].items())
        for table, kind in kinds.items()
    }
    return Dictionary("the dictionary", concepts, named, ("ICD", "REF"), TRUE, FALSE)


def changed_dictionary(source: Source, chance: random.Random, steps: int, *, locked: bool) -> None:
    """Change names, codes and the like; with a lock nothing that the lock holds."""
    ways = [_rename, _rename, _void_name, _prefer, _new_name, _drop_name, _recode, _remap, _unmap, _rename_drug]
    if not locked:
        ways += [_move_reference, _retype_reference, _rename_kind, _redefine_truth]
    for _ in range(steps):
        chance.choice(ways)(source, chance)


def _some(source: Source, table: str, chance: random.Random) -> dict[str, Any]:
    return chance.choice(source.all(table))


def _rename(source: Source, chance: random.Random) -> None:
    name = _some(source, "concept_name", chance)
    source.change("concept_name", name, name=chance.choice(("same", "Ünïcode", "a; b", f"name {chance.random():.3f}")))


def _void_name(source: Source, chance: random.Random) -> None:
    name = _some(source, "concept_name", chance)
    source.change("concept_name", name, voided=not name["voided"])


def _prefer(source: Source, chance: random.Random) -> None:
    name = _some(source, "concept_name", chance)
    kind = chance.choice(("FULLY_SPECIFIED", "SHORT", None))
    source.change(
        "concept_name", name, locale_preferred=chance.choice((True, False, None)), concept_name_type=kind
    )


def _new_name(source: Source, chance: random.Random) -> None:
    concept = chance.choice((*QUESTIONS, *ANSWERS))
    _name(source, chance.randint(2000, 2050), concept, f"new {chance.randint(1, 9)}", chance.choice(("en", "fr", "sw")))


def _drop_name(source: Source, chance: random.Random) -> None:
    if len(source.rows["concept_name"]) > 10:
        source.delete("concept_name", _some(source, "concept_name", chance))


def _codes(source: Source) -> list[dict[str, Any]]:
    return [row for row in source.all("concept_reference_term") if row["concept_source_id"] == 2]


def _recode(source: Source, chance: random.Random) -> None:
    source.change("concept_reference_term", chance.choice(_codes(source)), code=chance.choice(("A0", "a0", "Z", "10")))


def _code_mapping(source: Source, chance: random.Random) -> dict[str, Any] | None:
    terms = {row["concept_reference_term_id"] for row in _codes(source)}
    maps = [row for row in source.all("concept_reference_map") if row["concept_reference_term_id"] in terms]
    return chance.choice(maps) if maps else None


def _remap(source: Source, chance: random.Random) -> None:
    if mapping := _code_mapping(source, chance):
        kind = chance.choice((1, 2))
        source.change("concept_reference_map", mapping, concept_id=chance.choice(ANSWERS), concept_map_type_id=kind)


def _unmap(source: Source, chance: random.Random) -> None:
    mapping = _code_mapping(source, chance)
    if mapping and len(source.rows["concept_reference_map"]) > len(source.rows["concept"]) + 2:
        source.delete("concept_reference_map", mapping)


def _rename_drug(source: Source, chance: random.Random) -> None:
    source.change("drug", _some(source, "drug", chance), name=chance.choice((None, "drug 1", "another")))


def _references(source: Source) -> list[dict[str, Any]]:
    terms = {row["concept_reference_term_id"] for row in source.all("concept_reference_term")} - {
        row["concept_reference_term_id"] for row in _codes(source)
    }
    return [row for row in source.all("concept_reference_map") if row["concept_reference_term_id"] in terms]


def _move_reference(source: Source, chance: random.Random) -> None:
    """A code comes to mean another concept of the same datatype, or two concepts."""
    mapping = chance.choice(_references(source))
    datatype = source.rows["concept"][(mapping["concept_id"],)]["datatype_id"]
    alike = [row["concept_id"] for row in source.all("concept") if row["datatype_id"] == datatype]
    source.change("concept_reference_map", mapping, concept_id=chance.choice(alike))


def _retype_reference(source: Source, chance: random.Random) -> None:
    mapping = chance.choice(_references(source))
    source.change("concept_reference_map", mapping, concept_map_type_id=chance.choice((1, 1, 2)))


def _rename_kind(source: Source, chance: random.Random) -> None:
    table = chance.choice(list(NAMED))
    row = _some(source, table, chance)
    source.change(table, row, name=f"{table} {chance.randint(1, 4)}")


def _redefine_truth(source: Source, chance: random.Random) -> None:
    row = _some(source, "global_property", chance)
    concept = chance.choice((TRUE, FALSE, 51))
    value = chance.choice((str(concept), uuid_of("concept", concept), None))
    source.change("global_property", row, property_value=value)
