"""What a code is, and the table of them all."""

from __future__ import annotations

import inspect
import re
from typing import ClassVar

from ozone_gen.diagnostics.model import Diagnostic, Path, Position, Severity, dotted

_BY_ID: dict[str, type[Code]] = {}
_ID = re.compile(r"OZ[0-9]{3}")


class Code:
    """A kind of finding. Subclasses register themselves; they are never instantiated."""

    id: ClassVar[str]
    severity: ClassVar[Severity] = Severity.ERROR
    name: ClassVar[str]
    """The class's name as words, as in `unknown-key`: for people, and for titles."""

    def __init_subclass__(cls) -> None:
        if not _ID.fullmatch(cls.id):
            raise ValueError(f"{cls.__name__}: {cls.id!r} is no code like OZ101")
        if cls.id in _BY_ID:
            raise ValueError(f"{cls.__name__} and {_BY_ID[cls.id].__name__} both have the code {cls.id}")
        cls.name = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()
        _BY_ID[cls.id] = cls

    @classmethod
    def at(cls, position: Position, message: str, *, path: Path | str = (), hint: str = "") -> Diagnostic:
        """A finding of this kind at `position`; `path` is the place in the document, dotted or in parts."""
        shown = path if isinstance(path, str) else dotted(path)
        return Diagnostic(cls.id, cls.severity, message, position, shown, hint)


def all_codes() -> tuple[type[Code], ...]:
    """Every code, by id."""
    return tuple(_BY_ID[key] for key in sorted(_BY_ID))


def find(code: str) -> type[Code] | None:
    """The code of an id or a name, in any case: `OZ101`, `oz101`, `unknown-key`."""
    wanted = code.strip()
    by_id = _BY_ID.get(wanted.upper())
    return by_id or next((each for each in _BY_ID.values() if each.name == wanted.lower()), None)


def explain(code: type[Code]) -> str:
    """What `ozone-gen explain` prints about a code, as Markdown; ends with a newline."""
    return f"# {code.id} {code.name} ({code.severity})\n\n{inspect.cleandoc(code.__doc__ or '')}\n"
