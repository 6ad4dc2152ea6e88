"""What a site's own data tell: its tables, and the answers to some questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ozone_gen.diagnostics import Diagnostic
from ozone_gen.new_site.questions import Answers
from ozone_gen.openmrs.vocabulary import Vocabulary
from ozone_gen.suggest.counting import Counted
from ozone_gen.suggest.options import Options
from ozone_gen.suggest.run import Read, counted, seen, suggestion_of, vocabulary_of
from ozone_gen.suggest.writing import MOST_IN_MEMORY, tables_text

MIN_PERCENT = 2.0
"""As `suggest` has it: a concept in a smaller part of the rows becomes a comment."""


@dataclass(frozen=True)
class OwnData:
    """What was read of a dump or an exported dictionary.

    Attributes:
        origin: the file.
        vocabulary: its dictionary.
        counted: what was counted in the dump; None for a dictionary, which knows no usage.
        warnings: about the text that was read.
    """

    origin: Path
    vocabulary: Vocabulary
    counted: Counted | None
    warnings: tuple[Diagnostic, ...]

    def defaults(self) -> Answers:
        """The answers that follow from the data."""
        if self.counted is None:
            return {"source": "mariadb"}
        found: Answers = {"source": self.counted.engine, "appointments": "appointments" in self.counted.modules}
        if self.counted.platforms:
            found["platform"] = self.counted.platforms[0]
        return found

    def tables(self, locales: tuple[str, ...]) -> str:
        """The text of `tables`, made from what is used; raises OzoneError where there is nothing to suggest."""
        options = _options(self.origin, self.counted is not None, locales)
        suggestion = suggestion_of(options, Read(seen(self.vocabulary, locales), self.counted))
        return tables_text(suggestion, MIN_PERCENT / 100).rstrip("\n")

    @property
    def needs_disk(self) -> bool:
        """Whether a job's state should be kept on disk."""
        return self.counted is not None and self.counted.usage.observations > MOST_IN_MEMORY


def read_own_data(path: Path, *, is_dump: bool, advance: Callable[[int], None]) -> OwnData:
    """Read a dump, or an exported dictionary; `advance` is told bytes of a dump, which is read twice.

    Raises OzoneError where it cannot be read, or is none.
    """
    options = _options(path, is_dump, ("en",))
    vocabulary, warnings = vocabulary_of(options, advance)
    return OwnData(path, vocabulary, counted(options, advance) if is_dump else None, warnings)


def _options(path: Path, is_dump: bool, locales: tuple[str, ...]) -> Options:
    return Options(path, is_dump, None, "all", None, locales, "", MIN_PERCENT)
