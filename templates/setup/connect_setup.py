"""Registers the site's connectors with Kafka Connect once their source is fit, and watches that rows flow.

Runs for as long as the site does. It is healthy only while the source is fit, every connector and task runs,
and the source's own list of connections shows that Debezium reads it.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from .connect_worker import Config, ConnectWorker
from .connector_watch import Watch
from .source_check import Source, check_source
from .source_session import Login
from .waiting import (
    Announcer,
    Backoff,
    Problem,
    RefusedError,
    log,
    port_number,
    start_log,
    stop_on_sigterm,
    variable,
)

CONNECTORS = Path("/etc/ozone/connectors")
SOURCE = Path("/etc/ozone/source.json")
HEALTHY = Path("/tmp/healthy")
"""In the container's own file system: the only folder that its user may write to."""

WATCH_EVERY_S = 5.0
STARTING_WATCH_EVERY_S = 1.0
"""Connect is on this machine and its part of the start is short: no growing pauses there."""
HEALTHY_FOR_S = 30.0


def read_connectors(folder: Path) -> dict[str, Config]:
    """The rendered connectors by name. Raises RefusedError where there is none, or a file is broken."""
    connectors = {}
    try:
        for path in sorted(folder.glob("*.json")):
            rendered = json.loads(path.read_text(encoding="utf-8"))
            name, config = rendered["name"], rendered["config"]
            # Connect answers with the name among the rest.
            connectors[name] = {**{key: _setting(value) for key, value in config.items()}, "name": name}
            if "connector.class" not in config:
                raise KeyError("connector.class")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(_broken(folder, error)) from None
    if not connectors:
        raise RefusedError(_broken(folder, FileNotFoundError("no *.json")))
    return connectors


def _setting(value: Any) -> str:
    """A setting as Connect keeps it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_source(path: Path) -> Source:
    """The rendered source. Raises RefusedError where the file is missing or broken."""
    try:
        rendered = json.loads(path.read_text(encoding="utf-8"))
        return Source(
            engine=str(rendered["engine"]),
            database=str(rendered["database"]),
            tables={str(table): tuple(columns) for table, columns in rendered["tables"].items()},
            server_id=int(rendered["server_id"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(_broken(path, error)) from None


def _broken(path: Path, error: Exception) -> Problem:
    return Problem(f"The rendered {path} cannot be used: {error!r}.", "Render the site again.")


def healthcheck(path: Path, now: float) -> int:
    """Exit code: 0 where the file was touched less than 30 s ago, else 1. `now` is seconds of the epoch."""
    try:
        return 0 if now - path.stat().st_mtime < HEALTHY_FOR_S else 1
    except FileNotFoundError:
        return 1


def watch() -> int:
    """Watch for as long as the container runs. Exit code: 1 where the rendered files cannot be used."""
    HEALTHY.unlink(missing_ok=True)
    try:
        source = read_source(SOURCE)
        login = Login(
            host=variable("CONNECT_MYSQL_HOSTNAME", "the host of the source database"),
            port=port_number("CONNECT_MYSQL_PORT", 3306),
            user=variable("CONNECT_MYSQL_USERNAME", "the user that reads the source database"),
            password=variable("CONNECT_MYSQL_PASSWORD", "the password of the source database's user"),
        )
        worker = ConnectWorker(variable("CONNECT_URL", "Kafka Connect's address", "http://connect:8083"))
        watch = Watch(read_connectors(CONNECTORS), lambda: check_source(source, login), worker)
    except RefusedError as error:
        for problem in error.problems:
            log.error("%s", problem)
        return 1
    announcer, backoff = Announcer(), Backoff()
    while True:
        problems = watch.step()
        announcer.problems(problems)
        if problems:
            HEALTHY.unlink(missing_ok=True)
        else:
            announcer.well("All connectors run and rows flow.")
            HEALTHY.touch()
        if not watch.source_is_fit:
            backoff.wait()
            continue
        backoff.reset()
        time.sleep(STARTING_WATCH_EVERY_S if problems else WATCH_EVERY_S)


def main(arguments: list[str]) -> int:
    """`--healthcheck` looks whether the watching process finds all well; without it, this is that process."""
    if arguments == ["--healthcheck"]:
        return healthcheck(HEALTHY, time.time())
    start_log()
    stop_on_sigterm()
    return watch()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
