"""Bring files to the newest version of the format, with their comments, order and quotes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from io import StringIO
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from ozone_gen.diagnostics import OzoneError, codes
from ozone_gen.extends import EXTENDS
from ozone_gen.migration import STEPS, Step
from ozone_gen.shape import VERSION, version_finding
from ozone_gen.source import Source, read_source

_WIDE: Final = 4096  # No line of a file is folded.


@dataclass(frozen=True)
class Rewritten:
    """A file as it was and as it is to be; `done` says what was changed, in sentences."""

    file: str
    version: int
    before: bytes
    after: bytes
    done: tuple[str, ...]

    @property
    def is_older(self) -> bool:
        """Whether the file is of an older version than the newest."""
        return self.before != self.after


def rewritten(files: Sequence[str], steps: Sequence[Step] = STEPS, newest: int = VERSION) -> list[Rewritten]:
    """Work out how files, and those that they extend, look in the newest version; nothing is written.

    Raises:
        OzoneError: a file cannot be read, has no version, or is of a newer version than this ozone-gen knows.
    """
    problems: list[OzoneError] = []
    found: dict[str, Rewritten] = {}
    for file in files:
        try:
            for source, version in _with_bases(file, newest, set()):
                found.setdefault(os.path.realpath(source.file), _rewritten(source, version, steps, newest))
        except OzoneError as error:
            problems.append(error)
    if problems:
        raise OzoneError([finding for problem in problems for finding in problem.diagnostics])
    return list(found.values())


def _with_bases(file: str, newest: int, seen: set[str], inherited: int | None = None) -> Iterator[tuple[Source, int]]:
    """A file and those that it extends, each with its version; a base that says none is of its file's."""
    place = os.path.realpath(file)
    if place in seen:
        return  # in a circle: `validate` says so
    seen.add(place)
    source = read_source(file)
    if "version" not in source.data and inherited is None and EXTENDS not in source.data:
        message = "the file says no version"
        position = source.position(("version",))
        hint = f"write `version: {newest}`" if "site" in source.data else "name a file that extends it"
        raise OzoneError(codes.MissingKey.at(position, message, path="version", hint=hint))
    wrong = version_finding(source, newest, oldest=1)
    if wrong is not None:
        raise OzoneError(wrong)
    version = source.data.get("version", inherited)
    named = source.data.get(EXTENDS)
    bases = [
        base
        for name in (named if isinstance(named, list) else [named])
        if isinstance(name, str)
        for base in _with_bases(os.path.join(os.path.dirname(file), name), newest, seen, version)
    ]
    if version is None:
        version = bases[0][1] if bases else newest
    yield source, version
    yield from bases


def _rewritten(source: Source, version: int, steps: Sequence[Step], newest: int) -> Rewritten:
    before = Path(source.file).read_bytes()
    if version == newest:
        return Rewritten(source.file, version, before, before, ())
    due = [step for step in steps if version <= step.before < newest]
    if [step.before for step in due] != list(range(version, newest)):
        raise ValueError(f"there are no steps from version {version} to {newest}")
    text = before.decode("utf-8-sig")
    yaml = _reader(text)
    document = yaml.load(text)
    untouched = _dumped(yaml, document)
    done: list[str] = []
    for step in due:
        done += step.change(document)
        if "version" in document:
            document["version"] = step.before + 1
    after = _bytes(text, untouched, _dumped(yaml, document), before)
    return Rewritten(source.file, version, before, after, tuple(done))


def _reader(text: str) -> YAML:
    """A reader and writer that leaves what it does not change as it stands."""
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = _WIDE
    mapping, dash = _indents(text)
    yaml.indent(mapping=mapping, sequence=dash + 2, offset=dash)
    return yaml


def _dumped(yaml: YAML, document: CommentedMap) -> str:
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _indents(text: str) -> tuple[int, int]:
    """How far the file indents mappings, and the dashes of lists below their key."""
    mapping, dash, above = 0, -1, (0, False)
    for line in text.splitlines():
        bare = line.lstrip(" ")
        if not bare or bare.startswith("#"):
            continue
        depth = len(line) - len(bare)
        if bare.startswith("- "):
            if above[1] and dash < 0:
                dash = max(0, depth - above[0])
        elif above[1] and depth > above[0] and not mapping:
            mapping = depth - above[0]
        above = (depth, bare.split(" #")[0].rstrip().endswith(":"))
    return mapping or 2, max(dash, 0)


def _bytes(written: str, untouched: str, changed: str, before: bytes) -> bytes:
    """The changed document, with every line that no step changed as it was written.

    What ruamel.yaml writes differs a little from what it read (`null` may be nothing, folded texts break elsewhere):
    `untouched` is what it makes of the file without a change.
    """
    lines = [text.splitlines() for text in (written, untouched, changed)]
    if len(lines[0]) == len(lines[1]):
        merged: list[str] = []
        for kind, start, end, first, last in SequenceMatcher(None, lines[1], lines[2], autojunk=False).get_opcodes():
            merged += lines[0][start:end] if kind == "equal" else lines[2][first:last]
        text = "\n".join(merged) + ("\n" if written.endswith("\n") else "")
    else:
        text = changed
    if b"\r\n" in before:
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return (b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b"") + text.encode()


def write(found: Sequence[Rewritten]) -> None:
    """Write the files that change, each wholly or not at all. Raises OutputError."""
    from ozone_gen.text_output import bytes_file

    for each in found:
        if each.is_older:
            with bytes_file(Path(os.path.realpath(each.file))) as stream:
                stream.write(each.after)

