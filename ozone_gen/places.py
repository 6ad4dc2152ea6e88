"""What the models know about a place in ozone.yaml: its keys, its possible values, what it is for.

Messages about a wrong file ask here; a right file never does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from enum import Enum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ozone_gen.diagnostics import Path, dotted
from ozone_gen.spec import OzoneSpec

ANY_NAME: Final = "NAME"
"""Stands in a dotted place for a key that the author chooses."""


def known_keys(path: Path) -> list[str]:
    """The keys that a mapping at that place can have; none where they are the author's to choose."""
    return [key for option in _options_at(path) if _is_model(option) for key in _fields(option)]


def choices(path: Path) -> list[str]:
    """The values that are listed for a place, as text; none where it is free."""
    found: list[str] = []
    for option in _options_at(path):
        if get_origin(option) is Literal:
            found += (str(value) for value in get_args(option))
        elif isinstance(option, type) and issubclass(option, Enum):
            found += (str(member.value) for member in option)
    return found


def described(path: Path) -> str:
    """What the models say about the key at the end of a path, without a full stop; else ""."""
    for option in _options_at(path[:-1]):
        field = _fields(option).get(str(path[-1])) if _is_model(option) else None
        if field is not None:
            models = [inner for inner in _options(field.annotation) if _is_model(inner)]
            words = field.description or (models[0].__doc__ if models else "") or ""
            return words.strip().removesuffix(".")
    return ""


def is_optional_part(path: Path) -> bool:
    """Say whether `{}` is right at a place: a mapping all of whose keys have defaults."""
    return any(
        _is_model(option) and not any(field.is_required() for field in _fields(option).values())
        for option in _options_at(path)
    )


def where_known(key: str) -> tuple[str, ...]:
    """The dotted places of the mappings that have such a key; "" is the top level."""
    return tuple(dict.fromkeys(place for place, keys in _mappings() if key in keys))


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is nearest in spelling; None where none is near."""
    by_folded = {each.casefold(): each for each in known}
    close = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def _is_model(option: Any) -> bool:
    return isinstance(option, type) and issubclass(option, BaseModel)


def _fields(model: Any) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _options(annotation: Any) -> Iterator[Any]:
    """The alternatives of an annotation, without what pydantic is told about them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _options(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for each in get_args(annotation):
            yield from _options(each)
    else:
        yield annotation


def _inside(option: Any, part: str | int) -> Iterator[Any]:
    """The alternatives of what stands at a key or an index of a mapping or list."""
    if _is_model(option):
        field = _fields(option).get(str(part))
        if field is not None:
            yield from _options(field.annotation)
    elif get_origin(option) is dict:
        yield from _options(get_args(option)[1])
    elif get_origin(option) is tuple:
        yield from _options(get_args(option)[0])


def _options_at(path: Path) -> list[Any]:
    options: list[Any] = [OzoneSpec]
    for part in path:
        options = [inner for option in options for inner in _inside(option, part)]
    return options


@cache
def _mappings() -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple(_walk(OzoneSpec, ()))


def _walk(option: Any, path: Path) -> Iterator[tuple[str, frozenset[str]]]:
    if _is_model(option):
        yield dotted(path), frozenset(_fields(option))
        for key in _fields(option):
            for inner in _inside(option, key):
                yield from _walk(inner, (*path, key))
    elif get_origin(option) is dict:
        for inner in _inside(option, ""):
            yield from _walk(inner, (*path, ANY_NAME))
