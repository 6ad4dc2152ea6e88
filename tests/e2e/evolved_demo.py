"""The demo site with everything changed: columns and tables added, renamed, retyped and dropped."""

from __future__ import annotations

import re
from collections.abc import Mapping

WEIGHINGS = """
SELECT o.obs_id, o.uuid AS obs_uuid, o.person_id AS patient_id FROM obs o
LEFT JOIN encounter e ON e.encounter_id = o.encounter_id
JOIN patient p ON p.patient_id = o.person_id
WHERE o.voided = 0 AND (o.encounter_id IS NULL OR e.voided = 0) AND p.voided = 0 AND o.concept_id = {CIEL:5089}
"""


def evolved(text: str) -> str:
    """The demo site's file with everything changed."""
    for old, new in {
        "conditions, ": "",
        "    visit_notes:\n": "    weighings: {rows: obs, concepts: [CIEL:5089], context: [obs_uuid, patient_id]}\n"
        "    notes:\n      renamed_from: visit_notes\n",
        "weight_kg: CIEL:5089": "weight: {concept: CIEL:5089, renamed_from: weight_kg}",
        "height_cm: CIEL:5090": "height_cm: {concept: CIEL:5090, type: integer}",
        "measurements: {concept: CIEL:5089, repeat: count}": "first_weight: {concept: CIEL:5089, repeat: first}",
    }.items():
        assert old in text
        text = text.replace(old, new)
    return text


def evolved_queries(batch: Mapping[str, str]) -> dict[str, str]:
    """The batch query of each table of that file."""
    cell = r"\(SELECT x\.value_numeric FROM(?:(?!\(SELECT).)*?\) AS {},"
    weight = re.search(cell.format("weight_kg"), batch["vitals"], re.DOTALL)
    assert weight is not None
    first = weight.group().replace(" DESC", "").replace("weight_kg,", "first_weight")
    measurements = re.compile(r",\s*\(SELECT COUNT\(.*?\) AS measurements", re.DOTALL)
    vitals = measurements.sub(lambda _: f",\n  {first}", batch["vitals"])
    vitals = vitals.replace("AS weight_kg", "AS weight")
    height = re.search(cell.format("height_cm"), vitals, re.DOTALL)
    assert height is not None
    rounded = "ROUND(CAST(x.value_numeric AS DECIMAL(30, 10)))"
    vitals = vitals.replace(height.group(), height.group().replace("x.value_numeric", rounded, 1))
    others = {table: query for table, query in batch.items() if table not in ("vitals", "visit_notes", "conditions")}
    return others | {"vitals": vitals, "notes": batch["visit_notes"], "weighings": WEIGHINGS}
