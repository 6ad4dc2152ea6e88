"""Where the mapped concepts occur in the data: counted in the events, apart from what any table asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

READ: Final = (
    *("concept", "concept_map_type", "concept_reference_map", "concept_reference_source"),
    *("concept_reference_term", "encounter", "encounter_type", "obs"),
)
"""The source tables that `occurrences` reads."""

_BLOCK: Final = 1 << 26  # bytes; a row has to fit into one


@dataclass(frozen=True)
class Occurrence:
    """How often a concept occurs.

    Attributes:
        observations: not voided observations of it.
        encounter_types: how many of them are in not voided encounters of which type, most first.
    """

    observations: int
    encounter_types: tuple[tuple[str, int], ...] = ()


def occurrences(events: Path, references: Collection[str]) -> dict[str, Occurrence]:
    """Count the observations of the concepts that are referred to, in events/TABLE/ of a preview's work folder."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = _concept_ids(events, references)
    ids = pa.array(sorted({each for found in wanted.values() for each in found}), pa.int64())
    obs = _read(events, "obs", {"concept_id": pa.int64(), "encounter_id": pa.int64(), "voided": pa.int64()})
    obs = obs.filter(pc.and_(pc.equal(obs["voided"], 0), pc.is_in(obs["concept_id"], ids)))
    encounters = _read(
        events, "encounter", {"encounter_id": pa.int64(), "encounter_type": pa.int64(), "voided": pa.int64()}
    )
    encounters = encounters.filter(pc.equal(encounters["voided"], 0)).drop_columns(["voided"])
    names = _names(events)
    placed = obs.join(encounters, "encounter_id", join_type="left outer")
    counted = placed.group_by(["concept_id", "encounter_type"]).aggregate([([], "count_all")]).to_pylist()
    found: dict[str, Occurrence] = {}
    for reference, concepts in wanted.items():
        rows = [row for row in counted if row["concept_id"] in concepts]
        types: dict[str, int] = {}
        for row in rows:
            if row["encounter_type"] is not None:
                name = names.get(row["encounter_type"], "")
                types[name] = types.get(name, 0) + row["count_all"]
        found[reference] = Occurrence(
            sum(row["count_all"] for row in rows),
            tuple(sorted(types.items(), key=lambda each: (-each[1], each[0]))),
        )
    return found


def _concept_ids(events: Path, references: Collection[str]) -> Mapping[str, set[int]]:
    """Resolve references as the tables do: by uuid, or by a SAME-AS mapping."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found: dict[str, set[int]] = {reference: set() for reference in sorted(references)}
    concepts = _read(events, "concept", {"concept_id": pa.int64(), "uuid": pa.string()})
    for row in concepts.filter(pc.is_in(concepts["uuid"], pa.array(list(found), pa.string()))).to_pylist():
        found[row["uuid"]].add(row["concept_id"])
    sources = _read(events, "concept_reference_source", {"concept_source_id": pa.int64(), "name": pa.string()})
    source_names = {row["concept_source_id"]: row["name"] for row in sources.to_pylist()}
    codes = pa.array([reference.partition(":")[2] for reference in found], pa.string())
    terms = _read(
        events,
        "concept_reference_term",
        {"concept_reference_term_id": pa.int64(), "concept_source_id": pa.int64(), "code": pa.string()},
    )
    mapped = {}
    for row in terms.filter(pc.is_in(terms["code"], codes)).to_pylist():
        reference = f"{source_names.get(row['concept_source_id'])}:{row['code']}"
        if reference in found:
            mapped[row["concept_reference_term_id"]] = reference
    kinds = _read(events, "concept_map_type", {"concept_map_type_id": pa.int64(), "name": pa.string()})
    same_as = kinds.filter(pc.equal(kinds["name"], "SAME-AS"))["concept_map_type_id"]
    maps = _read(
        events,
        "concept_reference_map",
        {"concept_reference_term_id": pa.int64(), "concept_map_type_id": pa.int64(), "concept_id": pa.int64()},
    )
    maps = maps.filter(
        pc.and_(
            pc.is_in(maps["concept_reference_term_id"], pa.array(list(mapped), pa.int64())),
            pc.is_in(maps["concept_map_type_id"], same_as.combine_chunks()),
        )
    )
    for row in maps.to_pylist():
        found[mapped[row["concept_reference_term_id"]]].add(row["concept_id"])
    return found


def _names(events: Path) -> dict[int, str]:
    import pyarrow as pa

    types = _read(events, "encounter_type", {"encounter_type_id": pa.int64(), "name": pa.string()})
    return {row["encounter_type_id"]: row["name"] for row in types.to_pylist()}


def _read(events: Path, table: str, columns: Mapping[str, Any]) -> Any:
    """The named columns of a source table's events; other columns are not kept in memory."""
    import pyarrow as pa
    from pyarrow import json

    schema = pa.schema(list(columns.items()))
    options = json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    parts = [
        json.read_json(file, json.ReadOptions(block_size=_BLOCK), options).select(schema.names)
        for file in sorted((events / table).glob("*"))
        if file.stat().st_size
    ]
    return pa.concat_tables([schema.empty_table(), *parts])
