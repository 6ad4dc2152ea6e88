"""`extends`: what many sites share stands in one file, and each site says only what differs.

    extends: ../../defaults/ozone.base.yaml      # or a list; paths are seen from the file that says it
    without: [flattening.tables.anc]             # what of it this site does not have

Mappings are merged key by key; anything else that is said again takes the place of what was said before. Of several
bases a later one wins, and the file itself wins over all. A base may extend others. Every value keeps its place, so
that a finding points into the file that holds the mistake.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from ozone_gen.diagnostics import Diagnostic, OzoneError, codes, did_you_mean
from ozone_gen.diagnostics import Path as ValuePath
from ozone_gen.source import Node, Source, parse_up_to, read_source

EXTENDS: Final = "extends"
WITHOUT: Final = "without"

_COLUMNS: Final = ("flattening", "tables", "*", "columns")
"""A column here has a short form, a text, and a long one, a mapping: either takes the place of the other."""


def extended_source(file: str) -> Source:
    """Read a file together with all that it extends. Raises OzoneError with all that is wrong with them as files."""
    return _with_bases(read_source(file), (file,))


def bases_of(content: bytes, file: str) -> tuple[str, ...]:
    """The files that a file of this content names as its bases, as far as that is told without reading it all.

    Raises:
        OzoneError: what it says about its bases is wrong, or what stands before.
    """
    # Only an escape in double quotes can hide the word.
    if EXTENDS.encode() not in content and b"\\" not in content:
        return ()
    source = parse_up_to(content, file, EXTENDS)
    if EXTENDS not in source.data:
        return ()
    problems: list[Diagnostic] = []
    bases = tuple(_place_of(source, name) for name, _ in _names(source, problems))
    if problems:
        raise OzoneError(problems)
    return bases


def _own_part(source: Source) -> Source:
    """The file without the keys of this module."""
    if not {EXTENDS, WITHOUT} & source.data.keys():
        return source
    data, node = dict(source.data), _copied(source.root)
    for key in (EXTENDS, WITHOUT):
        if key in data:
            _remove(data, node, key)
    return replace(source, data=data, root=node)


def _with_bases(source: Source, chain: tuple[str, ...]) -> Source:
    if not {EXTENDS, WITHOUT} & source.data.keys():
        return source
    problems: list[Diagnostic] = []
    merged: Source | None = None
    for name, path in _names(source, problems):
        base = _base(source, name, path, chain, problems)
        if base is not None:
            merged = base if merged is None else _merge(merged, base, problems)
    if merged is not None and not problems:
        merged = _merge(_without(merged, source, problems), _own_part(source), problems)
    if problems or merged is None:
        raise OzoneError(problems)
    return merged


# --- what a file says about its bases


def _names(source: Source, problems: list[Diagnostic]) -> Iterator[tuple[str, ValuePath]]:
    value = source.data.get(EXTENDS)
    listed = value if isinstance(value, list) else [value]
    if EXTENDS not in source.data:
        message, hint = "it says what to leave out of nothing", "add `extends`, or remove `without`"
        problems.append(codes.BadExtends.at(source.position((WITHOUT,), key=True), message, path=(WITHOUT,), hint=hint))
        return
    for place, name in enumerate(listed):
        path: ValuePath = (EXTENDS, place) if isinstance(value, list) else (EXTENDS,)
        if isinstance(name, str) and name:
            yield name, path
        else:
            message, hint = "expected the path of a file, or a list of them", "such as ../defaults/ozone.base.yaml"
            problems.append(codes.BadExtends.at(source.position(path), message, path=path, hint=hint))
    if not listed:
        message, hint = "the list is empty", "name a file, or remove `extends`"
        problems.append(codes.BadExtends.at(source.position((EXTENDS,)), message, path=(EXTENDS,), hint=hint))


def _place_of(source: Source, name: str) -> str:
    return os.path.normpath(os.path.join(os.path.dirname(source.file), name))


def _base(
    source: Source, name: str, path: ValuePath, chain: tuple[str, ...], problems: list[Diagnostic]
) -> Source | None:
    file = _place_of(source, name)
    places = [os.path.realpath(each) for each in chain]
    if os.path.realpath(file) in places:
        ring = (*chain[places.index(os.path.realpath(file)) :], file)
        message = f"it extends itself: {' -> '.join(ring)}"
        hint = "let one of them extend nothing"
        problems.append(codes.ExtendsInACircle.at(source.position(path), message, path=path, hint=hint))
        return None
    if not os.path.exists(file):
        message = f"there is no file {file}"
        hint = f"the path is seen from the folder of {os.path.basename(source.file)}"
        problems.append(codes.NoSuchBase.at(source.position(path), message, path=path, hint=hint))
        return None
    try:
        return _with_bases(_read(file), (*chain, file))
    except OzoneError as error:
        problems += [each for each in error.diagnostics if each not in problems]
        return None


def _read(file: str) -> Source:
    """Read a base, which many sites share: once for as long as its file is the same."""
    try:
        found = os.stat(file)
    except (OSError, ValueError):
        return read_source(file)
    return _read_once(file, (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size))


@lru_cache(maxsize=256)
def _read_once(file: str, identity: tuple[int, int, int, int]) -> Source:
    return read_source(file)


def _without(base: Source, source: Source, problems: list[Diagnostic]) -> Source:
    """Leave out of a base what a file says that it does not have."""
    value = source.data.get(WITHOUT, [])
    if not isinstance(value, list):
        message, hint = "expected a list of paths", f"such as {WITHOUT}: [flattening.tables.anc]"
        problems.append(codes.BadExtends.at(source.position((WITHOUT,)), message, path=(WITHOUT,), hint=hint))
        return base
    data, root = dict(base.data), _copied(base.root)
    for place, text in enumerate(value):
        path: ValuePath = (WITHOUT, place)
        if not isinstance(text, str):
            message, hint = "expected the path of a key", "such as flattening.tables.anc"
            problems.append(codes.BadExtends.at(source.position(path), message, path=path, hint=hint))
            continue
        known = _left_out(data, root, text.split("."))
        if known is not None:
            message = f"there is no `{text}` in what is extended"
            hint = did_you_mean(text.rpartition(".")[2], known)
            problems.append(codes.NothingToLeaveOut.at(source.position(path), message, path=path, hint=hint))
    return replace(base, data=data, root=root)


def _left_out(data: dict[str, Any], node: Node, keys: list[str]) -> list[str] | None:
    """Remove what is at a path, in copies of all that is above it; what keys there are where it is not there."""
    for key in keys[:-1]:
        inner = data.get(key)
        if not isinstance(inner, dict):
            return list(data)
        data[key] = inner = dict(inner)
        node.inner[key] = _copied(node.inner[key])
        data, node = inner, node.inner[key]
    if keys[-1] not in data:
        return list(data)
    _remove(data, node, keys[-1])
    return None


# --- merging


def _merge(base: Source, over: Source, problems: list[Diagnostic]) -> Source:
    data, root = _merged((base.data, base.root), (over.data, over.root), (), over, problems)
    both = hashlib.sha256(f"{base.sha256} {over.sha256}".encode()).hexdigest()
    return Source(over.file, {**base.texts, **over.texts}, data, both, root)


def _merged(
    base: tuple[dict[str, Any], Node],
    over: tuple[dict[str, Any], Node],
    path: ValuePath,
    source: Source,
    problems: list[Diagnostic],
) -> tuple[dict[str, Any], Node]:
    """Merge two mappings; what only one of them has is shared with it, never changed."""
    data, node = dict(base[0]), Node(over[1].file, over[1].place, None, dict(base[1].inner), dict(base[1].keys))
    for key, value in over[0].items():
        here, inner = (*path, key), over[1].inner[key]
        before = data.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            value, inner = _merged((before, node.inner[key]), (value, inner), here, source, problems)
        elif before is not None and value is not None and _changes_kind(before, value, path):
            position = node.inner[key]
            was = "a mapping" if isinstance(before, dict) else "not a mapping"
            message = f"this is {was} in {position.file}:{position.place[0] + 1}"
            hint = f"write it in the same form, or leave it out with `{WITHOUT}: [{'.'.join(map(str, here))}]` before"
            problems.append(codes.MergeChangesType.at(source.position(here), message, path=here, hint=hint))
        data[key] = value
        node.inner[key], node.keys[key] = inner, over[1].keys[key]
    return data, node


def _changes_kind(before: object, value: object, path: ValuePath) -> bool:
    """Whether a mapping takes the place of something else, or the other way round, which is hardly meant."""
    if isinstance(before, dict) is isinstance(value, dict):
        return False
    return not (
        len(path) == len(_COLUMNS) and all(want in ("*", part) for want, part in zip(_COLUMNS, path, strict=True))
    )


def _copied(node: Node) -> Node:
    return Node(node.file, node.place, node.written, dict(node.inner), dict(node.keys))


def _remove(data: dict[str, Any], node: Node, key: str) -> None:
    del data[key]
    node.inner.pop(key, None)
    node.keys.pop(key, None)
