"""Load the files that a command was given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ozone_gen.cli.outcome import Outcome, progress

if TYPE_CHECKING:
    from ozone_gen.load import Site

_MANY: Final = 50
"""From this number of files on a progress bar is worth its start-up time."""


def load_sites(files: Sequence[str], outcome: Outcome) -> dict[str, Site]:
    """Load every file that has no errors."""
    from ozone_gen.load import load

    sites = {}
    wanted = list(dict.fromkeys(files))
    with progress("reading", "sites", len(wanted) if len(wanted) >= _MANY else 0) as advance:
        for file in wanted:
            with outcome.telling(file):
                sites[file] = load(file)
                outcome.add(sites[file].warnings)
            advance(1)
    return sites
