"""How hypothesis searches: the same examples at every run, and never against the clock of a busy machine.

`pytest --hypothesis-profile=search` looks further, with new examples each time.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "repeatable", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile("repeatable")
