"""Rules about the columns of own tables. What a column holds is decided here, too: that is half a check."""

from __future__ import annotations

from collections.abc import Iterator

from ozone_gen.checks.site import CheckedSite
from ozone_gen.diagnostics import Diagnostic, Path, codes
from ozone_gen.flattening.declared import DATATYPES, NAMED_TYPES, READABLE, REPEATS, ColumnType, Repeat
from ozone_gen.openmrs.dictionary import Concept, Dictionary
from ozone_gen.spec import CodeSpec, ColumnSpec, as_tuple, long_form


def column_type(column: ColumnSpec, dictionary: Dictionary | None) -> ColumnType | None:
    """What a column reads: as declared, else as its first concept's datatype says; None where nothing says it."""
    if column.type is not None:
        return column.type
    if column.value is not None or column.answers is not None or column.answer is not None:
        return ColumnType.CODED
    for reference in column.concepts:
        found = dictionary.find(reference) if dictionary else ()
        if len(found) == 1 and found[0].datatype in DATATYPES:
            return DATATYPES[found[0].datatype]
    return None


def columns_can_be_read(site: CheckedSite) -> Iterator[Diagnostic]:
    """Each column's concepts give what it is to hold."""
    for table_path, _, table in site.tables:
        for name, declared in table.columns.items():
            path: Path = (*table_path, "columns", name)
            concept_path = path if isinstance(declared, str) else (*path, "concept")
            yield from _column(site, path, concept_path, long_form(declared))


def _column(site: CheckedSite, path: Path, concept_path: Path, column: ColumnSpec) -> Iterator[Diagnostic]:
    kind = column_type(column, site.dictionary)
    several = not isinstance(column.concept, str)
    for place, reference in enumerate(column.concepts):
        at = (*concept_path, place) if several else concept_path
        found = site.dictionary.find(reference) if site.dictionary else ()
        if len(found) == 1:
            yield from _datatype(site, path, at, column, kind, reference, found[0])
    if site.dictionary is None and kind is None:
        written = column.concept if isinstance(column.concept, str) else f"[{', '.join(column.concept)}]"
        message = f"the datatype of {' and '.join(column.concepts)} is not known here, so it has to be said"
        hint = f"write {{concept: {written}, type: ...}} with one of {', '.join(ColumnType)}"
        yield site.value(codes.UnknownDatatype, concept_path, message, hint)
    yield from _value(site, path, column, kind)
    yield from _answers(site, path, column, kind)
    if kind is not None and column.repeat not in REPEATS[kind]:
        possible = ", ".join(repeat for repeat in Repeat if repeat in REPEATS[kind])
        message = f"`{column.repeat}` is not possible for a column that is {kind}"
        yield site.value(codes.RepeatNotPossible, (*path, "repeat"), message, f"possible are {possible}")


def _value(
    site: CheckedSite, path: Path, column: ColumnSpec, kind: ColumnType | None
) -> Iterator[Diagnostic]:
    if column.value is None:
        return
    if kind not in NAMED_TYPES:
        message = f"`value` says how a coded answer is written, and the column is {kind}"
        yield site.value(codes.ValueNotPossible, (*path, "value"), message, "remove `value`")
    elif isinstance(column.value, CodeSpec):
        place = (*path, "value", "code")
        if kind is ColumnType.DRUG:
            message = "a drug has a name and a uuid, but no code"
            yield site.value(codes.ValueNotPossible, place, message, "write `value: name` or `value: uuid`")


def _answers(
    site: CheckedSite, path: Path, column: ColumnSpec, kind: ColumnType | None
) -> Iterator[Diagnostic]:
    given = [key for key in ("answers", "answer") if getattr(column, key) is not None]
    if not given:
        return
    for key in given:
        others = [
            other
            for other in ("repeat", *(("answers", "value", "type") if key == "answer" else ()))
            if other in column.model_fields_set
        ]
        if others:
            message = f"`{key}` and `{others[0]}` cannot both be said of a column"
            hint = f"remove one of them: `{key}` decides by itself what becomes of several answers"
            yield site.value(codes.AnswersNotPossible, (*path, others[0]), message, hint)
        elif kind not in NAMED_TYPES and kind is not None:
            message = f"`{key}` is about a question's answers, and the column is {kind}"
            yield site.value(codes.AnswersNotPossible, (*path, key), message, f"remove `{key}`")
    yield from _offered(site, path, column)


def _offered(site: CheckedSite, path: Path, column: ColumnSpec) -> Iterator[Diagnostic]:
    """Each wanted answer is one that the question offers, where it offers any."""
    dictionary = site.dictionary
    if dictionary is None or column.answer is None:
        return
    questions = [dictionary.find(reference) for reference in column.concepts]
    offered = {answer for found in questions if len(found) == 1 for answer in found[0].answers}
    for place, reference in enumerate(as_tuple(column.answer)):
        at = (*path, "answer") if isinstance(column.answer, str) else (*path, "answer", place)
        found = dictionary.find(reference)
        if len(found) == 1 and offered and found[0].id not in offered:
            message = f"{reference} ({found[0].name}) is not among the answers of {' and '.join(column.concepts)}"
            names = [concept for concept in dictionary.concepts if concept.id in offered]
            known = ", ".join(f"{(*each.codes, each.uuid)[0]} ({each.name})" for each in names[:3])
            # A lock has the names of answers, but they are no concepts that the file refers to.
            hint = f"its answers are {known}, ..." if known else f"its answers are listed in {dictionary.origin}"
            yield site.value(codes.AnswerNotOffered, at, message, hint)


def _datatype(
    site: CheckedSite,
    path: Path,
    concept_path: Path,
    column: ColumnSpec,
    kind: ColumnType | None,
    reference: str,
    concept: Concept,
) -> Iterator[Diagnostic]:
    readable = READABLE.get(concept.datatype, frozenset())
    if kind in readable:
        return
    what = f"{reference} ({concept.name}) is of datatype {concept.datatype}"
    place = concept_path
    if kind is not None and readable:
        said = next((key for key in ("type", "value", "answers", "answer") if getattr(column, key) is not None), None)
        place = (*path, said) if said and isinstance(column.concept, str) else concept_path
        message = f"{what} and cannot be read as {kind}"
        hint = f"it can be read as {' or '.join(each for each in ColumnType if each in readable)}"
        if said is None:
            hint += f"; the first concept of the column is {kind}"
    else:
        message = f"{what}, whose observations have no value that a column can hold"
        hint = "use a concept that is a question of a form, not an answer or a group"
    yield site.value(codes.WrongDatatype, place, message, hint)
