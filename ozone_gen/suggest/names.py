"""Readable identifiers from what people call things, in any script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from text_unidecode import unidecode

from ozone_gen.flattening.sink_names import KEYWORDS

LONGEST: Final = 63
"""Bytes of an identifier of PostgreSQL. A longer one would be cut without a word."""

_WORTH_A_WORD: Final = {"%": "percent", "&": "and", "+": "plus", "<": "under", ">": "over", "#": "number"}
_SYMBOLS: Final = re.compile("[%&<>#]|(?<=\\w)\\+(?!\\w)")
_SILENT: Final = re.compile("(?<=\\w)['\u2019](?=s\\b)|[\u00b0\u00ad\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_UNKNOWN: Final = "[?]"  # what the transliteration writes for a character that it does not know
_VOWELS: Final = frozenset("aeiouy")
_FEWEST_VOWELS: Final = 0.25  # of the letters of a readable word: fewer have scripts that leave vowels out
_SPELT: Final = ("LATIN", "GREEK", "MICRO")  # scripts whose every letter is written, so that words stay readable
_SHORTEST_CUT: Final = 20


def snake_case(text: str) -> str:
    """A text as lower-case ASCII words with underscores between; empty where that would not be readable.

    Accents go, other scripts are transliterated. Words of a script whose transliteration shows (almost) no vowels,
    such as Arabic, are left out: nobody could read them. Where they are more than the rest, there is no name.
    """
    text = _SILENT.sub("", unicodedata.normalize("NFKC", text).replace("\u03bc", "u"))
    text = _SYMBOLS.sub(lambda found: f" {_WORTH_A_WORD[found[0]]} ", text)
    words = "".join(each if unicodedata.category(each)[0] in "LMN" else " " for each in text).split()
    readable = {word: plain for word in words if (plain := _readable(word))}
    if 2 * sum(len(word) for word in words if word in readable) < sum(map(len, words)):
        return ""
    return re.sub("[^a-z0-9]+", "_", " ".join(readable.get(word, "") for word in words).lower()).strip("_")


def _readable(word: str) -> str:
    """A word in ASCII; empty where nobody could read it."""
    plain: str = unidecode(word)
    if all(each.isascii() or unicodedata.name(each, "").startswith(_SPELT) for each in word if each.isalpha()):
        return plain.replace(_UNKNOWN, "")
    letters = [each for each in plain.lower() if each.isalpha()]
    vowels = sum(each in _VOWELS for each in letters)
    return plain if letters and vowels >= _FEWEST_VOWELS * len(letters) and _UNKNOWN not in plain else ""


class Names:
    """Gives each thing a name of its own that is free in its table or schema."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._reserved = KEYWORDS.union(reserved)
        self._taken: set[str] = set()

    def name(self, candidates: Iterable[str], prefix: str, last_resort: str, *, numbered: bool = True) -> str:
        """The first of `candidates` that makes a readable name, else `last_resort`, which is one.

        One that is reserved or begins with a digit gets `prefix`; one that is taken a number, or unless `numbered`
        the prefix first.
        """
        words = next(filter(None, map(snake_case, candidates)), last_resort)
        unfit = not words[0].isalpha() or words in self._reserved
        if unfit or (not numbered and _cut(words, LONGEST) in self._taken):
            words = f"{prefix}_{words}"
        name, number = _cut(words, LONGEST), 1
        while name in self._taken or name in self._reserved:
            number += 1
            name = f"{_cut(words, LONGEST - len(f'_{number}'))}_{number}"
        self._taken.add(name)
        return name


def _cut(name: str, longest: int) -> str:
    """The whole words of a name that fit; part of a word only where there would be little left."""
    if len(name) <= longest:
        return name
    words = name[: longest + 1].rpartition("_")[0]
    return words if len(words) >= _SHORTEST_CUT else name[:longest].rstrip("_")
