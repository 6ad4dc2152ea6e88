"""The lock: what an ozone.yaml refers to, as it was found in the site's own dictionary.

The models describe the file, too: its JSON Schema is generated from them.
"""

from __future__ import annotations

from collections import defaultdict
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict

from ozone_gen import __version__
from ozone_gen.openmrs.dictionary import AttributeType, Concept, Dictionary, Named, NamedKind
from ozone_gen.references import references
from ozone_gen.spec import OzoneSpec

NO_CHECKSUM: Final = "0" * 64
VERSION: Final = 1
"""Of the format. A file of a higher one is refused."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


Id = Annotated[int, Field(ge=0)]
_List = Strict(False)


class LockedAnswer(_Model):
    """A concept that answers another one, or is a member of a set."""

    id: Id
    uuid: str
    name: str = Field(description="In the best of the site's locales.")


class LockedConcept(_Model):
    """A concept that the file refers to."""

    id: Id = Field(description="Its id in this site's database.")
    uuid: str
    datatype: str = Field(description="The name of its datatype, such as Numeric or Coded.")
    units: str = Field(default="", description="Of a numeric concept, such as kg.")
    retired: bool = False
    name: str = Field(description="What people call it, in the best of the site's locales.")
    names: dict[str, str] = Field(default_factory=dict, description="What people call it, by locale of the site.")
    answers: Annotated[tuple[LockedAnswer, ...], _List] = ()
    members: Annotated[tuple[LockedAnswer, ...], _List] = ()


class LockedNamed(_Model):
    """An encounter type, a visit type, a form or a location that the file refers to."""

    id: Id
    uuid: str
    name: str
    version: str = Field(default="", description="Of a form.")
    retired: bool = False


class LockedAttributeType(_Model):
    """What persons or visits can have."""

    id: Id
    uuid: str
    name: str
    datatype: str = Field(default="", description="The Java class of its values.")
    retired: bool = False


_NamedByReference = dict[str, Annotated[tuple[LockedNamed, ...], _List]]
_AttributeTypes = Annotated[tuple[LockedAttributeType, ...], _List]


class Lock(_Model):
    """One ozone.lock.yaml: what the ozone.yaml beside it refers to, as the site's own dictionary has it."""

    version: Literal[1] = Field(description="Version of this file's format.")
    ozone_gen: str = Field(description="The version of ozone-gen that wrote it.")
    checksum: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the file without this line.")
    site: str = Field(description="The id of the site.")
    locales: Annotated[tuple[str, ...], _List] = Field(description="The site's locales, best first.")
    true_concept: Id | None = Field(default=None, description="Id of the concept that means true.")
    false_concept: Id | None = Field(default=None, description="Id of the concept that means false.")
    concepts: dict[str, LockedConcept] = Field(default_factory=dict, description="By how the file refers to them.")
    encounter_types: _NamedByReference = Field(default_factory=dict)
    visit_types: _NamedByReference = Field(default_factory=dict)
    forms: _NamedByReference = Field(default_factory=dict)
    locations: _NamedByReference = Field(default_factory=dict)
    concept_sources: Annotated[tuple[str, ...], _List] = Field(default=(), description="Terminologies, by name.")
    person_attribute_types: _AttributeTypes = ()
    visit_attribute_types: _AttributeTypes = ()

    def named(self, kind: NamedKind) -> dict[str, tuple[LockedNamed, ...]]:
        """What the file refers to of a kind, by how it refers to it."""
        found: dict[str, tuple[LockedNamed, ...]] = getattr(self, NAMED_KEYS[kind])
        return found

    def dictionary(self, origin: str) -> Dictionary:
        """The part of the dictionary that is in the lock."""
        codes_of: dict[int, list[str]] = defaultdict(list)
        for reference, locked in self.concepts.items():
            if reference != locked.uuid:
                codes_of[locked.id].append(reference)
        concepts = {
            each.id: Concept(
                each.id,
                each.uuid,
                each.datatype,
                each.name,
                tuple(sorted(codes_of[each.id])),
                each.names,
                each.units,
                tuple(answer.id for answer in each.answers),
                tuple(member.id for member in each.members),
                each.retired,
            )
            for each in self.concepts.values()
        }
        named = {
            kind: tuple(
                {
                    each.id: Named(each.id, each.uuid, each.name, each.retired, each.version)
                    for found in self.named(kind).values()
                    for each in found
                }.values()
            )
            for kind in NamedKind
        }
        return Dictionary(
            origin,
            tuple(concepts.values()),
            MappingProxyType(named),
            self.concept_sources,
            self.true_concept,
            self.false_concept,
            _attribute_types(self.person_attribute_types),
            _attribute_types(self.visit_attribute_types),
            locked=True,
        )


def _attribute_types(locked: tuple[LockedAttributeType, ...]) -> tuple[AttributeType, ...]:
    return tuple(AttributeType(each.id, each.uuid, each.name, each.datatype, each.retired) for each in locked)


NAMED_KEYS: Final = MappingProxyType(
    {
        NamedKind.ENCOUNTER_TYPE: "encounter_types",
        NamedKind.VISIT_TYPE: "visit_types",
        NamedKind.FORM: "forms",
        NamedKind.LOCATION: "locations",
    }
)
"""The key of each kind of named things in the lock."""


def make_lock(spec: OzoneSpec, dictionary: Dictionary) -> Lock:
    """The lock of a file whose references were all found in the dictionary; its checksum is yet to come."""
    wanted = references(spec)
    by_id = {concept.id: concept for concept in dictionary.concepts}

    def related(ids: tuple[int, ...]) -> tuple[LockedAnswer, ...]:
        return tuple(
            LockedAnswer(id=each, uuid=by_id[each].uuid, name=_line(by_id[each].name)) for each in ids if each in by_id
        )

    def concept(found: Concept) -> LockedConcept:
        return LockedConcept(
            id=found.id,
            uuid=found.uuid,
            datatype=found.datatype,
            units=_line(found.units),
            retired=found.retired,
            name=_line(found.name),
            names={locale: _line(name) for locale, name in found.names.items()},
            answers=related(found.answers),
            members=related(found.members),
        )

    def types(found: tuple[AttributeType, ...]) -> tuple[LockedAttributeType, ...]:
        return tuple(
            LockedAttributeType(
                id=each.id, uuid=each.uuid, name=_line(each.name), datatype=_line(each.datatype), retired=each.retired
            )
            for each in found
        )

    def named(kind: NamedKind) -> dict[str, tuple[LockedNamed, ...]]:
        return {
            text: tuple(
                LockedNamed(
                    id=each.id,
                    uuid=each.uuid,
                    name=_line(each.name),
                    version=_line(each.version),
                    retired=each.retired,
                )
                for each in dictionary.find_named(kind, text)
            )
            for text in sorted({each.text for each in wanted.named[kind]})
        }

    return Lock(
        version=VERSION,
        ozone_gen=__version__,
        checksum=NO_CHECKSUM,
        site=spec.site.id,
        locales=spec.site.locales,
        true_concept=dictionary.true_concept,
        false_concept=dictionary.false_concept,
        concepts={
            text: concept(dictionary.find(text)[0]) for text in sorted({each.text for each in wanted.concepts})
        },
        encounter_types=named(NamedKind.ENCOUNTER_TYPE),
        visit_types=named(NamedKind.VISIT_TYPE),
        forms=named(NamedKind.FORM),
        locations=named(NamedKind.LOCATION),
        concept_sources=tuple(sorted({each.text for each in wanted.sources})),
        person_attribute_types=types(dictionary.person_attribute_types),
        visit_attribute_types=types(dictionary.visit_attribute_types),
    )


def _line(text: str) -> str:
    """A text on one line: line breaks in a name are slips of whoever typed it."""
    return " ".join(text.split())


def same_content(one: Lock, other: Lock) -> bool:
    """Whether two locks say the same, whatever version of ozone-gen wrote them."""
    written = {"ozone_gen", "checksum"}
    return one.model_dump(exclude=written) == other.model_dump(exclude=written)
