"""From a database, a dump or an exported dictionary to the text of an ozone.yaml."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ozone_gen.diagnostics import Diagnostic, OzoneError, Position, codes
from ozone_gen.openmrs.dictionary import Dictionary
from ozone_gen.openmrs.dictionary_database import DatabaseAddress, vocabulary_of_database
from ozone_gen.openmrs.dictionary_dump import vocabulary_of_dump
from ozone_gen.openmrs.dictionary_file import read_dictionary
from ozone_gen.openmrs.vocabulary import Vocabulary
from ozone_gen.suggest.counting import Counted, usage_of_database, usage_of_dump
from ozone_gen.suggest.options import Options
from ozone_gen.suggest.references import References
from ozone_gen.suggest.sets import suggest_from_sets
from ozone_gen.suggest.tables import Suggestion, suggest
from ozone_gen.suggest.writing import SiteText, site_text, tables_text

_FALLBACK = "en"  # names in its letters make readable identifiers where those of the wanted locales do not

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Read:
    """What was read of a site's database.

    Attributes:
        dictionary: the dictionary.
        counted: what was counted; None where only a dictionary is at hand.
        warnings: about the text that was read.
    """

    dictionary: Dictionary
    counted: Counted | None
    warnings: tuple[Diagnostic, ...] = ()


def dictionary_of(options: Options, advance: Advance | None = None) -> tuple[Dictionary, tuple[Diagnostic, ...]]:
    """The dictionary that the tables are made from, and warnings; parameters and errors as of `vocabulary_of`."""
    vocabulary, warnings = vocabulary_of(options, advance)
    return seen(vocabulary, options.locales), warnings


def seen(vocabulary: Vocabulary, locales: Sequence[str]) -> Dictionary:
    """A dictionary in the locales that are wanted, and in one whose names make readable identifiers."""
    return vocabulary.seen_in(tuple(dict.fromkeys((*locales, _FALLBACK))))


def vocabulary_of(options: Options, advance: Advance | None = None) -> tuple[Vocabulary, tuple[Diagnostic, ...]]:
    """What is read of a dictionary, in all locales, and warnings.

    `advance` is told bytes of a dump, or tables of a database. Raises OzoneError, as the readers of each.
    """
    match options.origin:
        case DatabaseAddress() as address:
            return vocabulary_of_database(address, advance), ()
        case path if options.is_dump:
            return vocabulary_of_dump(path, advance, database=options.database)
        case path:
            return read_dictionary(path), ()


def counted(options: Options, advance: Advance | None = None) -> Counted:
    """What was counted in a dump or a database; `advance` is told bytes, or rows. Raises OzoneError."""
    if isinstance(options.origin, DatabaseAddress):
        return usage_of_database(options.origin, advance)
    return usage_of_dump(options.origin, advance, database=options.database)


def suggestion_of(options: Options, read: Read) -> Suggestion:
    """What is suggested.

    Raises OzoneError where there is no such concept source as asked for, or nothing to suggest.
    """
    references = References(read.dictionary, options.source)
    if read.counted is None:
        suggestion = suggest_from_sets(read.dictionary, references)
        if not suggestion.found:
            message = "the dictionary has no sets of concepts that can be observed, and knows no usage"
            hint = "give a dump by --dump: what was observed tells more"
            raise OzoneError(codes.NoObservations.at(Position(str(options.origin)), message, hint=hint))
        return suggestion
    share = options.min_percent / 100
    return suggest(read.dictionary, read.counted.usage, references, by=options.wanted, min_share=share)


def suggestion_text(options: Options, read: Read) -> tuple[Suggestion, str]:
    """What is suggested, and the text of it; raises as `suggestion_of`."""
    suggestion, share = suggestion_of(options, read), options.min_percent / 100
    if options.site_id is None:
        return suggestion, tables_text(suggestion, share)
    return suggestion, site_text(suggestion, _site(options, options.site_id, read.counted), share)


def _site(options: Options, site_id: str, counted: Counted | None) -> SiteText:
    origin = str(options.origin) if isinstance(options.origin, DatabaseAddress) else options.origin.name
    if counted is None:
        return SiteText(site_id, options.locales, origin, observations=None)
    observations = counted.usage.observations
    return SiteText(
        site_id, options.locales, origin, counted.engine, counted.platforms, counted.modules, observations
    )
