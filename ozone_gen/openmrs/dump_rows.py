"""One row of an INSERT statement becomes one event, as Debezium would have sent it.

The events are those of the running site: unwrapped, JSON without schemas, `time.precision.mode=connect`.
INT and DOUBLE are numbers, text is a string, DATETIME is milliseconds since 1970 as if the wall clock were
UTC, DATE is days since 1970, TIME milliseconds since midnight, TINYINT(1) and BIT(1) are 0 or 1. A date with
a zero part is null where the column may be null, else the column's default, else 1970-01-01 (Debezium's
MySqlValueConverters and JdbcValueConverters).
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from ozone_gen.openmrs.dump_columns import LITERAL, QUOTED, DeclaredColumn, holds_bits, literal_bytes
from ozone_gen.openmrs.tables import Kind, Table

_CELL: Final = re.compile(rb"\s*+(" + LITERAL + rb")\s*+([,)])", re.DOTALL | re.IGNORECASE)
_ROW_START: Final = re.compile(rb"\s*+\(")
_ROW_END: Final = re.compile(rb"\s*+([,;]|ON\s++DUPLICATE\b)", re.IGNORECASE)
# A cell that may go on after the text at hand: hex digits, or a string (or a doubled quote) without its end.
_OPEN_CELL: Final = re.compile(
    rb"\s*+(?:0[xX][0-9a-fA-F]*+|(?:_[a-zA-Z0-9]*+\s*+|[nNxXbB])?(?:" + QUOTED + rb")?"
    rb"(?:'[^'\\]*+(?:\\.[^'\\]*+)*\\?|\"[^\"\\]*+(?:\\.[^\"\\]*+)*\\?)?)\s*+\Z",
    re.DOTALL,
)
_SHORT: Final = 256  # bytes; more than any literal has that is no string and no hex
_INTEGER: Final = re.compile(rb"0\Z|-?[1-9][0-9]*\Z")
_NUMBER: Final = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")
_DATETIME: Final = re.compile(
    rb"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,6}))?)?\Z"
)
_TIME: Final = re.compile(rb"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,6}))?\Z")

# What almost every cell looks like: taken over as it is, or after one look into a table. Text is taken with
# its quotes: as it has no quote, backslash or control character inside, JSON differs in the outer quotes
# only.
_PLAIN_CELLS: Final = {
    Kind.INTEGER: rb"(?:NULL|(0|-?[1-9][0-9]*+))",
    Kind.DOUBLE: rb"(?:NULL|(-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:e[+-]?[0-9]++)?))",
    Kind.TEXT: rb"(?:NULL|('[^'\"\\\x00-\x1f]*+'))",
    Kind.BOOLEAN: rb"(?:NULL|(0|1|(?:_binary )?'(?:\\0|\x01)'|0x0[01]|b'[01]'))",
    Kind.DATETIME: rb"(?:NULL|'([0-9 :.-]{19,26})')",
    Kind.DATE: rb"(?:NULL|'([0-9-]{10})')",
    Kind.TIME: rb"(?:NULL|'([0-9:.]{8,15})')",
}
_OTHER_CELL: Final = rb"[^'\"(),;\\]*+(?:'[^'\\]*+(?:\\.[^'\\]*+)*')*"
_EPOCH: Final = datetime.date(1970, 1, 1).toordinal()
_REMEMBERED: Final = 100_000  # dates; some 20 MB


class BadRow(Exception):
    """A row cannot be read: `at` is where it starts in the text; the message says what is wrong."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.at = at


class _BadValue(Exception):
    """A literal is not what its column holds; the message goes on after the literal."""


class _Times(dict[bytes, bytes]):
    """Text of dates -> numbers, computed once each: the rows of one visit share most of their times."""

    def __init__(self, kind: Kind, zero: bytes) -> None:
        super().__init__({b"null": b"null"})
        self._only_days = kind is Kind.DATE
        self._zero = zero
        self._days: dict[bytes, int | None] = {}

    def __missing__(self, text: bytes) -> bytes:
        found = _DATETIME.match(text)
        if found is None:
            raise _BadValue("is no date" if self._only_days else "is no date and time")
        date, hour, minute, second, fraction = found.groups(b"0")
        try:
            days = self._days[date]
        except KeyError:
            days = self._days[date] = _days(date)
        if days is None:
            number = self._zero
        elif self._only_days:
            number = b"%d" % days
        else:
            seconds = ((days * 24 + int(hour)) * 60 + int(minute)) * 60 + int(second)
            number = b"%d" % (seconds * 1000 + int(fraction[:3].ljust(3, b"0")))
        if len(self) > _REMEMBERED:
            self.clear()
            self[b"null"] = b"null"
        self[text] = number
        return number


class _TimesOfDay(dict[bytes, bytes]):
    """Text of times of the day -> milliseconds since midnight."""

    def __missing__(self, text: bytes) -> bytes:
        found = _TIME.match(text)
        if found is None:
            raise _BadValue("is no time of the day")
        hour, minute, second, fraction = found.groups(b"0")
        seconds = (int(hour) * 60 + int(minute)) * 60 + int(second)
        self[text] = number = b"%d" % (seconds * 1000 + int(fraction[:3].ljust(3, b"0")))
        return number


def _days(date: bytes) -> int | None:
    """Days since 1970 of YYYY-MM-DD, None where a part is zero."""
    year, month, day = int(date[:4]), int(date[5:7]), int(date[8:])
    if 0 in (year, month, day):
        return None
    try:
        return datetime.date(year, month, day).toordinal() - _EPOCH
    except ValueError as error:
        raise _BadValue(f"is no date: {error}") from None


class _Bits(dict[bytes, bytes]):
    """Literals of a boolean -> numbers."""

    def __missing__(self, literal: bytes) -> bytes:
        return _bit(literal)


class RowReader:
    """Reads rows of one table, all of whose INSERTs give the same columns in the same order.

    A column that `order` leaves out has its default in every row, so it has to be `declared`. Events gather
    in `lines`; `finish` takes them away.
    """

    def __init__(self, table: Table, order: Sequence[str], declared: Mapping[str, DeclaredColumn]) -> None:
        self.lines: list[bytes] = []
        self._primary_key = table.primary_key
        wanted = {column.name: column.kind for column in table.columns}
        self._kinds = [(name, wanted.get(name)) for name in order]
        cells = [_PLAIN_CELLS[kind] if kind else _OTHER_CELL for _, kind in self._kinds]
        self._plain = re.compile(rb"\s*+\(" + rb",".join(cells) + rb"\)\s*+[,;]", re.DOTALL)
        present = [(name, kind) for name, kind in self._kinds if kind]
        self._times = {
            name: _times(kind, declared.get(name, DeclaredColumn(name)))
            for name, kind in wanted.items()
            if kind in (Kind.DATETIME, Kind.DATE)
        }
        self._times_of_day = _TimesOfDay({b"null": b"null"})
        # Keys in single quotes, as the text of plain cells: all are turned into double ones at once.
        fields = [b"'%s':%%b" % name.encode() for name, _ in present]
        for name, kind in wanted.items():
            if name not in order and (default := declared[name].default) is not None:
                value = self._event_value(name, kind, default).replace(b"%", b"%%")
                fields.append(b"'%s':%b" % (name.encode(), value))
            elif name not in order:
                fields.append(b"'%s':null" % name.encode())
        self._template = b"{" + b",".join(fields) + b"}\n"
        bits = _Bits({b"null": b"null", b"0": b"0", b"1": b"1"})
        alike: dict[Kind, Mapping[bytes, bytes]] = {Kind.BOOLEAN: bits, Kind.TIME: self._times_of_day}
        self._lookups: list[tuple[int, Mapping[bytes, bytes]]] = [
            (index, alike[kind] if kind in alike else self._times[name])
            for index, (name, kind) in enumerate(present)
            if kind in (Kind.BOOLEAN, Kind.DATETIME, Kind.DATE, Kind.TIME)
        ]

    def read(self, data: bytes, at: int) -> tuple[int, bool]:
        """Read rows from `at` on: return where to go on, and whether the statement has no more rows.

        Where it has more, the next one does not end within `data`. Raises BadRow.
        """
        while True:
            at, ended = self._read_plain(data, at)
            if ended:
                return at, True
            try:
                row = self._read_any(data, at)
            except BadRow as bad:
                raise BadRow(str(bad), len(data) - len(data[at:].lstrip())) from None
            if row is None:
                return at, False
            at, ended = row
            if ended:
                return at, True

    def _read_plain(self, data: bytes, at: int) -> tuple[int, bool]:
        """Read rows up to the first that does not look plain."""
        lines, template, lookups = self.lines, self._template, self._lookups
        if not self._plain.match(data, at):
            # `finditer` would look for one in all that follows, again for each row that does not look plain.
            return at, False
        for match in self._plain.finditer(data, at):
            if match.start() != at:
                break
            cells = list(match.groups(b"null"))
            try:
                for index, numbers in lookups:
                    cells[index] = numbers[cells[index]]
            except _BadValue:
                break  # _read_any finds it again and names the column
            lines.append(template % tuple(cells))
            at = match.end()
            if data[at - 1] == 59:  # ;
                return at, True
        return at, False

    def _read_any(self, data: bytes, at: int) -> tuple[int, bool] | None:
        """Read one row cell by cell; None where it does not end within `data`."""
        start = _ROW_START.match(data, at)
        if start is None:
            _check_open(data, at, "no '(' before a row")
            return None
        at = start.end()
        cells: list[bytes] = []
        for index, (name, kind) in enumerate(self._kinds):
            cell = _CELL.match(data, at)
            if cell is None:
                _check_open(data, at, f"no value for {name}")
                return None
            if (cell[2] == b")") != (index == len(self._kinds) - 1):
                raise BadRow(f"it does not have {len(self._kinds)} values")
            at = cell.end()
            if kind:
                cells.append(self._event_value(name, kind, cell[1]))
        end = _ROW_END.match(data, at)
        if end is None:
            _check_open(data, at, "no ',' or ';' after a row")
            return None
        self.lines.append(self._template % tuple(cells))
        return (end.end(), end[1] == b";") if end[1] in b",;" else (at, True)

    def _event_value(self, name: str, kind: Kind, literal: bytes) -> bytes:
        value = literal_bytes(literal)
        if value is None:
            return b"null"
        try:
            match kind:
                case Kind.DATETIME | Kind.DATE:
                    return self._times[name][value]
                case Kind.TIME:
                    return self._times_of_day[value]
                case Kind.TEXT:
                    return _json_text(value)
                case Kind.DOUBLE:
                    return _double(literal, value)
                case Kind.BOOLEAN:
                    return _bit(literal)
                case Kind.INTEGER:
                    return _integer(literal, value)
        except _BadValue as bad:
            shown = literal[:40].decode("utf-8", "backslashreplace")
            raise BadRow(f"{name}: {shown} {bad}") from None

    def finish(self, charset: str) -> tuple[bytes, list[str]]:
        """Take away the events as JSON lines in UTF-8; `charset` is Python's name for that of the dump.

        Also returns the primary keys of rows with bytes that are not of that charset: they became U+FFFD.
        """
        lines, self.lines = self.lines, []
        text = b"".join(lines).replace(b"'", b'"')
        try:
            decoded = text.decode(charset)
            return text if charset == "utf-8" else decoded.encode(), []
        except UnicodeDecodeError:
            pass
        damaged: list[str] = []
        mended = b""
        for line in text.splitlines(keepends=True):
            try:
                mended += line.decode(charset).encode()
            except UnicodeDecodeError:
                replaced = line.decode(charset, "replace")
                mended += replaced.encode()
                row = json.loads(replaced)
                damaged.append("/".join(str(row[name]) for name in self._primary_key))
        return mended, damaged


def _check_open(data: bytes, at: int, problem: str) -> None:
    """Return where more text may complete the row; raise BadRow where none can."""
    if len(data) - at >= _SHORT and not _OPEN_CELL.match(data, at):
        raise BadRow(f"{problem}: {data[at : at + 40].decode('utf-8', 'backslashreplace')!r}")


def _times(kind: Kind, column: DeclaredColumn) -> _Times:
    """The numbers of a column of dates, by what a zero date of it becomes."""
    if column.nullable:
        return _Times(kind, b"null")
    default = literal_bytes(column.default) if column.default is not None else None
    if default is not None and _DATETIME.match(default):
        return _Times(kind, _Times(kind, b"0")[default])
    return _Times(kind, b"0")


def _integer(literal: bytes, value: bytes) -> bytes:
    if holds_bits(literal):
        return b"%d" % int.from_bytes(value, "big")
    if _INTEGER.match(value):
        return value
    try:
        return b"%d" % int(value)
    except ValueError:
        raise _BadValue("is no integer") from None


def _bit(literal: bytes) -> bytes:
    """A boolean as a number: BIT(1) is dumped as a string of one byte, or as a hex or bit literal."""
    value = literal_bytes(literal) or b""
    if literal.endswith((b"'", b'"')) and value not in (b"0", b"1"):
        return b"%d" % int.from_bytes(value, "big")
    return _integer(literal, value)


def _double(literal: bytes, value: bytes) -> bytes:
    if _NUMBER.match(value) and not holds_bits(literal):
        return value
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _BadValue("is no number")
    return repr(number).encode()


def _json_text(value: bytes) -> bytes:
    # Latin-1 maps each byte to one character and back: the bytes stay, whatever their charset, until `finish`
    # decodes them. `'` becomes an escape, since `finish` turns ' into ".
    text = json.dumps(value.decode("latin-1"), ensure_ascii=False)
    return text.replace("'", "\\u0027").encode("latin-1")
