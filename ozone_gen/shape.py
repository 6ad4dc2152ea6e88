"""Source -> OzoneSpec: every way in which a file has not the shape of the models, said in words and located.

pydantic finds what is wrong; nothing that it says is shown, since its messages speak of Python and its
locations of the models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from ozone_gen import spec, values
from ozone_gen.diagnostics import Diagnostic, OzoneError, Path, codes, did_you_mean
from ozone_gen.places import choices, closest, described, is_optional_part, known_keys, where_known
from ozone_gen.source import Source
from ozone_gen.spec import OzoneSpec

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

VERSION: Final = 1

_TAGS: Final = frozenset({spec.SHORT_FORM, spec.LONG_FORM})
_KEY: Final = "[key]"
_YES: Final = ("true", "yes", "on")
_NO: Final = ("false", "no", "off")
_FEW: Final = 3  # More places where a key is known say nothing.
_NAMES: Final = frozenset({values.NAME_PATTERN, values.SITE_ID_PATTERN, values.DATABASE_PATTERN})
_TAKE_VARIABLES: Final = frozenset({values.HOST_PATTERN, values.USERNAME_PATTERN, values.PASSWORD_PATTERN})
_WHERE_VARIABLES_STAND: Final = "a variable can be the value of `host`, `username` or `password` only"


def parse_spec(source: Source) -> OzoneSpec:
    """Make the models of a file.

    Raises:
        OzoneError: with a finding for every value that has not the shape that its place asks for.
    """
    version = version_finding(source)
    if version is not None:
        # A file of another version means other things by its keys: findings about them would mislead.
        raise OzoneError(version)
    try:
        return OzoneSpec.model_validate(source.data)
    except ValidationError as error:
        raise OzoneError(_findings(error, source)) from None


def version_finding(source: Source, newest: int = VERSION, oldest: int = VERSION) -> Diagnostic | None:
    """What is wrong with the version that a file says; None where it is one of `oldest` to `newest`."""
    version = source.data.get("version", newest)
    if type(version) is int and oldest <= version <= newest:
        return None
    path = ("version",)
    position, hint = source.position(path), f"write `version: {newest}`"
    if type(version) is not int:
        return codes.WrongType.at(
            position, f"expected a whole number, found {_found(version)}", path=path, hint=hint
        )
    if version > newest:
        hint = f"this ozone-gen reads version {newest}; upgrade it"
    elif 1 <= version < newest:
        hint = f"`ozone-gen migrate-config {source.file}` brings it to version {newest}"
    return codes.UnsupportedVersion.at(
        position, f"version {version} of the format is not known", path=path, hint=hint
    )


@dataclass(frozen=True)
class _Problem:
    """One error of pydantic's, with the place in the file that it is about."""

    kind: str
    path: Path
    is_key: bool
    value: Any
    context: Mapping[str, Any]
    source: Source

    @classmethod
    def of(cls, error: ErrorDetails, source: Source) -> _Problem:
        path: Path = tuple(part for part in error["loc"] if part not in _TAGS)
        kind = error["type"]
        is_key = kind == "extra_forbidden"
        if path[-1:] == (_KEY,) and kind not in ("extra_forbidden", "missing"):
            path, is_key = path[:-1], True
        return cls(kind, path, is_key, error["input"], error.get("ctx", {}), source)

    @property
    def written(self) -> str:
        """The value as it stands in the file, where 2.10 is not 2.1."""
        return "..." if self.is_secret else self.source.written(self.path) or str(self.value)

    @property
    def shown(self) -> str:
        """The value in a message."""
        return "the password" if self.is_secret else f"`{_cut(self.value)}`"

    @property
    def is_secret(self) -> bool:
        """Say whether the value may be a secret, which never stands in a message."""
        return self.key.endswith("password") and not self.is_key

    @property
    def key(self) -> str:
        """The last key of the path."""
        return str(self.path[-1]) if self.path else ""

    def finding(self, code: type[codes.Code], message: str, hint: str = "") -> Diagnostic:
        """Say it at the key or at the value, whichever is wrong."""
        # An empty value stands, for the parser, where the next thing begins.
        empty = self.value is None and not self.source.written(self.path)
        position = self.source.position(self.path, key=self.is_key or empty)
        return code.at(position, message, path=self.path, hint=hint)

    @cached_property
    def split_concept(self) -> str | None:
        """For an unknown key `CIEL` with the value 5089, in a column: the concept that was meant."""
        code = self.value
        if self.kind != "extra_forbidden" or "concept" not in known_keys(self.path[:-1]):
            return None
        meant = f"{self.key}:{code}"
        return meant if isinstance(code, int | str) and re.fullmatch(values.CONCEPT_PATTERN, meant) else None


def _findings(error: ValidationError, source: Source) -> list[Diagnostic]:
    problems = [_Problem.of(each, source) for each in error.errors(include_url=False)]
    # A misspelt key is one mistake, not an unknown key and a missing one.
    explained: set[Path] = set()
    for problem in problems:
        if problem.split_concept:
            explained.add((*problem.path[:-1], "concept"))
        elif problem.kind == "extra_forbidden":
            meant = closest(problem.key, known_keys(problem.path[:-1]))
            explained.add((*problem.path[:-1], meant or ""))
    return [
        _HANDLERS.get(problem.kind, _not_allowed)(problem)
        for problem in problems
        if not (problem.kind == "missing" and problem.path in explained) and not _only_seems_short(problem)
    ]


def _only_seems_short(problem: _Problem) -> bool:
    """Say whether a list or mapping is too short only for pydantic, which leaves wrong entries out."""
    return problem.kind == "too_short" and len(problem.value) >= problem.context["min_length"]


# --- keys


def _unknown_key(problem: _Problem) -> Diagnostic:
    if problem.split_concept:
        message = f"`{_cut(problem.key)}: {_cut(problem.value)}` is a mapping, not a concept"
        return problem.finding(
            codes.BadConceptReference, message, f"write `{problem.split_concept}`, without a space"
        )
    known = known_keys(problem.path[:-1])
    places = [f"under `{place}`" if place else "at the top" for place in where_known(problem.key)]
    if 0 < len(places) <= _FEW and closest(problem.key, known) is None:
        hint = f"there is such a key {' or '.join(places)}"
    else:
        hint = did_you_mean(problem.key, known) or "nothing can be set here: remove it"
    return problem.finding(codes.UnknownKey, "unknown key", hint)


def _missing_key(problem: _Problem) -> Diagnostic:
    possible = choices(problem.path)
    value = possible[0] if len(possible) == 1 else "..."
    description = described(problem.path)
    hint = f"add `{problem.key}: {value}`" + (f" ({description})" if description else "")
    parent = problem.path[:-1]
    return codes.MissingKey.at(
        problem.source.position(parent, key=True),
        f"the key `{problem.key}` is missing",
        path=parent,
        hint=hint,
    )


# --- types


def _found(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case int():
            return "a number"
        case float():
            return "a decimal number"
        case str():
            return "text"
        case Mapping():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            return "a date"


def _wrong_type(expected: str) -> Callable[[_Problem], Diagnostic]:
    return lambda problem: _type_finding(problem, expected)


def _type_finding(problem: _Problem, expected: str) -> Diagnostic:
    value = problem.value
    if problem.key == "concept" and type(value) is int:
        return problem.finding(
            codes.BadConceptReference, f"`{value}` names no concept", _concept_hint(problem.written)
        )
    if expected != "text" and isinstance(value, str) and "${" in value:
        return problem.finding(
            codes.BadVariableReference, f"expected {expected}, found a variable", _WHERE_VARIABLES_STAND
        )
    return problem.finding(
        codes.WrongType, f"expected {expected}, found {_found(value)}", _type_hint(problem, expected)
    )


def _type_hint(problem: _Problem, expected: str) -> str:
    """Cure the classic mistakes: quotes too many or too few, a switch, a single value for a list."""
    value, key = problem.value, problem.key
    word = value.lower() if isinstance(value, str) else str(value).lower()
    if expected == "text" and isinstance(value, bool | int | float):
        return f'put it in quotes: "{_cut(problem.written)}"'
    if expected == "a whole number" and re.fullmatch(r"[0-9]{1,18}(\.0+)?", word):
        return f"write {word.partition('.')[0]}, without quotes or a point"
    if expected == "true or false" and word in (*_YES, *_NO):
        return f"write `{key}: {'true' if word in _YES else 'false'}`"
    if expected == "a mapping" and is_optional_part(problem.path):
        if value is None or word in _YES:
            return f"write `{key}: {{}}` to have it, or remove the line"
        if word in _NO:
            return "remove the line to leave it out"
    if value is None:
        return "give it a value, or remove the line"
    if expected == "a list":
        single = isinstance(value, str | int)
        return f"write it as a list: [{_cut(value) if single else '..., ...'}]"
    if expected == "a mapping":
        keys = f"its keys are {', '.join(known_keys(problem.path))}" if known_keys(problem.path) else ""
        return f"write `key: value` lines below it, without a dash; {keys or 'the keys are names you choose'}"
    plain = {"text": "write one text here", "a whole number": "write digits only", "true or false": "write one of them"}
    return plain.get(expected, "")


def _mapping_expected(problem: _Problem) -> Diagnostic:
    if "concept" not in known_keys(problem.path):
        return _type_finding(problem, "a mapping")
    message = f"expected a concept or a mapping, found {_found(problem.value)}"
    hint = "write a concept such as CIEL:5089, or a mapping such as {concept: CIEL:5089, repeat: max}"
    if type(problem.value) is int:
        hint = _concept_hint(problem.written)
    return problem.finding(codes.BadConceptReference, message, hint)


def _list_expected(problem: _Problem) -> Diagnostic:
    if problem.path == ("flattening", "core"):
        message = f"expected `all` or a list, found {_found(problem.value)}"
        hint = f"list some of {', '.join(choices((*problem.path, 0)))}"
        return problem.finding(codes.WrongType, message, hint)
    return _type_finding(problem, "a list")


# --- values


def _not_in_list(problem: _Problem) -> Diagnostic:
    allowed, value = choices(problem.path), problem.value
    listed = f"only {allowed[0]} is allowed" if len(allowed) == 1 else f"allowed are {', '.join(allowed)}"
    if not isinstance(value, str):
        hint = f'put it in quotes: "{problem.written}"' if problem.written in allowed else listed
        return problem.finding(codes.WrongType, f"expected text, found {_found(value)}", hint)
    if problem.path == ("flattening", "core"):
        inside = choices((*problem.path, 0))
        hint = f"write it as a list: [{value}]" if value in inside else "write `all`, or a list of tables"
        return problem.finding(codes.ValueNotAllowed, f"`{_cut(value)}` is not `all`", hint)
    meant = closest(value, allowed) if len(allowed) > 1 else None
    hint = f"did you mean {meant}? {listed}" if meant else listed
    return problem.finding(codes.ValueNotAllowed, f"`{_cut(value)}` is not allowed here", hint)


def _wrong_form(problem: _Problem) -> Diagnostic:
    pattern, value = problem.context["pattern"], str(problem.value)
    rule, shown = values.FORMS[pattern], problem.shown
    if "$" in value and pattern in _TAKE_VARIABLES and not problem.is_key:
        message = f"{shown} is no reference to a variable, though it has a `$`"
        return problem.finding(codes.BadVariableReference, message, _mended_variable(value))
    if re.fullmatch(values.VARIABLE_PATTERN, value) and not problem.is_key:
        return problem.finding(
            codes.BadVariableReference, f"the variable {shown} cannot stand here", _WHERE_VARIABLES_STAND
        )
    if pattern == values.CONCEPT_PATTERN:
        return problem.finding(codes.BadConceptReference, f"{shown} names no concept", _concept_hint(value))
    if pattern in _NAMES:
        from text_unidecode import unidecode  # loads a table, for this message alone

        plain = unidecode(value).lower()
        mended = re.sub(r"[^a-z0-9]+", "-" if pattern == values.SITE_ID_PATTERN else "_", plain)
        mended = mended.strip("-_")
        hint = f"use {rule}" + (f": {mended}" if re.fullmatch(pattern, mended) else "")
        return problem.finding(codes.BadName, f"{shown} cannot be a name here", hint)
    return problem.finding(codes.ValueNotAllowed, f"{shown} is not allowed here", f"write {rule}")


def _mended_variable(value: str) -> str:
    name = re.fullmatch(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)([:?+-].*)?\}?", value)
    if name:
        return f"write ${{{name[1].upper()}}}"
    return "a reference such as ${DB_PASSWORD} is the whole value: capital letters, digits, underscores"


def _concept_hint(value: str) -> str:
    if re.fullmatch(r"[0-9]{1,10}", value):
        return f"write its source too, as in CIEL:{value}; ids differ from database to database"
    compact = re.sub(r"\s*:\s*", ":", value)
    if compact != value and re.fullmatch(values.CONCEPT_PATTERN, compact):
        return f"write `{compact}`, without spaces"
    return f"write {values.FORMS[values.CONCEPT_PATTERN]}"


def _too_short(problem: _Problem) -> Diagnostic:
    if isinstance(problem.value, str):
        return problem.finding(codes.ValueNotAllowed, "the text is empty", "give it a value")
    kind = "mapping" if isinstance(problem.value, Mapping) else "list"
    return problem.finding(codes.ValueNotAllowed, f"the {kind} is empty", "at least one entry is needed")


def _too_long(problem: _Problem) -> Diagnostic:
    most = problem.context["max_length"]
    length = len(problem.value)
    return problem.finding(codes.ValueNotAllowed, f"{length} characters are too many", f"at most {most}")


def _too_large(problem: _Problem) -> Diagnostic:
    most = problem.context["le"]
    return problem.finding(codes.ValueNotAllowed, f"{problem.value} is too large", f"at most {most}")


def _too_small(problem: _Problem) -> Diagnostic:
    least = problem.context["ge"]
    return problem.finding(codes.ValueNotAllowed, f"{problem.value} is too small", f"at least {least}")


def _not_allowed(problem: _Problem) -> Diagnostic:
    return problem.finding(codes.ValueNotAllowed, "this value is not allowed here")


def _cut(value: object, most: int = 60) -> str:
    """A value for a message, not too long."""
    text = str(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."


_HANDLERS: Final[Mapping[str, Callable[[_Problem], Diagnostic]]] = MappingProxyType(
    {
        "extra_forbidden": _unknown_key,
        "missing": _missing_key,
        "string_type": _wrong_type("text"),
        "bool_type": _wrong_type("true or false"),
        "int_type": _wrong_type("a whole number"),
        "int_from_float": _wrong_type("a whole number"),
        "model_type": _mapping_expected,
        "dict_type": _mapping_expected,
        "tuple_type": _list_expected,
        "literal_error": _not_in_list,
        "enum": _not_in_list,
        "string_pattern_mismatch": _wrong_form,
        "string_unicode": _not_allowed,
        "string_too_short": _too_short,
        "too_short": _too_short,
        "string_too_long": _too_long,
        "less_than_equal": _too_large,
        "greater_than_equal": _too_small,
    }
)
