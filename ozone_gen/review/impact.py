"""What a service means to the people of a clinic, and what it would lose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ozone_gen.review.compose import Project, setting
from ozone_gen.review.model import ServiceChange, ServiceFate

_LATE: Final = "new data reach the tables late, none are lost"
_SERVED: Final = "dashboards cannot be opened"

WHILE_DOWN: Final = {
    "mysql": "OpenMRS, where it uses this bundled database, cannot be used",
    "postgresql": "dashboards show errors and new data arrive late",
    "zookeeper": _LATE,
    "kafka": _LATE,
    "connect": _LATE,
    "connect-setup": "",
    "swap": "",
    "jobmanager": _LATE,
    "taskmanager": _LATE,
    "kafka-ui": "the page of Kafka cannot be opened",
    "superset": _SERVED,
    "superset-worker": "long queries of dashboards wait",
    "redis": "dashboards are slower",
    "object-store": "exports of the sites cannot be received or read",
    "drill-zookeeper": "queries over the exports fail",
    "drill": "queries over the exports fail",
    "drill-setup": "",
}
"""What people notice while a service is away; steps that end are none of these, and of some
nobody notices anything."""

_MAJOR: Final = re.compile(r"(?:^|/)(postgres|mariadb|mysql):(\d+)(?:\.(\d+))?")


def interruptions(services: tuple[ServiceChange, ...]) -> tuple[str, ...]:
    """What people notice while services are made anew, each once, in the order of the services."""
    restarted = [each.name for each in services if each.fate is ServiceFate.RESTARTED]
    found = [WHILE_DOWN.get(name, f"{name} is away") for name in restarted]
    return tuple(dict.fromkeys(filter(None, found)))


def risks(old: Project, new: Project) -> Iterator[str]:
    """What of a site's data may be lost or out of reach, in sentences."""
    if old.name != new.name:
        yield (
            f"The site gets another id: Compose calls it {new.name}, was {old.name}. Nothing is carried over: its"
            " bundled databases, Kafka and checkpoints begin empty, and the old containers go on and hold the ports"
            f" until `docker compose -p {old.name} down`."
        )
    yield from _database_images(old, new)
    where = [_place(project, "superset", "SUPERSET_DB") for project in (old, new)]
    if all(where) and where[0] != where[1]:
        yield (
            f"Superset's own database moves from {where[0]} to {where[1]}: users, and dashboards and charts that"
            " people made, stay behind unless that database is copied."
        )
    if "migrate" in old.services and "migrate" not in new.services:
        yield "Tables are no longer filled: those in the analytics database stay and stand still."


def _database_images(old: Project, new: Project) -> Iterator[str]:
    for service in ("mysql", "postgresql"):
        if service not in old.services or service not in new.services:
            continue
        before, after = (_version(project, service) for project in (old, new))
        if before is None or after is None or before == after:
            continue
        if before[0] != after[0]:
            yield f"`{service}` becomes {after[0]} instead of {before[0]}, which cannot read what is in its volume."
        elif before[0] == "postgres" and before[1] != after[1]:
            yield (
                f"PostgreSQL {after[1]} cannot read the volume of PostgreSQL {before[1]} and does not start: dump all"
                " its databases before and restore them into an empty volume."
            )
        elif after[1:] < before[1:]:
            was, now = (".".join(map(str, version[1:])) for version in (before, after))
            yield f"`{service}` goes back from version {was} to {now}, which may not read what is in its volume."


def _version(project: Project, service: str) -> tuple[str, int, int] | None:
    found = _MAJOR.search(project.services[service].images.get("image", ""))
    return (found[1], int(found[2]), int(found[3] or 0)) if found else None


def moved_sink(old: Project, new: Project) -> str:
    """A sentence where the tables go to another database; empty where they do not."""
    before, after = (_place(project, "migrate", "ANALYTICS_DB") for project in (old, new))
    if not before or not after or before == after:
        return ""
    return (
        f"The analytics database is another one, {after} instead of {before}: all tables are filled anew there; those"
        " in the old one stay and stand still, and dashboards look at the new one."
    )


def moved_source(old: Project, new: Project) -> str:
    """A sentence where OpenMRS is read at another address; empty where it is not."""
    names = ("CONNECT_MYSQL_HOSTNAME", "CONNECT_MYSQL_PORT")
    before, after = (
        ":".join(setting(project, "connect", name) or "" for name in names) for project in (old, new)
    )
    if ":" in (before, after) or before == after:
        return ""
    return (
        f"OpenMRS is read at another address, {_plain(after)} instead of {_plain(before)}. The connector goes on where"
        " it was in the binary log, which is right only for the same server under another name; for another server,"
        " remove the site's Kafka volume so that it is read anew."
    )


def _place(project: Project, service: str, prefix: str) -> str:
    values = [setting(project, service, f"{prefix}_{name}") for name in ("HOST", "PORT", "NAME")]
    if any(value is None for value in values):
        return ""
    host, port, name = (_plain(str(value)) for value in values)
    return f"{name} at {host}:{port}"


_DEFAULT: Final = re.compile(r"\$\{\w+:-([^${}]*)\}")
_REQUIRED: Final = re.compile(r"\$\{(\w+):\?[^${}]*\}")


def _plain(value: str) -> str:
    """What a value of a compose file is where nothing overrides it: `${A:-${B:-mysql}}` is mysql."""
    while True:
        replaced = _DEFAULT.sub(lambda found: found[1], value)
        if replaced == value:
            return _REQUIRED.sub(lambda found: f"${found[1]}", value)
        value = replaced
