"""A preview that nobody watches, for tests that only want its tables."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from ozone_gen.preview import Stage


class Silent:
    """Nobody watches the preview."""

    def stage(self, stage: Stage, total: int | None) -> AbstractContextManager[Callable[[int], None]]:
        return nullcontext(lambda steps: None)
