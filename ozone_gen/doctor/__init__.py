"""Looks at a running site and says what is well, what is not, and what to do."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from ozone_gen.doctor import connect, flink, pages, services, sink, source, tables
from ozone_gen.doctor.counts import count_queries
from ozone_gen.doctor.findings import Finding, State
from ozone_gen.doctor.reach import Surroundings
from ozone_gen.plan import SitePlan

__all__ = ["Finding", "State", "examine"]


def examine(plan: SitePlan, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Look at each part of a running site, from the source on; of a central server, which has none, at the others.

    Args:
        plan: the site as decided.
        environment: the variables that Compose would see (`reach.environment`).
    """
    site = Surroundings(plan, environment)
    looks = [services.examine(site)]
    if plan.sources:
        looks += [source.examine(site), connect.examine(site), flink.examine(site), sink.examine(site)]
        looks.append(tables.examine(site, count_queries(plan)))
    looks.append(pages.examine(site))
    # A database that cannot be asked is found by each look that asks it.
    yield from dict.fromkeys(itertools.chain.from_iterable(looks))
