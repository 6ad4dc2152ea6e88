"""Whether the parts that people open in a browser answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from ozone_gen.doctor.findings import Finding, State
from ozone_gen.doctor.reach import Surroundings, UnreachableError


class _Page(NamedTuple):
    """What answers without a login where a part is well.

    Attributes:
        part: what people call it.
        path: what is asked for.
        answer: what stands in the answer; empty for anything.
        status: HTTP's status; a store refuses who shows no key.
    """

    part: str
    path: str
    answer: str = ""
    status: int = 200


_PAGES: Final = {
    "superset": _Page("Superset", "/health", "OK"),
    "object_store": _Page("Object store", "/", status=403),
    "drill": _Page("Drill", "/status", "Running"),
}


def examine(site: Surroundings) -> Iterator[Finding]:
    """Look at each part that the site has."""
    for component, page in _PAGES.items():
        if component not in site.plan.components:
            continue
        try:
            answer = site.get(component, page.path)
        except UnreachableError as error:
            if error.status == page.status:
                yield Finding(page.part, State.WELL, "it answers")
                continue
            # A site may start only some of its compose files: what has no container is not ill.
            state = State.UNKNOWN if error.status is None else State.ILL
            yield Finding(page.part, state, str(error), "is it to run? docker compose ps")
            continue
        if page.answer not in str(answer):
            what = f"{page.path} answers {str(answer)[:80]!r}"
            yield Finding(page.part, State.ILL, what, f"docker compose logs {component}")
        else:
            yield Finding(page.part, State.WELL, "it answers")
