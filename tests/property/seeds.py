"""How many random cases the property tests run, and which.

OZONE_PROPERTY_CASES says how many cases each test runs, OZONE_PROPERTY_SEED which one alone, or `random` that they
are to be others than usual. A case is one job of many histories.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st


def for_seeds(usual: int) -> Callable[[Callable[..., None]], Callable[..., Any]]:
    """Run a test with so many values of its argument `seed`: the same ones each time, unless it is asked for others."""
    chosen = os.environ.get("OZONE_PROPERTY_SEED", "")
    cases = int(os.environ.get("OZONE_PROPERTY_CASES", usual))

    def decorate(test: Callable[..., None]) -> Callable[..., Any]:
        # A case takes seconds: it is shrunk by shrinking.py, which tries many smaller ones in one job.
        phases = [Phase.explicit] if chosen.isdigit() else [Phase.explicit, Phase.generate]
        made = given(seed=st.integers(0, 2**32 - 1))(test)
        if chosen.isdigit():
            made = example(seed=int(chosen))(made)
        return settings(
            max_examples=cases,
            derandomize=chosen != "random",
            phases=phases,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )(made)

    return decorate
