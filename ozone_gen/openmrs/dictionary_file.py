"""A dictionary as a file: for people who may check an ozone.yaml, but not read the clinic's database.

It holds no patient and no setting of the server, only what `vocabulary` keeps. The same dictionary gives the same
bytes, one thing a line, so that two exports can be compared. The models describe the file: its JSON Schema is
generated from them.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from ozone_gen import __version__
from ozone_gen.diagnostics import Diagnostic, OzoneError, Position, codes
from ozone_gen.openmrs.dictionary import AttributeType, Concept, Dictionary, Named, NamedKind
from ozone_gen.openmrs.vocabulary import LocaleName, Vocabulary, without_collection

VERSION: Final = 1
"""Of the format. A file of a higher one is refused."""

_EXPORT: Final = "export it again: ozone-gen dictionary ozone.yaml -o dictionary.json.gz"
_GZIP: Final = b"\x1f\x8b"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


Id = Annotated[int, Field(ge=0)]
_List = Strict(False)
_Ids = Annotated[tuple[Id, ...], _List]


class NameEntry(_Model):
    """The best name of a concept in one locale."""

    locale: str
    name: str
    rank: int = Field(ge=0, le=3, description="0 is best: 2 more if it is not preferred, 1 if not fully specified.")


class ConceptEntry(_Model):
    """A concept."""

    id: Id
    uuid: str
    datatype: str = Field(default="", description="The name of its datatype, such as Numeric or Coded.")
    units: str = ""
    retired: bool = False
    codes: Annotated[tuple[str, ...], _List] = Field(default=(), description="SOURCE:CODE of its SAME-AS mappings.")
    answers: _Ids = Field(default=(), description="Ids of the concepts that may answer it, in their order.")
    members: _Ids = Field(default=(), description="Ids of the concepts of a set, in their order.")
    names: Annotated[tuple[NameEntry, ...], _List] = ()


class NamedEntry(_Model):
    """An encounter type, a visit type, a form or a location."""

    id: Id
    uuid: str
    name: str
    retired: bool = False
    version: str = Field(default="", description="Of a form.")


class AttributeTypeEntry(_Model):
    """What persons or visits can have."""

    id: Id
    uuid: str
    name: str
    datatype: str = Field(default="", description="The Java class of its values.")
    retired: bool = False


_NamedEntries = Annotated[tuple[NamedEntry, ...], _List]
_AttributeTypes = Annotated[tuple[AttributeTypeEntry, ...], _List]


class DictionaryFile(_Model):
    """A dictionary of an OpenMRS database, as `ozone-gen dictionary` writes it."""

    format: Literal["ozone-gen dictionary"]
    version: Literal[1] = Field(description="Version of this file's format.")
    ozone_gen: str = Field(description="The version of ozone-gen that wrote it.")
    true_concept: Id | None = Field(description="Id of the concept that means true.")
    false_concept: Id | None = Field(description="Id of the concept that means false.")
    concept_sources: Annotated[tuple[str, ...], _List] = Field(description="Terminologies, by name.")
    encounter_types: _NamedEntries
    visit_types: _NamedEntries
    forms: _NamedEntries
    locations: _NamedEntries
    person_attribute_types: _AttributeTypes
    visit_attribute_types: _AttributeTypes
    concepts: Annotated[tuple[ConceptEntry, ...], _List]


_NAMED_KEYS: Final = MappingProxyType(
    {
        NamedKind.ENCOUNTER_TYPE: "encounter_types",
        NamedKind.VISIT_TYPE: "visit_types",
        NamedKind.FORM: "forms",
        NamedKind.LOCATION: "locations",
    }
)


def dictionary_bytes(vocabulary: Vocabulary, *, compressed: bool) -> bytes:
    """The file of a dictionary, compressed by gzip or plain."""
    text = "".join(_text(vocabulary)).encode()
    if not compressed:
        return text
    out = io.BytesIO()
    # Neither a time nor a name: the same dictionary is to give the same bytes.
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as stream:
        stream.write(text)
    return out.getvalue()


def _text(vocabulary: Vocabulary) -> Iterator[str]:
    found = vocabulary.nameless
    head = {
        "format": "ozone-gen dictionary",
        "version": VERSION,
        "ozone_gen": __version__,
        "true_concept": found.true_concept,
        "false_concept": found.false_concept,
    }
    yield "{\n" + "".join(f'  "{key}": {_json(value)},\n' for key, value in head.items())
    yield from _list("concept_sources", found.sources)
    for kind, key in _NAMED_KEYS.items():
        yield from _list(key, (_filled(_named(each)) for each in found.named.get(kind, ())))
    for key in ("person_attribute_types", "visit_attribute_types"):
        yield from _list(key, (_filled(_attribute_type(each)) for each in getattr(found, key)))
    names = vocabulary.names
    yield from _list("concepts", (_filled(_concept(each, names.get(each.id, ()))) for each in found.concepts), end="\n")
    yield "}\n"


def _list(key: str, items: Iterable[object], end: str = ",\n") -> Iterator[str]:
    yield f'  "{key}": ['
    between = "\n    "
    for item in items:
        yield between + _json(item)
        between = ",\n    "
    yield ("]" if between.startswith("\n") else "\n  ]") + end


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _filled(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without what is left out where it is empty."""
    return {key: value for key, value in entry.items() if value not in ("", False, ()) or key in ("uuid", "name")}


def _named(each: Named) -> dict[str, Any]:
    return {
        "id": each.id,
        "uuid": each.uuid,
        "name": each.name,
        "retired": each.retired,
        "version": each.version,
    }


def _attribute_type(each: AttributeType) -> dict[str, Any]:
    return {
        "id": each.id,
        "uuid": each.uuid,
        "name": each.name,
        "datatype": each.datatype,
        "retired": each.retired,
    }


def _concept(each: Concept, names: Iterable[LocaleName]) -> dict[str, Any]:
    return {
        "id": each.id,
        "uuid": each.uuid,
        "datatype": each.datatype,
        "units": each.units,
        "retired": each.retired,
        "codes": each.codes,
        "answers": each.answers,
        "members": each.members,
        "names": tuple({"locale": name.locale, "name": name.name, "rank": name.rank} for name in names),
    }


def read_dictionary(path: Path) -> Vocabulary:
    """Read the file of a dictionary.

    Raises:
        OzoneError: it cannot be read, is no dictionary, or is of another version.
    """
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise OzoneError(_no_dictionary(path, "it is damaged or was cut off")) from None
    except OSError as error:
        message = f"cannot read the dictionary: {error.strerror or error}"
        raise OzoneError(codes.UnreadableFile.at(Position(str(path)), message)) from None
    try:
        with without_collection():
            return _vocabulary(DictionaryFile.model_validate_json(content), path)
    except ValidationError as error:
        raise OzoneError(_finding(error, path, content)) from None


def _finding(error: ValidationError, path: Path, content: bytes) -> Diagnostic:
    problems = error.errors()
    for problem in problems:
        given = problem["input"]
        if problem["loc"] == ("version",) and isinstance(given, int) and given > VERSION:
            message = f"the dictionary is of format {given}, and this ozone-gen {__version__} knows format {VERSION}"
            hint = f"use a newer ozone-gen, or {_EXPORT}"
            return codes.UnsupportedDictionaryVersion.at(Position(str(path)), message, path="version", hint=hint)
    first = problems[0]
    if content.lstrip()[:2] in (b"--", b"/*"):
        return _no_dictionary(path, "it looks like a SQL dump", "give a dump by --dump")
    if first["type"] == "json_invalid":
        return _no_dictionary(path, first["msg"].lower())
    place = ".".join(map(str, first["loc"]))
    return _no_dictionary(path, f"{place}: {first['msg'].lower()}" if place else "it is not a mapping")


def _no_dictionary(path: Path, what: str, hint: str = _EXPORT) -> Diagnostic:
    return codes.NotADictionary.at(Position(str(path)), f"this is no exported dictionary: {what}", hint=hint)


def _vocabulary(file: DictionaryFile, path: Path) -> Vocabulary:
    named: Mapping[NamedKind, tuple[Named, ...]] = {
        kind: tuple(Named(each.id, each.uuid, each.name, each.retired, each.version) for each in getattr(file, key))
        for kind, key in _NAMED_KEYS.items()
    }
    concepts = tuple(
        Concept(
            id=each.id,
            uuid=each.uuid,
            datatype=each.datatype,
            name="",
            codes=each.codes,
            units=each.units,
            answers=each.answers,
            members=each.members,
            retired=each.retired,
        )
        for each in file.concepts
    )
    dictionary = Dictionary(
        f"the dictionary {path.name}",
        concepts,
        MappingProxyType(dict(named)),
        file.concept_sources,
        file.true_concept,
        file.false_concept,
        _attribute_types(file.person_attribute_types),
        _attribute_types(file.visit_attribute_types),
    )
    names = {
        each.id: tuple(LocaleName(name.locale, name.name, name.rank) for name in each.names)
        for each in file.concepts
        if each.names
    }
    return Vocabulary(dictionary, MappingProxyType(names))


def _attribute_types(found: tuple[AttributeTypeEntry, ...]) -> tuple[AttributeType, ...]:
    return tuple(AttributeType(each.id, each.uuid, each.name, each.datatype, each.retired) for each in found)
