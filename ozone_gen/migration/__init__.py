"""Older versions of the format of ozone.yaml, and the steps from each to the next.

There is only version 1 yet, so there are no steps. To bring in version N + 1, raise `shape.VERSION`, add a module here
with a `Step` whose `before` is N, list it in `STEPS`, and give it a pair of files in tests. A step sees the file as
ruamel.yaml keeps it, with its comments, order and quotes, and changes nothing but what the new version says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ruamel.yaml.comments import CommentedMap

Change = Callable[[CommentedMap], list[str]]
"""Changes a file in place, which may be a part that others extend; says what it did, in sentences."""


@dataclass(frozen=True)
class Step:
    """The way from version `before` to the next: `change` is done to each file of that version."""

    before: int
    change: Change


STEPS: Final[tuple[Step, ...]] = ()
"""One for each version but the newest, in order."""
