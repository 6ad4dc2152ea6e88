"""A history: what happens to the rows of a source, as its topics tell it."""

from __future__ import annotations

import datetime
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ozone_gen.openmrs.demo.schema import tables as schema
from ozone_gen.openmrs.tables import Kind, Table, tables_of

TABLES: Final[Mapping[str, Table]] = tables_of("2.5", ("appointments",))

Row = dict[str, Any]
Key = tuple[Any, ...]
Rows = dict[str, dict[Key, Row]]


@dataclass(frozen=True)
class Event:
    """One event of a topic.

    Attributes:
        table: of the source.
        key: values of the primary key.
        row: as it is now; None where it was deleted.
    """

    table: str
    key: Key
    row: Row | None


History = Sequence[Event]
"""Events in the order in which they arrive."""


def final_rows(*histories: History) -> Rows:
    """What is in the source once all is over."""
    rows: Rows = defaultdict(dict)
    for history in histories:
        for event in history:
            if event.row is None:
                rows[event.table].pop(event.key, None)
            else:
                rows[event.table][event.key] = event.row
    return rows


def loose_ends(rows: Rows) -> list[str]:
    """The foreign keys that lead nowhere: a source cannot come to rest so."""
    found = []
    for name, table in rows.items():
        for column in schema()[name].columns:
            # No history has datatypes: no SQL reads them.
            if column.references and column.references != "concept_datatype":
                known = rows.get(column.references, {})
                values = {row.get(column.name) for row in table.values()} - {None}
                found += [f"{name}.{column.name} = {value}" for value in values if (value,) not in known]
    return found


class Source:
    """A database that is changed row by row, and logs it. Foreign keys are kept at every step."""

    def __init__(self, rows: Rows | None = None) -> None:
        self.rows: Rows = defaultdict(dict)
        self.log: list[Event] = []
        for table, known in (rows or {}).items():
            self.rows[table].update(known)

    def put(self, table: str, row: Row) -> Row:
        """Insert a row, or replace the one with its key."""
        row = {column.name: None for column in TABLES[table].columns} | row
        key = key_of(table, row)
        self.rows[table][key] = row
        self.log.append(Event(table, key, row))
        return row

    def change(self, table: str, row: Row, **values: Any) -> Row:
        """Update a row, unless nothing changes: a database logs no such update."""
        current = self.rows[table][key_of(table, row)]
        return current if current | values == current else self.put(table, current | values)

    def delete(self, table: str, row: Row) -> bool:
        """Delete a row, unless another one refers to it."""
        if any(True for _ in self.referring(table, row)):
            return False
        key = key_of(table, row)
        del self.rows[table][key]
        self.log.append(Event(table, key, None))
        return True

    def referring(self, table: str, row: Row) -> Iterable[tuple[str, Row]]:
        """The rows with a foreign key to this one."""
        (wanted, *_) = key_of(table, row)
        for name in self.rows:
            columns = [column.name for column in schema()[name].columns if column.references == table]
            for other in self.rows[name].values():
                if any(other.get(column) == wanted for column in columns):
                    yield name, other

    def all(self, table: str) -> list[Row]:
        """The rows of a table in the order of their keys."""
        return [row for _, row in sorted(self.rows[table].items())]


def key_of(table: str, row: Mapping[str, Any]) -> Key:
    """The values of a row's primary key."""
    return tuple(row[name] for name in schema()[table].primary_key)


def delivered(log: Sequence[Event], chance: random.Random, *, lag: int = 6) -> list[Event]:
    """Bring a log into an order in which its topics may be read.

    Each topic keeps its order, but runs ahead of the others or behind them; runs of a topic come again, as after a
    restart of the connector from an older offset; single events come twice; what compaction removes is missing.
    """
    topics: dict[str, list[Event]] = defaultdict(list)
    placed: list[tuple[float, Event]] = []
    behind: dict[str, float] = {}
    for at, event in enumerate(log):
        topic = topics[event.table]
        if event.table not in behind or chance.random() < 0.1:
            behind[event.table] = chance.choice((0, 0, lag * chance.random(), lag * 5 * chance.random()))
        topic.append(event)
        told = [event]
        luck = chance.random()
        if luck < 0.05:
            told.append(event)
        elif luck < 0.1:
            told += topic[-chance.randint(1, 6) :]
        placed += ((at + behind[event.table], each) for each in told)
    ordered = _in_topic_order(placed)
    return [event for at, event in enumerate(ordered) if not _compacted(ordered, at, chance)]


def _in_topic_order(placed: Sequence[tuple[float, Event]]) -> list[Event]:
    """Sort by place, but none before what its own topic told earlier."""
    latest: dict[str, float] = {}
    ordered: list[tuple[float, int, Event]] = []
    for number, (place, event) in enumerate(placed):
        latest[event.table] = max(place, latest.get(event.table, 0))
        ordered.append((latest[event.table], number, event))
    return [event for *_, event in sorted(ordered, key=lambda each: each[:2])]


def _compacted(events: Sequence[Event], at: int, chance: random.Random) -> bool:
    """Whether compaction removed an event: a later one of its key follows."""
    event = events[at]
    return chance.random() < 0.05 and any((e.table, e.key) == (event.table, event.key) for e in events[at + 1 :])


def interleaved(histories: Sequence[History], chance: random.Random) -> list[Event]:
    """Mix histories: each keeps its order and is spread over the whole, in bursts of several events."""
    timed: list[tuple[float, int, Event]] = []
    for number, history in enumerate(histories):
        bursts = chance.choice((1, max(1, len(history) // 5), max(1, len(history))))
        times = sorted(chance.choices([chance.random() for _ in range(bursts)], k=len(history)))
        timed += ((time, number, event) for time, event in zip(times, history, strict=True))
    return [event for *_, event in sorted(timed, key=lambda each: each[:2])]


_EPOCH: Final = datetime.datetime(1970, 1, 1)


def event_value(value: Any, kind: Kind, *, bits: bool) -> Any:
    """A value as the connector writes it; `bits` says whether the table's booleans are BIT(1) or TINYINT(1)."""
    if value is None:
        return None
    match kind:
        case Kind.BOOLEAN:
            return bool(value) if bits else int(value)
        case Kind.DATETIME:
            return (value - _EPOCH) // datetime.timedelta(milliseconds=1)
        case Kind.DATE:
            return value.toordinal() - _EPOCH.toordinal()
        case Kind.TIME:
            return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000
        case Kind.DOUBLE:
            return float(value)
    return value


def event_document(table: str, values: Mapping[str, Any], *, bits: bool) -> dict[str, Any]:
    """The JSON document of an event's row, or of its key."""
    return {
        column.name: event_value(values[column.name], column.kind, bits=bits)
        for column in TABLES[table].columns
        if column.name in values
    }
