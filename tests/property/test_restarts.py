"""A job that fails reads again what came after its last checkpoint, above what its sink was told of that before.

What came and went must come and go again: were changes that make up for each other worked on as one, the sink would
never hear of them a second time, and would keep what the failed run had told it between them.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from tests.oracle.comparing import by_key, difference
from tests.oracle.reference import KEYS, Reference
from tests.property.cluster import Cluster, Interruption
from tests.property.convergence import SITE, planned
from tests.property.dictionary import LOCALES, datatype_rows, dictionary_source
from tests.property.histories import Source, final_rows

_WHEN: Final = datetime.datetime(2024, 1, 1, 8)
_TABLES: Final[Mapping[str, dict[str, Any]]] = {
    "notes": {
        "rows": "encounter",
        "columns": {
            "complaints": {"concept": "REF:41", "answers": "list"},
            "every": {"concept": "REF:41", "repeat": "list"},
            "weight": {"concept": "REF:11"},
            "asked": {"concept": "REF:41", "repeat": "count"},
        },
    },
    "answers": {"rows": "obs", "concepts": ["REF:41"], "columns": {}},
}


def _voided_and_back(source: Source) -> None:
    answer = source.rows["obs"][(1001,)]
    source.change("obs", answer, voided=True)
    source.change("obs", answer, voided=False)


def _in_and_out(source: Source) -> None:
    answer = source.put("obs", {**source.rows["obs"][(1001,)], "obs_id": 1004, "uuid": "another answer"})
    source.delete("obs", answer)


def _moved_and_back(source: Source) -> None:
    answer = source.rows["obs"][(1001,)]
    source.change("obs", answer, encounter_id=1002)
    source.change("obs", answer, encounter_id=1001)


def _hidden_and_back(source: Source) -> None:
    """The whole row goes and comes back."""
    encounter = source.rows["encounter"][(1001,)]
    source.change("encounter", encounter, voided=True)
    source.change("encounter", encounter, voided=False)


def _higher_and_back(source: Source) -> None:
    weight = source.rows["obs"][(1003,)]
    source.change("obs", weight, value_numeric=71)
    source.change("obs", weight, value_numeric=70)


_CHANGES = (_voided_and_back, _in_and_out, _moved_and_back, _hidden_and_back, _higher_and_back)


@pytest.mark.parametrize(
    ("change", "locked", "parallelism"),
    [
        *((change, True, 1) for change in _CHANGES),
        *(pytest.param(change, False, 1, marks=pytest.mark.slow) for change in _CHANGES),
        (_voided_and_back, True, 2),
    ],
)
def test_what_came_and_went_around_a_failure_leaves_no_trace(
    cluster: Cluster, change: Callable[[Source], None], locked: bool, parallelism: int
) -> None:
    source = dictionary_source()
    source.put("person", {"person_id": 1001, "uuid": "person", "gender": "F", "voided": False, "dead": False})
    source.put("patient", {"patient_id": 1001, "voided": False, "date_created": _WHEN})
    for number in (1001, 1002):
        row = {"encounter_id": number, "uuid": f"encounter {number}", "voided": False, "patient_id": 1001}
        source.put("encounter", row | {"encounter_type": 1, "encounter_datetime": _WHEN})
    for number, concept, value in (
        (1001, 41, {"value_coded": 51}), (1002, 41, {"value_coded": 52}), (1003, 11, {"value_numeric": 70}),
    ):  # fmt: skip
        row = {"obs_id": number, "uuid": f"obs {number}", "voided": False, "person_id": 1001, "encounter_id": 1001}
        source.put("obs", row | {"obs_datetime": _WHEN, "concept_id": concept, **value})
    before = len(source.log)
    change(source)
    # The checkpoint is from before both changes; the sink has the first one when the job fails.
    interruption = Interruption(before, before + 1)
    tables = planned(_TABLES, locked=locked)
    found = cluster.flatten(tables, source.log, random.Random(0), parallelism, [interruption])
    rows: dict[str, Any] = {table: known.values() for table, known in final_rows(source.log).items()}
    rows["concept_datatype"] = datatype_rows()
    reference = Reference(rows, SITE, LOCALES)
    for name, table in _TABLES.items():
        assert difference(by_key(reference.table(table), KEYS[table["rows"]]), found[name]) == ""
