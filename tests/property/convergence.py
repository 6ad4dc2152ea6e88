"""A case: declared tables and histories of their source. What streams out of it is compared with its final rows."""

from __future__ import annotations

import json
import random
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.load import site_of
from ozone_gen.plan.build import build_plan
from ozone_gen.source import read_source
from tests.oracle.comparing import by_key, difference
from tests.oracle.reference import KEYS, Reference
from tests.property.clinics import STRIDE, Clinic
from tests.property.cluster import Cluster, Interruption
from tests.property.declarations import Declaration, random_tables
from tests.property.dictionary import (
    LOCALES,
    QUESTIONS,
    changed_dictionary,
    datatype_rows,
    dictionary_of,
    dictionary_source,
)
from tests.property.histories import History, Source, delivered, final_rows, interleaved

SITE: Final = "clinic"


@dataclass(frozen=True)
class Case:
    """Declared tables, and histories.

    Attributes:
        tables: as ozone.yaml declares them.
        locked: whether the SQL holds the dictionary's ids.
        dictionary: the history of what all clinics share.
        clinics: the history of each clinic, in ids from its number times STRIDE on; the first has number 1.
        seed: of how the histories are mixed, and where the job is interrupted.
    """

    tables: Mapping[str, Declaration]
    locked: bool
    dictionary: History
    clinics: Sequence[History]
    seed: int = 0


def random_case(seed: int, clinics: int) -> Case:
    """Make up a case."""
    chance = random.Random(seed)
    locked = chance.random() < 0.5
    # Few questions, so that observations meet in a cell.
    asked = chance.sample(list(QUESTIONS), chance.randint(3, 6))
    source = dictionary_source()
    known = {table: dict(rows) for table, rows in source.rows.items()}
    changed_dictionary(source, chance, chance.randint(0, 40), locked=locked)
    histories: list[History] = []
    for number in range(1, clinics + 1):
        clinic = Source(known)
        Clinic(clinic, number, chance, asked).live(chance.randint(0, 40))
        histories.append(delivered(clinic.log, chance))
    return Case(random_tables(chance, asked), locked, delivered(source.log, chance), histories, seed)


def planned(tables: Mapping[str, Declaration], *, locked: bool) -> Sequence[FlattenedTable]:
    """Plan the tables as `ozone-gen render` does."""
    document = {
        "version": 1,
        "site": {"id": SITE, "name": "Clinic", "timezone": "Africa/Nairobi", "locales": list(LOCALES)},
        "sources": {"openmrs": {"type": "openmrs", "platform": "2.5", "host": "mysql", "password": "${PASSWORD}"}},
        "sink": {"type": "postgresql", "password": "${PASSWORD}"},
        "flattening": {"tables": tables},
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ozone.yaml"
        file.write_text(json.dumps(document), encoding="utf-8")
        dictionary = dictionary_of(dictionary_source().rows)
        site = site_of(read_source(str(file)), dictionary)
    return build_plan(site.spec, dictionary, locked=locked).tables


def random_interruptions(events: int, chance: random.Random) -> list[Interruption]:
    """Choose where the job fails, and how much it then has to read again: nothing, a little, or much.

    The sink has to forget what it was told meanwhile: what is left of changes of several topics that arrive in another
    order the second time is a known limit (docs/architecture.md), and test_restarts.py says what is not.
    """
    places = sorted(chance.sample(range(events), min(events, 2 * chance.choice((0, 1, 2, 3)))))
    interruptions = []
    for first, last in zip(places[::2], places[1::2], strict=False):
        again = chance.choice((0, 1, 3, 10, 100, events))
        interruptions.append(Interruption(max(first, last - again), last))
    return interruptions


def differences(case: Case, cluster: Cluster) -> dict[str, dict[int, str]]:
    """What is wrong after all has happened, by table and number of the clinic."""
    chance = random.Random(case.seed)
    events = interleaved([case.dictionary, *case.clinics], chance)
    interruptions = random_interruptions(len(events), chance)
    tables = planned(case.tables, locked=case.locked)
    # Sites have one subtask as a rule; several are planned and run in another way.
    parallelism = random.Random(f"parallelism {case.seed}").choice((1, 1, 2))
    found = cluster.flatten(tables, events, chance, parallelism, interruptions, forgetting=True)
    rows: dict[str, Any] = {table: known.values() for table, known in final_rows(events).items()}
    rows["concept_datatype"] = datatype_rows()
    reference = Reference(rows, SITE, LOCALES)
    wrong: dict[str, dict[int, str]] = {}
    for name, table in case.tables.items():
        key = KEYS[table["rows"]]
        expected = _by_clinic(by_key(reference.table(table), key))
        actual = _by_clinic(found[name])
        problems = {
            number: difference(expected[number], actual[number]) for number in sorted({*expected, *actual})
        }
        problems = {number: problem for number, problem in problems.items() if problem}
        if problems:
            wrong[name] = problems
    return wrong


def _by_clinic(rows: Mapping[Any, dict[str, Any]]) -> dict[int, dict[Any, dict[str, Any]]]:
    found: dict[int, dict[Any, dict[str, Any]]] = defaultdict(dict)
    for key, row in rows.items():
        found[key // STRIDE][key] = row
    return found
