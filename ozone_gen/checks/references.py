"""Rules about what an ozone.yaml refers to: is it in the dictionary, once, and still in use?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ozone_gen.diagnostics import Diagnostic, Position, codes, did_you_mean
from ozone_gen.diagnostics import Path as ValuePath
from ozone_gen.openmrs.dictionary import Concept, Dictionary, NamedKind
from ozone_gen.references import Reference, References


def check_references(
    wanted: References, dictionary: Dictionary, position: Callable[[ValuePath], Position]
) -> Iterator[Diagnostic]:
    """Every finding about references of a file to the dictionary; `position` tells where a place in it is."""
    for each in wanted.concepts:
        yield from _concept(dictionary, each, position(each.path))
    for kind, named in wanted.named.items():
        for each in named:
            yield from _named(dictionary, kind, each, position(each.path))
    for each in wanted.sources:
        if each.text not in dictionary.sources:
            message = f"there is no concept source `{each.text}` in {dictionary.origin}"
            hint = did_you_mean(each.text, dictionary.sources) or "it has no concept sources at all"
            finding = codes.UnknownName.at(position(each.path), message, path=each.path, hint=hint)
            yield _stale(dictionary, each, position(each.path)) if dictionary.locked else finding


def _concept(dictionary: Dictionary, wanted: Reference, position: Position) -> Iterator[Diagnostic]:
    found = dictionary.find(wanted.text)
    if not found and dictionary.locked:
        yield _stale(dictionary, wanted, position)
    elif not found:
        message = f"there is no concept {wanted.text} in {dictionary.origin}"
        close = " or ".join(
            f"{known} ({concept.name or concept.datatype})"
            for known, concept in dictionary.close(wanted.text, wanted.column)
        )
        hint = f"did you mean {close}?" if close else "a concept has a uuid, or a SAME-AS mapping to such a code"
        yield codes.UnknownConcept.at(position, message, path=wanted.path, hint=hint)
    elif len(found) > 1:
        message = f"{wanted.text} is the code of {len(found)} concepts in {dictionary.origin}"
        listed = " or ".join(f"{concept.uuid} ({_described(concept)})" for concept in found[:3])
        yield codes.AmbiguousConcept.at(position, message, path=wanted.path, hint=f"write the uuid: {listed}")
    elif found[0].retired:
        message = f"{wanted.text} ({found[0].name}) is retired in {dictionary.origin}"
        hint = "old observations are still read; add the concept that took its place, if there is one"
        yield codes.RetiredReference.at(position, message, path=wanted.path, hint=hint)


def _described(concept: Concept) -> str:
    return f"{concept.name}, retired" if concept.retired else concept.name


def _named(dictionary: Dictionary, kind: NamedKind, wanted: Reference, position: Position) -> Iterator[Diagnostic]:
    found = dictionary.find_named(kind, wanted.text)
    if not found and dictionary.locked:
        yield _stale(dictionary, wanted, position)
    elif not found:
        known = dictionary.named.get(kind, ())
        in_use = [each.name for each in known if not each.retired]
        message = f"there is no {kind} `{wanted.text}` in {dictionary.origin}"
        hint = did_you_mean(wanted.text, in_use) or f"it has no {kind}s at all"
        yield codes.UnknownName.at(position, message, path=wanted.path, hint=hint)
    elif all(each.retired for each in found):
        message = f"the {kind} `{wanted.text}` is retired in {dictionary.origin}"
        hint = "what is there already is still read; add what took its place, if there is something"
        yield codes.RetiredReference.at(position, message, path=wanted.path, hint=hint)


def _stale(dictionary: Dictionary, wanted: Reference, position: Position) -> Diagnostic:
    message = f"`{wanted.text}` is not in {dictionary.origin}"
    hint = "run `ozone-gen resolve`, which looks it up in the site's dictionary"
    return codes.StaleLock.at(position, message, path=wanted.path, hint=hint)
