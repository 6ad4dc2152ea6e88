"""What a person asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ozone_gen.openmrs.dictionary_database import DatabaseAddress
from ozone_gen.suggest.tables import By
from ozone_gen.values import FORMS, LOCALE_PATTERN, SITE_ID_PATTERN


@dataclass(frozen=True)
class Options:
    """The wishes of a person.

    Attributes:
        origin: a database, or the path of a dump or of an exported dictionary.
        is_dump: whether the path is that of a dump.
        database: the one to take where a dump has several.
        by: a value of By, or `all`.
        site_id: of the whole file that is wanted; None for its tables alone.
        locales: of names, best first.
        source: the concept source whose codes are written first; empty for the usual one.
        min_percent: a concept in a smaller part of the rows becomes a comment.
    """

    origin: Path | DatabaseAddress
    is_dump: bool
    database: str | None
    by: str
    site_id: str | None
    locales: tuple[str, ...]
    source: str
    min_percent: float

    @property
    def wanted(self) -> tuple[By, ...]:
        """What to make tables for; empty for all that makes sense."""
        return () if self.by == "all" else (By(self.by),)

    @property
    def counts(self) -> bool:
        """Whether there are observations to count, and not only a dictionary."""
        return self.is_dump or isinstance(self.origin, DatabaseAddress)


def checked(options: Options) -> str:
    """What is wrong with the wishes, on one line; empty where they can be written into an ozone.yaml."""
    if options.site_id is not None and not re.fullmatch(SITE_ID_PATTERN, options.site_id):
        return f"--site-id {options.site_id!r} is not {FORMS[SITE_ID_PATTERN]}"
    for locale in options.locales:
        if not re.fullmatch(LOCALE_PATTERN, locale):
            return f"--locale {locale!r} is not {FORMS[LOCALE_PATTERN]}"
    if not options.counts and options.by not in ("all", By.GROUP):
        return f"a dictionary knows no {By(options.by).words}s that were used: it gives groups only, from its sets"
    return ""
