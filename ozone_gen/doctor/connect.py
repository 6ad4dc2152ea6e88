"""Whether Debezium reads the source."""

from __future__ import annotations

from collections.abc import Iterator

from ozone_gen.doctor.findings import Finding, State
from ozone_gen.doctor.reach import Surroundings, UnreachableError, innermost_cause

_PART = "Kafka Connect"
_LOOK = "look at what it says: docker compose logs connect-setup connect"


def examine(site: Surroundings) -> Iterator[Finding]:
    """Look at the connector and its tasks."""
    name = site.plan.source.name
    try:
        status = site.get("connect", f"/connectors/{name}/status")
    except UnreachableError as error:
        state = State.UNKNOWN if site.published("connect") is None else State.ILL
        yield Finding(_PART, state, str(error), "is the site up? docker compose ps")
        return
    states = {status["connector"]["state"], *(task["state"] for task in status["tasks"])}
    if states == {"RUNNING"}:
        yield Finding(_PART, State.WELL, f"connector {name} runs")
    elif not status["tasks"]:
        yield Finding(_PART, State.ILL, f"connector {name} has no task", _LOOK)
    for task in (status["connector"], *status["tasks"]):
        if task["state"] != "RUNNING":
            why = f": {innermost_cause(task['trace'])}" if task.get("trace") else ""
            yield Finding(_PART, State.ILL, f"connector {name} is {task['state']}{why}", _LOOK)

