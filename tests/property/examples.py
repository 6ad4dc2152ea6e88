"""Histories as YAML: the named examples of faults that were found, and the form in which a new one is reported.

    about: what was wrong
    locked: true          # or false; left out: both ways
    tables: {...}         # as ozone.yaml declares them
    events:               # after those of the usual dictionary, in the order in which they arrive
      - obs: {obs_id: 1001, concept_id: 11, ...}    # a row, or what changes in it; what is usual is left out
      - obs: {obs_id: 1001, deleted: true}
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from ozone_gen.openmrs.demo.schema import tables as schema
from ozone_gen.openmrs.tables import Kind
from tests.property.clinics import STRIDE
from tests.property.convergence import Case
from tests.property.dictionary import dictionary_source, uuid_of
from tests.property.histories import TABLES, Event, History, Row, Rows, key_of

EXAMPLES: Final = sorted((Path(__file__).parent / "examples").glob("*.yaml"))

_OF_A_CLINIC: Final = frozenset({"person", "patient", "visit", "encounter", "obs"})


@dataclass(frozen=True)
class Example:
    """A named example.

    Attributes:
        name: of its file.
        about: what was wrong.
        locked: the ways to run it.
        tables: as declared.
        clinic: the history of its clinic, in ids from STRIDE on.
        dictionary: what happens to the dictionary after its beginning.
    """

    name: str
    about: str
    locked: tuple[bool, ...]
    tables: dict[str, Any]
    clinic: History
    dictionary: History


def read_example(path: Path) -> Example:
    """Read an example."""
    said = yaml.safe_load(path.read_text(encoding="utf-8"))
    events = _read_events(said["events"])
    clinic = [event for event in events if event.table in _OF_A_CLINIC]
    dictionary = [event for event in events if event.table not in _OF_A_CLINIC]
    locked = (said["locked"],) if "locked" in said else (True, False)
    return Example(path.stem, said["about"], locked, said["tables"], clinic, dictionary)


def cases(examples: Sequence[Example]) -> list[tuple[str, Case]]:
    """Make few cases of many examples: those that leave the dictionary as it is share one for each way."""
    beginning = dictionary_source().log
    made = []
    for locked in (True, False):
        shared = [each for each in examples if locked in each.locked and not each.dictionary]
        tables = {f"{each.name}_{name}": table for each in shared for name, table in each.tables.items()}
        clinics = [moved(each.clinic, number) for number, each in enumerate(shared, 1)]
        if shared:
            made.append((f"examples, {'locked' if locked else 'looked up'}", Case(tables, locked, beginning, clinics)))
        for each in examples:
            if locked in each.locked and each.dictionary:
                made.append((each.name, Case(each.tables, locked, [*beginning, *each.dictionary], [each.clinic])))
    return made


def moved(history: History, number: int) -> list[Event]:
    """A clinic's history as that of the clinic of another number."""

    def id_of(value: int | None) -> int | None:
        return None if value is None else value % STRIDE + number * STRIDE

    found = []
    for event in history:
        columns = {column.name for column in schema()[event.table].columns if column.references in _OF_A_CLINIC}
        columns |= set(TABLES[event.table].primary_key)
        row = event.row and {name: id_of(value) if name in columns else value for name, value in event.row.items()}
        if row and row.get("uuid") and event.table != "patient":
            row["uuid"] = uuid_of(event.table, *(id_of(part) for part in event.key))
        found.append(Event(event.table, tuple(id_of(part) for part in event.key), row))
    return found


def write_example(about: str, case: Case) -> str:
    """Write a case of one clinic as an example."""
    beginning = dictionary_source().log
    known = {(event.table, event.key): event.row for event in beginning}
    changes = [event for event in case.dictionary if known.get((event.table, event.key)) != event.row]
    (clinic,) = case.clinics
    events = [*_written(clinic, {}), *_written(changes, _rows_of(beginning))]
    said = {"about": about, "locked": case.locked, "tables": dict(case.tables), "events": events}
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


def _rows_of(events: History) -> Rows:
    rows: Rows = defaultdict(dict)
    for event in events:
        if event.row is not None:
            rows[event.table][event.key] = event.row
    return rows


def _usual(table: str, key: Row) -> Row:
    """What a new row holds where nothing else is said."""
    row: Row = {column.name: None for column in TABLES[table].columns} | key
    for name in ("voided", "retired", "dead", "birthdate_estimated"):
        if name in row:
            row[name] = False
    if "uuid" in row:
        row["uuid"] = uuid_of(table, *key.values())
    return row


def _read_events(said: Sequence[dict[str, Row]]) -> list[Event]:
    rows: dict[str, dict[Any, Row]] = defaultdict(dict, {k: dict(v) for k, v in dictionary_source().rows.items()})
    events = []
    for each in said:
        ((table, values),) = each.items()
        key = key_of(table, values)
        named = {name: values[name] for name in TABLES[table].primary_key}
        if values.get("deleted"):
            rows[table].pop(key, None)
            events.append(Event(table, key, None))
        else:
            row = rows[table].get(key) or _usual(table, named)
            rows[table][key] = row | {name: _typed(table, name, value) for name, value in values.items()}
            events.append(Event(table, key, rows[table][key]))
    return events


def _typed(table: str, name: str, value: Any) -> Any:
    """YAML reads a moment at midnight as a day."""
    kinds = {column.name: column.kind for column in TABLES[table].columns}
    if kinds.get(name) is Kind.DATETIME and type(value) is datetime.date:
        return datetime.datetime.combine(value, datetime.time())
    return value


def _written(events: History, before: Rows) -> list[dict[str, Row]]:
    rows: dict[str, dict[Any, Row]] = defaultdict(dict, {table: dict(known) for table, known in before.items()})
    found = []
    for event in events:
        key = dict(zip(TABLES[event.table].primary_key, event.key, strict=True))
        if event.row is None:
            rows[event.table].pop(event.key, None)
            found.append({event.table: key | {"deleted": True}})
            continue
        now = rows[event.table].get(event.key) or _usual(event.table, key)
        changed = {name: value for name, value in event.row.items() if value != now.get(name)}
        rows[event.table][event.key] = event.row
        found.append({event.table: key | changed})
    return found
