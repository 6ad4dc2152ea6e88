"""Read a YAML file as plain data, and remember where in the file each value stands.

The language is YAML 1.2's core schema, less what no configuration of a site needs and readers disagree on:
tags, merge keys, keys that are no text, and several documents. Anchors and aliases are taken. Whatever is in
a file, reading it gives data, or an OzoneError with everything that was found wrong, each thing located.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from ozone_gen.diagnostics import Diagnostic, OzoneError, Position, codes, did_you_mean
from ozone_gen.diagnostics import Path as ValuePath
from ozone_gen.yaml_syntax import in_plain_words

LARGEST_FILE = 512 * 1024
"""Bytes; some ten thousand columns of flattened tables."""
DEEPEST = 40
"""Levels of mappings and lists inside each other."""
MOST_VALUES = 100_000
"""Keys and values, with all aliases unfolded."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_BASES = {"0o": 8, "0x": 16}
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_QUOTE = "put quotes around it if it is a text"
_SIMPLER = "split the file into several sites, or write its aliases out"

Place = tuple[int, int]
"""Line and column, both 0-based as the parser counts them."""


@dataclass(slots=True)
class Node:
    """Where a value stands; what is in it, by key or index; and where its keys stand.

    A key stands in the file of its value, which is `file`.
    """

    file: str
    place: Place
    written: str | None = None
    inner: dict[str | int, Node] = field(default_factory=dict)
    keys: dict[str | int, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """A file's data (of dict, list, str, int, float, bool and None), and where each of its values stands.

    Attributes:
        file: its name as findings show it.
        texts: what it holds, and what the files hold that it extends, by their names.
        data: what it says, together with what it extends.
        sha256: the hash of the bytes of all of these files, in hexadecimal.
        root: where everything stands.
    """

    file: str
    texts: Mapping[str, str]
    data: dict[str, Any]
    sha256: str
    root: Node

    @property
    def text(self) -> str:
        """What the file itself holds."""
        return self.texts[self.file]

    def position(self, path: ValuePath, key: bool = False) -> Position:
        """Where the value at `path` stands, or its `key`.

        Where there is no such value, it is the key of the nearest thing above it that is there: what is
        missing is missing in that one. The whole document stands where its first key stands.
        """
        node, place = self.root, self.root.place
        for part in path:
            found = node.inner.get(part)
            if found is None:
                break
            place = node.keys.get(part, found.place)
            node = found
        else:
            place = place if key else node.place
        return Position(node.file, place[0] + 1, place[1] + 1)

    def written(self, path: ValuePath) -> str | None:
        """The scalar at `path` as it is written, less quotes: `2.10` where the data has 2.1. Or None."""
        node: Node | None = self.root
        for part in path:
            node = node.inner.get(part) if node else None
        return node.written if node else None


def read_source(path: Path | str) -> Source:
    """Read a file. Raises OzoneError with all that is wrong with it as YAML."""
    file = str(path)
    try:
        with open(path, "rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise OzoneError(codes.UnreadableFile.at(Position(file), "there is no such file")) from error
    except IsADirectoryError as error:
        raise OzoneError(codes.UnreadableFile.at(Position(file), "this is a folder")) from error
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or error}"
        raise OzoneError(codes.UnreadableFile.at(Position(file), message)) from error
    except ValueError as error:  # a NUL or half a surrogate pair in the path
        raise OzoneError(codes.UnreadableFile.at(Position(file), "no file can have this name")) from error
    return parse_source(content, file)


def parse_source(content: bytes, file: str) -> Source:
    """Read the content of a file, of which `file` is the name that findings show. Raises as `read_source`."""
    text = _decoded(content, file)
    reader = _Reader(file, text)
    reader.read()
    if not reader.problems and not isinstance(reader.data, dict):
        reader.problem_with_root()
    if reader.problems or reader.node is None:
        raise OzoneError(reader.problems)
    return Source(file, {file: text}, reader.data, hashlib.sha256(content).hexdigest(), reader.node)


def parse_up_to(content: bytes, file: str, key: str) -> Source:
    """Read the content of a file as far as a key at its top, if it has it; what is wrong behind it is not seen.

    Raises as `parse_source`.
    """
    text = _decoded(content, file)
    reader = _ReaderUpTo(file, text, key)
    reader.read()
    if reader.problems:
        raise OzoneError(reader.problems)
    if not isinstance(reader.data, dict) or reader.node is None:
        return parse_source(content, file)
    return Source(file, {file: text}, reader.data, hashlib.sha256(content).hexdigest(), reader.node)


def _decoded(content: bytes, file: str) -> str:
    if len(content) > LARGEST_FILE:
        message = f"the file is larger than {LARGEST_FILE // 1024} KiB"
        raise OzoneError(codes.FileTooComplex.at(Position(file), message, hint=_SIMPLER))
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        hint = "save the file as UTF-8"
        raise OzoneError(codes.NotUtf8.at(Position(file, 1, 1), "the file is UTF-16, not UTF-8", hint=hint))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Of the error, `object` is what follows a byte order mark, and `start` counts from there.
        good = error.object[: error.start].decode()
        message = f"the byte 0x{error.object[error.start]:02x} is not UTF-8"
        position = _position_at(good, len(good), file)
        raise OzoneError(codes.NotUtf8.at(position, message, hint="save the file as UTF-8")) from error
    found = _UNPRINTABLE.search(text)
    if found:
        message = f"the character U+{ord(found.group()):04X} cannot stand in a YAML file"
        hint = "save the file as UTF-8 text" if found.group() == "\0" else "remove it"
        raise OzoneError(codes.YamlSyntax.at(_position_at(text, found.start(), file), message, hint=hint))
    return text


def _position_at(text: str, offset: int, file: str) -> Position:
    return Position(file, text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read."""

    data: dict[str, Any] | list[Any]
    node: Node
    anchor: str | None
    values_before: int
    key: str | None = None  # of the value to come; None in a mapping where a key is to come
    dropped: bool = False  # the value to come belongs to a key that was refused
    is_key: bool = False  # it stands itself where a key should stand


@dataclass(frozen=True, slots=True)
class _Anchored:
    data: Any
    node: Node
    values: int


class _Stop(Exception):
    """Nothing sensible can be read after the last problem."""


class _Reader:
    """Builds data and places from the parser's events, without recursion, so that no depth can overflow."""

    def __init__(self, file: str, text: str) -> None:
        self.data: Any = None
        self.node: Node | None = None
        self.problems: list[Diagnostic] = []
        self._file = file
        self._text = text
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}  # None while the value is being read
        self._values = 0
        self._documents = 0
        self._last: Place = (0, 0)

    def read(self) -> None:
        """Read the text into `data`, `node` and `problems`."""
        try:
            for event in YAML(typ="safe", pure=True).parse(self._text):
                self._take(event)
        except _Stop:
            return
        except MarkedYAMLError as error:
            fault = in_plain_words(error, self._text)
            place = (fault.line - 1, fault.column - 1)
            self._problem(codes.YamlSyntax, place, fault.message, fault.hint)
        except Exception:
            # The parser trips over some input instead of refusing it: "\UFFFFFFFF" is an OverflowError.
            hint = "look for a \\ in double quotes"
            self._problem(codes.YamlSyntax, self._last, "what follows here is not valid YAML", hint)

    def problem_with_root(self) -> None:
        """Say what the document is instead of a mapping."""
        hint = "begin with `version: 1`, or with one of the examples"
        if self.data is None:
            self._problem(codes.NotAMapping, (0, 0), "the file is empty", hint)
            return
        kind = "a list" if isinstance(self.data, list) else "a single value"
        place = self.node.place if self.node else (0, 0)
        self._problem(codes.NotAMapping, place, f"the file is {kind} and not a mapping of keys", hint)

    def _problem(self, code: type[codes.Code], place: Place, message: str, hint: str = "") -> None:
        position = Position(self._file, place[0] + 1, place[1] + 1)
        self.problems.append(code.at(position, message, hint=hint))

    def _take(self, event: Any) -> None:
        mark = event.start_mark
        place = self._last = (mark.line, mark.column)
        kind = type(event)
        if kind is ScalarEvent:
            self._scalar(event, place)
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            self._begin({} if kind is MappingStartEvent else [], event, place)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            self._end()
        elif kind is AliasEvent:
            self._alias(event.anchor, place)
        elif kind is DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                hint = "remove the --- or split the file"
                self._problem(codes.SeveralDocuments, place, "a second document begins here", hint)
                raise _Stop
            if event.version not in (None, (1, 2)):
                message = "this declares another version than YAML 1.2"
                self._problem(codes.YamlSyntax, (0, 0), message, "remove the line that begins with %")

    def _scalar(self, event: Any, place: Place) -> None:
        self._count(1, place)
        text: str = event.value
        if event.tag is not None:
            self._tag(event.tag, place)
        if event.style == '"' and _NO_TEXT.search(text):
            message = "this text has a character in it that no file or database takes"
            self._problem(codes.YamlSyntax, place, message, "remove the \\0 or \\uD... from it")
        plain = event.style is None and event.tag is None
        is_key = self._key_expected()
        value = self._resolved(text, place) if plain and not is_key else text
        node = Node(self._file, place, text)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, node, 1)
        if is_key:
            self._key(text, place, plain)
        else:
            self._put(value, node)

    def _resolved(self, text: str, place: Place) -> Any:
        """What a text without quotes stands for."""
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in "0123456789+-.":
            return text
        if _INTEGER.fullmatch(text):
            base = _BASES.get(text[:2])
            # Python refuses decimal numbers of thousands of digits with a ValueError.
            number = int(text[2:], base) if base else int(text) if len(text) < 1000 else 2**64
            if not -(2**63) <= number < 2**63:
                self._problem(codes.NumberOutOfRange, place, "this number needs more than 64 bits", _QUOTE)
            return number
        if _FLOAT.fullmatch(text):
            value = float(text)
            if not math.isfinite(value):
                self._problem(codes.NumberOutOfRange, place, "this number is too large", _QUOTE)
            return value
        if _NO_NUMBER.fullmatch(text):
            self._problem(codes.NumberOutOfRange, place, f"{text} is no number that can be used", _QUOTE)
            return 0.0
        return text

    def _key(self, text: str, place: Place, plain: bool) -> None:
        parent = self._open[-1]
        parent.key = text
        if plain and text == "<<":
            hint = "write the keys out, or use an alias for the whole value"
            self._problem(codes.MergeKey, place, "the merge key << is not supported", hint)
            parent.dropped = True
            return
        if plain and (
            text in _WORDS or _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text) or _NO_NUMBER.fullmatch(text)
        ):
            shown = f"the key {text}" if text else "an empty key"
            self._problem(codes.KeyNotText, place, f"{shown} is not a text", f'write "{text}"')
        first = parent.node.keys.get(text)
        if first is None:
            parent.node.keys[text] = place
            return
        message = f"the key {text} stands here again, after line {first[0] + 1}"
        self._problem(codes.DuplicateKey, place, message, "rename or remove one of the two")
        parent.dropped = True

    def _begin(self, data: dict[str, Any] | list[Any], event: Any, place: Place) -> None:
        self._count(1, place)
        if len(self._open) >= DEEPEST:
            message = f"there are more than {DEEPEST} levels of mappings and lists"
            self._problem(codes.FileTooComplex, place, message, "look for a bracket that is never closed")
            raise _Stop
        if event.tag is not None:
            self._tag(event.tag, place)
        opened = _Open(data, Node(self._file, place), event.anchor, self._values)
        if self._key_expected():
            self._no_text_as_key(place)
            opened.is_key = True
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(opened)

    def _end(self) -> None:
        done = self._open.pop()
        if done.anchor is not None:
            values = self._values - done.values_before + 1
            self._anchors[done.anchor] = _Anchored(done.data, done.node, values)
        if done.is_key:
            self._drop_next()
        else:
            self._put(done.data, done.node)

    def _alias(self, name: str, place: Place) -> None:
        anchored = self._anchors.get(name)
        if anchored is None:
            if name in self._anchors:
                message = f"the alias *{name} stands inside what it stands for"
                self._problem(codes.FileTooComplex, place, message, "write out what is meant")
            else:
                message = f"there is no anchor &{name} before the alias *{name}"
                hint = did_you_mean(name, self._anchors) or "put quotes around a value that begins with *"
                self._problem(codes.YamlSyntax, place, message, hint)
            anchored = _Anchored(None, Node(self._file, place), 1)
        self._count(anchored.values, place)
        if not self._key_expected():
            # What is inside an aliased value stands where its anchor is; the value itself stands here.
            node = Node(self._file, place, anchored.node.written, anchored.node.inner, anchored.node.keys)
            self._put(anchored.data, node)
        elif isinstance(anchored.data, str):
            self._key(anchored.data, place, plain=False)
        else:
            self._no_text_as_key(place)
            self._drop_next()

    def _put(self, value: Any, node: Node) -> None:
        if not self._open:
            self.data, self.node = value, node
            return
        parent = self._open[-1]
        if isinstance(parent.data, list):
            parent.node.inner[len(parent.data)] = node
            parent.data.append(value)
            return
        if not parent.dropped and parent.key is not None:
            parent.node.inner[parent.key] = node
            parent.data[parent.key] = value
        parent.key, parent.dropped = None, False

    def _key_expected(self) -> bool:
        return bool(self._open) and self._open[-1].key is None and isinstance(self._open[-1].data, dict)

    def _drop_next(self) -> None:
        self._open[-1].key, self._open[-1].dropped = "", True

    def _no_text_as_key(self, place: Place) -> None:
        hint = "put quotes around a key that begins with a bracket, *, & or ?"
        self._problem(codes.KeyNotText, place, "this key is not a text", hint)

    def _tag(self, tag: str, place: Place) -> None:
        shown = tag.replace("tag:yaml.org,2002:", "!!")
        hint = "remove it; put quotes around a value that is a text"
        self._problem(codes.UnsupportedTag, place, f"the tag {shown} is not supported", hint)

    def _count(self, values: int, place: Place) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            message = f"the file holds more than {MOST_VALUES:,} values, with its aliases unfolded"
            self._problem(codes.FileTooComplex, place, message, _SIMPLER)
            raise _Stop


class _ReaderUpTo(_Reader):
    """Stops behind the value of one key of the document's mapping."""

    def __init__(self, file: str, text: str, key: str) -> None:
        super().__init__(file, text)
        self._wanted = key

    def _put(self, value: Any, node: Node) -> None:
        super()._put(value, node)
        if len(self._open) == 1 and isinstance(self._open[0].data, dict) and self._wanted in self._open[0].data:
            self.data, self.node = self._open[0].data, self._open[0].node
            raise _Stop
