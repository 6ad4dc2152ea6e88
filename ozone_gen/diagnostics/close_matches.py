"""Guesses at what a person meant by a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable

_LISTED = 12  # A longer list of known names is no help on a terminal.


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown `name`: the closest of the `known` names, or all of them where none is close.

    Returns "" where nothing is known.
    """
    from difflib import get_close_matches

    names = list(dict.fromkeys(known))
    # Wrong case is the commonest slip and costs difflib most of its score, so compare without it.
    by_folded: dict[str, str] = {}
    for each in names:
        by_folded.setdefault(each.casefold(), each)
    close = [by_folded[match] for match in get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.6)]
    if close:
        return f"did you mean {' or '.join(close)}?"
    if not names:
        return ""
    shown = ", ".join(names[:_LISTED])
    return f"known here: {shown}" + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
