"""What a change of a site's files means for its running tables: what is done in place, what is filled anew, what goes.

Both sides are rendered files, so that what is said is about what runs, not about what ozone.yaml said at some time.
`templates/setup` carries the same out: migrate.py, sink_tables.py and sink_swap.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final

from ozone_gen.render.tree import File

TABLES: Final = "postgresql/tables.json"
TOPICS: Final = "kafka/topics.json"
CAPTURED: Final = "connect/source.json"


class Cost(IntEnum):
    """What a change takes, the dearest last."""

    NOTHING = 0
    IN_PLACE = 1
    REFILL = 2
    SNAPSHOT = 3


_MEANINGS: Final = {
    Cost.IN_PLACE: "descriptions and indexes are brought in line in place; nothing is filled anew",
    Cost.REFILL: "all tables are filled anew out of Kafka, beside the old ones, and swapped; dashboards keep the old"
    " rows until then",
    Cost.SNAPSHOT: "{reason}, so the source is read anew into new topics; all tables are filled from there, beside the"
    " old ones, and swapped; dashboards keep the old rows until then",
}


class ChangeKind(StrEnum):
    """What becomes of a table or a column; the values stand in what programs read."""

    TABLE_ADDED = "table-added"
    TABLE_RENAMED = "table-renamed"
    TABLE_MOVED = "table-moved"
    TABLE_DROPPED = "table-dropped"
    TABLE_DESCRIBED = "table-described"
    COLUMN_ADDED = "column-added"
    COLUMN_RENAMED = "column-renamed"
    COLUMN_RETYPED = "column-retyped"
    COLUMN_DROPPED = "column-dropped"
    COLUMN_DESCRIBED = "column-described"
    KEY = "key-changed"
    INDEX = "index-changed"
    FILLED_OTHERWISE = "filled-otherwise"

    @property
    def loses(self) -> bool:
        """Whether something that people read goes, or becomes another thing.

        A rename is none: it was declared, and rights and views go along.
        """
        return self in _LOSSES


_LOSSES: Final = frozenset(
    (ChangeKind.TABLE_MOVED, ChangeKind.TABLE_DROPPED, ChangeKind.COLUMN_RETYPED, ChangeKind.COLUMN_DROPPED)
)


@dataclass(frozen=True)
class Change:
    """What becomes of one table, or of one column of it (empty where it is about the table)."""

    table: str
    kind: ChangeKind
    words: str
    column: str = ""

    @property
    def loses(self) -> bool:
        """Whether something that people read goes, or becomes another thing."""
        return self.kind.loses

    @property
    def drops(self) -> bool:
        """Whether something goes for good."""
        return self.kind in (ChangeKind.TABLE_DROPPED, ChangeKind.COLUMN_DROPPED)

    def __str__(self) -> str:
        return f"{self.table}: {self.words}"


@dataclass(frozen=True)
class UnknownFormerName:
    """A `renamed_from` that is not followed, as there was nothing of that name; `path` is its place in ozone.yaml."""

    path: tuple[str, ...]
    what: str
    former: str
    present: tuple[str, ...]


@dataclass(frozen=True)
class Evolution:
    """What a change means.

    Attributes:
        cost: what it takes.
        reason: why the source is read anew; empty where it is not.
        changes: what becomes of tables, in the order of the new ones, those that go last.
        unknown: former names that nothing had.
    """

    cost: Cost
    reason: str
    changes: tuple[Change, ...]
    unknown: tuple[UnknownFormerName, ...]

    @property
    def meaning(self) -> str:
        """What is done, in one sentence; empty where nothing is."""
        return _MEANINGS[self.cost].format(reason=self.reason) if self.cost else ""

    @property
    def dear(self) -> tuple[str, ...]:
        """What ought not to happen unasked: what people read goes or changes its type, or the source is read anew."""
        losses = tuple(str(change) for change in self.changes if change.loses)
        return (*losses, f"{self.reason}, so the source is read anew") if self.cost is Cost.SNAPSHOT else losses


def evolution(old: Mapping[str, File], new: Mapping[str, File]) -> Evolution | None:
    """Say what it means to go from one rendered site to another; None where there was none that ran tables."""
    before, after = _document(old, TABLES), _document(new, TABLES)
    if not all(isinstance(each, dict) and "fingerprint" in each for each in (before, after)):
        return None
    try:
        former = _former_tables(before, after)
        changes = tuple(_changes(before, after, former, old, new))
        unknown = tuple(_unknown_names(before, after, former))
        refill = before["fingerprint"] != after["fingerprint"]
    except (KeyError, TypeError, AttributeError):  # of another version, or edited: the dearest is not ruled out
        changes, unknown, refill = (), (), True
    reason = _reason_to_read_anew(old, new)
    cost = Cost.SNAPSHOT if reason else Cost.REFILL if refill else Cost.IN_PLACE if changes else Cost.NOTHING
    return Evolution(cost, reason, changes, unknown)


def _document(tree: Mapping[str, File], path: str) -> Any:
    try:
        return json.loads(tree[path].content) if path in tree else None
    except ValueError:
        return None


def _by_name(things: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {thing["name"]: thing for thing in things}


def _former(
    things: Sequence[Mapping[str, Any]], before: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """For each thing that was there before, by its name or the one it had, what it was."""
    return {
        thing["name"]: before[name]
        for thing in things
        for name in [thing["name"] if thing["name"] in before else thing.get("renamed_from", "")]
        if name in before
    }


def _former_tables(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return _former(after["tables"], _by_name(before["tables"]))


def _changes(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    former: Mapping[str, Mapping[str, Any]],
    old: Mapping[str, File],
    new: Mapping[str, File],
) -> Iterator[Change]:
    for table in after["tables"]:
        name = table["name"]
        if before["schema"] != after["schema"] and name in former:
            yield Change(name, ChangeKind.TABLE_MOVED, f"moves from the schema {before['schema']} to {after['schema']}")
        if name not in former:
            yield Change(name, ChangeKind.TABLE_ADDED, "new table")
            continue
        found = list(_table_changes(table, former[name]))
        if not found and _insert(old, former[name]["name"]) != _insert(new, name):
            found = [Change(name, ChangeKind.FILLED_OTHERWISE, "its rows or cells are chosen in another way")]
        yield from found
    kept = {table["name"] for table in former.values()}
    for table in before["tables"]:
        if table["name"] not in kept:
            yield Change(table["name"], ChangeKind.TABLE_DROPPED, "the table is dropped")


def _table_changes(table: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Change]:
    name = table["name"]
    if name != before["name"]:
        yield Change(name, ChangeKind.TABLE_RENAMED, f"was called {before['name']}")
    columns = _by_name(before["columns"])
    former = _former(table["columns"], columns)
    for column in table["columns"]:
        yield from _column_changes(name, column, former.get(column["name"]))
    kept = {column["name"] for column in former.values()}
    for gone in columns:
        if gone not in kept:
            yield Change(name, ChangeKind.COLUMN_DROPPED, f"column {gone} is dropped", gone)
    if table["primary_key"] != before["primary_key"]:
        yield Change(name, ChangeKind.KEY, f"its key is {', '.join(table['primary_key'])}")
    if table.get("indexes") != before.get("indexes"):
        yield Change(name, ChangeKind.INDEX, "another index")
    if table["comment"] != before["comment"]:
        yield Change(name, ChangeKind.TABLE_DESCRIBED, "described in other words")


def _column_changes(table: str, column: Mapping[str, Any], before: Mapping[str, Any] | None) -> Iterator[Change]:
    name = column["name"]
    if before is None:
        yield Change(table, ChangeKind.COLUMN_ADDED, f"column {name} is added", name)
        return
    if name != before["name"]:
        yield Change(table, ChangeKind.COLUMN_RENAMED, f"column {before['name']} is called {name}", name)
    if column["type"] != before["type"]:
        words = f"column {name} becomes {column['type']}, was {before['type']}"
        yield Change(table, ChangeKind.COLUMN_RETYPED, words, name)
    if column["comment"] != before["comment"]:
        yield Change(table, ChangeKind.COLUMN_DESCRIBED, f"column {name} is described in other words", name)


def _insert(tree: Mapping[str, File], table: str) -> bytes:
    """How a table is filled; its target is left out, which a rename changes."""
    file = tree.get(f"flink/sql/{table}.sql")
    return file.content.partition(b"INSERT INTO ")[2].partition(b"\n")[2] if file else b""


def _reason_to_read_anew(old: Mapping[str, File], new: Mapping[str, File]) -> str:
    """Why the topics are others, in words; empty where they are the same."""
    before, after = (_topics(tree) for tree in (old, new))
    if not before or before.keys() == after.keys():
        return ""
    try:
        return _other_topics(before, after, old, new)
    except (KeyError, TypeError, AttributeError):
        return "what the version before captured cannot be told from its files"


def _topics(tree: Mapping[str, File]) -> dict[str, Any]:
    """The topics of a tree by name; none where its file is not as ours."""
    try:
        return {topic["name"]: topic for topic in _document(tree, TOPICS)["topics"]}
    except (KeyError, TypeError):
        return {}


def _other_topics(
    before: Mapping[str, Any], after: Mapping[str, Any], old: Mapping[str, File], new: Mapping[str, File]
) -> str:
    partitions = [max(topic["partitions"] for topic in topics.values()) for topics in (before, after)]
    if partitions[0] != partitions[1]:
        return f"its topics get {partitions[1]} partitions instead of {partitions[0]}"
    was, is_now = (_document(tree, CAPTURED) for tree in (old, new))
    if was["database"] != is_now["database"]:
        return f"the source is another database, {is_now['database']} instead of {was['database']}"
    more, fewer = _captured(is_now) - _captured(was), _captured(was) - _captured(is_now)
    parts = [
        *([f"{_named(more, was)} captured as well"] if more else []),
        *([f"{_named(fewer, is_now)} no longer captured"] if fewer else []),
    ]
    return " and ".join(parts) or "the source has another name"


def _captured(source: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(table, column) for table, columns in source["tables"].items() for column in columns}


def _named(columns: set[tuple[str, str]], other: Mapping[str, Any]) -> str:
    """Name whole tables where `other` has nothing of them, else columns; the first few."""
    names = sorted({table if table not in other["tables"] else f"{table}.{column}" for table, column in columns})
    words = ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")
    return f"{words} {'is' if len(names) == 1 else 'are'}"


_FEW: Final = 5


def _unknown_names(
    before: Mapping[str, Any], after: Mapping[str, Any], former: Mapping[str, Mapping[str, Any]]
) -> Iterator[UnknownFormerName]:
    tables = tuple(sorted(_by_name(before["tables"])))
    for table in after["tables"]:
        path = ("flattening", "tables", table["name"])
        if table["name"] not in former:
            if table.get("renamed_from"):
                yield UnknownFormerName((*path, "renamed_from"), "table", table["renamed_from"], tables)
            continue
        columns = _by_name(former[table["name"]]["columns"])
        for column in table["columns"]:
            if column.get("renamed_from") and column["name"] not in columns and column["renamed_from"] not in columns:
                place = (*path, "columns", column["name"], "renamed_from")
                yield UnknownFormerName(place, "column", column["renamed_from"], tuple(sorted(columns)))
